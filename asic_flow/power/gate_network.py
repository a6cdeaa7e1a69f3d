"""A flat netlist of library cells as the arrays that the gate simulator runs on."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from multipede.asic_flow.liberty.boolean import depends_on
from multipede.asic_flow.liberty.cell_behaviour import (
    MOST_INPUTS,
    CellBehaviour,
    RegisterBehaviour,
    cell_behaviour,
)
from multipede.asic_flow.liberty.library import Library

__all__ = ["Gate", "GateNetwork", "Register", "gate_network"]

_CONSTANTS = {"0": 0, "1": 1, "x": 0, "z": 0}
"""What is unknown is 0: the kernel knows no third value."""


@dataclass(frozen=True)
class Gate:
    """One output of an instance: its table over nets, and the net that it drives (by place)."""

    instance: str
    kind: str
    pin: str
    table: int
    inputs: tuple[int, ...]
    pins: tuple[str, ...]
    target: int


@dataclass(frozen=True)
class Register:
    """A flip-flop: nets of its tables' variables, the state last, and of state and inverse."""

    instance: str
    behaviour: RegisterBehaviour
    inputs: tuple[int, ...]
    states: tuple[int, int]

    @property
    def forcing(self) -> int:
        """Places of the inputs that clear or preset depend on, as a mask."""
        tables = self.behaviour.clear, self.behaviour.preset
        return sum(
            1 << place
            for place in range(len(self.inputs))
            if any(depends_on(table, place, len(self.inputs)) for table in tables)
        )


@dataclass(frozen=True)
class GateNetwork:
    """The netlist as the simulator takes it.

    Attributes
    ----------
    nets : the netlist's number of each net; the first two are the constants 0 and 1, and those of
        the states of registers, at the end, have none. Both are None.
    gates, registers : outputs of cells, and flip-flops.
    clock : the netlist's number of the clock, None where there are no registers.
    inputs, outputs : port -> places of its nets, lowest bit first; the clock's port is not there.
    level : of each gate and then of each register, above those of all that it depends on within a
        clock.
    """

    nets: tuple[int | None, ...]
    gates: tuple[Gate, ...]
    registers: tuple[Register, ...]
    clock: int | None
    inputs: Mapping[str, tuple[int, ...]]
    outputs: Mapping[str, tuple[int, ...]]
    level: np.ndarray

    def readers(self) -> tuple[np.ndarray, np.ndarray]:
        """Who reads each net, as node * MOST_INPUTS + place, and where each net's begin."""
        by_net: list[list[int]] = [[] for _ in self.nets]
        nodes = [*self.gates, *self.registers]
        for node, one in enumerate(nodes):
            for place, net in enumerate(one.inputs):
                by_net[net].append(node * MOST_INPUTS + place)
        first = np.cumsum([0, *map(len, by_net)])
        flat = [reader for readers in by_net for reader in readers]
        return np.array(flat, np.int32), first.astype(np.int64)


def gate_network(netlist: Mapping[str, Any], library: Library) -> GateNetwork:
    """The network of a module as Yosys writes it in JSON.

    Raises
    ------
    ValueError
        For a cell that cannot be simulated, registers with several clocks or one that is no input
        port, a clock that is read as data, a net without or with several drivers, or a loop without
        a register.
    """
    return _Builder(netlist, library).network()


