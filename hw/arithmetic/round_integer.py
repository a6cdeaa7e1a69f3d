"""Exact numbers become integers or fixed point: one shift, one addition that rounds and negates."""

from dataclasses import dataclass

from multipede.golden.formats import FixedPoint, Integer, Overflow, Rounding
from multipede.hw.arithmetic.circuit import ZERO, Bit, Circuit, Term, Word, opposite, padded
from multipede.hw.arithmetic.exact_result import Exact, Grid, cut, frame_of, position_of
from multipede.hw.arithmetic.rounding import rounding_increment
from multipede.hw.arithmetic.shifters import shift_left
from multipede.hw.arithmetic.special_results import select_outcomes

__all__ = ["round_to_integer"]


@dataclass(frozen=True)
class _Kept:
    """A magnitude's bits and guard bit, whether there are ones below, and whether it goes on
    above the bits."""

    bits: Word
    guard: Bit
    inexact: Bit
    above: Bit


def round_to_integer(
    c: Circuit,
    exact: Exact,
    result: Integer | FixedPoint,
    rounding: Rounding,
    overflow: Overflow,
    *,
    infinite: Bit,
    nan: Bit,
    nan_code: int,
) -> Word:
    """The code of an exact number, rounded once, or of what the flags say instead.

    The magnitude m is rounded and negated in one addition: with the increment i, which is 0 or 1,
    -(m + i) is the inverse of m plus 1 - i.
    """
    wrap = overflow is Overflow.WRAP
    kept = (_wrapped if wrap else _saturated)(c, exact, result)
    sign = exact.sign
    increment = rounding_increment(
        c,
        rounding,
        odd=kept.bits[0] if kept.bits else ZERO,
        guard=kept.guard,
        inexact=kept.inexact,
        negative=exact.negative,
        sign=sign,
    )
    carry = c.exclusive((increment,), (sign,), "carry")
    flipped = c.exclusive(kept.bits, (sign,), "flipped")
    # Of two's complement with one bit more than the magnitude; the wrapped one has no need of it.
    terms = (Term((*flipped, sign), name="flipped"), Term(carry, name="carry"))
    word = c.sum(len(flipped) + (not wrap), terms, "rounded")
    outcomes = [(nan, nan_code)]
    if wrap:
        outcomes = [(c.either((nan,), (infinite,), "no_number")[0], nan_code)]
    else:
        (carried,) = c.both((word[-1],), (opposite(sign),), "carried")
        beyond = c.any_of((kept.above, infinite, carried), "beyond")
        below = sign if not result.signed else c.both((beyond,), (sign,), "below")[0]
        outcomes += [(below, result.minimum_code), (beyond, result.maximum_code)]
    patterns = [
        (when, tuple(code >> place & 1 for place in range(result.bits))) for when, code in outcomes
    ]
    return select_outcomes(c, padded(word, result.bits)[: result.bits], patterns)


def _saturated(c: Circuit, exact: Exact, result: Integer | FixedPoint) -> _Kept:
    """The bits at the result's place, or the leading ones if the number goes on above."""
    at = cut(c, exact, Grid.of(result), watched=True)
    leading = at.kept[-1] if at.kept else at.guard
    (above,) = c.both((leading,), (opposite(at.at_limit),), "goes_on")
    return _Kept(at.kept, at.guard, at.inexact, above)


def _wrapped(c: Circuit, exact: Exact, result: Integer | FixedPoint) -> _Kept:
    """The bits at the result's place, whatever is above."""
    grid = Grid(result.bits, -result.fraction_bits, True)
    frame = frame_of(exact, grid)
    position = position_of(c, exact, frame, clipped=True)
    levels = min(max(0, frame.high), frame.width).bit_length()
    word, inexact = shift_left(
        c,
        padded(exact.word, frame.width, exact.negative),
        position[:levels],
        grid.precision + 1,
        "wrapped",
    )
    (inexact,) = c.either((inexact,), (exact.inexact,), "inexact")
    near = opposite(c.any_of(position[levels:], "all_above"))
    word = c.both(word, (near,), "in_reach")
    guard, *bits = c.exclusive(word, (exact.negative,), "magnitude")
    return _Kept(tuple(bits), guard, c.both((inexact,), (near,), "inexact_in_reach")[0], ZERO)
