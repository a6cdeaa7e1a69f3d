"""Two files of results beside each other: what changed of the same points."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from multipede.cost_model.sweeps.question import Answer

__all__ = ["Change", "Changes", "changes"]


@dataclass(frozen=True)
class Change:
    """A figure of a point, before and after.

    Attributes
    ----------
    spec : the point as text. target, quantity, unit : of the figure. before, after : its values.
    """

    spec: str
    target: str
    quantity: str
    unit: str
    before: float
    after: float

    @property
    def ratio(self) -> float:
        """After over before; infinite where there was nothing."""
        return self.after / self.before if self.before else math.inf


@dataclass(frozen=True)
class Changes:
    """What changed.

    Attributes
    ----------
    compared : figures that both have. larger, smaller : those that changed by more than asked for,
        the most first.
    failing, mended : points that fail only after, or only before, as text. gone : figures that
        points have only before, though they do not fail.
    only_before, only_after : points that the other has not, as text.
    """

    compared: int
    larger: tuple[Change, ...]
    smaller: tuple[Change, ...]
    failing: tuple[str, ...]
    mended: tuple[str, ...]
    gone: tuple[str, ...]
    only_before: tuple[str, ...]
    only_after: tuple[str, ...]

    @property
    def worse(self) -> bool:
        """Whether something is larger, fails or is missing that did not or was not."""
        return bool(self.larger or self.failing or self.gone or self.only_before)

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        found = dict(vars(self))
        for name in ("larger", "smaller"):
            found[name] = [vars(change) | {"ratio": change.ratio} for change in found[name]]
        return found

    def __str__(self) -> str:
        lines = [
            f"{self.compared:,} figures compared: {len(self.larger):,} larger,"
            f" {len(self.smaller):,} smaller; only before {len(self.only_before):,} answers, only"
            f" after {len(self.only_after):,}"
        ]
        for name in ("larger", "smaller"):
            for change in getattr(self, name):
                lines.append(
                    f"  {change.ratio:8.3f}  {change.target} {change.quantity}"
                    f" {change.before:,.6g} to {change.after:,.6g} {change.unit}  {change.spec}"
                )
        lines += [f"  fails now: {point}" for point in self.failing]
        lines += [f"  fails no more: {point}" for point in self.mended]
        lines += [f"  is not told any more: {figure}" for figure in self.gone]
        lines += [f"  is missing: {point}" for point in self.only_before]
        return "\n".join(lines)


def changes(
    before: Iterable[Answer], after: Iterable[Answer], *, tolerance: float = 0.01
) -> Changes:
    """Compare answers to the same question about the same point, whatever code made them.

    Parameters
    ----------
    before, after : answers; of several to one question, made by different code, the last counts.
    tolerance : relative change up to which a figure counts as unchanged, 0 or more.

    Raises
    ------
    ValueError
        For a tolerance below 0.
    """
    if not tolerance >= 0:
        raise ValueError(f"tolerance = {tolerance}: 0 or more is needed")
    first, second = ({_question(one): one for one in answers} for answers in (before, after))
    compared, changed = 0, []
    failing, mended, gone = [], [], []
    for question in first.keys() & second.keys():
        old, new = first[question], second[question]
        text = _text(old)
        if new.error and not old.error:
            failing.append(f"{text}: {new.error}")
        elif old.error and not new.error:
            mended.append(text)
        there = {cost.quantity: cost for cost in new.costs}
        for cost in old.costs:
            other = there.get(cost.quantity)
            if other is None:
                if not new.error:
                    gone.append(f"{text}: {cost.quantity}")
                continue
            compared += 1
            if abs(other.value - cost.value) > tolerance * cost.value:
                what = (cost.target, cost.quantity, cost.unit, cost.value, other.value)
                changed.append(Change(old.point, *what))
    changed.sort(key=lambda change: change.ratio)
    return Changes(
        compared=compared,
        larger=tuple(c for c in reversed(changed) if c.after > c.before),
        smaller=tuple(c for c in changed if c.after < c.before),
        failing=tuple(sorted(failing)),
        mended=tuple(sorted(mended)),
        gone=tuple(sorted(gone)),
        only_before=tuple(sorted(_text(first[one]) for one in first.keys() - second.keys())),
        only_after=tuple(sorted(_text(second[one]) for one in second.keys() - first.keys())),
    )


def _text(answer: Answer) -> str:
    return f"{answer.point} on {answer.target}"


def _question(answer: Answer) -> tuple[str, str, str]:
    return answer.fingerprint, answer.target, answer.asked
