"""The LUT Tensor Core tile with float tables: terms made once per row, looked up once per column.

What is shared stands where it is shared: tables, and their entries times powers of two, in the row;
decoded indices in the column. Per row and column remain the lookups, the signs, and the adders.
"""

from collections import Counter
from functools import cached_property

from amaranth.hdl import Cat, Module, Signal, Value

from multipede.golden.float_lut_tensor_core import FloatLutTensorCore
from multipede.hw.arithmetic.circuit_component import CircuitComponent, CircuitDesign
from multipede.hw.arithmetic.lookup import Lookup
from multipede.hw.arithmetic.lookup_tree import LookupTree, LookupTreePlan
from multipede.hw.arithmetic.term_tables import (
    code_table,
    scaled_entry,
    sum_of_terms,
    term_table,
)
from multipede.hw.arithmetic.term_words import Scaling
from multipede.hw.float_tile import FloatTilePlan
from multipede.hw.hierarchy import shared
from multipede.hw.integer_tile import times
from multipede.hw.serial_tile import BitSerialPlan, BitSerialUnit
from multipede.hw.ungrouped_tile import UngroupedTileUnit
from multipede.hw.unit import delayed

__all__ = ["FloatLutTensorCorePlan", "FloatLutTensorCoreUnit"]

_DIVISIONS = 4
"""Additions that the divisions of a table of codes take as long as, about."""

Pins = dict[str, Value]


