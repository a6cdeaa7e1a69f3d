"""How a circuit is built: which operators are needed, and what the register ranks cut.

Delays are estimated in units of a simple gate. The ranks cut the longest path into equal parts,
one rank being the outputs' own; each operator is placed where its result is due. A sum that spans
a cut has register ranks inside its bit heap.
"""

import math
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from multipede.hw.arithmetic.cell_plan import CellPlan
from multipede.hw.arithmetic.circuit import Bit, Circuit, Node, Operator, Word
from multipede.hw.arithmetic.divided_sums import divided_sums
from multipede.hw.arithmetic.summation import plan as plan_sum
from multipede.hw.arithmetic.word_plan import WordPlan
from multipede.hw.style import Style

__all__ = ["CircuitPlan", "Placed"]

_DELAYS = {Operator.INPUT: 0, Operator.EXCLUSIVE_OR: 2, Operator.MULTIPLEXER: 2}
_LIMB = 32
_LATE = 4  # how long before its end a sum takes its late rows
_BITWISE = (Operator.AND, Operator.OR, Operator.EXCLUSIVE_OR, Operator.MULTIPLEXER)


@dataclass(frozen=True)
class Placed:
    """A node that is needed: the bits of it that are, and the ranks it lies in.

    It takes its operands behind rank ``enters`` (0 is in front of all) and has its result behind
    rank ``leaves``; the two differ for sums with ranks inside, of which ``sum`` is the plan.
    """

    node: Node
    live: tuple[int, ...]
    enters: int
    leaves: int
    sum: CellPlan | WordPlan | None = None

    def taken(self, position: int) -> int:
        """The rank behind which operand ``position`` is taken."""
        return self.leaves if _is_late(self.node, position) else self.enters


