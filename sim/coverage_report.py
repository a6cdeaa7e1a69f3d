"""What coverage found: how much of the RTL ran and toggled, what did not, and why not."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from multipede.golden.spec import Spec
from multipede.sim.coverage_constants import Reason
from multipede.sim.coverage_data import CoverageKind
from multipede.sim.junit import Case
from multipede.sim.report import Report

__all__ = ["CoverageReport", "StyleCoverage", "Uncovered", "ranges"]


@dataclass(frozen=True)
class Uncovered:
    """A place that the stimuli did not reach.

    Of a toggle, bits ``high`` to ``low`` of ``signal``, -1 for a signal of one bit without a range,
    and ``what`` says which changes never came. ``field`` names the port's element where the signal
    is a payload. ``path`` is the instance, "" for the top module. ``reason`` is why it cannot be
    reached, where that was proved.
    """

    kind: CoverageKind
    module: str
    path: str
    line: int
    signal: str
    high: int
    low: int
    what: str
    field: str = ""
    reason: Reason | None = None

    @property
    def points(self) -> int:
        """Counters that it stands for."""
        return (self.high - self.low + 1) * (self.what.count("->") or 1)

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        reason = self.reason.value if self.reason else None
        return vars(self) | {"kind": self.kind.value, "reason": reason}

    def __str__(self) -> str:
        bits = f"{self.high}:{self.low}" if self.high > self.low else str(self.high)
        signal = f"{self.signal}[{bits}]" if self.low >= 0 else self.signal
        where = f"{self.path} ({self.module})" if self.path else self.module
        field = f", {self.field}" if self.field else ""
        why = f": {self.reason.value}" if self.reason else ""
        return f"{self.kind.value} {self.what}: {signal}{field} in {where}, line {self.line}{why}"


@dataclass(frozen=True)
class StyleCoverage:
    """The coverage of the RTL in one style, all stimuli together."""

    style: str
    records: int
    points: dict[CoverageKind, int]
    covered: dict[CoverageKind, int]
    uncovered: tuple[Uncovered, ...]

    def explained(self, kind: CoverageKind) -> int:
        """Points that are proved to be out of reach."""
        return sum(u.points for u in self.uncovered if u.kind is kind and u.reason)

    def share(self, kind: CoverageKind) -> float | None:
        """Covered points as a share of all; None if there are none."""
        return self.covered[kind] / self.points[kind] if self.points[kind] else None

    def reachable_share(self, kind: CoverageKind) -> float | None:
        """Covered points as a share of those not proved to be out of reach."""
        reachable = self.points[kind] - self.explained(kind)
        return self.covered[kind] / reachable if reachable else None

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        kinds = {
            kind.value: {
                "points": self.points[kind],
                "covered": self.covered[kind],
                "explained": self.explained(kind),
                "share": self.share(kind),
                "reachable_share": self.reachable_share(kind),
            }
            for kind in CoverageKind
        }
        uncovered = [place.to_dict() for place in self.uncovered]
        return {"style": self.style, "records": self.records} | kinds | {"uncovered": uncovered}


@dataclass(frozen=True)
class CoverageReport(Report):
    """The outcome of ``measure_coverage``; ``passed`` only if in every style bits were counted and
    of those within reach, as of lines and branches where there are any, at least ``target`` were
    covered."""

    spec: Spec
    seed: int
    target: float
    styles: tuple[StyleCoverage, ...]
    tools: dict[str, str]
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether every style reaches the target."""
        return bool(self.styles) and all(self._reaches(style) for style in self.styles)

    @property
    def cases(self) -> list[Case]:
        """The styles for JUnit."""
        return [
            Case(
                self.spec.unit,
                f"{style.style}: coverage",
                self.seconds / len(self.styles),
                None if self._reaches(style) else "\n".join(_style_lines(style)),
            )
            for style in self.styles
        ]

    def _reaches(self, style: StyleCoverage) -> bool:
        counts_bits = style.reachable_share(CoverageKind.TOGGLE) is not None
        return counts_bits and _lowest_share(style) >= self.target

    def details(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            "seed": self.seed,
            "target": self.target,
            "styles": [style.to_dict() for style in self.styles],
        }

    def __str__(self) -> str:
        lines = [str(self.spec)]
        for style in self.styles:
            lines += _style_lines(style)
        lowest = min(map(_lowest_share, self.styles), default=0.0)
        verdict = "reached" if self.passed else "NOT REACHED"
        lines.append(
            f"{self.spec.unit}: lowest coverage of what is within reach {100 * lowest:.2f} %,"
            f" threshold {100 * self.target:g} % {verdict}, seed {self.seed}, {self.seconds:.1f} s"
        )
        return "\n".join(lines)


def _lowest_share(style: StyleCoverage) -> float:
    """The share of what is within reach, of the kind of which it is lowest; 0 without bits."""
    shares = {kind: style.reachable_share(kind) for kind in CoverageKind}
    if shares[CoverageKind.TOGGLE] is None:
        return 0.0
    return min(share for share in shares.values() if share is not None)


def _style_lines(style: StyleCoverage) -> list[str]:
    lines = [f"  {style.style}: {style.records} records"]
    lines += [f"    {_kind_line(style, kind)}" for kind in CoverageKind]
    return lines + [f"      {place}" for place in style.uncovered]


def _kind_line(style: StyleCoverage, kind: CoverageKind) -> str:
    if not style.points[kind]:
        return f"{kind.value:7} none in this RTL"
    reachable = style.reachable_share(kind)
    within = f"{100 * reachable:.2f} %" if reachable is not None else "nothing"
    return (
        f"{kind.value:7} {style.covered[kind]} of {style.points[kind]}"
        f" ({100 * style.share(kind):.2f} %), {style.explained(kind)} out of reach:"
        f" {within} of the others"
    )


def ranges(bits: Iterable[int]) -> list[tuple[int, int]]:
    """High and low ends of the runs in a set of bits, the highest first."""
    ordered = sorted(set(bits))
    runs = groupby(enumerate(ordered), key=lambda item: item[1] - item[0])
    found = [[bit for _, bit in run] for _, run in runs]
    return [(run[-1], run[0]) for run in reversed(found)]
