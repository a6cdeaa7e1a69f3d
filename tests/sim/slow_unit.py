"""A unit with real ready on both sides: y = x + 1 after some clocks, one record at a time."""

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

from amaranth.hdl import Module, Signal

from multipede.golden.formats import UINT8
from multipede.golden.spec import Kind, Port, Spec
from multipede.hw.unit import Unit, UnitPlan


@dataclass(frozen=True, kw_only=True)
class SlowSpec(Spec):
    unit: ClassVar[str] = "slow"
    title: ClassVar[str] = "y = x + 1, slowly"
    kind: ClassVar[Kind] = Kind.FUNCTION
    source: ClassVar[str] = "tests"

    clocks: int = 3

    @property
    def inputs(self):
        return {"x": Port(UINT8)}

    @property
    def outputs(self):
        return {"y": Port(UINT8)}

    @property
    def operations(self):
        return {"increment": 1}

    @property
    def latency(self):
        return self.clocks

    @property
    def initiation_interval(self):
        return self.clocks + 1

    @property
    def always_ready(self):
        return False

    def reference(self, state=None, **inputs):
        return {"y": (inputs["x"] + 1) % 256}, None


class SlowPlan(UnitPlan):
    def inventory(self):
        return Counter()


class SlowUnit(Unit):
    specification = SlowSpec
    planning = SlowPlan

    def elaborate(self, platform):
        m = Module()
        left = Signal(range(self.spec.clocks + 1))
        value, full = Signal(8), Signal()
        m.d.comb += [
            self.i.ready.eq(~full),
            self.o.valid.eq(full & (left == 0)),
            self.o.payload.y.eq(value),
        ]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [value.eq(self.i.payload.x + 1), full.eq(1), left.eq(self.spec.clocks - 1)]
        with m.Elif(full & (left != 0)):
            m.d.sync += left.eq(left - 1)
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += full.eq(0)
        return m
