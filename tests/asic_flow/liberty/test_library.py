"""Liberty files: what is read from them, and what is said of bad ones."""

import gzip
from fractions import Fraction

import pytest

from multipede.asic_flow.liberty.cell_behaviour import cell_behaviour
from multipede.asic_flow.liberty.cell_model import cell_model
from multipede.asic_flow.liberty.library import Direction, parse_liberty, read_liberty
from multipede.asic_flow.mapping.adder_cells import AdderMapping, adder_cells, replacements

SMALL = """
/* a comment with a { brace */
library (small) {
  cell (INV) { area : 1.5; pin (A) { direction : input; capacitance : 2.5; }
    pin (Y) { direction : output; function : "!A"; } }
  cell (BUF) { area : 2; pin (A) { direction : input; }
    pin (Y) { direction : output; function : "A"; } }
  cell ("NAND") { area : 2; pin ("A") { direction : "input"; } pin (B) { direction : input; }
    pin (Y) { direction : output; function : "(A B)'"; } }
  cell (NAND_CHEAP) { area : 1; dont_use : true; pin (A) { direction : input; }
    pin (B) { direction : input; } pin (Y) { direction : output; function : "!(A&B)"; } }
}
"""


@pytest.fixture
def write(tmp_path):
    def write(content, name="cells.lib"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


class TestReading:
    def test_areas_pins_and_functions(self, write):
        library = read_liberty(write(SMALL))
        assert list(library.cells) == ["INV", "BUF", "NAND", "NAND_CHEAP"]
        assert library.cells["INV"].area == Fraction(3, 2)
        assert library.cells["INV"].pins["A"].capacitance == 2.5
        assert library.cells["NAND"].functions == {"Y": 0b0111}
        assert library.unit == "um2"
        assert not library.timed

    def test_compressed(self, write):
        path = write(gzip.compress(SMALL.encode()), "cells.lib.gz")
        assert read_liberty(path).cells == read_liberty(write(SMALL)).cells

    def test_cells_that_must_not_be_used_are_not(self, write):
        assert read_liberty(write(SMALL)).smallest(2, 0b0111).name == "NAND"

    @pytest.mark.parametrize("written", ["true", '"true"', "TRUE", '"True"'])
    def test_so_is_it_written(self, write, written):
        text = SMALL.replace("dont_use : true", f"dont_use : {written}")
        assert read_liberty(write(text)).cells["NAND_CHEAP"].dont_use

    def test_of_other_words_they_may_be(self, write):
        text = SMALL.replace("dont_use : true", 'dont_use : "false"')
        assert not read_liberty(write(text)).cells["NAND_CHEAP"].dont_use


def cell_of(text):
    return parse_liberty(f"library (one) {{ {text} }}", "one", "um2").cells["C"]


def gate(more, function="A B"):
    return f"""cell (C) {{ area : 1; {more}
      pin (Y) {{ direction : output; function : "{function}"; }} }}"""


class TestOneCell:
    def test_pins_that_stand_together(self):
        cell = cell_of(gate("pin (A, B) { direction : input; capacitance : 2; }"))
        assert cell.inputs == ["A", "B"]
        assert [cell.pins[pin].capacitance for pin in "AB"] == [2.0, 2.0]
        assert cell.functions == {"Y": 0b1000}

    def test_numbers_between_quotation_marks(self):
        text = gate('pin (A) { direction : input; capacitance : "2.5"; }', "A")
        cell = cell_of(text.replace("area : 1", 'area : "0.3"'))
        assert cell.area == Fraction(3, 10)
        assert cell.pins["A"].capacitance == 2.5

    def test_numbers_of_inner_groups_are_not_the_cells(self):
        power = 'leakage_power () { value : 1; area : 3; dont_use : true; when : "A"; }'
        cell = cell_of(gate(power + " pin (A) { area : 7; dont_use : true; }", "A"))
        assert cell.area == 1
        assert not cell.dont_use

    def test_internal_pins_are_neither_inputs_nor_outputs(self):
        cell = cell_of(gate('pin (A) { direction : input; } pin (I) { direction : "internal"; }'))
        assert (cell.inputs, cell.outputs) == (["A"], ["Y"])
        assert cell.pins["I"].direction is Direction.INTERNAL

    def test_pins_of_both_directions_are_loads(self):
        cell = cell_of(gate("pin (A) { direction : inout; capacitance : 1; }", "A"))
        assert (cell.inputs, cell.outputs) == (["A"], ["Y"])

    def test_of_test_cells_nothing_is_taken(self):
        cell = cell_of(
            gate(
                """pin (A) { direction : input; capacitance : 2; }
                test_cell () { ff (IQ, IQN) { next_state : "A"; clocked_on : "CK"; }
                  pin (A, CK) { direction : input; }
                  pin (Y) { direction : output; function : "IQ"; } }""",
                "!A",
            )
        )
        assert list(cell.pins) == ["A", "Y"]
        assert cell.pins["A"].capacitance == 2
        assert cell.functions == {"Y": 0b01}
        assert not cell.sequential

    @pytest.mark.parametrize("kind", ["bus", "bundle"])
    def test_with_buses_it_is_read_and_not_used(self, kind):
        bus = f"{kind} (D) {{ direction : input; pin (D[0]) {{ capacitance : 1; }} }}"
        library = parse_liberty(
            f"library (one) {{ {gate(bus + ' pin (A) { direction : input; }', '!A')} }}",
            "one",
            "um2",
        )
        assert library.cells["C"].inputs == ["A"]
        assert library.cells["C"].dont_use
        assert library.smallest(1, 0b01) is None
        for read in (cell_model, cell_behaviour):
            with pytest.raises(ValueError, match=rf"cell C: it has a {kind}: "):
                read(library, "C")

    @pytest.mark.parametrize(
        ("broken", "message"),
        [
            (("area : 1", "area : small"), "area = 'small' in cell .* a number is needed"),
            (("area : 1", "area : inf"), "area = 'inf': a number is needed"),
            (("direction : output", "direction : up"), "pin Y: direction = 'up': input, output"),
            (("area : 1;", "area : 1;\ntiming () {\n}\n:"), "line 4: ':' where a name is needed"),
        ],
    )
    def test_what_is_broken(self, broken, message):
        with pytest.raises(ValueError, match=f"Liberty file one: cell C: {message}"):
            cell_of(gate("pin (A) { direction : input; }").replace(*broken))


class TestBadFiles:
    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "does not begin with a library"),
            (b"hello", "does not begin with a library"),
            (SMALL[: len(SMALL) // 2], "ends inside the library"),
            (gzip.compress(SMALL.encode(), mtime=0)[:60], "it is broken, or no Liberty file"),
            (b"\xff\xfe\x00\x01", "it is broken, or no Liberty file"),
            ("library (x) { }", "it has no cells"),
            ("library (x) { cell (A) { } }", "cell A: it has no area"),
            (SMALL.replace('"!A"', '"A"'), "it has no inverter"),
            (SMALL.replace('"A"; }', '"!A"; }'), "it has no buffer"),
            (SMALL.replace("(A B)'", "A B"), "it has no NAND or NOR gate"),
        ],
    )
    def test_one_line_says_what_is_wrong(self, write, content, message):
        path = write(content)
        with pytest.raises(ValueError, match=message) as raised:
            read_liberty(path)
        assert path.name in str(raised.value)
        assert "\n" not in str(raised.value)

    def test_missing(self, tmp_path):
        with pytest.raises(ValueError, match=r"none\.lib: there is no such file"):
            read_liberty(tmp_path / "none.lib")

    def test_a_directory(self, tmp_path):
        with pytest.raises(ValueError, match="directory"):
            read_liberty(tmp_path)


