"""The sinc function as a quotient: a sine by its argument."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import ClassVar

import mpmath
import numpy as np

from multipede.golden.faithful_task import FaithfulTask
from multipede.golden.fixed_function import ARGUMENT, WAVE, FixedFunction
from multipede.golden.formats import FixedPoint
from multipede.golden.function_folds import Fold
from multipede.golden.number_format import require_range
from multipede.golden.polynomial_design import PolynomialDesign
from multipede.golden.polynomial_search import design_polynomial
from multipede.golden.quarter_wave import check_sine_formats
from multipede.golden.real_functions import PRECISION, parse_function

__all__ = ["SincDivider"]


@dataclass(frozen=True, kw_only=True)
class SincDivider(FixedFunction):
    """y = sin(pi x / 2) / (pi x / 2), faithfully, by a division.

    The sine, with 2 / pi in its tables, has so many places that divided by the smallest argument
    the error is still less than a unit in the last place; arguments that are smaller than that give
    1. ``sinc`` of :class:`~multipede.golden.piecewise_polynomial.PiecewisePolynomial` needs no
    division. Parameters: see
    :class:`~multipede.golden.fixed_function.FixedFunction`.

    Parameters
    ----------
    x : signed format of the argument, of 1 to 22 fraction bits, which a period of 4 fits.
    result : signed format of the result, which holds 1, of 2 to 16 fraction bits.
    degree : of the sine's polynomials, 1 to 3.
    """

    unit: ClassVar[str] = "sinc_divider"
    title: ClassVar[str] = "sinc by a division of a sine by its argument"
    source: ClassVar[str] = "sin(x) / x, as implicit neural representations use it; own scheme"

    x: FixedPoint = ARGUMENT
    result: FixedPoint = WAVE
    degree: int = 2
    stages: int = 12

    def __post_init__(self):
        super().__post_init__()
        check_sine_formats(self.x, self.result)
        require_range("fraction bits of result", self.result.fraction_bits, 2, 16)
        require_range("degree", self.degree, 1, 3)
        if not self.x.signed or self.x.bits < self.x.fraction_bits + 2:
            raise ValueError(f"x = {self.x}: it must be signed and reach from -2 to 2")

    @property
    def near_bits(self) -> int:
        """Arguments of magnitudes below 2**near_bits codes give 1: there x**2 is less than two
        units in the last place of the result, and 1 - sinc(x), (pi x / 2)**2 / 6, less than one."""
        doubled = 2 * self.x.fraction_bits - self.result.fraction_bits + 1
        return max(0, doubled // 2)

    @property
    def sine_places(self) -> int:
        """Fraction bits of the sine: an error of two units, divided by the smallest argument, is
        one in the result."""
        return self.result.fraction_bits + self.x.fraction_bits - self.near_bits + 1

    @property
    def design(self) -> PolynomialDesign:
        """(2 / pi) sin(pi x / 2) of the first half of the period, plus a unit: never too small."""
        places = self.sine_places
        argument = FixedPoint(self.x.fraction_bits + 2, self.x.fraction_bits, signed=False)
        return _designed(argument, FixedPoint(places + 2, places), self.degree)

    def exactly(self, x: Fraction) -> mpmath.mpf:
        """sinc."""
        with mpmath.workprec(PRECISION):
            return mpmath.sinc(mpmath.pi * x.numerator / x.denominator / 2)

    def results(self, x: np.ndarray) -> np.ndarray:
        """The floor of the quotient, 1 at most, negated in every second half of a period."""
        bits, near = self.x.fraction_bits, self.near_bits
        magnitude = np.abs(x)
        half = magnitude & ((2 << bits) - 1)
        sine = self.design.results(half, self.sine_places - bits)
        # 2**(result - sine places + x places)
        scaled = sine << (near - 1) if near else sine >> 1
        is_near = magnitude < 1 << near
        quotient = np.where(is_near, 0, scaled // np.where(is_near, 1, magnitude))
        largest = 1 << self.result.fraction_bits
        quotient = np.where(is_near, largest, np.minimum(quotient, largest))
        return np.where(magnitude >> (bits + 1) & 1, -quotient, quotient)

    def related_records(
        self, generator: np.random.Generator, count: int
    ) -> Mapping[str, np.ndarray]:
        """Small arguments, and those beside the smallest that is divided by."""
        size = generator.integers(1, self.x.bits, count)
        codes = generator.integers(0, 1 << size)
        near = (1 << self.near_bits) + generator.integers(-4, 5, count)
        codes = np.where(generator.random(count) < 0.2, near, codes)
        codes = codes * generator.choice([-1, 1], count)
        return {"x": np.clip(codes, self.x.minimum_code, self.x.maximum_code)}


@lru_cache(maxsize=64)
def _designed(argument: FixedPoint, result: FixedPoint, degree: int) -> PolynomialDesign:
    function = parse_function("sin(pi * x / 2) * 2 / pi")
    interval = (argument.minimum_code, argument.maximum_code)
    task = FaithfulTask(function, argument, result, interval)
    design = design_polynomial(task, degree=degree, fold=Fold.SINE)
    constants, *others = design.coefficients
    raised = tuple(constant + (1 << design.guard) for constant in constants)
    return replace(design, coefficients=(raised, *others))
