"""Delays: chains whose delay can be added up by hand, in a library of constant delays."""

import pytest

from multipede.asic_flow.liberty import parse_liberty
from multipede.asic_flow.synthesize import synthesize_rtlil
from multipede.asic_flow.timing import split_library
from tests.asic_flow.designs import FULL_ADDER, INVERTER, RIPPLE, rtlil

TEMPLATE = """
library (constant) {
  time_unit : "1ps"; capacitive_load_unit (1, ff); voltage_unit : "1V"; current_unit : "1mA";
  delay_model : table_lookup; nom_voltage : 1.0;
  input_threshold_pct_rise : 50; input_threshold_pct_fall : 50;
  output_threshold_pct_rise : 50; output_threshold_pct_fall : 50;
  lu_table_template (T) { variable_1 : input_net_transition;
    variable_2 : total_output_net_capacitance; index_1 ("1, 10, 1000"); index_2 ("1, 10, 1000"); }
%s
}
"""


def arc(pin: str, delay: float) -> str:
    """Nearly constant tables: ABC refuses delays and slews that no load changes."""
    tables = "".join(
        f'{kind} (T) {{ index_1 ("1, 10, 1000"); index_2 ("1, 10, 1000");'
        f" values ({', '.join([row] * 3)}); }} "
        for kind, row in (
            ("cell_rise", f'"{delay}, {delay + 0.01}, {delay + 1}"'),
            ("cell_fall", f'"{delay}, {delay + 0.01}, {delay + 1}"'),
            ("rise_transition", '"1, 2, 101"'),
            ("fall_transition", '"1, 2, 101"'),
        )
    )
    return f'timing () {{ related_pin : "{pin}"; timing_sense : non_unate; {tables} }} '


def cell(name: str, area: float, outputs: dict[str, tuple[str, dict[str, float]]]) -> str:
    inputs = list(next(iter(outputs.values()))[1])
    pins = "".join(f"pin ({p}) {{ direction : input; capacitance : 4.0; }} " for p in inputs)
    for output, (function, delays) in outputs.items():
        arcs = "".join(arc(pin, delay) for pin, delay in delays.items())
        pins += (
            f'pin ({output}) {{ direction : output; function : "{function}";'
            f" max_capacitance : 1000; {arcs} }} "
        )
    return f"cell ({name}) {{ area : {area}; {pins} }}"


ADDER = cell(
    "FA",
    5,
    {
        "S": ("A^B^C", {"A": 50.0, "B": 50.0, "C": 30.0}),
        "CO": ("A B + A C + B C", {"A": 40.0, "B": 40.0, "C": 20.0}),
    },
)
LIBRARY = TEMPLATE % "\n".join(
    [
        cell("INV", 1, {"Y": ("!A", {"A": 10.0})}),
        cell("BUF", 2, {"Y": ("A", {"A": 20.0})}),
        cell("NAND", 2, {"Y": ("!(A&B)", {"A": 15.0, "B": 15.0})}),
        ADDER,
    ]
)


@pytest.fixture
def library(tmp_path):
    path = tmp_path / "constant.lib"
    path.write_text(LIBRARY)
    return path


@pytest.mark.parametrize(
    ("verilog", "delay"),
    [
        (INVERTER, 10),
        (FULL_ADDER, 50),
        # From a[0] to its carry, through two carries, to the last sum: 40 + 20 + 20 + 30.
        (RIPPLE, 110),
    ],
)
def test_delays_of_a_path_add_up(library, verilog, delay):
    found = synthesize_rtlil(rtlil(verilog), top="top", liberty=library)
    assert found.delay == pytest.approx(delay, abs=1)


class TestSplitLibrary:
    def test_halves_share_the_input_capacitance(self):
        library = parse_liberty(LIBRARY, "constant", "um2")
        split = parse_liberty(split_library(library, [library.cells["FA"]]), "split", "um2")
        assert set(split.cells) - set(library.cells) == {
            "FA__S", "FA__CO", "FA__S__alone", "FA__CO__alone",
        }  # fmt: skip
        for output in ("S", "CO"):
            half, alone = split.cells[f"FA__{output}"], split.cells[f"FA__{output}__alone"]
            assert half.outputs == alone.outputs == [output]
            assert {half.pins[pin].capacitance for pin in "ABC"} == {2.0}
            assert {alone.pins[pin].capacitance for pin in "ABC"} == {4.0}
            assert half.functions[output] == library.cells["FA"].functions[output]

    def test_arcs_are_kept(self):
        library = parse_liberty(LIBRARY, "constant", "um2")
        split = split_library(library, [library.cells["FA"]])
        assert split.count("timing ()") == LIBRARY.count("timing ()") + 2 * 6
