"""The exact integer product on a bit heap."""

from collections import Counter

from amaranth.hdl import Module, Signal

from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.hw.arithmetic.dot_product import DotProduct, DotProductPlan
from multipede.hw.arithmetic.products import booth_digits
from multipede.hw.hierarchy import shared
from multipede.hw.unit import Unit, UnitPlan, delayed

__all__ = ["IntegerMultiplierPlan", "IntegerMultiplierUnit"]


class IntegerMultiplierPlan(UnitPlan):
    """One product; the last register rank is the output's, the others cut the heap."""

    spec: IntegerMultiplier

    @property
    def product(self) -> DotProductPlan:
        """The product as a dot product of one lane."""
        spec = self.spec
        return DotProductPlan(
            a=spec.a,
            w=spec.b,
            lanes=1,
            width=spec.product.bits,
            accumulate=False,
            partial_products=spec.partial_products,
            style=self.style,
            ranks=max(0, spec.stages - 1),
        )

    def inventory(self) -> Counter:
        count = self.product.inventory()
        if self.product.booth:
            count["booth_digit"] += booth_digits(self.spec.b)
        if self.spec.stages:
            count["register"] += self.spec.product.bits + self.spec.stages
        return count


class IntegerMultiplierUnit(Unit):
    """p = a b."""

    specification = IntegerMultiplier
    planning = IntegerMultiplierPlan

    def elaborate(self, platform) -> Module:
        m = Module()
        stages = self.spec.stages
        plan = self.plan.product
        product = Signal(plan.width)
        b = plan.recode(m, self.i.payload.b, name="b")
        pins = {"a0": self.i.payload.a, "w0": b, "sum": product}
        shared(m, platform, "product", DotProduct(plan), instance="product", **pins)
        m.d.comb += [
            self.o.payload.p.eq(delayed(m, product, min(1, stages), name="product")),
            self.o.valid.eq(delayed(m, self.i.valid, stages, name="valid", reset=True)),
        ]
        return m
