"""Area, delay and energy beside each other at one clock, on small units."""

import json

import pytest

from multipede.asic_flow import Constraints, synthesize, unit_power
from multipede.asic_flow.n28 import n28_library
from multipede.cost_model.power_comparison import compare_power, compare_power_with_baselines
from multipede.golden.float_adder import FloatAdder
from multipede.golden.formats import INT4, INT6
from multipede.golden.integer_multiplier import IntegerMultiplier

CLOCK = Constraints(clock_period=0.8)
UNITS = {
    "four bits": IntegerMultiplier(a=INT4, b=INT4),
    "six bits": IntegerMultiplier(a=INT6, b=INT6),
}


@pytest.fixture(scope="module")
def compared():
    return compare_power(UNITS, constraints=CLOCK, records=200)


def test_figures_are_those_of_synthesis_and_power(compared):
    for (label, spec), row in zip(UNITS.items(), compared.rows, strict=True):
        mapped = synthesize(spec, liberty=n28_library(), constraints=CLOCK)
        found = unit_power(spec, liberty=n28_library(), constraints=CLOCK, records=200)
        assert (row.label, row.area, row.delay) == (label, mapped.total, mapped.delay)
        assert row.power == found.power.total
        assert row.energy == pytest.approx(0.8 * found.power.total)
        assert row.glitch_factor == found.glitch_factor
        assert {cost["quantity"] for cost in row.costs} >= {"area", "delay", "power"}


def test_ratios_are_to_the_first(compared):
    first, second = compared.rows
    assert compared.ratios(first) == {"area": 1.0, "energy": 1.0}
    assert compared.ratios(second)["area"] == second.area / first.area > 1.5


def test_as_text_and_json(compared):
    text = str(compared)
    assert "op: multiply; n28_tt_0p90v_25c.lib at 0.8 ns; ratio: to four bits" in text
    document = json.loads(json.dumps(compared.to_dict()))
    assert [row["label"] for row in document["rows"]] == list(UNITS)
    assert document["rows"][1]["ratios"] == compared.ratios(compared.rows[1])


def test_a_unit_that_cannot_hold_the_clock_is_a_row_with_its_error():
    hurried = Constraints(clock_period=0.2)
    found = compare_power(UNITS, constraints=hurried, records=10)
    (error,) = [row.error for row in found.rows if row.label == "six bits"]
    assert "cannot hold it, the fastest found takes 0." in error
    assert "six bits failed: clock_period = 0.2" in str(found)


def test_what_cannot_be_compared():
    with pytest.raises(ValueError, match="at least one unit"):
        compare_power({}, constraints=CLOCK)
    with pytest.raises(ValueError, match="a clock period is needed"):
        compare_power(UNITS, constraints=Constraints())
    with pytest.raises(ValueError, match="cannot be compared"):
        compare_power(UNITS | {"adder": FloatAdder()}, constraints=CLOCK)
    with pytest.raises(ValueError, match="target = 'ecp5': power needs energies"):
        compare_power(UNITS, "ecp5", constraints=CLOCK)
    for spec, name in [(UNITS["four bits"], UNITS["four bits"].unit), ("mixpe", "str")]:
        tiles = (
            "bit_serial_tile, compensated_lmul, exact_lmul_tile, lmul, lmul_tile,"
            " lut_tensor_core, mitchell, mixpe, multiplier_tile"
        )
        with pytest.raises(
            TypeError, match=rf"^there are no baselines for {name}, only for {tiles}$"
        ):
            compare_power_with_baselines(spec, constraints=CLOCK)
