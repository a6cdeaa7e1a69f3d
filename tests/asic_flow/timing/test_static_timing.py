"""Static timing: netlists added up by hand, in a library whose delays are linear."""

from dataclasses import replace

import numpy as np
import pytest

from multipede.asic_flow.liberty.cell_model import Edge, cell_model
from multipede.asic_flow.liberty.library import parse_liberty, read_liberty
from multipede.asic_flow.liberty.wire_load import NO_WIRES, WireLoad, wire_load
from multipede.asic_flow.mapping.map_to_cells import Recipe, map_to_cells
from multipede.asic_flow.timing.conditions import Conditions
from multipede.asic_flow.timing.static_timing import static_timing
from multipede.golden.float_adder import FloatAdder
from multipede.golden.formats import E4M3, INT4
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.hw import Style
from multipede.sim.verilog import rtlil_of
from tests.asic_flow.hand_netlists import netlist_of
from tests.asic_flow.timing.abc_timing import abc_delay

HEADER = """
  time_unit : "10ps"; capacitive_load_unit (2, ff); voltage_unit : "1V"; nom_voltage : 0.9;
  leakage_power_unit : "1pW";
  lu_table_template (D) { variable_1 : input_net_transition;
    variable_2 : total_output_net_capacitance; index_1 ("0, 10"); index_2 ("0, 10"); }
  lu_table_template (R) { variable_1 : total_output_net_capacitance;
    variable_2 : input_net_transition; index_1 ("0, 10"); index_2 ("0, 10"); }
  lu_table_template (S) { variable_1 : related_pin_transition;
    variable_2 : constrained_pin_transition; index_1 ("0, 10"); index_2 ("0, 10"); }
  wire_load ("small") { capacitance : 0.5; slope : 3; fanout_length (1, 2); fanout_length (3, 6); }
  wire_load ("bare") { capacitance : 0.5; }
  default_wire_load : "small";
"""


def table(kind: str, base: float, slew: float, load: float, template: str = "D") -> str:
    """Linear: base + slew times the input's + load times the load, in the file's units."""
    rows, columns = (load, slew) if template == "R" else (slew, load)
    corners = [[base + 10 * (rows * i + columns * j) for j in (0, 1)] for i in (0, 1)]
    values = ", ".join(f'"{row[0]}, {row[1]}"' for row in corners)
    return f"{kind} ({template}) {{ values ({values}); }}"


def arc(pin: str, rise: float, fall: float, more: str = "", template: str = "D") -> str:
    """Delays rise + slew/4 + 2 load and fall + slew/4 + load; slews 1 + load, 2 + load."""
    tables = [
        table("cell_rise", rise, 0.25, 2, template),
        table("cell_fall", fall, 0.25, 1, template),
        table("rise_transition", 1, 0, 1, template),
        table("fall_transition", 2, 0, 1, template),
    ]
    return f'timing () {{ related_pin : "{pin}"; {more} {" ".join(tables)} }}'


SETUP = f"""timing () {{ related_pin : "CK"; timing_type : setup_rising;
  {table("rise_constraint", 2, 0.5, 0.25, "S")}
  {table("fall_constraint", 4, 0.5, 0.25, "S")} }}"""
