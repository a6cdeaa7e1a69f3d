"""Products by Mitchell's logarithm on rationals, one pair at a time, and the choices in words.

Mitchell's logarithm of 2**e (1 + f) is e + f. What is added, the correction, is in units of the
last mantissa bit. Codes are taken apart by their definition; nothing is shared with the reference.
"""

import math
from fractions import Fraction

from multipede.golden.formats import Float, Specials
from multipede.golden.logarithmic_policies import (
    Policies,
    SmallOperands,
    SpecialOperands,
    SpecialSums,
    SumOverflow,
    SumUnderflow,
    ZeroSign,
)


def product_code(number_format: Float, policies: Policies, a: int, b: int, correction: int) -> int:
    """The code of the product of codes."""
    x, y = (_Parts(number_format, code) for code in (a, b))
    sign = x.sign ^ y.sign
    kinds = [part.kind(policies.small_operands) for part in (x, y)]
    nan = number_format.nan_code
    if policies.special_operands is SpecialOperands.IEEE:
        impossible = "infinite" in kinds and "small" in kinds
        if nan is not None and ("nan" in kinds or impossible):
            return nan
        if "infinite" in kinds:
            return _coded(number_format, sign, number_format.infinity_code)
    if "small" in kinds:
        keeps = policies.zero_sign is ZeroSign.PRODUCT
        return _coded(number_format, sign if keeps else 0, 0)
    total = x.logarithm + y.logarithm + Fraction(correction, 1 << number_format.mantissa_bits)
    return _of_logarithm(number_format, policies, sign, total)


class _Parts:
    def __init__(self, number_format: Float, code: int):
        text = format(code, f"0{number_format.bits}b")
        self.sign = int(text[0]) if number_format.signed else 0
        fields = text[number_format.signed :]
        self.exponent = int(fields[: number_format.exponent_bits], 2)
        self.mantissa = int(fields[number_format.exponent_bits :], 2)
        self.number_format = number_format

    @property
    def logarithm(self) -> Fraction:
        """Of what the code would be if it were normal."""
        fraction = Fraction(self.mantissa, 1 << self.number_format.mantissa_bits)
        return self.exponent - self.number_format.bias + fraction

    def kind(self, small: SmallOperands) -> str:
        number_format = self.number_format
        full = 2**number_format.exponent_bits - 1
        ones = 2**number_format.mantissa_bits - 1
        if number_format.specials is Specials.IEEE and self.exponent == full:
            return "nan" if self.mantissa else "infinite"
        if number_format.specials is Specials.FN and (self.exponent, self.mantissa) == (full, ones):
            return "nan"
        is_zero = self.exponent == 0 and self.mantissa == 0
        if small is SmallOperands.FLUSH and self.exponent == 0:
            return "small"
        return "small" if small is SmallOperands.ZERO and is_zero else "number"


def _coded(number_format: Float, sign: int, magnitude: int) -> int:
    return magnitude + (sign << (number_format.bits - 1) if number_format.signed else 0)


def _of_logarithm(number_format: Float, policies: Policies, sign: int, total: Fraction) -> int:
    """The code whose number has this logarithm, if there is one."""
    exponent = math.floor(total)
    mantissa = int((total - exponent) * (1 << number_format.mantissa_bits))
    field = exponent + number_format.bias
    magnitude = field * (1 << number_format.mantissa_bits) + mantissa
    wrapped = magnitude % (1 << (number_format.exponent_bits + number_format.mantissa_bits))
    beyond_codes = field >= 1 << number_format.exponent_bits
    special = not beyond_codes and magnitude > number_format.maximum_code
    if beyond_codes or (special and policies.special_sums is SpecialSums.OVERFLOW):
        return _beyond(number_format, policies, sign, wrapped)
    lost = {
        SumUnderflow.FLUSH: field <= 0,
        SumUnderflow.NEGATIVE: field < 0,
        SumUnderflow.WRAP: False,
    }[policies.underflow]
    if lost:
        return _coded(number_format, 0 if policies.zero_sign is ZeroSign.POSITIVE else sign, 0)
    return _coded(number_format, sign, wrapped)


def _beyond(number_format: Float, policies: Policies, sign: int, wrapped: int) -> int:
    ones = (1 << (number_format.exponent_bits + number_format.mantissa_bits)) - 1
    magnitude = {
        SumOverflow.WRAP: wrapped,
        SumOverflow.ALL_ONES: ones,
        SumOverflow.SATURATE: number_format.maximum_code,
    }.get(policies.overflow)
    if magnitude is None:
        if number_format.infinity_code is not None:
            magnitude = number_format.infinity_code
        elif number_format.nan_code is not None:
            return number_format.nan_code
        else:
            magnitude = number_format.maximum_code
    return _coded(number_format, sign, magnitude)
