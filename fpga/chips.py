"""FPGAs one can buy: what nextpnr calls them, and what they hold."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from multipede.fpga.devices import DEVICES, Device

__all__ = ["CHIPS", "Chip", "chip"]


@dataclass(frozen=True)
class Chip:
    """A chip in a package.

    Attributes
    ----------
    name : as users write it. title : as vendors write it, with package and speed grade.
    family : name of its :class:`~multipede.fpga.devices.Device`.
    arguments : of nextpnr; empty where it has no such chips.
    has_dsp : whether it has multipliers.
    holds : per resource how many there are: ``lut``, ``ff``, ``dsp``, ``bram``.
    frequency : MHz that nextpnr is asked for unless something else is.
    part : what the packer of bitstreams calls it, where it asks.
    pins : package pins that any design may use, the first for a clock, where nextpnr will not
        choose them itself.
    """

    name: str
    title: str
    family: str
    arguments: tuple[str, ...]
    holds: Mapping[str, int] = field(hash=False)
    frequency: float
    has_dsp: bool = True
    part: str = ""
    pins: tuple[str, ...] = ()

    @property
    def device(self) -> Device:
        """The family."""
        return DEVICES[self.family]

    def shares(self, used: Mapping[str, int]) -> list[str]:
        """For each resource that is counted, how much of it is used."""
        return [
            f"{name:8}{used[name]:8,} of {there:,}, {used[name] / there:.0%}"
            for name, there in self.holds.items()
            if name in used and there
        ]

    def lacks(self, used: Mapping[str, int]) -> str:
        """Of which resources more are used than there are; empty if of none."""
        few = [
            f"{used[name]:,} {name} are needed and {there:,} there, {used[name] - there:,} too few"
            for name, there in self.holds.items()
            if used.get(name, 0) > there
        ]
        return f"{self.title} is too small: {', '.join(few)}" if few else ""

    @property
    def is_routed(self) -> bool:
        """Whether there is an open tool that places and routes for it."""
        return bool(self.arguments)


def _ecp5(size: int, lut: int, dsp: int, bram: int) -> Chip:
    """Resources as nextpnr counts them. ULX3S has speed grade 6."""
    return Chip(
        name=f"ecp5-{size}f",
        title=f"Lattice LFE5U-{size}F-6BG381C",
        family="ecp5",
        # The 12F is sold as a 25F that is said to be smaller.
        arguments=(f"--{size}k", "--package", "CABGA381", "--speed", "6"),
        holds=MappingProxyType({"lut": lut, "ff": lut, "dsp": dsp, "bram": bram}),
        frequency=100.0,
    )


_UP5K = Chip(
    name="ice40-up5k",
    title="Lattice iCE40UP5K-SG48",
    family="ice40",
    arguments=("--up5k", "--package", "sg48"),
    holds=MappingProxyType({"lut": 5280, "ff": 5280, "dsp": 8, "bram": 30}),
    frequency=12.0,
)
_HX8K = Chip(
    name="ice40-hx8k",
    title="Lattice iCE40HX8K-CT256",
    family="ice40",
    arguments=("--hx8k", "--package", "ct256"),
    holds=MappingProxyType({"lut": 7680, "ff": 7680, "dsp": 0, "bram": 32}),
    frequency=50.0,
    has_dsp=False,
)
_GW1NR_9C = Chip(
    name="gw1nr-9c",
    title="Gowin GW1NR-LV9QN88PC6/I5",
    family="gowin",
    arguments=("--device", "GW1NR-LV9QN88PC6/I5", "--vopt", "family=GW1N-9C"),
    # As nextpnr has it; a MULT18X18 is two of the 9 x 9 that are counted.
    holds=MappingProxyType({"lut": 8640, "ff": 6480, "dsp": 40, "bram": 26}),
    frequency=27.0,
    part="GW1N-9C",
    pins=("52", "25", "26", "27", "28", "29", "30"),
)
_XC7A35T = Chip(
    name="xc7a35t",
    title="Xilinx XC7A35TI-1LCSG324",
    family="xc7",
    arguments=(),
    # Recalled of the 7 Series FPGAs Overview, DS180; memories in halves of 18 Kbit.
    holds=MappingProxyType({"lut": 20800, "ff": 41600, "dsp": 90, "bram": 100}),
    frequency=100.0,
)
_VU37P = Chip(
    name="xcvu37p",
    title="Xilinx XCVU37P-2FSVH2892E",
    family="xcup",
    arguments=(),
    # Recalled of the UltraScale Architecture and Product Overview, DS890, which was not at hand;
    # memories in halves of 18 Kbit.
    holds=MappingProxyType({"lut": 1303680, "ff": 2607360, "dsp": 9024, "bram": 4032}),
    frequency=100.0,
)

CHIPS = {
    known.name: known
    for known in (
        _ecp5(25, 24288, 28, 56),
        _ecp5(45, 43848, 72, 108),
        _ecp5(85, 83640, 156, 208),
        _UP5K,
        _HX8K,
        _GW1NR_9C,
        _XC7A35T,
        _VU37P,
    )
}
"""Chips by name."""


def chip(name: str) -> Chip:
    """The chip of this name. ValueError names those that there are."""
    if name not in CHIPS:
        raise ValueError(f"chip = {name!r}: allowed are {', '.join(CHIPS)}")
    return CHIPS[name]
