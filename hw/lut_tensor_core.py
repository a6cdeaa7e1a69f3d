"""The LUT Tensor Core tile: tables built or taken once per row, looked up once per column.

What is shared stands where it is shared: sums and shifts of table entries in the row, decoded
indices in the column. Per row and column remain the lookups, which join the accumulator on one bit
heap.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from amaranth.hdl import Cat, Module, Signal, Value

from multipede.golden.lut_tensor_core import LutTensorCore
from multipede.hw.arithmetic.bitheap import Gate, Heap, Operand, Row
from multipede.hw.arithmetic.circuit_component import CircuitDesign
from multipede.hw.arithmetic.lookup_sum import LookupSum, LookupSumPlan
from multipede.hw.arithmetic.lookup_tables import entry_shifter, table_circuit
from multipede.hw.arithmetic.summation import Summation, plan
from multipede.hw.hierarchy import shared
from multipede.hw.integer_tile import Control, Operands, operand, times
from multipede.hw.serial_tile import SerialTilePlan, SerialTileUnit
from multipede.hw.unit import delayed

__all__ = ["LutTensorCorePlan", "LutTensorCoreUnit"]


@dataclass(frozen=True)
class _Lookup:
    """What selects an entry, and whether it counts negatively (None if none does)."""

    select: Value
    negate: Value | None


@dataclass(frozen=True)
class _Tables(Operands):
    """Also ``tables`` [row][table][entry], ``lookups`` [column][table][plane], what S of each row
    is the sum of, and a line for each number of bits, if it may change."""

    tables: list[list[list[Value]]]
    lookups: list[list[list[_Lookup]]]
    sums: list[list[Value]]
    bits: Value | None

    @property
    def summed(self) -> list[list[Value]]:
        return self.sums


class LutTensorCorePlan(SerialTilePlan):
    """Ranks: the first one to spare stands behind the tables, others cut the sum of lookups."""

    spec: LutTensorCore

    @property
    def corrects(self) -> bool:
        return self.spec.zero_point or self.spec.is_halved

    @property
    def accumulator_bits(self) -> int:
        return self.spec.product_sum.bits

    @property
    def front_ranks(self) -> int:
        """Register ranks behind tables and selecting lines."""
        return int(self.spec.stages - 1 - self.output_ranks > 0)

    @property
    def entry_bits(self) -> int:
        """Bits of an entry at its highest place."""
        return self.spec.entry.bits + self.shifts[-1]

    @cached_property
    def table(self) -> CircuitDesign:
        """The table of some lanes."""
        spec = self.spec
        arguments = (*spec.addend_range, spec.table_inputs, spec.reinterpreted, self.shifts)
        return CircuitDesign(table_circuit, arguments, self.style)

    @cached_property
    def shifter(self) -> CircuitDesign | None:
        """What puts an entry that comes from outside to its place."""
        if len(self.shifts) == 1:
            return None
        return CircuitDesign(entry_shifter, (self.spec.entry.bits, self.shifts), self.style)

    @cached_property
    def lookup_sum(self) -> LookupSumPlan:
        """P' of one row and column."""
        spec = self.spec
        return LookupSumPlan(
            entry_bits=self.entry_bits,
            entries=spec.entries,
            tables=spec.tables_per_row,
            planes=spec.planes,
            common_lowest_bit=spec.reinterpreted,
            gated=self.gated,
            negates=spec.reinterpreted or self.signed,
            width=self.accumulator_bits,
            style=self.style,
            ranks=self.dot_ranks,
        )

    @property
    def signed(self) -> bool:
        """Whether the highest plane counts the other way round."""
        return not self.spec.is_odd and self.spec.weight.signed

    @property
    def activation_sum(self) -> Heap:
        """S of one row: of each table one entry."""
        width = self.spec.activation_sum.bits
        operands = {f"a{n}": operand(self.spec.entry) for n in range(self.spec.tables_per_row)}
        rows = [Row(name) for name in operands]
        operands |= {"acc": Operand(width), "keep": Operand(1)}
        rows.append(Row("acc", gate=Gate("keep"), late=True))
        return Heap(width, operands, tuple(rows))

    @property
    def zero_correction(self) -> Heap:
        """D, or with halved tables 2D: P' + (2**b - 1 - 2z) S, if signed P' - (1 + 2z) S."""
        spec = self.spec
        if not spec.is_halved:
            return super().zero_correction
        width = spec.result.bits + 1
        operands = {"p": Operand(self.accumulator_bits, True), "s": operand(spec.activation_sum)}
        rows = [Row("p")]
        if self.signed:
            rows.append(Row("s", negative=True))
        else:
            operands["offset"] = Operand(width)
            rows.append(Row("offset"))
        for bit in range(spec.weight.bits if spec.zero_point else 0):
            operands["z"] = Operand(spec.weight.bits)
            top_of_signed = self.signed and bit == spec.weight.bits - 1
            rows.append(Row("s", shift=bit + 1, negative=not top_of_signed, gate=Gate("z", bit)))
        if not any(row.operand == "s" for row in rows):
            del operands["s"]
        return Heap(width, operands, tuple(rows))

    @property
    def has_offset(self) -> bool:
        """Whether (2**b - 1) S of each row is needed."""
        return self.spec.is_halved and not self.signed

    @property
    def offset(self) -> Heap:
        """(2**b - 1) S of a row; where b may change, what a record adds to it and ``acc``."""
        spec = self.spec
        width = spec.result.bits + 1
        if not spec.run_time_bits:
            operands = {"s": operand(spec.activation_sum)}
            rows = [Row("s", shift=spec.weight.bits), Row("s", negative=True)]
            return Heap(width, operands, tuple(rows))
        operands = {f"a{n}": operand(spec.entry) for n in range(spec.tables_per_row)}
        rows = [Row(name, negative=True) for name in operands]
        for bit in range(spec.weight.bits):
            rows += [Row(name, shift=bit + 1, gate=Gate("bits", bit)) for name in operands]
        operands["bits"] = Operand(spec.weight.bits)
        operands |= {"acc": Operand(width), "keep": Operand(1)}
        rows.append(Row("acc", gate=Gate("keep"), late=True))
        return Heap(width, operands, tuple(rows))

    @property
    def offset_ranks(self) -> int:
        """Register ranks inside the sum of the offset."""
        return self.dot_ranks if self.spec.run_time_bits else 0

    def _group_inventory(self) -> Counter:
        spec = self.spec
        count = super()._group_inventory()
        if not self.has_offset:
            return count
        sums = plan(self.offset, self.style, ranks=self.offset_ranks)
        count += times(sums.inventory(), spec.rows)
        if spec.run_time_bits:
            count["register"] += spec.rows * self.offset.width
            count["register"] += spec.weight.bits * self.front_ranks
        return count

    def _product_inventory(self) -> Counter:
        spec = self.spec
        count = times(self.lookup_sum.inventory(), spec.rows * spec.columns)
        tables = spec.rows * spec.tables_per_row
        if not spec.is_external:
            count += times(self.table.plan.inventory(), tables)
        elif self.shifter is not None:
            count += times(self.shifter.plan.inventory(), tables * spec.entries)
        if not spec.is_float:  # of floats they are counted with those of the addends
            count["register"] += self._front_registers()
        return count

    def _front_registers(self) -> int:
        spec = self.spec
        tables = spec.rows * spec.tables_per_row * spec.entries * self.entry_bits
        lookup = self.lookup_sum.lookup.select_bits + self.lookup_sum.negates
        lookups = spec.columns * len(self.lookup_sum.lookups) * lookup
        return self.front_ranks * (tables + lookups)


