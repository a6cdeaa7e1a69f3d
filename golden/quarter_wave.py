"""The first quarter of a sine's period, which stands for all others, in fixed point.

Arguments count in quarter turns, so that with f fraction bits the period is 2**(f + 2) codes.
"""

from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

import mpmath
import numpy as np

from multipede.golden.function_values import function_values
from multipede.golden.real_functions import PRECISION, parse_function

__all__ = ["QuarterWave", "faithful_offset", "quarter_sines", "quarter_wave", "sine_of_turns"]


_TOLERANCE = 1 - 2.0**-14


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


def faithful_offset(v: np.ndarray, wanted: np.ndarray, guard: int, largest: int) -> int | None:
    """What added to ``v`` makes its floor faithful to ``wanted``; None if nothing does.

    ``v`` (int64) counts 2**-guard units in the last place, ``wanted`` (float64) units; results
    above ``largest`` do not exist, and count as that.
    """
    scale = 1 << guard
    wanted = np.minimum(wanted, largest)
    # A sine of 1 must not be taken for a little less, which has another neighbour.
    least = np.floor(wanted - _TOLERANCE) + 1
    most = np.minimum(np.ceil(wanted + _TOLERANCE) - 1, largest)
    low = int((least * scale - v).max())
    high = int(((most + 1) * scale - 1 - v).min())
    return (low + high) // 2 if low <= high else None
