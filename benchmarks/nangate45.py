"""Area and delay in Nangate45 against figures of hand-built trials; no wires, as in these.

Run alone: ``python -m benchmarks.nangate45``. The Liberty file is looked for in
``MULTIPEDE_LIBERTY_DIR`` and in ``../shared/data/liberty`` beside the checkout; without it there
is nothing to measure.
"""

import os
import sys
from pathlib import Path

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from benchmarks.target import Target
from multipede.asic_flow import Constraints, Synthesis, synthesize_component
from multipede.asic_flow.liberty.library import read_liberty
from multipede.golden.formats import INT4, INT8, UINT4, Integer
from multipede.golden.multiplier_tile import PartialProducts
from multipede.hw import Style
from multipede.hw.arithmetic.dot_product import DotProduct, DotProductPlan

__all__ = ["measure"]

_FILE = "nangate45_typ.lib.gz"
_BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data" / "liberty"
_DOT_AREA, _DOT_DELAY = 1514, 1.63  # um2, ns
# The smallest of many trials with Yosys alone and by hand, um2, registers included.
_MULTIPLIER_AREA, _ACCUMULATE_AREA, _DOT4_AREA = 285, 630, 1126


def measure() -> list[Target]:
    """All targets of this page; none, with a reason on stderr, without the Liberty file."""
    liberty = Path(os.environ.get("MULTIPEDE_LIBERTY_DIR", _BESIDE)) / _FILE
    if not liberty.is_file():
        print(f"nangate45: skipped, there is no {liberty}", file=sys.stderr)
        return []
    multiplier = _synthesis(_multiplier(Style.CELLS), "multiplier", liberty)
    ripple = _synthesis(_dot(Style.CELLS), "dot_product", liberty)
    fast = _synthesis(_dot(Style.CELLS_PREFIX), "dot_product", liberty, _DOT_DELAY)
    flip_flop = float(read_liberty(liberty).cells["DFF_X1"].area)
    registers = f"with 32 DFF_X1 as accumulator {fast.total + 32 * flip_flop:.1f} um2"
    one, four = (
        _synthesis(Accumulator(weight, lanes), "accumulator", liberty)
        for weight, lanes in ((INT8, 1), (INT4, 4))
    )
    return [
        _area("multiplier INT8 x INT8, cells", multiplier, _MULTIPLIER_AREA),
        _area("multiply-accumulate INT8 x INT8 + 24 bits, registered", one, _ACCUMULATE_AREA),
        _area("4 x INT4 x INT8 + 24 bits, registered", four, _DOT4_AREA),
        _area("dot product 8 x UINT4 x INT8 + 32 bits, cells", ripple, _DOT_AREA),
        _area("the same with prefix adder, at 1.63 ns", fast, _DOT_AREA, registers),
        _delay("the same netlist", fast, _DOT_DELAY),
    ]


def _area(name: str, found: Synthesis, limit: float, remark: str = "") -> Target:
    remarks = [found.method, f"at {found.delay / 1000:.3f} ns", remark]
    return Target(f"nangate45, {name}", found.total, limit, "um2", "; ".join(filter(None, remarks)))


def _delay(name: str, found: Synthesis, limit: float) -> Target:
    method = found.costs[-1].source
    return Target(f"nangate45, {name}", found.delay / 1000, limit, "ns", method)


def _synthesis(
    component: "DotProduct | Accumulator",
    name: str,
    liberty: Path,
    clock_period: float | None = None,
) -> Synthesis:
    return synthesize_component(
        component,
        name=name,
        style=component.plan.style,
        liberty=liberty,
        constraints=Constraints(clock_period=clock_period, wire_load="none"),
    )


class Accumulator(wiring.Component):
    """A dot product with its accumulator and registered operands, as a processing element has it.

    ``first`` begins a new sum. No register is reset.
    """

    def __init__(self, weight: Integer, lanes: int):
        self.plan = DotProductPlan(
            a=INT8,
            w=weight,
            lanes=lanes,
            width=24,
            accumulate=True,
            partial_products=PartialProducts.BAUGH_WOOLEY,
            style=Style.CELLS,
        )
        super().__init__(
            {
                "a": In(8 * lanes),
                "w": In(weight.bits * lanes),
                "first": In(1),
                "sum": Out(signed(24)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.dot = dot = DotProduct(self.plan)
        registers = [Signal.like(port, reset_less=True) for port in (self.a, self.w, self.first)]
        total = Signal.like(self.sum, reset_less=True)
        for register, port in zip(registers, (self.a, self.w, self.first), strict=True):
            m.d.sync += register.eq(port)
        a, w, first = registers
        for lane in range(self.plan.lanes):
            m.d.comb += [
                getattr(dot, f"a{lane}").eq(a.word_select(lane, 8).as_signed()),
                getattr(dot, f"w{lane}").eq(w.word_select(lane, self.plan.w.bits)),
            ]
        m.d.comb += [dot.acc.eq(total), dot.keep.eq(~first), self.sum.eq(total)]
        m.d.sync += total.eq(dot.sum)
        return m


def _dot(style: Style) -> DotProduct:
    """Eight products and an accumulator operand, combinational."""
    plan = DotProductPlan(
        a=INT8,
        w=UINT4,
        lanes=8,
        width=32,
        accumulate=True,
        partial_products=PartialProducts.BAUGH_WOOLEY,
        style=style,
    )
    return DotProduct(plan)


def _multiplier(style: Style) -> DotProduct:
    plan = DotProductPlan(
        a=INT8,
        w=INT8,
        lanes=1,
        width=16,
        accumulate=False,
        partial_products=PartialProducts.BAUGH_WOOLEY,
        style=style,
    )
    return DotProduct(plan)


if __name__ == "__main__":
    measured = measure()
    print("\n".join(map(str, measured)))
    sys.exit(any(not target.reached for target in measured))
