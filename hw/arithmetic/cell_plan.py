"""Bit heap compressed by single full and half adders: the plan behind the cells styles.

Bits are taken three at a time in order of arrival, column by column (Oklobdzija, Villeger and Liu,
"A Method for Speed Optimized Partial Product Reduction", IEEE Trans. Computers 45, 1996), until two
are left; a final adder makes one of them. No half adder is spent in the tree.
"""

import heapq
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from operator import itemgetter
from typing import NamedTuple

import numpy as np

from multipede.hw.arithmetic.bitheap import Heap, folded_constant, inverted, row_inventory


class Bit(NamedTuple):
    """Bit ``index`` of word ``word``: a row (``row3``), a level's ``sum`` or ``carry``."""

    word: str
    index: int


class AdderKind(Enum):
    """Adders of a plan; each replaces its inputs of weight 2^c by a sum (2^c) and a carry."""

    FULL = "full_adder"
    """a + b + c"""
    HALF = "half_adder"
    """a + b"""
    HALF_PLUS_ONE = "half_adder_plus_one"
    """a + b + 1, where a constant meets two bits"""
    INCREMENT = "increment"
    """a + 1: an inverter and a wire"""

    __hash__ = object.__hash__  # quick: each is the only one of its name

    @property
    def inputs(self) -> int:
        if self is AdderKind.FULL:
            return 3
        return 1 if self is AdderKind.INCREMENT else 2

    @property
    def constant(self) -> int:
        return int(self in (AdderKind.HALF_PLUS_ONE, AdderKind.INCREMENT))


class Adder(NamedTuple):
    """One adder of the compression tree, in ``column``, within level ``level`` of rank ``rank``."""

    kind: AdderKind
    column: int
    inputs: tuple[Bit, ...]
    sum: Bit
    carry: Bit
    rank: int


@dataclass(frozen=True)
class Segment:
    """A run of columns of the final adder that are all of one kind; the carry ripples through it.

    ``a`` and ``b`` hold one bit per column, lowest first, or none at all: a full adder takes both
    and the carry, a half adder ``a`` and the carry or, where the chain starts, ``a`` and ``b``.
    """

    kind: AdderKind
    column: int
    width: int
    a: tuple[Bit, ...]
    b: tuple[Bit, ...]
    carry_in: bool


class FinalAdder(Enum):
    """How the last two rows become one."""

    RIPPLE = "ripple"
    """smallest: one adder per column, carries ripple"""
    PREFIX = "prefix"
    """fastest: a Sklansky parallel-prefix adder"""


