"""Lookups of words in tables.

On standard cells an entry is selected by one line for each, so that it is an AND for each bit of
each entry and an OR of these: 9 NAND2 equivalents per bit of 8 entries, where a tree of
multiplexers takes 15. FPGAs and simulators get the index. Sums and differences of the same
integers are all even or all odd, so that their lowest bit needs no selection.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Module, Signal, Value

from multipede.hw.multiplexer import chosen
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
    common_lowest_bit : whether that of a table's first entry is that of all.
    """

    entries: int
    gated: bool
    style: Style
    common_lowest_bit: bool = False

    @property
    def has_lines(self) -> bool:
        """Whether there is a line for each entry, and not an index."""
        return self.style is not Style.WORD

    @property
    def select_bits(self) -> int:
        """Bits that select an entry."""
        if self.has_lines:
            return self.entries + (self.gated and self.common_lowest_bit)
        return (self.entries - 1).bit_length() + self.gated

    def select(self, m: Module, index: Value, counts: Value, *, name: str) -> Signal:
        """What selects entry number ``index``, or 0 where ``counts`` is 0.

        It is made once for all sums that share a weight.
        """
        selected = Signal(self.select_bits, name=name)
        if not self.has_lines:
            m.d.comb += selected.eq(Cat(index, counts) if self.gated else index)
            return selected
        for entry in range(self.entries):
            line = index == entry if entry else ~index.any()
            m.d.comb += selected[entry].eq(line & counts if self.gated else line)
        if self.select_bits > self.entries:
            m.d.comb += selected[-1].eq(counts)
        return selected

    def selected(self, m: Module, words: Sequence[Value], select: Value, *, name: str) -> Signal:
        """The word of a table that ``select`` says."""
        common = int(self.common_lowest_bit)
        upper, bits = [word[common:] for word in words], len(words[0]) - common
        if self.has_lines:
            lines = zip(upper, select[: self.entries], strict=True)
            found = reduce(or_, (word & line.replicate(bits) for word, line in lines))
        else:
            index = (self.entries - 1).bit_length()
            found = chosen(select[:index], upper)
            if self.gated:
                found = found & select[-1].replicate(bits)
        lowest = words[0][:common]
        if self.gated:
            lowest = lowest & select[-1].replicate(common)
        selected = Signal(bits + common, name=name)
        m.d.comb += selected.eq(Cat(lowest, found))
        return selected

    def inventory(self, bits: int) -> Counter:
        """Operators of the lookup of a word of so many bits."""
        bits -= self.common_lowest_bit
        lowest = self.common_lowest_bit and self.gated
        others = bits * (self.entries - 1)
        if self.has_lines:
            return Counter({"and": bits * self.entries + lowest, "or": others})
        return Counter({"multiplexer_bit": others, "and": bits * self.gated + lowest})