LIBRARY = f"""
library (linear) {{ {HEADER}
  cell (INV) {{ area : 1; pin (A) {{ direction : input; capacitance : 1; rise_capacitance : 1.5; }}
    pin (Y) {{ direction : output; function : "!A"; max_capacitance : 40; {arc("A", 3, 5)} }} }}
  cell (BUF) {{ area : 1; pin (A) {{ direction : input; capacitance : 1; }}
    pin (Y) {{ direction : output; function : "A"; {arc("A", 4, 4, template="R")} }} }}
  cell (NAND) {{ area : 1; pin (A) {{ direction : input; capacitance : 1; }}
    pin (B) {{ direction : input; capacitance : 2; }}
    pin (Y) {{ direction : output; function : "!(A B)";
      {arc("A", 3, 5, "timing_sense : negative_unate;")}
      {arc("B", 6, 1, "timing_sense : negative_unate;")} }} }}
  cell (HA) {{ area : 1; pin (A) {{ direction : input; capacitance : 1; }}
    pin (B) {{ direction : input; capacitance : 1; }}
    pin (S) {{ direction : output; function : "A^B"; {arc("A B", 8, 8)} }}
    pin (CO) {{ direction : output; function : "A B"; {arc("A", 5, 5)} {arc("B", 5, 5)} }} }}
  cell (DFF) {{ area : 4; ff (IQ, IQN) {{ clocked_on : "CK"; next_state : "D"; }}
    pin (CK) {{ direction : input; clock : true; capacitance : 1; }}
    pin (D) {{ direction : input; capacitance : 1; {SETUP} }}
    pin (Q) {{ direction : output; function : "IQ";
      {arc("CK", 7, 9, "timing_type : rising_edge; timing_sense : non_unate;")} }} }}
  cell (DFFN) {{ area : 4; ff (IQ, IQN) {{ clocked_on : "!CK"; next_state : "D"; }}
    pin (CK) {{ direction : input; clock : true; }} pin (D) {{ direction : input; }}
    pin (Q) {{ direction : output; function : "IQ"; {arc("CK", 7, 9, "timing_type : falling_edge;")}
    }} }}
  cell (HOT) {{ area : 1; cell_leakage_power : 30; leakage_power () {{ when : "!A"; value : 20; }}
    pin (A) {{ direction : input; internal_power () {{
      {table("rise_power", 3, 0, 0)} {table("fall_power", 5, 0.5, 0)} }} }}
    pin (Y) {{ direction : output; function : "A"; {arc("A", 4, 4)}
      internal_power () {{ related_pin : "A"; when : "A"; {table("power", 2, 0, 1)} }} }} }}
  cell (EMPTY) {{ area : 1; pin (A) {{ direction : input; }}
    pin (Y) {{ direction : output; timing () {{ related_pin : "A"; cell_rise (D) {{ }} }} }} }}
  cell (MUTE) {{ area : 1; pin (A) {{ direction : input; }}
    pin (Y) {{ direction : output; function : "A"; }} }}
}}
"""


@pytest.fixture(scope="module")
def library():
    return parse_liberty(LIBRARY, "linear", "um2")


def netlist(inputs: str, outputs: str, cells: dict[str, tuple[str, dict[str, str]]]) -> dict:
    return netlist_of(parse_liberty(LIBRARY, "linear", "um2"), inputs, outputs, cells)


CHAIN = netlist("a", "y", {"1": ("INV", {"A": "a", "Y": "n"}), "2": ("INV", {"A": "n", "Y": "y"})})


def test_units_are_those_of_the_file(library):
    model = cell_model(library, "INV")
    assert model.capacitances == {("A", Edge.RISE): 3.0, ("A", Edge.FALL): 2.0}
    assert model.limits == {"Y": 80.0}
    assert {(a.input_edge, a.output_edge) for a in model.arcs} == {
        (Edge.RISE, Edge.FALL),
        (Edge.FALL, Edge.RISE),
    }
    # 3 + 4 / 4 + 2 * 5 units of 10 ps at 40 ps and 10 fF.
    (rise,) = [a for a in model.arcs if a.output_edge is Edge.RISE]
    assert rise.delay.at(40, 10) == pytest.approx(140)
    assert rise.slew.at(40, 10) == pytest.approx(60)
    turned = [a for a in cell_model(library, "BUF").arcs if a.output_edge is Edge.RISE]
    assert turned[0].delay.at(40, 10) == pytest.approx(150)


