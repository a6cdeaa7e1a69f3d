"""The clock of a board's design: its oscillator's, or what the chip's PLL makes of that."""

from dataclasses import dataclass
from functools import cached_property
from math import isclose
from numbers import Real
from typing import Any

from amaranth.hdl import ClockDomain, ClockSignal, Instance, Module, Signal
from amaranth.lib import io
from amaranth.lib.cdc import ResetSynchronizer

from multipede.fpga.boards import Board
from multipede.fpga.pll import PLLS, Dividers

__all__ = ["BoardClock", "checked_clock"]


@dataclass(frozen=True)
class BoardClock:
    """The clock of a design on a board.

    Parameters
    ----------
    board : the board.
    frequency : Hz: that of its oscillator, or one that the chip's PLL makes of it, to a
        millionth.

    Raises
    ------
    ValueError
        For another frequency; it names the nearest ones.
    """

    board: Board
    frequency: float

    def __post_init__(self) -> None:
        if self.board.fpga.family not in PLLS and not self._is_oscillators:
            raise ValueError(
                f"frequency = {self.frequency / 1e6:g} MHz: on {self.board.title} designs run at"
                f" its {self.board.clock / 1e6:g} MHz"
            )
        # It says whether there is a way.
        self.dividers  # noqa: B018

    @property
    def _is_oscillators(self) -> bool:
        return isclose(self.frequency, self.board.clock)

    @cached_property
    def dividers(self) -> Dividers | None:
        """Of the PLL; None where none is needed."""
        if self._is_oscillators:
            return None
        return PLLS[self.board.fpga.family].dividers(self.board.clock, self.frequency)

    def elaborate(self, m: Module, platform) -> None:
        """Make the domain ``sync``; without a PLL, Amaranth does it itself."""
        if self.dividers is None:
            return
        pin = platform.request(platform.default_clk, dir="-")
        m.domains.sync = ClockDomain()
        locked = Signal(name="pll_locked")
        if self.board.clock_is_pll_pad:
            reference = pin.io
        else:
            m.submodules.oscillator = oscillator = io.Buffer("i", pin)
            reference = oscillator.i
        m.submodules.pll = _INSTANCES[self.board.fpga.family](self, reference, locked)
        m.submodules.reset = ResetSynchronizer(~locked, domain="sync")


def _ecp5(clock: BoardClock, reference: Any, locked: Signal) -> Instance:
    by, feedback = clock.dividers, Signal(name="pll_feedback")
    return Instance(
        "EHXPLLL",
        a_ICP_CURRENT="12",
        a_LPF_RESISTOR="8",
        a_MFG_ENABLE_FILTEROPAMP="1",
        a_MFG_GMCREF_SEL="2",
        p_CLKI_DIV=by.reference,
        p_CLKFB_DIV=1,
        p_CLKOP_DIV=by.feedback,
        p_CLKOP_CPHASE=by.feedback - 1,
        p_CLKOP_ENABLE="ENABLED",
        p_CLKOS_DIV=by.output,
        p_CLKOS_CPHASE=by.output - 1,
        p_CLKOS_ENABLE="ENABLED",
        p_FEEDBK_PATH="CLKOP",
        i_CLKI=reference,
        i_CLKFB=feedback,
        i_RST=0,
        i_STDBY=0,
        i_PHASESEL0=0,
        i_PHASESEL1=0,
        i_PHASEDIR=0,
        i_PHASESTEP=0,
        i_PHASELOADREG=0,
        i_PLLWAKESYNC=0,
        i_ENCLKOP=0,
        i_ENCLKOS=0,
        o_CLKOP=feedback,
        o_CLKOS=ClockSignal(),
        o_LOCK=locked,
    )


_FILTERS = (17e6, 26e6, 44e6, 66e6, 101e6)
"""Hz at the phase detector up to which each range of the loop's filter of iCE40 is for."""


def _ice40(clock: BoardClock, reference: Any, locked: Signal) -> Instance:
    by = clock.dividers
    compared = clock.board.clock / by.reference
    # A pin that is the PLL's own leads nowhere else.
    kind, port = ("PAD", "PACKAGEPIN") if clock.board.clock_is_pll_pad else ("CORE", "REFERENCECLK")
    return Instance(
        f"SB_PLL40_{kind}",
        ("i", port, reference),
        p_FEEDBACK_PATH="SIMPLE",
        p_DIVR=by.reference - 1,
        p_DIVF=by.feedback - 1,
        p_DIVQ=by.output.bit_length() - 1,
        p_FILTER_RANGE=1 + sum(compared >= bound for bound in _FILTERS),
        i_RESETB=1,
        i_BYPASS=0,
        o_PLLOUTGLOBAL=ClockSignal(),
        o_LOCK=locked,
    )


def _gowin(clock: BoardClock, reference: Any, locked: Signal) -> Instance:
    by = clock.dividers
    return Instance(
        "rPLL",
        p_DEVICE=clock.board.fpga.part,
        p_FCLKIN=f"{clock.board.clock / 1e6:g}",
        p_IDIV_SEL=by.reference - 1,
        p_FBDIV_SEL=by.feedback - 1,
        p_ODIV_SEL=by.output,
        p_DYN_IDIV_SEL="false",
        p_DYN_FBDIV_SEL="false",
        p_DYN_ODIV_SEL="false",
        p_CLKFB_SEL="internal",
        i_CLKIN=reference,
        i_CLKFB=0,
        i_RESET=0,
        i_RESET_P=0,
        i_FBDSEL=Signal(6),
        i_IDSEL=Signal(6),
        i_ODSEL=Signal(6),
        i_PSDA=Signal(4),
        i_DUTYDA=Signal(4),
        i_FDLY=Signal(4),
        o_CLKOUT=ClockSignal(),
        o_LOCK=locked,
    )


_INSTANCES = {"ecp5": _ecp5, "ice40": _ice40, "gowin": _gowin}


def checked_clock(board: Board, megahertz: float | None) -> float:
    """Hz of a design for which MHz are asked, by default the oscillator's. TypeError unless it is a
    number; what the board has, :class:`BoardClock` says."""
    if megahertz is None:
        return board.clock
    if isinstance(megahertz, bool) or not isinstance(megahertz, Real):
        raise TypeError(f"frequency must be a number of MHz, not {megahertz!r}")
    if not 1 <= megahertz <= 1000:
        raise ValueError(f"frequency = {megahertz}: allowed are 1 to 1000 MHz")
    return float(megahertz) * 1e6
