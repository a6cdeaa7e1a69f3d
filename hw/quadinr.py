"""QuadINR's activation: wires that find the half wave, one squarer, a conditional inversion."""

from dataclasses import dataclass, replace

from multipede.golden.formats import Float, Overflow, Rounding
from multipede.golden.quadinr import Extension, QuadINR
from multipede.hw.arithmetic.aligned_sum import Fixed, aligned_sum
from multipede.hw.arithmetic.circuit import (
    ONE,
    ZERO,
    Bit,
    Circuit,
    Term,
    Word,
    constant,
    inverted,
    opposite,
    padded,
)
from multipede.hw.arithmetic.circuit_unit import CircuitUnit
from multipede.hw.arithmetic.constant_table import constant_table
from multipede.hw.arithmetic.exact_result import Exact
from multipede.hw.arithmetic.operands import Number, Range
from multipede.hw.arithmetic.quarter_wave import mirrored
from multipede.hw.arithmetic.round_integer import round_to_integer
from multipede.hw.arithmetic.rounded_unit import RoundedUnitPlan
from multipede.hw.arithmetic.squarer import square_terms

__all__ = ["QuadINRPlan", "QuadINRUnit"]


@dataclass(frozen=True)
class _Phase:
    """Where x is in a half wave: abs(v) is ``v``, or 1 where ``one`` holds and ``v`` is 0; t is
    ``negative``."""

    v: Word
    one: Bit
    negative: Bit


class QuadINRPlan(RoundedUnitPlan):
    """In fixed point everything but the squarer is wires and one bit of the heap's: with q = v**2
    the result is 1 - q or q - 1, and 1 - q is, but for a unit, the inverse of q."""

    spec: QuadINR
    divides = True

    def result(self, c: Circuit, x: Number) -> Word:
        spec = self.spec
        if isinstance(spec.x, Float):
            return self._of_float(c, x)
        phase = _phase(c, x.significand, spec)
        offsets = _offsets(spec)
        if offsets is not None:
            return _rounded_with_the_sum(c, phase, spec, offsets)
        exact = _exactly(c, phase, spec)
        if isinstance(spec.result, Float):
            return self.rounded(c, exact, infinite=ZERO, nan=ZERO)
        return round_to_integer(
            c,
            exact,
            spec.result,
            spec.rounding,
            spec.overflow_policy,
            infinite=ZERO,
            nan=ZERO,
            nan_code=spec.nan_code,
        )

    def _of_float(self, c: Circuit, x: Number) -> Word:
        """2 theta - theta**2 with theta = abs(t), aligned and rounded once."""
        if self.spec.extension is Extension.CLAMPED:
            theta, nan = _clamped(c, x, self.spec.x.bias), x.nan
        else:
            theta, nan = _periodic(c, x), c.either((x.nan,), (x.infinite,), "no_phase")[0]
        exact = _float_wave(c, theta, self.spec.result)
        return self.rounded(c, exact, infinite=ZERO, nan=nan)


def _phase(c: Circuit, x: Word, spec: QuadINR) -> _Phase:
    bits = spec.x.fraction_bits + 2 * (spec.extension is Extension.SIGMOID)
    x = padded(x, max(len(x), bits + 2), x[-1] if spec.x.signed else ZERO)
    fraction, whole = x[:bits], x[bits:]
    if spec.extension is Extension.PERIODIC:
        falling, negative = whole[:2]
        return _turned(c, fraction, opposite(falling), negative)
    negative = x[-1] if spec.x.signed else ZERO
    inside = opposite(c.any_of(c.exclusive(whole, (negative,), "beyond"), "outside"))
    (rising,) = c.both((inside,), (opposite(negative),), "rising")
    return _turned(c, c.both(fraction, (inside,), "fraction"), rising, negative)


def _turned(c: Circuit, fraction: Word, rising: Bit, negative: Bit) -> _Phase:
    """abs(v) is 1 - fraction where t moves away from 0: the inverse and a unit."""
    *v, one = mirrored(c, fraction, rising, "v")
    return _Phase(tuple(v), one, negative)


def _square(c: Circuit, phase: _Phase, cut: int) -> list[Term]:
    """Rows of v**2 without the columns below ``cut``."""
    one = Term((phase.one,), 2 * len(phase.v), name="one")
    return [*square_terms(c, phase.v, "square", cut=cut), one]