class CircuitPlan:
    """A circuit in a style, cut by ``ranks`` register ranks of which the last is the outputs'.

    Sums of more than ``piece`` columns are divided (:mod:`.divided_sums`), so that a rank can cut
    their carries; ``skew`` moves all ranks nearer to the inputs (above 1) or to the outputs.
    """

    def __init__(
        self,
        circuit: Circuit,
        style: Style,
        *,
        ranks: int,
        piece: int | None = None,
        skew: float = 1.0,
    ):
        self.style = style
        self.ranks = ranks
        self._divided = piece is not None
        self._follow(circuit if piece is None else divided_sums(circuit, piece))
        self._cut(skew)

    def _follow(self, circuit: Circuit) -> None:
        """Find what of the circuit is needed, and when it is there."""
        self.circuit = circuit
        self._live = _live(circuit)
        # Per node that is needed its operands, as far as they are.
        self._operands = {
            number: _needed(circuit.nodes[number], bits) for number, bits in self._live.items()
        }
        # The nodes that these come from, and those of them that are not only of late rows.
        self._sources = {number: _nodes(words) for number, words in self._operands.items()}
        self._early = {
            number: _nodes(_early(circuit.nodes[number], words))
            for number, words in self._operands.items()
        }
        self._arrival: dict[int, float] = {}
        for number in sorted(self._live):
            node = circuit.nodes[number]
            self._arrival[number] = self._start(number) + _delay(node, self.style)
        self._longest = max(self._arrival.values(), default=0)

    def _cut(self, skew: float) -> None:
        """Lay the ranks."""
        ranks, longest, live = self.ranks, self._longest, self._live
        inside = max(0, ranks - 1)
        self._cuts = [longest * ((index + 1) / (inside + 1)) ** skew for index in range(inside)]
        self.placed: dict[int, Placed] = {}
        for number in sorted(live):
            self.placed[number] = self._place(number, live[number])

    def _place(self, number: int, live: set[int]) -> Placed:
        node = self.circuit.nodes[number]
        ready = self._ready(self._sources[number])
        leaves = max(ready, self._rank(self._arrival[number]))
        if node.heap is None:
            return Placed(node, tuple(sorted(live)), leaves, leaves)
        ready = self._ready(self._early[number])
        enters = min(leaves, max(ready, self._rank(self._start(number))))
        sum_ = plan_sum(node.heap, self.style, ranks=leaves - enters)
        return Placed(node, tuple(range(node.width)), enters, leaves, sum_)

    def _ready(self, nodes: Iterable[int]) -> int:
        """The rank behind which the last of some nodes has its result."""
        return max([self.placed[number].leaves for number in nodes], default=0)

    def _rank(self, time: float) -> int:
        return bisect_left(self._cuts, time)

    def _start(self, number: int) -> float:
        """When a node can begin: late rows of a sum join it at its end."""
        arrival = self._arrival
        early = max([arrival[n] for n in self._early[number]], default=0)
        if self._sources[number] == self._early[number]:
            return early
        late = max(arrival[n] for n in self._sources[number])
        return max(early, late - (_tree(self.circuit.nodes[number]) if self._divided else _LATE))

    def operands(self, number: int) -> list[Word]:
        """The operands of a node, as far as its live bits depend on them."""
        return self._operands[number]

    @property
    def longest_sum(self) -> int:
        """The most columns of a sum."""
        return max((p.node.width for p in self.placed.values() if p.sum is not None), default=0)

    @cached_property
    def registers(self) -> dict[tuple[int, int], list[int]]:
        """(node, rank crossed) -> the bits of the node that a register holds behind that rank.

        Registers inside of sums are not among them.
        """
        crossing: dict[tuple[int, int], set[int]] = {}
        leaves = {number: placed.leaves for number, placed in self.placed.items()}
        for word, rank in self._uses():
            for node, index, _ in word:
                for crossed in range(leaves.get(node, rank), rank):
                    crossing.setdefault((node, crossed + 1), set()).add(index)
        return {key: sorted(bits) for key, bits in sorted(crossing.items())}

    def _uses(self):
        """Every word that is used, with the rank behind which it is."""
        for number, placed in self.placed.items():
            for position, word in enumerate(self._operands[number]):
                yield word, placed.taken(position)
        for word in self.circuit.outputs.values():
            yield word, self.ranks

    def inventory(self) -> Counter:
        """Operators by kind, in bits; a reduction of n bits counts n - 1."""
        count: Counter = Counter()
        for placed in self.placed.values():
            operator = placed.node.operator
            if placed.sum is not None:
                count += placed.sum.inventory()
            elif operator in (Operator.ANY, Operator.ALL):
                count[operator.value] += len(placed.node.inputs[0]) - 1
            elif operator is not Operator.INPUT:
                count[operator.value] += len(placed.live)
        count["register"] += sum(map(len, self.registers.values()))
        return +count

    def evaluate(self, **inputs: np.ndarray) -> dict[str, np.ndarray]:
        """The outputs as unsigned integers (object arrays), through this plan's operators."""
        bits: dict[Bit, np.ndarray] = {}
        for number, placed in self.placed.items():
            node = placed.node
            if node.operator is Operator.INPUT:
                result = _parted(np.asarray(inputs[node.name]).astype(object), placed.live)
            else:
                operands = [[_value(b, bits) for b in word] for word in self._operands[number]]
                result = _evaluated(node, operands)
            bits |= {Bit(number, i): bit for i, bit in zip(placed.live, result, strict=True)}
        return {
            name: _joined([_value(bit, bits) for bit in word])
            for name, word in self.circuit.outputs.items()
        }


def _live(circuit: Circuit) -> dict[int, set[int]]:
    """The bits of each node that the outputs depend on."""
    live: defaultdict[int, set[int]] = defaultdict(set)

    def use(words: Iterable[Word]) -> None:
        for word in words:
            for node, index, _ in word:
                if node >= 0:
                    live[node].add(index)

    use(circuit.outputs.values())
    for number in range(len(circuit.nodes) - 1, -1, -1):
        if number in live:
            use(_needed(circuit.nodes[number], live[number]))
    return dict(live)


