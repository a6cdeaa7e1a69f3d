"""QuadINR's activation beside others on FPGAs: counted for its board, routed for an open chip."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from multipede.cost_model.parallel_jobs import in_parallel
from multipede.cost_model.reproduction.fpga_counts import columns, counts, heading
from multipede.cost_model.reproduction.quadinr_costs import (
    QUADINR,
    SINES,
    activations,
    errors_by_width,
    published_quadinr,
)
from multipede.fpga import route
from multipede.fpga.chips import chip as chip_of
from multipede.fpga.place_and_route import checked_frequency, checked_seeds
from multipede.golden.number_format import require_range
from multipede.golden.rounded_operation import MAXIMUM_STAGES
from multipede.toolchain import ToolError

__all__ = ["QuadINRFpga", "Routed", "quadinr_fpga"]

BITS = (8, 12, 16)
SEEDS = 3
FREQUENCY = 100.0
_BOARD = "xcup"
"""the family of the paper's board"""


@dataclass(frozen=True)
class Routed:
    """An activation with as few register ranks as hold the clock.

    Attributes
    ----------
    label : what it is. stages : its register ranks.
    frequency : the highest that it holds on the routed chip, MHz, median over the seeds.
    taken : family -> LUT, FF and DSP. error : why there are no figures, or None.
    """

    label: str
    stages: int = 0
    frequency: float = 0.0
    taken: Mapping[str, Mapping[str, int]] | None = None
    error: str | None = None

    def latency(self, asked: float) -> float:
        """ns from argument to result: at the clock asked for, or the highest if that is missed."""
        return 1e3 * self.stages / min(asked, self.frequency)


@dataclass(frozen=True)
class QuadINRFpga:
    """Activations by width.

    Attributes
    ----------
    chip, frequency : that all are routed for; MHz.
    rows : bits -> rows, QuadINR's first. notes : the conditions, and the published claims.
    """

    chip: str
    frequency: float
    rows: Mapping[int, tuple[Routed, ...]]
    notes: tuple[str, ...]

    @property
    def errors(self) -> list[str]:
        """Which rows have no figures, and why."""
        return errors_by_width(self.rows)

    def savings(self, bits: int) -> dict[str, tuple[float, float]]:
        """By how much fewer look-up tables of the paper's family and how much less latency QuadINR
        takes than each of the others, as shares of theirs."""
        first, *others = (row for row in self.rows[bits] if not row.error)
        return {
            row.label: (
                1 - first.taken[_BOARD]["lut"] / row.taken[_BOARD]["lut"],
                1 - first.latency(self.frequency) / row.latency(self.frequency),
            )
            for row in others
        }

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            "chip": self.chip,
            "frequency": self.frequency,
            "rows": {
                bits: [
                    vars(row) | {"latency": None if row.error else row.latency(self.frequency)}
                    for row in rows
                ]
                for bits, rows in self.rows.items()
            },
            "savings": {bits: self.savings(bits) for bits in self.rows},
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        width = max(len(row.label) for rows in self.rows.values() for row in rows)
        family = chip_of(self.chip).family
        lines = [
            f"activations counted for {_BOARD}, and routed for {chip_of(self.chip).title} at"
            f" {self.frequency:g} MHz"
        ]
        for bits, rows in self.rows.items():
            head = heading((_BOARD, family))
            head += f"{'clocks':>8}{'MHz':>8}{'ns':>8}{'LUT less':>10}{'ns less':>9}"
            lines += ["", f"{f'{bits} bits':{width}}{head}"]
            savings = self.savings(bits)
            for row in rows:
                lines.append(self._line(row, family, width, savings.get(row.label)))
            lines.append(self._verdict(savings))
        return "\n".join([*lines, "", *self.notes, *self.errors])

    def _line(self, row: Routed, family: str, width: int, saved: tuple[float, float] | None) -> str:
        if row.error:
            return f"{row.label:{width}}{'failed':>11}"
        line = f"{row.label:{width}}{columns(row.taken, (_BOARD, family))}"
        line += f"{row.stages:8}{row.frequency:8.1f}{row.latency(self.frequency):8.1f}"
        if saved is not None:
            line += f"{saved[0]:10.0%}{saved[1]:9.0%}"
        return line + ("" if row.frequency >= self.frequency else "  misses the clock")

    def _verdict(self, savings: Mapping[str, tuple[float, float]]) -> str:
        fewest, shortest = (max(savings, key=lambda label: savings[label][n]) for n in (0, 1))
        sines = [label for label in savings if label.startswith(SINES)]
        best = min(sines, key=lambda label: savings[label][0])
        return (
            f"  {QUADINR}: up to {savings[fewest][0]:.0%} fewer LUT ({fewest}) and up to"
            f" {savings[shortest][1]:.0%} less latency ({shortest}); than the smallest sine"
            f" ({best}) {savings[best][0]:.0%} and {savings[best][1]:.0%}"
        )


