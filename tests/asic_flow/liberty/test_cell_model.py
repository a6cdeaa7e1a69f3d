"""What counts where a cell leaves something to the library, and tables that cannot be read."""

import pytest

from multipede.asic_flow.liberty.cell_model import CellModel, Leakage, cell_model
from multipede.asic_flow.liberty.library import parse_liberty

HEADER = """
  time_unit : "1ps"; capacitive_load_unit (1, ff); voltage_unit : "1V"; leakage_power_unit : "1pW";
  lu_table_template (D) { variable_1 : input_net_transition; index_1 ("0, 10"); }
"""
TABLE = 'cell_rise (D) { values ("1, 2"); }'


def model(header: str = "", *, cell: str = "", output: str = "", table: str = TABLE) -> CellModel:
    """Of a buffer with one delay."""
    text = f"""library (one) {{ {HEADER} {header} cell (C) {{ area : 1; {cell}
      pin (A) {{ direction : input; max_transition : 1; }}
      pin (Y) {{ direction : output; function : "A"; {output}
        timing () {{ related_pin : "A"; timing_sense : positive_unate;
          {table} rise_transition (scalar) {{ values ("3"); }} }} }} }} }}"""
    return cell_model(parse_liberty(text, "one", "um2"), "C")


class TestDefaults:
    def test_of_leakage(self):
        assert model().leakages == ()
        assert model("default_cell_leakage_power : 40;").leakages == (Leakage("", 0.04),)

    @pytest.mark.parametrize(
        ("own", "expected"),
        [
            ("cell_leakage_power : 20;", Leakage("", 0.02)),
            ("cell_leakage_power : 0;", Leakage("", 0.0)),
            ('leakage_power () { when : "A"; value : 10; }', Leakage("A", 0.01)),
        ],
    )
    def test_own_leakage_goes_before(self, own, expected):
        assert model("default_cell_leakage_power : 40;", cell=own).leakages == (expected,)

    def test_of_the_largest_load(self):
        assert model().limits == {}
        assert model("default_max_capacitance : 5;").limits == {"Y": 5.0}

    def test_an_own_limit_goes_before(self):
        assert model("default_max_capacitance : 5;", output="max_capacitance : 7;").limits == {
            "Y": 7.0
        }


class TestTables:
    def test_over_a_template(self):
        assert model().arcs[0].delay.at(5.0, 0.0) == 1.5

    @pytest.mark.parametrize("template", ["scalar", ""])
    def test_constants(self, template):
        found = model(table=f'cell_rise ({template}) {{ values ("4"); }}')
        assert found.arcs[0].delay.at(5.0, 5.0) == 4.0

    @pytest.mark.parametrize("values", ["1", "1, 2"])
    def test_a_template_that_is_not_there(self, values):
        with pytest.raises(ValueError, match="cell C: cell_rise: the library has no template 'E'"):
            model(table=f'cell_rise (E) {{ values ("{values}"); }}')

    @pytest.mark.parametrize("template", ["scalar", ""])
    def test_constants_of_several_values(self, template):
        with pytest.raises(ValueError, match="cell_rise: it has 2 values for a constant"):
            model(table=f'cell_rise ({template}) {{ values ("4, 5"); }}')

    def test_values_that_do_not_fit(self):
        with pytest.raises(ValueError, match=r"cell_rise: it has 3 values for \[2\] places"):
            model(table='cell_rise (D) { values ("4, 5, 6"); }')
