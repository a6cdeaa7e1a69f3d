"""Generated benches: they pass on our RTL and fail on everything else, in both simulators."""

import re
import shutil

import pytest

from multipede.golden.bit_serial_tile import BitSerialTile
from multipede.golden.catalogue import unit, unit_names
from multipede.golden.compensated_lmul import CompensatedLMul
from multipede.golden.dequantise_first_tile import DequantiseFirstTile
from multipede.golden.dequantiser import Dequantiser
from multipede.golden.exact_lmul_tile import ExactLMulTile
from multipede.golden.float_adder import FloatAdder
from multipede.golden.float_lut_tensor_core import FloatLutTensorCore
from multipede.golden.float_multiplier import FloatMultiplier
from multipede.golden.float_multiplier_tile import FloatMultiplierTile
from multipede.golden.formats import E4M3, E5M2, FP16, INT4, UINT2, UINT4, Integer
from multipede.golden.fused_multiply_add import FusedMultiplyAdd
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.golden.integer_tile import TileOutput
from multipede.golden.lmul import LMul
from multipede.golden.lmul_tile import LMulTile
from multipede.golden.lut_tensor_core import LutTensorCore
from multipede.golden.mitchell import Mitchell
from multipede.golden.mixpe import MixPE
from multipede.golden.multiplier_tile import MultiplierTile, PartialProducts
from multipede.golden.number_converter import NumberConverter
from multipede.golden.quadinr import QuadINR
from multipede.golden.second_level_dequantiser import SecondLevelDequantiser
from multipede.golden.small_units import small_unit
from multipede.golden.stallable import Stallable
from multipede.golden.table_precompute import TablePrecompute
from multipede.hw import Style
from multipede.sim.generate import generate
from tests.sim.bench_runs import SIMULATORS, verdict
from tests.sim.slow_unit import SlowSpec

SEED = 20261122
RECORDS = 300
TILE = MixPE(rows=1, columns=2, lanes=2, group=8, weight=UINT2, activation=INT4)
both = pytest.mark.parametrize("simulator", SIMULATORS)

SPECS = {
    "mixpe": TILE,
    "mixpe-pipelined": MixPE(rows=2, columns=1, lanes=4, group=4, weight=INT4, stages=4),
    "multiplier-tile": MultiplierTile(
        rows=1, columns=1, lanes=2, group=4, partial_products=PartialProducts.BOOTH
    ),
    "multiplier": IntegerMultiplier(),
    "multiplier-combinational": IntegerMultiplier(a=INT4, b=UINT2, stages=0),
    "multiplier-wide": IntegerMultiplier(a=Integer(31), b=Integer(31, signed=False), stages=5),
    "second-level": SecondLevelDequantiser(d=INT4, scale=UINT2, stages=2),
    "slow": SlowSpec(),
    "stallable": Stallable(inside=TILE),
}
# Floats are much logic, which Icarus is slow at; `verify` runs every style.
FLOATS = {
    "adder": FloatAdder(a=E4M3, b=E4M3, result=E4M3),
    "converter": NumberConverter(x=E5M2, result=INT4, stages=0),
    "dequantiser": Dequantiser(d=INT4, scale=E5M2, sum=E4M3, result=E4M3),
    "float-multiplier": FloatMultiplier(a=E4M3, b=E4M3, result=E4M3, stages=2),
    "multiply-add": FusedMultiplyAdd(a=E4M3, b=E4M3, c=E4M3, result=E4M3),
    "float-tile": FloatMultiplierTile(
        weight=E4M3, activation=E4M3, accumulator=FP16, rows=1, columns=2, lanes=2
    ),
    "dequantise-first": DequantiseFirstTile(
        weight=UINT2, activation=E4M3, accumulator=FP16, rows=1, columns=2, lanes=2, group=4
    ),
    "mixpe-float": MixPE(activation=E4M3, rows=1, columns=2, lanes=2, group=4),
    "mixpe-dequantised": MixPE(rows=1, columns=2, lanes=2, group=4, output=TileOutput.DEQUANTISED),
    "float-lookups": FloatLutTensorCore(
        activation=E4M3, accumulator=FP16, planes_per_cycle=1, rows=1, columns=2
    ),
    "tables": TablePrecompute(rows=1),
    "quadinr": QuadINR(stages=4),
    **{
        name: small_unit(name)
        for name in (
            *("piecewise_polynomial", "cordic_sine", "taylor_sine", "finer", "gabor"),
            "sinc_divider",
        )
    },
    "lmul": LMul(format=E4M3, stages=0),
    "mitchell": Mitchell(format=E5M2),
    "compensated-lmul": CompensatedLMul(format=E4M3, stages=2),
    "exact-lmul-tile": ExactLMulTile(rows=1, columns=2, lanes=2),
    "lmul-tile": LMulTile(
        weight=E4M3, activation=E4M3, accumulator=FP16, rows=1, columns=2, lanes=2
    ),
}
# Their records take several clocks.
SERIAL = {
    "lookups": LutTensorCore(
        weight=UINT4, run_time_bits=True, planes_per_cycle=2, rows=1, columns=2, group=8
    ),
    "network": small_unit("inr_network"),
    "bit-serial": BitSerialTile(rows=1, columns=2, lanes=2, group=4, stages=2),
}
BLOCKS = {
    name: unit(name).from_parameters({})
    for name in (
        "bitmod_bit_serial_multiplier",
        "bitmod_dequantiser",
        "bitmod_exponent_match",
        "bitmod_group_accumulator",
    )
}
TRIED = SPECS | FLOATS | SERIAL | BLOCKS


