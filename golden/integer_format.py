"""Two's complement and unsigned integers, and the same with a binary point."""

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

import numpy as np

from multipede.golden.arrays import EXACT_INTEGERS, integers, map_chunks
from multipede.golden.number_format import INADMISSIBLE, Format, require_range, require_type
from multipede.golden.rounding import Overflow, Rounding

MAXIMUM_BITS = 4096
MAXIMUM_FRACTION_BITS = 1074


def _round(values: np.ndarray, rounding: Rounding) -> np.ndarray:
    """`values` rounded to integers, as floats; exact, infinities and NaN as they are."""
    match rounding:
        case Rounding.NEAREST_EVEN:
            return np.rint(values)
        case Rounding.TOWARD_ZERO:
            return np.trunc(values)
        case Rounding.DOWN:
            return np.floor(values)
        case Rounding.UP:
            return np.ceil(values)
        case Rounding.NEAREST_AWAY:
            # values + 0.5 would round before the cut: 0.49999999999999994 must become 0.
            whole = np.trunc(values)
            with np.errstate(invalid="ignore"):
                return whole + np.copysign(np.abs(values - whole) >= 0.5, values)


class _ScaledInteger(Format):
    """An integer code times 2**-fraction_bits."""

    bits: int
    signed: bool
    fraction_bits: int
    overflows = (Overflow.SATURATE, Overflow.WRAP, Overflow.RAISE)

    @property
    def minimum_code(self) -> int:
        """The lowest code."""
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def maximum_code(self) -> int:
        """The highest code."""
        return (1 << (self.bits - self.signed)) - 1

    def corners(self) -> list[int]:
        """0, 1, -1, the extremes and their neighbours, as far as the format holds them."""
        low, high = self.minimum_code, self.maximum_code
        candidates = (0, 1, -1, low, low + 1, high, high - 1)
        return list(dict.fromkeys(code for code in candidates if low <= code <= high))

    @property
    def _allowed(self) -> str:
        return f"{self.minimum_code} to {self.maximum_code}"

    def _valid(self, codes: np.ndarray) -> np.ndarray:
        return (codes >= self.minimum_code) & (codes <= self.maximum_code)

    def _decode(self, codes: np.ndarray) -> np.ndarray:
        if -self.minimum_code > EXACT_INTEGERS or self.maximum_code > EXACT_INTEGERS:
            raise ValueError(
                f"{self.name} does not fit float64: its codes are the exact values"
                f" times 2**{self.fraction_bits}"
            )
        return np.ldexp(codes.astype(np.float64), -self.fraction_bits)

    def _from_bits(self, patterns: np.ndarray) -> np.ndarray:
        sign = int(self.signed) << (self.bits - 1)
        return (patterns ^ sign) - sign

    def _encode_array(
        self, values: np.ndarray, rounding: Rounding, overflow: Overflow
    ) -> np.ndarray:
        if values.dtype.kind == "f":
            return super()._encode_array(values, rounding, overflow)
        return map_chunks(
            lambda chunk: self._encode_integers(chunk, overflow),
            integers(values, "values"),
            np.int64,
            np.int64,
        )

    def _encode_integers(self, values: np.ndarray, overflow: Overflow) -> np.ndarray:
        below = values < -(-self.minimum_code >> self.fraction_bits)
        above = values > self.maximum_code >> self.fraction_bits
        return self.admit(np.left_shift(values, self.fraction_bits), below, above, overflow)

    def _encode(self, values: np.ndarray, rounding: Rounding, overflow: Overflow) -> np.ndarray:
        no_code = np.isnan(values)
        if overflow is Overflow.WRAP:
            no_code |= np.isinf(values)
            # Whole turns, which fmod takes away exactly, might overflow when scaled.
            with np.errstate(invalid="ignore"):
                values = np.fmod(values, np.ldexp(1.0, self.bits - self.fraction_bits))
        with np.errstate(over="ignore"):
            scaled = _round(np.ldexp(values, self.fraction_bits), rounding)
        below = scaled < self.minimum_code
        above = scaled >= self.maximum_code + 1
        finite = np.isfinite(scaled)
        # fmod is exact and brings every float within reach of int64.
        reachable = np.fmod(np.where(finite, scaled, 0.0), 2.0**self.bits).astype(np.int64)
        codes = self.admit(reachable, below, above, overflow)
        return np.where(no_code, INADMISSIBLE, codes)

    def admit(
        self, codes: np.ndarray, below: np.ndarray, above: np.ndarray, overflow: Overflow
    ) -> np.ndarray:
        """The codes of rounded numbers, `codes` where they are in range; where they are `below`
        or `above` it, WRAP takes `codes` modulo 2**bits, and RAISE gives INADMISSIBLE."""
        if overflow is Overflow.WRAP:
            return self._from_bits(codes & ((1 << self.bits) - 1))
        raising = overflow is Overflow.RAISE
        codes = np.where(below, INADMISSIBLE if raising else self.minimum_code, codes)
        return np.where(above, INADMISSIBLE if raising else self.maximum_code, codes)


@dataclass(frozen=True)
class Integer(_ScaledInteger):
    """Integers of `bits` bits, two's complement if `signed`; the code is the value.

    One signed bit holds 0 and -1. Up to 4096 bits name a port; codes reach up to 63 bits, and
    `decode` up to what float64 holds exactly. Integer values are encoded without passing
    through float64. Overflow: SATURATE, WRAP, RAISE.
    """

    bits: int
    signed: bool = True

    kind: ClassVar[str] = "integer"
    noun: ClassVar[str] = "an integer format"
    fraction_bits: ClassVar[int] = 0

    def __post_init__(self) -> None:
        require_range("bits", self.bits, 1, MAXIMUM_BITS)
        require_type("signed", self.signed, bool)

    @classmethod
    def spanning(cls, low: int, high: int) -> "Integer":
        """The narrowest format that holds all of low to high; unsigned unless low is negative."""
        if low < 0:
            return cls(max((~low).bit_length(), high.bit_length()) + 1)
        return cls(max(1, high.bit_length()), signed=False)

    @property
    def name(self) -> str:
        """As in int8, uint4."""
        return f"{'' if self.signed else 'u'}int{self.bits}"

    @property
    def minimum(self) -> int:
        """The lowest value."""
        return self.minimum_code

    @property
    def maximum(self) -> int:
        """The highest value."""
        return self.maximum_code


@dataclass(frozen=True)
class FixedPoint(_ScaledInteger):
    """Numbers code * 2**-fraction_bits with a code of `bits` bits, two's complement if `signed`.

    `fraction_bits` may exceed `bits`. Limits and overflow policies are those of `Integer`.
    """

    bits: int
    fraction_bits: int
    signed: bool = True

    kind: ClassVar[str] = "fixed_point"
    noun: ClassVar[str] = "a fixed-point format"

    def __post_init__(self) -> None:
        require_range("bits", self.bits, 1, MAXIMUM_BITS)
        require_range("fraction_bits", self.fraction_bits, 0, MAXIMUM_FRACTION_BITS)
        require_type("signed", self.signed, bool)

    @property
    def name(self) -> str:
        """As in fixed16.8 (16 bits, 8 of them fraction), ufixed8.8."""
        return f"{'' if self.signed else 'u'}fixed{self.bits}.{self.fraction_bits}"

    @property
    def minimum(self) -> Fraction:
        """The lowest value."""
        return Fraction(self.minimum_code, 1 << self.fraction_bits)

    @property
    def maximum(self) -> Fraction:
        """The highest value."""
        return Fraction(self.maximum_code, 1 << self.fraction_bits)
