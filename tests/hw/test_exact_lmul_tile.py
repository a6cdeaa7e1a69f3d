"""L-Mul tiles with exact sums: RTL equals golden in every style, and verification finds bugs."""

import pytest

from multipede.golden.exact_lmul_tile import ExactLMulTile
from multipede.golden.formats import (
    BF16,
    E2M1,
    E3M2,
    E4M3,
    E5M2,
    FP16,
    TF32,
    UE4M3,
    Float,
    Specials,
)
from multipede.golden.logarithmic_factors import Correction
from multipede.golden.logarithmic_policies import Preset
from multipede.hw import Style
from tests.hw.equality import check_equal, in_turn
from tests.hw.netlist import check_inventory
from tests.hw.planted import check_found, replaced, swapped

BARE = Float(2, 3, specials=Specials.FINITE, subnormals=False)
ROW = {"rows": 1, "columns": 2, "lanes": 2}
SPECS = [
    ExactLMulTile(**ROW),
    ExactLMulTile(weight=BF16, activation=BF16, **ROW),
    ExactLMulTile(weight=E2M1, activation=E2M1, stages=4, rows=2, columns=1, lanes=5),
    ExactLMulTile(weight=E3M2, activation=E3M2, product=Float(4, 2), terms=1, stages=2, **ROW),
    ExactLMulTile(
        weight=E5M2, activation=E5M2, product=E5M2, preset=Preset.AXCORE, stages=3, **ROW
    ),
]
MORE_SPECS = [
    # Verilator took the bit that completes a negative addend for a signed one here.
    ExactLMulTile(
        weight=BARE,
        activation=BARE,
        product=BARE,
        preset=Preset.AXCORE,
        terms=4,
        rows=1,
        columns=1,
        lanes=1,
    ),
    ExactLMulTile(weight=FP16, activation=FP16, correction=Correction.TABLE, stages=6, **ROW),
    ExactLMulTile(weight=E3M2, activation=E4M3, product=TF32, stages=2, **ROW),
    ExactLMulTile(weight=UE4M3, activation=UE4M3, preset=Preset.UCSD_2025, terms=4, **ROW),
    ExactLMulTile(weight=E2M1, activation=BF16, correction=Correction.NONE, stages=5, **ROW),
    ExactLMulTile(weight=BF16, preset=Preset.UCSD_2025_PIPELINED, terms=2, **ROW),
    ExactLMulTile(weight=E4M3, activation=E5M2, preset=Preset.UCSD_2026, stages=7, **ROW),
]


@in_turn([*MORE_SPECS[:1], *SPECS, *MORE_SPECS[1:]])
def test_rtl_equals_reference(spec, styles):
    check_equal(spec, styles, records=2000)


@pytest.mark.regress
@pytest.mark.parametrize("spec", [*SPECS, *MORE_SPECS], ids=str)
def test_rtl_equals_reference_at_length(spec):
    check_equal(spec, records=30_000)


@pytest.mark.parametrize("style", list(Style))
@pytest.mark.parametrize("spec", [*SPECS, MORE_SPECS[1]], ids=str)
def test_inventory_equals_the_netlist(spec, style):
    check_inventory(spec, style)


BUGS = {
    "an accumulator that does not start anew": replaced(r"fresh \? \S+ : ", "1'b0 ? 0 : "),
    "another lane's weight": swapped(
        ("converted_weight_0_0", "converted_weight_0_1"), begin="product_0_0_0 (", end=");"
    ),
    "a product that overflows": replaced(r"assign beyond = .*;", "assign beyond = 1'h0;"),
    "operands of zero are added": replaced(r"assign both_count = .*;", "assign both_count = 1'h1;"),
    "infinities that nobody tells of": replaced(r"assign special = .*;", "assign special = 1'h0;"),
}


@pytest.mark.few(2)
@pytest.mark.parametrize("bug", BUGS)
def test_planted_bugs_are_found(bug):
    spec = ExactLMulTile(weight=E3M2, activation=E3M2, product=Float(4, 2), terms=16, **ROW)
    check_found(spec, BUGS[bug])
