"""The nodes and arcs of a netlist's timing.

Every net has two nodes, its rising and its falling edge. Arcs lead from the nodes of a cell's
inputs to those of its outputs, and from the clock to those of a register. They are ordered level
by level, so that one pass over the levels finds all arrivals. The cells of instances may be
exchanged for others of their families without a change to the graph.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from multipede.asic_flow.liberty.cell_family import CellFamily, Families
from multipede.asic_flow.liberty.library import Library
from multipede.asic_flow.netlist.net_names import net_names
from multipede.asic_flow.timing.conditions import Conditions

__all__ = ["CLOCK", "FIRST_NET", "INPUT", "Arcs", "Ends", "Pins", "TimingGraph"]

CLOCK, INPUT, FIRST_NET = 0, 1, 2
"""Nodes: the clock's edge, the edge behind all inputs, and from the third on two for each net."""


@dataclass(frozen=True)
class Pins:
    """Pins of instances that have a net, (P,): the node of its rising edge (the next is that of the
    falling one), the instance, and the pin's place in the instance's family."""

    nodes: np.ndarray
    instances: np.ndarray
    places: np.ndarray


@dataclass(frozen=True)
class Arcs:
    """(A,) each, ordered by level and target: nodes, instance, and place in its family's arcs."""

    sources: np.ndarray
    targets: np.ndarray
    instances: np.ndarray
    places: np.ndarray


@dataclass(frozen=True)
class Ends:
    """Where paths end, (E,) each: nodes; names of the output, or of what the register puts out;
    the register (-1 for outputs), and the place in its family's setup times."""

    nodes: np.ndarray
    names: tuple[str, ...]
    instances: np.ndarray
    places: np.ndarray


