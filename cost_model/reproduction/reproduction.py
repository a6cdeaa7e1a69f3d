"""An experiment's rows, beside the figures that a paper prints of the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from multipede.cost_model.reproduction.effective_area import EffectiveArea
from multipede.golden.number_format import require_type

if TYPE_CHECKING:
    from multipede.asic_flow import Constraints

__all__ = ["Reproduction", "conditions", "require_shape", "shape_name"]


@dataclass(frozen=True)
class Reproduction:
    """Rows of an experiment.

    Attributes
    ----------
    title : what was measured. rows : in order. published : label -> figures of the paper, by the
        names of our own.
    notes : how the figures came about, and what differs from the paper.
    """

    title: str
    rows: tuple[EffectiveArea, ...]
    published: Mapping[str, Mapping[str, float]]
    notes: tuple[str, ...]

    @property
    def errors(self) -> list[str]:
        """Which rows have no figures, and why."""
        return [f"{row.label} failed: {row.error}" for row in self.rows if row.error]

    def ratio(self, row: EffectiveArea) -> float | None:
        """Area per multiply-accumulate of the first row, by that of this one."""
        pair = self.rows[0].per_operation, row.per_operation
        return pair[0] / pair[1] if None not in pair else None

    def published_ratio(self, row: EffectiveArea) -> float | None:
        """The same of the paper's areas."""
        pair = self.published.get(self.rows[0].label), self.published.get(row.label)
        return pair[0]["area"] / pair[1]["area"] if None not in pair else None

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        rows = [
            row.to_dict()
            | {"intensity": self.ratio(row), "published_intensity": self.published_ratio(row)}
            | {"published": self.published.get(row.label)}
            for row in self.rows
        ]
        return {"title": self.title, "rows": rows, "notes": list(self.notes)}

    def __str__(self) -> str:
        width = max(len(row.label) for row in self.rows)
        with_power = any(row.power for row in self.rows)
        unit = self.rows[0].area_unit
        head = f"{'':{width}}{'area, ' + unit:>13}{'shared':>8}{'clocks':>8}{unit + ' per op':>14}"
        head += f"{'intensity':>11}" + (f"{'paper':>8}" if self.published else "")
        head += f"{'power, mW':>11}{'pJ per op':>11}" if with_power else ""
        lines = [self.title, "", head]
        lines += [self._line(row, width, with_power) for row in self.rows]
        lines.append("")
        lines.append(
            f"op: multiply-accumulate; {unit} per op: area and share times clocks of a record by"
            f" its ops; intensity: ops per {unit}, as a multiple of {self.rows[0].label}"
        )
        return "\n".join([*lines, *self.notes, *self.errors])

    def _line(self, row: EffectiveArea, width: int, with_power: bool) -> str:
        if row.error:
            return f"{row.label:{width}}{'failed':>13}"
        line = f"{row.label:{width}}{row.area:13,.0f}{row.shared_area:8,.1f}"
        line += f"{row.initiation_interval:8}{row.per_operation:14.1f}{self.ratio(row):10.3f}x"
        if self.published:
            ratio = self.published_ratio(row)
            line += f"{'-':>8}" if ratio is None else f"{ratio:7.3f}x"
        if with_power:
            line += f"{row.power:11.3f}{row.energy:11.4f}" if row.power else f"{'-':>11}{'-':>11}"
        missed = row.holds_clock is False
        return line + (f"  misses the clock: {row.delay:,.0f} ps" if missed else "")


def conditions(rows: Sequence[EffectiveArea], constraints: "Constraints | None") -> tuple[str, ...]:
    """The clock, and how the rows' figures came about, each way once."""
    period = None if constraints is None else constraints.clock_period
    clock = "no clock to hold" if period is None else f"clock period {period:g} ns"
    return (clock, *dict.fromkeys(row.method for row in rows if row.method))


def require_shape(name: str, shape: object) -> tuple[int, int, int]:
    """Rows, columns and lanes. TypeError unless they are three integers."""
    try:
        rows, columns, lanes = shape
    except (TypeError, ValueError):
        raise TypeError(f"{name} = {shape!r}: rows, columns and lanes are needed") from None
    for size in (rows, columns, lanes):
        require_type(name, size, int)
    return rows, columns, lanes


def shape_name(shape: tuple[int, ...]) -> str:
    """Rows, columns and lanes as papers write them: ``M2N64K4``."""
    return "M{}N{}K{}".format(*shape)
