"""One definition, many instances: the platform that turns components into shared RTLIL modules.

Amaranth writes a submodule out once per use. Handed over as ``platform``, a :class:`Hierarchy`
makes :func:`shared` write each distinct component once and instance it, so that a 4 x 4 tile
holds one dot product and not sixteen. On any other platform (a board, a simulator, ``None``) the
same units elaborate into ordinary submodules.
"""

import re

from amaranth.back import rtlil
from amaranth.hdl import Cat, ClockSignal, Const, Fragment, Instance, Module, ResetSignal, Value
from amaranth.hdl._ir import PortDirection
from amaranth.lib import wiring

__all__ = ["Hierarchy", "convert", "shared", "to_rtlil"]


class Hierarchy:
    """Collects the definitions of shared modules while a design elaborates."""

    def __init__(self, top: str):
        self._top = top
        self._keys: dict[str, object] = {}
        self.definitions: dict[str, str] = {}
        self.sums: list[object] = []
        """plans of the bit heaps that were written, in order"""

    def define(self, name: str, component: wiring.Component) -> tuple[str, tuple[str, ...]]:
        """Module name and clock pins of ``component``, which is written out at most once.

        Components are the same if their ``key`` is. The module is called ``name`` behind the top
        module's name, with a number where different components ask for the same one.
        """
        name = unique = f"{self._top}_{name}"
        number = 2
        while self._keys.get(unique, component.key) != component.key:
            unique, number = f"{name}_{number}", number + 1
        if unique not in self._keys:
            self._keys[unique] = component.key
            self.definitions[unique] = convert(component, unique, self)
        # Amaranth warns of components that are never elaborated, as an equal one is not again.
        component._MustUse__used = True
        return unique, _clock_pins(self.definitions[unique])


def shared(
    m: Module, platform, name: str, component: wiring.Component, *, instance: str, **ports
) -> None:
    """Put ``component`` into ``m`` with its ports wired: inputs to values, outputs to signals.

    Inputs of another width than their ports are cut or extended, as in an assignment.

    ``name`` names the module, ``instance`` this use of it; the component must have an attribute
    ``key``, equal for equal components, and a method ``duplicate``. Ports of nested members are
    named as in :func:`to_rtlil`.
    """
    if not isinstance(platform, Hierarchy):
        # Amaranth wants an object of its own for every place.
        if getattr(component, "placed", False):
            component = component.duplicate()
        component.placed = True
        m.submodules[instance] = component
        inner = _ports(component)
        for port, value in ports.items():
            flow, signal = inner[port]
            m.d.comb += value.eq(signal) if flow is wiring.Out else signal.eq(value)
        return
    module, clocks = platform.define(name, component)
    inner = _ports(component)
    pins = {}
    for port, value in ports.items():
        flow, signal = inner[port]
        if flow is wiring.Out:
            pins[f"o_{port}"] = value
        else:
            pins[f"i_{port}"] = _resized(Value.cast(value), len(signal))
    pins |= {f"i_{pin}": (ClockSignal if pin == "clk" else ResetSignal)() for pin in clocks}
    m.submodules[instance] = Instance(module, **pins)


def _resized(value: Value, width: int) -> Value:
    """The value as an assignment to so many bits takes it."""
    missing = width - len(value)
    if missing == 0:
        return value
    if missing < 0:
        return value[:width]
    fill = value[-1] if value.shape().signed else Const(0, 1)
    return Cat(value, fill.replicate(missing))


def to_rtlil(component: wiring.Component, name: str) -> str:
    """RTLIL of a component and of all that it shares; the top module is called ``name``.

    Ports: ``clk`` and ``rst`` if there are registers, and the component's members, with ``_``
    between the names of nested members (``i_payload``).
    """
    hierarchy = Hierarchy(name)
    top = convert(component, name, hierarchy)
    shared_modules = [
        text.replace("attribute \\top 1\n", "") for text in hierarchy.definitions.values()
    ]
    return "\n".join([*shared_modules, top])


def convert(component: wiring.Component, name: str, platform: Hierarchy) -> str:
    """RTLIL of a component as module ``name``; what it shares goes to ``platform``."""
    fragment = Fragment.get(component, platform)
    ports = {
        port: (value, PortDirection.Input if flow is wiring.In else PortDirection.Output)
        for port, (flow, value) in _ports(component).items()
    }
    text, _ = rtlil.convert_fragment(fragment, ports, name, emit_src=False)
    return text


def _ports(component: wiring.Component) -> dict[str, tuple[wiring.Flow, Value]]:
    """Direction and value of each port, ``_`` between the names of nested members."""
    ports = {}
    for path, member, value in component.signature.flatten(component):
        value = Value.cast(value)
        if not isinstance(value, Const):  # a constant ready or valid is no port
            ports["_".join(map(str, path))] = (member.flow, value)
    return ports


def _clock_pins(rtlil_text: str) -> tuple[str, ...]:
    """Which of clk and rst the top module of this text has as inputs."""
    top = rtlil_text[rtlil_text.index("attribute \\top 1") :].split("\nend\n", 1)[0]
    return tuple(re.findall(r"input \d+  \\(clk|rst)\n", top))
