"""The exact sum of two floats: the one with the smaller exponent is shifted."""

from dataclasses import dataclass

from multipede.golden.formats import Float
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
from multipede.hw.arithmetic.operands import Number, Range
from multipede.hw.arithmetic.shifters import shift_right

__all__ = ["guard_bits", "sum_of_floats"]


def guard_bits(fixed: tuple[Range, ...], moving_low: int, moving_bits: int, result: Float) -> int:
    """Places below the fixed addend that make the sum exact enough for one rounding.

    With g places the moving addend loses ones only if its lowest exponent lies more than g
    below the fixed addend's. It then is less than ``2**(moving_bits - 1)`` at the lowest place.
    The sum has its leading one at place ``result.mantissa_bits + 1`` or higher if the fixed
    addend is at least 2**that plus as much, and then what is lost lies below the guard bit,
    where it only matters that there is something: the sticky bit is exact. Nor does it matter
    where the guard bit of the smallest numbers of ``result`` lies above.
    """
    precision = result.mantissa_bits + 1
    lowest_guard = -result.bias - result.mantissa_bits
    places = 0
    for r in fixed:
        while r.smallest << places < (1 << precision) + (1 << moving_bits >> 1):
            harmless = moving_low + places
            if result.subnormals:
                harmless = max(harmless, lowest_guard + places)
            if r.high <= harmless:
                break
            places += 1
    return places


@dataclass(frozen=True)
class _Addend:
    """A float whose significand has as many bits as the other's and whose exponent counts from
    the same value: it is ``significand * 2**(exponent + unit)`` with one ``unit`` for both."""

    sign: Bit
    exponent: Word
    significand: Word
    ranges: tuple[Range, ...]
    zero: int | None
    largest: int

    @property
    def low(self) -> int:
        """The lowest exponent, zero's included."""
        return min([r.low for r in self.ranges] + ([] if self.zero is None else [self.zero]))

    @property
    def high(self) -> int:
        """The highest exponent of a finite number."""
        return max(r.high for r in self.ranges)


def _top(number: Number) -> int:
    """The exponent of the significand's highest bit where the exponent is 0."""
    return number.shape.unit + number.shape.significand_bits - 1


def _addend(c: Circuit, number: Number, other: Number, name: str) -> _Addend:
    """``number`` on the scale that suits both numbers."""
    shape = number.shape
    bits = max(shape.significand_bits, other.shape.significand_bits)
    up = bits - shape.significand_bits
    offset = _top(number) - min(_top(number), _top(other))
    exponent, zero = number.exponent, shape.zero
    if offset:
        width = (shape.high + offset).bit_length()
        exponent = c.sum(
            width, (Term(exponent, name="exponent"),), f"{name}_moved_exponent", plus=offset
        )
    if zero is not None:
        zero += offset
        if zero > other.shape.low + _top(other) - min(_top(number), _top(other)):
            # A zero with the larger exponent would shift the other addend to no purpose.
            exponent = c.both(exponent, (opposite(number.zero),), f"{name}_exponent_or_0")
            zero = 0
    return _Addend(
        sign=number.sign,
        exponent=exponent,
        significand=constant(0, up) + number.significand,
        ranges=tuple(
            Range(r.low + offset, r.high + offset, r.smallest << up, r.largest << up)
            for r in shape.ranges
        ),
        zero=zero,
        largest=shape.largest << up,
    )


def sum_of_floats(c: Circuit, a: Number, b: Number, result: Float) -> Exact:
    """a + b, exactly or with what cannot show lost below the guard bit."""
    x, y = _addend(c, a, b, "a"), _addend(c, b, a, "b")
    bits = len(x.significand)
    unit = min(_top(a), _top(b)) - (bits - 1)
    low, high = min(x.low, y.low), max(x.high, y.high)
    guard = min(max(1, high - low), max(_guard(x, y, unit, result), _guard(y, x, unit, result)))
    guard = max(1, guard)
    distance = _distance(c, x.exponent, y.exponent)
    x_larger = opposite(distance[-1])
    aligned, inexact = _aligned(c, x, y, distance, (high - low, bits + guard))
    larger = c.choose(x_larger, x.significand, y.significand, "larger")
    (subtract,) = c.exclusive((x.sign,), (y.sign,), "subtract")
    addend = c.exclusive(larger, (subtract,), "addend")
    terms = (
        Term(aligned, name="aligned"),
        Term(addend, guard, name="addend"),
        Term((subtract,), guard, name="subtract"),
    )
    *word, carry = c.sum(bits + guard + 1, terms, "total")
    # The sum has a sign only if the larger significand is subtracted.
    (top,) = c.exclusive((carry,), (subtract,), "total_top")
    (negative,) = c.both((subtract,), (opposite(carry),), "total_negative")
    (smaller_sign,) = c.choose(x_larger, (y.sign,), (x.sign,), "smaller_sign")
    (sign,) = c.exclusive((smaller_sign,), (negative,), "sum_sign")
    width = max(len(x.exponent), len(y.exponent))
    exponents = (padded(n.exponent, width) for n in (x, y))
    exponent = c.choose(x_larger, *exponents, "larger_exponent")
    return Exact(
        word=(*word, top),
        negative=negative,
        inexact=inexact,
        sign=sign,
        exponent=(Term(exponent, name="exponent"),),
        plus=unit - guard,
        ranges=_sums(x, y, guard, unit - guard, differ=subtract != ZERO),
        cancels=subtract,
    )


def _sums(x: _Addend, y: _Addend, guard: int, unit: int, *, differ: bool) -> tuple[Range, ...]:
    """The sums other than zero; where signs never ``differ`` none is below the larger addend."""
    largest = (x.largest + y.largest) << guard
    if differ:
        low, high = min(x.low, y.low), max(x.high, y.high)
        return (Range(low + unit, high + unit, 1, largest),)
    return tuple(
        Range(r.low + unit, r.high + unit, r.smallest << guard, largest)
        for r in (*x.ranges, *y.ranges)
    )


def _guard(larger: _Addend, smaller: _Addend, unit: int, result: Float) -> int:
    ranges = tuple(Range(r.low + unit, r.high + unit, r.smallest, r.largest) for r in larger.ranges)
    return guard_bits(ranges, smaller.low + unit, len(larger.significand), result)


def _distance(c: Circuit, x: Word, y: Word) -> Word:
    """x - y - 1, with a sign bit."""
    width = max(len(x), len(y)) + 1
    return c.sum(width, (Term(x, name="x"), Term(y, negative=True, name="y")), "distance", plus=-1)


def _aligned(
    c: Circuit, x: _Addend, y: _Addend, distance: Word, reach: tuple[int, int]
) -> tuple[Word, Bit]:
    """The significand with the smaller exponent, shifted right by the exponents' difference.

    Where x is the larger, the difference exceeds ``distance`` by one, by which y is shifted on
    its way; otherwise it is the inverse of ``distance``. ``reach`` is the largest difference and
    the number of places of the result.
    """
    x_larger = opposite(distance[-1])
    smaller = c.choose(x_larger, (*y.significand, ZERO), (ZERO, *x.significand), "smaller")
    amount = c.exclusive(distance[:-1], (distance[-1],), "difference")
    levels = min(reach).bit_length()
    far = c.any_of(amount[levels:], "far")
    amount = c.either(amount[:levels], (far,), "shift")
    return shift_right(c, smaller, amount, reach[1], "aligned")
