"""Exact arithmetic on arrays of numbers of mixed formats, and the one rounding after it.

Everything is numpy, element by element, and wide enough for the product of 63-bit integers.
"""

from typing import NamedTuple

import numpy as np

from multipede.golden.formats import FixedPoint, Float, Format, Integer, Overflow, Rounding

LIMB_BITS = 64
LEADING_BIT = 62

# Far beyond the exponents of all formats and of their products.
_INFINITE_EXPONENT = 1 << 20
_ZERO_EXPONENT = -_INFINITE_EXPONENT

# The parts of a float64 pattern.
_FRACTION_BITS = 52
_HIDDEN_BIT = 1 << _FRACTION_BITS
_EXPONENTS = 0x7FF
_BIAS = 1023

_ONE = np.uint64(1)


class Exact(NamedTuple):
    """Numbers +-(head + tail / 2**64) * 2**exponent; head and tail are uint64.

    The leading bit of a head is bit 62, so that larger exponents are larger numbers. Zeros have
    head and tail 0 and an exponent below all others, infinities an exponent above all others.
    Where `nan` holds, the rest means nothing.
    """

    negative: np.ndarray
    exponent: np.ndarray
    head: np.ndarray
    tail: np.ndarray
    infinite: np.ndarray
    nan: np.ndarray

    @property
    def zero(self) -> np.ndarray:
        """Which of the numbers are zero."""
        return self.head == 0


def unpack(number_format: Format, codes: np.ndarray) -> Exact:
    """The numbers that `codes` (int64) stand for, of at most 63 bits and so without tail."""
    if isinstance(number_format, Float):
        return _unpack_floats(number_format.decode(codes))
    return _unpack_integers(codes, number_format.fraction_bits)


def _unpack_floats(values: np.ndarray) -> Exact:
    """The numbers of float64 values, of which none is subnormal (see `Float`)."""
    pattern = values.view(np.int64)
    nan = np.isnan(values)
    infinite = np.isinf(values)
    zero = values == 0
    exponent = (pattern >> _FRACTION_BITS & _EXPONENTS) - (_BIAS + LEADING_BIT)
    exponent[infinite] = _INFINITE_EXPONENT
    exponent[zero] = _ZERO_EXPONENT
    head = (pattern & (_HIDDEN_BIT - 1) | _HIDDEN_BIT) << (LEADING_BIT - _FRACTION_BITS)
    head[zero] = 0
    tail = np.zeros(head.shape, np.uint64)
    return Exact(pattern < 0, exponent, head.view(np.uint64), tail, infinite, nan)


def _unpack_integers(codes: np.ndarray, fraction_bits: int) -> Exact:
    magnitude = np.abs(codes).view(np.uint64)
    missing = LEADING_BIT + 1 - _bit_length(magnitude)
    exponent = np.where(codes == 0, _ZERO_EXPONENT, -fraction_bits - missing)
    tail = np.zeros(codes.shape, np.uint64)
    never = np.zeros(codes.shape, np.bool_)
    return Exact(codes < 0, exponent, magnitude << _unsigned(missing), tail, never, never)


def multiply(a: Exact, b: Exact) -> Exact:
    """The products of numbers without tail."""
    high, low = _wide_product(a.head, b.head)
    # The heads' leading bits at 62 make one at 60 or 61 of the high limb.
    missing = np.where(high >> (LEADING_BIT - 1) != 0, 1, 2)
    head, tail = _shift_left(high, low, missing)
    return Exact(
        a.negative ^ b.negative,
        a.exponent + b.exponent + (LIMB_BITS - missing),
        head,
        tail,
        a.infinite | b.infinite,
        a.nan | b.nan | (a.infinite & b.zero) | (a.zero & b.infinite),
    )


def add(a: Exact, b: Exact, rounding: Rounding) -> Exact:
    """The sums of numbers, each from `unpack` or `multiply`; `rounding` decides the sign of a
    zero between addends of different signs.

    What the smaller addend has below the tail is jammed into the tail's lowest bit, which
    cannot show in a rounding to less than a hundred bits: Both addends have their leading bit
    at 126 of 128, and bit 0 clear, since products have at most 126 bits. Hence nothing is lost
    when exponents differ by 1. When they differ by more, the result exceeds 2**125, and with
    the jammed bit it lies strictly between the same two even numbers as without.
    """
    swap = _smaller(a, b)
    subtract = a.negative != b.negative
    distance = np.minimum(np.abs(a.exponent - b.exponent), 2 * LIMB_BITS - 1)
    head, tail = _shift_right_jamming(
        np.where(swap, a.head, b.head), np.where(swap, a.tail, b.tail), distance
    )
    head, tail = _sum_or_difference(
        np.where(swap, b.head, a.head), np.where(swap, b.tail, a.tail), head, tail, subtract
    )
    exponent, head, tail = _normalised(np.maximum(a.exponent, b.exponent), head, tail)
    cancelled = subtract & (head == 0)
    return Exact(
        np.where(cancelled, rounding is Rounding.DOWN, np.where(swap, b.negative, a.negative)),
        exponent,
        head,
        tail,
        a.infinite | b.infinite,
        a.nan | b.nan | (a.infinite & b.infinite & subtract),
    )


