"""FPGAs for which resources are counted: Yosys' recipe for each and what its cells are."""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["DEVICES", "Device", "device"]


@dataclass(frozen=True)
class Device:
    """A family of FPGAs.

    Attributes
    ----------
    name : as users write it. title : as vendors write it.
    recipe : the Yosys command that maps to it; ``{top}`` stands for the top module.
    takes : per cell of the mapped netlist what it takes, as resource -> number.
    units : per resource the unit that it is counted in.
    remark : what one must know to compare the counts.
    """

    name: str
    title: str
    recipe: str
    takes: Mapping[str, Mapping[str, int]]
    units: Mapping[str, str]
    remark: str


_ECP5 = Device(
    name="ecp5",
    title="Lattice ECP5",
    # Without flattening, a module that a tile shares is mapped once and counted per instance.
    recipe="synth_ecp5 -top {top} -noflatten -nowidelut -nodsp",
    takes={
        "LUT4": {"lut": 1},
        # Each of its two bits takes the place of a look-up table.
        "CCU2C": {"lut": 2, "carry": 1},
        "TRELLIS_FF": {"ff": 1},
        "TRELLIS_DPR16X4": {"lut": 4, "lutram": 1},
        "DP16KD": {"bram": 1},
        "MULT18X18D": {"dsp": 1},
        "ALU54B": {"dsp": 1},
    },
    units={"lut": "LUT4", "ff": "FF", "carry": "CCU2C", "dsp": "DSP", "bram": "EBR"},
    remark="lut includes two LUT4 places for each CCU2C",
)

_XILINX_LUT_RAM = {
    "RAM32X1S": 1,
    "RAM64X1S": 1,
    "RAM128X1S": 2,
    "RAM256X1S": 4,
    "RAM512X1S": 8,
    "RAM32X1D": 2,
    "RAM64X1D": 2,
    "RAM128X1D": 4,
    "RAM256X1D": 8,
    "RAM32M": 4,
    "RAM64M": 4,
    "RAM32M16": 8,
    "RAM64M8": 8,
    "RAM32X16DR8": 8,
    "RAM64X8SW": 8,
}
"""Memories and how many LUT6 hold each: one for 64 bits and read port (AMD, UltraScale
Architecture Configurable Logic Block User Guide, UG574, distributed RAM)."""

_XCUP = Device(
    name="xcup",
    title="Xilinx UltraScale+",
    recipe="synth_xilinx -family xcup -top {top} -nodsp -noiopad -noclkbuf",
    takes={
        **{f"LUT{inputs}": {"lut": 1} for inputs in range(1, 7)},
        "INV": {"lut": 1},
        "SRL16E": {"lut": 1, "lutram": 1},
        "SRLC32E": {"lut": 1, "lutram": 1},
        **{cell: {"lut": luts, "lutram": luts} for cell, luts in _XILINX_LUT_RAM.items()},
        "CARRY4": {"carry": 1},
        **{f"MUXF{number}": {"mux": 1} for number in (7, 8, 9)},
        **{f"FD{kind}E": {"ff": 1} for kind in "CPRS"},
        "DSP48E2": {"dsp": 1},
        "RAMB18E2": {"bram": 1},
        "RAMB36E2": {"bram": 2},
    },
    units={"lut": "LUT6", "ff": "FF", "carry": "CARRY4", "dsp": "DSP", "bram": "RAMB18"},
    remark="pairs of small functions are not packed into one LUT6, as Vivado does",
)

DEVICES = {known.name: known for known in (_ECP5, _XCUP)}
"""Devices by name."""


def device(name: str) -> Device:
    """The device of this name. ValueError names those that there are."""
    if name not in DEVICES:
        raise ValueError(f"device = {name!r}: allowed are {', '.join(DEVICES)}")
    return DEVICES[name]
