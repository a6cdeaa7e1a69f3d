"""The integer matrix tile: group control, shared activation sums, zero-point correction.

Per row and column one dot product with its accumulator on a single bit heap; per row one
activation sum; behind the accumulators D = P - z S, again by shift and add.
"""

from collections import Counter
from dataclasses import dataclass

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib.data import View

from multipede.golden.formats import Integer
from multipede.golden.integer_tile import IntegerTile
from multipede.golden.multiplier_tile import PartialProducts
from multipede.hw.arithmetic.bitheap import Gate, Heap, Operand, Row
from multipede.hw.arithmetic.dot_product import DotProduct, DotProductPlan
from multipede.hw.arithmetic.products import booth_digits
from multipede.hw.arithmetic.summation import Summation, plan
from multipede.hw.hierarchy import shared
from multipede.hw.unit import Unit, UnitPlan, delayed

__all__ = ["IntegerTilePlan", "IntegerTileUnit"]


@dataclass(frozen=True)
class _Control:
    """What steers the accumulators, as it arrives with a record behind the dot product's ranks."""

    accept: Value
    keep: Value
    end: Value
    last: Value


class IntegerTilePlan(UnitPlan):
    """Sums and register ranks of a tile.

    Ranks: those that cut the dot product, the accumulators, and one at the output if there is a
    zero point and more than one stage.
    """

    spec: IntegerTile

    @property
    def partial_products(self) -> PartialProducts:
        """How a product becomes rows of the bit heap: gated copies of the activation."""
        return PartialProducts.BAUGH_WOOLEY

    @property
    def output_ranks(self) -> int:
        """Register ranks behind the zero-point correction."""
        return int(self.spec.zero_point and self.spec.stages > 1)

    @property
    def dot_ranks(self) -> int:
        """Register ranks inside the dot product."""
        return self.spec.stages - 1 - self.output_ranks

    @property
    def dot_product(self) -> DotProductPlan:
        """P of one row and column: products and accumulator."""
        spec = self.spec
        return DotProductPlan(
            a=spec.activation,
            w=spec.weight,
            lanes=spec.lanes,
            width=spec.result.bits,
            accumulate=True,
            partial_products=self.partial_products,
            style=self.style,
            ranks=self.dot_ranks,
        )

    @property
    def activation_sum(self) -> Heap:
        """S of one row."""
        spec = self.spec
        operands = {f"a{lane}": _operand(spec.activation) for lane in range(spec.lanes)}
        rows = [Row(name) for name in operands]
        width = spec.activation_sum.bits
        operands |= {"acc": Operand(width), "keep": Operand(1)}
        rows.append(Row("acc", gate=Gate("keep"), late=True))
        return Heap(width, operands, tuple(rows))

    @property
    def zero_correction(self) -> Heap:
        """D = P - z S of one row and column: copies of S gated with the bits of z."""
        spec = self.spec
        operands = {
            "p": Operand(spec.result.bits),
            "s": _operand(spec.activation_sum),
            "z": Operand(spec.weight.bits),
        }
        rows = [Row("p")]
        for bit in range(spec.weight.bits):
            top_of_signed = spec.weight.signed and bit == spec.weight.bits - 1
            rows.append(Row("s", shift=bit, negative=not top_of_signed, gate=Gate("z", bit)))
        return Heap(spec.result.bits, operands, tuple(rows))

    def inventory(self) -> Counter:
        spec = self.spec
        results = spec.rows * spec.columns
        count = _times(self.dot_product.inventory(), results)
        registers = results * spec.result.bits + self._control_registers()
        if self.dot_product.booth:
            count["booth_digit"] += spec.columns * spec.lanes * booth_digits(spec.weight)
        if spec.zero_point:
            sums = plan(self.activation_sum, self.style, ranks=self.dot_ranks)
            count += _times(sums.inventory(), spec.rows)
            count += _times(plan(self.zero_correction, self.style).inventory(), results)
            registers += spec.rows * spec.activation_sum.bits
            registers += spec.columns * spec.weight.bits * (self.dot_ranks + 1)
            registers += self.output_ranks * results * spec.result.bits
        count["register"] += registers
        return count

    def _control_registers(self) -> int:
        position = (self.spec.records_per_group - 1).bit_length()
        counted = 2 * int(position > 0)  # keep and end
        in_flight = self.dot_ranks * (2 + counted)  # accept and last beside them
        return position + in_flight + 2 * (1 + self.output_ranks)  # done and last