class TimingGraph:
    """The graph of a flat netlist.

    Parameters
    ----------
    netlist : a module as Yosys writes it in JSON; all its cells are of the library.
    library, conditions : of the cells, and what stands around.
    sizes : whether instances may be exchanged for others of their families.

    Attributes
    ----------
    instances : names; behind the netlist's own, one of an empty name for each driver of an input.
    own : how many are the netlist's own.
    families : all, F of them. family : number of each instance's, (I,).
    cells : which cell of its family each instance is, (I,).
    nets : number in the netlist of each net.
    inputs, outputs : pins; outputs of the netlist's own instances only.
    arcs, ends : see there. levels : slices of the arcs, each with where its targets begin in it.
    starts : nodes of inputs that nothing drives. output_nodes : (rising) of the netlist's outputs.

    Raises
    ------
    ValueError
        For a cell without delays, a loop without a register, or a driver that is no buffer or
        inverter of the library.
    """

    def __init__(
        self,
        netlist: Mapping[str, Any],
        library: Library,
        conditions: Conditions,
        *,
        sizes: bool = False,
    ):
        self.conditions = conditions
        self.families: list[CellFamily] = []
        self.instances: list[str] = []
        self.nets: list[int] = []
        self._families = Families(library, sizes=sizes)
        self._names = net_names(netlist)
        self._place: dict[int, int] = {}
        self._number: dict[int, int] = {}
        self._rows: list[list[list[int]]] = []
        self._of: list[int] = []
        self._cells: list[int] = []
        ends = list(self._read_ports(netlist))
        for name, instance in netlist["cells"].items():
            self._add_instance(name, instance["type"], instance["connections"])
        self.own = len(self.instances)
        self._add_drivers(netlist)
        self.family = np.array(self._of, int)
        self.cells = np.array(self._cells, int)
        self._members = [np.flatnonzero(self.family == f) for f in range(len(self.families))]
        self._nodes = [
            np.array(rows, int).reshape(-1, len(family.pins))
            for rows, family in zip(self._rows, self.families, strict=True)
        ]
        self.inputs, self.outputs = self._pins(outputs=False), self._pins(outputs=True)
        self.ends = self._all_ends(ends)
        self._sort(self._arcs())

    # ------------------------------------------------------------------ what the netlist says

    def _node(self, bit: int | str) -> int:
        """The node of a net's rising edge; none, -1, of constants, which never change."""
        if not isinstance(bit, int):
            return -1
        if bit not in self._place:
            self._place[bit] = len(self.nets)
            self.nets.append(bit)
        return FIRST_NET + 2 * self._place[bit]

    def _read_ports(self, netlist: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
        """Nodes and names of the outputs."""
        starts: list[int] = []
        for port in netlist["ports"].values():
            bits = [bit for bit in port["bits"] if isinstance(bit, int)]
            nodes = [self._node(bit) for bit in bits]
            if port["direction"] == "output":
                yield from zip(nodes, (self._names[bit] for bit in bits), strict=True)
            elif self.conditions.driver is None:
                starts += [node + edge for node in nodes for edge in (0, 1)]
        self.starts = np.array(starts, int)

    def _add_instance(self, name: str, kind: str, connections: Mapping[str, list]) -> None:
        family = self._families.of(kind)
        if id(family) not in self._number:
            self._number[id(family)] = len(self.families)
            self.families.append(family)
            self._rows.append([])
        number = self._number[id(family)]
        nodes = [self._node(connections[p][0]) if connections.get(p) else -1 for p in family.pins]
        self._rows[number].append(nodes)
        self._of.append(number)
        self._cells.append(family.cells.index(kind))
        self.instances.append(name)

    def _add_drivers(self, netlist: Mapping[str, Any]) -> None:
        driver = self.conditions.driver
        if driver is None:
            return
        family = self._families.of(driver)
        if len(family.pins) != 2 or family.clock:
            raise ValueError(f"driver = {driver!r}: a buffer or an inverter is needed")
        (output,) = family.outputs
        for port in netlist["ports"].values():
            for bit in port["bits"] if port["direction"] == "input" else ():
                if isinstance(bit, int):
                    self._add_instance("", driver, {output: [bit]})

    # ------------------------------------------------------------------ arrays

    def _pins(self, *, outputs: bool) -> Pins:
        found = []
        for family, members, nodes in zip(self.families, self._members, self._nodes, strict=True):
            for place, pin in enumerate(family.pins):
                here = nodes[:, place] >= 0
                if outputs:
                    here &= members < self.own
                if (pin in family.outputs) == outputs:
                    found.append((nodes[here, place], members[here], place))
        return Pins(*_joined(found))

    def _arcs(self) -> Arcs:
        found = []
        for family, members, nodes in zip(self.families, self._members, self._nodes, strict=True):
            drivers = members >= self.own
            for place, (pin, pin_edge, output, edge) in enumerate(family.arcs.tolist()):
                if pin < 0:
                    source = np.full(len(members), CLOCK)
                else:
                    source = np.where(nodes[:, pin] >= 0, nodes[:, pin] + pin_edge, -1)
                    source = np.where(drivers, INPUT, source)
                here = (source >= 0) & (nodes[:, output] >= 0)
                found.append((source[here], nodes[here, output] + edge, members[here], place))
        return Arcs(*_joined(found, 4))

    def _all_ends(self, outputs: list[tuple[int, str]]) -> Ends:
        self.output_nodes = np.array([node for node, _ in outputs], int)
        found = [(node + edge, name, -1, 0) for node, name in outputs for edge in (0, 1)]
        for family, members, nodes in zip(self.families, self._members, self._nodes, strict=True):
            for place, (pin, edge) in enumerate(family.setup_pins.tolist()):
                for number, row in zip(members.tolist(), nodes.tolist(), strict=True):
                    if row[pin] >= 0:
                        name = self._register_name(family, number, row)
                        found.append((row[pin] + edge, name, number, place))
        nodes, names, instances, places = zip(*found, strict=True) if found else ((),) * 4
        return Ends(np.array(nodes, int), names, np.array(instances, int), np.array(places, int))

    def _register_name(self, family: CellFamily, number: int, nodes: list[int]) -> str:
        for node, pin in zip(nodes, family.pins, strict=True):
            if pin in family.outputs and node >= 0:
                return self.name(node)
        return self.instances[number]

    def _sort(self, arcs: Arcs) -> None:
        """By level and target, so that each level is a slice and each target one in it."""
        level = self._levels(arcs)[arcs.targets]
        order = np.lexsort((arcs.targets, level))
        self.arcs = Arcs(*(column[order] for column in vars(arcs).values()))
        first = np.flatnonzero(np.diff(self.arcs.targets, prepend=-1))
        bounds = np.flatnonzero(np.diff(level[order], prepend=-1, append=-2))
        self.levels = [
            (slice(a, b), first[np.searchsorted(first, a) : np.searchsorted(first, b)] - a)
            for a, b in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)
        ]

    def _levels(self, arcs: Arcs) -> np.ndarray:
        """How many arcs lead to each node at most."""
        order = np.argsort(arcs.sources, kind="stable")
        begin = np.searchsorted(arcs.sources[order], np.arange(self.size + 1))
        missing = np.bincount(arcs.targets, minlength=self.size)
        level = np.zeros(self.size, int)
        ready = np.flatnonzero(missing == 0)
        depth = 0
        while ready.size:
            depth += 1
            counts = begin[ready + 1] - begin[ready]
            offsets = np.repeat(begin[ready] - (np.cumsum(counts) - counts), counts)
            reached = arcs.targets[order[offsets + np.arange(counts.sum())]]
            np.subtract.at(missing, reached, 1)
            ready = np.unique(reached)
            ready = ready[missing[ready] == 0]
            level[ready] = depth
        if missing.any():
            node = int(np.flatnonzero(missing)[0])
            raise ValueError(f"a loop without a register goes through {self.name(node)}")
        return level

    # ------------------------------------------------------------------ questions

    @property
    def size(self) -> int:
        """How many nodes there are."""
        return FIRST_NET + 2 * len(self.nets)

    @cached_property
    def fanouts(self) -> np.ndarray:
        """How many loads each net has: input pins, and outputs of the netlist."""
        loads = np.concatenate([self.inputs.nodes, self.output_nodes])
        return np.bincount((loads - FIRST_NET) // 2, minlength=len(self.nets))

    def kinds(self, cells: np.ndarray) -> dict[str, str]:
        """The cell of each of the netlist's own instances, by name, with these cells (I,)."""
        own = zip(self.instances[: self.own], self.family.tolist(), cells.tolist(), strict=False)
        return {name: self.families[family].cells[cell] for name, family, cell in own}

    def name(self, node: int) -> str:
        """The name of a node's net."""
        return self._names[self.nets[(node - FIRST_NET) // 2]]


def _joined(parts: list[tuple], count: int = 3) -> Iterator[np.ndarray]:
    """Columns of all parts; the last of each part is the same number for all its rows."""
    for place in range(count - 1):
        yield np.concatenate([part[place] for part in parts] or [np.zeros(0, int)])
    ones = [np.full(len(part[0]), part[-1], int) for part in parts]
    yield np.concatenate(ones or [np.zeros(0, int)])
