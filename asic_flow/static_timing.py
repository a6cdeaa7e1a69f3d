"""Static timing of a netlist of library cells: the longest paths, register delays included.

Every net has a latest arrival and a largest slew for each edge. They follow from those of the nets
before it by the library's tables, arc by arc, level by level; the worst of several arcs counts, of
arrivals and of slews alone. Wires have a capacitance and no delay. The clock is ideal.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from multipede.asic_flow.cell_model import CellModel, DelayArc, Edge, cell_model
from multipede.asic_flow.liberty import Library
from multipede.asic_flow.lookup_table import LookupTable, TableStack
from multipede.asic_flow.wire_load import NO_WIRES, WireLoad

__all__ = ["Conditions", "PathPoint", "StaticTiming", "TimingPath", "static_timing"]


@dataclass(frozen=True)
class Conditions:
    """What stands around a netlist.

    Parameters
    ----------
    input_slew : ps, of inputs; of the driving cell's input, if there is one.
    driver : a buffer or inverter of the library that drives each input, or None.
    output_load : fF on each output.
    clock_slew : ps, of the clock at registers.
    wires : the wire-load model.
    """

    input_slew: float = 0.0
    driver: str | None = None
    output_load: float = 0.0
    clock_slew: float = 0.0
    wires: WireLoad = NO_WIRES

    def __post_init__(self) -> None:
        for name in ("input_slew", "output_load", "clock_slew"):
            value = getattr(self, name)
            if not value >= 0:
                raise ValueError(f"{name} = {value}: 0 or more is needed")


@dataclass(frozen=True)
class PathPoint:
    """A net on a path: what drives it, its edge, when it comes (ps), its slew and its load (fF)."""

    cell: str
    pin: str
    net: str
    edge: Edge
    arrival: float
    slew: float
    load: float


@dataclass(frozen=True)
class TimingPath:
    """From ``start`` to ``end``, which are ports or registers by the net that they put out.

    ``arrival`` ps at the end; ``setup`` ps that a register needs before its clock, else 0.
    """

    start: str
    end: str
    points: tuple[PathPoint, ...]
    arrival: float
    setup: float

    @property
    def delay(self) -> float:
        """ps from the clock, or the input, to the next clock or the output."""
        return self.arrival + self.setup

    def __str__(self) -> str:
        lines = [f"{self.start} -> {self.end}: {self.delay:.1f} ps"]
        for point in self.points:
            lines.append(
                f"  {point.arrival:9.1f} ps  {point.edge.value:4}  {point.net}  {point.cell}"
                f"{'/' if point.cell else ''}{point.pin}  {point.load:.2f} fF, {point.slew:.1f} ps"
            )
        if self.setup:
            lines.append(f"  {self.setup:9.1f} ps  setup")
        return "\n".join(lines)


@dataclass(frozen=True)
class StaticTiming:
    """The netlist's longest paths, one for each end, longest first.

    ``arrivals`` and ``slews`` ps by net (its number in the netlist) and edge, ``loads`` fF;
    ``ends`` is how many ends there are in all.
    """

    paths: tuple[TimingPath, ...]
    arrivals: Mapping[tuple[Any, Edge], float] = field(repr=False)
    slews: Mapping[tuple[Any, Edge], float] = field(repr=False)
    loads: Mapping[tuple[Any, Edge], float] = field(repr=False)
    ends: int = 0

    @property
    def delay(self) -> float:
        """ps of the longest path: the shortest clock period, with inputs that come at the clock and
        outputs that are needed at the next."""
        return self.paths[0].delay if self.paths else 0.0


def static_timing(
    netlist: Mapping[str, Any],
    library: Library,
    conditions: Conditions | None = None,
    *,
    paths: int = 1,
) -> StaticTiming:
    """The timing of a flat netlist.

    Parameters
    ----------
    netlist : a module as Yosys writes it in JSON; all its cells are of the library.
    conditions : by default without slews, loads and wires.
    paths : how many to follow.

    Raises
    ------
    ValueError
        For a cell without delays, a loop without a register, or a driver that is no buffer or
        inverter of the library.
    """
    return _Analysis(netlist, library, conditions or Conditions()).result(paths)


_CLOCK, _INPUT, _FIRST = 0, 1, 2
"""Nodes: the clock's edge, the edge behind all inputs, and from the third on two for each net."""


_PLACE = {Edge.RISE: 0, Edge.FALL: 1}


@dataclass(frozen=True)
class _Arc:
    """An arc of an instance between two nodes, with the numbers of its tables."""

    source: int
    target: int
    delay: int
    slew: int
    instance: str
    pin: str


@dataclass(frozen=True)
class _End:
    """Where paths end: at a node, in front of a register (with its setup's table) or an output."""

    node: int
    name: str
    setup: LookupTable | None = None


