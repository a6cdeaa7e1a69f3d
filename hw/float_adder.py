"""The sum of two numbers, rounded once."""

from multipede.golden.float_adder import FloatAdder
from multipede.hw.arithmetic.aligned_sum import Fixed, aligned_sum
from multipede.hw.arithmetic.circuit import Bit, Circuit, Term, Word
from multipede.hw.arithmetic.circuit_unit import CircuitUnit
from multipede.hw.arithmetic.exact_result import Exact
from multipede.hw.arithmetic.float_sum import sum_of_floats
from multipede.hw.arithmetic.operands import Number, Range
from multipede.hw.arithmetic.rounded_unit import RoundedUnitPlan

__all__ = ["FloatAdderPlan", "FloatAdderUnit"]


class FloatAdderPlan(RoundedUnitPlan):
    """Unpack, align, add, normalise, round and pack.

    Of two floats the one with the smaller exponent is shifted; beside an integer or a fixed-point
    number, which stays in its place, it is always the other.
    """

    spec: FloatAdder

    def result(self, c: Circuit, a: Number, b: Number) -> Word:
        exact = self._exact(c, a, b)
        clash = c.all_of((a.infinite, b.infinite, exact.cancels), "clash")
        infinite_sign = None
        if self.spec.a != self.spec.b:
            (infinite_sign,) = c.choose(a.infinite, (a.sign,), (b.sign,), "infinite_sign")
        return self.rounded(
            c,
            exact,
            infinite=c.either((a.infinite,), (b.infinite,), "infinite")[0],
            # Of floats of one format, an infinite one is the larger one as well.
            infinite_sign=infinite_sign,
            nan=c.any_of((a.nan, b.nan, clash), "nan"),
        )

    def _exact(self, c: Circuit, a: Number, b: Number) -> Exact:
        if a.exponent and b.exponent:
            return sum_of_floats(c, a, b, self.spec.result)
        fixed, moving = (b, a) if a.exponent else (a, b)
        return aligned_sum(c, _fixed_integer(c, fixed), moving, self.spec.result)


def _fixed_integer(c: Circuit, number: Number) -> Fixed:
    """An integer or fixed-point number as the term to which the other is aligned."""
    shape = number.shape

    def terms(flip: Bit, place: int, width: int) -> list[Term]:
        addend = c.exclusive(number.significand, (flip,), "addend")
        if not shape.signed:
            addend = (*addend, flip)
        return [
            Term(addend, place, signed=True, name="addend"),
            Term((flip,), place, name="subtract"),
        ]

    return Fixed(
        terms=terms,
        flip=number.flip,
        sign=number.sign,
        signed=shape.signed,
        zero=number.zero,
        exponent=(),
        plus=shape.unit,
        ranges=tuple(Range(shape.unit, shape.unit, r.smallest, r.largest) for r in shape.ranges),
        zeros=(shape.unit, shape.unit),
    )


class FloatAdderUnit(CircuitUnit):
    """s = round(a + b)."""

    specification = FloatAdder
    planning = FloatAdderPlan
