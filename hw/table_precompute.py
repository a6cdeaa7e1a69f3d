"""The unit that makes tables of activations: one circuit for each table."""

from collections import Counter
from functools import cached_property

from amaranth.hdl import Module

from multipede.golden.table_precompute import TableFormat, TablePrecompute
from multipede.hw.arithmetic.circuit_component import CircuitComponent, CircuitDesign
from multipede.hw.arithmetic.lookup_tables import table_circuit
from multipede.hw.arithmetic.quantised_tables import quantised_table_circuit
from multipede.hw.arithmetic.rounded_tables import rounded_table_circuit
from multipede.hw.hierarchy import shared
from multipede.hw.integer_tile import times
from multipede.hw.unit import Unit, UnitPlan, delayed

__all__ = ["TablePrecomputePlan", "TablePrecomputeUnit"]


class TablePrecomputePlan(UnitPlan):
    """All register ranks lie inside of the tables' circuit."""

    spec: TablePrecompute

    @cached_property
    def table(self) -> CircuitDesign:
        """What makes a table of its activations."""
        spec = self.spec
        ranks = spec.stages
        match spec.table_format:
            case TableFormat.EXACT:
                a = spec.activation
                arguments = (a.minimum, a.maximum, spec.table_inputs, spec.reinterpreted)
                return CircuitDesign(table_circuit, arguments, self.style, ranks)
            case TableFormat.ROUNDED:
                builder, more = rounded_table_circuit, ()
            case TableFormat.INT8:
                builder, more = quantised_table_circuit, (spec.scale_format,)
        arguments = (spec.activation, spec.table_inputs, spec.reinterpreted, spec.overflow_policy)
        return CircuitDesign(builder, arguments + more, self.style, ranks)

    def inventory(self) -> Counter:
        spec = self.spec
        count = times(self.table.plan.inventory(), spec.rows * spec.tables_per_row)
        count["register"] += spec.latency  # valid
        return count


class TablePrecomputeUnit(Unit):
    """Tables side by side."""

    specification = TablePrecompute
    planning = TablePrecomputePlan

    def elaborate(self, platform) -> Module:
        m = Module()
        spec: TablePrecompute = self.spec
        component = CircuitComponent(self.plan.table)
        taken, given = self.i.payload, self.o.payload
        valid = delayed(m, self.i.valid, spec.latency, name="valid", reset=True)
        m.d.comb += self.o.valid.eq(valid)
        for row in range(spec.rows):
            for table in range(spec.tables_per_row):
                first = table * spec.table_inputs
                pins = {f"a{k}": taken.a[row][first + k] for k in range(spec.table_inputs)}
                entries = given.t[row][table]
                pins |= {f"t{index}": entries[index] for index in range(spec.entries)}
                if spec.is_quantised:
                    pins["scale"] = given.table_scale[row][table]
                name = f"table_{row}_{table}"
                shared(m, platform, "table", component, instance=name, **pins)
        return m
