"""What is critical: slacks of pins, and how the delay depends on each arc, slew and load."""

from dataclasses import dataclass

import numpy as np

from multipede.asic_flow.timing.propagation import Arrivals, Propagation
from multipede.asic_flow.timing.timing_graph import FIRST_NET, TimingGraph

__all__ = ["Sensitivity", "pin_slacks", "sensitivity"]


def pin_slacks(propagation: Propagation, *, limit: float) -> np.ndarray:
    """ps of slack of each input pin, where no net has a load of more than ``limit`` fF.

    A net's own slack does not tell its pins apart: a pin's is that of the arcs that begin there.
    """
    graph = propagation.graph
    arrivals = propagation.arrivals(limit=limit)
    of_nodes = _node_slacks(graph, arrivals)
    arcs, pins = graph.arcs, graph.inputs
    slack = of_nodes[arcs.targets] + arrivals.arrival[arcs.targets] - arrivals.through
    slack = np.where(np.isfinite(arrivals.through), slack, np.inf)
    # A register's pin has no arc, but an end.
    lateness = np.where(np.isfinite(arrivals.lateness), arrivals.lateness, -np.inf)
    key = np.concatenate(
        [
            arcs.instances * graph.size + _rising(arcs.sources),
            graph.ends.instances * graph.size + _rising(graph.ends.nodes),
        ]
    )
    values = np.concatenate([slack, arrivals.delay - lateness])
    order = np.argsort(key, kind="stable")
    wanted = pins.instances * graph.size + pins.nodes
    first = np.searchsorted(key[order], wanted)
    last = np.searchsorted(key[order], wanted, side="right")
    found = np.full(len(wanted), np.inf)
    here = last > first
    if here.any():
        bounds = np.stack([first[here], last[here]], axis=1).reshape(-1)
        padded = np.append(values[order], np.inf)
        found[here] = np.minimum.reduceat(padded, bounds)[::2]
    return found


def _node_slacks(graph: TimingGraph, arrivals: Arrivals) -> np.ndarray:
    """ps by node that its edge may come later before the longest path grows; infinite where
    nothing follows."""
    required = np.full(graph.size, np.inf)
    late = np.where(np.isfinite(arrivals.lateness), arrivals.lateness, -np.inf)
    allowed = arrivals.delay - late + arrivals.arrival[graph.ends.nodes]
    np.minimum.at(required, graph.ends.nodes, allowed)
    delays = arrivals.through - arrivals.arrival[graph.arcs.sources]
    for part, _ in reversed(graph.levels):
        before = required[graph.arcs.targets[part]] - delays[part]
        reached = np.isfinite(arrivals.through[part])
        np.minimum.at(required, graph.arcs.sources[part], np.where(reached, before, np.inf))
    with np.errstate(invalid="ignore"):
        return np.where(np.isfinite(arrivals.arrival), required - arrivals.arrival, np.inf)


def _rising(nodes: np.ndarray) -> np.ndarray:
    return nodes - (nodes - FIRST_NET) % 2


@dataclass(frozen=True)
class Sensitivity:
    """How much a smoothed longest path grows, by arc (A,) with its delay (``delays``, of 1 in all)
    and its slew (``slews``), and by node with its load (``loads``, ps per fF)."""

    delays: np.ndarray
    slews: np.ndarray
    loads: np.ndarray


_NEGLIGIBLE = 1e-7  # share of the longest path below which an arc is left out
_LEAST = 1e-300  # instead of 0, where it would divide


def sensitivity(
    propagation: Propagation, cells: np.ndarray, arrivals: Arrivals, *, smoothing: float
) -> Sensitivity:
    """The derivatives of the soft maximum of all paths.

    Parameters
    ----------
    propagation, cells, arrivals : of one pass with these cells.
    smoothing : ps; paths that are shorter by so much count less by a factor of e.
    """
    graph = propagation.graph
    delays = _flows(graph, arrivals, smoothing)
    delays[delays < _NEGLIGIBLE] = 0.0
    weighty = delays > 0
    which = np.flatnonzero(weighty)
    by_slew, change_by_slew, by_load, change_by_load = propagation.slopes(cells, arrivals, which)
    sources, targets = graph.arcs.sources[which], graph.arcs.targets[which]
    worst = arrivals.change[which] == arrivals.slew[targets]
    changes, price = np.zeros(len(which)), np.zeros(graph.size)  # price: of a ps of slew at a node
    counts = np.cumsum([0, *(weighty[part].sum() for part, _ in graph.levels)])
    for first, last in zip(reversed(counts[:-1]), reversed(counts[1:]), strict=True):
        part = slice(first, last)
        changes[part] = np.where(worst[part], price[targets[part]], 0.0)
        grown = delays[which[part]] * by_slew[part] + changes[part] * change_by_slew[part]
        np.add.at(price, sources[part], grown)
    slews = np.zeros(len(delays))
    slews[which] = changes
    grown = delays[which] * by_load + changes * change_by_load
    return Sensitivity(delays, slews, np.bincount(targets, grown, graph.size))


def _flows(graph: TimingGraph, arrivals: Arrivals, smoothing: float) -> np.ndarray:
    """What share of the longest path goes through each arc."""
    arcs, ends = graph.arcs, graph.ends
    late = np.where(np.isfinite(arrivals.lateness), arrivals.lateness, -np.inf)
    share = np.exp((late - arrivals.delay) / smoothing)
    flow = np.bincount(ends.nodes, share / max(share.sum(), _LEAST), graph.size)
    with np.errstate(invalid="ignore"):
        weight = np.exp((arrivals.through - arrivals.arrival[arcs.targets]) / smoothing)
    weight = np.where(np.isfinite(arrivals.through), weight, 0.0)
    for part, targets in reversed(graph.levels):
        counts = np.diff(targets, append=part.stop - part.start)
        total = np.repeat(np.add.reduceat(weight[part], targets), counts)
        weight[part] *= flow[arcs.targets[part]] / np.maximum(total, _LEAST)
        np.add.at(flow, arcs.sources[part], weight[part])
    return weight
