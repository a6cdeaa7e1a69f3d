"""Float multiplier tiles: RTL equals golden in every style, and verification finds bugs."""

import pytest

from multipede.golden.float_multiplier_tile import FloatMultiplierTile
from multipede.golden.float_tile import SumOrder
from multipede.golden.formats import BF16, E3M2, E4M3, E5M2, FP16, UE4M3, Float
from multipede.hw import Style
from multipede.hw.arithmetic.product_tree import ProductTreePlan, rounded_product
from tests.hw.equality import check_equal, in_turn
from tests.hw.netlist import check_inventory
from tests.hw.planted import check_found, replaced, swapped

SEQUENTIAL, TREE = SumOrder.SEQUENTIAL, SumOrder.TREE
SMALL = {"rows": 2, "columns": 2, "lanes": 2}
ROW = {**SMALL, "rows": 1}
SPECS = [
    FloatMultiplierTile(**SMALL),
    FloatMultiplierTile(order=SEQUENTIAL, **ROW),
    FloatMultiplierTile(rows=1, columns=2, lanes=5, stages=4),
    FloatMultiplierTile(rows=2, columns=1, lanes=3, order=SEQUENTIAL, stages=3),
    FloatMultiplierTile(weight=E4M3, activation=E5M2, rows=1, columns=1, lanes=3, stages=7),
    FloatMultiplierTile(weight=E3M2, activation=E3M2, accumulator=FP16, order=SEQUENTIAL, **ROW),
]
MORE_SPECS = [
    FloatMultiplierTile(weight=BF16, activation=BF16, stages=2, **SMALL),
    FloatMultiplierTile(lanes=4, rows=2, columns=3, stages=3),
    FloatMultiplierTile(lanes=4, rows=2, columns=2, order=SEQUENTIAL, stages=2),
    FloatMultiplierTile(weight=BF16, activation=BF16, order=SEQUENTIAL, **SMALL),
    FloatMultiplierTile(weight=UE4M3, activation=BF16, stages=6, **SMALL),
    FloatMultiplierTile(
        weight=E4M3, accumulator=Float(6, 9), rows=1, columns=2, lanes=7, stages=16
    ),
    FloatMultiplierTile(accumulator=Float(8, 15, subnormals=False), order=SEQUENTIAL, **SMALL),
]


@in_turn(SPECS)
def test_rtl_equals_reference(spec, styles):
    check_equal(spec, styles, records=2000)


@pytest.mark.regress
@pytest.mark.parametrize("spec", [*SPECS, *MORE_SPECS], ids=str)
def test_rtl_equals_reference_at_length(spec):
    check_equal(spec, records=30_000)


@pytest.mark.few(8)
@pytest.mark.parametrize("style", list(Style))
@pytest.mark.parametrize("spec", [*SPECS[:2], *SPECS[3:5], MORE_SPECS[0], MORE_SPECS[5]], ids=str)
def test_inventory_equals_the_netlist(spec, style):
    check_inventory(spec, style)


@pytest.mark.parametrize("lanes", [1, 2, 3, 8, 9])
@pytest.mark.parametrize("ranks", [0, 1, 2, 3, 5, 11])
def test_all_ranks_of_a_tree_are_placed_and_the_last_holds_the_total(lanes, ranks):
    plan = ProductTreePlan(
        rounded_product, (FP16, FP16, FP16), FP16, FP16, lanes, Style.WORD, ranks
    )
    placed = [plan.product.ranks, *(level.ranks for level in plan.levels)]
    assert sum(placed) == ranks
    assert max(placed) - min(placed) <= 1
    assert placed[-1] == max(placed)
    assert sum(level.pairs for level in plan.levels) == lanes - 1


CHAIN = {"begin": "multiply_add_0_0_0 (", "end": "multiply_add_0_0_2 ("}
BUGS = {
    "an accumulator that does not start anew": (TREE, replaced(r"fresh \? \S+ : ", "1'b0 ? 0 : ")),
    "an accumulator that starts in every record": (TREE, replaced(r"fresh \? \S+ :", "1'b1 ? 0 :")),
    "another order in the tree": (
        TREE,
        swapped(("product_1", "product_2"), begin="add_0_0 (", end="add_1_0 ("),
    ),
    "lanes swapped in the chain": (
        SEQUENTIAL,
        swapped(("i_a_0_0", "i_a_0_1"), ("i_w_0_0", "i_w_0_1"), **CHAIN),
    ),
    "another column's weight": (SEQUENTIAL, swapped(("i_w_0_0", "i_w_1_0"), **CHAIN)),
}


@pytest.mark.few(2)
@pytest.mark.parametrize("bug", BUGS)
def test_planted_bugs_are_found(bug):
    order, plant = BUGS[bug]
    formats = {"weight": E3M2, "activation": E3M2, "accumulator": FP16}  # soon compiled
    check_found(FloatMultiplierTile(rows=1, columns=2, lanes=4, order=order, **formats), plant)
