"""Drive strengths of a netlist's cells, to hold a clock with the least area.

The longest path is smoothed, so that it has derivatives. Each cell is then changed for the one of
its family that is best for area + price * delay, where the delay is that of its own arcs, of what
drives it and of what follows, each as far as the longest path depends on it. The price rises while
the clock is missed and falls while it is held; the best netlist on the way is the answer. This is
Lagrangian relaxation, as in Chen, Chu and Wong, IEEE TCAD 18(7), 1999. As drives come in doubles it
may end in a local optimum: for a clock out of reach, chains of four inverters were seen to stay up
to 13 % above the fastest, and two chains beside each other to take 23 % more area than needed.

No cell is left with more than the library lets it drive, unless the largest may not either.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from multipede.asic_flow.timing.criticality import Sensitivity, sensitivity
from multipede.asic_flow.timing.propagation import Arrivals, Propagation

__all__ = ["Sized", "Sizing"]

_ROUNDS = 40
_PATIENCE = 8
_SOFTEST, _HARDEST = 0.01, 0.005  # smoothing, in delays, at the first and last round
_FLOOR = 0.5  # ps
_STEEPNESS, _STEP_DOWN, _STEP_UP = 30, 0.7, 1.6  # of the price, for how far the clock is missed
_SLOWER = 0.01  # than the fastest, where the clock is missed


@dataclass(frozen=True)
class Sized:
    """Cells (I,) of a graph's instances, their area, and the delay, ps."""

    cells: np.ndarray
    area: float
    delay: float


class Sizing:
    """Sizes of one graph for one clock after the other.

    ``done`` is called after each round; what it raises ends the work.
    """

    def __init__(self, propagation: Propagation, *, done: Callable[[], object] = lambda: None):
        self.propagation = propagation
        self._done = done
        graph = self._graph = propagation.graph
        self._counts = np.array([len(f.cells) for f in graph.families], int)[graph.family]
        self._counts[graph.own :] = 1
        areas = [family.areas for family in graph.families]
        self._areas = np.concatenate(areas or [np.zeros(0)])
        first = np.cumsum([0, *map(len, areas)])[:-1].astype(int)
        self._first_area = first[graph.family]

    @cached_property
    def least(self) -> Sized:
        """Every cell the smallest of its family that may drive its load."""
        cells = self._driving(np.where(self._counts > 1, 0, self._graph.cells))
        return Sized(cells, self.area(cells), self.propagation.arrivals(cells).delay)

    def area(self, cells: np.ndarray) -> float:
        """Of the netlist with these cells."""
        own = slice(self._graph.own)
        return float(self._areas[(self._first_area + cells)[own]].sum())

    def fit(self, period: float) -> Sized:
        """The smallest found that holds a clock period, ps; else one that is hardly slower than the
        fastest found, and smaller.
        """
        best = self._fitted(period, self.least)
        if best.delay > period:
            best = self._fitted((1 + _SLOWER) * best.delay, best)
        return best

    def _fitted(self, period: float, best: Sized) -> Sized:
        cells = best.cells
        arrivals = self.propagation.arrivals(cells)
        price, since = best.area / max(period, 1.0), 0
        for turn in range(_ROUNDS):
            held = best.delay <= period
            if since > _PATIENCE * (1 if held else 2) or (held and best.area <= self.least.area):
                break
            softness = _SOFTEST * (_HARDEST / _SOFTEST) ** (turn / _ROUNDS)
            smoothing = max(_FLOOR, arrivals.delay * softness)
            found = sensitivity(self.propagation, cells, arrivals, smoothing=smoothing)
            cells = self._improved(cells, arrivals, found, price, turn)
            arrivals = self.propagation.arrivals(cells)
            self._done()
            better = _better(best, Sized(cells, self.area(cells), arrivals.delay), period)
            since = 0 if better is not best else since + 1
            best = better
            price *= min(_STEP_UP, max(_STEP_DOWN, (arrivals.delay / period) ** _STEEPNESS))
        return best

    def _improved(
        self,
        cells: np.ndarray,
        arrivals: Arrivals,
        found: Sensitivity,
        price: float,
        turn: int,
    ) -> np.ndarray:
        """The next cells. Every second instance stays, as neighbours do not see each other move."""
        costs = [self._costs(cells + step, cells, arrivals, found, price) for step in (-1, 0, 1)]
        step = np.argmin(np.stack(costs), axis=0) - 1
        # Multiplicative hashing: another half of them each time, but the same in every run.
        moving = (np.arange(len(cells)) * 2654435761 + turn * 40503) // 65536 % 2 == 0
        return self._driving(np.where(moving, cells + step, cells))

    def _driving(self, cells: np.ndarray) -> np.ndarray:
        """With larger cells for those that drive more than they may, as far as there are any."""
        cells = cells.copy()
        while True:
            beyond = self.propagation.overloaded(cells)
            beyond = beyond[cells[beyond] + 1 < self._counts[beyond]]
            if not beyond.size:
                return cells
            cells[beyond] += 1

    def _costs(
        self,
        tried: np.ndarray,
        cells: np.ndarray,
        arrivals: Arrivals,
        found: Sensitivity,
        price: float,
    ) -> np.ndarray:
        """Of each instance alone with another cell; infinite where there is none."""
        graph, propagation = self._graph, self.propagation
        stays, allowed = tried == cells, (tried >= 0) & (tried < self._counts)
        tried = np.where(allowed, tried, cells)
        allowed[propagation.overloaded(tried, arrivals.load)] = False
        allowed |= stays
        arcs, size = graph.arcs, len(cells)
        which = np.flatnonzero((found.delays > 0) & (self._counts[arcs.instances] > 1))
        tables = propagation.tables(tried)[which]
        slews = arrivals.slew[arcs.sources[which]]
        loads = arrivals.load[arcs.targets[which]]
        delay = propagation.delays.at(tables, slews, loads)
        change = propagation.slews.at(tables, slews, loads)
        late = found.delays[which] * delay + found.slews[which] * change
        cost = np.bincount(arcs.instances[which], late, size)
        pins = graph.inputs
        capacitances = propagation.capacitances[propagation.pins(tried, pins)]
        for edge in (0, 1):
            prices = found.loads[pins.nodes + edge] * capacitances[:, edge]
            cost += np.bincount(pins.instances, prices, size)
        cost = self._areas[self._first_area + tried] + price * cost
        return np.where(allowed, cost, np.inf)


def _better(best: Sized, other: Sized, period: float) -> Sized:
    holds = best.delay <= period, other.delay <= period
    if holds == (True, True):
        return min(best, other, key=lambda one: one.area)
    if holds == (False, False):
        return min(best, other, key=lambda one: one.delay)
    return best if holds[0] else other
