"""A mapped netlist made to hold a clock: buffers where loads are heavy, cells of fitting drive."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from multipede.asic_flow.liberty.library import Library
from multipede.asic_flow.mapping.buffering import buffered
from multipede.asic_flow.mapping.sizing import Sized, Sizing
from multipede.asic_flow.netlist.copies import copy_of
from multipede.asic_flow.timing.conditions import Conditions
from multipede.asic_flow.timing.propagation import Propagation
from multipede.asic_flow.timing.static_timing import StaticTiming, timing_of
from multipede.asic_flow.timing.timing_graph import TimingGraph

__all__ = ["LOADS", "Fitted", "Fitting"]

LOADS = (32.0, 12.0)
"""What a net may have before it gets buffers, in input capacitances of the smallest inverter: the
first costs little area, the second little time."""

_PATHS = 10


@dataclass(frozen=True)
class Fitted:
    """A netlist with its sizes: ``netlist`` as Yosys writes it in JSON, ``area`` in the library's
    unit, ``timing`` with the longest paths, ``overloaded`` names of cells that drive more than the
    library allows even the largest of their family."""

    netlist: Mapping[str, Any]
    area: float
    timing: StaticTiming
    overloaded: tuple[str, ...]


class Fitting:
    """One netlist with buffers for one load, for one clock after the other.

    Parameters
    ----------
    netlist : flat, as Yosys writes it in JSON.
    library, conditions : as for static timing.
    load : that nets may have, see :data:`LOADS`.
    done : called after each round; what it raises ends the work.
    """

    def __init__(
        self,
        netlist: Mapping[str, Any],
        library: Library,
        conditions: Conditions,
        load: float,
        *,
        done: Callable[[], object] = lambda: None,
    ):
        self._source = netlist
        self._library = library
        self._conditions = conditions
        self._load = load
        self._done = done

    @cached_property
    def _netlist(self) -> dict[str, Any]:
        return buffered(self._source, self._library, self._conditions, load=self._load)

    @cached_property
    def _sizing(self) -> Sizing:
        graph = TimingGraph(self._netlist, self._library, self._conditions, sizes=True)
        return Sizing(Propagation(graph), done=self._done)

    @property
    def least_area(self) -> float:
        """That no clock makes smaller."""
        return self._sizing.least.area

    @property
    def least_delay(self) -> float:
        """ps, with every cell the smallest of its family."""
        return self._sizing.least.delay

    def sizes(self, period: float | None) -> Sized:
        """Sizes for a clock period, ps: the smallest that hold it, or the fastest; without one the
        smallest of all."""
        return self._sizing.least if period is None else self._sizing.fit(period)

    def fitted(self, sized: Sized) -> Fitted:
        """The netlist with these sizes."""
        sizing, graph = self._sizing, self._sizing.propagation.graph
        netlist = copy_of(self._netlist)
        for name, kind in graph.kinds(sized.cells).items():
            netlist["cells"][name]["type"] = kind
        arrivals = sizing.propagation.arrivals(sized.cells)
        timing = timing_of(graph, arrivals, sized.cells, paths=_PATHS)
        overloaded = sizing.propagation.overloaded(sized.cells).tolist()
        return Fitted(netlist, sized.area, timing, tuple(graph.instances[i] for i in overloaded))
