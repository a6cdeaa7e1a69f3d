"""Tiles whose activations may be floats: shifted or aligned once per row and lane, then added.

What follows is the integer tile. Sums in fixed point need nothing else; aligned sums keep an
exponent for each row, whose rise shifts the row's accumulators to the right.
"""

from collections import Counter
from functools import cached_property

from amaranth.hdl import Module, Mux, Signal, Value

from multipede.golden.mixed_tile import MixedTile
from multipede.hw.arithmetic.addends import aligned_lanes, fixed_point, raised_accumulator
from multipede.hw.arithmetic.circuit_component import CircuitComponent, CircuitDesign
from multipede.hw.hierarchy import shared
from multipede.hw.integer_tile import (
    Control,
    IntegerTilePlan,
    IntegerTileUnit,
    Operands,
    held,
    times,
)
from multipede.hw.unit import delayed

__all__ = ["MixedTilePlan", "MixedTileUnit"]


class MixedTilePlan(IntegerTilePlan):
    """As the integer tile's, with a register rank behind the addends if there is one to spare."""

    spec: MixedTile

    @property
    def front_ranks(self) -> int:
        """Register ranks behind the addends."""
        return int(self.spec.is_float and self.spec.stages - 1 - self.output_ranks > 0)

    @cached_property
    def fixed_point(self) -> CircuitDesign:
        """The addend of one lane, for exact sums."""
        arguments = (self.spec.activation, self.spec.addend.bits)
        return CircuitDesign(fixed_point, arguments, self.style)

    @cached_property
    def aligned_lanes(self) -> CircuitDesign:
        """The addends of a row, for aligned sums."""
        arguments = (self.spec.activation, self.spec.lanes, self.spec.guard_bits)
        return CircuitDesign(aligned_lanes, arguments, self.style)

    def raised(self, width: int) -> CircuitDesign:
        """What an aligned accumulator keeps when the exponent rises."""
        arguments = (width, self.spec.activation.exponent_bits)
        return CircuitDesign(raised_accumulator, arguments, self.style)

    def _group_inventory(self) -> Counter:
        count = super()._group_inventory()
        if not self.spec.is_float:
            return count
        count += self._addend_inventory()
        count["register"] += self._front_registers() + self._side_registers()
        return count

    def _addend_inventory(self) -> Counter:
        spec = self.spec
        if not spec.is_aligned:
            return times(self.fixed_point.plan.inventory(), spec.rows * spec.lanes)
        count = times(self.aligned_lanes.plan.inventory(), spec.rows)
        if not self.counted:
            return count
        widths = Counter({self.accumulator_bits: spec.rows * spec.columns})
        widths[spec.activation_sum.bits] += spec.rows * self.corrects
        for width, number in widths.items():
            count += times(self.raised(width).plan.inventory(), number)
        return count

    def _front_registers(self) -> int:
        """Addends and weights behind the front rank; zero points are counted with the others."""
        spec = self.spec
        addends = spec.rows * spec.lanes * spec.addend.bits
        weights = spec.columns * spec.lanes * spec.weight.bits
        return self.front_ranks * (addends + weights)

    def _side_registers(self) -> int:
        """Exponents, rises and NaN flags of the rows."""
        spec = self.spec
        ranks = self.front_ranks + self.dot_ranks
        multiple = self.counted
        behind = ranks + 1 + self.output_ranks
        count = 0
        if spec.is_aligned:
            bits = spec.activation.exponent_bits
            count += bits * (multiple + behind) + (bits * ranks if multiple else 0)
        if spec.has_nan:
            count += multiple + behind
        return spec.rows * count


