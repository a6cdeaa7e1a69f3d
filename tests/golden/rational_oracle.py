"""Floating-point operations from their definitions, in exact rationals, one number at a time.

Written for the tests, without the library's arithmetic: of a format only its parameters are
used. The neighbours of a number are searched among all values of the format where these are
few, and computed where they are many.
"""

import math
from bisect import bisect_right
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from itertools import islice
from typing import NamedTuple

import numpy as np
import torch

from multipede.golden.float_adder import FloatAdder
from multipede.golden.float_multiplier import FloatMultiplier
from multipede.golden.formats import Float, Format, Overflow, Rounding, Specials
from multipede.golden.fused_multiply_add import FusedMultiplyAdd
from multipede.golden.rounded_operation import NanResult, RoundedOperation

LISTED_BITS = 12


class Number(NamedTuple):
    """A rational, an infinity or NaN; `negative` is the sign, also that of zero."""

    value: Fraction | float
    negative: bool

    @property
    def nan(self) -> bool:
        return self is NAN

    @property
    def infinite(self) -> bool:
        return type(self.value) is float and self is not NAN


NAN = Number(math.nan, False)


def product(a: Number, b: Number) -> Number:
    negative = a.negative != b.negative
    if a.nan or b.nan or (a.infinite and b.value == 0) or (a.value == 0 and b.infinite):
        return NAN
    if a.infinite or b.infinite:
        return Number(-math.inf if negative else math.inf, negative)
    return Number(a.value * b.value, negative)


def total(a: Number, b: Number, rounding: Rounding) -> Number:
    if a.nan or b.nan or (a.infinite and b.infinite and a.negative != b.negative):
        return NAN
    if a.infinite or b.infinite:
        return a if a.infinite else b
    value = a.value + b.value
    if value == 0:
        agreed = a.negative == b.negative
        return Number(value, a.negative if agreed else rounding is Rounding.DOWN)
    return Number(value, value < 0)


@cache
def magnitudes(number_format: Float) -> dict[str, int | None]:
    """The highest finite code, infinity and NaN, as `Specials` defines them; without sign."""
    ones = (1 << number_format.exponent_bits + number_format.mantissa_bits) - 1
    match number_format.specials:
        case Specials.FINITE:
            return {"last": ones, "infinity": None, "nan": None}
        case Specials.FN:
            return {"last": ones - 1, "infinity": None, "nan": ones}
        case Specials.IEEE:
            fractions = 1 << number_format.mantissa_bits
            infinity = ones - (fractions - 1)
            nan = infinity + fractions // 2 if fractions > 1 else None
            return {"last": infinity - 1, "infinity": infinity, "nan": nan}


def value_of(number_format: Float, magnitude: int) -> Fraction:
    """Of a finite code without sign, continued in both directions of the range."""
    exponent, mantissa = divmod(magnitude, 1 << number_format.mantissa_bits)
    fraction = Fraction(mantissa, 1 << number_format.mantissa_bits)
    if exponent <= 0 and number_format.subnormals:
        return Fraction(2) ** (1 - number_format.bias) * fraction
    return Fraction(2) ** (exponent - number_format.bias) * (1 + fraction)


def number(number_format: Format, code: int) -> Number:
    if not isinstance(number_format, Float):
        value = Fraction(code, 1 << number_format.fraction_bits)
        return Number(value, value < 0)
    sign, magnitude = divmod(code, 1 << number_format.exponent_bits + number_format.mantissa_bits)
    special = magnitudes(number_format)
    if magnitude == special["infinity"]:
        return Number(-math.inf if sign else math.inf, bool(sign))
    if magnitude > special["last"]:
        return NAN
    value = value_of(number_format, magnitude)
    if number_format.zero and not number_format.subnormals:
        value *= magnitude >= 1 << number_format.mantissa_bits
    return Number(-value if sign else value, bool(sign))


class Numbers(dict):
    """The numbers of a format by code, made when first asked for."""

    def __init__(self, number_format: Format) -> None:
        self.number_format = number_format

    def __missing__(self, code: int) -> Number:
        self[code] = number(self.number_format, code)
        return self[code]