@dataclass(frozen=True)
class CellPlan:
    """A heap compressed to at most two bits per column by single adders, and its final adder.

    ``ranks`` register ranks lie inside; ``rank_of`` tells for each word of the tree before which
    rank (0 = with the inputs) it is computed. Registers are implied: a bit used in a later rank
    than its own is delayed.
    """

    heap: Heap
    final_adder: FinalAdder
    ranks: int
    adders: tuple[Adder, ...]
    final: tuple[tuple[Bit, ...], ...]
    final_constant: int
    rank_of: Mapping[str, int] = field(repr=False)

    def segments(self) -> list[Segment]:
        """The ripple final adder as runs of equal columns, lowest first."""
        return _segments(self.final, self.final_constant)

    def registers(self) -> dict[tuple[int, Bit], None]:
        """Every bit that crosses a rank, as ordered keys ``(rank crossed, bit)``."""
        crossing: dict[tuple[int, Bit], None] = {}
        uses = [(adder.rank, bit) for adder in self.adders for bit in adder.inputs]
        uses += [(self.ranks, bit) for column in self.final for bit in column]
        for rank, bit in uses:
            for crossed in range(self.rank_of[bit.word], rank):
                crossing[crossed, bit] = None
        return crossing

    def inventory(self) -> Counter:
        """Operators by kind: adders, gated bits and register bits (see :func:`row_inventory`)."""
        count = row_inventory(self.heap)
        kinds = Counter(adder.kind for adder in self.adders)
        count.update({kind.value: number for kind, number in kinds.items()})
        if self.final_adder is FinalAdder.RIPPLE:
            for segment in self.segments():
                count[segment.kind.value] += segment.width
        else:
            count["prefix_adder_bit"] += self.heap.width
        count["register"] += len(self.registers())
        return +count

    def check(self) -> int:
        """Prove the tree by conservation of weight; return the number of adders checked.

        Each bit is made once and used at most once, all inputs of an adder have its column's
        weight, and what is left over in the final columns is exactly what was not used: so each
        step keeps the weighted sum modulo ``2**width``.

        Raises
        ------
        AssertionError
            Naming the adder or bit that breaks the rule.
        """
        unused = Counter()
        for index, row in enumerate(self.heap.rows):
            for bit in range(self.heap.row_bits(row)):
                unused[row.shift + bit, Bit(f"row{index}", bit)] += 1
        constant = folded_constant(self.heap)
        for adder in self.adders:
            if len(adder.inputs) != adder.kind.inputs:
                raise AssertionError(f"{adder} has the wrong number of inputs")
            for bit in adder.inputs:
                if unused[adder.column, bit] != 1:
                    raise AssertionError(f"{adder} uses {bit}, which is not free in its column")
                unused[adder.column, bit] -= 1
            constant -= adder.kind.constant << adder.column
            for column, bit in ((adder.column, adder.sum), (adder.column + 1, adder.carry)):
                if column < self.heap.width:
                    unused[column, bit] += 1
        for column, bits in enumerate(self.final):
            for bit in bits:
                unused[column, bit] -= 1
        wrong = {key: n for key, n in unused.items() if n}
        if wrong or (constant - self.final_constant) % (1 << self.heap.width):
            raise AssertionError(f"weight is not conserved: {wrong or 'constant'}")
        if max(map(len, self.final), default=0) > 2:
            raise AssertionError("a final column holds more than two bits")
        return len(self.adders)

    def evaluate(self, operands: Mapping[str, np.ndarray]) -> np.ndarray:
        """The sum as this plan's adders compute it, for tests: int64 arrays in, widths <= 62."""
        bits: dict[Bit, np.ndarray] = {}
        for index, row in enumerate(self.heap.rows):
            value = np.asarray(operands[row.operand], np.int64)
            gate = 1
            if row.gate is not None:
                gate = (np.asarray(operands[row.gate.operand], np.int64) >> row.gate.index) & 1
            for bit in range(self.heap.row_bits(row)):
                raw = ((value >> bit) & gate) & 1
                bits[Bit(f"row{index}", bit)] = raw ^ int(inverted(self.heap, row, bit))
        for adder in self.adders:
            total = sum(bits[bit] for bit in adder.inputs) + adder.kind.constant
            bits[adder.sum], bits[adder.carry] = total & 1, total >> 1
        if self.final_adder is FinalAdder.RIPPLE:
            return self._rippled(bits)
        result = np.int64(self.final_constant)
        for column, members in enumerate(self.final):
            for bit in members:
                result = result + (bits[bit] << column)
        return result & ((1 << self.heap.width) - 1)

    def _rippled(self, bits: Mapping[Bit, np.ndarray]) -> np.ndarray:
        """The final sum through the segments, column by column as they are emitted."""
        result: np.ndarray | int = 0
        covered = {}
        for segment in self.segments():
            for place in range(segment.width):
                covered[segment.column + place] = (segment, place)
        carry: np.ndarray | int = 0
        for column, members in enumerate(self.final):
            if column not in covered:
                one = (self.final_constant >> column) & 1
                result = result + ((bits[members[0]] if members else carry | one) << column)
                carry = 0
                continue
            segment, place = covered[column]
            taken = [bits[word[place]] for word in (segment.a, segment.b) if word]
            if place or segment.carry_in:
                taken.append(carry)
            if len(taken) != segment.kind.inputs:
                raise AssertionError(f"{segment} gives {len(taken)} bits to a {segment.kind}")
            total = sum(taken) + segment.kind.constant
            result, carry = result + ((total & 1) << column), total >> 1
        return np.asarray(result, np.int64)


