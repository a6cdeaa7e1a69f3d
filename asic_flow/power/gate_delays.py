"""Delays of a netlist's gates for simulation, from the tables that static timing reads too."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np

from multipede.asic_flow.liberty.cell_behaviour import MOST_INPUTS
from multipede.asic_flow.liberty.cell_model import CellModel, DelayArc, Edge, cell_model
from multipede.asic_flow.liberty.library import Library
from multipede.asic_flow.liberty.lookup_table import LookupTable, TableStack
from multipede.asic_flow.power.gate_network import GateNetwork
from multipede.asic_flow.timing.conditions import Conditions
from multipede.asic_flow.timing.static_timing import StaticTiming

__all__ = ["FEMTOSECONDS", "gate_delays"]

FEMTOSECONDS = 1000
"""In a picosecond."""
_VALUE = {Edge.RISE: 1, Edge.FALL: 0}


def gate_delays(
    network: GateNetwork,
    netlist: Mapping[str, Any],
    library: Library,
    timing: StaticTiming,
    conditions: Conditions,
) -> np.ndarray:
    """fs from a change of an input to that of the output: int64 (gates, MOST_INPUTS, 2, 2).

    The third axis is the input's new value, the fourth the output's. Of a register's output the
    inputs are its state and the state's inverse, and the delay is that from the clock. Slews and
    loads are those of ``timing``, so slews are the slowest of each net. Where a library gives
    several delays for the same edges, by the state of other inputs, it is their mean; where it
    gives none, the longest to the output's edge. At least 1 fs.
    """
    collected = _Delays(library, timing, conditions)
    for number, gate in enumerate(network.gates):
        collected.add(number, gate, netlist["cells"][gate.instance]["connections"])
    return collected.table(len(network.gates))


class _Delays:
    def __init__(self, library: Library, timing: StaticTiming, conditions: Conditions):
        self._library = library
        self._timing = timing
        self._clock_slew = conditions.clock_slew
        self._models: dict[str, CellModel] = {}
        self._tables: list[LookupTable] = []
        self._number: dict[int, int] = {}
        self._rows: list[tuple[int, int, int, int, int]] = []
        self._at: list[tuple[float, float]] = []

    def add(self, number: int, gate: Any, ends: Mapping[str, Any]) -> None:
        if gate.kind not in self._models:
            self._models[gate.kind] = cell_model(self._library, gate.kind)
        bit = ends[gate.pin][0]
        by_pin = defaultdict(list)
        for arc in self._models[gate.kind].arcs:
            if arc.output == gate.pin:
                by_pin[arc.input].append(arc)
        for place, pin in enumerate(gate.pins):
            clocked = [arc for arcs in by_pin.values() for arc in arcs if arc.clocked]
            for arc in clocked or by_pin[pin]:
                self._add_arc(number, place, arc, bit, ends)

    def _add_arc(
        self, number: int, place: int, arc: DelayArc, bit: Any, ends: Mapping[str, Any]
    ) -> None:
        source = ends.get(arc.input, [None])[0]
        slew = self._clock_slew if arc.clocked else self._timing.slews.get((source, arc.input_edge))
        if slew is None:
            return  # a constant, which never changes
        # A register's state may go either way at the clock's edge.
        edges = tuple(Edge) if arc.clocked else (arc.input_edge,)
        load = self._timing.loads[bit, arc.output_edge]
        for edge in edges:
            row = number, place, _VALUE[edge], _VALUE[arc.output_edge], self._table(arc.delay)
            self._rows.append(row)
            self._at.append((slew, load))

    def _table(self, table: LookupTable) -> int:
        if id(table) not in self._number:
            self._number[id(table)] = len(self._tables)
            self._tables.append(table)
        return self._number[id(table)]

    def table(self, gates: int) -> np.ndarray:
        shape = (gates, MOST_INPUTS, 2, 2)
        total, count = np.zeros(shape), np.zeros(shape)
        if self._rows:
            *where, number = np.array(self._rows).T
            slews, loads = np.array(self._at).T
            found = TableStack(self._tables).at(number, slews, loads)
            np.add.at(total, tuple(where), found)
            np.add.at(count, tuple(where), 1)
        mean = total / np.maximum(count, 1)
        longest = mean.max(axis=(1, 2), keepdims=True)
        delays = np.where(count > 0, mean, longest)
        return np.maximum(1, np.rint(delays * FEMTOSECONDS)).astype(np.int64)
