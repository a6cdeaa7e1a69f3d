"""A lookup tile of one table against a naive specification: unfold the weights and multiply."""

from dataclasses import replace

from multipede.golden.formats import Integer
from multipede.golden.integer_tile import TileOutput
from multipede.golden.lut_tensor_core import LutTensorCore, Tables
from multipede.hw import Style
from multipede.sim.formal_pipelines import against
from multipede.sim.formal_solver import Obligation
from multipede.sim.formal_tiles import extended
from multipede.sim.verilog import verilog_of

__all__ = ["lookups_against_naive", "one_table"]

_OPERAND_BITS = 16
"""bits of a table's weights and activations that the solver manages in a minute"""
_FEW_INPUTS = 3
"""inputs of a table up to which weights of two bits are proved, else of one: planes are alike"""


def one_table(spec: LutTensorCore) -> LutTensorCore:
    """The tile with one row, column and table, whose every record is a group, all planes in one
    clock, of formats that the solver manages."""
    bits = min(2 if spec.table_inputs <= _FEW_INPUTS else 1, spec.weight.bits)
    activation_bits = max(2, _OPERAND_BITS // spec.table_inputs - bits)
    return replace(
        spec,
        rows=1,
        columns=1,
        lanes=spec.table_inputs,
        group=spec.table_inputs,
        stages=1,
        activation=Integer(min(activation_bits, spec.activation.bits)),
        weight=spec.with_bits(bits),
        planes_per_cycle=None,
        run_time_bits=False,
        tables=Tables.INTERNAL,
        accumulator=None,
        output=TileOutput.GROUP,
    )


def naive_lookup(spec: LutTensorCore) -> str:
    """Verilog of what a tile of one table does, written from its definition."""
    a, b, k, d = spec.activation.bits, spec.weight.bits, spec.table_inputs, spec.result.bits
    weights, zero = a * k, (a + b) * k
    last = zero + b * spec.zero_point
    lines = []
    top = f"i_payload[{weights + b * k - 1}:{weights + b * (k - 1)}]"
    word = f"  wire signed [{d + 1}:0]"
    for lane in range(k):
        low = weights + b * lane
        folded = f"i_payload[{low + b - 1}:{low}]"
        code = f"{folded} ^ {top}" if spec.folded and lane < k - 1 else folded
        activation = extended("i_payload", a * lane, spec.activation)
        lines.append(f"  wire [{b - 1}:0] q{lane} = {code};\n")
        lines.append(f"{word} w{lane} = {_weight(spec, f'q{lane}')};\n")
        lines.append(f"{word} a{lane} = {activation};\n")
    z = extended("i_payload", zero, spec.weight) if spec.zero_point else "0"
    total = " + ".join(f"(w{lane} - z) * a{lane}" for lane in range(k))
    return (
        "// naive tile of one table\n\nmodule gold(\n  input clk,\n  input rst,\n"
        f"  input [{last}:0] i_payload,\n  input i_valid,\n"
        f"  output reg [{d}:0] o_payload,\n  output reg o_valid\n);\n"
        + "".join(lines)
        + f"{word} z = {z};\n{word} d = {total};\n"
        "  always @(posedge clk) begin\n    o_valid <= i_valid;\n"
        f"    if (i_valid) o_payload <= {{i_payload[{last}], d[{d - 1}:0]}};\n"
        "    if (rst) o_valid <= 0;\n  end\nendmodule\n"
    )


def _weight(spec: LutTensorCore, code: str) -> str:
    """The integer that a code stands for."""
    unsigned = f"$signed({{1'b0, {code}}})"
    if spec.is_odd:
        return f"2 * {unsigned} - {(1 << spec.weight.bits) - 1}"
    return f"$signed({code})" if spec.weight.signed else unsigned


def lookups_against_naive(spec: LutTensorCore, style: Style) -> Obligation:
    """The tile, one of one table, in ``style`` does what the naive one does."""
    gate, gold = verilog_of(spec, style, name="gate"), naive_lookup(spec)
    claim = f"{spec.unit} of one table of {spec.table_inputs} lanes, all planes at once,"
    claim += f" {spec.weight} x {spec.activation}, is the sum of "
    claim += "(w - z) * a" if spec.zero_point else "w * a"
    return against(spec, gate, gold, name="naive", claim=claim, style=style.value)
