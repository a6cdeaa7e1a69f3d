"""What a rounded result becomes that is out of range, infinite or no number."""

from collections.abc import Sequence
from dataclasses import dataclass

from multipede.golden.formats import Float, Overflow, Rounding
from multipede.hw.arithmetic.circuit import (
    ONE,
    ZERO,
    Bit,
    Circuit,
    Word,
    opposite,
    padded,
)
from multipede.hw.arithmetic.round_pack import Rounded

__all__ = ["Outcome", "above_code", "code_pattern", "finish_float", "select_outcomes"]


@dataclass(frozen=True)
class Outcome:
    """Where ``when`` holds, the result is the magnitude ``code``, with its sign if ``signed``."""

    when: Bit
    code: int
    signed: bool


class _Policy:
    """The codes that a format, a rounding and an overflow policy give to what has no other."""

    def __init__(self, result: Float, rounding: Rounding, overflow: Overflow):
        self._result = result
        self._rounding = rounding
        self._overflow = overflow

    def above(self, *, negative: bool) -> tuple[int, bool]:
        """Code and whether it has a sign, of a finite number beyond the largest."""
        away = Rounding.UP if negative else Rounding.DOWN
        inwards = self._rounding in (Rounding.TOWARD_ZERO, away)
        if self._overflow is Overflow.INFINITY and not inwards:
            return self._beyond()
        if self._overflow is Overflow.NAN:
            return self._result.nan_code, False
        return self._result.maximum_code, True

    def infinite(self) -> tuple[int, bool]:
        """Of infinity, where the format has that sign."""
        if self._result.infinity_code is None and self._overflow is Overflow.SATURATE:
            return self._result.maximum_code, True
        return self._beyond()

    def below(self, *, infinite: bool) -> tuple[int, bool]:
        """Of a number beneath an unsigned format."""
        inwards = self._rounding in (Rounding.TOWARD_ZERO, Rounding.UP) and not infinite
        if self._overflow is Overflow.SATURATE or (self._overflow is Overflow.INFINITY and inwards):
            return 0, False
        return self._result.nan_code, False

    def _beyond(self) -> tuple[int, bool]:
        if self._result.infinity_code is None:
            return self._result.nan_code, False
        return self._result.infinity_code, True


def finish_float(
    c: Circuit,
    rounded: Rounded,
    result: Float,
    rounding: Rounding,
    overflow: Overflow,
    *,
    infinite: Bit,
    infinite_sign: Bit | None,
    nan: Bit,
    nan_code: int,
) -> Word:
    """The code of a rounded magnitude, or of what the flags say instead.

    An ``infinite_sign`` of None is the sign of the rounded number.
    """
    policy = _Policy(result, rounding, overflow)
    bits = result.bits - result.signed
    magnitude, small = _in_range_below(c, rounded, result)
    sign = rounded.sign
    if infinite_sign is not None:
        (sign,) = c.choose(infinite, (infinite_sign,), (sign,), "sign_or_infinite")
    outcomes = [Outcome(nan, nan_code, False)]
    if not result.signed:
        outcomes += _beneath(c, policy, magnitude, small, sign, infinite, result)
    outcomes.append(Outcome(infinite, *policy.infinite()))
    above = _above(c, magnitude, rounded.most, result)
    signs = {False: opposite(sign), True: sign} if result.signed else {False: ONE}
    codes = {policy.above(negative=negative) for negative in signs}
    for negative, has_sign in signs.items():
        if len(codes) == 1:
            outcomes.append(Outcome(above, *codes.pop()))
            break
        (when,) = c.both((above,), (has_sign,), f"above_{'negative' if negative else 'positive'}")
        outcomes.append(Outcome(when, *policy.above(negative=negative)))
    magnitude = padded(magnitude[:bits], bits)
    word = (*magnitude, sign) if result.signed else magnitude
    patterns = [(o.when, code_pattern(o, bits, result.signed)) for o in outcomes]
    return select_outcomes(c, word, patterns)


