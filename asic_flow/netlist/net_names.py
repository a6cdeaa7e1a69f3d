"""Names of nets, for people and for other programs."""

from collections.abc import Mapping
from typing import Any

__all__ = ["net_names"]


def net_names(netlist: Mapping[str, Any]) -> dict[int, str]:
    """The name of each net: a port's before a signal's of the source, before one of the tools; of
    several the one highest in the hierarchy, then the shortest; of words with the bit in brackets.
    Nets that have no name are called after their number."""
    names: dict[int, tuple[int, int, int, str]] = {}
    for name, net in netlist["netnames"].items():
        rank = 0 if name in netlist["ports"] else 1 + bool(net.get("hide_name"))
        for place, bit in enumerate(net["bits"]):
            if not isinstance(bit, int):
                continue
            full = f"{name}[{place}]" if len(net["bits"]) > 1 else name
            found = rank, name.count("."), len(full), full
            if bit not in names or found < names[bit]:
                names[bit] = found
    found = {bit: name for bit, (*_, name) in names.items()}
    for cell in netlist["cells"].values():
        for bits in cell["connections"].values():
            for bit in bits:
                if isinstance(bit, int):
                    found.setdefault(bit, f"net_{bit}")
    return found
