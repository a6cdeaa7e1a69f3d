"""The integer matrix tile: group control, shared activation sums, zero-point correction.

Per row and column one dot product with its accumulator on a single bit heap; per row one
activation sum; behind the accumulators D = P - z S, again by shift and add.
"""

from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib.data import View

from multipede.golden.formats import Integer
from multipede.golden.integer_tile import IntegerTile
from multipede.golden.multiplier_tile import PartialProducts
from multipede.hw.arithmetic.bitheap import Gate, Heap, Operand, Row
from multipede.hw.arithmetic.dot_product import DotProduct, DotProductPlan
from multipede.hw.arithmetic.products import booth_digits
from multipede.hw.arithmetic.summation import Summation, plan
from multipede.hw.dequantised_tile import DequantisationPlan, elaborate_dequantised
from multipede.hw.hierarchy import shared
from multipede.hw.unit import Unit, UnitPlan, delayed

__all__ = [
    "Control",
    "IntegerTilePlan",
    "IntegerTileUnit",
    "Operands",
    "held",
    "operand",
    "times",
]


@dataclass(frozen=True)
class Control:
    """What steers the accumulators, as it arrives with a record or a part of one.

    ``keep`` is 0 on a group's first record, ``end`` 1 on its last one; both are constant unless
    ``counted``. ``begins`` is 1 where a record begins.
    """

    accept: Value
    keep: Value
    end: Value
    last: Value
    counted: bool
    begins: Value = field(default_factory=lambda: Const(1, 1))

    def after(self, m: Module, ranks: int) -> "Control":
        """The same behind so many register ranks."""
        return Control(
            accept=delayed(m, self.accept, ranks, name="accept", reset=True),
            keep=delayed(m, self.keep, ranks, name="keep") if self.counted else self.keep,
            end=delayed(m, self.end, ranks, name="end") if self.counted else self.end,
            last=delayed(m, self.last, ranks, name="last_in"),
            counted=self.counted,
            begins=self._begins_after(m, ranks),
        )

    def _begins_after(self, m: Module, ranks: int) -> Value:
        if isinstance(self.begins, Const):
            return self.begins
        return delayed(m, self.begins, ranks, name="begins")

    @property
    def of_records(self) -> "Control":
        """The same for what takes each record once: where it begins."""
        return replace(self, accept=self.accept & self.begins)


@dataclass(frozen=True)
class Operands:
    """What a record puts into the sums: ``addends`` [row][lane], ``weights`` [column][lane], and
    ``zeros`` [column] if there are zero points."""

    addends: list[list[Value]]
    weights: list[list[Value]]
    zeros: list[Value]

    @property
    def summed(self) -> list[list[Value]]:
        """What the activation sum of each row is made of."""
        return self.addends


