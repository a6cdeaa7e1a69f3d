"""Sums, products and fused sums of FP32, TF32, BF16 and FP16 through numpy's float64, as fast
as the library and on another way.

A float64 holds every product of two FP32 numbers. A sum is rounded to odd in float64: TwoSum
gives its error, and where that is not zero and the sum's last bit is even, the neighbour on the
error's side is taken. A number that is rounded to odd with two bits to spare rounds to any
shorter precision as the exact one does (Boldo and Melquiond, IEEE Trans. Computers 57, 2008).
"""

import numpy as np

from multipede.golden.float_adder import FloatAdder
from multipede.golden.float_multiplier import FloatMultiplier
from multipede.golden.formats import BF16, FP16, FP32, TF32, Float, Rounding
from multipede.golden.fused_multiply_add import FusedMultiplyAdd
from multipede.golden.rounded_operation import RoundedOperation

SHIFTS = {FP32: 0, TF32: 13, BF16: 16}
"""bits of an FP32 pattern that the format lacks"""


def decoded(number_format: Float, codes: np.ndarray) -> np.ndarray:
    """The values of codes as float64."""
    with np.errstate(invalid="ignore"):
        if number_format == FP16:
            return codes.astype(np.uint16).view(np.float16).astype(np.float64)
        patterns = codes.astype(np.uint32) << np.uint32(SHIFTS[number_format])
        return patterns.view(np.float32).astype(np.float64)


def exact_or_odd(spec: RoundedOperation, values: list[np.ndarray]) -> np.ndarray:
    """The result of the operation on float64 `values`, exact or rounded to odd."""
    with np.errstate(invalid="ignore"):
        match spec:
            case FloatMultiplier():
                a, b = values
                return a * b
            case FloatAdder():
                a, b = values
                return odd_sum(a, b, spec.rounding)
            case FusedMultiplyAdd():
                a, b, c = values
                return odd_sum(a * b, c, spec.rounding)
    raise ValueError(f"{spec} is no sum, product or fused multiply-add")


def expected(spec: RoundedOperation, *codes: np.ndarray) -> np.ndarray:
    """The codes of the results."""
    formats = [getattr(spec, name) for name in spec.operands]
    values = [decoded(f, c) for f, c in zip(formats, codes, strict=True)]
    return encoded(spec.result, exact_or_odd(spec, values), spec.rounding)


def odd_sum(a: np.ndarray, b: np.ndarray, rounding: Rounding) -> np.ndarray:
    """a + b rounded to odd; `rounding` is for the sign of zero."""
    with np.errstate(invalid="ignore"):
        total = a + b
        b_part = total - a
        error = (a - (total - b_part)) + (b - b_part)
    inexact = np.isfinite(error) & (error != 0)
    pattern = total.view(np.int64)
    outwards = np.where((error > 0) == (total > 0), 1, -1)
    total = np.where(inexact & (pattern & 1 == 0), pattern + outwards, pattern).view(np.float64)
    if rounding is Rounding.DOWN:
        cancelled = (total == 0) & (np.signbit(a) != np.signbit(b))
        total = np.where(cancelled, -0.0, total)
    return total


def encoded(number_format: Float, values: np.ndarray, rounding: Rounding) -> np.ndarray:
    """The codes of float64 `values` that are exact or rounded to odd; overflow is infinite."""
    if number_format in (FP32, FP16):
        dtype = np.float32 if number_format == FP32 else np.float16
        codes = _through_dtype(values, dtype, rounding)
    else:
        codes = _through_bits(values, SHIFTS[number_format], rounding)
    nan = {FP32: 0x7FC00000, TF32: 0x3FE00, BF16: 0x7FC0, FP16: 0x7E00}[number_format]
    return np.where(np.isnan(values), nan, codes)


def _through_dtype(values: np.ndarray, dtype: type, rounding: Rounding) -> np.ndarray:
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        nearest = values.astype(dtype)
        low = np.where(nearest > values, np.nextafter(nearest, dtype(-np.inf)), nearest)
        high = np.where(nearest < values, np.nextafter(nearest, dtype(np.inf)), nearest)
        signs = values.astype(dtype)
    match rounding:
        case Rounding.NEAREST_EVEN:
            chosen = nearest
        case Rounding.DOWN:
            chosen = low
        case Rounding.UP:
            chosen = high
        case Rounding.TOWARD_ZERO:
            chosen = np.where(np.signbit(values), high, low)
        case Rounding.NEAREST_AWAY:
            raise ValueError(f"{rounding}: ties away from zero are checked with rationals")
    chosen = np.copysign(chosen, signs)
    return chosen.view(f"u{dtype().itemsize}").astype(np.int64)


def _through_bits(values: np.ndarray, shift: int, rounding: Rounding) -> np.ndarray:
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        short = values.astype(np.float32)
        short = np.where(np.abs(short) > np.abs(values), np.nextafter(short, np.float32(0)), short)
    # FP32 rounded to odd, too.
    patterns = short.view(np.uint32).astype(np.int64) | (short != values)
    last, rest = 1 << shift, (1 << shift) - 1
    added = {
        Rounding.NEAREST_EVEN: last // 2 - 1 + (patterns >> shift & 1),
        Rounding.NEAREST_AWAY: last // 2,
        Rounding.TOWARD_ZERO: 0,
        Rounding.DOWN: np.where(np.signbit(values), rest, 0),
        Rounding.UP: np.where(np.signbit(values), 0, rest),
    }[rounding]
    return patterns + added >> shift
