"""The matrix tile whose multipliers add codes, with exact sums.

Per row, column and lane a product is shifted to its place; per row and column one bit heap adds the
lanes and the accumulator.
"""

from collections import Counter
from dataclasses import replace
from functools import cached_property

from amaranth.hdl import Cat, Const, Module, Signal, Value

from multipede.golden.exact_lmul_tile import ExactLMulTile
from multipede.golden.formats import Float
from multipede.golden.logarithmic_multiplier import LogarithmicMultiplier
from multipede.golden.logarithmic_policies import SumUnderflow
from multipede.hw.arithmetic.addends import in_fixed_point
from multipede.hw.arithmetic.bitheap import Heap, Operand, Row
from multipede.hw.arithmetic.cell_plan import CellPlan
from multipede.hw.arithmetic.circuit import Circuit, Term
from multipede.hw.arithmetic.circuit_component import CircuitComponent, CircuitDesign
from multipede.hw.arithmetic.operands import unpack
from multipede.hw.arithmetic.summation import Summation, plan
from multipede.hw.arithmetic.word_plan import WordPlan
from multipede.hw.hierarchy import shared
from multipede.hw.integer_tile import times
from multipede.hw.logarithmic_factors import (
    LogarithmicFactorsPlan,
    LogarithmicFactorsUnit,
    multiplied,
)
from multipede.hw.unit import delayed

__all__ = ["ExactLMulTilePlan", "ExactLMulTileUnit"]


def placed_product(
    multiplier: LogarithmicMultiplier, kept: Float, exponents: tuple[int, int], width: int
) -> Circuit:
    """``a``, ``b`` -> ``addend``, the product in units of the lowest bit of one with the lowest of
    the ``exponents``, ``width`` bits in two's complement, or 0 for one that is infinite or NaN,
    of which ``special`` tells.
    """
    c = Circuit()
    if multiplier.policies.underflow is SumUnderflow.FLUSH and not kept.subnormals:
        # Reading flushes, and the sign of zero does not count.
        multiplier = replace(multiplier, underflow=SumUnderflow.NEGATIVE)
    low, high = exponents
    number = unpack(c, kept, multiplied(c, multiplier), "product")
    bits = (high - low).bit_length()
    shift = c.sum(bits, (Term(number.exponent),), "shift", plus=-low) if bits else ()
    addend, special = in_fixed_point(c, number, shift, width)
    c.output("addend", addend)
    c.output("special", (special,))
    return c


class ExactLMulTilePlan(LogarithmicFactorsPlan):
    """Ranks: ``product_ranks`` in the products and their shifters, ``sum_ranks`` in the heap, and
    the accumulators."""

    spec: ExactLMulTile
    factor_ranks = 0

    @property
    def product_ranks(self) -> int:
        """Register ranks in and behind the products: half of those to spare, rounded up."""
        return self.spec.stages // 2

    @property
    def sum_ranks(self) -> int:
        """Register ranks inside the sum."""
        return self.spec.stages - 1 - self.product_ranks

    @property
    def accumulator_bits(self) -> int:
        """Those of the sum, and one that tells of infinities and NaN if there may be any."""
        return self.spec.accumulator.bits + self.spec.has_special_products

    @property
    def addend_bits(self) -> int:
        """Bits of a product in its place."""
        return self.spec.largest_product.bit_length() + 1

    @cached_property
    def product(self) -> CircuitDesign:
        """A lane's product in its place."""
        exponents = self.spec.product_exponents
        arguments = (self.multiplier, self.kept_format, exponents, self.addend_bits)
        return CircuitDesign(placed_product, arguments, self.style, self.product_ranks)

    @property
    def heap(self) -> Heap:
        """The sum of the lanes ``a0``.. and the accumulator ``acc``."""
        width = self.spec.accumulator.bits
        lanes = [f"a{lane}" for lane in range(self.spec.lanes)]
        operands = {lane: Operand(self.addend_bits, signed=True) for lane in lanes}
        rows = (*(Row(lane) for lane in lanes), Row("acc", late=True))
        return Heap(width, operands | {"acc": Operand(width)}, rows)

    @cached_property
    def sum(self) -> CellPlan | WordPlan:
        """How it is added."""
        return plan(self.heap, self.style, ranks=self.sum_ranks)

    def inventory(self) -> Counter:
        spec = self.spec
        results = spec.rows * spec.columns
        count = times(self.product.plan.inventory(), results * spec.lanes)
        count += times(self.sum.inventory(), results)
        flags = results * self.sum_ranks * spec.has_special_products
        count["register"] += flags
        return count + self.activation_inventory + self.weight_inventory + self._common_inventory()


class ExactLMulTileUnit(LogarithmicFactorsUnit):
    """Multipliers that add codes, shifters, and one sum per row and column."""

    specification = ExactLMulTile
    planning = ExactLMulTilePlan

    def _prepare(self) -> None:
        self._product = CircuitComponent(self.plan.product)
        self._sum = Summation(self.plan.heap, style=self.plan.style, ranks=self.plan.sum_ranks)

    def _following(
        self, m: Module, platform, name: str, so_far: Value, a: list[Value], w: list[Value]
    ) -> Value:
        """The sum, and above it whether a product was no number."""
        width = self.spec.accumulator.bits
        pins: dict[str, Value] = {"acc": so_far[:width]}
        special: Value = Const(0, 1)
        for lane, (x, y) in enumerate(zip(a, w, strict=True)):
            addend = Signal(self.plan.addend_bits, name=f"addend_{name}_{lane}")
            flag = Signal(name=f"special_{name}_{lane}")
            instance = f"product_{name}_{lane}"
            product = {"a": x, "b": y, "addend": addend, "special": flag}
            shared(m, platform, "product", self._product, instance=instance, **product)
            pins[f"a{lane}"] = addend.as_signed()
            special = special | flag
        total = Signal(width, name=f"sum_{name}")
        pins["sum"] = total
        shared(m, platform, "accumulate", self._sum, instance=f"accumulate_{name}", **pins)
        if not self.spec.has_special_products:
            return total
        special = delayed(m, special, self.plan.sum_ranks, name=f"special_{name}")
        return Cat(total, special | so_far[width])

    def _put(self, m: Module, row: int, column: int, register: Value) -> None:
        width = self.spec.accumulator.bits
        m.d.comb += Value.cast(self.o.payload.y[row][column]).eq(register[:width])
        if self.spec.has_special_products:
            m.d.comb += self.o.payload.nan[row][column].eq(register[width])
