"""A combinational circuit as a component, so that all of its uses share one module."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from multipede.hw.arithmetic.circuit import Circuit
from multipede.hw.arithmetic.circuit_emit import emit_circuit
from multipede.hw.arithmetic.circuit_plan import CircuitPlan
from multipede.hw.style import Style

__all__ = ["CircuitComponent", "CircuitDesign"]


@dataclass(frozen=True)
class CircuitDesign:
    """The circuit ``builder(*arguments)`` in a style, cut by ``ranks`` register ranks.

    Equal designs are the same circuit.

    Attributes
    ----------
    plan : how it is built.
    """

    builder: Callable[..., Circuit]
    arguments: tuple
    style: Style
    ranks: int = 0

    @cached_property
    def plan(self) -> CircuitPlan:
        return CircuitPlan(self.builder(*self.arguments), self.style, ranks=self.ranks)


class CircuitComponent(wiring.Component):
    """A design in hardware; its members are the circuit's inputs and outputs by name."""

    def __init__(self, design: CircuitDesign):
        self.key = design
        circuit = design.plan.circuit
        self._inputs = circuit.inputs
        members = {name: In(width) for name, width in self._inputs.items()}
        super().__init__(members | {name: Out(len(word)) for name, word in circuit.outputs.items()})

    def duplicate(self) -> "CircuitComponent":
        """Another component for the same design."""
        return CircuitComponent(self.key)

    def elaborate(self, platform) -> Module:
        m = Module()
        inputs = {name: getattr(self, name) for name in self._inputs}
        for name, value in emit_circuit(m, platform, self.key.plan, inputs).items():
            m.d.comb += getattr(self, name).eq(value)
        return m
