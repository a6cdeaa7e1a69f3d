"""Energy and leakage of all cells of one kind in a netlist."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from multipede.asic_flow.liberty.cell_behaviour import cell_behaviour
from multipede.asic_flow.liberty.cell_model import Edge, EnergyArc, cell_model
from multipede.asic_flow.liberty.cell_states import CellStates
from multipede.asic_flow.liberty.library import Library
from multipede.asic_flow.liberty.lookup_table import LookupTable, TableStack
from multipede.asic_flow.power.net_figures import NetFigures
from multipede.asic_flow.timing.conditions import Conditions

__all__ = ["CellFigures", "CellPower"]

_STATE, _INVERSE = 0b1010, 0b1100
"""Tables of outputs that are a register's state, or its inverse."""


@dataclass(frozen=True)
class CellFigures:
    """Of several cells of one kind, each (n,): ``switching`` and ``internal`` fJ per clock,
    ``leakage`` nW."""

    switching: np.ndarray
    internal: np.ndarray
    leakage: np.ndarray


class CellPower:
    """All instances of a kind of cell. ValueError, naming the cell, for what cannot be read."""

    def __init__(
        self,
        library: Library,
        kind: str,
        instances: Sequence[Mapping[str, Any]],
        nets: NetFigures,
        conditions: Conditions,
    ):
        self._cell = library.cells[kind]
        self._behaviour = cell_behaviour(library, kind)
        self._model = cell_model(library, kind)
        self._states = CellStates(self._cell, self._behaviour)
        self._nets = nets
        self._voltage = library.voltage
        self._clock_slew = conditions.clock_slew
        pins = [*self._cell.inputs, *self._cell.outputs]
        self._places = {
            pin: nets.places((one["connections"].get(pin) or ["0"])[0] for one in instances)
            for pin in pins
        }
        self._known = {
            pin: np.array([bool(one["connections"].get(pin)) for one in instances]) for pin in pins
        }
        self._size = len(instances)
        self._chances = self._states.probabilities(self._probabilities())

    def figures(self) -> CellFigures:
        """Of all instances, in the order given."""
        return CellFigures(self._switching(), self._internal(), self._chances @ self._leakage())

    def _probabilities(self) -> np.ndarray:
        columns = [self._nets.probability[self._places[pin]] for pin in self._cell.inputs]
        if self._behaviour.register is not None:
            columns.append(self._state_probability())
        return np.stack(columns, axis=1) if columns else np.zeros((self._size, 0))

    def _state_probability(self) -> np.ndarray:
        """That a register's state is 1, by an output that shows it; one half where none does."""
        found = np.full(self._size, 0.5)
        for pin, table in self._behaviour.outputs.items():
            seen = self._nets.probability[self._places[pin]]
            if table in (_STATE, _INVERSE):
                found = np.where(self._known[pin], seen if table == _STATE else 1 - seen, found)
        return found

    def _rate(self, pin: str) -> np.ndarray:
        return self._nets.rate[self._places[pin]]

    def _switching(self) -> np.ndarray:
        energy = np.zeros(self._size)
        for pin in self._cell.outputs:
            charge = self._nets.charge[self._places[pin]]
            energy += 0.5 * charge * self._voltage**2 * self._rate(pin)
        return energy

    def _leakage(self) -> np.ndarray:
        """nW in each state: those of all conditions that hold, or what holds in the others."""
        conditional, known = np.zeros(self._states.count), np.zeros(self._states.count, bool)
        usual = 0.0
        for leak in self._model.leakages:
            if leak.when:
                holds = self._states.where(leak.when)
                conditional += np.where(holds, leak.power, 0.0)
                known |= holds
            else:
                usual = leak.power
        return np.where(known, conditional, usual)

    def _internal(self) -> np.ndarray:
        arcs: dict[tuple[str, Edge], list[EnergyArc]] = defaultdict(list)
        for arc in self._model.energies:
            arcs[arc.pin, arc.pin_edge].append(arc)
        energy = np.zeros(self._size)
        for (pin, edge), listed in arcs.items():
            mean = (
                self._output(pin, edge, listed)
                if self._cell.pins[pin].output
                else (self._input(pin, edge, listed))
            )
            energy += self._rate(pin) / 2 * mean
        return energy

    def _input(self, pin: str, edge: Edge, arcs: list[EnergyArc]) -> np.ndarray:
        """fJ of an input's edge: what each condition gives, times its probability."""
        slew = self._slew(pin, edge)
        energy = np.zeros(self._size)
        for arc, holds in self._by_condition(arcs):
            energy += self._chances @ holds * _looked_up(arc.energy, slew, np.zeros(self._size))
        return energy

    def _output(self, pin: str, edge: Edge, arcs: list[EnergyArc]) -> np.ndarray:
        """fJ of an output's edge: the mean over the inputs that may have caused it."""
        load = self._nets.loads[edge][self._places[pin]]
        by_input: dict[str, list[EnergyArc]] = defaultdict(list)
        for arc in arcs:
            by_input[arc.related].append(arc)
        clock = self._model.clock
        if clock in by_input:
            by_input = {clock: by_input[clock]}
        weights = self._causes(pin, list(by_input))
        total = np.zeros(self._size)
        for (related, listed), weight in zip(by_input.items(), weights, strict=True):
            total += weight * self._caused(pin, edge, related, listed, load)
        return total

    def _causes(self, output: str, inputs: list[str]) -> np.ndarray:
        """The part of the output's changes that each input causes: its own changes times the
        probability that the output depends on it. Alike where nothing tells."""
        if len(inputs) == 1:
            return np.ones((1, self._size))
        alike = np.array([float(bool(pin)) for pin in inputs])[:, None]
        changes = np.stack([self._rate(pin) if pin else np.zeros(self._size) for pin in inputs])
        dependent = np.stack(
            [
                self._chances @ self._states.sensitive(output, pin) if pin else changes[0] * 0
                for pin in inputs
            ]
        )
        # Where dependence is never seen the changes alone tell, and after them nothing does.
        weights = changes * dependent
        for fallback in (changes, alike * np.ones_like(changes)):
            weights = np.where(weights.sum(axis=0) > 0, weights, fallback)
        return weights / weights.sum(axis=0)

    def _caused(
        self, output: str, edge: Edge, related: str, arcs: list[EnergyArc], load: np.ndarray
    ) -> np.ndarray:
        """fJ of an output's edge that one input causes: the mean over its conditions, of the
        states in which the output depends on it."""
        slew = self._cause_slew(output, edge, related)
        clocked = not related or related == self._model.clock
        sensitive = (
            np.ones(self._states.count) if clocked else self._states.sensitive(output, related)
        )
        total, whole = np.zeros(self._size), np.zeros(self._size)
        even = np.zeros(self._size)
        listed = self._by_condition(arcs)
        for arc, holds in listed:
            value = _looked_up(arc.energy, slew, load)
            chance = self._chances @ (holds * sensitive)
            total, whole, even = total + chance * value, whole + chance, even + value / len(listed)
        return np.where(whole > 0, total / np.where(whole > 0, whole, 1.0), even)

    def _by_condition(self, arcs: list[EnergyArc]) -> list[tuple[EnergyArc, np.ndarray]]:
        """Each with the states in which it counts; one without a condition in all that the others
        leave."""
        found = [(arc, self._states.where(arc.when).astype(float)) for arc in arcs if arc.when]
        covered = np.zeros(self._states.count) + sum(holds for _, holds in found)
        usual = [arc for arc in arcs if not arc.when]
        return found + [(arc, (covered == 0).astype(float)) for arc in usual]

    def _slew(self, pin: str, edge: Edge) -> np.ndarray:
        if pin == self._model.clock:
            return np.full(self._size, self._clock_slew)
        return self._nets.slews[edge][self._places[pin]]

    def _cause_slew(self, output: str, edge: Edge, related: str) -> np.ndarray:
        """Of the input's edges that cause the output's; their mean if both may."""
        edges = {
            arc.input_edge
            for arc in self._model.arcs
            if (arc.input, arc.output, arc.output_edge) == (related, output, edge)
        }
        if not related:
            return self._slew(output, edge)
        found = [self._slew(related, one) for one in Edge if one in (edges or set(Edge))]
        return np.mean(found, axis=0)


def _looked_up(table: LookupTable, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    return TableStack([table]).at(np.zeros(len(rows), int), rows, columns)