class _Analysis:
    def __init__(self, netlist: Mapping[str, Any], library: Library, conditions: Conditions):
        self._netlist = netlist
        self._library = library
        self._conditions = conditions
        self._models: dict[str, CellModel] = {}
        self._net_of: dict[int, int] = {}
        self._tables: list[LookupTable] = []
        self._table_of: dict[int, int] = {}
        self._arcs: list[_Arc] = []
        self._ends: list[_End] = []
        self._starts: list[int] = []
        self._pins: dict[int, float] = defaultdict(float)
        self._fanout: dict[int, int] = defaultdict(int)
        self._names = _net_names(netlist)
        for name, instance in netlist["cells"].items():
            self._add_instance(name, instance)
        for name, port in netlist["ports"].items():
            self._add_port(name, port)
        self._nets = list(self._net_of)
        self._propagate()

    def result(self, paths: int) -> StaticTiming:
        """The longest paths and all nets."""
        longest: dict[str, tuple[float, float, _End]] = {}
        for end in self._ends:
            arrival, setup = self._arrival[end.node], self._setup(end)
            if np.isfinite(arrival) and (
                end.name not in longest or arrival + setup > sum(longest[end.name][:2])
            ):
                longest[end.name] = arrival, setup, end
        # Of equal delays the first name, so that the answer is the same every time.
        order = sorted(longest.values(), key=lambda one: (-(one[0] + one[1]), one[2].name))
        found = tuple(self._path(end, setup) for _, setup, end in order[:paths])
        by_node = [(bit, edge) for bit in self._nets for edge in Edge]
        columns = self._arrival[_FIRST:], self._slew[_FIRST:], self._load[_FIRST:]
        return StaticTiming(
            found,
            *({key: float(v) for key, v in zip(by_node, c, strict=True)} for c in columns),
            ends=len(longest),
        )

    def _model(self, kind: str) -> CellModel:
        if kind not in self._models:
            if kind not in self._library.cells:
                raise ValueError(f"cell {kind}: {self._library.source} has no such cell")
            model = self._models[kind] = cell_model(self._library, kind)
            timed = {arc.output for arc in model.arcs}
            cell = self._library.cells[kind]
            if cell.inputs and not timed.issuperset(cell.outputs):
                raise ValueError(f"cell {kind}: {self._library.source} has no delays for it")
            if any(arc.clocked and arc.input_edge is Edge.FALL for arc in model.arcs):
                raise ValueError(f"cell {kind}: registers on the falling edge are not timed")
        return self._models[kind]

    def _node(self, bit: int, edge: Edge) -> int:
        net = self._net_of.setdefault(bit, len(self._net_of))
        return _FIRST + 2 * net + _PLACE[edge]

    def _number(self, table: LookupTable) -> int:
        if id(table) not in self._table_of:
            self._table_of[id(table)] = len(self._tables)
            self._tables.append(table)
        return self._table_of[id(table)]

    def _add_instance(self, name: str, instance: Mapping[str, Any]) -> None:
        model, cell = self._model(instance["type"]), self._library.cells[instance["type"]]
        # Constants never change, so that no path begins there.
        ends = {
            pin: bits[0]
            for pin, bits in instance["connections"].items()
            if bits and isinstance(bits[0], int)
        }
        for pin, bit in ends.items():
            if not cell.pins[pin].output:
                self._fanout[bit] += 1
                for edge in Edge:
                    self._pins[self._node(bit, edge)] += model.capacitances[pin, edge]
        for arc in model.arcs:
            if arc.output not in ends or not (arc.clocked or arc.input in ends):
                continue
            source = _CLOCK if arc.clocked else self._node(ends[arc.input], arc.input_edge)
            self._add_arc(source, ends[arc.output], arc, name)
        outputs = [ends[pin] for pin in cell.outputs if pin in ends]
        register = self._names.get(outputs[0], name) if outputs else name
        for setup in model.setups:
            if setup.pin in ends:
                node = self._node(ends[setup.pin], setup.pin_edge)
                self._ends.append(_End(node, register, setup.time))

    def _add_arc(self, source: int, bit: int, arc: DelayArc, instance: str) -> None:
        target = self._node(bit, arc.output_edge)
        tables = self._number(arc.delay), self._number(arc.slew)
        self._arcs.append(_Arc(source, target, *tables, instance, arc.output))

    def _add_port(self, name: str, port: Mapping[str, Any]) -> None:
        bits = [bit for bit in port["bits"] if isinstance(bit, int)]
        if port["direction"] == "output":
            for bit in bits:
                self._fanout[bit] += 1
                for edge in Edge:
                    node = self._node(bit, edge)
                    self._pins[node] += self._conditions.output_load
                    self._ends.append(_End(node, self._names[bit]))
            return
        for bit in bits:
            if self._conditions.driver is None:
                self._starts += [self._node(bit, edge) for edge in Edge]
            else:
                for arc in self._driver().arcs:
                    self._add_arc(_INPUT, bit, arc, "")

    def _driver(self) -> CellModel:
        name = self._conditions.driver
        model = self._model(name)
        if len(self._library.cells[name].inputs) != 1 or model.clock:
            raise ValueError(f"driver = {name!r}: a buffer or an inverter is needed")
        return model

    def _propagate(self) -> None:
        """Arrivals, slews, loads and the arc before each node, level by level."""
        size = _FIRST + 2 * len(self._net_of)
        fanout = np.array([self._fanout[bit] for bit in self._nets], int)
        self._load = np.zeros(size)
        for node, load in self._pins.items():
            self._load[node] = load
        self._load[_FIRST:] += np.repeat(self._conditions.wires.load(fanout), 2)
        self._arrival, self._slew = np.full(size, -np.inf), np.zeros(size)
        self._before = np.full(size, -1)
        self._arrival[[_CLOCK, _INPUT, *self._starts]] = 0.0
        self._slew[[_INPUT, *self._starts]] = self._conditions.input_slew
        self._slew[_CLOCK] = self._conditions.clock_slew
        stack = TableStack(self._tables)
        column = {
            name: np.array([getattr(arc, name) for arc in self._arcs], int)
            for name in ("source", "target", "delay", "slew")
        }
        for arcs in self._levels(size):
            source, target = column["source"][arcs], column["target"][arcs]
            slews, loads = self._slew[source], self._load[target]
            arrivals = self._arrival[source] + stack.at(column["delay"][arcs], slews, loads)
            reached = np.isfinite(arrivals)
            changed = np.where(reached, stack.at(column["slew"][arcs], slews, loads), 0.0)
            np.maximum.at(self._arrival, target, arrivals)
            np.maximum.at(self._slew, target, changed)
            worst = reached & (arrivals == self._arrival[target])
            self._before[target[worst]] = arcs[worst]

    def _levels(self, size: int) -> Iterator[np.ndarray]:
        """Arcs whose sources are all known, again and again."""
        leaving: dict[int, list[int]] = defaultdict(list)
        missing = np.zeros(size, int)
        entering: dict[int, list[int]] = defaultdict(list)
        for number, arc in enumerate(self._arcs):
            leaving[arc.source].append(number)
            entering[arc.target].append(number)
            missing[arc.target] += 1
        ready = [node for node in range(size) if not missing[node]]
        done = 0
        while ready:
            targets = []
            for node in ready:
                for number in leaving[node]:
                    target = self._arcs[number].target
                    missing[target] -= 1
                    if not missing[target]:
                        targets.append(target)
            arcs = [number for target in targets for number in entering[target]]
            done += len(arcs)
            if arcs:
                yield np.array(arcs, int)
            ready = targets
        if done < len(self._arcs):
            node = next(arc.target for arc in self._arcs if missing[arc.target])
            raise ValueError(f"a loop without a register goes through {self._name(node)}")

    def _setup(self, end: _End) -> float:
        if end.setup is None:
            return 0.0
        return end.setup.at(self._conditions.clock_slew, self._slew[end.node])

    def _path(self, end: _End, setup: float) -> TimingPath:
        points: list[PathPoint] = []
        node, start = end.node, ""
        while node >= _FIRST:
            number = self._before[node]
            arc = self._arcs[number] if number >= 0 else None
            points.append(
                PathPoint(
                    cell=self._cell(arc),
                    pin=arc.pin if arc and arc.instance else "",
                    net=self._name(node),
                    edge=Edge.FALL if (node - _FIRST) % 2 else Edge.RISE,
                    arrival=float(self._arrival[node]),
                    slew=float(self._slew[node]),
                    load=float(self._load[node]),
                )
            )
            start = self._name(node)
            node = arc.source if arc else _INPUT
        arrival = float(self._arrival[end.node])
        return TimingPath(start, end.name, tuple(reversed(points)), arrival, float(setup))

    def _cell(self, arc: _Arc | None) -> str:
        """The type of an arc's cell; empty for inputs and what drives them."""
        named = arc is not None and arc.instance
        return self._netlist["cells"][arc.instance]["type"] if named else ""

    def _name(self, node: int) -> str:
        bit = self._nets[(node - _FIRST) // 2]
        return self._names.get(bit, f"net {bit}")


def _net_names(netlist: Mapping[str, Any]) -> dict[int, str]:
    """The name of each net: a port's before a signal's of the source, before one of the tools."""
    names: dict[int, tuple[int, str]] = {}
    for name, net in netlist["netnames"].items():
        rank = 0 if name in netlist["ports"] else 1 + bool(net.get("hide_name"))
        for place, bit in enumerate(net["bits"]):
            if not isinstance(bit, int):
                continue
            full = f"{name}[{place}]" if len(net["bits"]) > 1 else name
            if bit not in names or (rank, full) < names[bit]:
                names[bit] = rank, full
    return {bit: name for bit, (_, name) in names.items()}
