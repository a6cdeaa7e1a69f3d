"""Shifts whose lost bits are remembered.

A shift is a row of multiplexers per binary digit of its amount. The two largest steps may be one
level instead: the word's four places gated by decoded digits. Near the ends, where fewer than four
meet, that is smaller; what is smaller is built.
"""

from functools import partial

from multipede.hw.arithmetic.circuit import ZERO, Bit, Circuit, Word, constant, opposite, padded
from multipede.hw.arithmetic.sizes import smallest

__all__ = ["decoded", "left_level", "left_pair", "shift_left", "shift_right", "top_bits"]


def shift_right(
    c: Circuit, word: Word, amount: Word, width: int, name: str, *, signed: bool = False
) -> tuple[Word, Bit]:
    """``word`` at the top of ``width`` bits, shifted right by ``amount``; and whether a 1 is lost.

    A signed word is extended by its sign: the result is the floor. The smallest shift comes
    first, so that the word grows downwards only as far as it must.
    """
    if len(word) > width:
        raise ValueError(f"{name} shifts {len(word)} bits within {width}")
    fill = word[-1] if signed else ZERO

    def way(c: Circuit, *, paired: bool) -> tuple[Word, Bit]:
        shifted, lost = word, []
        singles = len(amount) - 2 * paired
        for level in range(singles):
            step = (1 << level, f"{name}_{1 << level}")
            shifted, below = _right_level(c, shifted, amount[level], width, fill, step)
            lost += below
        if paired:
            step = (1 << singles, f"{name}_{1 << singles}")
            shifted, below = _right_pair(c, shifted, amount[singles:], width, step)
            lost += below
        return constant(0, width - len(shifted)) + shifted, c.any_of(lost, f"{name}_inexact")

    pair_helps = len(amount) > 1 and not signed
    return smallest(c, [partial(way, paired=paired) for paired in (False, True)[: 1 + pair_helps]])


def _right_level(
    c: Circuit, word: Word, moves: Bit, width: int, fill: Bit, step: tuple[int, str]
) -> tuple[Word, list[Bit]]:
    """The word or the word shifted by the step; and whether a 1 leaves it."""
    places, name = step
    room = min(places, width - len(word))
    stays = constant(0, room) + word
    leaving = c.any_of(word[: places - room], f"{name}_leaving")
    moved = padded(word[places - room :], len(stays), fill)
    lost = c.both((leaving,), (moves,), f"{name}_lost")
    return c.choose(moves, moved, stays, name), list(lost)


def _right_pair(
    c: Circuit, word: Word, moves: Word, width: int, step: tuple[int, str]
) -> tuple[Word, list[Bit]]:
    """The word shifted by none, one, two or three of the step."""
    places, name = step
    length = min(width, len(word) + 3 * places)
    room = length - len(word)
    selects = decoded(c, moves, name)
    gated, lost, left = [], [], 0
    # By one step or more, two or more, three: what leaves then and not before.
    at_least = (None, c.either(moves[:1], moves[1:], f"{name}_moves")[0], moves[1], selects[3])
    for times, select in enumerate(selects):
        leaves = min(len(word), max(0, times * places - room))
        shifted = constant(0, room - times * places) + word[leaves:]
        gated.append(c.both(padded(shifted, length), (select,), f"{name}_by_{times}"))
        if leaves > left:
            leaving = c.any_of(word[left:leaves], f"{name}_leaving_{times}")
            lost += c.both((leaving,), (at_least[times],), f"{name}_lost_{times}")
            left = leaves
    return _joined(c, gated, name), lost


def shift_left(c: Circuit, word: Word, amount: Word, kept: int, name: str) -> tuple[Word, Bit]:
    """The top ``kept`` bits of ``word`` shifted left by ``amount``, what leaves it at the top being
    dropped; and whether there is a 1 below."""
    lost: list[Bit] = []
    for level in range(len(amount) - 1, -1, -1):
        step = 1 << level
        word, below = left_level(c, word, amount[level], kept + step - 1, (step, f"{name}_{step}"))
        lost += below
    return top_bits(c, word, kept, lost, name)


def left_level(
    c: Circuit, word: Word, moves: Bit, kept: int, step: tuple[int, str]
) -> tuple[Word, list[Bit]]:
    """The top ``kept`` bits of the word or of the word shifted by the step; and what tells of ones
    below them."""
    places, name = step
    excess = max(0, len(word) - kept)
    border = max(0, excess - places)
    lost = [c.any_of(word[:border], f"{name}_below_both")]
    leaving = c.any_of(word[border:excess], f"{name}_below")
    lost += c.both((leaving,), (opposite(moves),), f"{name}_lost")
    return c.choose(moves, _moved(word, places)[excess:], word[excess:], name), lost


def left_pair(
    c: Circuit, word: Word, moves: Word, kept: int, step: tuple[int, str]
) -> tuple[Word, list[Bit]]:
    """As :func:`left_level` for the word shifted by none, one, two or three of the step."""
    places, name = step
    excess = max(0, len(word) - kept)
    selects = decoded(c, moves, name)
    gated, lost, border = [], [], excess
    # By none, by one at most, two at most, three: what is below even then.
    both = c.both(moves[:1], moves[1:], f"{name}_moves_all")[0]
    at_most = (selects[0], opposite(moves[1]), opposite(both), opposite(ZERO))
    for times, select in enumerate(selects):
        moved = _moved(word, times * places)[excess:]
        gated.append(c.both(moved, (select,), f"{name}_by_{times}"))
        below = max(0, excess - (times + 1) * places) if times < 3 else 0
        leaving = c.any_of(word[below:border], f"{name}_below_{times}")
        lost += c.both((leaving,), (at_most[times],), f"{name}_lost_{times}")
        border = min(border, below)
    return _joined(c, gated, name), lost


def top_bits(c: Circuit, word: Word, kept: int, lost: list[Bit], name: str) -> tuple[Word, Bit]:
    """The top ``kept`` bits, and whether there is a 1 below or among ``lost``."""
    word = constant(0, kept - len(word)) + word
    excess = len(word) - kept
    return word[excess:], c.any_of((*lost, *word[:excess]), f"{name}_inexact")


def decoded(c: Circuit, digits: Word, name: str) -> Word:
    """Which of 0 to 3 the two digits are."""
    low, high = ((opposite(digit), digit) for digit in digits)
    return tuple(
        c.both((low[value & 1],), (high[value >> 1],), f"{name}_is_{value}")[0]
        for value in range(4)
    )


def _moved(word: Word, places: int) -> Word:
    return (constant(0, places) + word)[: len(word)]


def _joined(c: Circuit, words: list[Word], name: str) -> Word:
    """The OR of words of which at most one is not zero."""
    first, second, third, fourth = words
    low = c.either(first, second, f"{name}_low")
    return c.either(low, c.either(third, fourth, f"{name}_high"), name)