def chosen(
    low: tuple[int, Fraction], high: tuple[int, Fraction], number: Number, rounding: Rounding
) -> int:
    """The code of the neighbour that `number` becomes; both by code and magnitude."""
    down, up = abs(number.value) - low[1], high[1] - abs(number.value)
    if down == 0:
        return low[0]
    match rounding:
        case Rounding.NEAREST_EVEN if down == up:
            upwards = high[0] % 2 == 0
        case Rounding.NEAREST_EVEN | Rounding.NEAREST_AWAY:
            upwards = up <= down
        case Rounding.TOWARD_ZERO:
            upwards = False
        case Rounding.DOWN:
            upwards = number.negative
        case Rounding.UP:
            upwards = not number.negative
    return high[0] if upwards else low[0]


@cache
def listed(number_format: Float) -> tuple[int, list[Fraction]]:
    """The first code and all values, with one more on either side of the range."""
    first = 0
    if not number_format.subnormals:
        first = (1 << number_format.mantissa_bits if number_format.zero else 0) - 1
    codes = range(first, magnitudes(number_format)["last"] + 2)
    return first, [value_of(number_format, code) for code in codes]


def neighbours_by_search(
    number_format: Float, value: Fraction
) -> tuple[tuple[int, Fraction], tuple[int, Fraction]]:
    """Codes and values next to a magnitude; beyond the list its end counts for all."""
    first, values = listed(number_format)
    place = bisect_right(values, value)
    low, high = max(place - 1, 0), min(place, len(values) - 1)
    if low == high or place == 0:
        return (first + low, value), (first + low, value)
    return (first + low, values[low]), (first + high, values[high])


def neighbours_by_logarithm(
    number_format: Float, value: Fraction
) -> tuple[tuple[int, Fraction], tuple[int, Fraction]]:
    bias, mantissa_bits = number_format.bias, number_format.mantissa_bits
    if value == 0:
        code = 0 if number_format.subnormals else -(1 << 40)
        return (code, value), (code, value)
    exponent = value.numerator.bit_length() - value.denominator.bit_length()
    if value < Fraction(2) ** exponent:
        exponent -= 1
    if number_format.subnormals:
        exponent = max(exponent, 1 - bias)
    step = Fraction(2) ** (exponent - mantissa_bits)
    steps = value // step
    code = (exponent + bias) * (1 << mantissa_bits) + steps - (1 << mantissa_bits)
    return (code, steps * step), (code + 1, (steps + 1) * step)


def rounded_magnitude(number_format: Float, number: Number, rounding: Rounding) -> int:
    """The code without sign in unbounded range."""
    few = number_format.bits <= LISTED_BITS
    neighbours = neighbours_by_search if few else neighbours_by_logarithm
    low, high = neighbours(number_format, abs(number.value))
    code = chosen(low, high, number, rounding)
    if number_format.zero and not number_format.subnormals:
        return code if code >= 1 << number_format.mantissa_bits else 0
    return code


def float_code(
    number_format: Float, number: Number, rounding: Rounding, overflow: Overflow, nan: NanResult
) -> int:
    special = magnitudes(number_format)
    sign = 1 << number_format.exponent_bits + number_format.mantissa_bits
    sign = sign if number.negative and number_format.signed else 0
    no_number = special["nan"]
    if no_number is None:
        no_number = special["last"] if nan is NanResult.MAXIMUM else 0
    if number.nan:
        return no_number
    low = number.negative
    if not number.infinite:
        code = rounded_magnitude(number_format, number, rounding)
        zero = code == 0 and number_format.zero
        low |= code < 0
        if 0 <= code <= special["last"] and (number_format.signed or zero or not number.negative):
            return code | sign
    has_infinity = special["infinity"] is not None and (number_format.signed or not low)
    if number.infinite and has_infinity:
        return special["infinity"] | sign
    nearest = 0 if low and not number_format.signed else special["last"] | sign
    inwards = rounding in (Rounding.TOWARD_ZERO, Rounding.UP if low else Rounding.DOWN)
    if overflow is Overflow.SATURATE:
        return nearest
    if overflow is Overflow.INFINITY and inwards and not number.infinite:
        return nearest
    if overflow is Overflow.INFINITY and has_infinity:
        return special["infinity"] | sign
    return special["nan"]


