"""The exact sum of a term that stays in its place and a number that is shifted to it.

The window, as wide as both may need, has ``guard`` places below the fixed term's lowest bit; the
moving number starts ``left`` places above the fixed term's lowest bit and is shifted right. Both
distances are computed from the formats so that one rounding of the sum is exact:

- what the moving number loses at the right lies below the sum's guard bit
  (:func:`~multipede.hw.arithmetic.float_sum.guard_bits`);
- where the moving number would have to start higher still, it stays where it is and the fixed
  term, which then is too high, lies below the guard bit of the sum, where again it only matters
  that there is something and of which sign (:func:`_left_places`).
"""

from collections.abc import Callable
from dataclasses import dataclass

from multipede.golden.formats import Float
from multipede.hw.arithmetic.circuit import ZERO, Bit, Circuit, Term, Word, opposite
from multipede.hw.arithmetic.exact_result import Exact
from multipede.hw.arithmetic.float_sum import guard_bits
from multipede.hw.arithmetic.operands import Number, Range
from multipede.hw.arithmetic.shifters import shift_right

__all__ = ["Fixed", "aligned_sum"]


@dataclass(frozen=True)
class Fixed:
    """The term that stays in its place.

    Attributes
    ----------
    terms : from whether to negate and the place of the lowest bit to the addends of the window.
    flip, sign : what the terms are to be negated by, and the term's own sign, also of a zero.
    signed : whether the terms may be negative without being negated.
    zero : whether the term is zero.
    exponent, plus : the exponent of the lowest bit is the sum of the terms and ``plus``.
    ranges : the values other than zero, by kind. zeros : range of exponents of zero, if any.
    """

    terms: Callable[[Bit, int, int], list[Term]]
    flip: Bit
    sign: Bit
    signed: bool
    zero: Bit
    exponent: tuple[Term, ...]
    plus: int
    ranges: tuple[Range, ...]
    zeros: tuple[int, int] | None

    @property
    def low(self) -> int:
        """The lowest exponent of its lowest bit."""
        return min([r.low for r in self.ranges] + list(self.zeros or ()))

    @property
    def high(self) -> int:
        """The highest exponent of its lowest bit."""
        return max([r.high for r in self.ranges] + list(self.zeros or ()))


@dataclass(frozen=True)
class _Window:
    """Places of the sum; see the module. ``catches`` tell which zeros need to be looked for:
    a fixed zero would let the moving number lose bits that count, and a moving zero at the left
    would hold the fixed term where it is too high."""

    guard: int
    left: int
    catch_fixed_zero: bool
    catch_moving_zero: bool


def _window(fixed: Fixed, moving: Number, result: Float) -> _Window:
    shape = moving.shape
    ranges = tuple(
        Range(r.low + shape.unit, r.high + shape.unit, r.smallest, r.largest) for r in shape.ranges
    )
    moving_low = min(r.low for r in ranges)
    guard = guard_bits(fixed.ranges, moving_low, shape.largest.bit_length(), result)
    left = max(_left_places(r, fixed, result) for r in ranges)
    harmless = moving_low + guard
    lowest_guard = -result.bias - result.mantissa_bits
    if result.subnormals:
        harmless = max(harmless, lowest_guard + guard)
    catch_fixed = fixed.zeros is not None and fixed.zeros[1] > harmless
    catch_moving = False
    if shape.zero is not None:
        zero = Range(shape.zero + shape.unit, shape.zero + shape.unit, 0, 0)
        catch_moving = _left_places(zero, fixed, result) > left
    return _Window(guard, left, catch_fixed, catch_moving)


def _left_places(moving: Range, fixed: Fixed, result: Float) -> int:
    """Places from the fixed term's lowest bit up to the moving number's, at least.

    The fixed term has ``bits`` places. It may be held too high if the guard bit of the sum is
    above all of them, and if so is the moving number's lowest bit: then moving it further down
    changes neither. The sum's leading one is at most one place below the moving number's, the
    guard bit lies ``precision`` places below that, and it lies never below the guard bit of the
    smallest numbers of ``result``.
    """
    precision = result.mantissa_bits + 1
    bits = max(r.largest for r in fixed.ranges).bit_length()
    ways = [moving.high - min(r.low for r in fixed.ranges)]
    if moving.smallest:
        ways.append(max(bits, bits + precision + 2 - moving.smallest.bit_length()))
    if result.subnormals:
        lowest = 1 - result.bias - result.mantissa_bits
        ways.append(max(bits, bits + 1 + moving.high - lowest))
    return max(0, min(ways))


