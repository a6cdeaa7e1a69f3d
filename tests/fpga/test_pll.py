"""PLLs: the dividers that make a frequency, and what they cannot make."""

import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from multipede.fpga.boards import board
from multipede.fpga.clock import BoardClock
from multipede.fpga.pll import PLLS
from tests.fpga.test_build import design


@pytest.mark.parametrize(
    ("name", "megahertz", "cell", "parameters"),
    [
        # 25 x 24 / 12, its oscillator at 600 MHz.
        ("ulx3s-85f", 50, "EHXPLLL", {"CLKI_DIV": 1, "CLKOP_DIV": 24, "CLKOS_DIV": 12}),
        # 25 x 25 / 10.
        ("ulx3s-25f", 62.5, "EHXPLLL", {"CLKI_DIV": 1, "CLKOP_DIV": 25, "CLKOS_DIV": 10}),
        # 12 x 64 / 32, as icepll says.
        ("icebreaker", 24, "SB_PLL40_PAD", {"DIVR": 0, "DIVF": 63, "DIVQ": 5}),
        ("ice40-hx8k-evn", 48, "SB_PLL40_CORE", {"DIVR": 0, "DIVF": 63, "DIVQ": 4}),
        # 27 x 2, and its oscillator at 864 MHz.
        ("tang-nano-9k", 54, "rPLL", {"IDIV_SEL": 0, "FBDIV_SEL": 1, "ODIV_SEL": 16}),
    ],
)
def test_the_dividers(name, megahertz, cell, parameters):
    rtlil = design(name, frequency=megahertz * 1e6).rtlil
    instance = re.search(
        rf"((?:^ +parameter .*\n)*)? +cell \\{cell} .*?\n +end\n", rtlil, re.S | re.M
    )
    for parameter, value in parameters.items():
        found = re.search(rf"parameter (?:signed )?\\{parameter} (\S+)", instance[0])
        assert int(found[1].split("'")[-1], 2 if "'" in found[1] else 10) == value, parameter


@pytest.mark.parametrize("megahertz", [54, 40.5, 81, 30])
def test_gowins_dividers_are_apiculas(megahertz):
    """To the frequency; of several ways each may choose its own."""
    told = subprocess.run(
        [Path(sys.executable).with_name("gowin_pll"), "-i", "27", "-o", str(megahertz)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    theirs = {n: int(v) for n, v in re.findall(r"\.(\w+_SEL)\((\d+)\)", told)}
    ours = PLLS["gowin"].dividers(27e6, megahertz * 1e6)
    assert theirs["FBDIV_SEL"] + 1 == ours.feedback
    assert theirs["IDIV_SEL"] + 1 == ours.reference


@pytest.mark.parametrize("family", PLLS)
def test_all_ways_are_within_the_bounds(family):
    pll = PLLS[family]
    ways = list(pll.ways(25e6))
    assert len(ways) > 100
    for way in ways:
        turns = way.feedback * (way.output if pll.behind_output else 1)
        assert way.vco == Fraction(25_000_000 * turns, way.reference)
        assert way.frequency == way.vco / way.output
        assert pll.vco[0] <= way.vco <= pll.vco[1]
        assert pll.detector[0] <= 25e6 / way.reference <= pll.detector[1]


def test_the_oscillators_needs_none():
    assert BoardClock(board("icebreaker"), 12e6).dividers is None
    assert "SB_PLL" not in design("icebreaker").rtlil


def test_a_seventh_is_near_enough():
    found = BoardClock(board("tang-nano-9k"), 61.714286e6).dividers
    assert found.frequency == Fraction(27_000_000 * 16, 7)


@pytest.mark.parametrize(
    ("name", "megahertz", "message"),
    [
        (
            "ulx3s-85f",
            61,
            "of the 25 MHz of the oscillator; .* 60.9375 and 61.1111111 MHz",
        ),
        ("ulx3s-85f", 500, "the nearest that there are: 400 MHz"),
        ("icebreaker", 25, "the nearest that there are: 24.75 and 25.125 MHz"),
        ("icebreaker", 13, "the nearest that there are: 12 and 16.125 MHz"),
        ("arty-a7-35", 50, "on Digilent Arty A7-35T designs run at its 100 MHz"),
    ],
)
def test_others_are_refused(name, megahertz, message):
    with pytest.raises(ValueError, match=f"frequency = {megahertz} MHz: .*{message}"):
        BoardClock(board(name), megahertz * 1e6)
