"""A real function at all codes of a fixed-point format, as float64.

mpmath takes tens of microseconds for a value. Of up to 4,096 codes each has one of its own. Of more
a polynomial of high degree through values at the nodes of a Chebyshev grid is evaluated, in blocks
that are halved until it agrees with mpmath at further places. Everything is done in the same order
in float64, so that values are the same on every machine.
"""

from fractions import Fraction

import mpmath
import numpy as np

from multipede.golden.real_functions import PRECISION, RealFunction

__all__ = ["function_values"]

_DEGREE = 15
_FEW = 1 << 12
"""codes of which all are asked for"""

_DIRECT = 48
"""codes of a block of which all are asked for"""

_LONGEST = 1 << 14
"""codes of the longest block"""

_CHECKED = (0.03, 0.19, 0.37, 0.52, 0.68, 0.83, 0.97)
"""where in a block the polynomial is compared"""

_TOLERANCE = 2.0**-20
"""largest difference, in units of ``unit``"""


def function_values(
    function: RealFunction, fraction_bits: int, first: int, last: int, unit: Fraction
) -> np.ndarray:
    """f(code / 2**fraction_bits) / unit for the codes ``first`` to ``last``, float64.

    They are exact to about 2**-20 (or 2**-50 of the value, if that is more). Raises ValueError
    where the function is not finite.
    """
    if last - first < _FEW:
        return _asked(function, fraction_bits, first, last, unit)
    parts, begin = [], first
    # Blocks begin at multiples of their size, so that poles and edges at powers of two end them.
    while begin <= last:
        size = min(begin & -begin if begin else _LONGEST, _LONGEST)
        while size > last + 1 - begin:
            size //= 2
        parts.append(_block(function, fraction_bits, begin, begin + size - 1, unit))
        begin += size
    return np.concatenate(parts)


def _block(
    function: RealFunction, fraction_bits: int, first: int, last: int, unit: Fraction
) -> np.ndarray:
    if last - first + 1 > _DIRECT:
        values = _interpolated(function, fraction_bits, first, last, unit)
        if values is not None:
            return values
        middle = (first + last + 1) // 2
        halves = ((first, middle - 1), (middle, last))
        return np.concatenate([_block(function, fraction_bits, *half, unit) for half in halves])
    return _asked(function, fraction_bits, first, last, unit)


def _asked(
    function: RealFunction, fraction_bits: int, first: int, last: int, unit: Fraction
) -> np.ndarray:
    """mpmath's own values."""
    codes = range(first, last + 1)
    return np.array([_value(function, Fraction(code, 1 << fraction_bits), unit) for code in codes])


def _value(function: RealFunction, x: Fraction, unit: Fraction) -> float:
    with mpmath.workprec(PRECISION):
        return float(function(x) * unit.denominator / unit.numerator)


def _interpolated(
    function: RealFunction, fraction_bits: int, first: int, last: int, unit: Fraction
) -> np.ndarray | None:
    """The values by a polynomial in Chebyshev's form; None if it is not good enough."""
    low, width = Fraction(first, 1 << fraction_bits), Fraction(last - first, 1 << fraction_bits)
    nodes = _DEGREE + 1
    with mpmath.workprec(PRECISION):
        angles = [mpmath.pi * (2 * k + 1) / (2 * nodes) for k in range(nodes)]
        places = [low + width * (1 + Fraction(float(mpmath.cos(angle)))) / 2 for angle in angles]
        values = [function(place) * unit.denominator / unit.numerator for place in places]
        coefficients = [
            float(
                2
                * mpmath.fsum(v * mpmath.cos(j * a) for v, a in zip(values, angles, strict=True))
                / nodes
            )
            for j in range(nodes)
        ]
    coefficients[0] /= 2
    found = _chebyshev(coefficients, np.linspace(-1.0, 1.0, last - first + 1))
    for place in _CHECKED:
        index = round(place * (last - first))
        wanted = _value(function, Fraction(first + index, 1 << fraction_bits), unit)
        if abs(found[index] - wanted) > max(_TOLERANCE, abs(wanted) * 2.0**-48):
            return None
    return found


def _chebyshev(coefficients: list[float], t: np.ndarray) -> np.ndarray:
    """Clenshaw's recurrence."""
    after, current = np.zeros_like(t), np.zeros_like(t)
    for coefficient in reversed(coefficients[1:]):
        after, current = current, 2 * t * current - after + coefficient
    return t * current - after + coefficients[0]
