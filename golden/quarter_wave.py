"""The first quarter of a sine's period, which stands for all others, in fixed point.

Arguments count in quarter turns, so that with f fraction bits the period is 2**(f + 2) codes.
"""

from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

import mpmath
import numpy as np

from multipede.golden.formats import FixedPoint
from multipede.golden.function_values import function_values
from multipede.golden.real_functions import PRECISION, parse_function

__all__ = [
    "QuarterWave",
    "check_sine_formats",
    "quarter_sines",
    "quarter_wave",
    "sine_of_turns",
]


class QuarterWave(NamedTuple):
    """Codes folded into the first quarter: ``place`` is 0 to 2**f, and the sine is ``negative``."""

    place: np.ndarray
    negative: np.ndarray


def quarter_wave(codes: np.ndarray, fraction_bits: int) -> QuarterWave:
    """Codes (int64) of quarter turns, folded."""
    one = 1 << fraction_bits
    mirrored, negative = codes >> fraction_bits & 1, codes >> (fraction_bits + 1) & 1
    rest = codes & (one - 1)
    return QuarterWave(np.where(mirrored == 1, one - rest, rest), negative)


@lru_cache(maxsize=16)
def quarter_sines(fraction_bits: int, places: int) -> np.ndarray:
    """sin(pi / 2 * k / 2**f) * 2**places for k from 0 to 2**f, float64."""
    unit = Fraction(1, 1 << places)
    return function_values(parse_function("sine"), fraction_bits, 0, 1 << fraction_bits, unit)


def sine_of_turns(x: Fraction) -> mpmath.mpf:
    """sin(pi x / 2)."""
    with mpmath.workprec(PRECISION):
        return mpmath.sin(mpmath.pi * x.numerator / x.denominator / 2)


def check_sine_formats(x: FixedPoint, result: FixedPoint) -> None:
    """ValueError unless quarter turns and a sine fit the formats."""
    if not 1 <= x.fraction_bits <= 22:
        raise ValueError(f"x = {x}: allowed are 1 to 22 fraction bits")
    if not result.signed or result.fraction_bits < 2 or result.maximum < 1:
        raise ValueError(
            f"result = {result}: it must be signed and hold 1, with 2 fraction bits or more"
        )