@dataclass(frozen=True)
class _Shift:
    """By how much the moving number is shifted: ``distance``, unless it is ``held`` at the left.

    The distance is two's complement if ``low``, its lowest value, is negative.
    """

    distance: Word
    held: Bit
    low: int
    high: int

    @property
    def unsigned(self) -> Word:
        """The distance where it is not negative."""
        return self.distance[:-1] if self.low < 0 else self.distance


def _shift(c: Circuit, fixed: Fixed, moving: Number, window: _Window) -> _Shift:
    unit = moving.shape.unit - window.left
    low, high = fixed.low - moving.shape.high - unit, fixed.high - moving.shape.low - unit
    has_sign = low < 0
    width = max(1, high.bit_length(), (~low).bit_length() * has_sign) + has_sign
    terms = (*fixed.exponent, Term(moving.exponent, negative=True, name="moving_exponent"))
    distance = c.sum(width, terms, "distance", plus=fixed.plus - unit)
    held = distance[-1] if has_sign else ZERO
    if window.catch_moving_zero:
        (held,) = c.both((held,), (opposite(moving.zero),), "held_nonzero")
    if window.catch_fixed_zero:
        (held,) = c.either((held,), (fixed.zero,), "held")
    return _Shift(distance, held, low, high)


def aligned_sum(c: Circuit, fixed: Fixed, moving: Number, result: Float) -> Exact:
    """``fixed`` + ``moving``, exactly or with what cannot show jammed; see the module."""
    window = _window(fixed, moving, result)
    shift = _shift(c, fixed, moving, window)
    aligned, inexact = _aligned(c, moving, window, shift)
    (subtract,) = c.exclusive((fixed.flip,), (moving.flip,), "subtract")
    (differ,) = c.exclusive((fixed.sign,), (moving.sign,), "signs_differ")
    largest = moving.shape.largest << (window.guard + window.left)
    largest += max(r.largest for r in fixed.ranges) << window.guard
    is_signed = subtract != ZERO or moving.shape.signed or fixed.signed
    width = largest.bit_length() + is_signed
    terms = [Term(aligned, signed=moving.shape.signed, late=True, name="aligned")]
    terms += fixed.terms(subtract, window.guard, width)
    word, negative = c.sum(width, terms, "total"), ZERO
    if is_signed:
        *word, negative = word
    (sign,) = c.exclusive((moving.flip,), (negative,), "sum_sign")
    exponent, plus, low, high = _exponent(c, fixed, moving, window, shift)
    return Exact(
        word=tuple(word),
        negative=negative,
        inexact=inexact,
        sign=sign,
        exponent=exponent,
        plus=plus,
        ranges=(Range(low, high, 1, largest),),
        cancels=differ,
    )


def _aligned(c: Circuit, moving: Number, window: _Window, shift: _Shift) -> tuple[Word, Bit]:
    """The moving number in the window; a distance beyond it shifts by all ones."""
    places = window.guard + window.left + moving.shape.significand_bits
    levels = max(0, min(shift.high, places)).bit_length()
    far = c.any_of(shift.unsigned[levels:], "far")
    amount = c.either(shift.unsigned[:levels], (far,), "far_shift")
    amount = c.both(amount, (opposite(shift.held),), "shift")
    return shift_right(c, moving.significand, amount, places, "aligned", signed=moving.shape.signed)


def _exponent(
    c: Circuit, fixed: Fixed, moving: Number, window: _Window, shift: _Shift
) -> tuple[tuple[Term, ...], int, int, int]:
    """The exponent of the window's lowest bit, as terms and what is added, and its bounds.

    It is the fixed term's, or the moving number's where that is held: the moving number's plus
    the distance that it was shifted by.
    """
    high = max(fixed.high, moving.shape.high + moving.shape.unit - window.left) - window.guard
    if shift.held == ZERO:
        return fixed.exponent, fixed.plus - window.guard, fixed.low - window.guard, high
    held_low = moving.shape.low + moving.shape.unit - window.left
    low = fixed.low if window.catch_moving_zero else max(fixed.low, held_low)
    if window.catch_fixed_zero:
        low = min(low, held_low)
    signed = window.catch_moving_zero
    distance = shift.distance if signed else shift.unsigned
    distance = c.both(distance, (opposite(shift.held),), "gated_distance")
    terms = (
        Term(moving.exponent, name="moving_exponent"),
        Term(distance, signed=signed and shift.low < 0, name="distance"),
    )
    plus = moving.shape.unit - window.left - window.guard
    return terms, plus, low - window.guard, high
