"""Which cells may stand for each other."""

import pytest

from multipede.asic_flow.liberty.cell_family import Families
from multipede.asic_flow.liberty.library import parse_liberty
from multipede.asic_flow.n28 import n28_library
from tests.asic_flow.timing.test_static_timing import HEADER, LIBRARY, SETUP


def test_drives_of_one_function_the_smallest_first():
    families = Families(n28_library(), sizes=True)
    family = families.of("NAND2_X2")
    assert family.cells == ("NAND2_X1", "NAND2_X2", "NAND2_X4")
    assert (family.areas[1:] > family.areas[:-1]).all()
    assert families.of("NAND2_X1") is family
    assert families.of("NOR2_X1") is not family
    assert Families(n28_library(), sizes=False).of("NAND2_X2").cells == ("NAND2_X2",)


def test_registers_stay_among_their_kind():
    families = Families(n28_library(), sizes=True)
    plain, enabled = families.of("DFF_X1"), families.of("DFFE_X1")
    assert set(plain.cells).isdisjoint(enabled.cells)
    assert plain.clock == "CK"
    assert len(plain.setup_pins) == 2  # D, both edges


def inverter(name: str, area: float, slope: int, more: str = "") -> str:
    """Of a delay that grows with the load as steeply as ``slope`` says."""
    tables = " ".join(
        f'{kind} (D) {{ values ("{base}, {base + 10 * slope}", "{base}, {base + 10 * slope}"); }}'
        for kind, base in (
            ("cell_rise", 3),
            ("cell_fall", 5),
            ("rise_transition", 1),
            ("fall_transition", 2),
        )
    )
    return f"""cell ({name}) {{ area : {area}; {more}
      pin (A) {{ direction : input; capacitance : 1; }}
      pin (Y) {{ direction : output; function : "!A";
        timing () {{ related_pin : "A"; {tables} }} }} }}"""


def test_larger_cells_that_drive_no_more_are_left_out():
    cells = [
        inverter("ONE", 1, 8),
        inverter("SLOW", 2, 9),
        inverter("TWO", 3, 4),
        inverter("KEPT_OUT", 4, 2, "dont_use : true;"),
        inverter("FOUR", 5, 2),
    ]
    library = parse_liberty(f"library (few) {{ {HEADER} {' '.join(cells)} }}", "few", "um2")
    families = Families(library, sizes=True)
    assert families.of("ONE").cells == ("ONE", "TWO", "FOUR")
    assert families.of("SLOW").cells == ("ONE", "SLOW", "TWO", "FOUR")


def test_internal_pins_are_left_out():
    text = inverter("ONE", 1, 8).replace("pin (A)", "pin (I) { direction : internal; } pin (A)")
    library = parse_liberty(f"library (few) {{ {HEADER} {text} }}", "few", "um2")
    family = Families(library, sizes=True).of("ONE")
    assert family.pins == ("A", "Y")
    assert family.capacitances.shape == (1, 2, 2)


def test_delays_from_anything_but_an_input():
    text = inverter("ONE", 1, 8).replace('related_pin : "A"', 'related_pin : "I"')
    library = parse_liberty(f"library (few) {{ {HEADER} {text} }}", "few", "um2")
    with pytest.raises(ValueError, match="cell ONE: few has delays from I, no input"):
        Families(library, sizes=True).of("ONE")


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (("cell_rise (D)", "cell_rise (THREE)"), "tables of three variables are not read"),
        (("timing ()", "unknown ()"), "few has no delays for it"),
        (("values (", "values , ("), r"where \( is needed"),
    ],
)
def test_cells_that_cannot_be_timed_are_left_out_unless_asked_for(broken, message):
    three = """lu_table_template (THREE) { variable_1 : input_net_transition;
      variable_2 : total_output_net_capacitance; variable_3 : related_out_output_net_capacitance;
      index_1 ("0, 1"); index_2 ("0, 1"); index_3 ("0"); }"""
    cells = [inverter("ONE", 1, 8), inverter("TWO", 2, 4).replace(*broken), inverter("FOUR", 3, 2)]
    library = parse_liberty(f"library (few) {{ {HEADER} {three} {' '.join(cells)} }}", "few", "um2")
    families = Families(library, sizes=True)
    assert families.of("ONE").cells == ("ONE", "FOUR")
    with pytest.raises(ValueError, match=f"cell TWO: .*{message}"):
        families.of("TWO")


def test_registers_that_cannot_be_read_are_left_out():
    flip_flop = LIBRARY[LIBRARY.index("cell (DFF)") : LIBRARY.index("cell (DFFN)")]
    broken = flip_flop.replace("cell (DFF)", "cell (BROKEN)").replace("values (", "values , (")
    library = parse_liberty(LIBRARY.replace(flip_flop, flip_flop + broken), "linear", "um2")
    assert list(library.cells)[4:6] == ["DFF", "BROKEN"]
    assert Families(library, sizes=True).of("DFF").cells == ("DFF",)


def test_a_register_without_setup_times_has_none_to_keep():
    library = parse_liberty(LIBRARY.replace(SETUP, ""), "linear", "um2")
    family = Families(library, sizes=False).of("DFF")
    assert [table.at(5, 5) for table in family.setups[0]] == [0, 0]


def test_cells_that_cannot_be_timed():
    families = Families(parse_liberty(LIBRARY, "linear", "um2"), sizes=False)
    with pytest.raises(ValueError, match="cell NONE: linear has no such cell"):
        families.of("NONE")