def made(spec, directory, style=Style.WORD, vectors=RECORDS):
    generate(spec, directory, style=style, name="dut", vectors=vectors, seed=SEED)
    return directory


@pytest.fixture(scope="module")
def tile(tmp_path_factory):
    return made(TILE, tmp_path_factory.mktemp("tile"))


@pytest.fixture(scope="module")
def slow(tmp_path_factory):
    return made(SlowSpec(), tmp_path_factory.mktemp("slow"))


def copied(source, target):
    return shutil.copytree(source, target / "copy")


def mutate(directory, pattern, replacement, file="dut.v", count=1):
    """Replace the first occurrence of a pattern, which must be there."""
    path = directory / file
    text, times = re.subn(pattern, replacement, path.read_text(), count=count, flags=re.M)
    assert times == 1, f"{pattern} is not in {file}"
    path.write_text(text)


# Compiling all of them in Verilator takes long, and `verify` runs every style there.
RUNS = [("icarus", name, style) for name in SPECS for style in Style]
RUNS += [("verilator", name, Style.WORD) for name in SPECS]
RUNS += [("verilator", "mixpe", style) for style in (Style.CELLS, Style.CELLS_PREFIX)]
RUNS += [("icarus", name, Style.WORD) for name in FLOATS | SERIAL | BLOCKS]
RUNS += [("verilator", name, Style.WORD) for name in ("mixpe-dequantised", "lookups")]
RUNS += [("icarus", "adder", Style.CELLS)]


def test_every_unit_is_tried():
    assert {spec.unit for spec in TRIED.values()} >= set(unit_names())


@pytest.mark.few(26)
@pytest.mark.parametrize(("simulator", "name", "style"), RUNS)
def test_bench_passes(tmp_path, simulator, name, style):
    line = verdict(SIMULATORS[simulator](made(TRIED[name], tmp_path, style), "dut"))
    found = re.fullmatch(r"PASS (\d+) records, (\d+) results", line)
    assert found, line
    assert int(found[1]) == RECORDS
    assert int(found[2]) >= RECORDS // 10


@pytest.mark.few(4)
@both
@pytest.mark.parametrize("name", ["integer_multiplier", "mixpe", "multiplier_tile"])
def test_bench_of_a_unit_as_it_comes_passes(tmp_path, simulator, name):
    spec = unit(name)()
    generate(spec, tmp_path, vectors=60, seed=SEED)
    line = verdict(SIMULATORS[simulator](tmp_path, name))
    assert re.fullmatch(r"PASS 60 records, [1-9]\d* results", line), line


