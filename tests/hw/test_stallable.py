"""Units with ready on both sides: RTL equals golden under stalls, and bugs of flow are found."""

import pytest

from multipede.golden.float_adder import FloatAdder
from multipede.golden.formats import E4M3, FP16
from multipede.golden.fused_multiply_add import FusedMultiplyAdd
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.golden.integer_tile import TileOutput
from multipede.golden.mixpe import MixPE
from multipede.golden.stallable import Stallable
from multipede.hw import Style
from multipede.sim.verify import verify
from tests.hw.equality import check_equal, in_turn
from tests.hw.netlist import check_inventory
from tests.hw.planted import check_found, replaced

DEQUANTISED = {"output": TileOutput.DEQUANTISED, "rows": 2, "columns": 2}
ROW = {**DEQUANTISED, "rows": 1}
INSIDE = [
    MixPE(rows=1, columns=2, lanes=2, group=8),
    MixPE(rows=1, columns=2, lanes=2, group=8, stages=4),
    IntegerMultiplier(stages=0),
    FloatAdder(a=E4M3, b=E4M3, result=E4M3, stages=1),
    FusedMultiplyAdd(stages=7),
    MixPE(lanes=2, group=16, **DEQUANTISED),
    MixPE(lanes=2, group=4, activation=FP16, dequantiser_stages=3, **ROW),
]
SPECS = [Stallable(inside=spec) for spec in INSIDE]


@in_turn(SPECS)
def test_rtl_equals_reference(spec, styles):
    check_equal(spec, styles, records=4000)


@pytest.mark.regress
@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_rtl_equals_reference_at_length(spec):
    check_equal(spec, records=200_000)


def test_stalls_are_among_the_stimuli():
    report = verify(SPECS[0], styles=[Style.WORD], records=1000)
    tried = {check.stimulus: check for check in report.checks}
    for name in ("random with stalls", "random with gaps, stalls"):
        assert tried[name].results >= 40


@pytest.mark.parametrize("spec", [SPECS[1], SPECS[2]], ids=str)
def test_inventory_equals_the_netlist(spec):
    check_inventory(spec, Style.CELLS)


BUGS = {
    "a record is taken where there is no room": replaced(
        r"assign i_ready = .*;", "assign i_ready = 1'b1;"
    ),
    "one place too few for a full pace": replaced(r"used != 2'h2", "used != 2'h1"),
    "room that is never given back": replaced(r"assign given = .*;", "assign given = 1'b0;"),
    "a record without a result keeps its room": replaced(
        r"assign gives_nothing = .*;", "assign gives_nothing = 1'b0;"
    ),
    "a result is given twice": replaced(r"\.r_en\(o__ready\)", ".r_en(1'b0)"),
    "a result is thrown away while it waits": replaced(r"\.r_en\(o__ready\)", ".r_en(1'b1)"),
    "a later result goes first": replaced(
        r"r_rdy \? r_data : w_data", "i__valid ? w_data : r_data"
    ),
    "valid waits for ready": replaced(
        r"assign o__valid = (.*);", r"assign o__valid = (\1) & o__ready;"
    ),
}


@pytest.mark.few(4)
@pytest.mark.parametrize("bug", BUGS)
def test_planted_bugs_are_found(bug):
    check_found(Stallable(inside=MixPE(rows=1, columns=1, lanes=2, group=4)), BUGS[bug])
