"""Buffers behind nets with many loads, so that no gate drives more than it well can."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from multipede.asic_flow.liberty.cell_model import Edge, cell_model
from multipede.asic_flow.liberty.library import Library
from multipede.asic_flow.netlist.copies import copy_of
from multipede.asic_flow.netlist.net_names import net_names
from multipede.asic_flow.timing.conditions import Conditions
from multipede.asic_flow.timing.criticality import pin_slacks
from multipede.asic_flow.timing.propagation import Propagation
from multipede.asic_flow.timing.timing_graph import FIRST_NET, TimingGraph

__all__ = ["buffered"]

_Sink = tuple[str, str]
"""Instance and pin."""


def buffered(
    netlist: Mapping[str, Any], library: Library, conditions: Conditions, *, load: float
) -> dict[str, Any]:
    """The netlist with trees of buffers, in which loads of like slack share a buffer.

    A shorter way for the most critical loads was tried: it left the others more buffers, and units
    were no faster.

    Parameters
    ----------
    netlist, library, conditions : as for static timing.
    load : what a net may have, in input capacitances of the library's smallest inverter. Nets with
        a single load, clocks and constants stay as they are.
    """
    return _Buffering(netlist, library, conditions, load).result()


class _Buffering:
    def __init__(
        self, netlist: Mapping[str, Any], library: Library, conditions: Conditions, load: float
    ):
        self._netlist = copy_of(netlist)
        self._library = library
        self._conditions = conditions
        self._names = net_names(netlist)
        inverter, buffer = library.smallest(1, 0b01), library.smallest(1, 0b10)
        self._budget = load * _capacitance(library, inverter.name, inverter.inputs[0])
        self._buffer = buffer.name
        self._input, self._output = buffer.inputs[0], buffer.outputs[0]
        self._buffer_load = _capacitance(library, buffer.name, self._input)
        self._loads: dict[_Sink, float] = {}
        self._next = 1 + max(_bits(netlist), default=1)
        self._urgent = self._urgencies(netlist)

    def _urgencies(self, netlist: Mapping[str, Any]) -> dict[int, dict[_Sink, float]]:
        """ps of slack of each input pin, by net, taken with loads that buffers would leave; without
        the nets of clocks."""
        graph = TimingGraph(netlist, self._library, self._conditions)
        slacks = pin_slacks(Propagation(graph), limit=self._budget)
        pins = graph.inputs
        found: dict[int, dict[_Sink, float]] = {}
        clocks: set[int] = set()
        for node, instance, place, slack in zip(
            pins.nodes.tolist(), pins.instances.tolist(), pins.places.tolist(), slacks, strict=True
        ):
            family = graph.families[graph.family[instance]]
            sink = graph.instances[instance], family.pins[place]
            bit = graph.nets[(node - FIRST_NET) // 2]
            found.setdefault(bit, {})[sink] = slack
            self._loads[sink] = float(family.capacitances[0, place].max())
            if family.pins[place] == family.clock:
                clocks.add(bit)
        return {bit: sinks for bit, sinks in found.items() if bit not in clocks}

    def result(self) -> dict[str, Any]:
        outputs = [
            bit
            for port in self._netlist["ports"].values()
            if port["direction"] == "output"
            for bit in port["bits"]
        ]
        for bit, slacks in self._urgent.items():
            sinks = sorted(slacks, key=lambda sink: slacks[sink])
            self._split(bit, sinks, outputs.count(bit))
        return self._netlist

    def _split(self, bit: int, sinks: list[_Sink], outputs: int) -> None:
        """Put buffers before the sinks, the most urgent first, until the net is light enough."""
        budget = self._budget - outputs * self._conditions.output_load
        while len(sinks) > 1 and self._load(sinks) > budget:
            clusters = list(self._clusters(sinks))
            if len(clusters) >= len(sinks):  # a buffer for each drives what it takes off
                return
            near: list[_Sink] = []
            # The first stays at the driver if the buffers of the others leave it room.
            if self._load(clusters[0]) + (len(clusters) - 1) * self._buffer_load <= budget:
                near = clusters.pop(0)
            sinks = near + [self._add(bit, cluster) for cluster in clusters]

    def _clusters(self, sinks: list[_Sink]) -> Iterator[list[_Sink]]:
        share = self._load(sinks) / np.ceil(self._load(sinks) / self._budget)
        cluster: list[_Sink] = []
        for sink in sinks:
            if cluster and self._load([*cluster, sink]) > max(share, self._buffer_load) * 1.001:
                yield cluster
                cluster = []
            cluster.append(sink)
        yield cluster

    def _load(self, sinks: list[_Sink]) -> float:
        wire = float(self._conditions.wires.load(np.array([len(sinks)]))[0])
        return sum(self._loads[sink] for sink in sinks) + wire

    def _add(self, bit: int, sinks: list[_Sink]) -> _Sink:
        """A buffer that drives these pins of the net's."""
        number, self._next = self._next, self._next + 1
        name = f"{self._names[bit]}_buffer{number}"
        self._netlist["netnames"][f"{name}_out"] = {
            "hide_name": 1,
            "bits": [number],
            "attributes": {},
        }
        self._netlist["cells"][name] = {
            "hide_name": 1,
            "type": self._buffer,
            "parameters": {},
            "attributes": {},
            "port_directions": {self._input: "input", self._output: "output"},
            "connections": {self._input: [bit], self._output: [number]},
        }
        for instance, pin in sinks:
            self._netlist["cells"][instance]["connections"][pin] = [number]
        sink = (name, self._input)
        self._loads[sink] = self._buffer_load
        return sink


def _capacitance(library: Library, cell: str, pin: str) -> float:
    model = cell_model(library, cell)
    return max(model.capacitances[pin, edge] for edge in Edge)


def _bits(netlist: Mapping[str, Any]) -> Iterator[int]:
    for net in netlist["netnames"].values():
        yield from (bit for bit in net["bits"] if isinstance(bit, int))
    for cell in netlist["cells"].values():
        for bits in cell["connections"].values():
            yield from (bit for bit in bits if isinstance(bit, int))