# What is broken, how, and what the bench has to say.
BUGS = {
    "swapped operands": (
        r"wire \[3:0\] i_a_0_0 = i_payload\[3:0\];\n  wire \[3:0\] i_a_0_1 = i_payload\[7:4\];",
        "wire [3:0] i_a_0_1 = i_payload[3:0];\n  wire [3:0] i_a_0_0 = i_payload[7:4];",
        r"FAIL record \d+, result \d+: d\[0\]\[[01]\] expected [0-9a-f]+, got [0-9a-f]+",
    ),
    "inverted bit of the last output": (
        r"assign o_payload = (\{.*\});",
        r"assign o_payload = \1 ^ (1 << 9);",
        r"FAIL record \d+, result 0: d\[0\]\[1\] expected [0-9a-f]+, got [0-9a-f]+",
    ),
    "inverted last": (
        r"assign o_payload = \{ last,",
        r"assign o_payload = { ~last,",
        r"FAIL record \d+, result 0: last expected [01], got [01]",
    ),
    "no carry in the last adder": (
        r"assign sum = (\$signed\(\w+\)) \+ ",
        r"assign sum = \1 ^ ",
        r"FAIL record \d+, result \d+: d.* expected",
    ),
    "late valid": (
        r"    if \(rst\) o_valid <= 1'h0;\n    else o_valid <= (\w+);",
        r"    late <= \1 && !rst; o_valid <= late && !rst;",
        r"FAIL record \d+, result 0: expected after 1 clocks, got after 2",
    ),
    "early end of group": (r"position == 2'h3", "position == 2'h2", r"FAIL record \d+, result"),
    "no reset": (r"if \(rst\) position <= 2'h0;", "if (1'b0) position <= 0;", "FAIL record"),
    "pauses taken for records": (r"else if \(i_valid\) position", "else position", "FAIL record"),
    "no results": (
        r"else o_valid <= \w+;",
        "else o_valid <= 1'b0;",
        r"FAIL record \d+, result 0: expected [0-9a-f]+, got none for \d+ clocks",
    ),
    "too many results": (
        r"if \(rst\) o_valid <= 1'h0;\n    else o_valid <= \w+;",
        "o_valid <= 1'b1;",
        r"FAIL record \d+, result 0: expected behind its record, got before it",
    ),
}


@pytest.mark.few(12)
@both
@pytest.mark.parametrize("bug", BUGS)
def test_bench_fails_on_planted_bugs(tile, tmp_path, simulator, bug):
    pattern, replacement, wanted = BUGS[bug]
    directory = copied(tile, tmp_path)
    mutate(directory, pattern, replacement)
    if "late" in bug:
        mutate(directory, r"^  wire ends;", "  wire ends;\n  reg late = 0;")
    line = verdict(SIMULATORS[simulator](directory, "dut"))
    assert re.match(wanted, line), line


@both
def test_bench_fails_on_a_bug_in_the_shared_adders(tmp_path, simulator):
    directory = made(TILE, tmp_path, Style.CELLS)
    mutate(directory, r"\(a & b\) \| \(c & half\)", "(a & b)", "multipede_adders.v")
    assert verdict(SIMULATORS[simulator](directory, "dut")).startswith("FAIL record ")


@pytest.mark.parametrize(
    ("pattern", "replacement", "wanted"),
    [
        (r"assign o_payload = (\{.*\});", r"assign o_payload = \1 ^ {1'bx, 8'b0};", r"d\[0\]\[0\]"),
        (r"else o_valid <= \w+;", "else o_valid <= 1'bx;", "o_valid is x"),
    ],
)
def test_bench_fails_on_unknown_outputs(tile, tmp_path, pattern, replacement, wanted):
    # Verilator knows no X: there an unknown bit is a wrong one, or not.
    directory = copied(tile, tmp_path)
    mutate(directory, pattern, replacement)
    line = verdict(SIMULATORS["icarus"](directory, "dut"))
    assert re.match(rf"FAIL record \d+.*{wanted}", line), line


