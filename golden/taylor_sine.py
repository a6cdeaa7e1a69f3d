"""A sine by its Taylor series: an odd polynomial on the whole first quarter of the period."""

from dataclasses import dataclass, replace
from enum import Enum
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import ClassVar

import mpmath
import numpy as np

from multipede.golden.faithful_task import faithful_offset
from multipede.golden.fixed_function import ARGUMENT, WAVE, FixedFunction
from multipede.golden.folded_square import truncated_square
from multipede.golden.formats import FixedPoint
from multipede.golden.number_format import require_type
from multipede.golden.polynomial_design import truncated_product
from multipede.golden.quarter_wave import (
    check_sine_formats,
    quarter_sines,
    quarter_wave,
    sine_of_turns,
)
from multipede.golden.real_functions import PRECISION

__all__ = ["Series", "TaylorDesign", "TaylorSine"]

MAXIMUM_TERMS = 10


class Series(Enum):
    """Coefficients of the powers of the argument.

    =======  =============================================================================
    TAYLOR   those of the Taylor series at 0
    MINIMAX  those whose largest error is smallest, nearly: a term less does as well
    =======  =============================================================================
    """

    TAYLOR = "taylor"
    MINIMAX = "minimax"

    def __repr__(self) -> str:
        return f"Series.{self.name}"


@dataclass(frozen=True)
class TaylorDesign:
    """t p_0 with p_i = a_i - u p_(i+1) and u = t**2, t in quarter turns from 0 to 1.

    Parameters
    ----------
    series : which coefficients. terms : how many.
    places : fraction bits of the result.
    guard : of the sums p, below the result's last place.
    square_bits : fraction bits of u.
    offset : what is added to the last product before its floor is taken.
    """

    series: Series
    terms: int
    places: int
    guard: int
    square_bits: int
    offset: int = 0

    @property
    def fraction_bits(self) -> int:
        """Of the sums p and of the last product."""
        return self.places + self.guard

    @cached_property
    def coefficients(self) -> list[int]:
        """a_0, a_1, ..., all positive."""
        with mpmath.workprec(PRECISION):
            quarter = mpmath.pi / 2
            values = [
                quarter ** (2 * i + 1) / mpmath.factorial(2 * i + 1) for i in range(self.terms)
            ]
            if self.series is Series.MINIMAX:
                values = _minimax(self.terms)
            return [int(mpmath.nint(value * 2**self.fraction_bits)) for value in values]

    def square(self, t: np.ndarray, bits: int) -> np.ndarray:
        """u of places t (int64) of ``bits`` fraction bits."""
        one, drop = 1 << bits, 2 * bits - self.square_bits
        cut = max(0, drop - 2)
        square = np.where(t == one, one * one, truncated_square(t % one, bits, cut))
        return square >> drop if drop > 0 else square << -drop

    def sums(self, u: np.ndarray) -> list[np.ndarray]:
        """p_(n-1), ..., p_0 of squares (int64)."""
        found = [np.full_like(u, self.coefficients[-1])]
        for a in self.coefficients[-2::-1]:
            found.append(
                a - truncated_product(found[-1], u, self.square_bits + 2, self.square_bits)
            )
        return found

    def values(self, t: np.ndarray, bits: int) -> np.ndarray:
        """The last product of places t, without the offset."""
        return truncated_product(self.sums(self.square(t, bits))[-1], t, bits + 2, bits)


def _minimax(terms: int) -> list[mpmath.mpf]:
    """Coefficients of sin(pi t / 2) / t in -t**2, which go on with alternating signs."""

    def even(u):
        t = mpmath.sqrt(u)
        return mpmath.pi / 2 * mpmath.sinc(mpmath.pi / 2 * t)

    found = mpmath.chebyfit(even, [0, 1], terms)
    return [value * (-1) ** i for i, value in enumerate(reversed(found))]


@dataclass(frozen=True, kw_only=True)
class TaylorSine(FixedFunction):
    """y = sin(pi x / 2) by an odd polynomial, a baseline of sine activations.

    The argument counts quarter turns, so that its period of 4 is wiring; one square and Horner's
    scheme in it serve the whole first quarter, without any table. Terms and widths are the fewest
    that are faithful at all arguments. Parameters: see
    :class:`~multipede.golden.fixed_function.FixedFunction`.

    Parameters
    ----------
    x : format of the argument, of 1 to 22 fraction bits.
    result : signed format of the result, which holds 1, of 2 fraction bits at least.
    series : the coefficients.
    """

    unit: ClassVar[str] = "taylor_sine"
    title: ClassVar[str] = "sine by its Taylor series, or an odd minimax polynomial"
    source: ClassVar[str] = (
        "Taylor series of the sine at 0; minimax coefficients by mpmath.chebyfit"
    )

    x: FixedPoint = ARGUMENT
    result: FixedPoint = WAVE
    series: Series = Series.TAYLOR
    stages: int = 8

    def __post_init__(self):
        super().__post_init__()
        check_sine_formats(self.x, self.result)
        require_type("series", self.series, Series)

    @property
    def design(self) -> TaylorDesign:
        """Terms and widths."""
        return _designed(self.x.fraction_bits, self.result, self.series)

    def exactly(self, x: Fraction) -> mpmath.mpf:
        """sin(pi x / 2)."""
        return sine_of_turns(x)

    def results(self, x: np.ndarray) -> np.ndarray:
        """The floor of the last product, negated in the second half of a period."""
        design, bits = self.design, self.x.fraction_bits
        place, negative = quarter_wave(x, bits)
        y = (design.values(place, bits) + design.offset) >> design.guard
        return np.where(negative == 1, -y, y)


@lru_cache(maxsize=64)
def _designed(fraction_bits: int, result: FixedPoint, series: Series) -> TaylorDesign:
    places = result.fraction_bits
    sines = quarter_sines(fraction_bits, places)
    every = np.arange((1 << fraction_bits) + 1)
    seen = every[:: max(1, len(every) >> 13)]

    def completed(design: TaylorDesign) -> TaylorDesign | None:
        for codes in (seen, every):
            v = design.values(codes, fraction_bits)
            offset = faithful_offset(v, sines[codes], design.guard, result.maximum_code)
            if offset is None:
                return None
        return replace(design, offset=offset)

    for terms in range(1, MAXIMUM_TERMS):
        design = completed(TaylorDesign(series, terms, places, 6, places + 6))
        if design is not None:
            break
    # A place less of the sums saves in every product; then places of the square.
    while True:
        fewer = replace(design, guard=design.guard - 1)
        smaller = completed(fewer) if fewer.guard >= 0 else None
        if smaller is None:
            fewer = replace(design, square_bits=design.square_bits - 1)
            smaller = completed(fewer) if fewer.square_bits >= 2 else None
        if smaller is None:
            return design
        design = smaller