class TestVoltage:
    CONDITIONS = "operating_conditions (slow) { voltage : 0.8; } operating_conditions (bare) { }"

    @pytest.mark.parametrize(
        ("header", "expected"),
        [
            ("nom_voltage : 0.9;", 0.9),
            ("nom_voltage : 0.9; default_operating_conditions : slow;", 0.8),
            ('default_operating_conditions : "slow";', 0.8),
            ("nom_voltage : 0.9; default_operating_conditions : bare;", 0.9),
            ("nom_voltage : 0.9; default_operating_conditions : missing;", 0.9),
            ('voltage_unit : "100mV"; default_operating_conditions : slow;', 0.08),
        ],
    )
    def test_the_default_conditions_go_before_the_nominal_one(self, header, expected):
        text = SMALL.strip().removesuffix("}") + f"{self.CONDITIONS} {header} }}"
        assert parse_liberty(text, "small", "um2").voltage == pytest.approx(expected)

    def test_without_any(self):
        with pytest.raises(ValueError, match="Liberty file small: it has no nom_voltage"):
            _ = parse_liberty(SMALL, "small", "um2").voltage


ADDER = """
library (adders) {
  cell (FA) { area : 5; pin (A) { direction : input; capacitance : 3; }
    pin (B) { direction : input; capacitance : 2; } pin (C) { direction : input; capacitance : 1; }
    pin (CON) { direction : output; function : "!(A B + A C + B C)"; }
    pin (SN) { direction : output; function : "!(A^B^C)"; } }
}
"""


class TestAdderCells:
    def test_inverted_outputs_are_recognised(self):
        full = adder_cells(parse_liberty(ADDER, "adders", "um2")).full
        assert (full.sum, full.carry) == ("SN", "CON")
        assert full.sum_inverted
        assert full.carry_inverted

    def test_the_late_input_goes_to_the_lightest_pin(self):
        cells = adder_cells(parse_liberty(ADDER, "adders", "um2"))
        assert ".A(x[i]), .B(y[i]), .C(z[i])" in replacements(cells, AdderMapping.PLAIN)

    def test_without_half_adders_there_are_two_ways(self):
        cells = adder_cells(parse_liberty(ADDER, "adders", "um2"))
        assert cells.mappings == [AdderMapping.PLAIN, AdderMapping.INVERTED]

    def test_without_adders_there_is_none(self):
        assert adder_cells(parse_liberty(SMALL.strip(), "small", "um2")).mappings == []

    @pytest.mark.parametrize(
        ("name", "full"),
        [
            ("nangate45_typ.lib.gz", "FA_X1"),
            ("sky130hd_tt.lib.gz", "sky130_fd_sc_hd__fa_1"),
            ("sg13g2_typ_1p20V_25C.lib.gz", None),
        ],
    )
    def test_of_open_libraries(self, liberty_file, name, full):
        found = adder_cells(read_liberty(liberty_file(name))).full
        assert (found.cell.name if found else None) == full
