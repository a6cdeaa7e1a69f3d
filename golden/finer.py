"""FINER's activation: a sine whose frequency grows with its argument."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import ClassVar

import mpmath
import numpy as np

from multipede.golden.faithful_task import FaithfulTask
from multipede.golden.fixed_function import ARGUMENT, WAVE, FixedFunction
from multipede.golden.folded_square import largest_loss, truncated_square
from multipede.golden.formats import FixedPoint
from multipede.golden.function_folds import Fold
from multipede.golden.number_format import require_range
from multipede.golden.polynomial_design import PolynomialDesign
from multipede.golden.polynomial_search import design_polynomial
from multipede.golden.quarter_wave import check_sine_formats, sine_of_turns
from multipede.golden.real_functions import parse_function

__all__ = ["Finer"]

ARGUMENT_PLACES = 2
"""fraction bits that the sine's argument has more than the result"""

TOLERANCE = 1 - math.pi / 2 * (1 / 2 + 1 / 8) / 2**ARGUMENT_PLACES
"""units in the last place that the sine may be off: the argument, taken for the middle of what was
cut off, is off by half a unit of its own and what the square loses"""


@dataclass(frozen=True, kw_only=True)
class Finer(FixedFunction):
    """y = sin(pi / 2 * (x + x abs(x) / 2**shift)), faithfully.

    FINER's activation is sin(omega (abs(z) + 1) z); with x = 2 omega z / pi it is this, where
    omega = pi 2**shift / 2: 25.1 for 4, next to the 30 that is published. So the period of the
    argument is 4, and the growth of the frequency costs a square and an addition, no product by a
    constant. The square's columns above the period are left out, and the sine is that of
    :class:`~multipede.golden.piecewise_polynomial.PiecewisePolynomial`. Parameters: see
    :class:`~multipede.golden.fixed_function.FixedFunction`.

    Parameters
    ----------
    x : format of the argument, of 1 to 22 fraction bits.
    result : signed format of the result, which holds 1, of 2 to 18 fraction bits.
    shift : the growth of the frequency, 0 to 8.
    degree : of the sine's polynomials, 1 to 3.
    """

    unit: ClassVar[str] = "finer"
    title: ClassVar[str] = "FINER's activation: a sine of growing frequency"
    source: ClassVar[str] = "FINER (CVPR 2024), its activation as in its public code"

    x: FixedPoint = ARGUMENT
    result: FixedPoint = WAVE
    shift: int = 4
    degree: int = 2
    stages: int = 4

    def __post_init__(self):
        super().__post_init__()
        check_sine_formats(self.x, self.result)
        require_range("fraction bits of result", self.result.fraction_bits, 2, 18)
        require_range("shift", self.shift, 0, 8)
        require_range("degree", self.degree, 1, 3)

    @property
    def argument(self) -> FixedPoint:
        """The format of the sine's argument: one period."""
        places = self.result.fraction_bits + ARGUMENT_PLACES
        return FixedPoint(places + 2, places, signed=False)

    @property
    def magnitude_bits(self) -> int:
        """Of abs(x)."""
        return self.x.bits

    @property
    def exact_places(self) -> int:
        """Fraction bits of the exact argument."""
        return 2 * self.x.fraction_bits + self.shift

    @property
    def dropped_columns(self) -> int:
        """Of the square, the lowest: as many as lose an eighth of the argument's unit at most."""
        drop, cut = self.exact_places - self.argument.fraction_bits, 0
        columns = 2 * self.magnitude_bits
        while cut < columns and largest_loss(self.magnitude_bits, cut + 1) <= 2.0 ** (drop - 3):
            cut += 1
        return cut

    @property
    def design(self) -> PolynomialDesign:
        """The sine of the argument that was cut off."""
        return _designed(self.argument, self.result, self.degree)

    def exactly(self, x: Fraction) -> mpmath.mpf:
        """The sine of the exact argument."""
        return sine_of_turns(x + x * abs(x) / (1 << self.shift))

    def arguments_of(self, x: np.ndarray) -> np.ndarray:
        """Codes of the sine's arguments, of abs(x), where x is negative by half a period more."""
        magnitude = np.abs(x)
        bits, cut = self.magnitude_bits, self.dropped_columns
        whole = (magnitude << (self.x.fraction_bits + self.shift)) + truncated_square(
            magnitude, bits, cut
        )
        drop = self.exact_places - self.argument.fraction_bits
        argument = whole >> drop if drop > 0 else whole << -drop
        turned = argument + ((x < 0).astype(np.int64) << (self.argument.bits - 1))
        return turned & ((1 << self.argument.bits) - 1)

    def results(self, x: np.ndarray) -> np.ndarray:
        """The sine's polynomials."""
        return self.design.results(self.arguments_of(x), -ARGUMENT_PLACES)

    def related_records(
        self, generator: np.random.Generator, count: int
    ) -> Mapping[str, np.ndarray]:
        """Small arguments, where the frequency is low."""
        size = generator.integers(1, self.x.bits, count)
        codes = generator.integers(0, 1 << size) * generator.choice([-1, 1], count)
        low, high = self.x.minimum_code, self.x.maximum_code
        return {"x": np.clip(codes, low, high)}


@lru_cache(maxsize=64)
def _designed(argument: FixedPoint, result: FixedPoint, degree: int) -> PolynomialDesign:
    task = FaithfulTask(
        parse_function("sine"),
        argument,
        result,
        (argument.minimum_code, argument.maximum_code),
        tolerance=TOLERANCE,
        centred=True,
    )
    return design_polynomial(task, degree=degree, fold=Fold.SINE)
