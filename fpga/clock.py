"""The clock of a board's design: its oscillator's, or a multiple of that by the chip's PLL."""

from dataclasses import dataclass
from math import isclose
from numbers import Real

from amaranth.hdl import ClockDomain, ClockSignal, Instance, Module, Signal
from amaranth.lib import io
from amaranth.lib.cdc import ResetSynchronizer

from multipede.fpga.boards import Board

__all__ = ["BoardClock", "checked_clock"]

_LOWEST_VCO, _HIGHEST_VCO = 400e6, 800e6
"""Hz; ECP5 and ECP5-5G sysCLOCK PLL/DLL Design and Usage Guide, FPGA-TN-02200."""
_MOST = 16


@dataclass(frozen=True)
class BoardClock:
    """The clock of a design on a board.

    Parameters
    ----------
    board : the board.
    frequency : Hz: that of its oscillator, or on ECP5 a multiple of it, 16 times at most.

    Raises
    ------
    ValueError
        For another frequency.
    """

    board: Board
    frequency: float

    def __post_init__(self):
        if isclose(self.frequency, self.board.clock):
            return
        multiple = self.frequency / self.board.clock
        if self.board.fpga.family != "ecp5":
            raise ValueError(
                f"frequency = {self.frequency / 1e6:g} MHz: on {self.board.title} designs run at"
                f" its {self.board.clock / 1e6:g} MHz"
            )
        if not isclose(multiple, round(multiple)) or not 1 <= round(multiple) <= _MOST:
            raise ValueError(
                f"frequency = {self.frequency / 1e6:g} MHz: a multiple of the"
                f" {self.board.clock / 1e6:g} MHz of {self.board.title} is needed, at most"
                f" {_MOST} times"
            )

    @property
    def multiple(self) -> int:
        """How many times that of the oscillator."""
        return round(self.frequency / self.board.clock)

    @property
    def output_divisor(self) -> int:
        """From the PLL's oscillator, which is to be in the middle of its range."""
        return max(1, round((_LOWEST_VCO + _HIGHEST_VCO) / 2 / self.frequency))

    def elaborate(self, m: Module, platform) -> None:
        """Make the domain ``sync``; without a PLL, Amaranth does it itself."""
        if self.multiple == 1:
            return
        pin = platform.request(platform.default_clk, dir="-")
        m.submodules.oscillator = oscillator = io.Buffer("i", pin)
        m.domains.sync = ClockDomain()
        locked = Signal(name="pll_locked")
        m.submodules.pll = Instance(
            "EHXPLLL",
            a_ICP_CURRENT="12",
            a_LPF_RESISTOR="8",
            a_MFG_ENABLE_FILTEROPAMP="1",
            a_MFG_GMCREF_SEL="2",
            p_CLKI_DIV=1,
            p_CLKFB_DIV=self.multiple,
            p_CLKOP_DIV=self.output_divisor,
            p_CLKOP_CPHASE=self.output_divisor - 1,
            p_CLKOP_ENABLE="ENABLED",
            p_FEEDBK_PATH="CLKOP",
            i_CLKI=oscillator.i,
            i_CLKFB=ClockSignal(),
            i_RST=0,
            i_STDBY=0,
            i_PHASESEL0=0,
            i_PHASESEL1=0,
            i_PHASEDIR=0,
            i_PHASESTEP=0,
            i_PHASELOADREG=0,
            i_PLLWAKESYNC=0,
            i_ENCLKOP=0,
            o_CLKOP=ClockSignal(),
            o_LOCK=locked,
        )
        m.submodules.reset = ResetSynchronizer(~locked, domain="sync")


def checked_clock(board: Board, megahertz: float | None) -> float:
    """Hz of a design for which MHz are asked, by default the oscillator's. TypeError unless it is a
    number; what the board has, :class:`BoardClock` says."""
    if megahertz is None:
        return board.clock
    if isinstance(megahertz, bool) or not isinstance(megahertz, Real):
        raise TypeError(f"frequency must be a number of MHz, not {megahertz!r}")
    return float(megahertz) * 1e6
