"""The lower level of dequantisation: RTL equals golden, and verification finds bugs."""

import pytest

from multipede.golden.formats import INT8, FixedPoint, Integer
from multipede.golden.second_level_dequantiser import SecondLevelDequantiser
from multipede.hw import Style
from tests.hw.equality import check_equal, in_turn
from tests.hw.netlist import check_inventory
from tests.hw.planted import check_found, replaced

SPECS = [
    SecondLevelDequantiser(),
    SecondLevelDequantiser(d=FixedPoint(52, 24), scale=Integer(8, signed=False), stages=3),
    SecondLevelDequantiser(d=Integer(6), scale=Integer(3), sum=9, stages=0),
    SecondLevelDequantiser(d=Integer(5, signed=False), scale=INT8, sum=63, stages=2),
]


@in_turn(SPECS)
def test_rtl_equals_reference(spec, styles):
    check_equal(spec, styles, records=10_000)


@pytest.mark.regress
@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_rtl_equals_reference_at_length(spec):
    check_equal(spec, records=1_000_000)


@pytest.mark.parametrize("style", list(Style))
@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_inventory_equals_the_netlist(spec, style):
    check_inventory(spec, style)


def test_a_scale_taken_as_unsigned_is_found():
    """The row of the sign bit is subtracted; the bug adds it."""
    spec = SecondLevelDequantiser(d=Integer(6), scale=Integer(3), stages=0)
    check_found(spec, replaced(r"(\$signed\(x\)) - ", r"\1 + "))