class LutTensorCoreUnit(SerialTileUnit):
    """Tables, lookups and their sums."""

    specification = LutTensorCore
    planning = LutTensorCorePlan

    def _operands(self, m: Module, platform, arriving: Control) -> _Tables:
        spec: LutTensorCore = self.spec
        ranks = self.plan.front_ranks
        payload = self.i.payload
        if spec.is_external:
            tables = [self._taken(m, platform, row) for row in range(spec.rows)]
        else:
            codes = [self._lanes(payload.a[row]) for row in range(spec.rows)]
            addends = self._converted(m, platform, arriving, codes)
            tables = [self._built(m, platform, *row) for row in enumerate(addends)]
        tables = [
            [
                [
                    delayed(m, entry, ranks, name=f"t_{row}_{table}_{index}")
                    for index, entry in enumerate(entries)
                ]
                for table, entries in enumerate(of_row)
            ]
            for row, of_row in enumerate(tables)
        ]
        whole = 0 if spec.reinterpreted else spec.entries - 1
        bits = spec.entry.bits  # in a record's first clock entries are at their lowest place
        return _Tables(
            addends=[],
            weights=[],
            zeros=[
                delayed(m, payload.z[column], ranks, name=f"z_front_{column}")
                for column in range(spec.columns if spec.zero_point else 0)
            ],
            tables=tables,
            lookups=self._lookups(m),
            bits=self._bits(m),
            sums=[[entries[whole][:bits].as_signed() for entries in of_row] for of_row in tables],
        )

    def _taken(self, m: Module, platform, row: int) -> list[list[Value]]:
        """The tables of a row that come from outside."""
        spec: LutTensorCore = self.spec
        taken = self.i.payload.t[row]
        return [
            [
                self._placed(
                    m, platform, f"{row}_{table}_{index}", self._entry(taken[table], index)
                )
                for index in range(spec.entries)
            ]
            for table in range(spec.tables_per_row)
        ]

    def _entry(self, table: Value, index: int) -> Value:
        """An entry from outside; of halved tables the lowest bit is the first entry's."""
        if not self.spec.reinterpreted:
            return table[index]
        return Cat(table[0][0], table[index][1:]).as_signed()

    def _placed(self, m: Module, platform, name: str, entry: Value) -> Value:
        """An entry at its place of this clock."""
        if self.plan.shifter is None:
            return entry
        shifted = Signal(self.plan.entry_bits, name=f"shifted_{name}")
        pins = {"entry": entry, "cycle": self._cycle, "shifted": shifted}
        component = self._component(self.plan.shifter)
        shared(m, platform, "entry_shifter", component, instance=f"t_{name}_shifter", **pins)
        return shifted.as_signed()

    def _built(self, m: Module, platform, row: int, addends: list[Value]) -> list[list[Value]]:
        """The tables of a row's addends."""
        spec: LutTensorCore = self.spec
        component = self._component(self.plan.table)
        tables = []
        for table in range(spec.tables_per_row):
            name = f"{row}_{table}"
            lanes = addends[table * spec.table_inputs : (table + 1) * spec.table_inputs]
            pins = {f"a{k}": addend for k, addend in enumerate(lanes)}
            if len(self.plan.shifts) > 1:
                pins["cycle"] = self._cycle
            entries = [
                Signal(self.plan.entry_bits, name=f"entry_{name}_{index}")
                for index in range(spec.entries)
            ]
            pins |= {f"t{index}": entry for index, entry in enumerate(entries)}
            shared(m, platform, "table", component, instance=f"table_{name}", **pins)
            tables.append([entry.as_signed() for entry in entries])
        return tables

    def _lookups(self, m: Module) -> list[list[list[_Lookup]]]:
        """What the columns look up, behind the front ranks."""
        spec: LutTensorCore = self.spec
        codes = [self._lanes(self.i.payload.w[column]) for column in range(spec.columns)]
        planes = self._planes(m, codes)
        counting = self._counting(m)
        highest = self._highest(m) if self.plan.signed else [None] * spec.planes
        found = []
        for column, lanes in enumerate(planes):
            found.append([])
            for table in range(spec.tables_per_row):
                words = lanes[table * spec.table_inputs : (table + 1) * spec.table_inputs]
                name = f"{column}_{table}"
                found[-1].append(
                    [
                        self._lookup(m, f"{name}_{plane}", [w[plane] for w in words], *steering)
                        for plane, steering in enumerate(zip(counting, highest, strict=True))
                    ]
                )
        return found

    def _lookup(
        self, m: Module, name: str, bits: list[Value], counts: Value, highest: Value | None
    ) -> _Lookup:
        """The lookup of a table's bits of one plane."""
        spec: LutTensorCore = self.spec
        negate = highest
        if spec.reinterpreted:
            *bits, positive = bits
            if not spec.folded:
                bits = [bit ^ positive for bit in bits]
            negate = ~positive if highest is None else ~(positive ^ highest)
        lookup = self.plan.lookup_sum.lookup
        select = lookup.select(m, Cat(bits), counts, name=f"select_{name}")
        ranks = self.plan.front_ranks
        select = delayed(m, select, ranks, name=f"select_{name}")
        if negate is None:
            return _Lookup(select, None)
        negative = Signal(name=f"negate_{name}")
        m.d.comb += negative.eq(negate)
        return _Lookup(select, delayed(m, negative, ranks, name=f"negate_{name}"))

    def _accumulators(
        self, m: Module, platform, control: Control, operands: _Tables
    ) -> dict[tuple[int, int], Signal]:
        """P' of each row and column, registered."""
        spec: LutTensorCore = self.spec
        component = LookupSum(self.plan.lookup_sum)
        products = {}
        for row, tables in enumerate(operands.tables):
            entries = {
                f"t{table}_{entry}": value
                for table, values in enumerate(tables)
                for entry, value in enumerate(values)
            }
            for column in range(spec.columns):
                what = (f"p_{row}_{column}", row, "lookup_sum", component)
                pins = entries | dict(self._selecting(operands.lookups[column]))
                products[row, column] = self._accumulator(m, platform, control, what, pins)
        return products

    def _selecting(self, lookups: list[list[_Lookup]]) -> Iterator[tuple[str, Value]]:
        for table, planes in enumerate(lookups):
            for plane, lookup in enumerate(planes):
                yield f"select{table}_{plane}", lookup.select
                if lookup.negate is not None:
                    yield f"negate{table}_{plane}", lookup.negate

    def _corrections(
        self, m: Module, platform, control: Control, inputs: _Tables, sums: list[Signal]
    ) -> list[dict[str, Value]]:
        operands = self.plan.zero_correction.operands
        found = [{"s": s} if "s" in operands else {} for s in sums]
        if self.plan.has_offset:
            for row, pins in enumerate(found):
                pins["offset"] = self._offset(m, platform, control, row, inputs, sums[row])
        return found

    def _offset(
        self, m: Module, platform, control: Control, row: int, inputs: _Tables, s: Signal
    ) -> Signal:
        """(2**b - 1) S of a row."""
        name = f"offset_{row}"
        component = Summation(self.plan.offset, style=self.style, ranks=self.plan.offset_ranks)
        if not self.spec.run_time_bits:
            offset = Signal(self.plan.offset.width, name=name)
            shared(m, platform, "offset", component, instance=f"{name}_sum", sum=offset, s=s)
            return offset
        operands = {f"a{n}": value for n, value in enumerate(inputs.summed[row])}
        what = (name, row, "offset", component)
        return self._accumulator(
            m, platform, control.of_records, what, operands | {"bits": inputs.bits}
        )

    def _bits(self, m: Module) -> Value | None:
        """A line for each number of bits that weights may have, behind the front ranks."""
        if not (self.plan.has_offset and self.spec.run_time_bits):
            return None
        lines = Signal(self.spec.weight.bits, name="bits_lines")
        code = self.i.payload.bits
        m.d.comb += lines.eq(
            Cat(code == n if n else ~code.any() for n in range(self.spec.weight.bits))
        )
        return delayed(m, lines, self.plan.front_ranks, name="bits_lines")
