"""The shift that brings a leading bit to the top, and counts what is above it as it goes."""

from dataclasses import dataclass
from functools import partial

from multipede.hw.arithmetic.circuit import ZERO, Bit, Circuit, Word, opposite
from multipede.hw.arithmetic.shifters import left_level, left_pair, top_bits
from multipede.hw.arithmetic.sizes import smallest

__all__ = ["Normalised", "normalise"]


@dataclass(frozen=True)
class Normalised:
    """What :func:`normalise` makes.

    ``word`` is its top, ``inexact`` whether there is a 1 below, ``shift`` by how much it was
    shifted, ``at_limit`` whether by all that was allowed.
    """

    word: Word
    inexact: Bit
    shift: Word
    at_limit: Bit


def normalise(
    c: Circuit,
    word: Word,
    *,
    sign: Bit,
    kept: int,
    maximum: int,
    limit: Word | None,
    name: str,
) -> Normalised:
    """``word`` shifted left until its top bit differs from ``sign``, by ``limit`` at most.

    No leading zeros are counted beforehand: at each level, largest first, the word moves if all
    the places that it would lose equal the sign and the limit leaves room, and these decisions
    are the binary digits of the shift.

    Parameters
    ----------
    kept : bits of the result; below the top of each level only what may still move into them is
        shifted, the rest is reduced to ``inexact``.
    maximum : the largest shift that occurs.
    limit : an unsigned word, None for no limit.
    """
    way = partial(
        _normalise, word=word, sign=sign, kept=kept, maximum=maximum, limit=limit, name=name
    )
    pairs = (False, True) if maximum > 1 else (False,)
    return smallest(c, [partial(way, paired=paired) for paired in pairs])


def _normalise(
    c: Circuit,
    *,
    word: Word,
    sign: Bit,
    kept: int,
    maximum: int,
    limit: Word | None,
    name: str,
    paired: bool,
) -> Normalised:
    levels = maximum.bit_length()
    allowance = _Allowance(c, limit, levels)
    digits: list[Bit] = []
    lost: list[Bit] = []
    if paired:
        step = 1 << (levels - 2)
        high = allowance.digit(levels - 1, _all_equal(c, word[-2 * step :], sign, f"{name}_top_2"))
        quiet = _all_equal(c, word[-step:], sign, f"{name}_top_1")
        next_quiet = ZERO
        if maximum >= 3 * step:  # else the two never both move
            next_quiet = _all_equal(c, word[-3 * step : -2 * step], sign, f"{name}_top_3")
        (quiet,) = c.choose(high, (next_quiet,), (quiet,), f"{name}_quiet_{step}")
        digits = [allowance.digit(levels - 2, quiet), high]
        word, lost = left_pair(c, word, tuple(digits), kept + step - 1, (step, f"{name}_{step}"))
    for level in range(levels - 1 - 2 * paired, -1, -1):
        step = 1 << level
        moves = allowance.digit(level, _all_equal(c, word[-step:], sign, f"{name}_quiet_{step}"))
        word, below = left_level(c, word, moves, kept + step - 1, (step, f"{name}_{step}"))
        lost += below
        digits.insert(0, moves)
    word, inexact = top_bits(c, word, kept, lost, name)
    return Normalised(word, inexact, tuple(digits), allowance.spent)


class _Allowance:
    """How far a word may still be shifted.

    Of what is left of the limit it only matters whether it is less than the next step: ``spent``
    tells that nothing is left above that, so that the limit costs three gates a level.
    """

    def __init__(self, c: Circuit, limit: Word | None, levels: int):
        self._c, self._limit = c, limit
        self.spent = ZERO
        if limit is not None:
            self.spent = opposite(c.any_of(limit[levels:], "limit_far"))

    def digit(self, level: int, wanted: Bit) -> Bit:
        """Whether the word moves by ``2**level``, if it is ``wanted``."""
        if self._limit is None:
            return wanted
        c, name = self._c, f"limit_{1 << level}"
        digit = self._limit[level] if level < len(self._limit) else ZERO
        allowed = c.either((opposite(self.spent),), (digit,), f"{name}_allows")
        moves = c.both((wanted,), allowed, f"{name}_moves")
        rest = c.either((opposite(digit),), moves, f"{name}_rest")
        (self.spent,) = c.both((self.spent,), rest, f"{name}_spent")
        return moves[0]


def _all_equal(c: Circuit, word: Word, sign: Bit, name: str) -> Bit:
    """Whether all bits are the sign."""
    none = opposite(c.any_of(word, f"{name}_ones"))
    if sign == ZERO:
        return none
    return c.choose(sign, (c.all_of(word, f"{name}_all"),), (none,), name)[0]
