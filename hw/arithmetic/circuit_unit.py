"""Units that are one circuit, from the codes of their operands to those of their results."""

from abc import abstractmethod
from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from typing import ClassVar

from amaranth.hdl import Module, Value

from multipede.hw.arithmetic.circuit import Circuit, Word
from multipede.hw.arithmetic.circuit_emit import emit_circuit
from multipede.hw.arithmetic.circuit_plan import CircuitPlan
from multipede.hw.arithmetic.pipeline import balanced_plan
from multipede.hw.style import Style
from multipede.hw.unit import Unit, UnitPlan, delayed

__all__ = ["CircuitUnit", "CircuitUnitPlan"]


class CircuitUnitPlan(UnitPlan):
    """A circuit cut by as many register ranks as the specification has clocks of latency.

    A port that is an array is one word, the first element in its lowest bits.
    """

    divides: ClassVar[bool] = False
    """whether sums may be divided so that ranks can cut their carries"""

    @abstractmethod
    def results(self, c: Circuit, codes: Mapping[str, Word]) -> Mapping[str, Word]:
        """The codes of the outputs from those of the inputs, by the names of their ports."""

    @cached_property
    def circuit(self) -> CircuitPlan:
        """The circuit and its ranks."""
        c = Circuit()
        codes = {name: c.input(name, port.bits) for name, port in self.spec.inputs.items()}
        for name, word in self.results(c, codes).items():
            c.output(name, word)
        if self.divides and self.style is Style.CELLS and self.spec.latency > 1:
            return balanced_plan(c, ranks=self.spec.latency)
        return CircuitPlan(c, self.style, ranks=self.spec.latency)

    def inventory(self) -> Counter:
        return self.circuit.inventory() + Counter(register=self.spec.latency)


class CircuitUnit(Unit):
    """Any unit that is one circuit; subclasses name the specification and the plan."""

    def elaborate(self, platform) -> Module:
        circuit = self.plan.circuit  # made before anything of Amaranth's, in case it cannot be
        m = Module()
        # Arrays are words of their elements, the first one lowest.
        inputs = {name: Value.cast(self.i.payload[name]) for name in self.spec.inputs}
        outputs = emit_circuit(m, platform, circuit, inputs)
        valid = delayed(m, self.i.valid, self.spec.latency, name="valid", reset=True)
        m.d.comb += self.o.valid.eq(valid)
        for name, value in outputs.items():
            m.d.comb += Value.cast(self.o.payload[name]).eq(value)
        return m