class IntegerTilePlan(UnitPlan):
    """Sums and register ranks of a tile.

    Ranks: ``front_ranks`` behind what is made of the inputs, those that cut the dot product, the
    accumulators, and one at the output if there is a zero point and more than one stage.
    """

    spec: IntegerTile
    front_ranks = 0

    @property
    def partial_products(self) -> PartialProducts:
        """How a product becomes rows of the bit heap: gated copies of the activation."""
        return PartialProducts.BAUGH_WOOLEY

    @property
    def corrects(self) -> bool:
        """Whether D is made of the accumulators and the activation sums."""
        return self.spec.zero_point

    @property
    def counted(self) -> bool:
        """Whether a group takes more than one clock."""
        return self.spec.group_cycles > 1

    @property
    def accumulator_bits(self) -> int:
        """Bits of the accumulator of each row and column."""
        return self.spec.result.bits

    @property
    def output_ranks(self) -> int:
        """Register ranks behind the zero-point correction."""
        return int(self.corrects and self.spec.stages > 1)

    @property
    def dot_ranks(self) -> int:
        """Register ranks inside the dot product."""
        return self.spec.stages - 1 - self.output_ranks - self.front_ranks

    @property
    def dot_product(self) -> DotProductPlan:
        """P of one row and column: products and accumulator."""
        spec = self.spec
        return DotProductPlan(
            a=spec.addend,
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
        operands = {f"a{lane}": operand(spec.addend) for lane in range(spec.lanes)}
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
            "s": operand(spec.activation_sum),
            "z": Operand(spec.weight.bits),
        }
        rows = [Row("p")]
        for bit in range(spec.weight.bits):
            top_of_signed = spec.weight.signed and bit == spec.weight.bits - 1
            rows.append(Row("s", shift=bit, negative=not top_of_signed, gate=Gate("z", bit)))
        return Heap(spec.result.bits, operands, tuple(rows))

    @cached_property
    def dequantisation(self) -> DequantisationPlan:
        """What follows the group sums if the output is dequantised."""
        return DequantisationPlan(self.spec, self.style)

    def inventory(self) -> Counter:
        if self.spec.is_dequantised:
            groups = type(self)(self.spec.group_tile, self.style)
            return groups.inventory() + self.dequantisation.inventory()
        return self._group_inventory()

    def _group_inventory(self) -> Counter:
        spec = self.spec
        results = spec.rows * spec.columns
        count = self._product_inventory()
        registers = results * self.accumulator_bits + self._control_registers()
        if self.corrects:
            sums = plan(self.activation_sum, self.style, ranks=self.dot_ranks)
            count += times(sums.inventory(), spec.rows)
            count += times(plan(self.zero_correction, self.style).inventory(), results)
            registers += spec.rows * spec.activation_sum.bits
            registers += self.output_ranks * results * spec.result.bits
        if spec.zero_point:
            registers += spec.columns * spec.weight.bits * (self.front_ranks + self.dot_ranks + 1)
        count["register"] += registers
        return count

    def _product_inventory(self) -> Counter:
        """Operators between addends and weights and the accumulators."""
        spec = self.spec
        count = times(self.dot_product.inventory(), spec.rows * spec.columns)
        if self.dot_product.booth:
            count["booth_digit"] += spec.columns * spec.lanes * booth_digits(spec.weight)
        return count

    def _control_registers(self) -> int:
        position = (self.spec.records_per_group - 1).bit_length()
        counted = 2 * int(self.counted)  # keep and end
        ranks = self.front_ranks + self.dot_ranks
        in_flight = ranks * (2 + counted)  # accept and last beside them
        return position + in_flight + 2 * (1 + self.output_ranks)  # done and last


