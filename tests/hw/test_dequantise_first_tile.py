"""Tiles that dequantise first: RTL equals golden in every style, and verification finds bugs."""

import pytest

from multipede.golden.dequantise_first_tile import DequantiseFirstTile
from multipede.golden.float_tile import SumOrder
from multipede.golden.formats import BF16, E4M3, FP16, FP32, INT4, UINT8, Integer
from multipede.hw import Style
from tests.hw.equality import check_equal, in_turn
from tests.hw.netlist import check_inventory
from tests.hw.planted import check_found, replaced, swapped

SEQUENTIAL = SumOrder.SEQUENTIAL
SMALL = {"rows": 2, "columns": 2, "lanes": 2, "group": 8}
SPECS = [
    DequantiseFirstTile(**SMALL),
    DequantiseFirstTile(order=SEQUENTIAL, weight=INT4, zero_point=False, stages=3, **SMALL),
    DequantiseFirstTile(weight=UINT8, scale=FP32, rows=1, columns=2, lanes=3, group=3, stages=4),
    DequantiseFirstTile(weight=Integer(1), dequantised=E4M3, activation=E4M3, stages=2, **SMALL),
]
MORE_SPECS = [
    DequantiseFirstTile(weight=INT4, scale=BF16, dequantised=BF16, activation=BF16, **SMALL),
    DequantiseFirstTile(rows=2, columns=3, lanes=4, group=16, stages=3),
    DequantiseFirstTile(order=SEQUENTIAL, scale=BF16, stages=2, **SMALL),
    DequantiseFirstTile(weight=Integer(8), scale=FP32, accumulator=FP16, stages=6, **SMALL),
]


@in_turn(SPECS)
def test_rtl_equals_reference(spec, styles):
    check_equal(spec, styles, records=2000)


@pytest.mark.regress
@pytest.mark.parametrize("spec", [*SPECS, *MORE_SPECS], ids=str)
def test_rtl_equals_reference_at_length(spec):
    check_equal(spec, records=30_000)


@pytest.mark.parametrize("style", list(Style))
@pytest.mark.parametrize("spec", [*SPECS[:2], SPECS[2]], ids=str)
def test_inventory_equals_the_netlist(spec, style):
    check_inventory(spec, style)


BUGS = {
    "a scale of another column": swapped(
        ("i_scale_0", "i_scale_1"), begin="dequantise_0_0 (", end="dequantise_0_1 ("
    ),
    "a zero point of another column": swapped(
        ("i_z_0", "i_z_1"), begin="dequantise_1_1 (", end=");"
    ),
    "an accumulator that does not start anew": replaced(r"fresh \? \S+ : ", "1'b0 ? 0 : "),
    "a result that comes with every record": replaced(r"(assign _\w+_ = i_valid) & i_last", r"\1"),
}


@pytest.mark.few(2)
@pytest.mark.parametrize("bug", BUGS)
def test_planted_bugs_are_found(bug):
    formats = {"dequantised": E4M3, "activation": E4M3, "accumulator": FP16}  # soon compiled
    check_found(DequantiseFirstTile(rows=1, columns=2, lanes=2, group=4, **formats), BUGS[bug])
