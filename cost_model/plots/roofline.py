"""The roofline of an array: what it can compute, and what its memory lets it."""

from typing import TYPE_CHECKING

from multipede.cost_model.plots.picture import Picture, canvas

if TYPE_CHECKING:
    from multipede.cost_model.workloads.array import Cost

__all__ = ["roofline"]


def roofline(cost: "Cost") -> Picture:
    """Products on an array by operations for a byte of memory, a multiply-accumulate being two.

    The roof is the array's rate and the memory's; each product stands where it reaches, those that
    move nothing at the right end. TypeError for what is no cost of an array; ToolError if
    matplotlib is missing.
    """
    from multipede.cost_model.workloads.array import Cost
    from multipede.golden.number_format import require_type

    require_type("cost", cost, Cost)
    array = cost.array
    peak = 2 * array.rows * array.columns * array.lanes / array.interval / array.clock_period
    bandwidth = array.memory.bits_per_clock / 8 / array.clock_period
    ridge = peak / bandwidth
    at = {
        work.product.name: (
            2 * work.product.multiplications / (work.dram_bits / 8) if work.dram_bits else None,
            2 * work.product.multiplications / (work.cycles * array.clock_period),
        )
        for work in cost.works
    }
    known = [intensity for intensity, _ in at.values() if intensity is not None]
    left, right = min([*known, ridge]) / 4, max([*known, ridge]) * 4
    figure, axes = canvas()
    axes.plot([left, ridge, right], [left * bandwidth, peak, peak], color="black", linewidth=1.2)
    for name, (intensity, rate) in at.items():
        axes.plot(right if intensity is None else intensity, rate, "o", markersize=6, label=name)
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="operations for a byte of memory",
        ylabel="rate, billion operations a second",
    )
    axes.legend(frameon=False, fontsize=8)
    return Picture(figure)
