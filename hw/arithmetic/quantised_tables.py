"""Circuits that build tables of codes with a scale from tables of rounded float sums.

The scale is the largest magnitude over 127, each code an entry over the scale, both divided exactly
and rounded once. Significands are divided; exponents place the dividend.
"""

from dataclasses import dataclass

from multipede.golden.formats import INT8, Float, Overflow
from multipede.hw.arithmetic.circuit import (
    ZERO,
    Bit,
    Circuit,
    Term,
    Word,
    constant,
    opposite,
)
from multipede.hw.arithmetic.divider import divide, divide_by
from multipede.hw.arithmetic.exact_result import Exact, Grid
from multipede.hw.arithmetic.operands import Number, NumberShape, Range, shape_of, unpack
from multipede.hw.arithmetic.rounded_tables import rounded_entries
from multipede.hw.arithmetic.sharing_circuit import SharingCircuit
from multipede.hw.arithmetic.shifters import shift_right
from multipede.hw.arithmetic.term_words import rounded_code

__all__ = ["quantised_entries", "quantised_table_circuit"]

_LARGEST_CODE = INT8.maximum
_QUOTIENT_BITS = INT8.bits
"""Bits of an entry over the scale: rounding makes no scale less than two thirds of a 127th of the
largest entry, so that it is below 190.5."""


def quantised_table_circuit(
    number_format: Float, table_inputs: int, signed_sums: bool, overflow: Overflow, scale: Float
) -> Circuit:
    """``a0``.. of ``number_format`` -> ``t0``.., codes in two's complement, and ``scale``."""
    c = SharingCircuit()
    lanes = [c.input(f"a{k}", number_format.bits) for k in range(table_inputs)]
    codes, scale_code = quantised_entries(c, number_format, lanes, signed_sums, overflow, scale)
    for index, code in enumerate(codes):
        c.output(f"t{index}", code)
    c.output("scale", scale_code)
    return c


def quantised_entries(
    c: Circuit,
    number_format: Float,
    lanes: list[Word],
    signed_sums: bool,
    overflow: Overflow,
    scale: Float,
) -> tuple[list[Word], Word]:
    """The codes of the entries of U or F, and the code of their scale."""
    entries = rounded_entries(c, number_format, lanes, signed_sums, overflow)
    numbers = [unpack(c, number_format, entry, "addend") for entry in entries]
    special = c.any_of([flag for n in numbers for flag in (n.infinite, n.nan)], "special")
    largest = _largest(c, [entry[:-1] for entry in entries])
    scale_code = _scale(c, unpack(c, number_format, (*largest, ZERO), "largest"), scale, special)
    divisor = unpack(c, scale, scale_code, "scale")
    window = _window(shape_of(number_format), divisor.shape)
    (alive,) = c.both((opposite(divisor.zero),), (opposite(special),), "counts")
    return [_code(c, number, divisor, window, alive) for number in numbers], scale_code


