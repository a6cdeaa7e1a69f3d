"""The Verilog that users get: readable, lint-clean, the same everywhere."""

import json
import os
import re
import subprocess
import sys

import pytest

from multipede.golden.catalogue import unit_names
from multipede.golden.formats import INT4, INT16, UINT1, UINT8
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.golden.mixpe import MixPE
from multipede.golden.multiplier_tile import MultiplierTile, PartialProducts
from multipede.golden.small_units import small_unit
from multipede.golden.spec import Port
from multipede.hw import Style
from multipede.sim.fusesoc import LINT_WAIVERS
from multipede.sim.port_map import verilog_ports
from multipede.sim.verilog import adder_modules, rtlil_of, unit_verilog, verilog_of
from multipede.sim.verilog_text import field_ranges, readable
from multipede.toolchain import find, run
from multipede.toolchain.yosys import run_yosys

every_style = pytest.mark.parametrize("style", Style, ids=lambda style: style.value)
every_unit = pytest.mark.parametrize("name", unit_names())

SPECS = [
    MixPE(rows=1, columns=2, lanes=2, group=8, weight=INT4, activation=INT16, stages=3),
    MixPE(rows=2, columns=1, lanes=1, group=1, weight=UINT8),
    MultiplierTile(rows=1, columns=1, lanes=2, group=4),
    IntegerMultiplier(stages=0),
]


def without_comments(verilog):
    return re.sub(r"//[^\n]*|/\*.*?\*/", "", verilog, flags=re.S)


def lint_warnings(verilog, top, tmp_path):
    """Classes of Verilator's warnings under -Wall; errors show up as the class ''."""
    (tmp_path / "unit.v").write_text(verilog)
    arguments = ["--lint-only", "-Wall", "-Wno-fatal", "--top-module", top, "unit.v"]
    answer = run(find("verilator"), arguments, directory=tmp_path)
    output = answer.stdout + answer.stderr
    return set(re.findall(r"^%(?:Warning-|Error-?)(\w*)", output, re.M))


@every_unit
@every_style
def test_every_unit_passes_lint(tmp_path, name, style):
    verilog = verilog_of(small_unit(name), style)
    assert lint_warnings(verilog, name, tmp_path) <= set(LINT_WAIVERS)


@pytest.mark.parametrize("spec", SPECS, ids=str)
@every_style
def test_other_parameters_pass_lint(tmp_path, spec, style):
    assert lint_warnings(verilog_of(spec, style), spec.unit, tmp_path) <= set(LINT_WAIVERS)


def test_lint_test_notices_errors_and_warnings(tmp_path):
    verilog = "module t(input [3:0] a, output [2:0] b);\n  assign b = a;\nendmodule\n"
    assert "WIDTHTRUNC" in lint_warnings(verilog, "t", tmp_path)


@pytest.mark.parametrize(
    "spec",
    [MixPE(), *SPECS[:2], MixPE(weight=INT4, zero_point=False), IntegerMultiplier()],
    ids=str,
)
@every_style
def test_no_multiplication_sign(spec, style):
    text = without_comments(verilog_of(spec, style))
    assert "*" not in re.sub(r"@\s*\(?\*\)?", "", text)


@pytest.mark.few(34)
@every_unit
@every_style
def test_ports_are_those_of_the_specification(name, style):
    spec = small_unit(name)
    ports = {port["name"]: port for port in verilog_ports(verilog_of(spec, style))}
    widths = {
        "clk": ("input", 1),
        "rst": ("input", 1),
        "i_valid": ("input", 1),
        "i_payload": ("input", sum(port.bits for port in spec.inputs.values())),
        "o_valid": ("output", 1),
        "o_payload": ("output", sum(port.bits for port in spec.outputs.values())),
    }
    if not spec.always_ready:
        widths["i_ready"] = ("output", 1)
    if spec.stallable:
        widths["o_ready"] = ("input", 1)
    assert {n: (p["direction"], p["width"]) for n, p in ports.items()} == widths
    assert list(ports)[:2] == ["clk", "rst"]


PRINT = """
import json, sys
from multipede.golden.catalogue import spec_from_dict
from multipede.hw import Style
from multipede.sim.verilog import verilog_of
spec = spec_from_dict(json.loads(sys.argv[1]))
print(json.dumps({style.value: verilog_of(spec, style) for style in Style}))
"""


@pytest.mark.parametrize(
    "spec",
    [
        SPECS[0],
        MultiplierTile(
            partial_products=PartialProducts.BOOTH, rows=1, columns=2, lanes=2, group=4, stages=2
        ),
        IntegerMultiplier(),
        IntegerMultiplier(partial_products=PartialProducts.BOOTH),
    ],
    ids=str,
)
def test_same_bytes_in_every_process(tmp_path, spec):
    answers = []
    for seed in ("1", "2"):
        # A cache of its own, or the second process would be given what the first one made.
        environment = {"PYTHONHASHSEED": seed, "MULTIPEDE_CACHE": str(tmp_path / seed)}
        done = subprocess.run(
            [sys.executable, "-c", PRINT, json.dumps(spec.to_dict())],
            env=os.environ | environment,
            capture_output=True,
            text=True,
            check=True,
        )
        answers.append(json.loads(done.stdout))
    assert answers[0] == answers[1]
    assert answers[0] == {style.value: verilog_of(spec, style) for style in Style}