def quadinr_fpga(
    chip: str = "ecp5-25f",
    *,
    frequency: float = FREQUENCY,
    bits: Sequence[int] = BITS,
    seeds: int = SEEDS,
    workers: int | None = None,
) -> QuadINRFpga:
    """Look-up tables for the paper's board and latency on a chip with open tools, of all
    activations of each width, each with as few stages as hold the clock there.

    Parameters
    ----------
    chip : to route for. frequency : MHz that the median over the seeds must reach.
    bits : widths, 8 to 24. seeds : of the placer. workers : processes side by side; None for one
        per processor.

    Raises
    ------
    TypeError, ValueError
        For no widths, widths out of range, an unknown chip, and as
        :func:`~multipede.fpga.place_and_route.route`.
    """
    if not bits:
        raise ValueError("bits is empty: at least one width is needed")
    for width in bits:
        require_range("bits", width, 8, 24)
    aim = checked_frequency(chip_of(chip), frequency)
    checked_seeds(seeds)
    jobs = [(width, label) for width in bits for label in activations(width)]
    work = partial(_routed, chip=chip, frequency=aim, seeds=seeds)
    rows: dict[int, list[Routed]] = {width: [] for width in bits}
    for (width, _), row in zip(jobs, in_parallel(work, jobs, workers, what="unit"), strict=True):
        rows[width].append(row)
    found = {width: tuple(each) for width, each in rows.items()}
    return QuadINRFpga(chip, aim, found, _notes(aim, seeds))


def _routed(job: tuple[int, str], *, chip: str, frequency: float, seeds: int) -> Routed:
    """The activation of this width and name."""
    bits, label = job
    unit = activations(bits)[label]
    try:
        for stages in range(1, MAXIMUM_STAGES + 1):
            found = route(unit(stages), chip, seeds=seeds, frequency=frequency)
            if found.frequency >= frequency:
                break
        taken = counts(unit(stages), (_BOARD, chip_of(chip).family))
    except (ToolError, ValueError) as error:
        return Routed(label, error=" ".join(str(error).split()))
    return Routed(label, stages, found.frequency, taken)


def _notes(frequency: float, seeds: int) -> tuple[str, ...]:
    claim = published_quadinr()
    return (
        f"clocks: the fewest register ranks with which the median of {seeds} seeds reaches"
        f" {frequency:g} MHz; MHz: that median, of the unit between registers",
        "LUT less, ns less: QuadINR's, of the row's; latency is that of the routed chip, as no open"
        " tool places and routes for UltraScale+",
        "LUT counts are Yosys': Vivado packs pairs of small functions into one LUT6, and would put"
        " products into DSP blocks unless told otherwise",
        f"published ({claim['source']}; formats, clock and baselines' precision unknown): up to"
        f" {claim['saving']:.0%} less resources and power, up to {claim['latency_saving']:.0%} less"
        f" latency than baselines on {claim['board']}",
    )
