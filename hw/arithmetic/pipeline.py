"""Register ranks where they leave the shortest clock: a circuit is cut in several ways, and the
delays between the ranks are estimated bit by bit."""

from collections.abc import Iterator

from multipede.hw.arithmetic.circuit import Circuit
from multipede.hw.arithmetic.circuit_plan import CircuitPlan
from multipede.hw.arithmetic.circuit_timing import rank_delays
from multipede.hw.style import Style

__all__ = ["balanced_plan"]

_SKEWS = (0.7, 0.85, 1.0, 1.2, 1.4)
_SHORTEST_PIECE = 5
_PIECES = 3
"""sizes of pieces that are tried besides whole sums"""
_AS_GOOD = 1.05
"""by how much a clock may be longer if that saves registers"""


def balanced_plan(circuit: Circuit, *, ranks: int) -> CircuitPlan:
    """The circuit in style CELLS, cut by ``ranks`` ranks so that the longest path between two is
    shortest; of those within 5 % of that the one with the fewest registers."""
    tried = [(max(rank_delays(plan)), plan) for plan in _plans(circuit, ranks)]
    bound = _AS_GOOD * min(delay for delay, _ in tried)
    good = [
        (plan.inventory()["register"], delay, n)
        for n, (delay, plan) in enumerate(tried)
        if delay <= bound
    ]
    return tried[min(good)[2]][1]


def _plans(circuit: Circuit, ranks: int) -> Iterator[CircuitPlan]:
    whole = CircuitPlan(circuit, Style.CELLS, ranks=ranks)
    sizes = {None} | {
        size
        for parts in range(2, 2 + _PIECES)
        if (size := -(-whole.longest_sum // parts)) >= _SHORTEST_PIECE
    }
    for size in sorted(sizes, key=lambda size: size or 0):
        for skew in _SKEWS:
            yield CircuitPlan(circuit, Style.CELLS, ranks=ranks, piece=size, skew=skew)
