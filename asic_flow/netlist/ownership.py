"""Which submodule each cell of a flat netlist belongs to.

Cells that stood in the design keep their place in their name. Gates that ABC made have none: a gate
belongs where the net that it drives has its name; if that has several, to one in which the gate's
inputs are named too, else to the deepest. A gate whose net has no name belongs where most of those
belong that read it. Paths are written with dots; the top module is the empty path.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

__all__ = ["owner_of_cells"]

TOP = ""


def owner_of_cells(netlist: Mapping[str, Any]) -> dict[str, str]:
    """Path of the submodule by cell.

    Parameters
    ----------
    netlist : a flat module as Yosys writes it in JSON. Its ``hdlname`` attributes tell places;
        where they were lost on the way through Verilog, names with dots do, in which generated
        blocks are places, too.
    """
    return _Owners(netlist).found


class _Owners:
    def __init__(self, netlist: Mapping[str, Any]):
        self._cells = netlist["cells"]
        self._named = _paths_of_nets(netlist)
        self._readers: dict[int, list[str]] = defaultdict(list)
        self._outputs: dict[str, list[int]] = {}
        self._inputs: dict[str, list[int]] = {}
        for name, cell in self._cells.items():
            self._sort(name, cell)
        self.found: dict[str, str] = {}
        for name in self._cells:
            known = self._by_name(name)
            if known is not None:
                self.found[name] = known
        self._by_readers()

    def _sort(self, name: str, cell: Mapping[str, Any]) -> None:
        self._outputs[name], self._inputs[name] = [], []
        for pin, bits in cell["connections"].items():
            output = cell["port_directions"][pin] == "output"
            for bit in bits:
                if isinstance(bit, int):
                    (self._outputs if output else self._inputs)[name].append(bit)
                    if not output:
                        self._readers[bit].append(name)

    def _by_name(self, name: str) -> str | None:
        path = _path(name, self._cells[name])
        if path is not None:
            return path
        candidates = {path for bit in self._outputs[name] for path in self._named.get(bit, ())}
        if not candidates:
            return None
        around = {path for bit in self._inputs[name] for path in self._named.get(bit, ())}
        return max(candidates & around or candidates, key=lambda path: (path.count("."), path))

    def _by_readers(self) -> None:
        """From the outputs back, as long as any more are found."""
        waiting = [name for name in self._cells if name not in self.found]
        while waiting:
            left = []
            for name in waiting:
                readers = Counter(
                    self.found[reader]
                    for bit in self._outputs[name]
                    for reader in self._readers[bit]
                    if reader in self.found
                )
                if readers:
                    self.found[name] = max(readers, key=lambda path: (readers[path], path))
                else:
                    left.append(name)
            if len(left) == len(waiting):
                break
            waiting = left
        self.found |= dict.fromkeys((name for name in self._cells if name not in self.found), TOP)


def _paths_of_nets(netlist: Mapping[str, Any]) -> dict[int, set[str]]:
    """The submodules in which each net has a name."""
    named: dict[int, set[str]] = defaultdict(set)
    for name, net in netlist["netnames"].items():
        path = _path(name, net)
        if path is not None:
            for bit in net["bits"]:
                if isinstance(bit, int):
                    named[bit].add(path)
    return named


def _path(name: str, one: Mapping[str, Any]) -> str | None:
    """All but the last of the names on the way to a cell or net; None for what tools have named."""
    way = one.get("attributes", {}).get("hdlname")
    if way is not None:
        return ".".join(way.split()[:-1])
    if name.startswith("$") or one.get("hide_name"):
        return None
    return name.rpartition(".")[0]
