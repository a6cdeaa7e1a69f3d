"""A dot product with an optional accumulator on one bit heap: the heart of every integer tile."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from amaranth.hdl import Module, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from multipede.golden.formats import Integer
from multipede.golden.multiplier_tile import PartialProducts
from multipede.hw.arithmetic.bitheap import Gate, Heap, Operand, Row
from multipede.hw.arithmetic.cell_plan import CellPlan
from multipede.hw.arithmetic.products import (
    booth_digits,
    booth_recode,
    booth_row_width,
    booth_select,
    gated_rows,
)
from multipede.hw.arithmetic.summation import emit, plan
from multipede.hw.arithmetic.word_plan import WordPlan
from multipede.hw.style import Style

__all__ = ["DotProduct", "DotProductPlan"]


@dataclass(frozen=True, kw_only=True)
class DotProductPlan:
    """What a :class:`DotProduct` computes and how.

    Parameters
    ----------
    a, w : formats of the factors.
    lanes : number of products.
    width : bits of the sum; higher ones are dropped.
    accumulate : whether there are ``acc`` and ``keep``.
    partial_products : how products become rows.
    style, ranks : see :class:`~multipede.hw.arithmetic.summation.Summation`.
    """

    a: Integer
    w: Integer
    lanes: int
    width: int
    accumulate: bool
    partial_products: PartialProducts
    style: Style
    ranks: int = 0

    @property
    def booth(self) -> bool:
        """Whether the factors w are recoded."""
        return self.partial_products is PartialProducts.BOOTH

    @property
    def recoded_width(self) -> int:
        """Bits of a factor w at the ports."""
        return 3 * booth_digits(self.w) if self.booth else self.w.bits

    @cached_property
    def sum(self) -> CellPlan | WordPlan:
        """The plan of the bit heap."""
        return plan(self.heap, self.style, ranks=self.ranks)

    def recode(self, m: Module, value: Value, *, name: str) -> Value:
        """``value`` in the form of the ports w0..: Booth digits, or as it is.

        It is done once for all the dot products that share a weight.
        """
        return booth_recode(m, value, self.w, name=name) if self.booth else value

    @property
    def heap(self) -> Heap:
        """The rows of all products and the accumulator."""
        operands: dict[str, Operand] = {}
        rows: list[Row] = []
        for lane in range(self.lanes):
            lane_operands, lane_rows = self._rows_of[self.partial_products](self, lane)
            operands |= lane_operands
            rows += lane_rows
        if self.accumulate:
            operands |= {"acc": Operand(self.width), "keep": Operand(1)}
            rows.append(Row("acc", gate=Gate("keep"), late=True))
        return Heap(self.width, operands, tuple(rows))

    def _rows(self, lane: int) -> tuple[dict[str, Operand], list[Row]]:
        a, w = f"a{lane}", f"w{lane}"
        operands = {a: Operand(self.a.bits, self.a.signed), w: Operand(self.w.bits)}
        return operands, gated_rows(a, w, self.w)

    def _booth_rows(self, lane: int) -> tuple[dict[str, Operand], list[Row]]:
        width = booth_row_width(self.a.bits, self.a.signed)
        operands, rows = {}, []
        for digit in range(booth_digits(self.w)):
            row, negate = f"row{lane}_{digit}", f"negate{lane}_{digit}"
            operands |= {row: Operand(width, True), negate: Operand(1)}
            rows += [Row(row, shift=2 * digit), Row(negate, shift=2 * digit)]
        return operands, rows

    def _inferred_row(self, lane: int) -> tuple[dict[str, Operand], list[Row]]:
        product = f"product{lane}"
        operand = Operand(self.a.bits + self.w.bits, self.a.signed or self.w.signed)
        return {product: operand}, [Row(product)]

    _rows_of: ClassVar = {
        PartialProducts.BAUGH_WOOLEY: _rows,
        PartialProducts.BOOTH: _booth_rows,
        PartialProducts.INFERRED: _inferred_row,
    }

    def inventory(self) -> Counter:
        """Operators of the rows and of the heap's plan."""
        count = self.sum.inventory()
        if self.partial_products is PartialProducts.INFERRED:
            count["inferred_product_bit"] += self.lanes * self.a.bits * self.w.bits
        if self.booth:
            width = booth_row_width(self.a.bits, self.a.signed)
            rows = self.lanes * booth_digits(self.w)
            count += Counter({"booth_select_bit": rows * width})
        return count


class DotProduct(wiring.Component):
    """``sum`` = sum over lanes of a[lane] w[lane], plus ``acc`` while ``keep`` is 1.

    Members
    -------
    a0.. : the factors a. w0.. : the factors w as :meth:`DotProductPlan.recode` gives them.
    acc, keep : taken ``ranks`` clocks after the factors. sum : Out(width).
    """

    def __init__(self, plan: DotProductPlan):
        self.key = self.plan = plan
        members = {}
        for lane in range(plan.lanes):
            members[f"a{lane}"] = In(signed(plan.a.bits) if plan.a.signed else plan.a.bits)
            members[f"w{lane}"] = In(plan.recoded_width)
        if plan.accumulate:
            members |= {"acc": In(plan.width), "keep": In(1)}
        super().__init__(members | {"sum": Out(plan.width)})

    def duplicate(self) -> "DotProduct":
        """Another component for the same plan."""
        return DotProduct(self.plan)

    def elaborate(self, platform) -> Module:
        m = Module()
        operands = {name: getattr(self, name) for name in ("acc", "keep") if hasattr(self, name)}
        for lane in range(self.plan.lanes):
            operands |= self._operands_of[self.plan.partial_products](self, m, lane)
        emit(m, platform, self.plan.sum, operands, self.sum)
        return m

    def _factors(self, m: Module, lane: int) -> dict[str, Value]:
        return {name: getattr(self, name) for name in (f"a{lane}", f"w{lane}")}

    def _booth_operands(self, m: Module, lane: int) -> dict[str, Value]:
        operands = {}
        for index in range(booth_digits(self.plan.w)):
            digit = getattr(self, f"w{lane}")[3 * index : 3 * index + 3]
            name = f"row{lane}_{index}"
            row = booth_select(m, getattr(self, f"a{lane}"), digit, name=name)
            operands |= {name: row, f"negate{lane}_{index}": digit[2]}
        return operands

    def _product(self, m: Module, lane: int) -> dict[str, Value]:
        a, w = (getattr(self, f"{factor}{lane}") for factor in "aw")
        name = f"product{lane}"
        value = a * (w.as_signed() if self.plan.w.signed else w)
        product = Signal(value.shape(), name=name)
        m.d.comb += product.eq(value)
        return {name: product}

    _operands_of: ClassVar = {
        PartialProducts.BAUGH_WOOLEY: _factors,
        PartialProducts.BOOTH: _booth_operands,
        PartialProducts.INFERRED: _product,
    }
