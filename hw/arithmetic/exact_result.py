"""Exact results, and where they are cut for rounding."""

from dataclasses import dataclass, replace

from multipede.golden.formats import FixedPoint, Float, Integer
from multipede.hw.arithmetic.circuit import ZERO, Bit, Circuit, Term, Word, opposite, padded
from multipede.hw.arithmetic.normaliser import normalise
from multipede.hw.arithmetic.operands import Range

__all__ = ["Cut", "Exact", "Frame", "Grid", "cut", "frame_of", "position_of"]


@dataclass(frozen=True)
class Exact:
    """A result before rounding: ``(word + something below 1 if inexact) * 2**exponent``.

    Attributes
    ----------
    word : the magnitude or, where ``negative`` may be 1, a two's complement number without its
        sign bit, which ``negative`` is. With ``inexact`` it is the floor.
    sign : the result's, for numbers other than zero.
    exponent, plus : the exponent is the sum of the terms and ``plus``.
    ranges : the results other than zero, by kind, with their exponents.
    cancels : whether a zero comes from addends of different signs.
    """

    word: Word
    negative: Bit
    inexact: Bit
    sign: Bit
    exponent: tuple[Term, ...]
    plus: int
    ranges: tuple[Range, ...]
    cancels: Bit = ZERO


@dataclass(frozen=True)
class Grid:
    """Which numbers a format holds: multiples of ``2**lowest`` of at most ``precision`` bits.

    Without ``bounded`` the numbers go on below, with as many bits each.
    """

    precision: int
    lowest: int
    bounded: bool

    @classmethod
    def of(cls, result: Float | Integer | FixedPoint) -> "Grid":
        """The grid of a format's magnitudes."""
        if not isinstance(result, Float):
            return cls(result.bits - result.signed, -result.fraction_bits, True)
        lowest = 1 - result.bias - result.mantissa_bits
        return cls(result.mantissa_bits + 1, lowest, result.subnormals)


@dataclass(frozen=True)
class Frame:
    """Where a result's word lies against a grid.

    A word shifted left by s has its kept bits at the grid's exponent ``lowest`` plus
    ``position - s``, where ``position`` is the exponent of the word's lowest bit plus ``offset``,
    ``low`` to ``high``. In a bounded grid s may not exceed the position, and ``headroom`` places
    above the word let subnormal results be shifted by less instead of to the right. Where the
    position is negative there is no shift: then all of the word is below the guard bit.

    ``limited`` tells whether the position ever is what stops the shift short.
    """

    width: int
    headroom: int
    offset: int
    low: int
    high: int
    maximum_shift: int
    limited: bool


def frame_of(exact: Exact, grid: Grid) -> Frame:
    """The frame, computed from the ranges of the result."""
    offset = len(exact.word) - grid.precision - grid.lowest
    low = min(r.low for r in exact.ranges) + offset
    # -2**k keeps its sign for one place more than 2**k.
    extra = int(exact.negative != ZERO)
    headroom = min(max(0, -low), grid.precision + 1 + extra) if grid.bounded else 0
    offset += headroom
    width = len(exact.word) + headroom
    shifts, limited = [0], False
    for r in exact.ranges:
        wanted = min(width, width - r.smallest.bit_length() + extra)
        if grid.bounded:
            limited |= r.low + offset < wanted
            wanted = min(wanted, max(0, r.high + offset))
        shifts.append(wanted)
    high = max(r.high for r in exact.ranges) + offset
    return Frame(width, headroom, offset, low + headroom, high, max(shifts), limited)


def position_of(c: Circuit, exact: Exact, frame: Frame, *, clipped: bool) -> Word:
    """The position, two's complement if it may be negative; or, ``clipped``, at least 0."""
    is_signed = frame.low < 0
    width = max(1, frame.high.bit_length(), (~frame.low).bit_length() * is_signed) + is_signed
    word = c.sum(width, exact.exponent, "position", plus=exact.plus + frame.offset)
    if clipped and is_signed:
        return c.both(word[:-1], (opposite(word[-1]),), "position_or_0")
    return word


@dataclass(frozen=True)
class Cut:
    """A result cut into the bits that are kept, the guard bit, and whether there is more.

    The bits are the magnitude's, or its inverse plus 1 is where the word was negative.
    ``shift`` is what the word was shifted by, ``at_limit`` whether that is the whole position.
    """

    kept: Word
    guard: Bit
    inexact: Bit
    position: Word
    shift: Word
    at_limit: Bit
    frame: Frame


def cut(c: Circuit, exact: Exact, grid: Grid, *, watched: bool = False) -> Cut:
    """Shift the word until its leading bit is at the top or the grid's lowest exponent at the
    bottom of the kept bits.

    ``at_limit`` means nothing in a frame that is not limited, unless it is ``watched``.
    """
    frame = frame_of(exact, grid)
    if watched:
        frame = replace(frame, limited=True)
    position = position_of(c, exact, frame, clipped=frame.limited)
    normalised = normalise(
        c,
        padded(exact.word, frame.width, exact.negative),
        sign=exact.negative,
        kept=grid.precision + 1,
        maximum=frame.maximum_shift,
        limit=position if frame.limited else None,
        name="normalised",
    )
    guard, *kept = c.exclusive(normalised.word, (exact.negative,), "magnitude")
    (inexact,) = c.either((exact.inexact,), (normalised.inexact,), "inexact")
    return Cut(
        kept=tuple(kept),
        guard=guard,
        inexact=inexact,
        position=position,
        shift=normalised.shift,
        at_limit=normalised.at_limit,
        frame=frame,
    )
