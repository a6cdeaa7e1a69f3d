"""Lookups of words in tables.

On standard cells an entry is selected by one line for each, so that it is an AND for each bit of
each entry and an OR of these: 9 NAND2 equivalents per bit of 8 entries, where a tree of
multiplexers takes 15. FPGAs and simulators get the index.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

from amaranth.hdl import Array, Cat, Module, Signal, Value

from multipede.hw.style import Style

__all__ = ["Lookup"]


@dataclass(frozen=True, kw_only=True)
class Lookup:
    """How an entry of a table is selected.

    Parameters
    ----------
    entries : of a table.
    gated : whether lookups may be 0 instead.
    style : in which the unit is built.
    """

    entries: int
    gated: bool
    style: Style

    @property
    def has_lines(self) -> bool:
        """Whether there is a line for each entry, and not an index."""
        return self.style is not Style.WORD

    @property
    def select_bits(self) -> int:
        """Bits that select an entry."""
        return self.entries if self.has_lines else (self.entries - 1).bit_length() + self.gated

    def select(self, m: Module, index: Value, counts: Value, *, name: str) -> Signal:
        """What selects entry number ``index``, or 0 where ``counts`` is 0.

        It is made once for all sums that share a weight.
        """
        selected = Signal(self.select_bits, name=name)
        if not self.has_lines:
            m.d.comb += selected.eq(Cat(index, counts) if self.gated else index)
            return selected
        for entry in range(self.entries):
            line = index == entry
            m.d.comb += selected[entry].eq(line & counts if self.gated else line)
        return selected

    def selected(self, m: Module, words: Sequence[Value], select: Value, *, name: str) -> Signal:
        """The word of a table that ``select`` says."""
        bits = len(words[0])
        if self.has_lines:
            lines = zip(words, select, strict=True)
            found = reduce(or_, (word & line.replicate(bits) for word, line in lines))
        else:
            index = (self.entries - 1).bit_length()
            found = Array(words)[select[:index]]
            if self.gated:
                found = found & select[index].replicate(bits)
        selected = Signal(bits, name=name)
        m.d.comb += selected.eq(found)
        return selected

    def inventory(self, bits: int) -> Counter:
        """Operators of the lookup of a word of so many bits."""
        others = bits * (self.entries - 1)
        if self.has_lines:
            return Counter({"and": bits * self.entries, "or": others})
        return Counter({"multiplexer_bit": others, "and": bits * self.gated})
