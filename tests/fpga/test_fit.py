"""The largest tile of a board: it fits, and one column more does not."""

import json
import re
import time
from dataclasses import replace

import pytest

from multipede.fpga import fit
from multipede.fpga.boards import board
from multipede.fpga.fit import Fit, Tried, _tried, fit_table
from multipede.golden.formats import INT2, INT4, UINT4
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.golden.mixpe import MixPE
from multipede.golden.multiplier_tile import MultiplierTile

SMALL = MultiplierTile(weight=INT2, activation=INT2, rows=1, lanes=1, group=4)
THERE = 5280


def searched(used, most, *, slow_from=10_000):
    """What is tried on a chip on which so many columns take so many look-up tables."""

    def attempt(columns):
        lut = used(columns)
        if lut > THERE:
            return Tried(columns, None, None, "too many")
        slow = "slow" if columns >= slow_from else ""
        return Tried(columns, {"lut": lut}, 20.0, slow)

    return list(_tried(attempt, board("icebreaker"), most))


class TestSearch:
    @pytest.mark.parametrize("each", [17, 90, 640, 2600, 5000])
    @pytest.mark.parametrize("beside", [100, 2500])
    def test_finds_the_largest(self, each, beside):
        tried = searched(lambda columns: beside + each * columns, 256)
        found = max((one.columns for one in tried if one.holds), default=0)
        assert found == max(0, min(256, (THERE - beside) // each))
        # That one more does not hold was tried, too, and no size twice.
        assert found == 256 or found + 1 in {one.columns for one in tried if not one.holds}
        assert len({one.columns for one in tried}) == len(tried) <= 9

    def test_sizes_that_grow_by_jumps(self):
        tried = searched(lambda columns: 300 + 61 * columns + 400 * (columns > 40), 256)
        assert max(one.columns for one in tried if one.holds) == (THERE - 700) // 61

    def test_a_clock_that_is_missed(self):
        tried = searched(lambda columns: 100 + columns, 256, slow_from=37)
        assert max(one.columns for one in tried if one.holds) == 36
        assert len(tried) < 14

    def test_not_even_one(self):
        (one,) = searched(lambda columns: 6000, 256)
        assert not one.holds


def test_on_a_board():
    found = fit(SMALL, "icebreaker", most=2, seeds=1)
    assert found.spec == MultiplierTile(
        weight=INT2, activation=INT2, rows=1, lanes=1, group=4, columns=2
    )
    assert found.largest.reached >= found.frequency == 12
    rates = found.operations
    assert rates["tile"] == 2 * 12e6
    # A byte, in three clocks; ten bits of the line.
    assert rates["block RAM"] == 2 * 12e6 / 3
    assert rates["serial line"] == 2 * 1e6 / 10
    document = json.loads(json.dumps(found.to_dict()))
    assert [tried["columns"] for tried in document["tried"]] == [1, 2]
    assert "multiplier_tile, 1 x 2 x 1 on 1BitSquared iCEBreaker at 12 MHz" in str(found)


def test_what_is_far_too_large_is_not_tried():
    """Nor is it elaborated, which takes minutes."""
    start = time.monotonic()
    found = fit(MixPE(rows=64, lanes=64), "arty-a7-35")
    assert time.monotonic() - start < 60
    assert found.spec is None
    assert [tried.columns for tried in found.tried] == [1]
    assert "at the least" in found.tried[0].trouble


def test_what_takes_too_long_does_not_hold():
    found = fit(MixPE(rows=1, lanes=2), "icebreaker", most=1, seeds=1, time_limit=0.1)
    assert found.spec is None
    assert [tried.trouble for tried in found.tried] == ["not routed within 0.1 s"]


@pytest.mark.regress
def test_nothing_fits():
    found = fit(MixPE(rows=8, lanes=16), "icebreaker", seeds=1)
    assert found.spec is None
    assert found.operations == {}
    assert "not even one column" in str(found)
    assert "ICESTORM_LC are needed" in str(found)


@pytest.mark.regress
def test_one_column_more_does_not_fit():
    found = fit(MixPE(weight=UINT4, activation=INT4, rows=1, lanes=4), "icebreaker", seeds=1)
    assert found.spec.columns > 3
    tried = {one.columns: one for one in found.tried}
    assert tried[found.spec.columns].holds
    assert not tried[found.spec.columns + 1].holds


@pytest.mark.regress
def test_a_board_that_no_open_tool_routes():
    """Counts decide; Yosys' of one column more are too many."""
    tile = MixPE(rows=16, lanes=16)
    found = fit(tile, "arty-a7-35")
    tried = {one.columns: one for one in found.tried}
    largest, more = tried[found.spec.columns], tried[found.spec.columns + 1]
    assert largest.reached is None
    assert 10_000 < largest.used["lut"] <= 20_800 < more.used["lut"]
    assert f"too small: {more.used['lut']:,} lut are needed and 20,800 there" in more.trouble
    assert "at 100 MHz, counted and not routed" in str(found)


@pytest.mark.parametrize(
    ("spec", "options", "message"),
    [
        (IntegerMultiplier(), {}, "it is no tile"),
        (SMALL, {"board": "vcu129"}, "board = 'vcu129'"),
        (SMALL, {"most": 0}, "most = 0"),
        (SMALL, {"frequency": 13}, "frequency = 13 MHz: the PLL cannot make it"),
        (SMALL, {"seeds": 0}, "seeds = 0"),
        (SMALL, {"time_limit": 0}, "time_limit = 0: more than 0 s"),
    ],
)
def test_bad_input(spec, options, message):
    given = {"board": "icebreaker", **options}
    with pytest.raises(ValueError, match=message):
        fit(spec, given.pop("board"), **given)


def test_a_table_of_boards():
    """One that holds the tile, and one on which nothing fits."""
    given = {"frequency": 12.0, "baud_rate": 1_000_000, "record_clocks": 3, "record_bytes": 1}
    held = Fit(
        replace(SMALL, columns=9), "icebreaker", tried=(Tried(9, {"lut": 2640}, 26.5, ""),), **given
    )
    none = Fit(None, "tang-nano-9k", tried=(Tried(1, None, None, "too small"),), **given)
    counted = replace(held, board="arty-a7-35", tried=(Tried(9, {"lut": 10400}, None, ""),))
    said = fit_table([held, none, counted]).splitlines()
    assert "columns=9" in said[0]
    assert re.search(r"iCEBreaker +1x9x1 +2,640 +50% +12 +26.5 +108.0 +36.00 +0.900", said[2])
    assert re.search(r"Tang Nano 9K +none +too small", said[3])
    assert re.search(r"Arty A7-35T +1x9x1 +10,400 +50% +12 +- +108.0 ", said[4])
