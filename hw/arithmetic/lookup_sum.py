"""Lookups in tables and their sum with an accumulator on one bit heap.

On standard cells a lookup is selected by one line for each entry, so that it is an AND for each
bit of each entry and an OR of these: 9 NAND2 equivalents per bit of 8 entries, where a tree of
multiplexers takes 15. FPGAs and simulators get the index. Sums and
differences of the same numbers are all even or all odd, so that the lowest bit needs no selection.
A lookup is negated as Booth's rows are:
inverted, with a bit more at the lowest place.
"""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import or_

from amaranth.hdl import Array, Cat, Module, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from multipede.hw.arithmetic.bitheap import Gate, Heap, Operand, Row
from multipede.hw.arithmetic.cell_plan import CellPlan
from multipede.hw.arithmetic.summation import emit, plan
from multipede.hw.arithmetic.word_plan import WordPlan
from multipede.hw.style import Style

__all__ = ["LookupSum", "LookupSumPlan"]


@dataclass(frozen=True, kw_only=True)
class LookupSumPlan:
    """What a :class:`LookupSum` computes and how.

    Parameters
    ----------
    entry_bits : of a table's entries, two's complement.
    entries : of a table.
    tables : number of tables.
    planes : lookups in each table, of which each counts twice as much as the one before.
    common_lowest_bit : whether that of a table's first entry is that of all.
    gated : whether lookups may be 0 instead.
    negates : whether lookups may be negated.
    width : bits of the sum; higher ones are dropped.
    style, ranks : see :class:`~multipede.hw.arithmetic.summation.Summation`.
    """

    entry_bits: int
    entries: int
    tables: int
    planes: int
    common_lowest_bit: bool
    gated: bool
    negates: bool
    width: int
    style: Style
    ranks: int = 0

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
            line = index == entry
            m.d.comb += selected[entry].eq(line & counts if self.gated else line)
        if len(selected) > self.entries:
            m.d.comb += selected[-1].eq(counts)
        return selected

    @property
    def lookups(self) -> list[tuple[int, int]]:
        """Table and plane of each lookup."""
        return [(table, plane) for table in range(self.tables) for plane in range(self.planes)]

    @property
    def heap(self) -> Heap:
        """The rows of all lookups, and ``acc`` gated with ``keep``."""
        operands, rows = {}, []
        for table, plane in self.lookups:
            row, negate = f"lookup{table}_{plane}", f"negate{table}_{plane}"
            operands[row] = Operand(self.entry_bits, True)
            rows.append(Row(row, shift=plane))
            if self.negates:
                operands[negate] = Operand(1)
                rows.append(Row(negate, shift=plane))
        operands |= {"acc": Operand(self.width), "keep": Operand(1)}
        rows.append(Row("acc", gate=Gate("keep"), late=True))
        return Heap(self.width, operands, tuple(rows))

    @cached_property
    def sum(self) -> CellPlan | WordPlan:
        """The plan of the bit heap."""
        return plan(self.heap, self.style, ranks=self.ranks)

    def inventory(self) -> Counter:
        """Operators of the lookups and of the heap's plan."""
        lookups = len(self.lookups)
        bits = lookups * (self.entry_bits - self.common_lowest_bit)
        if self.has_lines:
            count = Counter({"and": bits * self.entries, "or": bits * (self.entries - 1)})
        else:
            gates = bits * self.gated
            count = Counter({"multiplexer_bit": bits * (self.entries - 1), "and": gates})
        count["and"] += lookups * (self.gated and self.common_lowest_bit)
        if self.negates:
            count["exclusive_or"] = lookups * self.entry_bits
        return count + self.sum.inventory()


class LookupSum(wiring.Component):
    """``sum`` = sum over tables and planes of plus or minus 2**plane times the entry selected,
    plus ``acc`` while ``keep`` is 1.

    Members
    -------
    t0_0.. : entry e of table t is ``t<t>_<e>``, a signed word.
    select0_0.. : of table and plane, as :meth:`LookupSumPlan.select` gives them. negate0_0.. :
        likewise, if lookups may be negated; the entry counts negatively where it is 1.
    acc, keep : taken ``ranks`` clocks after the others. sum : Out(width).
    """

    def __init__(self, plan_: LookupSumPlan):
        self.key = self.plan = plan_
        members = {
            f"t{table}_{entry}": In(signed(plan_.entry_bits))
            for table in range(plan_.tables)
            for entry in range(plan_.entries)
        }
        for table, plane in plan_.lookups:
            members[f"select{table}_{plane}"] = In(plan_.select_bits)
            if plan_.negates:
                members[f"negate{table}_{plane}"] = In(1)
        members |= {"acc": In(plan_.width), "keep": In(1)}
        super().__init__(members | {"sum": Out(plan_.width)})

    def duplicate(self) -> "LookupSum":
        """Another component for the same plan."""
        return LookupSum(self.plan)

    def elaborate(self, platform) -> Module:
        m = Module()
        operands: dict[str, Value] = {"acc": self.acc, "keep": self.keep}
        for table, plane in self.plan.lookups:
            name = f"{table}_{plane}"
            row = self._selected(m, table, getattr(self, f"select{name}"), name)
            if self.plan.negates:
                operands[f"negate{name}"] = negate = getattr(self, f"negate{name}")
                row = row ^ negate.replicate(self.plan.entry_bits)
            operands[f"lookup{name}"] = Signal(signed(self.plan.entry_bits), name=f"lookup{name}")
            m.d.comb += operands[f"lookup{name}"].eq(row)
        emit(m, platform, self.plan.sum, operands, self.sum)
        return m

    def _selected(self, m: Module, table: int, select: Value, name: str) -> Signal:
        entries, first = self.plan.entries, int(self.plan.common_lowest_bit)
        bits = self.plan.entry_bits - first
        words = [getattr(self, f"t{table}_{entry}").as_unsigned() for entry in range(entries)]
        upper = [word[first:] for word in words]
        if self.plan.has_lines:
            gated = (w & line.replicate(bits) for w, line in zip(upper, select, strict=False))
            found = reduce(or_, gated)
        else:
            index = (entries - 1).bit_length()
            found = Array(upper)[select[:index]]
            if self.plan.gated:
                found = found & select[index].replicate(bits)
        lowest = words[0][:first]
        if self.plan.gated:
            lowest = lowest & select[-1].replicate(first)
        selected = Signal(self.plan.entry_bits, name=f"selected{name}")
        m.d.comb += selected.eq(Cat(lowest, found))
        return selected