class _Builder:
    def __init__(self, netlist: Mapping[str, Any], library: Library):
        self._netlist = netlist
        self._library = library
        self._behaviours: dict[str, CellBehaviour] = {}
        self._nets: list[int | None] = [None, None]
        self._place: dict[int, int] = {}
        self._gates: list[Gate] = []
        self._registers: list[Register] = []
        self._clock = self._common_clock()

    def network(self) -> GateNetwork:
        inputs, outputs = self._ports("input"), self._ports("output")
        for name, instance in self._netlist["cells"].items():
            self._add(name, instance)
        self._check_drivers(inputs)
        return GateNetwork(
            tuple(self._nets),
            tuple(self._gates),
            tuple(self._registers),
            self._clock,
            inputs,
            outputs,
            self._levels(),
        )

    def _behaviour(self, kind: str) -> CellBehaviour:
        if kind not in self._behaviours:
            self._behaviours[kind] = cell_behaviour(self._library, kind)
        return self._behaviours[kind]

    def _common_clock(self) -> int | None:
        """The net that clocks all registers."""
        found: dict[Any, str] = {}
        for name, instance in self._netlist["cells"].items():
            register = self._behaviour(instance["type"]).register
            if register is not None:
                found.setdefault(instance["connections"][register.clock][0], name)
        if not found:
            return None
        if len(found) > 1:
            raise ValueError(f"registers {', '.join(found.values())} have different clocks")
        ((clock, name),) = found.items()
        ports = [port for port in self._netlist["ports"].values() if port["bits"] == [clock]]
        if [port["direction"] for port in ports] != ["input"]:
            raise ValueError(f"register {name}: its clock must be an input port, and no output")
        return clock

    def _ports(self, direction: str) -> dict[str, tuple[int, ...]]:
        return {
            name: tuple(map(self._net, port["bits"]))
            for name, port in self._netlist["ports"].items()
            if port["direction"] == direction and port["bits"] != [self._clock]
        }

    def _net(self, bit: int | str) -> int:
        if isinstance(bit, str):
            return _CONSTANTS[bit]
        if bit == self._clock:
            raise ValueError("the clock is read as data: only registers may have it")
        if bit not in self._place:
            self._place[bit] = len(self._nets)
            self._nets.append(bit)
        return self._place[bit]

    def _add(self, name: str, instance: Mapping[str, Any]) -> None:
        kind, ends = instance["type"], instance["connections"]
        behaviour = self._behaviour(kind)
        register = behaviour.register
        if register is None:
            inputs = tuple(self._read(name, ends, pin) for pin in behaviour.variables)
        else:
            inputs = self._new_states()
            read = [self._read(name, ends, pin) for pin in register.variables[:-1]]
            one = Register(name, register, (*read, inputs[0]), inputs)
            self._registers.append(one)
        for pin, table in behaviour.outputs.items():
            if ends.get(pin):
                target = self._net(ends[pin][0])
                gate = Gate(name, kind, pin, table, inputs, behaviour.variables, target)
                self._gates.append(gate)

    def _read(self, name: str, ends: Mapping[str, Any], pin: str) -> int:
        if not ends.get(pin):
            raise ValueError(f"cell {name}: its input {pin} is not connected")
        return self._net(ends[pin][0])

    def _new_states(self) -> tuple[int, int]:
        self._nets += [None, None]
        return len(self._nets) - 2, len(self._nets) - 1

    def _check_drivers(self, inputs: Mapping[str, tuple[int, ...]]) -> None:
        drivers = [net for nets in inputs.values() for net in nets]
        drivers += [gate.target for gate in self._gates]
        count = np.bincount(drivers, minlength=len(self._nets))
        for net, bit in enumerate(self._nets):
            if bit is not None and count[net] != 1:
                number = "several drivers" if count[net] else "no driver"
                raise ValueError(f"net {bit} has {number}")

    def _levels(self) -> np.ndarray:
        """By Kahn's order; registers wait for nothing but what clears or presets them."""
        nodes = [*self._gates, *self._registers]
        made_by, waiting, missing = {}, defaultdict(list), np.zeros(len(nodes), int)
        for node, one in enumerate(nodes):
            targets = (one.target,) if isinstance(one, Gate) else one.states
            made_by |= dict.fromkeys(targets, node)
        for node, one in enumerate(nodes):
            acting = -1 if isinstance(one, Gate) else one.forcing
            for place, net in enumerate(one.inputs):
                if net in made_by and acting >> place & 1:
                    waiting[made_by[net]].append(node)
                    missing[node] += 1
        level = np.zeros(len(nodes), np.int32)
        ready = [node for node in range(len(nodes)) if not missing[node]]
        for node in ready:
            for later in waiting[node]:
                level[later] = max(level[later], level[node] + 1)
                missing[later] -= 1
                if not missing[later]:
                    ready.append(later)
        if len(ready) < len(nodes):
            place = int(np.argmax(missing > 0))
            raise ValueError(f"a loop without a register goes through {nodes[place].instance}")
        return level
