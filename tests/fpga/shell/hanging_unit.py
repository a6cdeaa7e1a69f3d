"""A unit that takes three records and then no more, until it is reset."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from amaranth.hdl import Module, Signal

from multipede.golden.formats import UINT8
from multipede.golden.spec import Kind, Port, Spec
from multipede.hw.unit import Unit, UnitPlan


@dataclass(frozen=True, kw_only=True)
class HangingSpec(Spec):
    """y = x, three times."""

    unit: ClassVar[str] = "hanging"
    title: ClassVar[str] = "a unit that hangs"
    kind: ClassVar[Kind] = Kind.PART
    source: ClassVar[str] = "tests"

    @property
    def inputs(self) -> Mapping[str, Port]:
        return {"x": Port(UINT8)}

    @property
    def outputs(self) -> Mapping[str, Port]:
        return {"y": Port(UINT8)}

    @property
    def operations(self) -> Mapping[str, int]:
        return {"copy": 1}

    @property
    def latency(self) -> int:
        return 0

    @property
    def always_ready(self) -> bool:
        return False

    def reference(self, state=None, **inputs):
        return {"y": inputs["x"]}, None


class HangingPlan(UnitPlan):
    def inventory(self):
        return {}


class HangingUnit(Unit):
    specification = HangingSpec
    planning = HangingPlan

    def elaborate(self, platform) -> Module:
        m = Module()
        taken = Signal(2)
        m.d.comb += [
            self.i.ready.eq((taken != 3) & self.o.ready),
            self.o.valid.eq(self.i.valid & (taken != 3)),
            self.o.payload.y.eq(self.i.payload.x),
        ]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += taken.eq(taken + 1)
        return m