SLOW_BUGS = {
    "payload changes while stalled": (
        r"if \(rst\) o_payload <= 8'h00;",
        "if (other) o_payload <= ~o_payload; else if (rst) o_payload <= 8'h00;",
        r"FAIL result \d+: it changed while o_ready was 0",
    ),
    "never ready": (
        r"assign i_ready = .*;",
        "assign i_ready = 1'b0;",
        r"FAIL record 0: expected to be taken, got none for \d+ clocks",
    ),
    "stuck after some records": (
        r"assign i_ready = (.*);",
        r"assign i_ready = (\1) && taken < 50;",
        r"FAIL record [1-9]\d*: expected to be taken, got none for \d+ clocks",
    ),
    "result dropped while stalled": (
        r"assign o_valid = (.*);",
        r"assign o_valid = (\1) && !other;",
        r"FAIL result \d+: it changed while o_ready was 0",
    ),
}
EXTRA = """\
  reg other = 0;
  reg [7:0] taken = 0;
  always @(posedge clk) begin
    other <= o_valid && !o_ready;
    taken <= taken + (i_valid && i_ready);
  end
"""


@both
@pytest.mark.parametrize("bug", SLOW_BUGS)
def test_bench_fails_on_broken_handshakes(slow, tmp_path, simulator, bug):
    pattern, replacement, wanted = SLOW_BUGS[bug]
    directory = copied(slow, tmp_path)
    mutate(directory, pattern, replacement)
    mutate(directory, r"^\);\n", f");\n{EXTRA}")
    line = verdict(SIMULATORS[simulator](directory, "dut"))
    assert re.match(wanted, line), line


DAMAGE = {
    "half the inputs": ("inputs", lambda text: text[: len(text) // 2]),
    "half the outputs": ("outputs", lambda text: text[: len(text) // 2]),
    "inputs without their last line": ("inputs", lambda text: _lines(text, -1)),
    "outputs without their last line": ("outputs", lambda text: _lines(text, -1)),
    "outputs with one line less": ("outputs", lambda text: _lines(text, -2) + _last(text)),
    "outputs cut in the last number": ("outputs", lambda text: text.rstrip()[:-1]),
    "empty inputs": ("inputs", lambda text: ""),
    "empty outputs": ("outputs", lambda text: ""),
    "no hexadecimal digits": ("inputs", lambda text: "zebra\n" + text),
    "missing inputs": ("inputs", None),
    "missing outputs": ("outputs", None),
}


def _lines(text, stop):
    return "".join(text.splitlines(keepends=True)[:stop])


def _last(text):
    return text.splitlines(keepends=True)[-1]


@both
@pytest.mark.parametrize("damage", DAMAGE)
def test_bench_fails_on_damaged_vectors(tile, tmp_path, simulator, damage):
    which, change = DAMAGE[damage]
    directory = copied(tile, tmp_path)
    path = directory / f"dut_{which}.hex"
    text = path.read_text()
    path.unlink()
    if change is not None:
        path.write_text(change(text))
    line = verdict(SIMULATORS[simulator](directory, "dut"))
    assert line.startswith("FAIL"), line
    if change is None:
        assert line == f"FAIL dut_{which}.hex cannot be read"


def test_commands_in_the_header_name_the_files(tmp_path):
    directory = made(TILE, tmp_path, Style.CELLS)
    header = (directory / "dut_tb.v").read_text().split("\nmodule ")[0]
    commands = re.findall(r"^//   \$ (.*)$", header, re.M)
    assert [command.split()[0] for command in commands] == [
        "verilator",
        "obj_dir/Vdut_tb",
        "iverilog",
        "vvp",
    ]
    for command in commands[0::2]:
        assert command.split()[-3:] == ["dut.v", "multipede_adders.v", "dut_tb.v"]