def _offsets(spec: QuadINR) -> tuple[int, int] | None:
    """What is added to q where t is positive and where it is negative, so that one floor rounds,
    in units of q's last place; None if that cannot be.

    With the floor of the sum, F, and a unit u in the result's last place the result is 1 - u - F
    where t is positive, and F - 1 where it is negative. What is exact has u = 1.
    """
    result = spec.result
    sigmoid = spec.extension is Extension.SIGMOID
    if isinstance(result, Float) or result.signed is sigmoid:
        return None
    if result.bits - result.fraction_bits < result.signed:
        return None
    drop = _dropped(spec)
    if drop <= 0:
        return -1, 0
    half, unit = 1 << drop >> 1, 1 << drop
    if spec.faithful:
        least = 1 << spec.dropped_columns
        return -least, unit - least
    match spec.rounding:
        case Rounding.NEAREST_AWAY:
            return -half - 1, half - (not sigmoid)
        case Rounding.TOWARD_ZERO if not sigmoid:
            return -1, unit - 1
        case Rounding.DOWN | Rounding.TOWARD_ZERO:
            return -1, 0
        case Rounding.UP:
            return -unit, unit - 1
    return None


def _dropped(spec: QuadINR) -> int:
    """Places of q below the result's last."""
    sigmoid = spec.extension is Extension.SIGMOID
    bits = spec.x.fraction_bits + 2 * sigmoid
    return 2 * bits - (spec.result.fraction_bits - sigmoid)


def _rounded_with_the_sum(
    c: Circuit, phase: _Phase, spec: QuadINR, offsets: tuple[int, int]
) -> Word:
    """The result's code out of the heap of the square."""
    drop, cut = _dropped(spec), spec.dropped_columns
    width = 2 * len(phase.v) + 1
    rising, falling = offsets
    terms = _square(c, phase, cut)
    difference = falling - rising
    terms += [
        Term((phase.negative,), place, name="negative")
        for place in range(cut, difference.bit_length())
        if difference >> place & 1
    ]
    total = c.sum(width, terms, "total", plus=rising)
    # Below the result's last place nothing is left of the floor.
    *fraction, whole = total[max(0, drop) :]
    value = c.exclusive(fraction, (opposite(phase.negative),), "wave")
    value = constant(0, max(0, -drop)) + value
    return _placed(c, value, whole, phase.negative, spec)


def _placed(c: Circuit, fraction: Word, whole: Bit, negative: Bit, spec: QuadINR) -> Word:
    """The code of phi, which is 1 where t is positive and ``whole`` holds, and 0 where it is
    negative and ``whole`` holds; the sigmoid's is 1 more."""
    result = spec.result
    saturates = spec.overflow_policy is Overflow.SATURATE
    if spec.extension is Extension.SIGMOID:
        (one,) = c.both((whole,), (opposite(negative),), "one")
        (half,) = c.exclusive((whole,), (opposite(negative),), "half")
        word = (*fraction, half, one)
        if saturates and result.bits < len(word):
            word = c.either(word[:-1], (one,), "saturated")
        return padded(word, result.bits)[: result.bits]
    (sign,) = c.both((negative,), (opposite(whole),), "sign")
    (one,) = c.exclusive((whole,), (negative,), "whole_or_sign")
    word = (*fraction, one, sign)
    if result.bits == len(word) - 1 and saturates:
        (top,) = c.both((whole,), (opposite(negative),), "top")
        word = (*c.either(fraction, (top,), "saturated"), sign)
    return padded(word, result.bits, sign)[: result.bits]


def _exactly(c: Circuit, phase: _Phase, spec: QuadINR) -> Exact:
    """The exact result, in front of a rounding that the sum cannot do."""
    bits = 2 * len(phase.v)
    rows = _square(c, phase, 0)
    if spec.extension is not Extension.SIGMOID:
        rows = [row._replace(negative=True) for row in rows]
        word, sign = c.sum(bits + 1, rows, "wave", plus=1 << bits), phase.negative
    else:
        # Half of q where t is negative, and 1 minus that where it is positive.
        rows.append(Term((phase.negative,), name="negative"))
        total = c.sum(bits + 2, rows, "total", plus=-1)
        word = c.exclusive(total, (opposite(phase.negative),), "flipped")
        word = (*word[:-1], *c.exclusive(word[-1:], (opposite(phase.negative),), "one"))
        sign, bits = ZERO, bits + 1
    return Exact(word, ZERO, ZERO, sign, (), -bits, (Range(-bits, -bits, 1, 1 << bits),))


