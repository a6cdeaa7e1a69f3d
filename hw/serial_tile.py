"""Tiles that take the bits of their weights in turn: which planes are worked on in which clock.

A record stays at the input while its planes are worked on, and is taken in the last clock. What
must see a record once, such as the activation sums, does so in the first.
"""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from multipede.golden.serial_tile import BitSerial, SerialTile
from multipede.hw.integer_tile import Control
from multipede.hw.mixed_tile import MixedTilePlan, MixedTileUnit
from multipede.hw.multiplexer import chosen

__all__ = ["BitSerialPlan", "BitSerialUnit", "SerialTilePlan", "SerialTileUnit"]


class BitSerialPlan:
    """Mixin of the plans of tiles that take planes in turn."""

    spec: BitSerial

    @property
    def cycle_bits(self) -> int:
        """Bits of the number of a record's clock."""
        return (self.spec.cycles - 1).bit_length()

    @property
    def shifts(self) -> tuple[int, ...]:
        """The places of the lowest plane in each clock."""
        return tuple(range(0, self.spec.weight.bits, self.spec.planes))

    @property
    def gated(self) -> bool:
        """Whether some planes of some clocks do not count."""
        return self.spec.run_time_bits or self.spec.weight.bits % self.spec.planes > 0


class SerialTilePlan(BitSerialPlan, MixedTilePlan):
    """As the mixed tile's, with a count of clocks."""

    spec: SerialTile

    def _control_registers(self) -> int:
        beginning = int(self.cycle_bits > 0) * (self.front_ranks + self.dot_ranks)
        return super()._control_registers() + self.cycle_bits + beginning


class BitSerialUnit:
    """Mixin of the units: the number of the clock is ``_cycle``."""

    def _count_clocks(self, m: Module) -> tuple[Value, Value]:
        """Count the clocks of a record; whether this is its last, and whether it is its first."""
        spec: BitSerial = self.spec
        self._cycle: Value = Const(0, 1)
        if spec.cycles == 1:
            return Const(1, 1), Const(1, 1)
        self._cycle = cycle = Signal(range(spec.cycles), name="cycle")
        final, begins = Signal(name="final_cycle"), Signal(name="begins")
        m.d.comb += [
            final.eq(cycle == self._final_cycle()),
            begins.eq(~cycle.any()),
            self.i.ready.eq(final),
        ]
        with m.If(self.i.valid):
            m.d.sync += cycle.eq(Mux(final, 0, cycle + 1))
        return final, begins

    def _final_cycle(self) -> Value:
        """The number of a record's last clock."""
        spec: BitSerial = self.spec
        if not spec.run_time_bits:
            return Const(spec.cycles - 1)
        numbers = [code // spec.planes for code in range(spec.weight.bits)]
        return chosen(self.i.payload.bits, [Const(number) for number in numbers])

    def _counting(self, m: Module) -> list[Value]:
        """Whether each plane of this clock counts."""
        spec: BitSerial = self.spec
        if not self.plan.gated:
            return [Const(1, 1)] * spec.planes
        found = []
        highest = self.i.payload.bits if spec.run_time_bits else spec.weight.bits - 1
        for plane in range(spec.planes):
            counts = Signal(name=f"plane_{plane}_counts")
            place = chosen(self._cycle, [Const(shift + plane) for shift in self.plan.shifts])
            m.d.comb += counts.eq(place <= highest)
            found.append(counts)
        return found

    def _highest(self, m: Module) -> list[Value]:
        """Whether each plane of this clock is the highest of its weights."""
        spec: BitSerial = self.spec
        found = []
        highest = self.i.payload.bits if spec.run_time_bits else Const(spec.weight.bits - 1)
        for plane in range(spec.planes):
            is_highest = Signal(name=f"plane_{plane}_is_highest")
            place = chosen(self._cycle, [Const(shift + plane) for shift in self.plan.shifts])
            m.d.comb += is_highest.eq(place == highest)
            found.append(is_highest)
        return found

    def _planes(self, m: Module, codes: list[list[Value]]) -> list[list[Signal]]:
        """The planes of this clock of the weights [column][lane]; 0 beyond the weight's bits."""
        planes, shifts = self.spec.planes, self.plan.shifts
        found = []
        for column, lanes in enumerate(codes):
            found.append([])
            for lane, code in enumerate(lanes):
                word = Cat(code, Const(0, planes * len(shifts) - len(code)))
                parts = [word[shift : shift + planes] for shift in shifts]
                plane = Signal(planes, name=f"planes_{column}_{lane}")
                m.d.comb += plane.eq(chosen(self._cycle, parts))
                found[-1].append(plane)
        return found


class SerialTileUnit(BitSerialUnit, MixedTileUnit):
    """Any :class:`SerialTile`; subclasses name the specification and the plan."""

    planning = SerialTilePlan

    def _control(self, m: Module) -> Control:
        """Count the clocks of a record and the records of a group."""
        spec: SerialTile = self.spec
        final, begins = self._count_clocks(m)
        if spec.cycles == 1:
            return super()._control(m)
        last = self.i.payload.last
        keep, end = Signal(name="keep"), Signal(name="ends")
        records = spec.records_per_group
        if records == 1:
            m.d.comb += [keep.eq(~begins), end.eq(final)]
        else:
            position = Signal(range(records))
            whole = position == records - 1
            m.d.comb += [keep.eq((position != 0) | ~begins), end.eq(final & (last | whole))]
            with m.If(self.i.valid & final):
                m.d.sync += position.eq(Mux(end, 0, position + 1))
        return Control(self.i.valid, keep, end, last, counted=True, begins=begins)
