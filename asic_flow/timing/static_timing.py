"""Static timing of a netlist of library cells: the longest paths, register delays included.

Every net has a latest arrival and a largest slew for each edge. They follow from those of the nets
before it by the library's tables, arc by arc, level by level; the worst of several arcs counts, of
arrivals and of slews alone. Wires have a capacitance, and the delay of Elmore that their resistance
makes; they leave slews as they are. The clock is ideal.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from multipede.asic_flow.liberty.cell_model import Edge
from multipede.asic_flow.liberty.library import Library
from multipede.asic_flow.timing.conditions import Conditions
from multipede.asic_flow.timing.propagation import Arrivals, Propagation
from multipede.asic_flow.timing.timing_graph import FIRST_NET, TimingGraph

__all__ = ["PathPoint", "StaticTiming", "TimingPath", "static_timing", "timing_of"]

_EDGES = tuple(Edge)


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

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        points = [{**vars(point), "edge": point.edge.value} for point in self.points]
        return {**vars(self), "points": points}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "TimingPath":
        """The path that :meth:`to_dict` told of."""
        points = [PathPoint(**{**point, "edge": Edge(point["edge"])}) for point in values["points"]]
        return cls(**{**values, "points": tuple(points)})

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
    graph = TimingGraph(netlist, library, conditions or Conditions())
    return timing_of(graph, Propagation(graph).arrivals(), graph.cells, paths=paths)


def timing_of(
    graph: TimingGraph, arrivals: Arrivals, cells: np.ndarray, *, paths: int
) -> StaticTiming:
    """What one pass over a graph with these cells (I,) found."""
    order = _worst_ends(graph, arrivals)
    by_node = [(bit, edge) for bit in graph.nets for edge in _EDGES]
    columns = (arrivals.arrival, arrivals.slew, arrivals.load)
    return StaticTiming(
        tuple(_path(graph, arrivals, cells, end) for end in order[:paths]),
        *(dict(zip(by_node, c[FIRST_NET:].tolist(), strict=True)) for c in columns),
        ends=len(order),
    )


def _worst_ends(graph: TimingGraph, arrivals: Arrivals) -> list[int]:
    """The worst place of each end by name, the latest first."""
    worst: dict[str, int] = {}
    for place, late in enumerate(arrivals.lateness.tolist()):
        name = graph.ends.names[place]
        if np.isfinite(late) and (name not in worst or late > arrivals.lateness[worst[name]]):
            worst[name] = place
    # Of equal delays the first name, so that the answer is the same every time.
    return sorted(worst.values(), key=lambda n: (-arrivals.lateness[n], graph.ends.names[n]))


def _path(graph: TimingGraph, arrivals: Arrivals, cells: np.ndarray, end: int) -> TimingPath:
    node = final = int(graph.ends.nodes[end])
    points: list[PathPoint] = []
    start = ""
    while node >= FIRST_NET:
        arc = _arc_to(graph, arrivals, node)
        cell, pin = ("", "") if arc is None else _driver(graph, cells, arc)
        start = graph.name(node)
        points.append(
            PathPoint(
                cell=cell,
                pin=pin,
                net=start,
                edge=_EDGES[(node - FIRST_NET) % 2],
                arrival=float(arrivals.arrival[node]),
                slew=float(arrivals.slew[node]),
                load=float(arrivals.load[node]),
            )
        )
        node = -1 if arc is None else int(graph.arcs.sources[arc])
    arrival = float(arrivals.arrival[final] + arrivals.last_wire[end])
    setup = float(arrivals.lateness[end]) - arrival
    return TimingPath(start, graph.ends.names[end], tuple(reversed(points)), arrival, setup)


def _arc_to(graph: TimingGraph, arrivals: Arrivals, node: int) -> int | None:
    """The arc whose edge comes last; of equal ones the last. None for an input."""
    arcs = np.flatnonzero(graph.arcs.targets == node)
    if not arcs.size:
        return None
    through = arrivals.through[arcs]
    return int(arcs[np.flatnonzero(through == through.max())[-1]])


def _driver(graph: TimingGraph, cells: np.ndarray, arc: int) -> tuple[str, str]:
    """Cell and pin that an arc leads out of; empty for what drives an input."""
    instance = int(graph.arcs.instances[arc])
    if instance >= graph.own:
        return "", ""
    family = graph.families[graph.family[instance]]
    output = family.arcs[graph.arcs.places[arc], 2]
    return family.cells[cells[instance]], family.pins[output]
