"""A unit that takes a record only in every other clock, and whose results must be taken at once."""

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

from amaranth.hdl import Module, Signal

from multipede.golden.formats import UINT2
from multipede.golden.spec import Kind, Port, Spec
from multipede.hw.unit import Unit, UnitPlan


@dataclass(frozen=True, kw_only=True)
class PausingSpec(Spec):
    unit: ClassVar[str] = "pausing"
    title: ClassVar[str] = "y = x + 1 modulo 4, with a pause behind each record"
    kind: ClassVar[Kind] = Kind.FUNCTION
    source: ClassVar[str] = "tests"

    @property
    def inputs(self):
        return {"x": Port(UINT2)}

    @property
    def outputs(self):
        return {"y": Port(UINT2)}

    @property
    def operations(self):
        return {"increment": 1}

    @property
    def latency(self):
        return 1

    @property
    def initiation_interval(self):
        return 2

    @property
    def always_ready(self):
        return False

    @property
    def stallable(self):
        return False

    def reference(self, state=None, **inputs):
        return {"y": (inputs["x"] + 1) % 4}, None


class PausingPlan(UnitPlan):
    def inventory(self):
        return Counter(increment=2, register=3)


class PausingUnit(Unit):
    specification = PausingSpec
    planning = PausingPlan

    def elaborate(self, platform):
        m = Module()
        full, value = Signal(), Signal(2)
        m.d.comb += [
            self.i.ready.eq(~full),
            self.o.valid.eq(full),
            self.o.payload.y.eq(value),
        ]
        m.d.sync += full.eq(self.i.valid & self.i.ready)
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += value.eq(self.i.payload.x + 1)
        return m
