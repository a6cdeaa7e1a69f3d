"""Bit heap added as whole words in a balanced tree: the plan behind the word style."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from multipede.golden.formats import Integer
from multipede.hw.arithmetic.bitheap import Heap, row_inventory


@dataclass(frozen=True)
class Term:
    """A word in the tree: ``(-1 if negative else 1) * word``, where low <= word <= high."""

    word: str
    low: int
    high: int
    rank: int
    negative: bool = False

    @property
    def signed(self) -> bool:
        return self.low < 0

    @property
    def width(self) -> int:
        """Bits that hold every value of the range."""
        return Integer.spanning(self.low, self.high).bits


@dataclass(frozen=True)
class WordAdder:
    """``result = left + right``, or ``left - right`` where exactly one of them is negative."""

    result: Term
    left: Term
    right: Term

    @property
    def subtracts(self) -> bool:
        return self.left.negative != self.right.negative


@dataclass(frozen=True)
class WordPlan:
    """Word adders in order; ``terms`` are the rows, ``total`` the last sum (None for no rows)."""

    heap: Heap
    ranks: int
    terms: tuple[Term, ...]
    adders: tuple[WordAdder, ...]
    total: Term | None

    def registers(self) -> dict[tuple[int, Term], None]:
        """Every word that crosses a rank, as ordered keys ``(rank crossed, term)``."""
        crossing: dict[tuple[int, Term], None] = {}
        uses = [(a.result.rank, term) for a in self.adders for term in (a.left, a.right)]
        if self.total is not None:
            uses.append((self.ranks, self.total))
        for rank, term in uses:
            for crossed in range(term.rank, rank):
                crossing[crossed, term] = None
        return crossing

    def inventory(self) -> Counter:
        """Operators by kind: bits of word adders, gated bits, register bits."""
        count = row_inventory(self.heap)
        for adder in self.adders:
            count["word_adder_bit"] += min(adder.result.width, self.heap.width)
        if self.total is not None and (self.heap.constant or self.total.negative):
            count["word_adder_bit"] += self.heap.width
        for _, term in self.registers():
            count["register"] += term.width
        return +count

    def evaluate(self, operands: dict[str, np.ndarray]) -> np.ndarray:
        """The sum as this plan's adders compute it, for tests; checks each stated range."""
        values: dict[str, np.ndarray] = {}
        for term, row in zip(self.terms, self.heap.rows, strict=True):
            value = np.asarray(operands[row.operand]).astype(object) << row.shift
            if row.gate is not None:
                value = value * ((np.asarray(operands[row.gate.operand]) >> row.gate.index) & 1)
            values[term.word] = value
        for adder in self.adders:
            left, right = values[adder.left.word], values[adder.right.word]
            if adder.left.negative and not adder.right.negative:
                left, right = right, left
            result = left - right if adder.subtracts else left + right
            if np.any(result < adder.result.low) or np.any(result > adder.result.high):
                raise AssertionError(f"{adder} leaves its range")
            values[adder.result.word] = result
        total = 0 if self.total is None else values[self.total.word]
        signed = -total if self.total is not None and self.total.negative else total
        return (signed + self.heap.constant) % (1 << self.heap.width)


def plan_words(heap: Heap, *, ranks: int = 0) -> WordPlan:
    """Add the rows pairwise in a balanced tree, in order, and cut it by ``ranks``.

    Rows marked ``late`` are added behind the last rank.
    """
    terms = tuple(_row_term(heap, index, ranks) for index in range(len(heap.rows)))
    early = [t for t, row in zip(terms, heap.rows, strict=True) if not row.late]
    late = [t for t, row in zip(terms, heap.rows, strict=True) if row.late]
    levels = max(0, len(early) - 1).bit_length()
    adders: list[WordAdder] = []
    level = 0
    while len(early) > 1:
        rank = (level * (ranks + 1)) // max(1, levels) if ranks <= levels else min(level, ranks)
        early = _pairwise(early, f"sum{level}", min(rank, ranks), adders)
        level += 1
    for term in late:
        early = _pairwise([*early, term], f"sum{level}", ranks, adders)
        level += 1
    return WordPlan(heap, ranks, terms, tuple(adders), early[0] if early else None)


def _row_term(heap: Heap, index: int, ranks: int) -> Term:
    row = heap.rows[index]
    operand = heap.operands[row.operand]
    low = -(1 << (operand.width - 1)) if operand.signed else 0
    high = (1 << (operand.width - operand.signed)) - 1
    low, high = low << row.shift, high << row.shift
    return Term(f"row{index}", low, high, ranks if row.late else 0, row.negative)


def _pairwise(terms: list[Term], name: str, rank: int, adders: list[WordAdder]) -> list[Term]:
    sums: list[Term] = []
    for index in range(0, len(terms) - 1, 2):
        left, right = terms[index : index + 2]
        result = _sum_term(left, right, f"{name}_{index // 2}", rank)
        adders.append(WordAdder(result, left, right))
        sums.append(result)
    return sums + terms[len(terms) & ~1 :]


def _sum_term(left: Term, right: Term, word: str, rank: int) -> Term:
    rank = max(rank, left.rank, right.rank)
    if left.negative == right.negative:
        return Term(word, left.low + right.low, left.high + right.high, rank, left.negative)
    plus, minus = (right, left) if left.negative else (left, right)
    return Term(word, plus.low - minus.high, plus.high - minus.low, rank)