def _needed(node: Node, live: set[int]) -> list[Word]:
    """The operands, those of bitwise operators only as far as ``live`` bits come of them."""
    if node.operator not in _BITWISE or len(live) == node.width:
        return list(node.inputs)
    bits = sorted(live)
    select = node.operator is Operator.MULTIPLEXER
    words = [tuple(word[index] for index in bits) for word in node.inputs[select:]]
    return [node.inputs[0], *words] if select else words


def _nodes(words: Iterable[Word]) -> set[int]:
    """The nodes that words come from."""
    return {node for word in words for node, _, _ in word if node >= 0}


def _early(node: Node, words: Sequence[Word]) -> Sequence[Word]:
    """The operands that are not those of late rows."""
    if node.heap is None:
        return words
    return [word for position, word in enumerate(words) if not _is_late(node, position)]


def _is_late(node: Node, position: int) -> bool:
    """Whether an operand of a sum arrives with the last rank inside."""
    heap = node.heap
    return heap is not None and position < len(heap.rows) and heap.rows[position].late


def _delay(node: Node, style: Style) -> float:
    if node.heap is None:
        if node.operator in (Operator.ANY, Operator.ALL):
            return math.log2(len(node.inputs[0]))
        return _DELAYS.get(node.operator, 1)
    if style is Style.CELLS:
        return _tree(node) + node.width
    return _tree(node) + 2 * math.log2(node.width) + 2


def _tree(node: Node) -> int:
    """How long a sum takes to have two rows left."""
    if node.heap is None:
        return 0
    return 3 * math.ceil(math.log(max(2, len(node.heap.rows)) / 2, 1.5))


def _value(bit: Bit, bits: Mapping[Bit, np.ndarray]) -> np.ndarray:
    if bit.node < 0:
        return np.asarray(bit.inverted)
    value = bits[bit._replace(inverted=False)]
    return ~value if bit.inverted else value


def _joined(bits: Sequence[np.ndarray]) -> np.ndarray:
    """Unsigned integers of any width, 32 bits at a time where numpy is quick."""
    total = np.zeros((), object)
    for start in range(0, len(bits), _LIMB):
        limb = sum(
            np.asarray(bit).astype(np.int64) << place
            for place, bit in enumerate(bits[start : start + _LIMB])
        )
        total = total + np.asarray(limb).astype(object) * (1 << start)
    return total


def _parted(values: np.ndarray, places: Sequence[int]) -> list[np.ndarray]:
    """The bits of unsigned integers at some places."""
    limbs = {
        number: np.asarray(values >> (number * _LIMB) & ((1 << _LIMB) - 1)).astype(np.int64)
        for number in {place // _LIMB for place in places}
    }
    return [(limbs[place // _LIMB] >> (place % _LIMB) & 1).astype(bool) for place in places]


def _evaluated(node: Node, operands) -> list[np.ndarray]:
    match node.operator:
        case Operator.AND:
            return [x & y for x, y in zip(*operands, strict=True)]
        case Operator.OR:
            return [x | y for x, y in zip(*operands, strict=True)]
        case Operator.EXCLUSIVE_OR:
            return [x ^ y for x, y in zip(*operands, strict=True)]
        case Operator.MULTIPLEXER:
            (select,), ones, zeros = operands
            return [np.where(select, x, y) for x, y in zip(ones, zeros, strict=True)]
        case Operator.ANY:
            return [np.logical_or.reduce(np.broadcast_arrays(*operands[0]))]
        case Operator.ALL:
            return [np.logical_and.reduce(np.broadcast_arrays(*operands[0]))]
    heap = node.heap
    values = {}
    for (name, operand), bits in zip(heap.operands.items(), operands, strict=True):
        value = _joined(bits)
        sign = value >> (operand.width - 1) if operand.signed else 0
        values[name] = value - sign * (1 << operand.width)
    return _parted(np.asarray(heap.evaluate(values), object), range(node.width))
