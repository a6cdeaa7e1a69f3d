"""Terms that wait in tables to be looked up: floats times powers of two.

What meets the accumulator is a **code** of its format, without mantissa bits that are always 0.

What meets terms of its own kind is an **open word**: lowest first the significand with its hidden
bit, the exponent and the sign. Nothing is normalised: a subnormal number times 2**t is the same
significand with an exponent larger by t. The exponent of zero is 0, and that of infinities and NaN
all ones; where both occur the significand's lowest bit tells NaN.

So neither zeros nor subnormal numbers nor infinities need care where terms are looked up.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from multipede.golden.formats import Float, Overflow, Rounding
from multipede.hw.arithmetic.circuit import (
    ZERO,
    Bit,
    Circuit,
    Term,
    Word,
    constant,
    opposite,
    padded,
)
from multipede.hw.arithmetic.exact_result import Exact
from multipede.hw.arithmetic.operands import Number, NumberShape, Range, shape_of, unpack
from multipede.hw.arithmetic.round_pack import round_to_float
from multipede.hw.arithmetic.special_results import finish_float

__all__ = ["CodeWord", "Scaling", "TermWord", "rounded_code"]

_NEAREST = Rounding.NEAREST_EVEN


@dataclass(frozen=True)
class TermWord:
    """The layout of an open word, from the numbers that it may hold."""

    shape: NumberShape

    @property
    def has_specials(self) -> bool:
        """Whether there are infinities or NaN."""
        return self.shape.infinite or self.shape.nan

    @property
    def exponent_bits(self) -> int:
        """Bits of the exponent."""
        return max(1, (self.shape.high + self.has_specials).bit_length())

    @property
    def bits(self) -> int:
        """Bits of the word."""
        return self.shape.significand_bits + self.exponent_bits + 1

    def pack(self, c: Circuit, number: Number) -> Word:
        """The word of a number with the exponents of this shape."""
        significand = number.significand
        exponent = padded(number.exponent, self.exponent_bits)[: self.exponent_bits]
        exponent = c.both(exponent, (opposite(number.zero),), "term_exponent_or_0")
        if self.has_specials:
            special = c.either((number.infinite,), (number.nan,), "term_special")
            exponent = c.either(exponent, special, "term_exponent")
            if self.shape.infinite and self.shape.nan:
                lowest = c.choose(special[0], (number.nan,), significand[:1], "term_lowest")
                significand = lowest + significand[1:]
        return (*significand, *exponent, number.sign)

    def unpack(self, c: Circuit, word: Word, name: str) -> Number:
        """The number of a word."""
        bits = self.shape.significand_bits
        significand, exponent, sign = word[:bits], word[bits:-1], word[-1]
        zero = opposite(c.any_of(significand, f"{name}_nonzero"))
        infinite = nan = ZERO
        if self.has_specials:
            special = c.all_of(exponent, f"{name}_special")
            infinite = nan = special
            if self.shape.infinite and self.shape.nan:
                (nan,) = c.both((special,), significand[:1], f"{name}_nan")
                (infinite,) = c.both((special,), (opposite(significand[0]),), f"{name}_infinite")
        if not self.shape.infinite:
            infinite = ZERO
        if not self.shape.nan:
            nan = ZERO
        return Number(self.shape, sign, exponent, significand, zero, infinite, nan)


@dataclass(frozen=True)
class CodeWord:
    """Codes of a format whose ``dropped`` lowest mantissa bits are 0 and not there."""

    number_format: Float
    dropped: int

    @property
    def bits(self) -> int:
        """Bits of the word."""
        return self.number_format.bits - self.dropped

    def unpack(self, c: Circuit, word: Word, name: str) -> Number:
        """The number of a word."""
        return unpack(c, self.number_format, constant(0, self.dropped) + word, name)


@dataclass(frozen=True)
class Scaling:
    """Numbers of ``source`` times 2**shift, as terms of sums in ``accumulator``.

    Parameters
    ----------
    source : format of the numbers.
    accumulator : format to which they are rounded first; None if they stay exact.
    shifts : the powers of two by clock, multiples of the second; the first is the plane's.
    as_codes : whether terms are codes of the accumulator's format even where they are exact.
    """

    source: Float
    accumulator: Float | None
    shifts: tuple[int, ...]
    as_codes: bool = False

    @property
    def is_rounded(self) -> bool:
        """Whether numbers may change, other than to become infinite."""
        return self.accumulator is not None and not _holds(
            self.accumulator, self.source, self.shifts
        )

    @property
    def word(self) -> TermWord | CodeWord:
        """The layout of what comes of it."""
        if self.is_rounded:
            return CodeWord(self.accumulator, 0)
        if self.as_codes:
            return CodeWord(self.accumulator, self._dropped)
        shape, low, high = shape_of(self.source), min(self.shifts), max(self.shifts)
        limit = self._limit
        ranges = []
        for r in shape.ranges:
            top = r.high + high if limit is None else min(r.high + high, limit)
            ranges.append(Range(r.low + low, top, r.smallest, r.largest))
        return TermWord(
            replace(
                shape,
                ranges=tuple(ranges),
                zero=0,
                infinite=shape.infinite or self._overflows,
            )
        )

    @property
    def _dropped(self) -> int:
        """Mantissa bits of the accumulator that exact terms do not use; NaN takes one."""
        accumulator, shape = self.accumulator, shape_of(self.source)
        unused = accumulator.mantissa_bits - max(1, self.source.mantissa_bits)
        if not accumulator.subnormals:
            return unused
        # Where terms are subnormal in the accumulator, so is their lowest bit.
        lowest = min(r.low for r in shape.ranges) + min(self.shifts) + shape.unit
        return min(unused, lowest - _lowest_bit(accumulator))

    @property
    def _limit(self) -> int | None:
        """The highest exponent of what is finite in the accumulator."""
        if self.accumulator is None:
            return None
        shape = shape_of(self.accumulator)
        source = shape_of(self.source)
        top = shape.high + shape.unit + shape.significand_bits
        return top - source.unit - source.significand_bits

    @property
    def _overflows(self) -> bool:
        """Whether some numbers become infinite."""
        return (
            self._limit is not None and shape_of(self.source).high + max(self.shifts) > self._limit
        )

    def apply(self, c: Circuit, number: Number, cycle: Word) -> Word:
        """The word of a number in clock ``cycle``."""
        terms = (Term(number.exponent, name="exponent"), *self._shift_terms(cycle))
        if isinstance(self.word, CodeWord):
            return self._code(c, number, terms)[self.word.dropped :]
        width = max(1, (shape_of(self.source).high + max(self.shifts)).bit_length())
        exponent = c.sum(width, terms, "scaled_exponent", plus=self.shifts[0])
        if self._overflows:
            (beyond,) = self._beyond(c, exponent)
            (finite,) = c.both((beyond,), (opposite(number.nan),), "overflows")
            (infinite,) = c.either((number.infinite,), (finite,), "infinite")
            number = replace(number, infinite=infinite)
        return self.word.pack(c, replace(number, exponent=exponent))

    def _beyond(self, c: Circuit, exponent: Word) -> Word:
        """Whether an exponent is above the limit."""
        width = max(len(exponent), self._limit.bit_length()) + 1
        terms = (Term(exponent, negative=True, name="exponent"),)
        return c.sum(width, terms, "below_limit", plus=self._limit)[-1:]

    def _shift_terms(self, cycle: Word) -> list[Term]:
        if len(self.shifts) == 1:
            return []
        step = self.shifts[1] - self.shifts[0]
        places = (place for place in range(step.bit_length()) if step >> place & 1)
        return [Term(cycle, place, name="cycle") for place in places]

    def _code(self, c: Circuit, number: Number, terms: Sequence[Term]) -> Word:
        """The code of the number in the accumulator's format."""
        low, high = min(self.shifts), max(self.shifts)
        shape = number.shape
        exact = Exact(
            word=number.significand,
            negative=ZERO,
            inexact=ZERO,
            sign=number.sign,
            exponent=tuple(terms),
            plus=shape.unit + self.shifts[0],
            ranges=tuple(
                Range(r.low + low + shape.unit, r.high + high + shape.unit, r.smallest, r.largest)
                for r in shape.ranges
            ),
        )
        return rounded_code(c, exact, self.accumulator, number.infinite, None, number.nan)


