"""A tree of rounded sums over products, and the steps that tiles make of the same parts."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from multipede.golden.float_adder import FloatAdder
from multipede.golden.float_multiplier import FloatMultiplier
from multipede.golden.formats import Float
from multipede.golden.fused_multiply_add import FusedMultiplyAdd
from multipede.hw.arithmetic.circuit import Circuit
from multipede.hw.arithmetic.circuit_component import CircuitComponent, CircuitDesign
from multipede.hw.arithmetic.conversion import conversion
from multipede.hw.float_adder import FloatAdderPlan
from multipede.hw.float_multiplier import FloatMultiplierPlan
from multipede.hw.fused_multiply_add import FusedMultiplyAddPlan
from multipede.hw.hierarchy import shared
from multipede.hw.style import Style
from multipede.hw.unit import delayed

__all__ = ["ProductTree", "ProductTreePlan", "fused_step", "rounded_product", "rounded_sum"]


def rounded_product(a: Float, b: Float, result: Float) -> Circuit:
    """``a``, ``b`` -> ``product``, rounded to nearest even."""
    c = Circuit()
    codes = {"a": c.input("a", a.bits), "b": c.input("b", b.bits)}
    spec = FloatMultiplier(a=a, b=b, result=result)
    c.output("product", FloatMultiplierPlan(spec, Style.WORD).results(c, codes)[spec.result_port])
    return c


def rounded_sum(a: Float, b: Float, result: Float) -> Circuit:
    """``a``, ``b`` -> ``total``, rounded to nearest even."""
    c = Circuit()
    codes = {"a": c.input("a", a.bits), "b": c.input("b", b.bits)}
    spec = FloatAdder(a=a, b=b, result=result)
    c.output("total", FloatAdderPlan(spec, Style.WORD).results(c, codes)[spec.result_port])
    return c


def fused_step(a: Float, b: Float, result: Float) -> Circuit:
    """``a``, ``b``, ``c`` -> ``total`` = a b + c, rounded to nearest even to the format of c."""
    c = Circuit()
    widths = {"a": a.bits, "b": b.bits, "c": result.bits}
    codes = {name: c.input(name, width) for name, width in widths.items()}
    spec = FusedMultiplyAdd(a=a, b=b, c=result, result=result)
    c.output("total", FusedMultiplyAddPlan(spec, Style.WORD).results(c, codes)[spec.result_port])
    return c


class Level(NamedTuple):
    """A round of additions: whether it is the products', how many pairs there are, whether a term
    is left over, and register ranks."""

    first: bool
    pairs: int
    odd: bool
    ranks: int


@dataclass(frozen=True)
class ProductTreePlan:
    """A tree over ``lanes`` products, cut by ``ranks`` register ranks.

    ``multiply(*factors)`` is the circuit of a product: ``a``, ``b`` -> ``product`` in the format
    ``term``, all of whose numbers the accumulator has.

    Ranks are spread over the products and the rounds of additions, later ones first; where there
    is one or more, the last holds the total. What is left over in a round waits beside it.
    """

    multiply: Callable[..., Circuit]
    factors: tuple
    term: Float
    accumulator: Float
    lanes: int
    style: Style
    ranks: int

    @cached_property
    def product(self) -> CircuitDesign:
        """A lane's product."""
        return CircuitDesign(self.multiply, self.factors, self.style, self._ranks(0))

    @cached_property
    def levels(self) -> tuple[Level, ...]:
        """The rounds of additions."""
        levels, terms = [], self.lanes
        while terms > 1:
            ranks = self._ranks(len(levels) + 1)
            levels.append(Level(not levels, terms // 2, terms % 2 == 1, ranks))
            terms = -(-terms // 2)
        return tuple(levels)

    def sum(self, level: Level) -> CircuitDesign:
        """An adder of a round."""
        addend = self.term if level.first else self.accumulator
        formats = addend, addend, self.accumulator
        return CircuitDesign(rounded_sum, formats, self.style, level.ranks)

    @property
    def total(self) -> Float:
        """Format of the total: that of a product, if there is only one."""
        return self.accumulator if self.levels else self.term

    @property
    def conversion(self) -> CircuitDesign:
        """What makes a product that is left over a number of the accumulator's format."""
        return CircuitDesign(conversion, (self.term, self.accumulator), self.style)

    def _ranks(self, step: int) -> int:
        """Ranks of the products, which are step 0, or of a round."""
        steps = 1 + (self.lanes - 1).bit_length()
        return self.ranks * (step + 1) // steps - self.ranks * step // steps

    def inventory(self) -> Counter:
        """Operators by kind, in bits."""
        count = Counter()
        parts = [(self.product, self.lanes)]
        parts += [(self.sum(level), level.pairs) for level in self.levels]
        for design, number in parts:
            for kind, bits in design.plan.inventory().items():
                count[kind] += bits * number
        for level in (level for level in self.levels if level.odd):
            waiting = self.term if level.first else self.accumulator
            count["register"] += level.ranks * waiting.bits
            if waiting != self.accumulator:
                count += self.conversion.plan.inventory()
        return count


class ProductTree(wiring.Component):
    """The tree in hardware: ``a0``, ``w0``, ``a1``, ... -> ``total``."""

    def __init__(self, plan: ProductTreePlan):
        self.key = plan
        inputs = plan.product.plan.circuit.inputs
        members = {}
        for lane in range(plan.lanes):
            members |= {f"a{lane}": In(inputs["a"]), f"w{lane}": In(inputs["b"])}
        super().__init__(members | {"total": Out(plan.total.bits)})

    def duplicate(self) -> "ProductTree":
        """Another component of the same plan."""
        return ProductTree(self.key)

    def elaborate(self, platform) -> Module:
        m = Module()
        terms = self._products(m, platform)
        adders: dict[CircuitDesign, CircuitComponent] = {}
        for number, level in enumerate(self.key.levels):
            design = self.key.sum(level)
            if design not in adders:
                adders[design] = CircuitComponent(design)
            adder = adders[design]
            terms = self._level(m, platform, number, level, adder, terms)
        m.d.comb += self.total.eq(terms[0])
        return m

    def _products(self, m: Module, platform) -> list[Value]:
        component = CircuitComponent(self.key.product)
        products = []
        for lane in range(self.key.lanes):
            product = Signal(self.key.term.bits, name=f"product_{lane}")
            pins = {"a": getattr(self, f"a{lane}"), "b": getattr(self, f"w{lane}")}
            name = f"multiply_{lane}"
            shared(m, platform, "multiply", component, instance=name, product=product, **pins)
            products.append(product)
        return products

    def _level(
        self,
        m: Module,
        platform,
        number: int,
        level: Level,
        adder: CircuitComponent,
        terms: list[Value],
    ) -> list[Value]:
        """A round's sums of ``terms``."""
        results = []
        for pair in range(level.pairs):
            total = Signal(self.key.accumulator.bits, name=f"total_{number}_{pair}")
            pins = {"a": terms[2 * pair], "b": terms[2 * pair + 1], "total": total}
            shared(m, platform, "add", adder, instance=f"add_{number}_{pair}", **pins)
            results.append(total)
        if level.odd:
            waiting = delayed(m, terms[-1], level.ranks, name=f"waiting_{number}")
            is_product = level.first and self.key.term != self.key.accumulator
            results.append(self._converted(m, platform, waiting) if is_product else waiting)
        return results

    def _converted(self, m: Module, platform, product: Value) -> Value:
        made = Signal(self.key.accumulator.bits, name="left_over")
        pins = {"code": product, "converted": made}
        component = CircuitComponent(self.key.conversion)
        shared(m, platform, "convert", component, instance="convert_left_over", **pins)
        return made
