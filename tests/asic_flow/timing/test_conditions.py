"""A library's yardsticks, by hand in the library of linear delays."""

import pytest

from multipede.asic_flow.liberty.gate_table import gate_library
from multipede.asic_flow.liberty.library import parse_liberty, read_liberty
from multipede.asic_flow.liberty.wire_load import NO_WIRES
from multipede.asic_flow.timing.conditions import Conditions, fanout_of_four, usual_conditions
from tests.asic_flow.timing.test_static_timing import LIBRARY


@pytest.fixture(scope="module")
def library():
    return parse_liberty(LIBRARY, "linear", "um2")


def test_an_inverter_that_drives_four(library):
    """Four pins are 6 units when they rise and 4 when they fall: slews 1 + 6 and 2 + 4. It rises
    after 3 + 6 / 4 + 2 * 6 and falls after 5 + 7 / 4 + 4; units are 10 ps and 2 fF."""
    found = fanout_of_four(library)
    assert found.inverter == "INV"
    assert found.delay == pytest.approx(10 * (16.5 + 10.75) / 2)
    assert found.slew == pytest.approx(10 * (7 + 6) / 2)
    assert found.load == pytest.approx(2 * (6 + 4) / 2)


def test_the_yardstick_of_sky130_is_no_clock_inverter(liberty_file):
    """80.3 ps were measured with inv_1; clkinv_1 is as small, and slower."""
    found = fanout_of_four(read_liberty(liberty_file("sky130hd_tt.lib.gz")))
    assert found.inverter == "sky130_fd_sc_hd__inv_1"
    assert found.delay == pytest.approx(80.3, rel=0.02)


def test_a_library_gives_its_own_surroundings(library):
    found = usual_conditions(library)
    yardstick = fanout_of_four(library)
    assert (found.driver, found.wires.name) == ("BUF", "small")
    assert found.input_slew == found.clock_slew == yardstick.slew
    assert found.output_load == yardstick.load
    other = usual_conditions(library, driver="INV", output_load=3.0, wires="none")
    assert (other.driver, other.output_load, other.wires) == ("INV", 3.0, NO_WIRES)
    assert other.to_dict()["wires"] == "none"
    assert "inputs behind INV" in str(other)
    assert "without a driver" in str(Conditions())


def test_what_is_no_driver_or_has_no_delays(library):
    for driver in ("NAND", "none"):
        with pytest.raises(ValueError, match=f"driver = '{driver}': a buffer or inverter of lin"):
            usual_conditions(library, driver=driver)
    with pytest.raises(ValueError, match="has no delays for INV"):
        fanout_of_four(gate_library())
