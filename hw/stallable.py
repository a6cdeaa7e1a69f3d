"""Ready on both sides of a unit that goes on whether its results are taken or not.

A record is taken while fewer than ``depth`` records are under way or wait as results. A record that
gives no result makes room again when its result would have come.
"""

from collections import Counter

from amaranth.hdl import Module, Signal

from multipede.golden.stallable import Stallable
from multipede.hw import build, inventory
from multipede.hw.hierarchy import shared
from multipede.hw.stream import BypassQueue
from multipede.hw.unit import Unit, UnitPlan, delayed, payload_layout

__all__ = ["StallablePlan", "StallableUnit"]


class StallablePlan(UnitPlan):
    """The unit inside, its credits, and a queue of results."""

    spec: Stallable

    def inventory(self) -> Counter:
        spec = self.spec
        bits = sum(port.bits for port in spec.outputs.values())
        place = (spec.depth - 1).bit_length()
        count = Counter(inventory(spec.inside, style=self.style))
        # Credits and the queue's level, its two places, and the records on their way.
        count["register"] += 2 * spec.depth.bit_length() + 2 * place + spec.latency
        count["memory_bit"] += spec.depth * bits
        return count


class StallableUnit(Unit):
    """Any unit of fixed latency with ready on both sides."""

    specification = Stallable
    planning = StallablePlan

    def elaborate(self, platform) -> Module:
        m = Module()
        spec: Stallable = self.spec
        m.submodules.results = results = BypassQueue(payload_layout(spec.outputs), depth=spec.depth)
        used = Signal(range(spec.depth + 1), name="used")
        has_room = Signal(name="has_room")
        accepted, given = Signal(name="accepted"), Signal(name="given")
        arrives, nothing = Signal(name="arrives"), Signal(name="gives_nothing")
        ready = self._inside(m, platform, has_room, results)
        m.d.comb += [
            has_room.eq(used != spec.depth),
            self.i.ready.eq(has_room & ready),
            accepted.eq(self.i.valid & self.i.ready),
            arrives.eq(delayed(m, accepted, spec.latency, name="in_flight", reset=True)),
            nothing.eq(arrives & ~results.i.valid),
            given.eq(self.o.valid & self.o.ready),
        ]
        # Modulo the width of `used`, which loses nothing.
        m.d.sync += used.eq(used + accepted - nothing - given)
        m.d.comb += [
            self.o.valid.eq(results.o.valid),
            self.o.payload.as_value().eq(results.o.payload.as_value()),
            results.o.ready.eq(self.o.ready),
        ]
        return m

    def _inside(self, m: Module, platform, has_room: Signal, results: BypassQueue) -> Signal:
        """Put the unit inside in its place; gives its ready."""
        spec: Stallable = self.spec
        unit = build(spec.inside, style=self.style)
        ready = Signal(name="inside_ready", init=1)
        pins = {
            "i_valid": self.i.valid & has_room,
            "i_payload": self.i.payload.as_value(),
            "o_valid": results.i.valid,
            "o_payload": results.i.payload.as_value(),
        }
        if spec.inside.always_ready:
            m.d.comb += ready.eq(1)
        else:
            pins["i_ready"] = ready
        shared(m, platform, spec.inside.unit, unit, instance="core", **pins)
        return ready
