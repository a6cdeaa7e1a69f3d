"""Floating-point units of small formats against a table: the reference's result for every code."""

from dataclasses import replace

import numpy as np

from multipede.golden.float_format import Float
from multipede.golden.formats import FixedPoint, Format, Integer
from multipede.golden.rounded_operation import RoundedOperation
from multipede.hw import Style
from multipede.sim.formal_harness import payload_bits
from multipede.sim.formal_pipelines import against
from multipede.sim.formal_solver import Obligation
from multipede.sim.verilog import verilog_of

__all__ = ["TABLE_BITS", "small_formats", "table_of", "unit_against_table"]

TABLE_BITS = 12
"""Input bits of the largest table."""


def small_formats(spec: RoundedOperation) -> RoundedOperation:
    """The unit without register ranks, and as it is if a table of it is small enough; otherwise
    with formats of few bits that have the same signs, subnormals and specials."""
    plain = replace(spec, stages=0)
    if payload_bits(plain.inputs) <= TABLE_BITS:
        return plain
    each = TABLE_BITS // len(spec.operands)
    formats = {name: _small(getattr(spec, name), each) for name in spec.operands}
    return replace(plain, **formats, result=_small(spec.result, each))


def _small(number_format: Format, bits: int) -> Format:
    if number_format.bits <= bits:
        return number_format
    if isinstance(number_format, Integer):
        return Integer(bits, number_format.signed)
    if isinstance(number_format, FixedPoint):
        fraction = min(number_format.fraction_bits, bits // 2)
        return FixedPoint(bits, fraction, number_format.signed)
    magnitude = bits - number_format.signed
    exponent = min(number_format.exponent_bits, (magnitude + 1) // 2)
    return Float(
        exponent,
        min(number_format.mantissa_bits, magnitude - exponent),
        signed=number_format.signed,
        subnormals=number_format.subnormals,
        zero=number_format.zero,
        specials=number_format.specials,
    )


def table_of(spec: RoundedOperation) -> str:
    """Verilog of a module ``gold`` that looks every result up; one column per bit of it."""
    import torch

    width = payload_bits(spec.inputs)
    payloads = np.arange(1 << width)
    inputs, low = {}, 0
    for name, port in spec.inputs.items():
        codes = port.format.from_bits(payloads >> low & ((1 << port.bits) - 1))
        inputs[name] = torch.from_numpy(np.asarray(codes, np.int64))
        low += port.bits
    outputs, _ = spec.reference(**inputs)
    results = np.asarray(spec.result.to_bits(outputs[spec.result_port].numpy()))
    lines = [
        "// table of the reference",
        "",
        "module gold(",
        f"  input [{width - 1}:0] i_payload,",
        "  input i_valid,",
        f"  output [{spec.result.bits - 1}:0] o_payload,",
        "  output o_valid",
        ");",
        "  assign o_valid = i_valid;",
    ]
    for bit in range(spec.result.bits):
        # The result of payload 0 in the lowest place.
        column = np.packbits((results >> bit & 1).astype(np.uint8)[::-1]).tobytes().hex()
        lines.append(f"  wire [{len(results) - 1}:0] column{bit} = {len(results)}'h{column};")
        lines.append(f"  assign o_payload[{bit}] = column{bit}[i_payload];")
    return "\n".join([*lines, "endmodule", ""])


def unit_against_table(spec: RoundedOperation, style: Style) -> Obligation:
    """The unit, without register ranks, gives what the reference gives, for all codes.

    It must have from 3 to ``TABLE_BITS`` input bits.
    """
    formats = [f"{name} = {getattr(spec, name)}" for name in (*spec.operands, "result")]
    return against(
        spec,
        verilog_of(spec, style, name="gate"),
        table_of(spec),
        name="table",
        claim=f"{spec.unit} with {', '.join(formats)} gives the reference's result for all codes",
        style=style.value,
    )
