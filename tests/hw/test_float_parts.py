"""The parts of floating-point units against their definitions, over all values of small words."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from multipede.golden.formats import (
    BF16,
    E2M1,
    E3M0,
    E4M3,
    E5M2,
    E8M0,
    FP16,
    INT4,
    UE4M3,
    UINT3,
    FixedPoint,
    Float,
    Integer,
    Rounding,
    Specials,
)
from multipede.hw import Style
from multipede.hw.arithmetic.circuit import ZERO, Circuit, Word, constant
from multipede.hw.arithmetic.circuit_plan import CircuitPlan
from multipede.hw.arithmetic.normaliser import normalise
from multipede.hw.arithmetic.operands import shape_of, unpack
from multipede.hw.arithmetic.rounding import rounding_increment
from multipede.hw.arithmetic.shifters import shift_left, shift_right
from multipede.hw.arithmetic.significand_product import product_terms


class Bench:
    """A circuit whose inputs take every combination of values."""

    def __init__(self, **widths: int):
        self.c = Circuit()
        self.words = {name: self.c.input(name, width) for name, width in widths.items()}
        rows = np.array(list(product(*(range(1 << width) for width in widths.values()))), object)
        self.values = {name: rows[:, i] for i, name in enumerate(widths)}

    def outputs(self, **words: Word) -> dict[str, list[int]]:
        for name, word in words.items():
            self.c.output(name, word)
        found = CircuitPlan(self.c, Style.CELLS, ranks=0).evaluate(**self.values)
        count = len(next(iter(self.values.values())))
        return {name: [int(v) for v in np.broadcast_to(found[name], count)] for name in words}

    def rows(self):
        return zip(*self.values.values(), strict=True)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize(("bits", "width", "levels"), [(4, 4, 3), (4, 6, 3), (3, 9, 4), (5, 6, 1)])
def test_shift_right_keeps_the_floor_and_tells_what_is_lost(bits, width, levels, signed):
    bench = Bench(word=bits, amount=levels)
    word, lost = shift_right(
        bench.c, bench.words["word"], bench.words["amount"], width, "shift", signed=signed
    )
    found = bench.outputs(word=word, lost=(lost,))
    for (value, amount), got, inexact in zip(
        bench.rows(), found["word"], found["lost"], strict=True
    ):
        number = value - (value >> (bits - 1) << bits) * signed
        exact = Fraction(number << (width - bits), 1 << amount)
        assert got == exact.__floor__() % (1 << width)
        assert inexact == (exact.denominator != 1)


@pytest.mark.parametrize(("bits", "kept", "levels"), [(6, 3, 3), (4, 7, 2), (5, 5, 4), (6, 1, 2)])
def test_shift_left_keeps_the_top(bits, kept, levels):
    bench = Bench(word=bits, amount=levels)
    word, below = shift_left(bench.c, bench.words["word"], bench.words["amount"], kept, "shift")
    found = bench.outputs(word=word, below=(below,))
    for (value, amount), got, inexact in zip(
        bench.rows(), found["word"], found["below"], strict=True
    ):
        whole = value << amount << kept & ((1 << (bits + kept)) - 1)
        assert (got, inexact) == (whole >> bits, whole & ((1 << bits) - 1) != 0)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("limit_bits", [0, 2, 3, 5])
@pytest.mark.parametrize(("bits", "kept", "maximum"), [(7, 3, 6), (7, 8, 7), (6, 2, 5), (9, 4, 8)])
def test_normalise_shifts_as_far_as_it_may(bits, kept, maximum, limit_bits, signed):
    bench = Bench(word=bits, sign=int(signed), limit=limit_bits)
    sign = bench.words["sign"][0] if signed else ZERO
    normalised = normalise(
        bench.c,
        bench.words["word"],
        sign=sign,
        kept=kept,
        maximum=maximum,
        limit=bench.words["limit"] if limit_bits else None,
        name="n",
    )
    found = bench.outputs(
        word=normalised.word,
        below=(normalised.inexact,),
        shift=normalised.shift,
        at_limit=(normalised.at_limit,),
    )
    results = zip(*found.values(), strict=True)
    for (value, minus, limit), (got, below, shift, at_limit) in zip(
        bench.rows(), results, strict=True
    ):
        magnitude = value ^ ((1 << bits) - 1) if minus else value
        quiet = bits - magnitude.bit_length()
        wanted = min(quiet, limit) if limit_bits else quiet
        if magnitude and wanted <= maximum:  # else the shift is any that loses nothing
            assert shift == wanted
        if limit_bits:
            assert shift <= limit
            assert at_limit == (shift == limit)
        whole = value << shift << kept & ((1 << (bits + kept)) - 1)
        assert (got, below) == (whole >> bits, whole & ((1 << bits) - 1) != 0)


@pytest.mark.parametrize("rounding", list(Rounding))
def test_rounding_of_magnitudes_and_of_inverted_words(rounding):
    """Numbers of three bits, a guard bit and a tail, in two's complement or as magnitudes."""
    bench = Bench(word=6, negative=1, sign=1)
    tail, guard, *kept = bench.c.exclusive(bench.words["word"], bench.words["negative"], "kept")
    increment = rounding_increment(
        bench.c,
        rounding,
        odd=kept[0],
        guard=guard,
        inexact=bench.words["word"][0],
        negative=bench.words["negative"][0],
        sign=bench.words["sign"][0],
    )
    found = bench.outputs(kept=tuple(kept), increment=(increment,), tail=(tail,))
    modes = {Rounding.TOWARD_ZERO: int, Rounding.UP: _up, Rounding.DOWN: _down}
    modes |= {Rounding.NEAREST_EVEN: round, Rounding.NEAREST_AWAY: _away}
    for (word, negative, sign), magnitude, one in zip(
        bench.rows(), found["kept"], found["increment"], strict=True
    ):
        exact = Fraction((64 - word) if negative else word, 4)
        wanted = abs(modes[rounding](-exact if sign else exact))
        assert magnitude + one == wanted


