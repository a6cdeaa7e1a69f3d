"""A unit's Verilog as Yosys' word-level netlist: modules, cells and nets to look at and to edit."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from multipede.golden.source_files import OWN, source_digest
from multipede.toolchain import cached, find, key, write_atomically
from multipede.toolchain.yosys import run_yosys

__all__ = ["Cell", "Net", "NetlistModule", "netlist_of", "plain_type", "signed", "verilog_from"]

Net = int | str
"""A net's number, or one of "0", "1", "x"."""
Cell = dict[str, Any]
"""Type, parameters, directions and connections of a cell, as in Yosys' JSON."""

_SOURCES = ("sim/netlist.py", "toolchain/yosys.py")


def netlist_of(verilog: str, *, top: str, flat: bool = False) -> dict[str, Any]:
    """The Verilog as a JSON netlist of word-wide cells, registers without clock enables. Cached.

    ``flat`` puts everything into the top module; a net's name is then its place, with dots.

    Raises
    ------
    ToolError
        If Yosys is missing or cannot read the Verilog.
    """
    identity = key(verilog, top, str(flat), find("yosys").identity, source_digest(OWN, *_SOURCES))

    def build(place: Path) -> None:
        result = run_yosys(
            f"read_verilog -sv unit.v; hierarchy -check -top {top}; proc; opt_expr; opt_clean\n"
            # Words of memories as registers, which mutants and the solver can see into.
            "memory -nordff -nomap; memory_map; opt_expr; opt_clean\n"
            f"{'flatten; opt_clean' if flat else ''}\nwrite_json netlist.json",
            files={"unit.v": verilog},
            outputs=["netlist.json"],
        )
        write_atomically(place / "netlist.json", result.outputs["netlist.json"])

    return json.loads((cached("netlist", identity, build) / "netlist.json").read_text())


def verilog_from(netlist: dict[str, Any]) -> str:
    """The netlist in Verilog, to be simulated; its names are Yosys' own."""
    result = run_yosys(
        "read_json netlist.json; opt_clean; write_verilog -noattr unit.v",
        files={"netlist.json": json.dumps(netlist)},
        outputs=["unit.v"],
    )
    return result.outputs["unit.v"]


def plain_type(name: str) -> str:
    """A module's name as in the Verilog, without the parameters that Yosys puts into it."""
    return name.split("\\")[1] if name.startswith("$paramod") else name


def signed(cell: Cell, port: str) -> bool:
    """Whether the cell takes the port as a signed number."""
    return int(cell["parameters"].get(f"{port}_SIGNED", "0"), 2) == 1


class NetlistModule:
    """One module of a JSON netlist, with what it takes to add cells to it."""

    def __init__(self, content: dict[str, Any]):
        self.content = content
        nets = [net for bits in self._bits() for net in bits if isinstance(net, int)]
        self._next = max(nets, default=1) + 1
        self._made = 0

    def _bits(self) -> Iterator[Sequence[Net]]:
        for port in self.content["ports"].values():
            yield port["bits"]
        for wire in self.content["netnames"].values():
            yield wire["bits"]
        for cell in self.cells.values():
            yield from cell["connections"].values()

    @property
    def cells(self) -> dict[str, Cell]:
        """By name."""
        return self.content["cells"]

    def words(self, cell: Cell, direction: str) -> list[tuple[str, list[Net]]]:
        """The cell's ports of a direction, with their nets, lowest first."""
        directions = cell["port_directions"]
        return [(p, bits) for p, bits in cell["connections"].items() if directions[p] == direction]

    def fresh(self, width: int) -> list[Net]:
        """So many nets that nothing drives yet."""
        self._next += width
        return list(range(self._next - width, self._next))

    def add_port(self, name: str, direction: str, bits: list[Net]) -> None:
        """A port of the module. ValueError if there is one of this name."""
        if name in self.content["ports"] or name in self.content["netnames"]:
            raise ValueError(f"the Verilog has a net {name!r} already: rename it")
        self.content["ports"][name] = {"direction": direction, "bits": bits}
        self.content["netnames"][name] = {"hide_name": 0, "bits": bits, "attributes": {}}

    def add_cell(
        self, kind: str, inputs: dict[str, list[Net]], output: list[Net], **parameters: int
    ) -> list[Net]:
        """A combinational cell whose output is called Y; parameters besides the widths."""
        connections = {**inputs, "Y": output}
        if kind == "$mux":
            widths = {"WIDTH": len(output)}
        else:
            widths = {f"{port}_WIDTH": len(bits) for port, bits in connections.items()}
            widths |= {f"{port}_SIGNED": 0 for port in inputs}
        while (name := f"$multipede${self._made}") in self.cells:
            self._made += 1
        self.cells[name] = {
            "hide_name": 1,
            "type": kind,
            "parameters": {k: f"{value:032b}" for k, value in (widths | parameters).items()},
            "attributes": {},
            "port_directions": {**dict.fromkeys(inputs, "input"), "Y": "output"},
            "connections": connections,
        }
        return output

    def choose(self, select: Net, ones: Net, zeros: Net, output: Net | None = None) -> Net:
        """One bit: ``ones`` while ``select`` is 1, else ``zeros``."""
        target = self.fresh(1) if output is None else [output]
        inputs = {"A": [zeros], "B": [ones], "S": [select]}
        return self.add_cell("$mux", inputs, target)[0]

    def inverted(self, net: Net) -> Net:
        """The opposite of one bit."""
        return self.add_cell("$not", {"A": [net]}, self.fresh(1))[0]
