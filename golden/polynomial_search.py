"""The smallest tables and products that keep a function faithful.

A result is faithful if it is one of the two neighbours of f(x), or f(x) itself: |y - f(x)| < 1 unit
in the last place. Since the result is the floor of v, that bounds v from both sides at every code
of x, and everything that is not exact (the polynomial, its coefficients, the columns left out, the
floor) shares one unit. Coefficients are found by interpolation near Chebyshev nodes, the highest
first, each rounded before the next is fitted to what is left; a_0 is any number between the bounds.
What this finds is tried at every address; no step relies on an estimate of errors.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from itertools import product

import numpy as np

from multipede.golden.faithful_task import FaithfulTask, Problem
from multipede.golden.formats import Integer
from multipede.golden.function_folds import Fold
from multipede.golden.polynomial_design import PolynomialDesign, Region, horner

__all__ = ["MAXIMUM_SEGMENTS", "Segmentation", "design_polynomial", "fewest_segments"]

MAXIMUM_SEGMENTS = 1 << 12
_PLACES = 33
"""of a long segment, that the search looks at before it looks at all"""

_TABLE_BIT, _PRODUCT_BIT = 1.2, 6.3
"""NAND2 equivalents of a multiplexer of a table of constants, and of a bit of a product's row; by
these alone designs are chosen, and no figure is made of them"""

_WORSE = 3
"""lengths of segments in a row that do not help, after which no shorter ones are tried"""


class Segmentation(Enum):
    """How the domain is cut.

    =======  ==============================================================================
    UNIFORM  segments of one length
    POWERS   between powers of two of the address each part is cut into segments of its own
             length
    =======  ==============================================================================
    """

    UNIFORM = "uniform"
    POWERS = "powers"

    def __repr__(self) -> str:
        return f"Segmentation.{self.name}"


@dataclass(frozen=True)
class _Widths:
    """What the search shrinks: bits below the result's last of v, those that a_1, a_2, a_3 have
    more than v's error asks for, and places of zeta that inner products leave out."""

    guard: int
    extra: tuple[int, ...]
    dropped: tuple[int, ...]

    def smaller(self, least_guard: int) -> Iterator["_Widths"]:
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


def design_polynomial(
    task: FaithfulTask,
    *,
    degree: int,
    fold: Fold | None = None,
    segmentation: Segmentation | None = None,
) -> PolynomialDesign:
    """The smallest design of the ways that are left open, by an estimate of its gates.

    Raises ValueError if the function is not finite on its interval, does not fit the result, has
    not the symmetry, or needs more than MAXIMUM_SEGMENTS segments.
    """
    folds = list(Fold) if fold is None else [fold]
    problems = [
        problem for f, adds in product(folds, (False, True)) for problem in task.problems(f, adds)
    ]
    if not problems:
        raise ValueError(f"fold = {fold.value}: {task.function.text!r} has no such symmetry")
    ways = list(Segmentation) if segmentation is None else [segmentation]
    if degree == 0 and segmentation is None:
        ways = [Segmentation.UNIFORM]
    designs = []
    # Whatever uses a symmetry is smaller than what does not; only max(x, 0) costs an addition.
    for problem in sorted(problems, key=lambda p: (p.bits, p.fold is Fold.RELU)):
        if not designs or designs[-1][1].fold is Fold.RELU or problem.adds:
            found = [_smallest(problem, degree, way) for way in _ways(problem, degree, ways)]
            designs += [pair for pair in found if pair is not None]
    if not designs:
        reachable = min(_reachable(problem, degree) for problem in problems)
        raise ValueError(
            f"function = {task.function.text!r}: {MAXIMUM_SEGMENTS} segments of degree {degree} do"
            f" not make it faithful to {task.result}; within them an error of {reachable:.3g}"
            " units in the last place can be reached"
        )
    return min(designs, key=lambda pair: pair[0])[1]


def fewest_segments(task: FaithfulTask, *, degree: int, fold: Fold = Fold.NONE) -> int:
    """The least number of segments of one length that can be faithful, whatever their widths.

    Raises ValueError as :func:`design_polynomial`.
    """
    problems = task.problems(fold, False)
    if not problems:
        raise ValueError(f"fold = {fold.value}: {task.function.text!r} has no such symmetry")
    (problem,) = problems
    for longest in range(problem.bits, -1, -1):
        if _regions(problem, degree, Segmentation.UNIFORM, longest) is not None:
            return 1 << (problem.bits - longest)
    raise ValueError(f"function = {task.function.text!r}: no segments are short enough")


def _ways(problem: Problem, degree: int, ways: list[Segmentation]) -> list[Segmentation]:
    """Those that go with the problem. Segments of one length take a carry, so that an adder in
    front would be in vain, unless there is nothing behind the table for a carry to go into; regions
    between powers of two need the adder."""
    if not problem.fold.mirrors or problem.centred or (degree == 0 and problem.adds):
        return ways
    needed = Segmentation.POWERS if problem.adds else Segmentation.UNIFORM
    return [way for way in ways if way is needed]


def _smallest(
    problem: Problem, degree: int, way: Segmentation
) -> tuple[float, PolynomialDesign] | None:
    """The cheapest design found, and what it costs."""
    best, worse = None, 0
    for longest in range(problem.bits, -1, -1):
        found = None
        regions = _regions(problem, degree, way, longest)
        if regions is not None:
            found = _shrunk(problem, degree, regions)
        if found is not None and (best is None or found[0] < best[0]):
            best, worse = found, 0
        elif best is not None:
            worse += 1
        if worse == _WORSE or (1 << (problem.bits - longest)) >= MAXIMUM_SEGMENTS:
            break
    return best


