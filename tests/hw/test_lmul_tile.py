"""L-Mul tiles: RTL equals golden in every style, and verification finds bugs."""

import pytest

from multipede.golden.float_tile import SumOrder
from multipede.golden.formats import BF16, E2M1, E3M2, E4M3, E5M2, FP16, TF32, Float
from multipede.golden.lmul_tile import LMulTile
from multipede.golden.logarithmic_factors import Correction
from multipede.golden.logarithmic_policies import Preset
from multipede.hw import Style
from tests.hw.equality import check_equal, in_turn
from tests.hw.netlist import check_inventory
from tests.hw.planted import check_found, replaced, swapped

SEQUENTIAL, TREE = SumOrder.SEQUENTIAL, SumOrder.TREE
ROW = {"rows": 1, "columns": 2, "lanes": 2}
SPECS = [
    LMulTile(**ROW),
    LMulTile(weight=E2M1, order=SEQUENTIAL, stages=3, rows=2, columns=1, lanes=3),
    LMulTile(weight=E4M3, activation=E5M2, correction=Correction.TABLE, **ROW | {"lanes": 3}),
    LMulTile(weight=E4M3, activation=E5M2, accumulator=BF16, **ROW),
    LMulTile(accumulator=Float(6, 9), preset=Preset.AXCORE, stages=4, **ROW),
]
MORE_SPECS = [
    LMulTile(weight=FP16, activation=FP16, stages=2, **ROW),
    LMulTile(weight=E3M2, activation=E4M3, product=TF32, order=SEQUENTIAL, stages=2, **ROW),
    LMulTile(rows=2, columns=2, lanes=5, stages=7),
    LMulTile(accumulator=BF16, correction=Correction.NONE, order=SEQUENTIAL, **ROW),
    LMulTile(weight=E2M1, activation=E2M1, rows=2, columns=3, lanes=4, stages=3),
]


@in_turn(SPECS)
def test_rtl_equals_reference(spec, styles):
    check_equal(spec, styles, records=2000)


@pytest.mark.regress
@pytest.mark.parametrize("spec", [*SPECS, *MORE_SPECS], ids=str)
def test_rtl_equals_reference_at_length(spec):
    check_equal(spec, records=30_000)


@pytest.mark.few(10)
@pytest.mark.parametrize("style", list(Style))
@pytest.mark.parametrize("spec", [*SPECS, MORE_SPECS[1], MORE_SPECS[2]], ids=str)
def test_inventory_equals_the_netlist(spec, style):
    check_inventory(spec, style)


BUGS = {
    "an accumulator that does not start anew": replaced(r"fresh \? \S+ : ", "1'b0 ? 0 : "),
    "another lane's weight": swapped(
        ("converted_weight_0_0", "converted_weight_0_1"),
        begin="product_tree_0_0 (",
        end=");",
    ),
    "a product that overflows": replaced(r"assign beyond = .*;", "assign beyond = 1'h0;"),
    "operands of zero are added": replaced(r"assign both_count = .*;", "assign both_count = 1'h1;"),
}


@pytest.mark.few(2)
@pytest.mark.parametrize("bug", BUGS)
def test_planted_bugs_are_found(bug):
    spec = LMulTile(weight=E3M2, activation=E3M2, product=Float(4, 2), accumulator=FP16, **ROW)
    check_found(spec, BUGS[bug])
