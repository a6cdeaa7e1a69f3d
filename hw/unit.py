"""The hardware contract: what every unit's Amaranth component has in common."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from typing import ClassVar

from amaranth.hdl import Module, Shape, Signal, Value, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from multipede.golden.formats import FixedPoint, Integer
from multipede.golden.spec import Port, Spec
from multipede.hw.style import Style

__all__ = ["Unit", "UnitPlan", "delayed", "payload_layout"]


def _element_shape(port: Port) -> Shape:
    number = isinstance(port.format, Integer | FixedPoint)
    return signed(port.format.bits) if number and port.format.signed else unsigned(port.format.bits)


def payload_layout(ports: Mapping[str, Port]) -> data.StructLayout:
    """Fields in port order, first lowest; arrays row-major, element [0, .., 0] lowest."""
    members = {}
    for name, port in ports.items():
        shape = _element_shape(port)
        for length in reversed(port.shape):
            shape = data.ArrayLayout(shape, length)
        members[name] = shape
    return data.StructLayout(members)


class UnitPlan(ABC):
    """How a specification is built in a style, decided without any HDL object."""

    def __init__(self, spec: Spec, style: Style):
        self.spec = spec
        self.style = style

    @abstractmethod
    def inventory(self) -> Counter:
        """Operators by kind, in bits."""


class Unit(wiring.Component):
    """A specification built in hardware.

    Members
    -------
    i : In(stream) of the specification's inputs; always ready unless the unit takes many clocks.
    o : Out(stream) of its outputs, likewise.

    Attributes
    ----------
    spec, style, plan : what it was made from, read-only.
    """

    specification: ClassVar[type[Spec]]
    planning: ClassVar[type[UnitPlan]]

    def __init__(self, spec: Spec, *, style: Style = Style.WORD):
        self.plan = self.planned(spec, style)
        self.spec = spec
        self.style = style
        inputs, outputs = payload_layout(spec.inputs), payload_layout(spec.outputs)
        super().__init__(
            {
                "i": In(stream.Signature(inputs, always_ready=spec.always_ready)),
                "o": Out(stream.Signature(outputs, always_ready=not spec.stallable)),
            }
        )

    @property
    def key(self) -> tuple[Spec, Style]:
        """Equal for equal units."""
        return self.spec, self.style

    def duplicate(self) -> "Unit":
        """Another component of the same specification and style."""
        return type(self)(self.spec, style=self.style)

    @classmethod
    def planned(cls, spec: Spec, style: Style) -> UnitPlan:
        """The plan of ``spec`` in ``style``. TypeError for another unit's specification."""
        if type(spec) is not cls.specification:
            raise TypeError(f"spec must be a {cls.specification.__name__}, not {spec!r}")
        if not isinstance(style, Style):
            raise TypeError(f"style must be a Style, not {style!r}")
        return cls.planning(spec, style)


def delayed(m: Module, value: Value, clocks: int, *, name: str, reset: bool = False) -> Value:
    """``value`` as it was ``clocks`` ago; ``reset`` where it must start at 0."""
    for rank in range(clocks):
        register = Signal.like(value, name=f"{name}_q{rank + 1}", init=0, reset_less=not reset)
        m.d.sync += register.eq(value)
        value = register
    return value
