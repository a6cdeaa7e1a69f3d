"""Codes of any number format taken apart into sign, exponent and significand.

A number is ``(-1)**sign * significand * 2**(exponent + unit)``. Subnormal numbers have a hidden
bit of 0 and the exponent of the smallest normal ones, hence leading zeros; nothing is normalised.
Integers and fixed point are their own significand, in two's complement if signed.
"""

from dataclasses import dataclass

from multipede.golden.formats import Float, Format, Specials
from multipede.hw.arithmetic.circuit import ONE, ZERO, Bit, Circuit, Word, opposite

__all__ = ["Number", "NumberShape", "Range", "shape_of", "unpack"]


@dataclass(frozen=True)
class Range:
    """Numbers with exponents from ``low`` to ``high`` whose significands have magnitudes from
    ``smallest``, which is at least 1, to ``largest``."""

    low: int
    high: int
    smallest: int
    largest: int


@dataclass(frozen=True)
class NumberShape:
    """What the numbers of a format look like, known before any hardware.

    Attributes
    ----------
    signed : whether the significand is in two's complement.
    negative : whether there are negative numbers at all.
    significand_bits : its width, a sign bit included.
    unit : the exponent of the significand's lowest bit where the exponent is 0.
    exponent_bits : width of the exponent, 0 where it is always 0.
    ranges : the finite numbers other than zero, by kind.
    zero : the exponent of zero, None where there is none.
    infinite, nan : whether there are such codes.
    """

    signed: bool
    negative: bool
    significand_bits: int
    unit: int
    exponent_bits: int
    ranges: tuple[Range, ...]
    zero: int | None
    infinite: bool
    nan: bool

    @property
    def low(self) -> int:
        """The lowest exponent."""
        return min([r.low for r in self.ranges] + ([] if self.zero is None else [self.zero]))

    @property
    def high(self) -> int:
        """The highest exponent of a finite number."""
        return max(r.high for r in self.ranges)

    @property
    def largest(self) -> int:
        """The largest magnitude of a significand."""
        return max(r.largest for r in self.ranges)


def shape_of(format_: Format) -> NumberShape:
    """The shape of a float, an integer or a fixed-point format."""
    if not isinstance(format_, Float):
        largest = 1 << (format_.bits - 1) if format_.signed else (1 << format_.bits) - 1
        return NumberShape(
            signed=format_.signed,
            negative=format_.signed,
            significand_bits=format_.bits,
            unit=-format_.fraction_bits,
            exponent_bits=0,
            ranges=(Range(0, 0, 1, largest),),
            zero=0,
            infinite=False,
            nan=False,
        )
    hidden = 1 << format_.mantissa_bits
    top = format_.maximum_code >> format_.mantissa_bits
    # The highest exponent may lack some mantissas; that does no harm to a bound.
    ranges = [Range(int(format_.zero), top, hidden, 2 * hidden - 1)]
    if format_.subnormals and format_.mantissa_bits:
        ranges.append(Range(1, 1, 1, hidden - 1))
    return NumberShape(
        signed=False,
        negative=format_.signed,
        significand_bits=format_.mantissa_bits + 1,
        unit=-format_.bias - format_.mantissa_bits,
        exponent_bits=format_.exponent_bits,
        ranges=tuple(ranges),
        zero=(int(format_.subnormals) if format_.zero else None),
        infinite=format_.infinity_code is not None,
        nan=format_.nan_code is not None,
    )


@dataclass(frozen=True)
class Number:
    """An operand in a circuit. Where ``infinite`` or ``nan`` holds the other words mean nothing
    but ``sign``, which is the number's own in two's complement too."""

    shape: NumberShape
    sign: Bit
    exponent: Word
    significand: Word
    zero: Bit
    infinite: Bit
    nan: Bit

    @property
    def flip(self) -> Bit:
        """What the significand must be negated by to be the number's own: floats' sign."""
        return ZERO if self.shape.signed else self.sign


def unpack(c: Circuit, format_: Format, code: Word, name: str) -> Number:
    """The number of a code."""
    shape = shape_of(format_)
    if not isinstance(format_, Float):
        zero = opposite(c.any_of(code, f"{name}_nonzero"))
        return Number(shape, code[-1] if format_.signed else ZERO, (), code, zero, ZERO, ZERO)
    mantissa = code[: format_.mantissa_bits]
    field = code[format_.mantissa_bits : format_.mantissa_bits + format_.exponent_bits]
    sign = code[-1] if format_.signed else ZERO
    hidden = c.any_of(field, f"{name}_normal") if format_.zero else ONE
    fraction = c.any_of(mantissa, f"{name}_fraction")
    exponent = field
    if format_.subnormals:
        exponent = (*c.either(field[:1], (opposite(hidden),), f"{name}_exponent"), *field[1:])
        zero = opposite(c.any_of((hidden, fraction), f"{name}_nonzero"))
    else:
        mantissa = c.both(mantissa, (hidden,), f"{name}_mantissa")
        zero = opposite(hidden)
    infinite, nan = _specials(c, format_, field, code, fraction, name)
    return Number(shape, sign, exponent, (*mantissa, hidden), zero, infinite, nan)


def _specials(
    c: Circuit, format_: Float, field: Word, code: Word, fraction: Bit, name: str
) -> tuple[Bit, Bit]:
    """Whether the code is infinite, and whether it is NaN."""
    if format_.specials is Specials.FINITE:
        return ZERO, ZERO
    if format_.specials is Specials.FN:
        magnitude = code[: format_.mantissa_bits + format_.exponent_bits]
        return ZERO, c.all_of(magnitude, f"{name}_nan")
    top = c.all_of(field, f"{name}_top")
    (infinite,) = c.both((top,), (opposite(fraction),), f"{name}_infinite")
    (nan,) = c.both((top,), (fraction,), f"{name}_nan")
    return infinite, nan