def test_energies_and_leakage_in_fj_and_nw(library):
    """A unit of energy is 2 fF times (1 V)^2, one of leakage 1 pW."""
    model = cell_model(library, "HOT")
    assert [(leak.when, leak.power) for leak in model.leakages] == [
        ("!A", pytest.approx(0.02)),
        ("", pytest.approx(0.03)),
    ]
    found = {(e.pin, e.pin_edge, e.related, e.when): e.energy.at(40, 10) for e in model.energies}
    assert found == {
        ("A", Edge.RISE, "", ""): pytest.approx(2 * 3),
        ("A", Edge.FALL, "", ""): pytest.approx(2 * (5 + 0.5 * 4)),
        ("Y", Edge.RISE, "A", "A"): pytest.approx(2 * (2 + 5)),
        ("Y", Edge.FALL, "A", "A"): pytest.approx(2 * (2 + 5)),
    }
    with pytest.raises(ValueError, match="Liberty file linear: cell EMPTY: cell_rise: it has no v"):
        cell_model(library, "EMPTY")


def test_two_inverters_by_hand(library):
    """a falls: n rises after 3 + 2 * 1.5 = 6 with a slew of 1 + 1.5 = 2.5, y falls after
    5 + 2.5 / 4; a rises: n falls after 5 + 1 with a slew of 3, y rises after 3 + 3 / 4."""
    found = static_timing(CHAIN, library, paths=5)
    (path,) = found.paths
    assert (path.start, path.end, found.ends) == ("a", "y", 1)
    assert found.delay == pytest.approx(10 * (6 + 5 + 2.5 / 4))
    assert [(p.net, p.cell, p.pin, p.edge) for p in path.points] == [
        ("a", "", "", Edge.FALL),
        ("n", "INV", "Y", Edge.RISE),
        ("y", "INV", "Y", Edge.FALL),
    ]
    assert path.points[1].load == pytest.approx(3.0)
    assert path.points[1].slew == pytest.approx(25)
    y = CHAIN["ports"]["y"]["bits"][0]
    assert found.arrivals[y, Edge.RISE] == pytest.approx(10 * (5 + 1 + 3 + 3 / 4))


def test_surroundings_by_hand(library):
    """Slew 40 ps on a, 20 fF on y: n falls 4 / 4 later, and y rises with 10 units of load."""
    around = Conditions(input_slew=40, output_load=20)
    assert static_timing(CHAIN, library, around).delay == pytest.approx(10 * (7 + 3 + 3 / 4 + 20))
    # A wire for a fanout of one adds 2 * 0.5 = 1 unit of load to a net: 2 more on n, whose slew
    # grows by 1, and on y 1.
    wired = Conditions(wires=wire_load(library))
    assert static_timing(CHAIN, library, wired).delay == pytest.approx(10 * (8 + 5 + 3.5 / 4 + 1))
    # The driver puts out a falling a after 4 + 1 (its load), with a slew of 2 + 1.
    driven = Conditions(driver="BUF")
    assert static_timing(CHAIN, library, driven).delay == pytest.approx(
        10 * (4 + 1 + 6 + 3 / 4 + 5 + 2.5 / 4)
    )


@pytest.mark.parametrize(
    ("tree", "added"),
    [("balanced_tree", 4 + 5 + 22), ("worst_case_tree", 4 + 5 + 22), ("best_case_tree", 0)],
)
def test_wires_with_resistance(library, tree, added):
    """Each net has one load and a wire of 1 kohm and 2 fF. INV's pin has 2 fF when a falls and 3 fF
    when n rises, and on y there are 20 fF."""
    wires = replace(wire_load(library), resistance=0.5, tree=tree)
    found, plain = (
        static_timing(CHAIN, library, Conditions(output_load=20, wires=one))
        for one in (wires, replace(wires, resistance=0.0))
    )
    assert found.delay - plain.delay == pytest.approx(added)
    assert found.paths[0].arrival == found.delay
    assert [p.net for p in found.paths[0].points] == [p.net for p in plain.paths[0].points]


