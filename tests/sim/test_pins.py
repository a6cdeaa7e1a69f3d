"""Pins of modules that others wrote."""

import pytest

from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.golden.stallable import Stallable
from multipede.hw import Style
from multipede.sim.compiled import compile_verilog
from multipede.sim.pins import module_pins
from multipede.sim.verilog import verilog_of
from tests.sim.slow_unit import SlowSpec

PLAIN = IntegerMultiplier(stages=1)
DATA = ["i_valid", "i_payload", "o_valid", "o_payload"]
ALL = ["clk", "rst", *DATA]


@pytest.mark.parametrize(
    ("spec", "pins"),
    [
        (PLAIN, ALL),
        (IntegerMultiplier(stages=0), DATA),
        (Stallable(inside=PLAIN), [*ALL, "i_ready", "o_ready"]),
        (SlowSpec(), [*ALL, "i_ready", "o_ready"]),
    ],
)
def test_of_our_own_verilog(spec, pins):
    assert module_pins(verilog_of(spec, Style.WORD), spec.unit, spec) == pins


@pytest.mark.parametrize(
    "text",
    [
        "module m(clk, rst, i_valid, i_payload, o_valid, o_payload); input clk, rst; endmodule",
        "module other(input x); endmodule\n\tmodule  m #(parameter W = 8) (input clk, rst,\n"
        "i_valid, [W:0] i_payload, output o_valid, output [15:0] o_payload); endmodule",
        'module m #(parameter N = "a;//b") ((* src = "a.v;1" *) input clk, rst, i_valid, i_payload,'
        "output o_valid, o_payload); endmodule",
        "module \\m (clk, rst, i_valid, i_payload, o_valid, o_payload); endmodule",
        "module m import pk::*; (input clk, rst, i_valid, i_payload, output o_valid, o_payload);",
        'module x; initial $display("module m(x);"); endmodule module m'
        "(clk, rst, i_valid, i_payload, o_valid, o_payload);",
        "/* module m(); */ module m ( // clk; of all\n input wire clk,rst,i_valid,i_payload,\n"
        "output wire o_valid, o_payload);endmodule",
    ],
)
def test_of_any_writing(text):
    assert module_pins(text, "m", PLAIN) == ALL


def test_a_clock_that_only_a_comment_names_is_none():
    text = "module m(input i_valid, i_payload, /* clk, */ output o_valid, o_payload); // rst"
    assert module_pins(text, "m", PLAIN) == DATA


def test_what_is_missing_is_named():
    with pytest.raises(ValueError, match=r"verilog: it has no module m$"):
        module_pins("module mm(); endmodule // module m();", "m", PLAIN)
    with pytest.raises(ValueError, match=r"module m has no rst$"):
        module_pins("module m(clk, i_valid, i_payload, o_valid, o_payload);", "m", PLAIN)
    text = "module m(input i_valid, i_payload, output o_payload, i_ready); endmodule"
    with pytest.raises(ValueError, match=r"module m has no o_valid, o_ready$"):
        module_pins(text, "m", SlowSpec())


def test_a_model_names_what_is_missing():
    text = "module integer_multiplier(input clk, i_valid, [15:0] i_payload, output o_valid);\n"
    with pytest.raises(ValueError, match=r"integer_multiplier has no o_payload, rst$"):
        compile_verilog(text + "assign o_valid = i_valid & clk; endmodule", PLAIN)
