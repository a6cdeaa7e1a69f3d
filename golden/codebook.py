"""A short list of values, each known by its index."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import ClassVar

import numpy as np

from multipede.golden.number_format import INADMISSIBLE, Format
from multipede.golden.rounding import Overflow, Rounding

MAXIMUM_VALUES = 1 << 16


@dataclass(frozen=True)
class Codebook(Format):
    """The values `values[code]`; None stands for a code that is not valid.

    A value between two neighbours is rounded as `Rounding` says, compared exactly. Ties of
    NEAREST_EVEN go to the even code, and if both or neither are even, to the smaller magnitude.
    Between two values of equal magnitude, TOWARD_ZERO takes the negative one, NEAREST_AWAY the
    positive. A value that is listed twice encodes to its lowest code. Zero has no sign.
    Overflow: SATURATE, RAISE.
    """

    values: tuple[float | None, ...]

    kind: ClassVar[str] = "codebook"
    noun: ClassVar[str] = "a codebook"
    overflows: ClassVar[tuple[Overflow, ...]] = (Overflow.SATURATE, Overflow.RAISE)

    def __post_init__(self) -> None:
        if isinstance(self.values, str) or not isinstance(self.values, Sequence):
            raise TypeError(f"values must be a sequence of numbers, not {self.values!r}")
        for index, value in enumerate(self.values):
            if value is not None and (
                isinstance(value, bool) or not isinstance(value, (int, float, np.number))
            ):
                raise TypeError(f"values[{index}] must be a number or None, not {value!r}")
            if value is not None and not math.isfinite(value):
                raise ValueError(f"values[{index}] = {value}: allowed are finite numbers")
        # + 0.0 drops the sign of zero, which no comparison could find again.
        values = tuple(None if value is None else float(value) + 0.0 for value in self.values)
        object.__setattr__(self, "values", values)
        if not 2 <= len(values) <= MAXIMUM_VALUES or len(set(values) - {None}) < 2:
            raise ValueError(
                f"values has {len(values)} entries: allowed are 2 to {MAXIMUM_VALUES},"
                f" at least 2 of them different"
            )

    @property
    def name(self) -> str:
        """binary, ternary, or in general as in codebook(0,0.5,none,-0.5)."""
        return _NAMES.get(self) or self.full_name

    @property
    def full_name(self) -> str:
        """The name that lists the values."""
        words = ("none" if v is None else repr(v).removesuffix(".0") for v in self.values)
        return f"codebook({','.join(words)})"

    @property
    def bits(self) -> int:
        """The width of an index."""
        return (len(self.values) - 1).bit_length()

    @property
    def minimum(self) -> float:
        """The lowest value."""
        return self._ascending[0][0]

    @property
    def maximum(self) -> float:
        """The highest value."""
        return self._ascending[-1][0]

    def corners(self) -> list[int]:
        """The extremes, the values nearest to zero, and the first and last codes."""
        ascending = [code for _, code in self._ascending]
        by_magnitude = sorted(ascending, key=lambda code: abs(self.values[code]))
        codes = self.codes().tolist()
        return list(
            dict.fromkeys([*by_magnitude[:3], *ascending[:2], *ascending[-2:], codes[0], codes[-1]])
        )

    @cached_property
    def _ascending(self) -> list[tuple[float, int]]:
        """Different values with their lowest codes, in ascending order of value."""
        lowest: dict[float, int] = {}
        for code, value in enumerate(self.values):
            if value is not None:
                lowest.setdefault(value, code)
        return sorted(lowest.items())

    @cached_property
    def _table(self) -> np.ndarray:
        """All 2**bits values, NaN where the code is not valid."""
        table = np.full(1 << self.bits, np.nan)
        table[: len(self.values)] = [np.nan if v is None else v for v in self.values]
        return table

    @property
    def _allowed(self) -> str:
        codes = self.codes().tolist()
        listed = [str(code) for code in codes]
        return ", ".join(listed if len(listed) <= 16 else [*listed[:3], "...", listed[-1]])

    def _valid(self, codes: np.ndarray) -> np.ndarray:
        inside = (codes >= 0) & (codes < len(self._table))
        return inside & ~np.isnan(self._table[np.where(inside, codes, 0)])

    def _decode(self, codes: np.ndarray) -> np.ndarray:
        return self._table[codes]

    def _encode(self, values: np.ndarray, rounding: Rounding, overflow: Overflow) -> np.ndarray:
        thresholds = [_threshold(low, high, rounding) for low, high in pairwise(self._ascending)]
        ranks = np.searchsorted(thresholds, values, side="right")
        codes = np.array([code for _, code in self._ascending])[ranks]
        inadmissible = np.isnan(values)
        if overflow is Overflow.RAISE:
            inadmissible |= (values < self.minimum) | (values > self.maximum)
        return np.where(inadmissible, INADMISSIBLE, codes)


def _threshold(low: tuple[float, int], high: tuple[float, int], rounding: Rounding) -> float:
    """The smallest float64 that is rounded from between two neighbours to the upper one."""
    (a, a_code), (b, b_code) = low, high
    upper_is_smaller = abs(b) < abs(a)
    match rounding:
        case Rounding.DOWN:
            return b
        case Rounding.UP:
            return math.nextafter(a, math.inf)
        case Rounding.TOWARD_ZERO:
            return math.nextafter(a, math.inf) if upper_is_smaller else b
        case Rounding.NEAREST_AWAY:
            tie_goes_up = not upper_is_smaller
        case Rounding.NEAREST_EVEN if a_code % 2 == b_code % 2:
            tie_goes_up = upper_is_smaller
        case Rounding.NEAREST_EVEN:
            tie_goes_up = b_code % 2 == 0
    middle = (Fraction(a) + Fraction(b)) / 2
    nearest = float(middle)
    if nearest < middle or (nearest == middle and not tie_goes_up):
        return math.nextafter(nearest, math.inf)
    return nearest


BINARY = Codebook((-1, 1))
TERNARY = Codebook((0, 1, None, -1))
ODD2, ODD3, ODD4, ODD5, ODD6, ODD7, ODD8 = (
    Codebook(tuple(range(1 - (1 << bits), 1 << bits, 2))) for bits in range(2, 9)
)
ODD = (BINARY, ODD2, ODD3, ODD4, ODD5, ODD6, ODD7, ODD8)
"""The odd integers by bits less one: the sums of -1 or +1 times 1, 2, 4, ..."""

NAMED_CODEBOOKS = {"binary": BINARY, "ternary": TERNARY} | {
    f"odd{codebook.bits}": codebook for codebook in ODD[1:]
}
_NAMES = {codebook: name for name, codebook in NAMED_CODEBOOKS.items()}
