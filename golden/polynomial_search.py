"""The smallest tables and products that keep a function faithful.

A result is faithful if it is one of the two neighbours of f(x), or f(x) itself: |y - f(x)| < 1 unit
in the last place. Since the result is the floor of v, that bounds v from both sides at every code
of x, and everything that is not exact (the polynomial, its coefficients, the columns left out, the
floor) shares one unit. Segments and widths are those that an estimate of gates says are smallest.
"""

from enum import Enum
from itertools import product

from multipede.golden.faithful_task import FaithfulTask, Problem
from multipede.golden.function_folds import Fold
from multipede.golden.polynomial_design import PolynomialDesign, Region
from multipede.golden.polynomial_fit import Widths, fit, least_error
from multipede.golden.polynomial_size import estimated_size

__all__ = ["MAXIMUM_SEGMENTS", "Segmentation", "design_polynomial", "fewest_segments"]

MAXIMUM_SEGMENTS = 1 << 12

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
        reachable = min(least_error(problem, degree, _shortest(problem)) for problem in problems)
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
        if worse == _WORSE or longest == _shortest(problem):
            break
    return best


def _shortest(problem: Problem) -> int:
    """Bits of an address in the shortest segments that may be tried."""
    return max(0, problem.bits - (MAXIMUM_SEGMENTS.bit_length() - 1))


def _regions(
    problem: Problem, degree: int, way: Segmentation, longest: int
) -> tuple[Region, ...] | None:
    """The domain in segments of at most 2**longest addresses; of regions between powers of two
    each in as long ones as can be. None if that makes too many."""
    widths = Widths.generous(degree, problem.guard)
    if way is Segmentation.UNIFORM:
        regions = (Region(0, problem.bits, longest),)
        feasible = fit(problem, degree, regions, widths) is not None
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
    widths = Widths.generous(degree, problem.guard)
    return fit(problem, degree, (region,), widths, longest=longest) is not None


def _shrunk(
    problem: Problem, degree: int, regions: tuple[Region, ...]
) -> tuple[float, PolynomialDesign] | None:
    """The cheapest widths found by taking away a bit where it saves the most."""
    widths = Widths.generous(degree, problem.guard)
    design = fit(problem, degree, regions, widths)
    if design is None:
        return None
    cost = estimated_size(design)
    while True:
        best = None
        for fewer in widths.smaller(problem.guard):
            candidate = fit(problem, degree, regions, fewer)
            size = cost if candidate is None else estimated_size(candidate)
            if size < (cost if best is None else best[0]):
                best = size, fewer, candidate
        if best is None:
            return cost, design
        cost, widths, design = best
