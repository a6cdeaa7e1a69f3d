"""What power needs to know of a netlist's nets, as arrays over all of them."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from multipede.asic_flow.liberty.cell_model import Edge
from multipede.asic_flow.power.activity import Activity
from multipede.asic_flow.timing.static_timing import StaticTiming

__all__ = ["NetFigures"]

_EDGES = (Edge.RISE, Edge.FALL)


class NetFigures:
    """Arrays over places of nets; the first two places are the constants 0 and 1.

    Attributes
    ----------
    rate : changes per clock. probability : of being 1.
    slews, loads : ps and fF by :class:`Edge`.
    """

    def __init__(self, netlist: Mapping[str, Any], activity: Activity, timing: StaticTiming):
        bits = {bit for port in netlist["ports"].values() for bit in port["bits"]}
        for cell in netlist["cells"].values():
            bits |= {bit for ends in cell["connections"].values() for bit in ends}
        nets = ["0", "1", *sorted(bit for bit in bits if isinstance(bit, int))]
        self._place: dict[int | str, int] = {net: place for place, net in enumerate(nets)}
        self.rate = np.array([activity.rate(net) for net in nets])
        self.probability = np.array([activity.probability(net) for net in nets])
        self.slews = {e: np.array([timing.slews.get((n, e), 0.0) for n in nets]) for e in _EDGES}
        self.loads = {e: np.array([timing.loads.get((n, e), 0.0) for n in nets]) for e in _EDGES}

    def places(self, bits: Iterable[int | str]) -> np.ndarray:
        """Where nets are; what is unknown is the constant 0."""
        return np.array([self._place.get(bit, 0) for bit in bits], int)

    @property
    def charge(self) -> np.ndarray:
        """fF that a change loads, the mean of both edges."""
        return (self.loads[Edge.RISE] + self.loads[Edge.FALL]) / 2
