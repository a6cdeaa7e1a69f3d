"""Coefficients that keep a polynomial within bounds at every code.

They are found by interpolation near Chebyshev nodes, the highest first, each rounded before the
next is fitted to what is left; a_0 is any number between the bounds. What this finds is tried at
every address; no step relies on an estimate of errors.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from multipede.golden.faithful_task import Problem
from multipede.golden.polynomial_design import PolynomialDesign, Region, horner

__all__ = ["Widths", "fit", "least_error"]

_PLACES = 33
"""of a long segment, that the search looks at before it looks at all"""


@dataclass(frozen=True)
class Widths:
    """What the search shrinks: bits below the result's last of v, those that a_1, a_2, a_3 have
    more than v's error asks for, and places of zeta that inner products leave out."""

    guard: int
    extra: tuple[int, ...]
    dropped: tuple[int, ...]

    @classmethod
    def generous(cls, degree: int, guard: int) -> Self:
        """Widths at which only the segments' number matters."""
        return cls(max(5, guard), (2,) * degree, (0,) * degree)

    def smaller(self, least_guard: int) -> Iterator[Self]:
        """All that are a step smaller."""
        if self.guard > least_guard:
            yield replace(self, guard=self.guard - 1)
        for i in range(len(self.extra)):
            if self.extra[i] > -3:
                yield replace(self, extra=_with(self.extra, i, self.extra[i] - 1))
        for i in range(1, len(self.dropped)):
            yield replace(self, dropped=_with(self.dropped, i, self.dropped[i] + 1))


def _with(values: tuple[int, ...], index: int, value: int) -> tuple[int, ...]:
    return (*values[:index], value, *values[index + 1 :])


def fit(
    problem: Problem,
    degree: int,
    regions: tuple[Region, ...],
    widths: Widths,
    *,
    longest: int | None = None,
) -> PolynomialDesign | None:
    """The design with these widths; None if no coefficients keep v within its bounds.

    Of long segments the search sees a few places, then those too where it was wrong.
    """
    if longest is None:
        longest = max(region.segment_bits for region in regions)
    places = _lowest_places(degree, widths, longest)
    if places is None:
        return None
    cuts = tuple(places[i + 1] - (widths.dropped[i] if i else 0) - places[i] for i in range(degree))
    if any(cut < 0 for cut in cuts):
        return None
    columns: list[list[int]] = [[] for _ in range(degree + 1)]
    shape = _without_coefficients(problem, degree, widths, cuts, longest)
    for region in regions:
        found = _fit_region(problem, degree, region, shape, places)
        if found is None:
            return None
        for column, part in zip(columns, found, strict=True):
            column.extend(part.tolist())
    return replace(shape, regions=regions, coefficients=tuple(map(tuple, columns)))


def _without_coefficients(
    problem: Problem, degree: int, widths: Widths, cuts: tuple[int, ...], longest: int
) -> PolynomialDesign:
    """What of a design decides how points of segments of 2**longest addresses are evaluated."""
    return PolynomialDesign(
        problem.fold,
        problem.adds,
        problem.centred,
        problem.bits,
        problem.signed,
        widths.guard,
        (Region(0, 0, longest),),
        cuts,
        widths.dropped,
        ((),) * (degree + 1),
    )


def _lowest_places(degree: int, widths: Widths, longest: int) -> list[int] | None:
    """Of v, a_1, a_2, ... the binary places of the last bit, in units of the result's last and of
    steps of zeta."""
    found = [widths.guard]
    for i in range(1, degree + 1):
        if i < degree and widths.dropped[i] > longest:
            return None
        found.append(widths.guard + i * max(0, longest - 1) + widths.extra[i - 1])
    return found


