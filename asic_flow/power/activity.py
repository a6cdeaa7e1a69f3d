"""How often each net of a netlist changes, and how long it is 1."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Activity", "require_complete"]


@dataclass(frozen=True)
class Activity:
    """What was seen of a netlist's nets.

    Attributes
    ----------
    clocks : how many passed; of a netlist without registers how many times its inputs were set.
    duration : ps, of all of them.
    toggles : changes of each net, by its number in the netlist. Without those of constants.
    high : ps that each net was 1.
    """

    clocks: int
    duration: float
    toggles: Mapping[int, int]
    high: Mapping[int, float]

    def __post_init__(self) -> None:
        if not self.clocks > 0 or not self.duration > 0:
            raise ValueError(
                f"clocks = {self.clocks}, duration = {self.duration}: more than 0 is needed"
            )

    def probability(self, net: int | str) -> float:
        """The part of the time that a net is 1; of a constant 0 or 1, and 0 if it is unknown."""
        if isinstance(net, str):
            return 1.0 if net == "1" else 0.0
        return self.high[net] / self.duration

    def rate(self, net: int | str) -> float:
        """Changes per clock; none of a constant."""
        return 0.0 if isinstance(net, str) else self.toggles[net] / self.clocks


def require_complete(activity: Activity, netlist: Mapping[str, Any]) -> None:
    """Raise ValueError, saying how many, unless all nets of ports and cells have an activity."""
    nets = {bit for port in netlist["ports"].values() for bit in port["bits"]}
    for cell in netlist["cells"].values():
        nets |= {bit for bits in cell["connections"].values() for bit in bits}
    nets = {bit for bit in nets if isinstance(bit, int)}
    missing = sorted(nets - (activity.toggles.keys() & activity.high.keys()))
    if missing:
        raise ValueError(
            f"activity: {len(missing)} of {len(nets)} nets have none, such as net {missing[0]}"
        )
