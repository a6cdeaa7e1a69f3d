"""Boards that a unit can be built for, through amaranth-boards where it has them."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from multipede.fpga.chips import CHIPS, Chip
from multipede.toolchain import ToolError

if TYPE_CHECKING:
    from amaranth.build import Platform

__all__ = ["BOARDS", "Board", "board"]


@dataclass(frozen=True)
class Board:
    """A board one can buy.

    Attributes
    ----------
    name : as users write it. title : as it is sold.
    chip : name of its FPGA among :data:`~multipede.fpga.chips.CHIPS`.
    clock : of its oscillator, Hz.
    definition : module and class of Amaranth's platform, as in ``module:Class``.
    loader : what openFPGALoader calls it; empty where it does not know it.
    clock_is_pll_pad : whether the oscillator's pin is the input of a PLL of iCE40, and nothing
        else while that is used.
    """

    name: str
    title: str
    chip: str
    clock: float
    definition: str
    loader: str = ""
    clock_is_pll_pad: bool = False

    @property
    def fpga(self) -> Chip:
        """The chip."""
        return CHIPS[self.chip]

    def platform(self) -> "Platform":
        """A new platform of Amaranth's. ToolError if amaranth-boards is missing."""
        module, _, name = self.definition.partition(":")
        try:
            kind: Callable[[], Platform] = getattr(import_module(module), name)
        except ModuleNotFoundError as error:
            raise ToolError(
                f"{self.title} needs {error.name}. Get it: pip install amaranth-boards"
            ) from None
        return kind()


def _ulx3s(size: int) -> Board:
    return Board(
        name=f"ulx3s-{size}f",
        title=f"Radiona ULX3S {size}F",
        chip=f"ecp5-{size}f",
        clock=25e6,
        definition=f"amaranth_boards.ulx3s:ULX3S_{size}F_Platform",
        loader="ulx3s",
    )


BOARDS = {
    known.name: known
    for known in (
        _ulx3s(25),
        _ulx3s(45),
        _ulx3s(85),
        Board(
            name="icebreaker",
            title="1BitSquared iCEBreaker",
            chip="ice40-up5k",
            clock=12e6,
            definition="amaranth_boards.icebreaker:ICEBreakerPlatform",
            loader="ice40_generic",
            clock_is_pll_pad=True,
        ),
        Board(
            name="ice40-hx8k-evn",
            title="Lattice iCE40HX-8K Breakout Board",
            chip="ice40-hx8k",
            clock=12e6,
            definition="amaranth_boards.ice40_hx8k_b_evn:ICE40HX8KBEVNPlatform",
            loader="ice40_generic",
        ),
        Board(
            name="tang-nano-9k",
            title="Sipeed Tang Nano 9K",
            chip="gw1nr-9c",
            clock=27e6,
            definition="amaranth_boards.tang_nano_9k:TangNano9kPlatform",
            loader="tangnano9k",
        ),
        Board(
            name="arty-a7-35",
            title="Digilent Arty A7-35T",
            chip="xc7a35t",
            clock=100e6,
            definition="amaranth_boards.arty_a7:ArtyA7_35Platform",
            loader="arty",
        ),
        Board(
            name="vcu128",
            title="Xilinx VCU128",
            chip="xcvu37p",
            clock=100e6,
            definition="multipede.fpga.vcu128:VCU128Platform",
        ),
    )
}
"""Boards by name."""


def board(name: str) -> Board:
    """The board of this name. ValueError names those that there are."""
    if name not in BOARDS:
        raise ValueError(f"board = {name!r}: allowed are {', '.join(BOARDS)}")
    return BOARDS[name]
