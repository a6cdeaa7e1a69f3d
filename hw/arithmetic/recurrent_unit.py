"""Units whose results are their state: each record makes the next state of the one before."""

from abc import abstractmethod
from collections import Counter
from collections.abc import Mapping
from functools import cached_property

from amaranth.hdl import Module, Signal, Value

from multipede.hw.arithmetic.circuit import ZERO, Bit, Circuit, Word, opposite
from multipede.hw.arithmetic.circuit_emit import emit_circuit
from multipede.hw.arithmetic.circuit_plan import CircuitPlan
from multipede.hw.unit import Unit, UnitPlan, delayed

__all__ = ["RecurrentUnit", "RecurrentUnitPlan"]


class RecurrentUnitPlan(UnitPlan):
    """A circuit in front of one register rank that holds the outputs.

    The specification has an input ``start`` of one bit and a latency of one clock.

    Attributes
    ----------
    restarts : whether a record with ``start`` begins anew, and the first one after reset, too. Then
        only whether there was a record is known from reset on, which saves all other registers a
        reset. Else only a reset begins anew, with zeros.
    """

    restarts = True

    @abstractmethod
    def following(
        self, c: Circuit, codes: Mapping[str, Word], before: Mapping[str, Word], start: Bit
    ) -> Mapping[str, Word]:
        """The outputs from the inputs and the outputs before, which count for nothing on a
        ``start``."""

    @cached_property
    def circuit(self) -> CircuitPlan:
        """The circuit, without registers."""
        c = Circuit()
        codes = {name: c.input(name, port.bits) for name, port in self.spec.inputs.items()}
        before = {
            name: c.input(before_of(name), port.bits) for name, port in self.spec.outputs.items()
        }
        start = ZERO
        if self.restarts:
            (begun,) = c.input("begun", 1)
            (start,) = c.either(codes["start"], (opposite(begun),), "starts")
        for name, word in self.following(c, codes, before, start).items():
            c.output(name, word)
        return CircuitPlan(c, self.style, ranks=0)

    def inventory(self) -> Counter:
        held = sum(port.bits for port in self.spec.outputs.values())
        return self.circuit.inventory() + Counter(register=held + self.restarts + 1)


class RecurrentUnit(Unit):
    """Any unit whose results are its state; subclasses name the specification and the plan."""

    def elaborate(self, platform) -> Module:
        m = Module()
        inputs: dict[str, Value] = {
            name: Value.cast(self.i.payload[name]) for name in self.spec.inputs
        }
        held = {
            name: Signal(port.bits, name=f"{name}_held", reset_less=self.plan.restarts)
            for name, port in self.spec.outputs.items()
        }
        inputs |= {before_of(name): register for name, register in held.items()}
        if self.plan.restarts:
            inputs["begun"] = begun = Signal(name="begun")
            with m.If(self.i.valid):
                m.d.sync += begun.eq(1)
        following = emit_circuit(m, platform, self.plan.circuit, inputs)
        with m.If(self.i.valid):
            m.d.sync += [register.eq(following[name]) for name, register in held.items()]
        m.d.comb += self.o.valid.eq(delayed(m, self.i.valid, 1, name="valid", reset=True))
        for name, register in held.items():
            m.d.comb += Value.cast(self.o.payload[name]).eq(register)
        return m


def before_of(output: str) -> str:
    """The name that the circuit has for an output as it was."""
    return f"{output}_before"
