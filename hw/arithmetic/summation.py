"""A bit heap as an Amaranth component, emitted from its plan in the style asked for."""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from multipede.hw.arithmetic import adders
from multipede.hw.arithmetic.bitheap import Heap, Row, inverted
from multipede.hw.arithmetic.cell_plan import AdderKind, Bit, CellPlan, FinalAdder, plan_cells
from multipede.hw.arithmetic.word_plan import Term, WordPlan, plan_words
from multipede.hw.hierarchy import Hierarchy
from multipede.hw.style import Style

__all__ = ["Summation", "emit", "plan"]


@lru_cache(maxsize=256)
def plan(heap: Heap, style: Style, *, ranks: int = 0) -> CellPlan | WordPlan:
    """How ``heap`` is added in ``style`` with ``ranks`` register ranks inside."""
    if style is Style.WORD:
        return plan_words(heap, ranks=ranks)
    prefix = style is Style.CELLS_PREFIX
    return plan_cells(
        heap, ranks=ranks, final_adder=FinalAdder.PREFIX if prefix else FinalAdder.RIPPLE
    )


class Summation(wiring.Component):
    """``sum`` = the heap's rows and constant, modulo 2^width, ``ranks`` clocks later.

    Members: one input per operand of the heap, under its name, and the output ``sum``.
    Operands of late rows are taken ``ranks`` clocks after the others.
    """

    def __init__(self, heap: Heap, *, style: Style, ranks: int = 0):
        self.heap = heap
        self.style = style
        self.ranks = ranks
        self.plan = plan(heap, style, ranks=ranks)
        self.key = (style, ranks, heap.key)
        super().__init__(
            {
                name: In(signed(operand.width) if operand.signed else unsigned(operand.width))
                for name, operand in heap.operands.items()
            }
            | {"sum": Out(heap.width)}
        )

    def duplicate(self) -> "Summation":
        """Another component for the same sum."""
        return Summation(self.heap, style=self.style, ranks=self.ranks)

    def elaborate(self, platform) -> Module:
        m = Module()
        operands = {name: getattr(self, name) for name in self.heap.operands}
        emit(m, platform, self.plan, operands, self.sum)
        return m


def emit(
    m: Module,
    platform,
    plan_: CellPlan | WordPlan,
    operands: Mapping[str, Value],
    total: Signal,
) -> None:
    """Write a plan into ``m``: ``operands`` by name are summed into the signal ``total``."""
    if isinstance(platform, Hierarchy):
        platform.sums.append(plan_)
    (_Words if isinstance(plan_, WordPlan) else _Cells)(m, platform, plan_, operands, total)


def _row_name(row: Row) -> str:
    if row.gate is None:
        return f"row_{row.operand}"
    return f"{row.operand}_x_{row.gate.operand}_{row.gate.index}"


class _Words:
    """Writes a word plan: one named signal per row and per sum."""

    def __init__(self, m: Module, platform, plan_: WordPlan, operands, total: Signal):
        self._m, self._plan = m, plan_
        self._signals: dict[tuple[str, int], Value] = {}
        heap = plan_.heap
        for term, row in zip(plan_.terms, heap.rows, strict=True):
            value = operands[row.operand]
            if row.gate is not None:
                value = Mux(operands[row.gate.operand][row.gate.index], value, 0)
            self._signals[term.word, term.rank] = self._named(
                term, _row_name(row), value << row.shift
            )
        for adder in self._plan.adders:
            left, right = (self._at(t, adder.result.rank) for t in (adder.left, adder.right))
            if adder.left.negative and not adder.right.negative:
                left, right = right, left
            value = left - right if adder.subtracts else left + right
            result = adder.result
            self._signals[result.word, result.rank] = self._named(result, result.word, value)
        constant = Const(heap.constant % (1 << heap.width), heap.width)
        value = self._at(plan_.total, plan_.ranks) if plan_.total else None
        if value is None:
            value = constant
        elif plan_.total.negative:
            value = constant - value
        elif heap.constant:
            value = constant + value
        m.d.comb += total.eq(value)

    def _named(self, term: Term, name: str, value: Value) -> Signal:
        signal = Signal(signed(term.width) if term.signed else term.width, name=name)
        self._m.d.comb += signal.eq(value)
        return signal

    def _at(self, term: Term, rank: int) -> Value:
        """The term as it stands in ``rank``, registered as often as needed."""
        if (term.word, rank) not in self._signals:
            before = self._at(term, rank - 1)
            delayed = Signal.like(before, name=f"{before.name}_q", reset_less=True)
            self._m.d.sync += delayed.eq(before)
            self._signals[term.word, rank] = delayed
        return self._signals[term.word, rank]


