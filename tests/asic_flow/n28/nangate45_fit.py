"""The figures of cells.csv as they are fitted to Nangate45: in INV_X1's, without a dimension.

n28 has both edges alike. Through inverting gates a path meets one edge after the other, so that
their mean counts; through cells of more stages it can meet the slower one each time, so that this
counts. Conditions under which an input changes, and its own edges, are averaged.
"""

from dataclasses import dataclass

import numpy as np

from multipede.asic_flow.liberty.cell_model import CellModel, Edge, cell_model
from multipede.asic_flow.liberty.library import Library

SLEWS = (8.0, 15.0, 25.0, 40.0)
"""ps; an inverter with a fan-out of 4 has 13 ps."""
FANOUTS = (1.0, 2.0, 4.0, 6.0, 8.0)
"""Loads, in input capacitances of INV_X1 for each unit of a cell's nominal size."""
VOLTAGE = 1.1


@dataclass(frozen=True)
class Fit:
    """Of one cell, as the columns of cells.csv have them."""

    capacitances: dict[str, float]
    drives: dict[str, float]
    parasitics: dict[tuple[str, str], float]
    slews: dict[str, float]
    energies: dict[str, float]


class Nangate45:
    """Fits cells with the shares of slews that the model takes for all."""

    def __init__(self, library: Library, slew_share: float, slew_per_load: float):
        self.library = library
        self._slew_share = slew_share
        self._slew_per_load = slew_per_load
        inverter = cell_model(library, "INV_X1")
        self.capacitance = mean(inverter.capacitances["A", edge] for edge in Edge)
        self.tau, self._of_edges = 1.0, mean
        self.tau = self._line(inverter, "A", "ZN", 1)[1]
        self.energy = 0.5 * self.capacitance * VOLTAGE**2

    def fit(self, name: str, stages: int, slew_through: float) -> Fit:
        """The figures of a cell of so many stages; ``slew_through`` is the share of slew that
        passes to outputs."""
        self._of_edges = mean if stages == 1 else max
        model, size = cell_model(self.library, name), int(name.rpartition("X")[2])
        capacitances, resistances, parasitics, slews = {}, {}, {}, {}
        for pin in self.library.cells[name].inputs:
            total = mean(model.capacitances[pin, edge] for edge in Edge)
            capacitances[pin] = total / self.capacitance
        for source, output in dict.fromkeys((arc.input, arc.output) for arc in model.arcs):
            start, slope = self._line(model, source, output, size)
            parasitics[source, output] = start
            resistances.setdefault(output, []).append(slope)
        for output, found in resistances.items():
            per_load = self._slew_per_load * mean(found)
            slews[output] = self._unloaded_slew(model, output, size, per_load, slew_through)
        drives = {output: 1 / mean(found) for output, found in resistances.items()}
        return Fit(capacitances, drives, parasitics, slews, self._energies(model, size))

    def clock_energy(self, name: str, clock: str, states: tuple[str, ...]) -> float:
        """Of a cycle, in the stated states of the cell, in switching energies of INV_X1."""
        model = cell_model(self.library, name)
        found = [e for e in model.energies if e.pin == clock and not e.related and e.when in states]
        assert len(found) == 2 * len(states)
        return 2 * mean(float(e.energy.values.mean()) for e in found) / self.energy

    def data_energy(self, name: str, pin: str, low: str) -> float:
        """Of an edge of a data input while the clock is low."""
        model = cell_model(self.library, name)
        found = [e for e in model.energies if e.pin == pin and e.when.startswith(low)]
        assert found
        return mean(float(e.energy.values.mean()) for e in found) / self.energy

    def _line(self, model: CellModel, source: str, output: str, size: int) -> tuple[float, float]:
        """Delay less the share of the input's slew: without a load, and per INV_X1 of load."""
        rows, values = [], []
        for slew in SLEWS:
            for fanout in FANOUTS:
                load = fanout * size
                rows.append([1.0, load])
                delay = self._at(model, "delay", source, output, slew, load)
                values.append((delay - self._slew_share * slew) / self.tau)
        start, slope = np.linalg.lstsq(np.array(rows), np.array(values), rcond=None)[0]
        return float(start), float(slope)

    def _unloaded_slew(
        self, model: CellModel, output: str, size: int, per_load: float, through: float
    ) -> float:
        return mean(
            (self._at(model, "slew", source, output, slew, fanout * size) - through * slew)
            / self.tau
            - per_load * fanout * size
            for source in {arc.input for arc in model.arcs if arc.output == output}
            for slew in SLEWS
            for fanout in FANOUTS
        )

    def _at(
        self, model: CellModel, kind: str, source: str, output: str, slew: float, load: float
    ) -> float:
        arcs = [arc for arc in model.arcs if (arc.input, arc.output) == (source, output)]
        found: dict[Edge, list[float]] = {}
        for arc in arcs:
            at = getattr(arc, kind).at(slew, load * self.capacitance)
            found.setdefault(arc.output_edge, []).append(at)
        return self._of_edges(mean(times) for times in found.values())

    def _energies(self, model: CellModel, size: int) -> dict[str, float]:
        """Of an output's edge, at a slew of 15 ps and a fan-out of 4."""
        load = 4 * size * self.capacitance
        sources = {arc.input for arc in model.arcs}
        return {
            output: mean(
                arc.energy.at(15.0, load)
                for arc in model.energies
                if arc.pin == output and arc.related in sources
            )
            / self.energy
            for output in {arc.output for arc in model.arcs}
        }


def mean(values) -> float:
    """The arithmetic mean."""
    return float(np.mean(list(values)))
