"""Exact results become floats: one rounding, and one addition that packs."""

from collections.abc import Sequence
from dataclasses import dataclass

from multipede.golden.formats import Float, Rounding
from multipede.hw.arithmetic.circuit import ZERO, Bit, Circuit, Term, Word, opposite, padded
from multipede.hw.arithmetic.exact_result import Exact, Frame, Grid, cut
from multipede.hw.arithmetic.rounding import rounding_increment

__all__ = ["Rounded", "round_to_float"]


@dataclass(frozen=True)
class Rounded:
    """A rounded magnitude in a float's code, which continues beyond its highest exponent.

    ``least`` and ``most`` bound the code, which is two's complement if ``least`` is negative;
    ``nonzero`` is 0 if there is no number other than zero in it, whatever the code then is.
    """

    code: Word
    least: int
    most: int
    nonzero: Bit
    sign: Bit


def round_to_float(c: Circuit, exact: Exact, result: Float, rounding: Rounding) -> Rounded:
    """The magnitude rounded to ``result``, in a range that is unbounded above.

    The code is (position - shift) above the kept bits, plus the increment: the leading bit adds
    one to the exponent field, and so does a carry of the rounding, so that a subnormal number
    needs no case of its own.
    """
    grid = Grid.of(result)
    at = cut(c, exact, grid)
    leading = at.kept[-1]
    nonzero = leading
    if at.frame.limited:
        (nonzero,) = c.either((leading,), (at.at_limit,), "nonzero")
    sign = _sign(c, exact, (at.guard, at.inexact, *at.kept), rounding)
    odd = at.kept[0]
    if grid.precision == 1:  # the code's lowest bit is the exponent's
        field = c.exclusive(at.position[:1], padded(at.shift, 1)[:1], "field")
        (odd,) = c.exclusive(field, (leading,), "odd")
    increment = rounding_increment(
        c,
        rounding,
        odd=odd,
        guard=at.guard,
        inexact=at.inexact,
        negative=exact.negative,
        sign=sign,
    )
    least, most = _bounds(exact, at.frame, grid)
    place = result.mantissa_bits
    signed = at.frame.low < 0 and not at.frame.limited
    terms = (
        Term(at.kept, name="kept"),
        Term((increment,), name="increment"),
        Term(at.position, place, signed=signed, name="position"),
        Term(at.shift, place, negative=True, name="shift"),
    )
    width = max(1, most.bit_length(), (~least).bit_length() * (least < 0)) + (least < 0)
    return Rounded(c.sum(width, terms, "rounded"), least, most, nonzero, sign)


def _bounds(exact: Exact, frame: Frame, grid: Grid) -> tuple[int, int]:
    """The lowest and the highest code of a number other than zero."""
    place = grid.precision - 1
    least, most = 0, 0
    for r in exact.ranges:
        bits = r.largest.bit_length()
        rounded = -(-r.largest << max(0, grid.precision - bits) >> max(0, bits - grid.precision))
        field = r.high + frame.offset - (frame.width - bits)
        most = max(most, (max(field, 0) << place) + rounded)
        field = r.low + frame.offset - (frame.width - r.smallest.bit_length() + 1)
        least = min(least, field << place)
    return (0 if grid.bounded else least), most


def _sign(c: Circuit, exact: Exact, bits: Sequence[Bit], rounding: Rounding) -> Bit:
    """The result's sign; of addends that cancel it is +, or - when rounding down."""
    if exact.cancels == ZERO:
        return exact.sign
    some = c.any_of((*bits, exact.negative), "not_cancelled")
    (zero,) = c.both((opposite(some),), (exact.cancels,), "cancelled")
    if rounding is Rounding.DOWN:
        return c.either((exact.sign,), (zero,), "sign")[0]
    return c.both((exact.sign,), (opposite(zero),), "sign")[0]