def scaled(a: Exact, places: int) -> Exact:
    """The numbers times 2**places."""
    finite = ~(a.zero | a.infinite)
    return a._replace(exponent=a.exponent + places * finite)


def remainder(a: Exact, power: int) -> tuple[Exact, np.ndarray]:
    """The magnitudes modulo 2**power with the signs of numbers without tail, and whether the whole
    quotient is odd. Of infinite numbers there is none: NaN."""
    # So many of the head's lowest bits stay.
    kept = np.clip(power - a.exponent, 0, LIMB_BITS - 1)
    odd = (a.head >> _unsigned(kept)) & _ONE
    odd = (odd != 0) & (power >= a.exponent)
    head = a.head & ((_ONE << _unsigned(kept)) - _ONE)
    exponent, head, tail = _normalised(a.exponent, head, np.zeros_like(a.tail))
    nan = a.nan | a.infinite
    return Exact(a.negative, exponent, head, tail, np.zeros_like(nan), nan), odd


def round_to(
    number_format: Format, numbers: Exact, rounding: Rounding, overflow: Overflow, nan_code: int
) -> np.ndarray:
    """The codes (int64) of `numbers`, rounded once, and `nan_code` for what is no number.

    For integers and fixed point of more than 60 bits or fraction bits the numbers must come from
    `unpack`: their tails do not count there.
    """
    if isinstance(number_format, Float):
        codes = _float_codes(number_format, numbers, rounding, overflow)
        return np.where(numbers.nan, nan_code, codes)
    codes = _integer_codes(number_format, numbers, rounding, overflow)
    unwrappable = numbers.infinite & (overflow is Overflow.WRAP)
    return np.where(numbers.nan | unwrappable, nan_code, codes)


def _float_codes(
    number_format: Float, numbers: Exact, rounding: Rounding, overflow: Overflow
) -> np.ndarray:
    mantissa_bits = number_format.mantissa_bits
    head = numbers.head | (numbers.tail != 0)
    # The exponent field and the shift that the leading bit asks for in an unbounded range.
    field = numbers.exponent + (LEADING_BIT + number_format.bias)
    shift = LEADING_BIT - mantissa_bits
    if number_format.subnormals:
        shift = shift + np.maximum(1 - field, 0)
        field = np.maximum(field, 1)
    # The leading bit adds one to the field, and so does a carry.
    base = (field - 1) << mantissa_bits
    magnitude = base + _shift_rounding(head, shift, numbers.negative, rounding, base)
    return number_format.admit(magnitude, numbers.negative, numbers.infinite, rounding, overflow)


def _integer_codes(
    number_format: Integer | FixedPoint, numbers: Exact, rounding: Rounding, overflow: Overflow
) -> np.ndarray:
    shift = -(numbers.exponent + number_format.fraction_bits)
    right, left = np.maximum(shift, 0), np.minimum(np.maximum(-shift, 0), LIMB_BITS)
    head = numbers.head | (numbers.tail != 0)
    units = _shift_rounding(head, right, numbers.negative, rounding, 0)
    # Any shift to the left leads out of range; what stays is for WRAP.
    beyond = left > 0
    units = units << left
    codes = np.where(numbers.negative, -units, units)
    below = np.where(beyond, numbers.negative, codes < number_format.minimum_code)
    above = np.where(beyond, ~numbers.negative, codes > number_format.maximum_code)
    return number_format.admit(codes, below, above, overflow)