class IntegerTileUnit(Unit):
    """Any :class:`IntegerTile`; subclasses name the specification and the plan."""

    planning = IntegerTilePlan

    def elaborate(self, platform) -> Module:
        if self.spec.is_dequantised:
            return elaborate_dequantised(self, self.plan.dequantisation, platform)
        return self._group_sums(platform)

    def _group_sums(self, platform) -> Module:
        m = Module()
        arriving = self._control(m)
        operands = self._operands(m, platform, arriving)
        control = arriving.after(m, self.plan.front_ranks + self.plan.dot_ranks)
        products = self._accumulators(m, platform, control, operands)
        done = delayed(m, control.accept & control.end, 1, name="done", reset=True)
        last = held(m, control.last, control.accept, name="last")
        if self.plan.corrects:
            results = self._corrected(m, platform, control, operands, products)
        else:
            results = products
        m.d.comb += [
            self.o.valid.eq(delayed(m, done, self.plan.output_ranks, name="valid", reset=True)),
            self.o.payload.last.eq(delayed(m, last, self.plan.output_ranks, name="last_out")),
        ]
        for (row, column), value in results.items():
            out = delayed(m, value, self.plan.output_ranks, name=f"d_{row}_{column}")
            m.d.comb += self.o.payload.d[row][column].eq(out)
        self._annotate(m, arriving, control)
        return m

    def _control(self, m: Module) -> Control:
        """Count the records of a group."""
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
        return Control(self.i.valid, keep, end, last, counted=records > 1)

    def _operands(self, m: Module, platform, arriving: Control) -> Operands:
        """The inputs, behind the front ranks."""
        spec: IntegerTile = self.spec
        payload = self.i.payload
        zeros = []
        for column in range(spec.columns if spec.zero_point else 0):
            z = Signal.like(payload.z[column], name=f"z_in_{column}")
            m.d.comb += z.eq(payload.z[column])
            zeros.append(z)
        return Operands(
            addends=[self._lanes(payload.a[row]) for row in range(spec.rows)],
            weights=[self._lanes(payload.w[column]) for column in range(spec.columns)],
            zeros=zeros,
        )

    def _kept(self, m: Module, platform, register: Signal, row: int) -> Value:
        """What a row's accumulator adds to the next record."""
        return register

    def _annotate(self, m: Module, arriving: Control, control: Control) -> None:
        """Drive the outputs beside ``d`` and ``last``."""

    def _accumulators(
        self, m: Module, platform, control: Control, operands: Operands
    ) -> dict[tuple[int, int], Signal]:
        """P of each row and column, registered."""
        spec: IntegerTile = self.spec
        dot = DotProduct(self.plan.dot_product)
        weights = [
            [
                dot.plan.recode(m, value, name=f"w_{column}_{lane}")
                for lane, value in enumerate(values)
            ]
            for column, values in enumerate(operands.weights)
        ]
        products = {}
        for row, addends in enumerate(operands.addends):
            for column in range(spec.columns):
                factors = {f"a{lane}": value for lane, value in enumerate(addends)}
                factors |= {f"w{lane}": value for lane, value in enumerate(weights[column])}
                what = (f"p_{row}_{column}", row, "dot_product", dot)
                products[row, column] = self._accumulator(m, platform, control, what, factors)
        return products

    def _accumulator(
        self, m: Module, platform, control: Control, what: tuple, operands: dict
    ) -> Signal:
        """A register that takes a sum of the operands and itself with each record.

        ``what`` is its name, the row that it belongs to, and the sum's module and component.
        """
        name, row, module, component = what
        width = len(component.sum)
        register = Signal(width, name=name, reset_less=True)
        following = Signal(width, name=f"{name}_next")
        kept = self._kept(m, platform, register, row)
        pins = operands | {"acc": kept, "keep": control.keep, "sum": following}
        shared(m, platform, module, component, instance=f"{name}_{module}", **pins)
        with m.If(control.accept):
            m.d.sync += register.eq(following)
        return register

    def _corrected(
        self,
        m: Module,
        platform,
        control: Control,
        inputs: Operands,
        products: dict[tuple[int, int], Signal],
    ) -> dict[tuple[int, int], Signal]:
        """D of each row and column from the accumulators, combinational."""
        spec: IntegerTile = self.spec
        style, ranks = self.style, self.plan.dot_ranks
        activation_sum = Summation(self.plan.activation_sum, style=style, ranks=ranks)
        correction = Summation(self.plan.zero_correction, style=style)
        sums = []
        for row, addends in enumerate(inputs.summed):
            operands = {f"a{lane}": value for lane, value in enumerate(addends)}
            what = (f"s_{row}", row, "activation_sum", activation_sum)
            sums.append(self._accumulator(m, platform, control.of_records, what, operands))
        corrections = self._corrections(m, platform, control, inputs, sums)
        zeros = []
        for column, z in enumerate(inputs.zeros):
            z = delayed(m, z, self.plan.dot_ranks, name=f"z_in_{column}")
            zeros.append(held(m, z, control.accept, name=f"z_{column}"))
        results = {}
        for (row, column), product in products.items():
            result = Signal(len(correction.sum), name=f"d_{row}_{column}")
            pins = {"p": product, **corrections[row]}
            if zeros:
                pins["z"] = zeros[column].as_unsigned()
            name = f"d_{row}_{column}_correction"
            shared(m, platform, "zero_correction", correction, instance=name, sum=result, **pins)
            # Where the sum is twice D, D is all of it but the lowest bit.
            results[row, column] = result[len(result) - spec.result.bits :]
        return results

    def _corrections(
        self, m: Module, platform, control: Control, inputs: Operands, sums: list[Signal]
    ) -> list[dict[str, Value]]:
        """What each row's activation sum gives to the corrections, by operand."""
        return [{"s": s} for s in sums]

    def _lanes(self, values: View) -> list[Value]:
        return [values[lane] for lane in range(self.spec.lanes)]


def held(m: Module, value: Value, enable: Value, *, name: str) -> Signal:
    """A register that takes ``value`` while ``enable`` is 1."""
    register = Signal.like(value, name=name, init=0, reset_less=True)
    with m.If(enable):
        m.d.sync += register.eq(value)
    return register


def operand(format_: Integer) -> Operand:
    """An operand of a heap with codes of this format."""
    return Operand(format_.bits, format_.signed)


def times(count: Counter, factor: int) -> Counter:
    """All of the counts that many times."""
    return Counter({kind: number * factor for kind, number in count.items()})