class MixedTileUnit(IntegerTileUnit):
    """Any :class:`MixedTile`; subclasses name the specification."""

    planning = MixedTilePlan

    def _group_sums(self, platform) -> Module:
        # What the rows keep beside their sums, in order of the rows.
        self._rises: list[Value] = []
        self._exponents: list[Value] = []
        self._specials: list[Value] = []
        self._components: dict[CircuitDesign, CircuitComponent] = {}
        return super()._group_sums(platform)

    def _component(self, design: CircuitDesign) -> CircuitComponent:
        """The one component of a design."""
        if design not in self._components:
            self._components[design] = CircuitComponent(design)
        return self._components[design]

    def _operands(self, m: Module, platform, arriving: Control) -> Operands:
        operands = super()._operands(m, platform, arriving)
        if not self.spec.is_float:
            return operands
        addends = self._converted(m, platform, arriving, operands.addends)
        return Operands(
            addends=self._behind_front(m, addends, "addend"),
            weights=self._behind_front(m, operands.weights, "w"),
            zeros=[
                delayed(m, z, self.plan.front_ranks, name=f"z_front_{column}")
                for column, z in enumerate(operands.zeros)
            ],
        )

    def _converted(
        self, m: Module, platform, arriving: Control, codes: list[list[Value]]
    ) -> list[list[Value]]:
        """The addends that stand for codes of activations, [row][lane]."""
        if not self.spec.is_float:
            return codes
        convert = self._aligned if self.spec.is_aligned else self._fixed
        return [convert(m, platform, arriving, *row) for row in enumerate(codes)]

    def _behind_front(self, m: Module, values: list[list[Value]], name: str) -> list[list[Value]]:
        ranks = self.plan.front_ranks
        return [
            [delayed(m, v, ranks, name=f"{name}_{i}_{lane}") for lane, v in enumerate(lanes)]
            for i, lanes in enumerate(values)
        ]

    def _fixed(
        self, m: Module, platform, arriving: Control, row: int, codes: list[Value]
    ) -> list[Value]:
        component = self._component(self.plan.fixed_point)
        addends, specials = [], []
        for lane, code in enumerate(codes):
            addend = Signal(self.spec.addend.bits, name=f"addend_{row}_{lane}")
            special = Signal(name=f"special_{row}_{lane}")
            pins = {"code": code, "addend": addend, "special": special}
            name = f"a_{row}_{lane}_fixed_point"
            shared(m, platform, "fixed_point", component, instance=name, **pins)
            addends.append(addend.as_signed())
            specials.append(special)
        self._mark(m, arriving, row, _any(specials))
        return addends

    def _aligned(
        self, m: Module, platform, arriving: Control, row: int, codes: list[Value]
    ) -> list[Value]:
        spec: MixedTile = self.spec
        bits = spec.activation.exponent_bits
        so_far = Signal(bits, name=f"exponent_{row}_so_far")
        raised, rise = (Signal(bits, name=f"{name}_{row}") for name in ("exponent", "rise"))
        special = Signal(name=f"special_{row}")
        addends = [
            Signal(spec.addend.bits, name=f"addend_{row}_{lane}") for lane in range(spec.lanes)
        ]
        pins = {f"code{lane}": code for lane, code in enumerate(codes)}
        pins |= {f"addend{lane}": addend for lane, addend in enumerate(addends)}
        pins |= {"exponent": so_far, "raised": raised, "rise": rise, "special": special}
        component = self._component(self.plan.aligned_lanes)
        shared(m, platform, "aligned_lanes", component, instance=f"a_{row}_aligned", **pins)
        if arriving.counted:
            register = held(m, raised, arriving.accept, name=f"exponent_{row}_reached")
            m.d.comb += so_far.eq(Mux(arriving.keep, register, 0))
            ranks = self.plan.front_ranks + self.plan.dot_ranks
            self._rises.append(delayed(m, rise, ranks, name=f"rise_{row}"))
        else:
            m.d.comb += so_far.eq(0)
        self._exponents.append(raised)
        self._mark(m, arriving, row, special)
        return [addend.as_signed() for addend in addends]

    def _mark(self, m: Module, arriving: Control, row: int, special: Value) -> None:
        """Keep whether the group has had an activation that is no number."""
        nan = Signal(name=f"nan_{row}")
        if arriving.counted:
            register = Signal(name=f"nan_{row}_reached", reset_less=True)
            m.d.comb += nan.eq(special | (arriving.keep & register))
            with m.If(arriving.accept):
                m.d.sync += register.eq(nan)
        else:
            m.d.comb += nan.eq(special)
        self._specials.append(nan)

    def _kept(self, m: Module, platform, register: Signal, row: int) -> Value:
        if not self._rises:  # nothing is shifted, or no group has a second record
            return register
        width = len(register)
        kept = Signal(width, name=f"{register.name}_kept")
        pins = {"value": register, "rise": self._rises[row], "kept": kept}
        component = self._component(self.plan.raised(width))
        name = f"raised_{width}"
        shared(m, platform, name, component, instance=f"{register.name}_{name}", **pins)
        return kept

    def _annotate(self, m: Module, arriving: Control, control: Control) -> None:
        if not self.spec.is_float:
            return
        payload = self.o.payload
        for row in range(self.spec.rows):
            if self.spec.is_aligned:
                out = self._to_output(m, control, self._exponents[row], f"exponent_{row}")
                m.d.comb += payload.exponent[row].eq(out)
            if self.spec.has_nan:
                out = self._to_output(m, control, self._specials[row], f"nan_{row}")
                m.d.comb += payload.nan[row].eq(out)

    def _to_output(self, m: Module, control: Control, value: Value, name: str) -> Value:
        """A value of the record that ends a group, beside its result."""
        value = delayed(m, value, self.plan.front_ranks + self.plan.dot_ranks, name=f"{name}_in")
        value = held(m, value, control.accept, name=f"{name}_held")
        return delayed(m, value, self.plan.output_ranks, name=f"{name}_out")


def _any(values: list[Value]) -> Value:
    total = values[0]
    for value in values[1:]:
        total = total | value
    return total