def _shift_rounding(
    head: np.ndarray,
    shift: np.ndarray | int,
    negative: np.ndarray,
    rounding: Rounding,
    base: np.ndarray | int,
) -> np.ndarray:
    """`head` / 2**`shift` as rounded integers; a tie makes `base` plus the result even."""
    # 63 leaves nothing but the rest; beyond, the rest is less than half, as it is of 1.
    head = np.where(shift < LIMB_BITS, head, head != 0).astype(np.uint64)
    shift = _unsigned(np.minimum(shift, LIMB_BITS - 1))
    kept = (head >> shift).view(np.int64)
    unit = _ONE << shift
    twice_the_rest = (head & (unit - _ONE)) << _ONE
    match rounding:
        case Rounding.NEAREST_EVEN:
            odd = _unsigned(base + kept & 1)
            up = twice_the_rest + odd > unit
        case Rounding.NEAREST_AWAY:
            up = twice_the_rest >= unit
        case Rounding.TOWARD_ZERO:
            up = False
        case Rounding.DOWN:
            up = negative & (twice_the_rest != 0)
        case Rounding.UP:
            up = ~negative & (twice_the_rest != 0)
    return kept + up


def _smaller(a: Exact, b: Exact) -> np.ndarray:
    """Where `a` is smaller than `b` by magnitude."""
    head, tail = a.head < b.head, (a.head == b.head) & (a.tail < b.tail)
    return (a.exponent < b.exponent) | ((a.exponent == b.exponent) & (head | tail))


# Unsigned integers of two limbs, modulo 2**128. Counts of shifts are int64.


def _unsigned(numbers: np.ndarray) -> np.ndarray:
    """`numbers`, int64 and not negative, as uint64, since numpy mixes the two to float64."""
    return np.asarray(numbers).view(np.uint64)


def _bit_length(limb: np.ndarray) -> np.ndarray:
    """The number of bits up to the leading one, as int64."""
    # Without the bit after the leading one float64 cannot round up to the next power of two.
    return np.frexp((limb & ~(limb >> _ONE)).astype(np.float64))[1].astype(np.int64)


def _wide_product(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """High and low limb of the product of limbs, from the products of their halves."""
    half, mask = np.uint64(LIMB_BITS // 2), np.uint64((1 << LIMB_BITS // 2) - 1)
    a_high, a_low, b_high, b_low = a >> half, a & mask, b >> half, b & mask
    low = a_low * b_low
    middle = a_high * b_low + (low >> half)
    other = a_low * b_high + (middle & mask)
    high = a_high * b_high + (middle >> half) + (other >> half)
    return high, (other << half) | (low & mask)


def _shift_left(
    high: np.ndarray, low: np.ndarray, count: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Shifted by less than 64."""
    crossing = (low >> _ONE) >> _unsigned(LIMB_BITS - 1 - count)
    return (high << _unsigned(count)) | crossing, low << _unsigned(count)


def _shift_right_jamming(
    high: np.ndarray, low: np.ndarray, count: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Shifted by less than 128, with the lowest bit set if a bit is lost."""
    whole_limb = count >= LIMB_BITS
    lost = np.where(whole_limb, low, 0)
    low = np.where(whole_limb, high, low)
    high = np.where(whole_limb, 0, high)
    count = count & (LIMB_BITS - 1)
    lost |= low & ((_ONE << _unsigned(count)) - _ONE)
    crossing = (high << _ONE) << _unsigned(LIMB_BITS - 1 - count)
    return high >> _unsigned(count), (low >> _unsigned(count)) | crossing | (lost != 0)


def _sum_or_difference(
    high: np.ndarray,
    low: np.ndarray,
    other_high: np.ndarray,
    other_low: np.ndarray,
    subtract: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Plus the other number, or, where `subtract` holds, plus its two's complement."""
    one = subtract.astype(np.uint64)
    flip = -one
    other_low = other_low ^ flip
    partial = low + other_low
    result = partial + one
    carry = (partial < other_low) | (result < one)
    return high + (other_high ^ flip) + carry, result


def _normalised(
    exponent: np.ndarray, head: np.ndarray, tail: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Exponent, head and tail of the same numbers with the leading bit where it belongs."""
    carry = head >> np.uint64(LEADING_BIT + 1)
    crossing = (head & carry) << np.uint64(LIMB_BITS - 1)
    head, tail = head >> carry, (tail >> carry) | crossing | (tail & carry)
    # A difference may be left in the tail alone.
    empty = head == 0
    head = np.where(empty, tail >> _ONE, head)
    tail = np.where(empty, tail << np.uint64(LIMB_BITS - 1), tail)
    missing = LEADING_BIT + 1 - _bit_length(head)
    exponent = exponent + carry.view(np.int64) - missing - (LIMB_BITS - 1) * empty
    exponent = np.where(head == 0, _ZERO_EXPONENT, exponent)
    return exponent, *_shift_left(head, tail, missing)
