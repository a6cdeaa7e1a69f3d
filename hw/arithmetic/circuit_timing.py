"""How long the logic between two register ranks of a circuit takes, bit by bit.

An estimate to choose between plans: carries ripple from column to column while the bits above them
are still on their way, which whole words' delays do not tell. In units of an exclusive or.
"""

import math

from multipede.hw.arithmetic.cell_plan import Bit as PlanBit
from multipede.hw.arithmetic.cell_plan import CellPlan
from multipede.hw.arithmetic.circuit import Bit, Operator
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
    times: dict[Bit, float] = {}

    def at(bit: Bit, rank: int) -> float:
        """When a bit is there in the logic behind ``rank``."""
        if bit.node < 0 or plan.placed[bit.node].leaves < rank:
            return 0.0
        return times[bit._replace(inverted=False)]

    for number, placed in plan.placed.items():
        node, operands = placed.node, plan.operands(number)
        if isinstance(placed.sum, CellPlan):
            found = _sum_times(placed, placed.sum, operands, at, longest)
        elif node.operator is Operator.INPUT:
            found = [0.0] * len(placed.live)
        elif node.operator in (Operator.ANY, Operator.ALL):
            latest = max((at(bit, placed.leaves) for bit in operands[0]), default=0.0)
            found = [latest + 0.6 * math.log2(max(2, len(operands[0])))]
        else:
            select = node.operator is Operator.MULTIPLEXER
            first = at(operands[0][0], placed.leaves) if select else 0.0
            found = [
                max(first, *(at(bit, placed.leaves) for bit in bits)) + _GATE[node.operator]
                for bits in zip(*operands[select:], strict=True)
            ]
        times |= {Bit(number, i): time for i, time in zip(placed.live, found, strict=True)}
        if found and placed.leaves < len(longest):
            longest[placed.leaves] = max(longest[placed.leaves], *found)
    return longest


def _sum_times(placed: Placed, plan: CellPlan, operands, at, longest: list[float]) -> list[float]:
    """When each bit of a sum is there; what ends at its inner ranks goes to ``longest``."""
    heap, arrival = plan.heap, {}
    words = dict(zip(heap.operands, operands, strict=True))
    for index, row in enumerate(heap.rows):
        rank = placed.leaves if row.late else placed.enters
        gate = 0.0
        if row.gate is not None:
            gate = at(words[row.gate.operand][row.gate.index], rank)
        for bit in range(heap.row_bits(row)):
            time = max(at(words[row.operand][bit], rank), gate)
            arrival[PlanBit(f"row{index}", bit)] = time + (0.6 if row.gate is not None else 0.0)

    def there(bit: PlanBit, rank: int) -> float:
        return arrival[bit] if plan.rank_of[bit.word] == rank else 0.0

    for adder in plan.adders:
        ordered = sorted(there(bit, adder.rank) for bit in adder.inputs)
        slow = ordered[-2] + _ADDER if len(ordered) > 1 else 0.0
        time = max(slow, ordered[-1] + _CARRY)
        arrival[adder.sum] = arrival[adder.carry] = time
        rank = placed.enters + adder.rank
        longest[rank] = max(longest[rank], time)
    found, carry, carried = [], 0.0, False
    for column, bits in enumerate(plan.final):
        latest = max((there(bit, plan.ranks) for bit in bits), default=0.0)
        adds = len(bits) + carried + (plan.final_constant >> column & 1) > 1
        found.append(max(latest + _ADDER, carry + _CARRY) if adds else max(latest, carry))
        carry, carried = max(latest + _CARRY, carry + _CARRY) if adds else 0.0, adds
    return found