def _up(value: Fraction) -> int:
    return value.__ceil__()


def _down(value: Fraction) -> int:
    return value.__floor__()


def _away(value: Fraction) -> int:
    return int(abs(value) + Fraction(1, 2)) * (1 if value > 0 else -1)


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("a", [INT4, UINT3, Integer(1), Integer(1, signed=False), Integer(5)])
@pytest.mark.parametrize("b", [INT4, UINT3, Integer(1), Integer(2, signed=False)])
def test_products_and_their_negatives(a, b, flipped):
    bench = Bench(a=a.bits, b=b.bits, flip=int(flipped))
    c, words, width = bench.c, bench.words, a.bits + b.bits + 1
    x, y = unpack(c, a, words["a"], "a"), unpack(c, b, words["b"], "b")
    flip = words["flip"][0] if flipped else ZERO
    found = bench.outputs(p=c.sum(width, product_terms(c, x, y, flip, width), "product"))
    for (p, q, minus), got in zip(bench.rows(), found["p"], strict=True):
        exact = int(a.from_bits(int(p))) * int(b.from_bits(int(q)))
        assert got == (-exact if minus else exact) % (1 << width)


FORMATS = [E2M1, E3M0, E4M3, E5M2, E8M0, UE4M3, FP16, BF16, INT4, UINT3, FixedPoint(6, 9)]
FORMATS += [Float(3, 2, subnormals=False), Float(2, 0), Float(3, 1, signed=False, bias=-9)]
FORMATS += [Float(3, 2, signed=False, subnormals=False, zero=False, specials=Specials.FINITE)]


@pytest.mark.parametrize("number_format", FORMATS, ids=str)
def test_unpacked_numbers_are_what_the_codes_stand_for(number_format):
    bench = Bench(code=number_format.bits)
    number = unpack(bench.c, number_format, bench.words["code"], "x")
    shape = shape_of(number_format)
    found = bench.outputs(
        sign=(number.sign,),
        exponent=number.exponent or constant(0, 1),
        significand=number.significand,
        zero=(number.zero,),
        infinite=(number.infinite,),
        nan=(number.nan,),
    )
    results = zip(*found.values(), strict=True)
    values = number_format.decode(number_format.from_bits(bench.values["code"].astype(np.int64)))
    for value, (sign, exponent, significand, zero, infinite, nan) in zip(
        values, results, strict=True
    ):
        assert (infinite, nan) == (np.isinf(value), np.isnan(value))
        if np.isnan(value):
            continue
        assert sign == (np.signbit(value) if isinstance(number_format, Float) else value < 0)
        if np.isinf(value):
            continue
        if shape.signed:
            significand -= (significand >> (number_format.bits - 1)) << number_format.bits
        else:
            significand *= -1 if sign else 1
        assert Fraction(float(value)) == significand * Fraction(2) ** (exponent + shape.unit)
        assert zero == (value == 0)
        if value == 0:
            assert exponent == shape.zero
            continue
        assert any(
            r.low <= exponent <= r.high and r.smallest <= abs(significand) <= r.largest
            for r in shape.ranges
        )
