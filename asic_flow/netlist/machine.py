"""A module of single gates taken apart at its registers."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

__all__ = ["FLIP_FLOP", "Machine", "Net", "clock_of"]

Net = int | str
"""A net's number, or a constant."""

FLIP_FLOP = "$_DFF_P_"


class Machine:
    """The states of a module, and the gates that make the next ones.

    Parameters
    ----------
    module : as Yosys writes it in JSON, of gates and flip-flops of type :data:`FLIP_FLOP` alone.
    clock : name of the port that is left out.

    Attributes
    ----------
    ports, gates : without the clock, and without registers.
    following : state -> net of the next one. names : state -> all names of its net.
    starts : state -> ``"0"`` or ``"1"`` that it begins with, where that is told.
    """

    def __init__(self, module: Mapping[str, Any], clock: str):
        self.ports = {name: port for name, port in module["ports"].items() if name != clock}
        self.gates: dict[str, Mapping[str, Any]] = {}
        self.following: dict[Net, Net] = {}
        self.names: dict[Net, list[str]] = {}
        self.starts: dict[Net, str] = {}
        self._drivers: dict[Net, Mapping[str, Any]] = {}
        for name, cell in module["cells"].items():
            if cell["type"] == FLIP_FLOP:
                self.following[cell["connections"]["Q"][0]] = cell["connections"]["D"][0]
            else:
                self.gates[name] = cell
                self._drivers |= dict.fromkeys(_pins(cell, "output"), cell)
        for name, net in module["netnames"].items():
            self._name(name, net["bits"], str(net["attributes"].get("init", "")))

    def _name(self, name: str, bits: list[Net], init: str) -> None:
        for place, bit in enumerate(bits):
            if bit in self.following:
                # Bits of words are wires of such names in a netlist's Verilog.
                self.names.setdefault(bit, []).append(f"{name}[{place}]" if len(bits) > 1 else name)
                start = init[-1 - place] if place < len(init) else ""
                if start in ("0", "1"):
                    self.starts[bit] = start

    def bits(self, direction: str) -> Iterator[Net]:
        """Nets of the ports of one direction."""
        for port in self.ports.values():
            if port["direction"] == direction:
                yield from port["bits"]

    def require_driven(self) -> None:
        """ValueError if nets are read that nothing drives."""
        driven = {*self._drivers, *self.following, *self.bits("input"), "0", "1"}
        read = {*self.bits("output"), *self.following.values()}
        for cell in self.gates.values():
            read.update(_pins(cell, "input"))
        if lost := len(read - driven):
            raise ValueError(f"{lost} nets of the netlist are read, and nothing drives them")

    def states_behind(self, nets: Iterable[Net]) -> set[Net]:
        """The states that nets are functions of."""
        found, seen, left = set(), set(), list(nets)
        while left:
            net = left.pop()
            if net in self.following:
                found.add(net)
            elif net in self._drivers and net not in seen:
                seen.add(net)
                left += _pins(self._drivers[net], "input")
        return found

    def opened(
        self,
        inputs: Mapping[str, Net],
        outputs: Mapping[str, Net],
        same: Mapping[Net, Net],
    ) -> dict[str, Any]:
        """The gates alone as a module, with more ports; ``same`` tells what takes a net's place."""
        ports = {
            name: {**port, "bits": [same.get(bit, bit) for bit in port["bits"]]}
            for name, port in self.ports.items()
        }
        for direction, nets in (("input", inputs), ("output", outputs)):
            for name, net in nets.items():
                ports[name] = {"direction": direction, "bits": [same.get(net, net)]}
        gates = {
            name: {
                **cell,
                "connections": {
                    pin: [same.get(bit, bit) for bit in bits]
                    for pin, bits in cell["connections"].items()
                },
            }
            for name, cell in self.gates.items()
        }
        names = {
            name: {"bits": port["bits"], "hide_name": 0, "attributes": {}}
            for name, port in ports.items()
        }
        return {"ports": ports, "netnames": names, "cells": gates}


def clock_of(module: Mapping[str, Any]) -> str:
    """The port that clocks all registers; empty if there are none.

    Raises ValueError for registers of other types, and those that anything else clocks.
    """
    ports = {p["bits"][0]: n for n, p in module["ports"].items() if p["direction"] == "input"}
    found = set()
    for cell in module["cells"].values():
        if cell["type"] == FLIP_FLOP:
            found.add(ports.get(cell["connections"]["C"][0]))
        elif "DFF" in cell["type"] or "LATCH" in cell["type"]:
            raise ValueError(f"a register of type {cell['type']} cannot be compared")
    if len(found) > 1 or None in found:
        raise ValueError("registers that are not all clocked by one input cannot be compared")
    return found.pop() if found else ""


def _pins(cell: Mapping[str, Any], direction: str) -> list[Net]:
    ways, nets = cell["port_directions"], cell["connections"]
    return [bit for pin in nets if ways[pin] == direction for bit in nets[pin]]