def integer_code(
    number_format: Format, number: Number, rounding: Rounding, overflow: Overflow, nan: NanResult
) -> int:
    half = 1 << (number_format.bits - 1)
    low, high = (-half, half - 1) if number_format.signed else (0, 2 * half - 1)
    if number.nan or (number.infinite and overflow is Overflow.WRAP):
        return high if nan is NanResult.MAXIMUM else 0
    if number.infinite:
        return low if number.negative else high
    scaled = Number(number.value * (1 << number_format.fraction_bits), number.negative)
    floor = math.floor(abs(scaled.value))
    below, above = (floor, Fraction(floor)), (floor + 1, Fraction(floor + 1))
    code = chosen(below, above, scaled, rounding)
    code = -code if number.negative else code
    if overflow is Overflow.WRAP:
        return (code - low) % (2 * half) + low
    return min(max(code, low), high)


def policy_of(spec: RoundedOperation) -> Overflow:
    """What `overflow` stands for: None is INFINITY where there is NaN or both infinities."""
    if spec.overflow is not None:
        return spec.overflow
    if not isinstance(spec.result, Float):
        return Overflow.SATURATE
    special = magnitudes(spec.result)
    able = special["nan"] is not None
    able |= spec.result.signed and special["infinity"] is not None
    return Overflow.INFINITY if able else Overflow.SATURATE


def exact_result(spec: RoundedOperation, operands: list[Number]) -> Number:
    match spec:
        case FloatMultiplier():
            return product(*operands)
        case FloatAdder():
            return total(*operands, spec.rounding)
        case FusedMultiplyAdd():
            a, b, c = operands
            return total(product(a, b), c, spec.rounding)
    (x,) = operands
    return x


class Oracle:
    """Expected codes of one specification; results that recur are rounded once."""

    def __init__(self, spec: RoundedOperation) -> None:
        self.spec = spec
        self.policy = policy_of(spec)
        self.numbers = [Numbers(getattr(spec, name)) for name in spec.operands]
        self.known: dict[tuple, int] = {}

    def __call__(self, *codes: int) -> int:
        operands = [numbers[code] for numbers, code in zip(self.numbers, codes, strict=True)]
        exact = exact_result(self.spec, operands)
        key = exact
        if type(exact.value) is Fraction:
            key = exact.value.numerator, exact.value.denominator, exact.negative
        if key not in self.known:
            self.known[key] = self.code(exact)
        return self.known[key]

    def code(self, exact: Number) -> int:
        spec = self.spec
        encode = float_code if isinstance(spec.result, Float) else integer_code
        return encode(spec.result, exact, spec.rounding, self.policy, spec.nan)


def reference(spec: RoundedOperation, *codes: np.ndarray) -> np.ndarray:
    """The unit's results."""
    tensors = {n: torch.from_numpy(c) for n, c in zip(spec.operands, codes, strict=True)}
    outputs, state = spec.reference(**tensors)
    assert state is None
    return outputs[spec.result_port].numpy()


def mismatches(
    spec: RoundedOperation, *codes: np.ndarray, oracle: Callable[..., int] | None = None
) -> list[str]:
    """The first five records in which the unit differs from the rationals, in words."""
    oracle = oracle or Oracle(spec)
    got = reference(spec, *codes).tolist()
    assert len(got) == len(codes[0])
    records = zip(zip(*(c.tolist() for c in codes), strict=True), got, strict=True)
    wrong = (
        f"{spec}: {record} gives {result}, not {oracle(*record)}"
        for record, result in records
        if result != oracle(*record)
    )
    return list(islice(wrong, 5))


def all_tuples(*formats: Format) -> list[np.ndarray]:
    """All combinations of codes, one array per format."""
    grid = np.meshgrid(*(f.codes() for f in formats), indexing="ij")
    return [axis.ravel() for axis in grid]