def test_each_load_of_a_balanced_tree_has_its_share():
    wires = WireLoad("w", (1.0, 3.0), 2.0, 4.0, 0.5, "balanced_tree")
    fanout, pin, load = np.array([1, 2, 4]), np.array([5.0, 5.0, 5.0]), np.array([9.0, 22.0, 48.0])
    # Lengths 1, 3 and 7: 0.5, 1.5, 3.5 kohms and 4, 12, 28 fF.
    expected = [0.5 * (4 + 5), 0.75 * (6 + 5), 0.875 * (7 + 5)]
    assert wires.delay(fanout, pin, load) == pytest.approx(expected)
    worst = replace(wires, tree="worst_case_tree")
    assert worst.delay(fanout, pin, load) == pytest.approx([0.5 * 9, 1.5 * 22, 3.5 * 48])
    best = replace(wires, tree="best_case_tree")
    assert best.delay(fanout, pin, load).tolist() == [0, 0, 0]


def test_trees_of_libraries(liberty_file):
    """SG13G2's operating conditions tell none."""
    for name, tree in (
        ("nangate45_typ.lib.gz", "balanced_tree"),
        ("sky130hd_tt.lib.gz", "balanced_tree"),
        ("sg13g2_typ_1p20V_25C.lib.gz", "worst_case_tree"),
    ):
        found = wire_load(read_liberty(liberty_file(name)))
        assert found.tree == tree
        assert found.resistance > 0


def test_wire_lengths_between_and_beyond_the_table(library):
    model = wire_load(library)
    assert model.load(np.array([0, 1, 2, 3, 5])).tolist() == [0, 2, 4, 6, 12]
    assert NO_WIRES.load(np.array([3])).tolist() == [0]
    with pytest.raises(ValueError, match="wire_load = 'huge': linear has small"):
        wire_load(library, "huge")
    with pytest.raises(ValueError, match="wire_load = 'bare': linear gives it no fanout_length"):
        wire_load(library, "bare")


def test_the_worst_input_counts(library):
    """y rises by b: 6 + 2 * 0; a's own path is shorter. y falls by a: 5."""
    made = netlist("a b", "y", {"1": ("NAND", {"A": "a", "B": "b", "Y": "y"})})
    found = static_timing(made, library)
    assert (found.paths[0].start, found.delay) == ("b", pytest.approx(60))
    y = made["ports"]["y"]["bits"][0]
    assert found.arrivals[y, Edge.FALL] == pytest.approx(50)


def test_slews_are_the_worst_of_all_inputs(library):
    """Those of slower edges that come earlier, too."""
    made = netlist(
        "a b",
        "y",
        {
            "1": ("INV", {"A": "a", "Y": "n"}),
            "2": ("HA", {"A": "n", "B": "b", "S": "y", "CO": "z"}),
        },
    )
    slews = static_timing(made, library, Conditions(input_slew=100)).slews
    y = made["ports"]["y"]["bits"][0]
    assert slews[y, Edge.RISE] == pytest.approx(10)
    assert slews[y, Edge.FALL] == pytest.approx(20)


def test_through_adder_cells_to_each_output(library):
    made = netlist(
        "a b c",
        "s t k",
        {
            "1": ("HA", {"A": "a", "B": "b", "S": "m", "CO": "k"}),
            "2": ("HA", {"A": "m", "B": "c", "S": "s", "CO": "t"}),
        },
    )
    found = static_timing(made, library, paths=9)
    # m rises after 8 + 2 with a slew of 2, or falls after 8 + 1 with one of 3.
    assert {path.end: round(path.delay, 6) for path in found.paths} == {
        "s": pytest.approx(10 * (10 + 8 + 2 / 4)),
        "t": pytest.approx(10 * (10 + 5 + 0.5)),
        "k": pytest.approx(50),
    }


