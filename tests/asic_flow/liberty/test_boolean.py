"""Boolean functions of Liberty files."""

from itertools import product

import pytest

from multipede.asic_flow.liberty.boolean import depends_on, difference, truth_table
from multipede.toolchain.yosys import run_yosys

FUNCTIONS = {
    "A": lambda a, b, c: a,
    "!A": lambda a, b, c: not a,
    "A'": lambda a, b, c: not a,
    "A B": lambda a, b, c: a and b,
    "A*B+C": lambda a, b, c: (a and b) or c,
    "A & B | C": lambda a, b, c: (a and b) or c,
    "A | B & C": lambda a, b, c: a or (b and c),
    "A ^ B & C": lambda a, b, c: (a ^ b) and c,
    "A & B ^ C": lambda a, b, c: a and (b ^ c),
    "A B' ^ C": lambda a, b, c: a and ((not b) ^ c),
    "A | B ^ C": lambda a, b, c: a or (b ^ c),
    "!(A & B)": lambda a, b, c: not (a and b),
    "(A B)' C": lambda a, b, c: not (a and b) and c,
    "!A !B": lambda a, b, c: not a and not b,
    "((A & B) | (C & (A | B)))": lambda a, b, c: a + b + c >= 2,
    "1": lambda a, b, c: True,
    "A & 0": lambda a, b, c: False,
}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_assignment(function):
    expected = sum(
        bool(FUNCTIONS[function](a, b, c)) << (a | b << 1 | c << 2)
        for a, b, c in product((0, 1), repeat=3)
    )
    assert truth_table(function, ["A", "B", "C"]) == expected


@pytest.mark.parametrize("function", [name for name in FUNCTIONS if "0" not in name])
def test_yosys_reads_the_same(function):
    """Of cells' functions; what they are is then what the mapper takes them for."""
    pins = "".join(f"pin ({pin}) {{ direction : input; }}" for pin in "ABC")
    cell = f'cell (G) {{ {pins} pin (Y) {{ direction : output; function : "{function}"; }} }}'
    table = truth_table(function, ["A", "B", "C"])
    run_yosys(
        "read_liberty cells.lib; read_verilog table.v; flatten; sat -prove y z -verify top",
        files={
            "cells.lib": f"library (hand) {{ {cell} }}",
            "table.v": "module top(input a, b, c, output y, z); G g(.A(a), .B(b), .C(c), .Y(y));"
            f" wire [7:0] t = 8'd{table}; assign z = t[{{c, b, a}}]; endmodule",
        },
        outputs=[],
    )


@pytest.mark.parametrize("function", ["", "A &", "A & D", "(A", "A)", "A # B", "& A"])
def test_what_cannot_be_read_is_quoted(function):
    with pytest.raises(ValueError, match=r"function '.*': cannot read"):
        truth_table(function, ["A", "B"])


def test_differences_by_hand():
    """Of (A & B) | C: A counts while B and not C, C while not both A and B."""
    table = 0b11111000
    assert difference(table, 0, 3) == 0b00001100
    assert difference(table, 2, 3) == 0b01110111
    assert depends_on(0b1010, 0, 2)
    assert not depends_on(0b1010, 1, 2)
