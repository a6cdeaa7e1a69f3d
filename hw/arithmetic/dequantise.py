"""One step of a dequantiser: a group's result times its scale, added and rounded once.

Each builder makes the circuit of one result. ``nan`` is there where a group may hold what is no
number; it makes the result NaN.
"""

from dataclasses import replace

from multipede.golden.formats import FP32, FixedPoint, Float, Integer, Overflow, Rounding
from multipede.hw.arithmetic.circuit import ZERO, Bit, Circuit, Term, Word, opposite
from multipede.hw.arithmetic.float_product import exact_product, product_specials
from multipede.hw.arithmetic.fused_sum import fused_sum
from multipede.hw.arithmetic.operands import Number, Range, unpack
from multipede.hw.arithmetic.round_pack import round_to_float
from multipede.hw.arithmetic.significand_product import product_terms
from multipede.hw.arithmetic.special_results import finish_float

__all__ = ["channel_product", "float_step", "integer_step", "scaled_sum"]

_NEAREST = Rounding.NEAREST_EVEN
_POLICY = (FP32, _NEAREST, Overflow.INFINITY)


def float_step(
    d: Integer | FixedPoint, exponent: tuple[int, int] | None, has_nan: bool, scale: Float
) -> Circuit:
    """``d``, ``scale``, ``y`` -> ``y`` = RNE(y + scale d).

    With ``exponent`` = (highest, offset) there is an input of that name, and the number is
    d 2**(exponent - offset).
    """
    c = Circuit()
    x = unpack(c, d, c.input("d", d.bits), "d")
    if exponent is not None:
        x = _scaled(c, x, *exponent)
    if has_nan:
        x = replace(x, nan=c.input("nan", 1)[0])
    s = unpack(c, scale, c.input("scale", scale.bits), "scale")
    y = unpack(c, FP32, c.input("sum", FP32.bits), "y")
    total = fused_sum(c, x, s, y, FP32)
    flags = {"infinite": total.infinite, "infinite_sign": total.infinite_sign, "nan": total.nan}
    rounded = round_to_float(c, total.exact, FP32, _NEAREST)
    c.output("next_sum", finish_float(c, rounded, *_POLICY, **flags, nan_code=FP32.nan_code))
    return c


def integer_step(d: Integer | FixedPoint, has_nan: bool, scale: Integer, width: int) -> Circuit:
    """``d``, ``scale``, ``sum`` -> ``next_sum`` = sum + scale d modulo 2**width, two's complement;
    above it, with ``has_nan``, a bit that stays 1 once ``nan`` was.
    """
    c = Circuit()
    x, s = c.input("d", d.bits), c.input("scale", scale.bits)
    before = c.input("sum", width + has_nan)
    after = scaled_sum(c, (d, x), (scale, s), before[:width])
    if has_nan:
        after += c.either(c.input("nan", 1), before[width:], "sticky_nan")
    c.output("next_sum", after)
    return c


def scaled_sum(
    c: Circuit,
    d: tuple[Integer | FixedPoint, Word],
    scale: tuple[Integer, Word],
    before: Word,
) -> Word:
    """before + scale d modulo the width of ``before``; factors are formats with their codes."""
    x, s = unpack(c, *d, "d"), unpack(c, *scale, "scale")
    terms = [*product_terms(c, x, s, ZERO, len(before)), Term(before)]
    return c.sum(len(before), terms, "z")


def channel_product(z: Integer | FixedPoint, has_nan: bool, scale: Float) -> Circuit:
    """``sum`` as `integer_step` leaves it, ``scale`` -> ``y`` = RNE(scale z)."""
    c = Circuit()
    word = c.input("sum", z.bits + has_nan)
    x = unpack(c, z, word[: z.bits], "z")
    s = unpack(c, scale, c.input("scale", scale.bits), "scale")
    rounded = round_to_float(c, exact_product(c, x, s), FP32, _NEAREST)
    infinite, nan = product_specials(c, x, s)
    nan = c.any_of((nan, *word[z.bits :]), "nan_or_sticky")
    flags = {"infinite": infinite, "infinite_sign": None, "nan": nan}
    c.output("y", finish_float(c, rounded, *_POLICY, **flags, nan_code=FP32.nan_code))
    return c


def _scaled(c: Circuit, x: Number, highest: int, offset: int) -> Number:
    """The number times 2**(exponent - offset); zero keeps the exponent 0."""
    word = c.input("exponent", highest.bit_length())
    nonzero: Bit = opposite(x.zero)
    shape = replace(
        x.shape,
        unit=x.shape.unit - offset,
        exponent_bits=len(word),
        ranges=tuple(Range(0, highest, r.smallest, r.largest) for r in x.shape.ranges),
    )
    return replace(x, shape=shape, exponent=c.both(word, (nonzero,), "exponent_of_nonzero"))
