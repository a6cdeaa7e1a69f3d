"""Units of Liberty files, which differ from library to library."""

import pytest

from multipede.asic_flow.liberty.library import parse_liberty, read_liberty
from multipede.asic_flow.liberty.syntax import parse_group
from multipede.asic_flow.liberty.units import units_of


def units(text: str):
    return units_of(parse_group(f"library (l) {{ {text} }}"))


def test_every_unit_is_read():
    found = units(
        'time_unit : "10ps"; voltage_unit : "100mV"; leakage_power_unit : "1pW";'
        " capacitive_load_unit (2, pf);"
    )
    assert (found.time, found.load, found.voltage, found.leakage) == (10, 2000, 0.1, 0.001)
    assert found.energy == pytest.approx(20)


def test_the_defaults_are_libertys():
    found = units("")
    assert (found.time, found.load, found.voltage, found.leakage) == (1000, 1000, 1, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('time_unit : "fast";', "time_unit = 'fast': a number and a unit such as 1ps"),
        ('time_unit : "1pf";', "time_unit = '1pf'"),
        ("capacitive_load_unit (one, ff);", "capacitive_load_unit = 'oneff'"),
        ('leakage_power_unit : "1..2nW";', "leakage_power_unit = '1..2nW'"),
    ],
)
def test_others_are_refused(text, message):
    with pytest.raises(ValueError, match=message):
        units(text)
    library = parse_liberty(f"library (l) {{ {text} cell (A) {{ area : 1; }} }}", "odd.lib", "um2")
    with pytest.raises(ValueError, match=f"Liberty file odd.lib: {message}"):
        _ = library.units


@pytest.mark.parametrize(
    ("name", "expected", "voltage"),
    [
        ("nangate45_typ.lib.gz", (1000, 1, 1, 1), 1.1),
        ("sg13g2_typ_1p20V_25C.lib.gz", (1000, 1000, 1, 0.001), 1.2),
    ],
)
def test_open_libraries(liberty_file, name, expected, voltage):
    library = read_liberty(liberty_file(name))
    found = library.units
    assert (found.time, found.load, found.voltage, found.leakage) == expected
    assert library.voltage == voltage
