"""Arrivals and slews at all nodes of a timing graph, for any choice of cells."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from multipede.asic_flow.liberty.lookup_table import LookupTable, TableStack
from multipede.asic_flow.timing.timing_graph import CLOCK, FIRST_NET, INPUT, Pins, TimingGraph

__all__ = ["Arrivals", "Propagation"]


@dataclass(frozen=True)
class Arrivals:
    """Of one pass.

    ``arrival`` and ``slew`` ps and ``load`` fF by node; ``through`` and ``change`` by arc: when the
    edge that it carries comes, and with what slew. ``last_wire`` and ``lateness`` ps by end: from
    the net to the pin; arrival, that wire and setup together. What no edge reaches has an arrival
    of minus infinity.
    """

    arrival: np.ndarray
    slew: np.ndarray
    load: np.ndarray
    through: np.ndarray
    change: np.ndarray
    last_wire: np.ndarray
    lateness: np.ndarray

    @property
    def delay(self) -> float:
        """ps of the longest path, 0 if there is none."""
        return float(self.lateness[np.isfinite(self.lateness)].max(initial=0.0))


class Propagation:
    """The tables of all cells that a graph's instances may be, and passes over the graph."""

    def __init__(self, graph: TimingGraph):
        self.graph = graph
        self._delays, self._slews, self._setups = _Tables(), _Tables(), _Tables()
        arcs, setups, pins = [], [], []
        arc_pins, setup_pins = [], []
        capacitances, limits = [], []
        for family in graph.families:
            arcs.append(self._delays.add(family.delays))
            self._slews.add(family.slews)
            setups.append(self._setups.add(family.setups))
            arc_pins.append(family.arcs[:, 0])
            setup_pins.append(family.setup_pins[:, 0])
            pins.append(sum(map(len, capacitances)))
            capacitances.append(family.capacitances.reshape(-1, 2))
            limits.append(family.limits.reshape(-1))
        self.capacitances = np.concatenate(capacitances or [np.zeros((0, 2))])
        """fF of all pins of all cells."""
        self.limits = np.concatenate(limits or [np.zeros(0)])
        """fF that they may drive."""
        self._first_arc, self._first_setup, self._first_pin = map(_numbers, (arcs, setups, pins))
        self._arc_count = _numbers([len(family.arcs) for family in graph.families])
        self._setup_count = _numbers([len(family.setup_pins) for family in graph.families])
        self._pin_count = _numbers([len(family.pins) for family in graph.families])
        self._arc_pins, self._setup_pins = map(_PlacesOf, (arc_pins, setup_pins))
        wires = graph.conditions.wires.load(graph.fanouts)
        self._fixed_load = np.concatenate([np.zeros(FIRST_NET), np.repeat(wires, 2)])
        for edge in (0, 1):
            np.add.at(self._fixed_load, graph.output_nodes + edge, graph.conditions.output_load)

    @cached_property
    def delays(self) -> TableStack:
        """The delays of all arcs of all cells."""
        return self._delays.stack

    @cached_property
    def slews(self) -> TableStack:
        """Their slews, by the same numbers."""
        return self._slews.stack

    def tables(self, cells: np.ndarray) -> np.ndarray:
        """Number of each arc's tables with these cells (I,)."""
        arcs, family = self.graph.arcs, self.graph.family[self.graph.arcs.instances]
        stride = self._arc_count[family] * cells[arcs.instances]
        return self._first_arc[family] + stride + arcs.places

    def pins(self, cells: np.ndarray, pins: Pins) -> np.ndarray:
        """Number of each pin in ``capacitances`` with these cells (I,)."""
        family = self.graph.family[pins.instances]
        stride = self._pin_count[family] * cells[pins.instances]
        return self._first_pin[family] + stride + pins.places

    def loads(self, cells: np.ndarray) -> np.ndarray:
        """fF at each node with these cells."""
        inputs = self.graph.inputs
        capacitances = self.capacitances[self.pins(cells, inputs)]
        load = self._fixed_load.copy()
        for edge in (0, 1):
            load += np.bincount(inputs.nodes + edge, capacitances[:, edge], self.graph.size)
        return load

    def _wire_delays(self, cells: np.ndarray, load: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """ps from nets to the pins where arcs begin, (A,), and to ends, (E,)."""
        graph = self.graph
        arcs, ends, wires = graph.arcs, graph.ends, graph.conditions.wires
        if not wires.resistance:
            return np.zeros(len(arcs.sources)), np.zeros(len(ends.nodes))
        by_arc = np.zeros(len(arcs.sources))
        inner = np.flatnonzero(arcs.sources >= FIRST_NET)
        pins = self._arc_pins.at(graph.family[arcs.instances[inner]], arcs.places[inner])
        by_arc[inner] = self._to_pins(cells, load, arcs.sources[inner], arcs.instances[inner], pins)
        by_end = np.zeros(len(ends.nodes))
        registers = np.flatnonzero(ends.instances >= 0)
        instances = ends.instances[registers]
        pins = self._setup_pins.at(graph.family[instances], ends.places[registers])
        by_end[registers] = self._to_pins(cells, load, ends.nodes[registers], instances, pins)
        ports = np.flatnonzero(ends.instances < 0)
        nodes = ends.nodes[ports]
        fanouts = graph.fanouts[(nodes - FIRST_NET) // 2]
        by_end[ports] = wires.delay(fanouts, graph.conditions.output_load, load[nodes])
        return by_arc, by_end

    def _to_pins(
        self,
        cells: np.ndarray,
        load: np.ndarray,
        nodes: np.ndarray,
        instances: np.ndarray,
        pins: np.ndarray,
    ) -> np.ndarray:
        """ps from nodes to pins, by number in their families, of instances."""
        found = self.pins(cells, Pins(nodes, instances, pins))
        pin = self.capacitances[found, (nodes - FIRST_NET) % 2]
        fanouts = self.graph.fanouts[(nodes - FIRST_NET) // 2]
        return self.graph.conditions.wires.delay(fanouts, pin, load[nodes])

    def overloaded(self, cells: np.ndarray, load: np.ndarray | None = None) -> np.ndarray:
        """Instances, each once, that drive more than they may with these cells (I,); by default at
        the loads, fF by node, that the cells make."""
        outputs = self.graph.outputs
        load = self.loads(cells) if load is None else load
        driven = np.maximum(load[outputs.nodes], load[outputs.nodes + 1])
        beyond = driven > self.limits[self.pins(cells, outputs)] * (1 + 1e-9)
        return np.unique(outputs.instances[beyond])

    def arrivals(self, cells: np.ndarray | None = None, *, limit: float = np.inf) -> Arrivals:
        """One pass with these cells (I,), by default those of the netlist.

        ``limit`` : fF; nets with more are taken as if they had so much.
        """
        graph, conditions = self.graph, self.graph.conditions
        cells = graph.cells if cells is None else cells
        load = np.minimum(self.loads(cells), limit)
        arrival, slew = np.full(graph.size, -np.inf), np.zeros(graph.size)
        arrival[[CLOCK, INPUT]] = arrival[graph.starts] = 0.0
        slew[INPUT] = slew[graph.starts] = conditions.input_slew
        slew[CLOCK] = conditions.clock_slew
        tables, loads = self.tables(cells), load[graph.arcs.targets]
        delays, slews = self.delays.profiles(tables, loads), self.slews.profiles(tables, loads)
        through, change = np.full(len(tables), -np.inf), np.zeros(len(tables))
        wires, last_wire = self._wire_delays(cells, load)
        for part, targets in graph.levels:
            source = graph.arcs.sources[part]
            through[part] = arrival[source] + wires[part] + delays.at(part, slew[source])
            reached = np.isfinite(through[part])
            change[part] = np.where(reached, slews.at(part, slew[source]), 0.0)
            nodes = graph.arcs.targets[part][targets]
            arrival[nodes] = np.maximum.reduceat(through[part], targets)
            slew[nodes] = np.maximum.reduceat(change[part], targets)
        lateness = arrival[graph.ends.nodes] + last_wire + self.setups(cells, slew)
        return Arrivals(arrival, slew, load, through, change, last_wire, lateness)

    def slopes(
        self, cells: np.ndarray, arrivals: Arrivals, which: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """By arc of ``which``, how delay and slew grow with the slew of the input, and with the
        load: ps/ps, ps/ps, ps/fF, ps/fF."""
        arcs, tables = self.graph.arcs, self.tables(cells)[which]
        slews, loads = arrivals.slew[arcs.sources[which]], arrivals.load[arcs.targets[which]]
        return (
            self.delays.profiles(tables, loads).slopes(slews),
            self.slews.profiles(tables, loads).slopes(slews),
            self.delays.column_slopes(tables, slews, loads),
            self.slews.column_slopes(tables, slews, loads),
        )

    def setups(self, cells: np.ndarray, slew: np.ndarray) -> np.ndarray:
        """ps by end, with these cells (I,) and slews by node; 0 for outputs."""
        ends = self.graph.ends
        times = np.zeros(len(ends.nodes))
        here = ends.instances >= 0
        if here.any():
            instances = ends.instances[here]
            family = self.graph.family[instances]
            stride = self._setup_count[family] * cells[instances]
            numbers = self._first_setup[family] + stride + ends.places[here]
            slews = slew[ends.nodes[here]]
            clock = np.full(len(slews), self.graph.conditions.clock_slew)
            times[here] = self._setups.stack.at(numbers, clock, slews)
        return times


class _PlacesOf:
    """A number for each place in each family."""

    def __init__(self, of_families: Sequence[np.ndarray]):
        self._first = np.cumsum([0, *map(len, of_families)])
        self._all = np.concatenate([*of_families, np.zeros(0, int)])

    def at(self, families: np.ndarray, places: np.ndarray) -> np.ndarray:
        return self._all[self._first[families] + places]


class _Tables:
    """Tables of all cells of all families, one family behind the other."""

    def __init__(self) -> None:
        self._tables: list[LookupTable] = []

    def add(self, cells: Sequence[Sequence[LookupTable]]) -> int:
        """Put a family's behind the others; the number of its first."""
        first = len(self._tables)
        for tables in cells:
            self._tables += tables
        return first

    @cached_property
    def stack(self) -> TableStack:
        return TableStack(self._tables)


def _numbers(values: Sequence[int]) -> np.ndarray:
    return np.array(values, int)
