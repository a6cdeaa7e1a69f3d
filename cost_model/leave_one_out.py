"""How well one factor between two lists of figures tells a figure that it was not fitted to."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

__all__ = ["ScaleErrors", "scale_errors"]


@dataclass(frozen=True)
class ScaleErrors:
    """Errors of factor times ours over published, less one, for each figure.

    Attributes
    ----------
    plain : with a factor of 1.
    factor : the geometric mean of published over ours. fitted : with that.
    left_out : each with the factor of all others.
    """

    plain: tuple[float, ...]
    factor: float
    fitted: tuple[float, ...]
    left_out: tuple[float, ...]

    @property
    def medians(self) -> dict[str, float]:
        """Medians of the magnitudes, by the names above."""
        return {name: median(map(abs, getattr(self, name))) for name in _ERRORS}

    def to_dict(self) -> dict:
        """As JSON can hold it."""
        return {**vars(self), "medians": self.medians}


_ERRORS = ("plain", "fitted", "left_out")


def scale_errors(published: Sequence[float], ours: Sequence[float]) -> ScaleErrors:
    """The errors of ``ours`` against ``published``.

    Raises ValueError for fewer than two figures, unequal numbers, or one that is not above 0.
    """
    if len(published) != len(ours) or len(ours) < 2:
        raise ValueError(
            f"published has {len(published)} figures, ours {len(ours)}: two or more, as many of"
            " each, are needed"
        )
    if not all(0 < figure < math.inf for figure in (*published, *ours)):
        raise ValueError(f"published = {published}, ours = {ours}: more than 0 is needed")
    logarithms = [math.log(p / o) for p, o in zip(published, ours, strict=True)]
    total, count = sum(logarithms), len(logarithms)
    return ScaleErrors(
        plain=tuple(math.expm1(-one) for one in logarithms),
        factor=math.exp(total / count),
        fitted=tuple(math.expm1(total / count - one) for one in logarithms),
        left_out=tuple(math.expm1((total - one) / (count - 1) - one) for one in logarithms),
    )
