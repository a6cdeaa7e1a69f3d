"""An integer product, row by row on a bit heap, against ``a * b``."""

from dataclasses import replace

from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.hw import Style
from multipede.sim.formal_pipelines import against
from multipede.sim.formal_solver import Obligation
from multipede.sim.formal_tiles import NARROW, PRODUCT, extended
from multipede.sim.verilog import verilog_of

__all__ = ["naive_product", "product_against_naive", "provable_product"]


def provable_product(spec: IntegerMultiplier) -> IntegerMultiplier:
    """The multiplier without register ranks; of narrower formats where its own are too large for
    the solver."""
    plain = replace(spec, stages=0)
    if spec.a.bits * spec.b.bits <= PRODUCT:
        return plain
    b, a = (min(limit, f.bits) for limit, f in zip(NARROW, (spec.b, spec.a), strict=True))
    return replace(plain, a=replace(spec.a, bits=a), b=replace(spec.b, bits=b))


def naive_product(spec: IntegerMultiplier) -> str:
    """Verilog of the definition."""
    a, b, bits = spec.a, spec.b, spec.product.bits
    return (
        "// naive product\n\nmodule gold(\n"
        f"  input [{a.bits + b.bits - 1}:0] i_payload,\n  input i_valid,\n"
        f"  output [{bits - 1}:0] o_payload,\n  output o_valid\n);\n"
        f"  wire signed [{bits}:0] a = {extended('i_payload', 0, a)};\n"
        f"  wire signed [{bits}:0] b = {extended('i_payload', a.bits, b)};\n"
        "  assign o_payload = a * b;\n  assign o_valid = i_valid;\nendmodule\n"
    )


def product_against_naive(spec: IntegerMultiplier, style: Style) -> Obligation:
    """The multiplier, without register ranks, in ``style`` multiplies."""
    obligation = against(
        spec,
        verilog_of(spec, style, name="gate"),
        naive_product(spec),
        name="naive",
        claim=f"{spec.unit} is a * b, {spec.a} x {spec.b}, {spec.partial_products.value}",
        style=style.value,
    )
    return replace(obligation, sweep=True)
