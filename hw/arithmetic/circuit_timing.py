"""How long the logic between two register ranks of a circuit takes, bit by bit.

An estimate to choose between plans: carries ripple from column to column while the bits above them
are still on their way, which whole words' delays do not tell. In units of an exclusive or.
"""

import math
from collections.abc import Callable, Sequence

from multipede.hw.arithmetic.cell_plan import Bit as PlanBit
from multipede.hw.arithmetic.cell_plan import CellPlan
from multipede.hw.arithmetic.circuit import Operator, Word
from multipede.hw.arithmetic.circuit_plan import CircuitPlan, Placed

__all__ = ["rank_delays"]

_GATE = {
    Operator.AND: 0.6,
    Operator.OR: 0.6,
    Operator.EXCLUSIVE_OR: 1.0,
    Operator.MULTIPLEXER: 1.0,
}
_ADDER = 1.9
"""of a full adder, from its slow pins to its sum"""
_CARRY = 1.0
"""of a full adder, from carry to carry"""


def rank_delays(plan: CircuitPlan) -> list[float]:
    """Of a circuit in single adders, the longest path that ends in front of each rank."""
    longest = [0.0] * (max(1, plan.ranks))
    # Per node when its bits are there, and the rank behind which they are.
    times: dict[int, dict[int, float]] = {-1: {0: 0.0}}
    leaves = {-1: 0}

    def there(word: Word, rank: int) -> list[float]:
        """When the bits of a word are there in the logic behind ``rank``."""
        return [0.0 if leaves[node] < rank else times[node][index] for node, index, _ in word]

    for number, placed in plan.placed.items():
        node, operands, rank = placed.node, plan.operands(number), placed.leaves
        if isinstance(placed.sum, CellPlan):
            found = _sum_times(placed, placed.sum, operands, there, longest)
        elif node.operator is Operator.INPUT:
            found = [0.0] * len(placed.live)
        elif node.operator in (Operator.ANY, Operator.ALL):
            latest = max(there(operands[0], rank), default=0.0)
            found = [latest + 0.6 * math.log2(max(2, len(operands[0])))]
        else:
            arrivals = [there(word, rank) for word in operands]
            if node.operator is Operator.MULTIPLEXER:
                arrivals[0] *= len(arrivals[1])  # the select goes to all bits
            gate = _GATE[node.operator]
            found = [time + gate for time in map(max, *arrivals)]
        times[number], leaves[number] = dict(zip(placed.live, found, strict=True)), rank
        if found and placed.leaves < len(longest):
            longest[placed.leaves] = max(longest[placed.leaves], *found)
    return longest


def _sum_times(
    placed: Placed,
    plan: CellPlan,
    operands: Sequence[Word],
    there: Callable[[Word, int], list[float]],
    longest: list[float],
) -> list[float]:
    """When each bit of a sum is there; what ends at its inner ranks goes to ``longest``."""
    heap, arrival = plan.heap, {}
    words = dict(zip(heap.operands, operands, strict=True))
    for index, row in enumerate(heap.rows):
        rank = placed.leaves if row.late else placed.enters
        times = there(words[row.operand][: heap.row_bits(row)], rank)
        if row.gate is not None:
            gate = row.gate.index
            (opened,) = there(words[row.gate.operand][gate : gate + 1], rank)
            times = [max(time, opened) + _GATE[Operator.AND] for time in times]
        for bit, time in enumerate(times):
            arrival[f"row{index}", bit] = time

    def arrivals(bits: Sequence[PlanBit], rank: int) -> list[float]:
        return [arrival[bit] if plan.rank_of[bit[0]] == rank else 0.0 for bit in bits]

    for adder in plan.adders:
        ordered = sorted(arrivals(adder.inputs, adder.rank))
        slow = ordered[-2] + _ADDER if len(ordered) > 1 else 0.0
        time = max(slow, ordered[-1] + _CARRY)
        arrival[adder.sum] = arrival[adder.carry] = time
        rank = placed.enters + adder.rank
        longest[rank] = max(longest[rank], time)
    found, carry, carried = [], 0.0, False
    for column, bits in enumerate(plan.final):
        latest = max(arrivals(bits, plan.ranks), default=0.0)
        adds = len(bits) + carried + (plan.final_constant >> column & 1) > 1
        found.append(max(latest + _ADDER, carry + _CARRY) if adds else max(latest, carry))
        carry, carried = max(latest + _CARRY, carry + _CARRY) if adds else 0.0, adds
    return found