def test_registers_by_hand(library):
    """q falls 9 + 1 behind the clock with a slew of 3; d rises after 3 + 3 / 4 + 2, its slew is 2;
    setup 2 + 2 / 4. Rising: 7 + 2 * 1.5 with 2.5; d falls after 5 + 2.5 / 4 + 1 with 3; setup
    4 + 3 / 4."""
    made = netlist(
        "clk",
        "",
        {
            "r": ("DFF", {"CK": "clk", "D": "d", "Q": "q"}),
            "i": ("INV", {"A": "q", "Y": "d"}),
        },
    )
    found = static_timing(made, library)
    (path,) = found.paths
    assert (path.start, path.end) == ("q", "q")
    assert path.arrival == pytest.approx(10 * (10 + 5 + 2.5 / 4 + 1))
    assert path.setup == pytest.approx(10 * (4 + 3 / 4))
    assert found.delay == pytest.approx(path.arrival + path.setup)
    # A clock with a slew of 20 ps: 2 / 4 later, and a setup 2 / 2 longer.
    late = static_timing(made, library, Conditions(clock_slew=20))
    assert late.delay == pytest.approx(found.delay + 10 * (2 / 4 + 1))
    assert "setup" in str(path)


def test_paths_end_at_registers_without_a_setup_time():
    """d falls 5 + 1 after a; with an ordinary register 4 + 3 / 4 of setup would follow."""
    text = LIBRARY.replace(SETUP, "")
    made = netlist(
        "clk a",
        "",
        {"r": ("DFF", {"CK": "clk", "D": "d", "Q": "q"}), "i": ("INV", {"A": "a", "Y": "d"})},
    )
    (path,) = static_timing(made, parse_liberty(text, "linear", "um2")).paths
    assert (path.start, path.end, path.setup) == ("a", "q", 0)
    assert path.delay == pytest.approx(10 * (5 + 1))


def test_constants_begin_no_path(library):
    made = netlist("a", "y", {"1": ("NAND", {"A": "a", "B": "1", "Y": "y"})})
    found = static_timing(made, library)
    assert found.delay == pytest.approx(50)
    still = netlist("", "y", {"1": ("INV", {"A": "0", "Y": "y"})})
    assert static_timing(still, library).delay == 0
    assert static_timing(still, library).paths == ()


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (
            {"1": ("INV", {"A": "n", "Y": "m"}), "2": ("INV", {"A": "m", "Y": "n"})},
            "a loop without a register goes through [mn]",
        ),
        ({"1": ("NONE", {"A": "a"})}, "cell NONE: linear has no such cell"),
        ({"1": ("MUTE", {"A": "a", "Y": "y"})}, "cell MUTE: linear has no delays for it"),
        ({"1": ("DFFN", {"CK": "a", "D": "a", "Q": "y"})}, "DFFN: registers on the falling edge"),
    ],
)
def test_what_cannot_be_timed_is_refused(library, cells, message):
    with pytest.raises(ValueError, match=message):
        static_timing(netlist("a", "y", cells), library)


def test_bad_conditions_are_refused(library):
    with pytest.raises(ValueError, match="input_slew = -1: 0 or more is needed"):
        Conditions(input_slew=-1)
    for name, message in (("NAND", "a buffer or an inverter"), ("NONE", "no such cell")):
        with pytest.raises(ValueError, match=message):
            static_timing(CHAIN, library, Conditions(driver=name))


@pytest.mark.parametrize(
    "spec",
    [
        IntegerMultiplier(stages=0),
        IntegerMultiplier(a=INT4, b=INT4, stages=0),
        FloatAdder(a=E4M3, b=E4M3, result=E4M3, stages=0),
    ],
    ids=["multiplier", "small multiplier", "float adder"],
)
def test_gates_alone_take_as_long_as_abc_says(liberty_file, tmp_path, spec):
    """Within 3 %: ABC does not tell a pin's capacitance for rising edges from that for falling."""
    library = read_liberty(liberty_file("nangate45_typ.lib.gz"))
    mapped = map_to_cells(rtlil_of(spec, Style.WORD), spec.unit, library, Recipe.AREA)
    assert len(mapped.netlist["cells"]) > 50
    found = static_timing(mapped.netlist, library).delay
    assert found == pytest.approx(abc_delay(mapped, library, tmp_path), rel=0.03)
