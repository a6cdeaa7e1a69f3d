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
    recipe : the Yosys command that maps to it; ``{top}`` stands for the top module, ``{dsp}`` for
        ``dsp`` or ``no_dsp``.
    dsp, no_dsp : flags with which multiplications go into DSP blocks, and with which not.
    takes : per cell of the mapped netlist what it takes, as resource -> number.
    units : per resource the unit that it is counted in.
    remark : what one must know to compare the counts.
    """

    name: str
    title: str
    recipe: str
    dsp: str
    no_dsp: str
    takes: Mapping[str, Mapping[str, int]]
    units: Mapping[str, str]
    remark: str


_ECP5 = Device(
    name="ecp5",
    title="Lattice ECP5",
    # Without flattening, a module that a tile shares is mapped once and counted per instance.
    recipe="synth_ecp5 -top {top} -noflatten -nowidelut {dsp}",
    dsp="",
    no_dsp="-nodsp",
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

_ICE40 = Device(
    name="ice40",
    title="Lattice iCE40",
    recipe="synth_ice40 -top {top} -noflatten {dsp}",
    dsp="-dsp",
    no_dsp="",
    takes={
        "SB_LUT4": {"lut": 1},
        "SB_CARRY": {"carry": 1},
        **{
            f"SB_DFF{edge}{enable}{kind}": {"ff": 1}
            for edge in ("", "N")
            for enable in ("", "E")
            for kind in ("", "R", "S", "SR", "SS")
        },
        **{f"SB_RAM40_4K{kind}": {"bram": 1} for kind in ("", "NR", "NW", "NRNW")},
        "SB_SPRAM256KA": {"spram": 1},
        "SB_MAC16": {"dsp": 1},
    },
    units={"lut": "LUT4", "ff": "FF", "carry": "SB_CARRY", "dsp": "SB_MAC16", "bram": "EBR"},
    remark=(
        "a carry shares its logic cell with the look-up table of its sum; DSP blocks are in"
        " UltraPlus alone"
    ),
)

_GOWIN = Device(
    name="gowin",
    title="Gowin LittleBee",
    recipe="synth_gowin -top {top} -noflatten -nowidelut -noiopads {dsp}",
    dsp="",
    no_dsp="-nodsp",
    takes={
        **{f"LUT{inputs}": {"lut": 1} for inputs in range(1, 5)},
        "INV": {"lut": 1},
        # It takes the place of a look-up table.
        "ALU": {"lut": 1, "carry": 1},
        **{
            f"DFF{edge}{kind}{enable}": {"ff": 1}
            for edge in ("", "N")
            for enable in ("", "E")
            for kind in ("", "S", "R", "P", "C")
        },
        **{f"RAM16S{bits}": {"lut": bits, "lutram": bits} for bits in (1, 2, 4)},
        **{f"RAM16SDP{bits}": {"lut": bits, "lutram": bits} for bits in (1, 2, 4)},
        **{f"{kind}{nine}": {"bram": 1} for kind in ("SP", "SDP", "DP") for nine in ("", "X9")},
        **{f"{kind}{nine}": {"bram": 1} for kind in ("SDPB", "DPB", "pROM") for nine in ("", "X9")},
        # Of nine bits; a block of 18 x 18 is two of them, one of 36 x 36 eight.
        "MULT9X9": {"dsp": 1},
        "MULT18X18": {"dsp": 2},
        "MULT36X36": {"dsp": 8},
        **{constant: {} for constant in ("GND", "VCC", "GSR")},
    },
    units={"lut": "LUT4", "ff": "FF", "carry": "ALU", "dsp": "MULT9X9", "bram": "BSRAM"},
    remark="lut includes one LUT4 place for each ALU",
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

_XILINX_CELLS = {
    **{f"LUT{inputs}": {"lut": 1} for inputs in range(1, 7)},
    "INV": {"lut": 1},
    "SRL16E": {"lut": 1, "lutram": 1},
    "SRLC32E": {"lut": 1, "lutram": 1},
    **{cell: {"lut": luts, "lutram": luts} for cell, luts in _XILINX_LUT_RAM.items()},
    "CARRY4": {"carry": 1},
    **{f"MUXF{number}": {"mux": 1} for number in (7, 8, 9)},
    **{f"FD{kind}E": {"ff": 1} for kind in "CPRS"},
}


def _xilinx(name: str, title: str, *, generation: str) -> Device:
    """A family whose DSP blocks and memories are of a generation."""
    return Device(
        name=name,
        title=title,
        recipe=f"synth_xilinx -family {name} -top {{top}} {{dsp}} -noiopad -noclkbuf",
        dsp="",
        no_dsp="-nodsp",
        takes={
            **_XILINX_CELLS,
            f"DSP48E{generation}": {"dsp": 1},
            f"RAMB18E{generation}": {"bram": 1},
            f"RAMB36E{generation}": {"bram": 2},
        },
        units={"lut": "LUT6", "ff": "FF", "carry": "CARRY4", "dsp": "DSP", "bram": "RAMB18"},
        remark="pairs of small functions are not packed into one LUT6, as Vivado does",
    )


_XC7 = _xilinx("xc7", "Xilinx 7", generation="1")
_XCUP = _xilinx("xcup", "Xilinx UltraScale+", generation="2")

DEVICES = {known.name: known for known in (_ECP5, _ICE40, _GOWIN, _XC7, _XCUP)}
"""Devices by name."""


def device(name: str) -> Device:
    """The device of this name. ValueError names those that there are."""
    if name not in DEVICES:
        raise ValueError(f"device = {name!r}: allowed are {', '.join(DEVICES)}")
    return DEVICES[name]