def _largest(c: Circuit, magnitudes: list[Word]) -> Word:
    """The largest of unsigned words of one width."""
    while len(magnitudes) > 1:
        pairs = zip(magnitudes[0::2], magnitudes[1::2], strict=False)
        magnitudes = [_larger(c, a, b) for a, b in pairs] + magnitudes[len(magnitudes) // 2 * 2 :]
    return magnitudes[0]


def _larger(c: Circuit, a: Word, b: Word) -> Word:
    terms = (Term(a, name="a"), Term(b, negative=True, name="b"))
    difference = c.sum(len(a) + 1, terms, "compared")
    return c.choose(difference[-1], b, a, "larger")


def _scale(c: Circuit, largest: Number, scale: Float, special: Bit) -> Word:
    """The code of a 127th of a number, or of NaN."""
    shape = largest.shape
    places = _quotient_places(shape, scale)
    word, inexact = divide_by(
        c,
        constant(0, places) + largest.significand,
        _LARGEST_CODE,
        shape.largest << places,
        "by_127",
    )
    exact = Exact(
        word=word,
        negative=ZERO,
        inexact=inexact,
        sign=ZERO,
        exponent=(Term(largest.exponent, name="exponent"),),
        plus=shape.unit - places,
        ranges=tuple(
            Range(
                r.low + shape.unit - places,
                r.high + shape.unit - places,
                (r.smallest << places) // _LARGEST_CODE,
                -(-(r.largest << places) // _LARGEST_CODE),
            )
            for r in shape.ranges
        ),
    )
    return rounded_code(c, exact, scale, ZERO, None, special, Overflow.SATURATE)


def _quotient_places(shape: NumberShape, scale: Float) -> int:
    """Places that a significand is shifted by so that the bits of its 127th and the remainder
    decide the rounding: as many as the scale has and one more, or as far as that reaches."""
    grid = Grid.of(scale)
    places = _LARGEST_CODE.bit_length()
    for r in shape.ranges:
        while (r.smallest << places) // _LARGEST_CODE < 1 << grid.precision:
            if grid.bounded and r.high + shape.unit - places < grid.lowest:
                break
            places += 1
    return places


@dataclass(frozen=True)
class _Window:
    """The dividend of an entry over the scale.

    An entry whose lowest bit is worth ``2**left`` of the scale's has its significand at the top of
    ``width`` bits, of which the lowest is worth a half; others lie further to the right. ``exact``
    tells that what an entry loses there does not matter: then it is below half the scale.
    """

    left: int
    width: int
    exact: bool


def _window(entry: NumberShape, scale: NumberShape) -> _Window:
    """The exponent's distance from the scale's is bounded by the quotient, and by the scale's
    lowest exponent. An entry of half the scale or more that has no more bits than this, and no
    lower ones either, has none below a half of the scale's lowest."""
    lowest = min(r.low for r in scale.ranges) + scale.unit
    left = max(
        min(
            _QUOTIENT_BITS + scale.significand_bits - r.smallest.bit_length(),
            r.high + entry.unit - lowest,
        )
        for r in entry.ranges
    )
    left = max(0, left)
    shorter = entry.significand_bits <= scale.significand_bits
    exact = shorter and min(r.low for r in entry.ranges) + entry.unit >= lowest - 1
    return _Window(left, entry.significand_bits + left + 1, exact)


def _code(c: Circuit, entry: Number, scale: Number, window: _Window, alive: Bit) -> Word:
    """RNE(entry / scale), clipped; 0 unless ``alive``."""
    dividend, lost = _placed(c, entry, scale, window)
    quotient, inexact = divide(c, dividend, scale.significand, _QUOTIENT_BITS + 1, "by_scale")
    guard, *kept = quotient
    above_half = c.any_of((inexact, lost, kept[0]), "above_half")
    (up,) = c.both((guard,), (above_half,), "up")
    terms = (Term(tuple(kept), name="quotient"), Term((up,), name="up"))
    rounded = c.sum(_QUOTIENT_BITS + 1, terms, "rounded_quotient")
    bits = INT8.bits - 1
    magnitude = c.either(rounded[:bits], (c.any_of(rounded[bits:], "clips"),), "clipped")
    magnitude = c.both(magnitude, (alive,), "magnitude_of_code")
    flipped = c.exclusive(magnitude, (entry.sign,), "flipped")
    terms = (Term((*flipped, entry.sign), name="flipped"), Term((entry.sign,), name="negate"))
    return c.sum(INT8.bits, terms, "code")


def _placed(c: Circuit, entry: Number, scale: Number, window: _Window) -> tuple[Word, Bit]:
    """The entry's significand in the window, and whether ones of it that matter are below."""
    plus = window.left + scale.shape.unit - entry.shape.unit
    furthest = max(0, plus + scale.shape.high - entry.shape.low)
    terms = (
        Term(scale.exponent, name="scale_exponent"),
        Term(entry.exponent, negative=True, name="entry_exponent"),
    )
    amount = c.sum(max(1, furthest.bit_length()), terms, "distance", plus=plus)
    levels = min(furthest, window.width).bit_length()
    far = c.any_of(amount[levels:], "far")
    amount = c.either(amount[:levels], (far,), "shift")
    dividend, lost = shift_right(c, entry.significand, amount, window.width, "dividend")
    return dividend, ZERO if window.exact else lost