def _in_range_below(c: Circuit, rounded: Rounded, result: Float) -> tuple[Word, Bit]:
    """The magnitude with zeros and what is flushed made 0, and whether it is below code 0."""
    mantissa_bits = result.mantissa_bits
    code = rounded.code
    minus = ZERO
    if rounded.least < 0:
        *code, minus = code
    if not result.zero:
        return tuple(code), c.either((minus,), (opposite(rounded.nonzero),), "below_all")[0]
    mantissa, field = tuple(code[:mantissa_bits]), tuple(code[mantissa_bits:])
    alive = rounded.nonzero
    if not result.subnormals and rounded.least < 1 << mantissa_bits:
        normal = c.any_of(field, "field_nonzero")
        alive = c.all_of((alive, opposite(minus), normal), "not_flushed")
        mantissa = c.both(mantissa, (alive,), "mantissa")
    return mantissa + c.both(field, (alive,), "exponent"), ZERO


def _beneath(
    c: Circuit,
    policy: _Policy,
    magnitude: Word,
    small: Bit,
    sign: Bit,
    infinite: Bit,
    result: Float,
) -> list[Outcome]:
    """Outcomes beneath an unsigned format."""
    # Without a zero, code 0 is a number like any other.
    some = c.any_of(magnitude, "magnitude_nonzero") if result.zero else ONE
    (negative,) = c.both((sign,), (some,), "negative")
    if small != ZERO:  # a magnitude below code 0 is none above it
        negative = c.choose(small, (ONE,), (negative,), "beneath")[0]
    (minus_infinity,) = c.both((infinite,), (sign,), "minus_infinity")
    (finite,) = c.both((negative,), (opposite(infinite),), "beneath_finite")
    return [
        Outcome(minus_infinity, *policy.below(infinite=True)),
        Outcome(finite, *policy.below(infinite=False)),
    ]


def _above(c: Circuit, magnitude: Word, most: int, result: Float) -> Bit:
    """Whether the magnitude is beyond the largest finite one."""
    bits = result.bits - result.signed
    if most <= result.maximum_code:
        return ZERO
    return above_code(c, magnitude, bits, result.maximum_code)


def above_code(c: Circuit, magnitude: Word, bits: int, largest: int) -> Bit:
    """Whether a magnitude of ``bits`` bits or more is above ``largest``, where all bits of the next
    code are 1 from one place up: 2**bits - 2**place."""
    place = ((1 << bits) - 1 - largest).bit_length() - 1
    beyond = ZERO
    if place >= 0:
        beyond = c.all_of(magnitude[place:bits], "beyond_largest")
    return c.any_of((beyond, *magnitude[bits:]), "above")


def code_pattern(outcome: Outcome, bits: int, has_sign: bool) -> tuple[int, ...]:
    """Per bit of the code what it is forced to; -1 for the sign as it is."""
    pattern = [outcome.code >> place & 1 for place in range(bits)]
    return tuple(pattern + ([-1 if outcome.signed else 0] if has_sign else []))


def select_outcomes(
    c: Circuit, word: Word, outcomes: Sequence[tuple[Bit, tuple[int, ...]]]
) -> Word:
    """``word``, or the pattern of the first outcome that holds.

    Each bit is (bit and none of the outcomes that clear it) or any that sets it, where only those
    are looked at that differ; bits of one column of patterns share their gates.
    """
    outcomes = [(when, pattern) for when, pattern in outcomes if when != ZERO]
    columns = [tuple(pattern[place] for _, pattern in outcomes) for place in range(len(word))]
    result = list(word)
    for column in dict.fromkeys(columns):
        places = [place for place, other in enumerate(columns) if other == column]
        sets, clears = _forces(c, [when for when, _ in outcomes], column)
        bits = c.both([word[place] for place in places], (opposite(clears),), "kept_code")
        bits = c.either(bits, (sets,), "code")
        for place, bit in zip(places, bits, strict=True):
            result[place] = bit
    return tuple(result)


def _forces(c: Circuit, flags: Sequence[Bit], column: tuple[int, ...]) -> tuple[Bit, Bit]:
    """When a bit is set, and when it is cleared unless it is set."""
    found: dict[int, list[Bit]] = {1: [], 0: [], -1: []}
    for index, value in enumerate(column):
        # What is set needs no care for being cleared by a later outcome.
        stronger = (0, -1) if value == 1 else (-1,)
        others = [flags[before] for before in range(index) if column[before] in stronger]
        unless = opposite(c.any_of(others, "outranked"))
        found[value] += c.both((flags[index],), (unless,), "outcome")
    return c.any_of(found[1], "sets"), c.any_of(found[0], "clears")