def _fit_region(
    problem: Problem, degree: int, region: Region, shape: PolynomialDesign, places: list[int]
) -> list[np.ndarray] | None:
    """a_0, a_1, ... of the region's segments; None if there are none."""
    length = 1 << region.segment_bits
    starts = region.first + (np.arange(region.segments) << region.segment_bits)
    seen = np.arange(length)
    if length > _PLACES:
        seen = np.unique(np.round(np.linspace(0, length - 1, _PLACES)).astype(np.int64))
    while True:
        points = _Points(problem, starts, seen, region, shape.segment_bits)
        coefficients = _coefficients(problem, degree, points, shape, places)
        if coefficients is None or len(seen) == length:
            return coefficients
        everything = _Points(problem, starts, np.arange(length), region, shape.segment_bits)
        low, high = everything.bounds(coefficients[1:], shape)
        if (low <= high).all():
            return [(low + high) // 2, *coefficients[1:]]
        # The places at which the worst segments failed are looked at from now on.
        wrong = everything.tightest(coefficients[1:], shape, np.argmax(low - high))
        more = np.union1d(seen, wrong)
        if len(more) == len(seen):
            return None
        seen = more


class _Points:
    """Places of segments at which v is bounded: arrays of (segments, places * carries)."""

    def __init__(
        self,
        problem: Problem,
        starts: np.ndarray,
        seen: np.ndarray,
        region: Region,
        longest: int,
    ):
        carries = problem.lower.shape[1]
        self.starts = starts
        self.length = 1 << region.segment_bits
        self._longest = longest
        address = starts[:, None] + np.repeat(seen, carries)[None]
        self.carry = np.tile(np.arange(carries), len(seen))[None]
        self.zeta = self.zeta_of(np.repeat(seen, carries))[None]
        self._seen = np.repeat(seen, carries)
        self.lower = problem.lower[address, self.carry]
        self.upper = problem.upper[address, self.carry]

    def zeta_of(self, places: np.ndarray) -> np.ndarray:
        """zeta of places in the segment; also of the place behind its end."""
        longest = 1 << self._longest
        return places * (longest // self.length) - (longest >> 1)

    def without_constant(
        self, coefficients: list[np.ndarray], shape: PolynomialDesign
    ) -> np.ndarray:
        """v with a_0 = 0."""
        zeros = np.zeros((len(self.starts), 1), np.int64)
        columns = [zeros, *(column[:, None] for column in coefficients)]
        return horner(columns, self.zeta, self.carry, shape)[-1]

    def bounds(
        self, coefficients: list[np.ndarray], shape: PolynomialDesign
    ) -> tuple[np.ndarray, np.ndarray]:
        """The lowest and the highest a_0 of each segment that keep v within its bounds."""
        least, most = self._needed(coefficients, shape)
        return _integers(least.max(axis=1)), _integers(most.min(axis=1))

    def tightest(
        self, coefficients: list[np.ndarray], shape: PolynomialDesign, segment: int
    ) -> np.ndarray:
        """The places of a segment that bound a_0 the most from below and from above."""
        least, most = self._needed(coefficients, shape)
        return self._seen[[int(least[segment].argmax()), int(most[segment].argmin())]]

    def _needed(self, coefficients, shape) -> tuple[np.ndarray, np.ndarray]:
        d, scale = self.without_constant(coefficients, shape), 2.0**shape.guard
        return np.ceil(self.lower * scale) - d, np.ceil(self.upper * scale) - 1 - d


def _integers(values: np.ndarray) -> np.ndarray:
    """As int64; where nothing bounds them, 0 or what is beyond all bounds."""
    return np.clip(values, -(2.0**60), 2.0**60).astype(np.int64)


def _coefficients(
    problem: Problem, degree: int, points: _Points, shape: PolynomialDesign, places: list[int]
) -> list[np.ndarray] | None:
    """a_0, ..., a_d for the points' bounds; None if there are none.

    With a_1 a unit or two beside the fitted one the columns left out may do less harm, so that
    the best of a few is taken.
    """
    if degree == 0:
        low, high = points.bounds([], shape)
        return [(low + high) // 2] if (low <= high).all() else None
    fitted = _fitted(problem, degree, points, places)
    best: list[np.ndarray] | None = None
    room = None
    for step in (0, 1, -1, 2):
        trial = [fitted[0] + step, *fitted[1:]]
        low, high = points.bounds(trial, shape)
        columns = [(low + high) // 2, *trial]
        if best is None:
            best, room = columns, high - low
        else:
            better = high - low > room
            best = [np.where(better, new, old) for new, old in zip(columns, best, strict=True)]
            room = np.maximum(room, high - low)
        if (room >= 0).all():
            return best
    return None


def _fitted(problem: Problem, degree: int, points: _Points, places: list[int]) -> list[np.ndarray]:
    """a_1, ..., a_d, rounded: each interpolates what those above it leave."""
    reach = points.length if problem.lower.shape[1] > 1 else max(1, points.length - 1)
    found: list[np.ndarray] = []
    for i in range(degree, 0, -1):
        nodes = _nodes(i, reach)
        if len(nodes) <= i:
            found.insert(0, np.zeros(len(points.starts), np.int64))
            continue
        zeta = points.zeta_of(np.array(nodes)).astype(np.float64).tolist()
        rest = [problem.centre[points.starts + node] for node in nodes]
        for j, column in enumerate(found, start=i + 1):
            known = column / 2.0 ** places[j]
            rest = [value - known * z**j for value, z in zip(rest, zeta, strict=True)]
        leading = _divided_difference(zeta, rest)
        found.insert(0, np.rint(leading * 2.0 ** places[i]).astype(np.int64))
    return found


def _nodes(degree: int, reach: int) -> list[int]:
    """Places from 0 to ``reach`` near the Chebyshev nodes for a polynomial of this degree."""
    angles = (2 * np.arange(degree + 1) + 1) / (2 * degree + 2)
    nodes = (1 - np.cos(np.pi * angles)) / 2 * reach
    return sorted(set(np.rint(nodes).astype(np.int64).tolist()))


def _divided_difference(places: list[float], values: list[np.ndarray]) -> np.ndarray:
    """Newton's, of all the values."""
    table = list(values)
    for order in range(1, len(places)):
        table = [
            (table[i + 1] - table[i]) / (places[i + order] - places[i])
            for i in range(len(table) - 1)
        ]
    return table[0]


def least_error(problem: Problem, degree: int, longest: int) -> float:
    """The largest error, in units in the last place, with segments of 2**longest addresses."""
    widths = Widths.generous(degree, problem.guard)
    places = _lowest_places(degree, widths, longest)
    cuts = tuple(places[i + 1] - places[i] for i in range(degree))
    length = 1 << longest
    starts = np.arange(0, problem.addresses, length)
    region = Region(0, longest, longest)
    points = _Points(problem, starts, np.arange(length), region, longest)
    shape = _without_coefficients(problem, degree, widths, cuts, longest)
    fitted = _fitted(problem, degree, points, places) if degree else []
    low, high = points.bounds(fitted, shape)
    # The bounds leave a unit on each side; what they lack is shared by both.
    return 1 + float((low - high).max()) / 2 / 2.0**widths.guard
