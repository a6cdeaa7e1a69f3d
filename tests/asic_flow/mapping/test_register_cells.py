"""Flip-flops with a synchronous reset: found by what they do, and put where the unit has them."""

from itertools import product

import pytest

from multipede.asic_flow.equivalence import prove_netlist
from multipede.asic_flow.liberty.gate_table import gate_library
from multipede.asic_flow.liberty.library import Library, parse_liberty
from multipede.asic_flow.mapping.register_cells import reset_replacements, synchronous_resets
from multipede.asic_flow.n28 import n28_library
from multipede.asic_flow.synthesize import synthesize_rtlil
from multipede.sim.solver import Answer
from tests.asic_flow.designs import rtlil

GATES = """
  cell (INV) { area : 1; pin (A) { direction : input; }
    pin (Y) { direction : output; function : "!A"; } }
  cell (BUF) { area : 2; pin (A) { direction : input; }
    pin (Y) { direction : output; function : "A"; } }
  cell (NAND) { area : 2; pin (A) { direction : input; } pin (B) { direction : input; }
    pin (Y) { direction : output; function : "!(A & B)"; } }
"""


def register(name: str, area: float, next_state: str, inputs: str = "D", more: str = "") -> str:
    pins = "".join(f" pin ({pin}) {{ direction : input; }}" for pin in inputs.split())
    return (
        f"cell ({name}) {{ area : {area}; {more}"
        f' ff (IQ, IQN) {{ clocked_on : "CK"; next_state : "{next_state}"; }}'
        f" pin (CK) {{ direction : input; clock : true; }}{pins}"
        ' pin (Q) { direction : output; function : "IQ"; } }'
    )


def at_once(name: str, next_state: str, inputs: str, how: str) -> str:
    """One whose reset acts at the clock's edge, and without it."""
    return register(name, 9, next_state, inputs).replace("next_state", f"{how}; next_state")


def library(*registers: str) -> Library:
    cells = "\n".join([GATES, register("PLAIN", 10, "D"), *registers])
    return parse_liberty(f"library (hand) {{ {cells} }}", "hand.lib", "um2")


SET = register("SET", 11, "D | S", "D S")
CLEAR_ENABLED_FIRST = register("CEF", 13, "(EN & IQ) | (!EN & D & !R)", "D R EN")
LIBRARIES = {
    "n28": n28_library(),
    "set, active high": library(SET),
    "enable first, active low": library(CLEAR_ENABLED_FIRST),
    "all": library(SET, CLEAR_ENABLED_FIRST, register("CLEAR", 11, "D & RN", "D RN")),
    "none": library(),
}


def every_kind() -> str:
    """A register of each kind: reset level, value, and with an enable its level and the order."""
    lines = []
    for place, (reset, value) in enumerate(product((0, 1), repeat=2)):
        reset = "r" if reset else "!r"
        lines.append(f"if ({reset}) q[{place}] <= {value}; else q[{place}] <= d[{place}];")
    for place, (reset, value, level, first) in enumerate(product((0, 1), repeat=4), len(lines)):
        reset, enable = "r" if reset else "!r", "e" if level else "!e"
        take, clear = f"q[{place}] <= d[{place}];", f"q[{place}] <= {value};"
        if first:
            lines.append(f"if ({reset}) {clear} else if ({enable}) {take}")
        else:
            lines.append(f"if ({enable}) begin if ({reset}) {clear} else {take} end")
    body = "\n".join(f"always @(posedge clk) {line}" for line in lines)
    ports = "input clk, r, e, input [19:0] d, output reg [19:0] q"
    return f"module top({ports});\n{body}\nendmodule"


class TestEveryKind:
    @pytest.mark.parametrize("name", LIBRARIES)
    def test_is_proved_equal(self, name):
        text = rtlil(every_kind())
        found = synthesize_rtlil(text, top="top", liberty=LIBRARIES[name])
        assert prove_netlist(text, found, LIBRARIES[name]) is Answer.PROVED

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("n28", {"DFFC_X1": 2, "DFFEC_X1": 8}),
            ("set, active high", {"SET": 2}),
            ("enable first, active low", {"CEF": 8}),
            ("all", {"SET": 2, "CLEAR": 2, "CEF": 8}),
            ("none", {}),
        ],
    )
    def test_takes_its_cell(self, name, expected):
        found = synthesize_rtlil(rtlil(every_kind()), top="top", liberty=LIBRARIES[name])
        with_reset = {"DFFC_X1", "DFFEC_X1", "SET", "CEF", "CLEAR"}
        assert {cell: n for cell, n in found.cells.items() if cell in with_reset} == expected
        kinds = LIBRARIES[name].cells
        assert sum(n for cell, n in found.cells.items() if kinds[cell].sequential) == 20


class TestCells:
    def test_pins_and_levels(self):
        (found,) = synchronous_resets(library(CLEAR_ENABLED_FIRST))
        assert (found.clock, found.data, found.reset, found.enable) == ("CK", "D", "R", "EN")
        assert (found.value, found.reset_level, found.enable_level) == (0, 1, 0)
        assert not found.reset_first

    def test_the_smallest_of_a_kind(self):
        large = register("LARGE", 12, "D | S", "D S")
        (found,) = synchronous_resets(library(large, SET))
        assert found.cell.name == "SET"

    @pytest.mark.parametrize(
        "other",
        [
            register("BANNED", 9, "D | S", "D S", "dont_use : true;"),
            register("SCAN", 9, "(SE & SI) | (!SE & D)", "D SE SI"),
            register("WIDE", 9, "D & R & A & B", "D R A B"),
            register("PARITY", 9, "D ^ T", "D T"),
            register("FALLING", 9, "D | S", "D S").replace('"CK"', '"!CK"'),
            at_once("CLEARED", "D & !R", "D R", 'clear : "R"'),
            at_once("PRESET", "D | S", "D S", 'preset : "S"'),
        ],
        ids=lambda text: text.split(")")[0].removeprefix("cell ("),
    )
    def test_others_are_left_alone(self, other):
        assert synchronous_resets(library(other)) == []
        assert reset_replacements(library(other)) == ""

    def test_the_table_of_gates_has_none(self):
        assert reset_replacements(gate_library()) == ""


def test_one_inverter_drives_all_resets():
    """And no buffers, of which there would be one for each register."""
    verilog = "module top(input clk, r, input [7:0] d, output reg [7:0] q);" + (
        " always @(posedge clk) if (r) q <= 0; else q <= d; endmodule"
    )
    found = synthesize_rtlil(rtlil(verilog), top="top", liberty=n28_library())
    assert found.cells == {"DFFC_X1": 8, "INV_X1": 1}