def rounded_code(
    c: Circuit,
    exact: Exact,
    result: Float,
    infinite: Bit,
    infinite_sign: Bit | None,
    nan: Bit,
    overflow: Overflow = Overflow.INFINITY,
) -> Word:
    """The code of an exact result, rounded to nearest even."""
    return finish_float(
        c,
        round_to_float(c, exact, result, _NEAREST),
        result,
        _NEAREST,
        overflow,
        infinite=infinite,
        infinite_sign=infinite_sign,
        nan=nan,
        nan_code=result.nan_code,
    )


def _holds(accumulator: Float, source: Float, shifts: tuple[int, ...]) -> bool:
    """Whether numbers of ``source`` times powers of two are exact in ``accumulator``, unless they
    are too large: then all that are, have a hidden bit, and are at least a power of two beyond."""
    shape, wide = shape_of(source), shape_of(accumulator)
    if shape.significand_bits > wide.significand_bits:
        return False
    lowest = _lowest_bit(accumulator) if accumulator.subnormals else 1 - accumulator.bias
    top = wide.high + wide.unit + wide.significand_bits
    for r in shape.ranges:
        of_lowest_bit = r.low + min(shifts) + shape.unit
        if not accumulator.subnormals:
            of_lowest_bit += r.smallest.bit_length() - 1
        highest = r.high + max(shifts) + shape.unit + shape.significand_bits
        leading = r.smallest >> (shape.significand_bits - 1)
        if of_lowest_bit < lowest or (highest > top and not leading):
            return False
    return True


def _lowest_bit(number_format: Float) -> int:
    """The exponent of the lowest bit of the smallest normal number, and of subnormal ones."""
    return 1 - number_format.bias - number_format.mantissa_bits
