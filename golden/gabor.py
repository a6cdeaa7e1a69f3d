"""WIRE's activation in its real form: a wave within a bell."""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import ClassVar

import mpmath
import numpy as np

from multipede.golden.faithful_task import FaithfulTask
from multipede.golden.fixed_function import ARGUMENT, WAVE, FixedFunction
from multipede.golden.formats import FixedPoint
from multipede.golden.number_format import require_range
from multipede.golden.polynomial_design import PolynomialDesign, truncated_product
from multipede.golden.polynomial_search import design_polynomial
from multipede.golden.quarter_wave import sine_of_turns
from multipede.golden.real_functions import PRECISION, parse_function

__all__ = ["Gabor"]

FACTOR_PLACES = 2
"""fraction bits that the factors have more than the result"""

TOLERANCE = 0.75
"""units in their last place that each factor may be off: 3/8 of the result's for both, which the
product, rounded to nearest with an eighth to spare, makes less than one"""


@dataclass(frozen=True, kw_only=True)
class Gabor(FixedFunction):
    """y = cos(pi u / 2) * exp(-v**2), faithfully.

    The real form of WIRE's complex Gabor wavelet, as in its public code: cos(omega f) *
    exp(-(s g)**2) of two linear functions f and g of the layer's input, with the scales in their
    weights. Both factors are those of
    :class:`~multipede.golden.piecewise_polynomial.PiecewisePolynomial`, with two places more; of
    the product's columns the lowest are left out. Parameters: see
    :class:`~multipede.golden.fixed_function.FixedFunction`.

    That errors stay below a unit in the last place follows from bounds, since there are too many
    pairs of arguments to try all: |a b - c d| <= |a - c| + |b - d| for factors of at most 1.

    Parameters
    ----------
    u, v : formats of the arguments, signed.
    result : signed format of the result, which holds 1, of 2 to 20 fraction bits.
    degree : of the factors' polynomials, 1 to 3.
    """

    unit: ClassVar[str] = "gabor"
    title: ClassVar[str] = "WIRE's activation in its real form: a cosine times a bell"
    source: ClassVar[str] = "WIRE (CVPR 2023), the real Gabor layer of its public code"
    arguments: ClassVar[tuple[str, ...]] = ("u", "v")

    u: FixedPoint = ARGUMENT
    v: FixedPoint = ARGUMENT
    result: FixedPoint = WAVE
    degree: int = 2
    stages: int = 4

    def __post_init__(self):
        super().__post_init__()
        for name in ("u", "v"):
            if not getattr(self, name).signed:
                raise ValueError(f"{name} = {getattr(self, name)}: it must be signed")
        require_range("fraction bits of result", self.result.fraction_bits, 2, 20)
        if not self.result.signed or self.result.maximum < 1:
            raise ValueError(f"result = {self.result}: it must be signed and hold 1")
        require_range("degree", self.degree, 1, 3)

    @property
    def places(self) -> int:
        """Fraction bits of the factors."""
        return self.result.fraction_bits + FACTOR_PLACES

    @property
    def wave_format(self) -> FixedPoint:
        """Of the cosine."""
        return FixedPoint(self.places + 2, self.places)

    @property
    def bell_format(self) -> FixedPoint:
        """Of exp(-v**2)."""
        return FixedPoint(self.places + 1, self.places, signed=False)

    @property
    def wave(self) -> PolynomialDesign:
        """The cosine."""
        return _designed("cosine", self.u, self.wave_format, self.degree)

    @property
    def bell(self) -> PolynomialDesign:
        """exp(-v**2)."""
        return _designed("gauss", self.v, self.bell_format, self.degree)

    @property
    def cut(self) -> int:
        """Columns of the product that are left out: the most that lose an eighth of a unit."""
        bits, unit = self.bell_format.bits, 2 * self.places - self.result.fraction_bits
        cut = 0
        # Each row loses less than a unit of the lowest column that is kept.
        while bits << (cut + 1) <= 1 << (unit - 3):
            cut += 1
        return cut

    def exactly(self, u: Fraction, v: Fraction) -> mpmath.mpf:
        """The product of the exact factors."""
        with mpmath.workprec(PRECISION):
            bell = mpmath.exp(-((mpmath.mpf(v.numerator) / v.denominator) ** 2))
            return sine_of_turns(u + 1) * bell

    def results(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """The rounded product of the factors."""
        wave = self.wave.results(u, self.places - self.u.fraction_bits)
        bell = self.bell.results(v, self.places - self.v.fraction_bits)
        product = truncated_product(wave, bell, self.bell_format.bits + 1, self.cut)
        drop = 2 * self.places - self.result.fraction_bits - self.cut
        return (product + (1 << drop >> 1)) >> drop


@lru_cache(maxsize=64)
def _designed(function: str, x: FixedPoint, result: FixedPoint, degree: int) -> PolynomialDesign:
    interval = (x.minimum_code, x.maximum_code)
    task = FaithfulTask(parse_function(function), x, result, interval, TOLERANCE)
    return design_polynomial(task, degree=degree)