_WORDS = {
    AdderKind.FULL: "level",
    AdderKind.HALF_PLUS_ONE: "plus_one",
    AdderKind.INCREMENT: "increment",
}
_LATE = 4  # XOR delays that a constant one does not wait for a second bit; found by trial
_SLOW, _FAST = 2, 1  # delays of a full adder in units of one XOR: from a and b, from c


def plan_cells(
    heap: Heap, *, ranks: int = 0, final_adder: FinalAdder = FinalAdder.RIPPLE
) -> CellPlan:
    """Compress a heap with full adders, three earliest bits first, and cut it by ``ranks``."""
    if ranks == 0:
        return _compress(heap, 0, final_adder, [])
    depth = _depth(_compress(heap, 0, final_adder, []))
    cuts = [round(depth * (index + 1) / (ranks + 1)) for index in range(ranks)]
    return _compress(heap, ranks, final_adder, cuts)


def _depth(plan: CellPlan) -> int:
    """Delay of the whole heap in XOR units, with the final adder's estimated at its length."""
    arrivals = _arrivals(plan)
    tree = max((arrivals[bit] for column in plan.final for bit in column), default=0)
    chain = sum(segment.width for segment in plan.segments())
    if plan.final_adder is FinalAdder.PREFIX:
        return tree + 2 * max(1, plan.heap.width - 1).bit_length()
    return tree + max(1, chain // 2)


def _arrivals(plan: CellPlan) -> dict[Bit, int]:
    arrival: dict[Bit, int] = {}
    for adder in plan.adders:
        times = [arrival.get(bit, 0) for bit in adder.inputs]
        arrival[adder.sum] = arrival[adder.carry] = _after(times)
    for column in plan.final:
        for bit in column:
            arrival.setdefault(bit, 0)
    return arrival


def _after(times: list[int]) -> int:
    """Arrival of an adder's outputs; the latest of its inputs goes to the fast pin."""
    ordered = sorted(times)
    slow = ordered[-2] + _SLOW if len(ordered) > 1 else 0
    return max(slow, ordered[-1] + _FAST)


def _compress(heap: Heap, ranks: int, final_adder: FinalAdder, cuts: list[int]) -> CellPlan:
    constant = folded_constant(heap)
    columns = _initial_columns(heap, cuts)
    adders: list[Adder] = []
    words: dict[tuple[AdderKind, int, int], str] = {}
    final: list[tuple[Bit, ...]] = []
    left = 0
    for column in range(heap.width):
        bits = columns[column]
        heapq.heapify(bits)
        one = (constant >> column) & 1
        made = 0
        while len(bits) + one > 2:
            kind = _next_kind(bits, one)
            taken = [heapq.heappop(bits) for _ in range(kind.inputs)]
            one = 0
            time = _after([entry[0] for entry in taken])
            rank = bisect_left(cuts, time)
            made += 1
            level = kind, rank, time
            if level not in words:
                words[level] = f"{_WORDS[kind]}_{rank}_{time}"
            word, index = words[level], column << 16 | made  # unique until _renumbered
            total, carry = Bit(word, index), Bit(word + "_carry", index)
            inputs = tuple([entry[2] for entry in taken])
            adders.append(Adder(kind, column, inputs, total, carry, rank))
            heapq.heappush(bits, (time, (1, made), total))
            if column + 1 < heap.width:
                columns[column + 1].append((time, (2, made), carry))
        left |= one << column
        final.append(tuple(entry[2] for entry in sorted(bits)))
    rank_of = {f"row{i}": ranks if row.late else 0 for i, row in enumerate(heap.rows)}
    return _renumbered(
        CellPlan(
            heap=heap,
            final_adder=final_adder,
            ranks=ranks,
            adders=tuple(adders),
            final=tuple(final),
            final_constant=left,
            rank_of=rank_of | {a.sum.word: a.rank for a in adders},
        )
    )


def _next_kind(bits: list, one: int) -> AdderKind:
    """Which adder a column takes next; ``bits`` is a heap of at least two, earliest first.

    A one joins the two earliest bits, or the earliest alone where the others come much later:
    above the products, where an accumulator meets folded sign bits, the carries of the ones would
    otherwise wait for the products and ripple behind them.
    """
    if not one:
        return AdderKind.FULL
    waiting = min(bits[1:3])[0] - bits[0][0]
    return AdderKind.INCREMENT if waiting > _LATE else AdderKind.HALF_PLUS_ONE


def _renumbered(plan: CellPlan) -> CellPlan:
    """Order the adders of each level so that neighbours read neighbouring bits of the same words.

    The emitted rows then take whole slices, which reads better and simulates faster.
    """
    place: dict[Bit, Bit] = {}
    levels: dict[str, list[Adder]] = {}
    for adder in plan.adders:
        levels.setdefault(adder.sum.word, []).append(adder)
    order = {f"row{index}": (0, 0, "") for index in range(len(plan.heap.rows))}
    for word in levels:
        order[word] = order[word + "_carry"] = _level_order(word)
    adders: list[Adder] = []

    def arrival(bit: Bit) -> tuple[tuple[int, int, str], Bit]:
        """The latest bit last: a full adder is fastest from its pin ``c``."""
        return order[bit[0]], bit

    for word in sorted(levels, key=order.__getitem__):
        members = []
        for adder in levels[word]:
            inputs = sorted([place.get(bit, bit) for bit in adder.inputs], key=arrival)
            column = adder.column
            members.append(([(word, i - column) for word, i in inputs], column, inputs, adder))
        members.sort(key=itemgetter(0, 1))
        for index, (_, column, inputs, adder) in enumerate(members):
            total, carry = Bit(word, index), Bit(word + "_carry", index)
            place[adder.sum], place[adder.carry] = total, carry
            adders.append(Adder(adder.kind, column, tuple(inputs), total, carry, adder.rank))
    final = tuple(tuple(place.get(bit, bit) for bit in column) for column in plan.final)
    rank_of = plan.rank_of | {a.carry.word: a.rank for a in adders}
    return replace(plan, adders=tuple(adders), final=final, rank_of=rank_of)


def _level_order(word: str) -> tuple[int, int, str]:
    rank, time = word.rsplit("_", 2)[-2:]
    return int(rank), int(time), word


def _initial_columns(heap: Heap, cuts: list[int]) -> list[list]:
    """Per column the row bits as (arrival, order, bit): late rows arrive after the last cut."""
    columns: list[list] = [[] for _ in range(heap.width)]
    for index, row in enumerate(heap.rows):
        arrival = cuts[-1] if row.late and cuts else 0
        word = f"row{index}"
        for bit in range(heap.row_bits(row)):
            columns[row.shift + bit].append((arrival, (0, index), Bit(word, bit)))
    return columns


def _segments(final: tuple[tuple[Bit, ...], ...], constant: int) -> list[Segment]:
    segments: list[Segment] = []
    carry = False
    for column, bits in enumerate(final):
        kind = _chain_kind(len(bits) + carry, (constant >> column) & 1)
        if kind is None:
            carry = False
            continue
        last = segments[-1] if carry else None
        if (
            last
            and last.carry_in
            and last.kind is kind
            and len(last.b) == len(last.a) * len(bits[1:])
            and len(last.a) == last.width * len(bits[:1])
        ):
            segments[-1] = replace(
                last, width=last.width + 1, a=last.a + bits[:1], b=last.b + bits[1:]
            )
        else:
            segments.append(Segment(kind, column, 1, bits[:1], bits[1:], carry))
        carry = True
    return segments


def _chain_kind(bits: int, one: int) -> AdderKind | None:
    """Which adder a final column needs; None where its single bit or constant passes untouched."""
    return {
        (3, 0): AdderKind.FULL,
        (2, 0): AdderKind.HALF,
        (2, 1): AdderKind.HALF_PLUS_ONE,
        (1, 1): AdderKind.INCREMENT,
    }.get((bits, one))
