"""A flat netlist of cells as structural Verilog."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from multipede.asic_flow.netlist.net_names import net_names

__all__ = ["netlist_verilog"]

_PLAIN = re.compile(r"[A-Za-z_]\w*")
_KEYWORDS = frozenset(("input", "output", "wire", "module", "endmodule", "assign", "reg", "signed"))


def netlist_verilog(netlist: Mapping[str, Any], top: str) -> str:
    """The netlist in Verilog, its module called ``top``.

    ``netlist`` : a module as Yosys writes it in JSON, every pin of whose cells is one bit wide.
    Nets keep the names of the source where they have one, and every bit is a wire of its own.
    """
    ports = netlist["ports"]
    names = net_names(netlist)
    of_ports = {bit for port in ports.values() for bit in port["bits"]}
    references: dict[int | str, str] = {}
    for name, port in ports.items():
        for place, bit in enumerate(port["bits"]):
            wide = len(port["bits"]) > 1
            references.setdefault(
                bit, f"{_identifier(name)}[{place}]" if wide else _identifier(name)
            )
    wires = sorted(_bits_of_cells(netlist) - of_ports)
    references |= {bit: _identifier(names[bit]) for bit in wires}
    for constant in "01xz":
        references[constant] = f"1'b{constant}"
    lines = [f"module {_identifier(top)}({', '.join(map(_identifier, ports))});"]
    for name, port in ports.items():
        width = f" [{len(port['bits']) - 1}:0]" if len(port["bits"]) > 1 else ""
        lines.append(f"  {port['direction']}{width} {_identifier(name)};")
    lines += [f"  wire {references[bit]};" for bit in wires]
    lines += _instances(netlist, references)
    lines += _aliases(ports, references)
    return "\n".join([*lines, "endmodule\n"])


def _instances(netlist: Mapping[str, Any], references: Mapping[int | str, str]) -> Iterator[str]:
    for name, cell in netlist["cells"].items():
        pins = ",\n".join(
            f"    .{_identifier(pin)}({references[bits[0]]})"
            for pin, bits in cell["connections"].items()
            if bits
        )
        yield f"  {_identifier(cell['type'])} {_identifier(name)} (\n{pins}\n  );"


def _aliases(ports: Mapping[str, Any], references: Mapping[int | str, str]) -> Iterator[str]:
    """Output bits that are another port's bit, or a constant."""
    for name, port in ports.items():
        for place, bit in enumerate(port["bits"]):
            wide = len(port["bits"]) > 1
            own = f"{_identifier(name)}[{place}]" if wide else _identifier(name)
            if port["direction"] == "output" and references[bit] != own:
                yield f"  assign {own} = {references[bit]};"


def _bits_of_cells(netlist: Mapping[str, Any]) -> set[int]:
    return {
        bit
        for cell in netlist["cells"].values()
        for bits in cell["connections"].values()
        for bit in bits
        if isinstance(bit, int)
    }


def _identifier(name: str) -> str:
    """As it may stand before an index."""
    return name if _PLAIN.fullmatch(name) and name not in _KEYWORDS else f"\\{name} "