class FloatLutTensorCorePlan(BitSerialPlan, FloatTilePlan):
    """Ranks: ``front_ranks`` in and behind the tables, ``tree_ranks`` in the tree, the
    accumulators."""

    spec: FloatLutTensorCore

    @property
    def front_ranks(self) -> int:
        """Register ranks between the inputs and what is looked up: one if there is any, and then
        the tables' share."""
        spec, ranks = self.spec, self.spec.stages - 1
        steps = self._tree(0).steps if self.is_tree else 0
        if not steps:
            return ranks
        depth = 1
        if not spec.is_external:
            depth = (spec.table_inputs - 1).bit_length() + _DIVISIONS * spec.is_quantised
        return -(-ranks * depth // (depth + steps))

    @property
    def tree_ranks(self) -> int:
        """Register ranks of the tree, of which the last holds its total."""
        return self.spec.stages - 1 - self.front_ranks

    @cached_property
    def scalings(self) -> tuple[Scaling, ...]:
        """What makes entries terms, for each plane; of tables of codes, what is made of scales."""
        spec = self.spec
        if spec.is_quantised:
            return (Scaling(spec.precompute.scale_format, None, self.shifts),)
        # A term that meets the accumulator had better be normalised and have its exponents; what
        # meets its own kind needs less guard bits as it is.
        alone = spec.terms == 1 or not self.is_tree
        planes = ([shift + plane for shift in self.shifts] for plane in range(spec.planes))
        return tuple(Scaling(spec.activation, spec.accumulator, tuple(s), alone) for s in planes)

    @property
    def lookup(self) -> Lookup:
        """How entries are selected."""
        return Lookup(entries=self.spec.entries, gated=self.gated, style=self.style)

    def _tree(self, ranks: int) -> LookupTreePlan:
        spec = self.spec
        return LookupTreePlan(
            tables=spec.tables_per_row,
            lookup=self.lookup,
            words=tuple(scaling.word for scaling in self.scalings),
            planes=spec.planes,
            quantised=spec.is_quantised,
            accumulator=spec.accumulator,
            chained=not self.is_tree,
            style=self.style,
            ranks=ranks,
        )

    @cached_property
    def tree(self) -> LookupTreePlan:
        """Lookups and sums of one row and column."""
        return self._tree(self.tree_ranks)

    @cached_property
    def step(self) -> CircuitDesign:
        """What adds a tree's total to an accumulator."""
        arguments = (self.spec.accumulator, self.tree.total, self.spec.accumulator)
        return CircuitDesign(sum_of_terms, arguments, self.style)

    @cached_property
    def table(self) -> CircuitDesign:
        """The table of some lanes; of tables from outside what makes an entry or a scale a term."""
        spec = self.spec
        if spec.is_external:
            return CircuitDesign(scaled_entry, (self.scalings,), self.style, self.front_ranks)
        arguments = (spec.activation, spec.table_inputs, spec.precompute.overflow_policy)
        if spec.is_quantised:
            arguments += (spec.precompute.scale_format, self.scalings[0])
            return CircuitDesign(code_table, arguments, self.style, self.front_ranks)
        return CircuitDesign(term_table, (*arguments, self.scalings), self.style, self.front_ranks)

    def inventory(self) -> Counter:
        spec = self.spec
        results, tables = spec.rows * spec.columns, spec.rows * spec.tables_per_row
        count = times(self.tree.inventory(), results) + self._common_inventory()
        if self.is_tree:
            count += times(self.step.plan.inventory(), results)
        each = spec.entries if spec.is_external and not spec.is_quantised else 1
        count += times(self.table.plan.inventory(), tables * each)
        if spec.is_external and spec.is_quantised:
            codes = tables * spec.entries * spec.precompute.entry.bits
            count["register"] += codes * self.front_ranks
        lookups = spec.columns * len(self.tree.lookups) * (self.lookup.select_bits + 1)
        count["register"] += lookups * self.front_ranks + self.cycle_bits
        return count


class FloatLutTensorCoreUnit(BitSerialUnit, UngroupedTileUnit):
    """Tables, lookups and their sums."""

    specification = FloatLutTensorCore
    planning = FloatLutTensorCorePlan

    def _ends(self, m: Module) -> Value:
        final, _ = self._count_clocks(m)
        return self.i.payload.last & final

    def _prepare(self) -> None:
        self._tree = LookupTree(self.plan.tree)
        self._step = CircuitComponent(self.plan.step) if self.plan.is_tree else None

    def _activations(self, m: Module, platform) -> list[Pins]:
        """What each row offers to look up, by pin of the tree."""
        self._table = CircuitComponent(self.plan.table)
        made = self._taken if self.spec.is_external else self._built
        rows = []
        for row in range(self.spec.rows):
            pins: Pins = {}
            for table in range(self.spec.tables_per_row):
                pins |= made(m, platform, row, table)
            rows.append(pins)
        return rows

    def _words(self, prefix: str, name: str) -> Pins:
        """Signals for an entry at the planes of a clock, by the ends of their pins."""
        words = enumerate(self.plan.tree.words)
        return {f"{prefix}_{plane}": Signal(w.bits, name=f"{name}_{plane}") for plane, w in words}

    def _made(self, m: Module, platform, module: str, name: str, pins: Pins) -> None:
        """An instance of what makes tables or terms."""
        if len(self.plan.shifts) > 1:
            pins = pins | {"cycle": self._cycle}
        shared(m, platform, module, self._table, instance=name, **pins)

    def _built(self, m: Module, platform, row: int, table: int) -> Pins:
        """The table of some activations."""
        spec: FloatLutTensorCore = self.spec
        name, first = f"{row}_{table}", table * spec.table_inputs
        lanes = self.i.payload.a[row]
        pins = {f"a{k}": lanes[first + k] for k in range(spec.table_inputs)}
        outputs: Pins = {}
        for entry in range(spec.entries):
            if spec.is_quantised:
                bits = spec.precompute.entry.bits
                outputs[f"t{entry}"] = Signal(bits, name=f"t_{name}_{entry}")
            else:
                outputs |= self._words(f"t{entry}", f"t_{name}_{entry}")
        if spec.is_quantised:
            outputs["scale"] = Signal(self.plan.tree.words[0].bits, name=f"scale_{name}")
        self._made(m, platform, "table", f"table_{name}", pins | outputs)
        found = {pin.replace("t", f"t{table}_", 1): value for pin, value in outputs.items()}
        if spec.is_quantised:
            found[f"scale{table}"] = found.pop("scale")
        return found

    def _taken(self, m: Module, platform, row: int, table: int) -> Pins:
        """A table that comes from outside."""
        spec: FloatLutTensorCore = self.spec
        name, found = f"{row}_{table}", {}
        taken = self.i.payload.t[row][table]
        for entry in range(spec.entries):
            if spec.is_quantised:
                code = taken[entry].as_unsigned()
                code = delayed(m, code, self.plan.front_ranks, name=f"t_{name}_{entry}")
                found[f"t{table}_{entry}"] = code
                continue
            words = self._words("t", f"t_{name}_{entry}")
            instance = f"entry_{name}_{entry}"
            self._made(m, platform, "entry", instance, words | {"entry": taken[entry]})
            found |= {pin.replace("t", f"t{table}_{entry}"): word for pin, word in words.items()}
        if spec.is_quantised:
            words = self._words("t", f"scale_{name}")
            scale = {"entry": self.i.payload.table_scale[row][table]}
            self._made(m, platform, "scale", f"scale_{name}", words | scale)
            found[f"scale{table}"] = words["t_0"]
        return found

    def _weights(self, m: Module, platform) -> list[Pins]:
        """What the columns look up, by pin of the tree, behind the front ranks."""
        spec: FloatLutTensorCore = self.spec
        codes = [
            [self.i.payload.w[column][lane] for lane in range(spec.lanes)]
            for column in range(spec.columns)
        ]
        counting = self._counting(m)
        columns = []
        for column, lanes in enumerate(self._planes(m, codes)):
            pins: Pins = {}
            for table, plane in self.plan.tree.lookups:
                first = table * spec.table_inputs
                bits = [lane[plane] for lane in lanes[first : first + spec.table_inputs]]
                where = (f"{column}_{table}_{plane}", f"{table}_{plane}")
                pins |= self._lookup(m, where, bits, counting[plane])
            columns.append(pins)
        return columns

    def _lookup(self, m: Module, where: tuple[str, str], bits: list[Value], counts: Value) -> Pins:
        """What selects the entry of a table's bits of one plane, and whether it is negated."""
        name, pin = where
        *index, positive = bits
        select = self.plan.lookup.select(m, Cat(index), counts, name=f"select_{name}")
        negate = Signal(name=f"negate_{name}")
        m.d.comb += negate.eq(~positive & counts if self.plan.gated else ~positive)
        ranks = self.plan.front_ranks
        return {
            f"select{pin}": delayed(m, select, ranks, name=f"select_{name}"),
            f"negate{pin}": delayed(m, negate, ranks, name=f"negate_{name}"),
        }

    def _following(self, m: Module, platform, name: str, so_far: Value, a: Pins, w: Pins) -> Value:
        spec: FloatLutTensorCore = self.spec
        pins = a | w
        pins["total"] = total = Signal(self.plan.tree.total.bits, name=f"total_{name}")
        if not self.plan.is_tree:
            pins["acc"] = so_far
        shared(m, platform, "lookup_tree", self._tree, instance=f"lookup_tree_{name}", **pins)
        if not self.plan.is_tree:
            return total
        following = Signal(spec.accumulator.bits, name=f"sum_{name}")
        pins = {"a": so_far, "b": total, "total": following}
        instance = f"accumulate_{name}"
        shared(m, platform, "accumulate", self._step, instance=instance, **pins)
        return following
