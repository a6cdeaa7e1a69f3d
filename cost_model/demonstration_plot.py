"""The demonstration's picture and the numbers in it."""

import io
from collections.abc import Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from multipede.toolchain import ToolError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from torch import Tensor

    from multipede.cost_model.comparison import Comparison
    from multipede.cost_model.demonstration_report import Demonstration

__all__ = ["draw", "plot_data"]

SCATTER_POINTS = 3000
BINS = 101
SPAN = 0.5
"""The histogram reaches so many times the reference's RMS to either side."""


def plot_data(result: "Tensor", reference: "Tensor") -> dict[str, Any]:
    """What is drawn of one result: a histogram of its errors and an even sample of its values.

    Errors are in units of the reference's RMS (1 if that is 0); those beyond the histogram are
    counted in ``outside``.
    """
    import torch

    scale = float(reference.square().mean().sqrt()) or 1.0
    errors = ((result - reference) / scale).flatten()
    counts = torch.histc(errors, bins=BINS, min=-SPAN, max=SPAN)
    step = -(-result.numel() // SCATTER_POINTS)
    return {
        "error_by_reference_rms": {
            "minimum": -SPAN,
            "maximum": SPAN,
            "counts": [int(count) for count in counts],
            "outside": int(errors.numel() - counts.sum()),
        },
        "sample": {
            "every": step,
            "fp32": reference.flatten()[::step].tolist(),
            "quantised": result.flatten()[::step].tolist(),
        },
    }


def draw(report: "Demonstration") -> bytes:
    """The picture as PNG. ToolError if matplotlib is not installed."""
    try:
        # Without pyplot: no window system and no global state.
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        raise ToolError("the plot needs matplotlib: pip install matplotlib") from None
    results = len(report.results)
    # Inches: legends below the first axes, a bar or two for each result in the second.
    heights = [5.5 + 0.1 * results, max(5.5, 0.5 * results)]
    heights += [5.5] * -(-len(report.costs) // 2)
    figure = Figure(figsize=(16, sum(heights)), layout="constrained")
    first, second, *others = figure.subplots(len(heights), 2, height_ratios=heights)
    colors = _colors(results)
    _draw_values(first[0], report, colors)
    _draw_errors(first[1], report, colors)
    _draw_quality(second[0], report, colors)
    _draw_cycles(second[1], report)
    places = [axes for row in others for axes in row]
    for axes, comparison in zip_longest(places, report.costs):
        if comparison is None:
            axes.set_axis_off()
        else:
            _draw_costs(axes, comparison)
    figure.suptitle(
        f"{report.weights}: {report.tokens} tokens x {report.inner} x {report.outputs},"
        f" every output from the RTL equal to golden",
        fontsize=11,
        wrap=True,
    )
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=120)
    return content.getvalue()


def _colors(count: int) -> list[Any]:
    """Different ones as far as there are: ten dark, ten light."""
    from matplotlib import colormaps

    pairs = colormaps["tab20"].colors
    different = [*pairs[::2], *pairs[1::2]]
    return [different[index % len(different)] for index in range(count)]


def _draw_values(axes: "Axes", report: "Demonstration", colors: Sequence[Any]) -> None:
    noisiest_first = sorted(result.accuracy.sqnr_db for result in report.results)
    for color, result in zip(colors, report.results, strict=True):
        sample = result.plot["sample"]
        axes.scatter(
            sample["fp32"],
            sample["quantised"],
            s=4,
            alpha=0.5,
            color=color,
            label=result.name,
            zorder=1 + noisiest_first.index(result.accuracy.sqnr_db) / len(colors),
        )
    middle = axes.get_xlim()
    axes.plot(middle, middle, color="black", linewidth=0.7, label="equal", zorder=3)
    axes.set_xlabel("FP32 output, without bias [1]")
    axes.set_ylabel("dequantised RTL output [1]")
    axes.set_title("Values (even sample)")
    _legend_below(axes)


def _legend_below(axes: "Axes") -> None:
    axes.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, -0.12),
        fontsize=7,
        ncols=2,
        handlelength=1,
        columnspacing=1,
        markerscale=3,
    )


def _draw_errors(axes: "Axes", report: "Demonstration", colors: Sequence[Any]) -> None:
    import numpy as np

    for color, result in zip(colors, report.results, strict=True):
        data = result.plot["error_by_reference_rms"]
        edges = np.linspace(data["minimum"], data["maximum"], len(data["counts"]) + 1)
        axes.stairs(data["counts"], edges, color=color, label=result.name)
    axes.set_yscale("log")
    axes.set_xlabel("error / RMS of the FP32 outputs [1]")
    axes.set_ylabel("outputs per bin [1]")
    axes.set_title(f"Errors (those beyond {SPAN} are not drawn)")
    _legend_below(axes)


def _draw_quality(axes: "Axes", report: "Demonstration", colors: Sequence[Any]) -> None:
    names = [result.name for result in report.results]
    values = [result.accuracy.to_dict()["sqnr_db"] or 0.0 for result in report.results]
    places = range(len(names))
    bars = axes.barh(places, values, color=colors)
    labels = [f"{result.accuracy.sqnr_db:.1f} dB" for result in report.results]
    axes.bar_label(bars, labels, padding=2)
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.margins(x=0.25)
    axes.set_xlabel("signal to quantisation noise [dB]")
    axes.set_title("Accuracy against FP32")


def _draw_cycles(axes: "Axes", report: "Demonstration") -> None:
    names = [result.name for result in report.results]
    for offset, (label, values) in enumerate(
        {
            "in the RTL": [result.cycles for result in report.results],
            "ideal": [result.ideal_cycles for result in report.results],
        }.items()
    ):
        places = [index + 0.4 * offset for index in range(len(names))]
        bars = axes.barh(places, values, 0.38, label=label)
        axes.bar_label(bars, [f"{value:,.0f}" for value in values], fontsize=8, padding=2)
    axes.set_yticks([index + 0.2 for index in range(len(names))], names)
    axes.invert_yaxis()
    axes.margins(x=0.25)
    axes.set_xlabel("clock cycles [1]")
    axes.set_title("Clock cycles for the whole matrix, whatever the period")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), fontsize=8, ncols=2)


def _draw_costs(axes: "Axes", comparison: "Comparison") -> None:
    """Costs on each target by the largest there, for their units differ."""
    places = range(len(comparison.targets))
    height = 0.8 / len(comparison.rows)
    for index, row in enumerate(comparison.rows):
        values, labels = [], []
        for target in comparison.targets:
            largest = max(other[target] or 0 for other in comparison.rows) or 1
            values.append((row[target] or 0) / largest)
            labels.append("failed" if row[target] is None else f"{row[target]:,.0f}")
        offset = height * (index - (len(comparison.rows) - 1) / 2)
        where = [place + offset for place in places]
        bars = axes.barh(where, values, 0.95 * height, label=row["label"], color=f"C{index}")
        axes.bar_label(bars, labels, fontsize=8, padding=2)
    names = [f"{target}\n[{comparison.unit(target)}]" for target in comparison.targets]
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.15)
    axes.set_xlabel("cost / largest on its target [1]")
    axes.set_title(f"First costs: {comparison.rows[0]['label']},\nand rivals")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), fontsize=8)