def test_no_clock_without_registers():
    ports = verilog_ports(verilog_of(IntegerMultiplier(stages=0), Style.WORD))
    assert [port["name"] for port in ports] == ["i_payload", "i_valid", "o_payload", "o_valid"]


@every_style
def test_all_modules_bear_the_name(style):
    text = unit_verilog(SPECS[0], style, name="my_tile")
    modules = re.findall(r"^module (\w+)\(", text, re.M)
    assert modules[0] == "my_tile"
    assert len(modules) >= 4
    assert all(module.startswith("my_tile_") for module in modules[1:])
    assert len(set(modules)) == len(modules)
    assert "mixpe" not in without_comments(text)


def test_names_do_not_mix_in_the_cache():
    first, second = (unit_verilog(SPECS[0], Style.WORD, name=name) for name in ("one", "two"))
    assert re.sub(r"\bone(?=_|\b)", "two", first) == second
    assert "module one(" in unit_verilog(SPECS[0], Style.WORD, name="one")
    assert "module mixpe(" in unit_verilog(SPECS[0], Style.WORD)
    assert "module \\one\n" in rtlil_of(SPECS[0], Style.WORD, name="one")


def test_adders_come_with_the_whole_text_and_not_with_the_unit():
    for style in Style:
        unit_text, whole = unit_verilog(SPECS[0], style), verilog_of(SPECS[0], style)
        used = adder_modules(unit_text)
        assert bool(used) == (style is not Style.WORD)
        assert "module full_adders" not in unit_text
        assert whole.count("\nmodule ") == unit_text.count("\nmodule ") + len(used)


def test_words_are_called_after_what_they_are():
    text = verilog_of(MixPE(rows=1, columns=2, lanes=2), Style.WORD)
    for line in (
        "// i_payload[15:0]: a[1][2], int8",
        "// o_payload[38:38]: last, uint1",
        "  wire [7:0] i_a_0_1 = i_payload[15:8];",
        "  wire i_last = i_payload[40];",
        "    if (i_valid) p_0_1 <= p_0_1_next;",
        "  mixpe_dot_product p_0_1_dot_product (",
    ):
        assert f"{line}\n" in text, line
    assert re.search(r"if \(rst\) position <= 6'h00;\n    else if \(i_valid\) position <= ", text)
    assert "\\" not in text


def test_yosys_reads_it_back():
    for style in Style:
        result = run_yosys(
            "read_verilog unit.v; hierarchy -check -top mixpe; proc; check -assert",
            files={"unit.v": verilog_of(SPECS[0], style)},
        )
        assert "ERROR" not in result.log


YOSYS = """\
/* Generated by Yosys */

module top_sub(b, o, c, a);
  input signed [3:0] b;
  wire signed [3:0] b;
  output [7:0] o;
  wire [7:0] o;
  output c;
  wire c;
  input signed [3:0] a;
  wire signed [3:0] a;
  assign o = { a[3], a[3], a[3], a[3], b };
  assign c = a < b;
endmodule

module top(clk, rst, i_payload, o);
  input clk;
  wire clk;
  input rst;
  wire rst;
  input [8:0] i_payload;
  wire [8:0] i_payload;
  output [7:0] o;
  reg [7:0] o = 8'h00;
  wire [7:0] _0_;
  wire [7:0] _1_;
  wire [7:0] _2_;
  wire [7:0] next;
  wire unread;
  always @(posedge clk)
    o <= _0_;
  assign _0_ = rst ? 8'h00 : _1_;
  assign _1_ = i_payload[8] ? _2_ : o;
  assign _2_ = { i_payload[3:0], i_payload[7:5], 1'h1 };
  assign next = _2_;
  assign unread = o[0];
endmodule
"""
READABLE = """\
module top(
  input clk,
  input rst,
  input [8:0] i_payload,
  output reg [7:0] o = 8'h00
);
  wire [3:0] i_x_0 = i_payload[3:0];
  wire i_on = i_payload[8];
  wire [7:0] next;
  always @(posedge clk)
    if (rst) o <= 8'h00;
    else if (i_on) o <= next;
  assign next = { i_x_0, i_payload[7:5], 1'h1 };
endmodule

module top_sub(
  input [3:0] a,
  input [3:0] b,
  output c,
  output [7:0] o
);
  assign o = { {4{a[3]}}, b };
  assign c = a < b;
endmodule
"""


def test_text_is_made_readable_without_a_change_of_meaning():
    # `signed` must go: Yosys means a < b unsigned, whatever it declares.
    ports = {"x": Port(INT4, (2,)), "on": Port(UINT1)}
    assert readable(YOSYS, "top", ports) == READABLE


def test_fields_are_named_by_their_index():
    ports = {"a": Port(INT4, (2, 3)), "z": Port(UINT8)}
    ranges = field_ranges(ports)
    assert list(ranges) == ["a_0_0", "a_0_1", "a_0_2", "a_1_0", "a_1_1", "a_1_2", "z"]
    assert ranges["a_1_1"] == (16, 4)
    assert ranges["z"] == (24, 8)
