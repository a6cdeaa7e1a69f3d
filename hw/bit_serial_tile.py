"""The bit-serial tile: planes of weights gate the addends, whose sum is shifted and accumulated.

With all planes in one clock it is the shift-and-add tile, products and accumulator on one heap.
"""

from collections import Counter
from functools import cached_property

from amaranth.hdl import Cat, Module, Signal

from multipede.golden.bit_serial_tile import BitSerialTile
from multipede.hw.arithmetic.bitheap import Gate, Heap, Operand, Row
from multipede.hw.arithmetic.circuit_component import CircuitComponent, CircuitDesign
from multipede.hw.arithmetic.plane_sum import plane_sum
from multipede.hw.arithmetic.summation import Summation, plan
from multipede.hw.hierarchy import shared
from multipede.hw.integer_tile import Control, Operands, times
from multipede.hw.serial_tile import SerialTilePlan, SerialTileUnit
from multipede.hw.unit import delayed

__all__ = ["BitSerialTilePlan", "BitSerialTileUnit"]


class BitSerialTilePlan(SerialTilePlan):
    """Register ranks behind the addends of floats, in the sum of a clock's planes, accumulators."""

    spec: BitSerialTile

    @property
    def is_parallel(self) -> bool:
        """Whether every plane always stands at its own place."""
        return self.spec.cycles == 1 and not self.spec.run_time_bits

    @cached_property
    def plane_sum(self) -> CircuitDesign:
        """What a clock's planes give to the accumulator."""
        spec = self.spec
        arguments = (
            *spec.addend_range,
            spec.lanes,
            spec.planes,
            spec.weight.signed,
            self.shifts,
        )
        return CircuitDesign(plane_sum, arguments, self.style, self.dot_ranks)

    @property
    def accumulation(self) -> Heap:
        """P of one row and column."""
        width = self.spec.result.bits
        operands = {
            "total": Operand(len(self.plane_sum.plan.circuit.outputs["total"]), True),
            "acc": Operand(width),
            "keep": Operand(1),
        }
        return Heap(width, operands, (Row("total"), Row("acc", gate=Gate("keep"))))

    def _product_inventory(self) -> Counter:
        if self.is_parallel:
            return super()._product_inventory()
        count = self.plane_sum.plan.inventory() + plan(self.accumulation, self.style).inventory()
        return times(count, self.spec.rows * self.spec.columns)

    def _front_registers(self) -> int:
        if self.is_parallel:
            return super()._front_registers()
        spec = self.spec
        addends = spec.rows * spec.lanes * spec.addend.bits
        weights = spec.columns * spec.lanes * spec.planes
        steering = self.cycle_bits + spec.planes * spec.weight.signed
        return self.front_ranks * (addends + weights + steering)


class BitSerialTileUnit(SerialTileUnit):
    """The sum of gated addends for each row and column."""

    specification = BitSerialTile
    planning = BitSerialTilePlan

    def _operands(self, m: Module, platform, arriving: Control) -> Operands:
        operands = super()._operands(m, platform, arriving)
        if self.plan.is_parallel:
            return operands
        spec: BitSerialTile = self.spec
        codes = [self._lanes(self.i.payload.w[column]) for column in range(spec.columns)]
        planes = self._planes(m, codes)
        if spec.run_time_bits:
            counting = Signal(spec.planes, name="planes_count")
            m.d.comb += counting.eq(Cat(self._counting(m)))
            planes = [[plane & counting for plane in lanes] for lanes in planes]
        ranks = self.plan.front_ranks
        self._steering = {}
        if spec.cycles > 1:
            self._steering["cycle"] = delayed(m, self._cycle, ranks, name="cycle")
        if spec.weight.signed:
            highest = Signal(spec.planes, name="highest_planes")
            m.d.comb += highest.eq(Cat(self._highest(m)))
            self._steering["highest"] = delayed(m, highest, ranks, name="highest_planes")
        return Operands(operands.addends, self._behind_front(m, planes, "planes"), operands.zeros)

    def _accumulators(
        self, m: Module, platform, control: Control, operands: Operands
    ) -> dict[tuple[int, int], Signal]:
        if self.plan.is_parallel:
            return super()._accumulators(m, platform, control, operands)
        spec: BitSerialTile = self.spec
        component = CircuitComponent(self.plan.plane_sum)
        accumulation = Summation(self.plan.accumulation, style=self.style)
        products = {}
        for row, addends in enumerate(operands.addends):
            for column in range(spec.columns):
                name = f"{row}_{column}"
                total = Signal(len(component.total), name=f"total_{name}")
                pins = {f"a{lane}": value for lane, value in enumerate(addends)}
                pins |= {f"w{lane}": v for lane, v in enumerate(operands.weights[column])}
                pins |= self._steering | {"total": total}
                instance = f"p_{name}_plane_sum"
                shared(m, platform, "plane_sum", component, instance=instance, **pins)
                what = (f"p_{name}", row, "accumulation", accumulation)
                summed = {"total": total.as_signed()}
                products[row, column] = self._accumulator(m, platform, control, what, summed)
        return products
