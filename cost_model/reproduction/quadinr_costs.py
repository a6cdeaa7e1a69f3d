"""QuadINR's activation beside all others of implicit neural representations, at one clock."""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from multipede.cost_model.parallel_jobs import in_parallel
from multipede.cost_model.reproduction.fpga_counts import columns, heading
from multipede.cost_model.reproduction.pipelined import FPGAS, Pipelined, pipelined
from multipede.golden.cordic_sine import CordicSine
from multipede.golden.finer import Finer
from multipede.golden.formats import FixedPoint
from multipede.golden.gabor import Gabor
from multipede.golden.number_format import require_range
from multipede.golden.piecewise_polynomial import PiecewisePolynomial
from multipede.golden.quadinr import QuadINR
from multipede.golden.sinc_divider import SincDivider
from multipede.golden.spec import Spec
from multipede.golden.taylor_sine import Series, TaylorSine

if TYPE_CHECKING:
    from multipede.asic_flow import Constraints

__all__ = [
    "BITS",
    "QuadINRCosts",
    "activations",
    "errors_by_width",
    "published_quadinr",
    "quadinr_costs",
]

BITS = (8, 10, 12, 16, 24)
QUADINR = "QuadINR, faithful"
SINES = "sine"
_ALL_UP_TO = 16
"""bits up to which there are others than sines: the formats of FINER and WIRE end at 18 and 20
fraction bits, and the search for Gauss had not ended after half an hour"""
_TABLES_UP_TO = 12
"""bits up to which a sine is tried as a plain table"""


@dataclass(frozen=True)
class QuadINRCosts:
    """Activations by width.

    Attributes
    ----------
    title : what was measured. period : of the clock, ns.
    rows : bits -> rows, QuadINR's first. notes : the conditions, and the published claims.
    """

    title: str
    period: float
    rows: Mapping[int, tuple[Pipelined, ...]]
    notes: tuple[str, ...]

    @property
    def errors(self) -> list[str]:
        """Which rows have no figures, and why."""
        return errors_by_width(self.rows)

    def best_sine(self, bits: int) -> Pipelined:
        """The smallest sine that holds the clock, or if none does the smallest."""
        sines = [r for r in self.rows[bits] if r.label.startswith(SINES) and not r.error]
        return min(sines, key=lambda row: (not row.holds_clock, row.area))

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            "title": self.title,
            "clock_period": self.period,
            "rows": {
                bits: [
                    vars(row)
                    | {"latency": None if row.error else row.latency(self.period)}
                    | {"area_ratio": self._ratio(row, rows[0])}
                    for row in rows
                ]
                for bits, rows in self.rows.items()
            },
            "notes": list(self.notes),
        }

    def _ratio(self, row: Pipelined, first: Pipelined) -> float | None:
        return None if row.error or first.error else row.area / first.area

    def __str__(self) -> str:
        width = max(len(row.label) for rows in self.rows.values() for row in rows)
        lines = [self.title]
        for bits, rows in self.rows.items():
            head = f"{'clocks':>8}{'ns':>7}{'um2':>9}{'times':>7}{'ps':>8}{'pJ':>8}"
            head += heading(FPGAS)
            lines += ["", f"{f'{bits} bits':{width}}{head}"]
            lines += [self._line(row, rows[0], width) for row in rows]
            if not any(row.error for row in rows[:1]):
                lines.append(self._verdict(bits, rows[0]))
        return "\n".join([*lines, "", *self.notes, *self.errors])

    def _verdict(self, bits: int, first: Pipelined) -> str:
        best = self.best_sine(bits)
        words = "smaller than" if best.area > first.area else "no smaller than"
        return (
            f"  {QUADINR} is {words} the smallest sine ({best.label}): {best.area / first.area:.2f}"
            f" times its area, {best.latency(self.period) / first.latency(self.period):.1f} times"
            " its latency"
        )

    def _line(self, row: Pipelined, first: Pipelined, width: int) -> str:
        if row.error:
            return f"{row.label:{width}}{'failed':>8}"
        line = f"{row.label:{width}}{row.stages:8}{row.latency(self.period):7.1f}{row.area:9,.1f}"
        ratio = self._ratio(row, first)
        line += f"{'-' if ratio is None else f'{ratio:.2f}':>7}{row.delay:8,.0f}"
        line += f"{'-' if row.energy is None else f'{row.energy:.3f}':>8}"
        line += columns(row.fpga, FPGAS)
        return line + ("" if row.holds_clock else "  misses the clock")


def errors_by_width(rows: Mapping[int, Sequence[Any]]) -> list[str]:
    """Which rows, by bits, have no figures, and why."""
    return [
        f"{bits} bits, {row.label} failed: {row.error}"
        for bits, found in rows.items()
        for row in found
        if row.error
    ]