class IntegerTileUnit(Unit):
    """Any :class:`IntegerTile`; subclasses name the specification and the plan."""

    planning = IntegerTilePlan

    def elaborate(self, platform) -> Module:
        m = Module()
        spec: IntegerTile = self.spec
        control = self._control(m)
        products = self._accumulators(m, platform, control)
        done = delayed(m, control.accept & control.end, 1, name="done", reset=True)
        last = _held(m, control.last, control.accept, name="last")
        if spec.zero_point:
            results = self._corrected(m, platform, control, products)
        else:
            results = products
        m.d.comb += [
            self.o.valid.eq(delayed(m, done, self.plan.output_ranks, name="valid", reset=True)),
            self.o.payload.last.eq(delayed(m, last, self.plan.output_ranks, name="last_out")),
        ]
        for (row, column), value in results.items():
            out = delayed(m, value, self.plan.output_ranks, name=f"d_{row}_{column}")
            m.d.comb += self.o.payload.d[row][column].eq(out)
        return m

    def _control(self, m: Module) -> _Control:
        """Count the records of a group; delay the control signals like the dot products."""
        last = self.i.payload.last
        keep, end = Signal(name="keep"), Signal(name="ends")
        records = self.spec.records_per_group
        if records == 1:
            m.d.comb += [keep.eq(0), end.eq(1)]
        else:
            position = Signal(range(records))
            m.d.comb += [keep.eq(position != 0), end.eq(last | (position == records - 1))]
            with m.If(self.i.valid):
                m.d.sync += position.eq(Mux(end, 0, position + 1))
        ranks = self.plan.dot_ranks
        return _Control(
            accept=delayed(m, self.i.valid, ranks, name="accept", reset=True),
            keep=keep if records == 1 else delayed(m, keep, ranks, name="keep"),
            end=end if records == 1 else delayed(m, end, ranks, name="end"),
            last=delayed(m, last, ranks, name="last_in"),
        )

    def _accumulators(
        self, m: Module, platform, control: _Control
    ) -> dict[tuple[int, int], Signal]:
        """P of each row and column, registered."""
        spec: IntegerTile = self.spec
        dot = DotProduct(self.plan.dot_product)
        weights = [
            [
                dot.plan.recode(m, value, name=f"w_{column}_{lane}")
                for lane, value in enumerate(self._lanes(self.i.payload.w[column]))
            ]
            for column in range(spec.columns)
        ]
        products = {}
        for row in range(spec.rows):
            activations = self._lanes(self.i.payload.a[row])
            for column in range(spec.columns):
                factors = {f"a{lane}": value for lane, value in enumerate(activations)}
                factors |= {f"w{lane}": value for lane, value in enumerate(weights[column])}
                products[row, column] = self._accumulator(
                    m, platform, control, f"p_{row}_{column}", ("dot_product", dot), factors
                )
        return products

    def _accumulator(
        self, m: Module, platform, control: _Control, name: str, sum_: tuple, operands: dict
    ) -> Signal:
        """A register that takes ``sum_`` of the operands and itself with each record."""
        module, component = sum_
        width = len(component.sum)
        register = Signal(width, name=name, reset_less=True)
        following = Signal(width, name=f"{name}_next")
        pins = operands | {"acc": register, "keep": control.keep, "sum": following}
        shared(m, platform, module, component, instance=f"{name}_{module}", **pins)
        with m.If(control.accept):
            m.d.sync += register.eq(following)
        return register

    def _corrected(
        self, m: Module, platform, control: _Control, products: dict[tuple[int, int], Signal]
    ) -> dict[tuple[int, int], Signal]:
        """D of each row and column from the accumulators, combinational."""
        spec: IntegerTile = self.spec
        style, ranks = self.style, self.plan.dot_ranks
        activation_sum = Summation(self.plan.activation_sum, style=style, ranks=ranks)
        correction = Summation(self.plan.zero_correction, style=style)
        sums = []
        for row in range(spec.rows):
            lanes = self._lanes(self.i.payload.a[row])
            operands = {f"a{lane}": value for lane, value in enumerate(lanes)}
            what = ("activation_sum", activation_sum)
            sums.append(self._accumulator(m, platform, control, f"s_{row}", what, operands))
        zeros = []
        for column in range(spec.columns):
            z = Signal.like(self.i.payload.z[column], name=f"z_in_{column}")
            m.d.comb += z.eq(self.i.payload.z[column])
            z = delayed(m, z, self.plan.dot_ranks, name=f"z_in_{column}")
            zeros.append(_held(m, z, control.accept, name=f"z_{column}"))
        results = {}
        for (row, column), product in products.items():
            result = Signal(spec.result.bits, name=f"d_{row}_{column}")
            pins = {"p": product, "s": sums[row], "z": zeros[column].as_unsigned()}
            name = f"d_{row}_{column}_correction"
            shared(m, platform, "zero_correction", correction, instance=name, sum=result, **pins)
            results[row, column] = result
        return results

    def _lanes(self, values: View) -> list[Value]:
        return [values[lane] for lane in range(self.spec.lanes)]


def _held(m: Module, value: Value, enable: Value, *, name: str) -> Signal:
    register = Signal.like(value, name=name, init=0, reset_less=True)
    with m.If(enable):
        m.d.sync += register.eq(value)
    return register


def _operand(format_: Integer) -> Operand:
    return Operand(format_.bits, format_.signed)


def _times(count: Counter, factor: int) -> Counter:
    return Counter({kind: number * factor for kind, number in count.items()})