class _Cells:
    """Writes a cell plan: adders of one level side by side in one instance."""

    def __init__(self, m: Module, platform, plan_: CellPlan, operands, total: Signal):
        self._m, self._platform, self._plan = m, platform, plan_
        self._words: dict[str, Signal] = {}
        self._delayed: dict[tuple[int, Bit], tuple[Signal, int]] = {}
        for index, row in enumerate(plan_.heap.rows):
            self._words[f"row{index}"] = self._row(operands, row)
        self._tree()
        if self._plan.final_adder is FinalAdder.PREFIX:
            self._prefix(total)
        else:
            self._ripple(total)

    def _row(self, operands: Mapping[str, Value], row: Row) -> Signal:
        heap = self._plan.heap
        bits = heap.row_bits(row)
        value = operands[row.operand].as_unsigned()[:bits]
        if row.gate is not None:
            value = value & operands[row.gate.operand][row.gate.index].replicate(bits)
        flips = sum(inverted(heap, row, bit) << bit for bit in range(bits))
        signal = Signal(bits, name=_row_name(row))
        self._m.d.comb += signal.eq(value ^ flips if flips else value)
        return signal

    def _tree(self) -> None:
        levels: dict[str, list] = {}
        for adder in self._plan.adders:
            levels.setdefault(adder.sum.word, []).append(adder)
        for word, members in levels.items():
            self._words[word] = Signal(len(members), name=word)
            self._words[word + "_carry"] = Signal(len(members), name=word + "_carry")
        self._registers()
        for word, members in levels.items():
            operands = zip(*(adder.inputs for adder in members), strict=True)
            pins = {
                f"i_{pin}": self._bits(bits, members[0].rank)
                for pin, bits in zip("abc", operands, strict=False)
            }
            outputs = {"o_sum": self._words[word], "o_carry": self._words[word + "_carry"]}
            self._adders(members[0].kind, len(members), pins | outputs, f"{word}_adders")

    def _adders(self, kind: AdderKind, width: int, pins: Mapping[str, Value], name: str) -> None:
        if kind is AdderKind.INCREMENT:
            self._m.d.comb += [pins["o_sum"].eq(~pins["i_a"]), pins["o_carry"].eq(pins["i_a"])]
            return
        module = {
            AdderKind.FULL: adders.FULL_ADDERS,
            AdderKind.HALF: adders.HALF_ADDERS,
            AdderKind.HALF_PLUS_ONE: adders.HALF_ADDERS_PLUS_ONE,
        }[kind]
        module.place(self._m, self._platform, width, pins, name)

    def _registers(self) -> None:
        """One register word per rank crossed and word, holding only the bits that are needed."""
        groups: dict[tuple[int, str], list[int]] = {}
        for crossed, bit in self._plan.registers():
            groups.setdefault((crossed, bit.word), []).append(bit.index)
        for (crossed, word), indices in sorted(groups.items()):
            indices.sort()
            name = f"{self._words[word].name}_q{crossed + 1}"
            register = Signal(len(indices), name=name, reset_less=True)
            bits = [Bit(word, index) for index in indices]
            self._m.d.sync += register.eq(self._bits(bits, crossed))
            for place, bit in enumerate(bits):
                self._delayed[crossed + 1, bit] = register, place

    def _bits(self, bits: Iterable[Bit], rank: int) -> Value:
        """The bits as they stand in ``rank``, neighbours of one word taken as slices."""
        slices: list[list] = []
        for bit in bits:
            if rank > self._plan.rank_of[bit.word]:
                word, place = self._delayed[rank, bit]
            else:
                word, place = self._words[bit.word], bit.index
            if slices and slices[-1][0] is word and slices[-1][2] == place:
                slices[-1][2] = place + 1
            else:
                slices.append([word, place, place + 1])
        return Cat(word[start:stop] for word, start, stop in slices)

    def _ripple(self, total: Signal) -> None:
        plan = self._plan
        starts = {segment.column: segment for segment in plan.segments()}
        column, carry = 0, Const(0, 1)
        while column < plan.heap.width:
            segment = starts.get(column)
            if segment is None:
                bits = plan.final[column]
                one = Const((plan.final_constant >> column) & 1, 1)
                passed = self._bits(bits, plan.ranks) if bits else carry | one
                self._m.d.comb += total[column].eq(passed)
                column, carry = column + 1, Const(0, 1)
                continue
            stop = column + segment.width
            carry_out = Signal(name=f"carry{stop}")
            self._segment(segment, carry, total[column:stop], carry_out)
            column, carry = stop, carry_out

    def _segment(self, segment, carry: Value, total: Value, carry_out: Signal) -> None:
        a = self._bits(segment.a, self._plan.ranks)
        b = self._bits(segment.b, self._plan.ranks)
        sum_ = Signal(segment.width, name=f"sum{segment.column}")
        self._m.d.comb += total.eq(sum_)
        if segment.kind is AdderKind.INCREMENT:
            bit = a if segment.a else carry
            self._m.d.comb += [sum_.eq((~bit).replicate(segment.width)), carry_out.eq(bit)]
        elif not segment.carry_in:
            pins = {"i_a": a, "i_b": b, "o_sum": sum_, "o_carry": carry_out}
            self._adders(segment.kind, 1, pins, f"sum{segment.column}_adder")
        else:
            module, pins = {
                AdderKind.FULL: (adders.RIPPLE_ADDER, {"i_b": b}),
                AdderKind.HALF: (adders.RIPPLE_HALF_ADDER, {}),
                AdderKind.HALF_PLUS_ONE: (adders.RIPPLE_HALF_ADDER_PLUS_ONE, {}),
            }[segment.kind]
            pins |= {"i_a": a, "i_ci": carry, "o_sum": sum_, "o_co": carry_out}
            name = f"sum{segment.column}_adder"
            module.place(self._m, self._platform, segment.width, pins, name)

    def _prefix(self, total: Signal) -> None:
        plan = self._plan
        rows = ([], [])
        for column, bits in enumerate(plan.final):
            entries = [self._bits([bit], plan.ranks) for bit in bits]
            entries += [Const(1, 1)] * ((plan.final_constant >> column) & 1)
            for row, entry in zip(rows, entries + [Const(0, 1)] * 2, strict=False):
                row.append(entry)
        pins = {"i_a": Cat(rows[0]), "i_b": Cat(rows[1]), "o_sum": total}
        adders.PREFIX_ADDER.place(self._m, self._platform, plan.heap.width, pins, "final_adder")