def _regions(
    problem: Problem, degree: int, way: Segmentation, longest: int
) -> tuple[Region, ...] | None:
    """The domain in segments of at most 2**longest addresses; of regions between powers of two
    each in as long ones as can be. None if that makes too many."""
    widths = _generous(degree, problem.guard)
    if way is Segmentation.UNIFORM:
        regions = (Region(0, problem.bits, longest),)
        feasible = _fit(problem, degree, regions, widths) is not None
        return regions if feasible else None
    regions: list[Region] = []
    for octave in range(problem.bits):
        # The first region is two addresses; what fits one segment joins it.
        first = 1 << octave if octave else 0
        size = max(1, octave)
        joined = Region(0, octave + 1, min(octave + 1, longest))
        if len(regions) <= 1 and joined.segments == 1 and _fits(problem, degree, joined, longest):
            regions = [joined]
            continue
        for length in range(min(size, longest), -1, -1):
            region = Region(first, size, length)
            if _fits(problem, degree, region, longest):
                regions.append(region)
                break
        else:
            return None
        if sum(r.segments for r in regions) > MAXIMUM_SEGMENTS:
            return None
    if len(regions) < 2 or max(r.segment_bits for r in regions) < longest:
        return None
    return tuple(regions)


def _fits(problem: Problem, degree: int, region: Region, longest: int) -> bool:
    widths = _generous(degree, problem.guard)
    return _fit(problem, degree, (region,), widths, longest=longest) is not None


def _generous(degree: int, guard: int) -> _Widths:
    return _Widths(max(5, guard), (2,) * degree, (0,) * degree)


def _shrunk(
    problem: Problem, degree: int, regions: tuple[Region, ...]
) -> tuple[float, PolynomialDesign] | None:
    """The cheapest widths found by taking away a bit where it saves the most."""
    widths = _generous(degree, problem.guard)
    design = _fit(problem, degree, regions, widths)
    if design is None:
        return None
    cost = estimated_size(design)
    while True:
        best = None
        for fewer in widths.smaller(problem.guard):
            candidate = _fit(problem, degree, regions, fewer)
            size = cost if candidate is None else estimated_size(candidate)
            if size < (cost if best is None else best[0]):
                best = size, fewer, candidate
        if best is None:
            return cost, design
        cost, widths, design = best


def estimated_size(design: PolynomialDesign) -> float:
    """NAND2 equivalents, about: bits of tables and bits of the products' rows."""
    total = 0.0
    start = 0
    for region in design.regions:
        for column in design.coefficients:
            total += _TABLE_BIT * _multiplexer_bits(column[start : start + region.segments])
        start += region.segments
    total += (
        2.3
        * (len(design.regions) - 1)
        * sum(Integer.spanning(min(column), max(column)).bits for column in design.coefficients)
    )
    total += 2.0 * sum(region.segment_bits for region in design.regions[1:])
    for (low, high), i in zip(design.ranges, range(design.degree - 1, -1, -1), strict=True):
        width, cut = Integer.spanning(low, high).bits, design.cuts[i]
        rows = range(design.segment_bits - design.dropped[i])
        bits = sum(max(0, width - max(0, cut - place)) for place in rows)
        bits += max(0, width - cut) * (i == 0 and design.carries)
        total += bits * _PRODUCT_BIT
    total += 3.0 * design.bits * design.adds
    return total + (design.fold.mirrors + design.fold.periodic) * 2.0 * design.bits


def _multiplexer_bits(column: tuple[int, ...]) -> int:
    """Bits of multiplexers that choose between different halves, each counted once; of constants
    the choice is free."""
    width, total, leaf = Integer.spanning(min(column), max(column)).bits, 0, True
    numbers = np.unique(np.array(column, np.int64), return_inverse=True)[1]
    while len(numbers) > 1:
        count = len(numbers)
        pairs, numbers = np.unique(numbers[::2] * count + numbers[1::2], return_inverse=True)
        if not leaf:
            total += width * int((pairs // count != pairs % count).sum())
        leaf = False
    return total


def _fit(
    problem: Problem,
    degree: int,
    regions: tuple[Region, ...],
    widths: _Widths,
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
    problem: Problem, degree: int, widths: _Widths, cuts: tuple[int, ...], longest: int
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


def _lowest_places(degree: int, widths: _Widths, longest: int) -> list[int] | None:
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


def _reachable(problem: Problem, degree: int) -> float:
    """The largest error, in units in the last place, with as many segments as there may be."""
    bits = max(0, problem.bits - (MAXIMUM_SEGMENTS.bit_length() - 1))
    widths = _generous(degree, problem.guard)
    places = _lowest_places(degree, widths, bits)
    cuts = tuple(places[i + 1] - places[i] for i in range(degree))
    length = 1 << bits
    starts = np.arange(0, problem.addresses, length)
    points = _Points(problem, starts, np.arange(length), Region(0, bits, bits), bits)
    shape = _without_coefficients(problem, degree, widths, cuts, bits)
    fitted = _fitted(problem, degree, points, places) if degree else []
    low, high = points.bounds(fitted, shape)
    # The bounds leave a unit on each side; what they lack is shared by both.
    return 1 + float((low - high).max()) / 2 / 2.0**widths.guard
