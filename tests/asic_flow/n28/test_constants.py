"""The constants: each has a source, and those that follow from others do so."""

import math
from collections.abc import Mapping
from dataclasses import replace

import pytest

from multipede.asic_flow.n28.cells import cell_table
from multipede.asic_flow.n28.constants import (
    Constant,
    ConstantKind,
    constants,
    read_constants,
)
from multipede.asic_flow.n28.corner import Corner
from multipede.asic_flow.n28.model import CornerModel

NANGATE45_FO4 = 22.0
NANGATE45_INVERTER = 1.625  # fF, mean of both edges
NANGATE45_REGISTER_CLOCK = 7.25  # fJ for each cycle, 1.1 V


def low_power_20nm(voltage: float) -> float:
    """Stillmaker & Baas 2017, delay factor of 20 nm low power."""
    return -160.5 * voltage**3 + 514.1 * voltage**2 - 558.6 * voltage + 217.5


def derived(known: Mapping[str, Constant]) -> dict[str, float]:
    """Constants by the arithmetic that their sources state."""
    cells = cell_table()
    slow = known["ss_0p90v_m40c.fo4"].number
    inverter = CornerModel(Corner.TT_0P90V_25C, constants=known).inverter_capacitance
    register = NANGATE45_REGISTER_CLOCK * inverter / NANGATE45_INVERTER * (0.9 / 1.1) ** 2
    leakage = known["tt_0p90v_25c.leakage"].number
    own_slow = known["ss_0p90v_m40c.register_clock_energy"].number
    return {
        "site_width": 0.126 / known["row_height"].number,
        "largest_transition": 198.535 / NANGATE45_FO4,
        "largest_load": 60.73 / 1.70023,
        "enable_setup": cells["MUX2_X1"].parasitics["A", "Y"]
        - cells["BUF_X1"].parasitics["A", "Y"],
        "clear_setup": cells["NAND2_X1"].parasitics["A2", "Y"]
        - cells["INV_X1"].parasitics["A", "Y"],
        "wire_shrink": math.sqrt(0.126 / 0.266),
        "tt_0p90v_25c.fo4": 0.65 * NANGATE45_FO4,
        "ss_0p90v_m40c.fo4": 0.9 * NANGATE45_FO4,
        "ss_0p81v_125c.fo4": slow * low_power_20nm(0.81) / low_power_20nm(0.9),
        "ff_0p99v_0c.fo4": 0.5 * NANGATE45_FO4,
        "tt_0p90v_25c.register_clock_energy": register,
        "ss_0p81v_125c.register_clock_energy": own_slow * (0.81 / 0.9) ** 2,
        "ss_0p90v_m40c.leakage": leakage / 4 / 10,
        "ss_0p81v_125c.leakage": leakage / 4 * 30 * 0.8,
        "ff_0p99v_0c.leakage": leakage * 4 * 0.4 * 1.25,
    }


def wrong(known: Mapping[str, Constant]) -> list[str]:
    """Constants that are not, to 2 %, what follows from the others."""
    return [
        name
        for name, value in derived(known).items()
        if not math.isclose(known[name].number, value, rel_tol=0.02)
    ]


class TestSources:
    def test_every_constant_has_unit_source_and_kind(self):
        for name, constant in constants().items():
            assert constant.unit, name
            assert len(constant.source) > 10, name
            assert isinstance(constant.kind, ConstantKind), name

    def test_every_corner_has_its_own(self):
        for corner in Corner:
            for name in ("fo4", "register_clock_energy", "leakage"):
                assert constants()[f"{corner.key}.{name}"].number > 0

    def test_leakage_is_said_to_have_no_source(self):
        leakages = [constants()[f"{corner.key}.leakage"] for corner in Corner]
        assert {one.kind for one in leakages} == {ConstantKind.ASSUMED}
        assert all(one.source.startswith("NO SOURCE") for one in leakages)


class TestDerivation:
    def test_what_follows_from_others_does(self):
        assert wrong(constants()) == []

    def test_all_that_are_called_derived_are_derived_here(self):
        called = {n for n, c in constants().items() if c.kind is ConstantKind.DERIVED}
        assert called <= set(derived(constants()))

    @pytest.mark.parametrize("name", sorted(derived(constants())))
    def test_a_wrong_one_is_found(self, name):
        planted = dict(constants())
        planted[name] = replace(planted[name], value=planted[name].number * 1.05)
        assert name in wrong(planted)


class TestBadTables:
    GOOD = 'unit = "ps"\nkind = "fitted"\nsource = "a book"\n'

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("x = 1", r"constant x: a table with a value"),
            (f"[x]\nvalue = 'a'\n{GOOD}", r"constant x: value = 'a': a number"),
            (f"[x]\nvalue = []\n{GOOD}", r"constant x: value = \[\]: a number"),
            (f"[x]\nvalue = true\n{GOOD}", r"constant x: value = True: a number"),
            (f"[x]\nvalue = 1\n{GOOD.replace('ps', '')}", r"constant x: unit = '': a text"),
            ('[x]\nvalue = 1\nunit = "ps"\nkind = "fitted"', r"constant x: source = None"),
            (f"[x]\nvalue = 1\n{GOOD.replace('fitted', 'felt')}", r"kind = 'felt': one of publ"),
            ("[x", r"constants: "),
        ],
    )
    def test_one_line_says_what_is_wrong(self, text, message):
        with pytest.raises(ValueError, match=message):
            read_constants(text)

    def test_one_number_is_not_several(self):
        found = read_constants(f"[a.x]\nvalue = [1, 2]\n{self.GOOD}")
        assert found["a.x"].numbers == (1.0, 2.0)
        with pytest.raises(ValueError, match="one number is needed"):
            _ = found["a.x"].number
