"""The bit heap: the one way in which Multipede adds more than two terms.

A unit says *what* is summed, as a :class:`Heap` of rows (words that are shifted, negated, gated by
a bit) and a constant. A plan says *how*: :mod:`.cell_plan` compresses the heap bit by bit with full
and half adders, :mod:`.word_plan` adds whole words in a balanced tree. Both are plain Python values
without any HDL object; :mod:`.summation` emits either of them in the style that is asked for.

Signed rows need no sign extension: with s the sign bit at weight 2^k, ``-s 2^k`` equals
``(1 - s) 2^k - 2^k``, so the bit is inverted and ``-2^k`` joins the heap's single constant. A
negated row inverts all its bits in the same way; for a row gated by a weight bit that is
the Baugh-Wooley array (Baugh and Wooley, IEEE Trans. Computers C-22, 1973).
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Gate:
    """Bit ``index`` of operand ``operand``; the row that it gates counts only while it is 1."""

    operand: str
    index: int = 0


@dataclass(frozen=True)
class Row:
    """One addend: ``(-1 if negative else 1) * operand * 2**shift``, or 0 while its gate is 0.

    ``late`` marks a row that arrives at the last register rank only: an accumulator's feedback.
    """

    operand: str
    shift: int = 0
    negative: bool = False
    gate: Gate | None = None
    late: bool = False


@dataclass(frozen=True)
class Operand:
    """A word that rows are made of; two's complement if ``signed``."""

    width: int
    signed: bool = False


@dataclass(frozen=True)
class Heap:
    """What is summed: ``sum(rows) + constant`` modulo ``2**width``.

    Parameters
    ----------
    width : bits of the sum, two's complement.
    operands : name -> :class:`Operand`, in the order of the emitted module's ports.
    rows : the addends.
    constant : any integer, added modulo ``2**width``.

    Raises
    ------
    ValueError
        If a row or a gate names an unknown operand or bit, or a width is below 1.
    """

    width: int
    operands: Mapping[str, Operand]
    rows: tuple[Row, ...]
    constant: int = 0

    def __post_init__(self):
        if self.width < 1:
            raise ValueError(f"width must be at least 1, not {self.width}")
        object.__setattr__(self, "operands", dict(self.operands))
        for row in self.rows:
            if row.operand not in self.operands:
                raise ValueError(
                    f"row operand {row.operand!r} is not among {sorted(self.operands)}"
                )
            if row.shift < 0:
                raise ValueError(f"shift of a row must not be negative, not {row.shift}")
            if row.gate is not None:
                gating = self.operands.get(row.gate.operand)
                if gating is None or not 0 <= row.gate.index < gating.width:
                    raise ValueError(f"gate {row.gate} names no bit of {sorted(self.operands)}")

    @cached_property
    def key(self) -> tuple:
        """All that it is, the order of its operands included, as a dictionary can hold it."""
        return (self.width, tuple(self.operands.items()), self.rows, self.constant)

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Heap) and self.key == other.key

    def evaluate(self, operands: Mapping[str, np.ndarray]) -> np.ndarray:
        """The sum of the definition, as Python integers in ``[0, 2**width)`` (object arrays)."""
        shape = np.broadcast_shapes(*(np.shape(value) for value in operands.values()))
        total = np.full(shape, self.constant, object)
        for row in self.rows:
            value = np.asarray(operands[row.operand]).astype(object) << row.shift
            if row.gate is not None:
                gate = np.asarray(operands[row.gate.operand]).astype(object)
                value = value * ((gate >> row.gate.index) & 1)
            total = total - value if row.negative else total + value
        return total % (1 << self.width)

    def row_bits(self, row: Row) -> int:
        """How many bits of the row lie below the heap's width (the rest vanish modulo 2^W)."""
        return max(0, min(self.operands[row.operand].width, self.width - row.shift))


def row_inventory(heap: Heap) -> Counter:
    """AND gates of gated rows; inversions are free (an AND becomes a NAND)."""
    return Counter({"and": sum(heap.row_bits(row) for row in heap.rows if row.gate is not None)})


def inverted(heap: Heap, row: Row, bit: int) -> bool:
    """Whether this bit of the row enters the heap inverted."""
    operand = heap.operands[row.operand]
    return row.negative ^ (operand.signed and bit == operand.width - 1)


def folded_constant(heap: Heap) -> int:
    """The heap's constant with all sign extensions and negations folded in, modulo 2^W."""
    total = heap.constant
    for row in heap.rows:
        for bit in range(heap.row_bits(row)):
            if inverted(heap, row, bit):
                total -= 1 << (row.shift + bit)
    return total % (1 << heap.width)