def activations(bits: int) -> dict[str, Callable[[int], Spec]]:
    """Of arguments and results of so many bits, four and two of them before the point, each
    activation by its number of stages; QuadINR's first."""
    x, result = FixedPoint(bits, bits - 4), FixedPoint(bits, bits - 2)
    formats = {"x": x, "result": result}
    degree = 1 if bits < 12 else 2

    def made(unit: type[Spec], **parameters: Any) -> Callable[[int], Spec]:
        return lambda stages: unit(**parameters, stages=stages)

    polynomial = partial(made, PiecewisePolynomial, **formats)
    degrees = range(0 if bits <= _TABLES_UP_TO else 1, 4)
    names = {0: "table", 1: "linear", 2: "quadratic", 3: "cubic"}
    sines = {f"{SINES}, {names[d]}": polynomial(function="sine", degree=d) for d in degrees}
    found = {
        QUADINR: made(QuadINR, **formats, faithful=True),
        "QuadINR, rounded to nearest": made(QuadINR, **formats),
        **sines,
        f"{SINES}, Taylor": made(TaylorSine, **formats),
        f"{SINES}, minimax": made(TaylorSine, **formats, series=Series.MINIMAX),
        f"{SINES}, CORDIC": made(CordicSine, **formats),
    }
    if bits > _ALL_UP_TO:
        return found
    return found | {
        "FINER": made(Finer, **formats, degree=degree),
        "Gauss": polynomial(function="gauss", degree=degree),
        "WIRE, real": made(Gabor, u=x, v=x, result=result, degree=degree),
        "sinc, polynomial": polynomial(function="sinc", degree=degree),
        "sinc, division": made(SincDivider, **formats, degree=degree),
    }


def quadinr_costs(
    target: str = "n28",
    *,
    constraints: "Constraints",
    bits: Sequence[int] = BITS,
    records: int = 1000,
    workers: int | None = None,
) -> QuadINRCosts:
    """Area, delay, latency and energy of all activations of each width, at one clock, each with as
    few stages as hold it; and what the same units take of FPGAs.

    Parameters
    ----------
    target, constraints : as for :func:`~multipede.cost_model.targets.synthesize`; with a clock.
    bits : widths, 8 to 24. records : of the workload that energy is of. workers : processes side by
        side; None for one per processor.

    Raises
    ------
    TypeError, ValueError
        For no widths, widths out of range, constraints without a clock period, and as there.
    """
    if not bits:
        raise ValueError("bits is empty: at least one width is needed")
    for width in bits:
        require_range("bits", width, 8, 24)
    if constraints.clock_period is None:
        raise ValueError("constraints: a clock period is needed")
    jobs = [(width, label) for width in bits for label in activations(width)]
    work = partial(_priced, target=target, constraints=constraints, records=records)
    rows: dict[int, list[Pipelined]] = {width: [] for width in bits}
    for (width, _), row in zip(jobs, in_parallel(work, jobs, workers, what="unit"), strict=True):
        rows[width].append(row)
    return QuadINRCosts(
        f"activations of implicit neural representations on {target} at"
        f" {constraints.clock_period} ns, and on FPGAs",
        constraints.clock_period,
        {width: tuple(found) for width, found in rows.items()},
        notes=_notes(constraints),
    )


def _priced(
    job: tuple[int, str], *, target: str, constraints: "Constraints", records: int
) -> Pipelined:
    """The activation of this width and name."""
    bits, label = job
    unit = activations(bits)[label]
    return pipelined(label, unit, target, constraints=constraints, records=records)


def _notes(constraints: "Constraints") -> tuple[str, ...]:
    claim = published_quadinr()
    return (
        f"clocks: the fewest register ranks that hold {constraints.clock_period} ns, 12 at most;"
        " registers included; times: area as a multiple of the first row's; pJ: energy of an"
        " activation, random arguments",
        "all results but those rounded to nearest are faithful: less than one unit in the last"
        " place from the exact value; arguments have 4 bits before the point, results 2",
        f"of more than {_ALL_UP_TO} bits sines alone are compared: FINER and WIRE have no such"
        " formats, and searches of the others take too long",
        f"published ({claim['source']}; format, clock and baselines' precision unknown):"
        f" {claim['area']:,.0f} um2 and {claim['dynamic_power']} mW at {claim['node']}, up to"
        f" {claim['saving']:.0%} less resources and power, up to {claim['latency_saving']:.0%} less"
        f" latency than baselines on {claim['board']}",
    )


@cache
def published_quadinr() -> dict[str, Any]:
    """What the paper publishes."""
    return tomllib.loads(files(__package__).joinpath("quadinr.toml").read_text())