def _periodic(c: Circuit, x: Number) -> Number:
    """abs(t) of a float, with the sign of t and without a normalisation.

    Bits of the significand that are worth 2 or more are left out; that worth 2 turns the sign.
    """
    shape, bits = x.shape, x.shape.significand_bits
    # Whether bits -1 to the top one are worth less than 2, of every exponent.
    less = [
        sum((exponent + shape.unit + place < 1) << (place + 1) for place in range(-1, bits))
        for exponent in range(1 << shape.exponent_bits)
    ]
    kept = constant_table(c, x.exponent, less, bits + 1, "kept")
    border = c.both(kept[:-1], inverted(kept[1:]), "border")
    odd = c.any_of(c.both(x.significand, border, "at_2"), "odd")
    first = 1 - shape.unit - (bits - 1)
    whole = [replace(r, high=min(r.high, first - 1)) for r in shape.ranges if r.low < first]
    rest = (1 << (bits - 1)) - 1
    highest = min(shape.high, first + bits - 2)
    parts = [Range(first, highest, 1, rest)] if highest >= first else []
    return _theta(
        c,
        x,
        sign=c.exclusive((x.sign,), (odd,), "t_sign")[0],
        significand=c.both(x.significand, kept[1:], "theta"),
        exponent=x.exponent,
        ranges=(*whole, *parts),
    )


def _clamped(c: Circuit, x: Number, one: int) -> Number:
    """A float of magnitude 1 at most, with ``one`` the exponent of 1."""
    shape = x.shape
    reached = [int(exponent >= one) for exponent in range(1 << shape.exponent_bits)]
    (above,) = constant_table(c, x.exponent, reached, 1, "above")
    # In the lowest exponent only normal numbers have the leading bit.
    (beyond,) = c.both((above,), x.significand[-1:], "beyond")
    hidden = constant(1 << (shape.significand_bits - 1), shape.significand_bits)
    return _theta(
        c,
        x,
        sign=x.sign,
        significand=c.choose(beyond, hidden, x.significand, "theta"),
        exponent=c.choose(beyond, constant(one, shape.exponent_bits), x.exponent, "theta_exponent"),
        ranges=tuple(replace(r, high=min(r.high, one)) for r in shape.ranges if r.low <= one),
    )


def _theta(
    c: Circuit,
    x: Number,
    *,
    sign: Bit,
    significand: Word,
    exponent: Word,
    ranges: tuple[Range, ...],
) -> Number:
    """The number whose zeros all have one exponent."""
    zero = x.shape.zero or 0
    nonzero = c.any_of(significand, "theta_nonzero")
    exponent = c.both(exponent, (nonzero,), "theta_exponent_nonzero")
    if zero:
        exponent = (
            *c.either(exponent[:1], (opposite(nonzero),), "exponent_of_zero"),
            *exponent[1:],
        )
    shape = replace(x.shape, negative=False, ranges=ranges, zero=zero, infinite=False, nan=False)
    return Number(shape, sign, exponent, significand, opposite(nonzero), ZERO, ZERO)


def _float_wave(c: Circuit, theta: Number, result: Float) -> Exact:
    """2 theta - theta**2, which is never negative, with the sign of t."""
    shape = theta.shape
    square = Fixed(
        terms=lambda flip, place, width: [
            row._replace(shift=row.shift + place, negative=True)
            for row in square_terms(c, theta.significand, "square")
        ],
        flip=ONE,
        sign=ONE,
        signed=False,
        zero=theta.zero,
        exponent=(Term(theta.exponent, 1, name="exponent"),),
        plus=2 * shape.unit,
        ranges=tuple(
            Range(2 * (r.low + shape.unit), 2 * (r.high + shape.unit), r.smallest**2, r.largest**2)
            for r in shape.ranges
        ),
        zeros=(2 * (shape.zero + shape.unit),) * 2,
    )
    doubled = replace(theta, shape=replace(shape, unit=shape.unit + 1), sign=ZERO)
    exact = aligned_sum(c, square, doubled, result)
    return replace(exact, negative=ZERO, sign=theta.sign, cancels=ZERO)


class QuadINRUnit(CircuitUnit):
    """y = phi(x)."""

    specification = QuadINR
    planning = QuadINRPlan
