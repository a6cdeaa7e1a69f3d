"""A number from one format to another, rounded once."""

from multipede.golden.formats import Float
from multipede.golden.number_converter import NumberConverter
from multipede.hw.arithmetic.circuit import ZERO, Circuit, Term, Word
from multipede.hw.arithmetic.circuit_unit import CircuitUnit
from multipede.hw.arithmetic.exact_result import Exact
from multipede.hw.arithmetic.operands import Number, Range
from multipede.hw.arithmetic.round_integer import round_to_integer
from multipede.hw.arithmetic.rounded_unit import RoundedUnitPlan

__all__ = ["NumberConverterPlan", "NumberConverterUnit"]


class NumberConverterPlan(RoundedUnitPlan):
    """Unpack, shift, round and pack."""

    spec: NumberConverter

    def result(self, c: Circuit, x: Number) -> Word:
        spec, exact = self.spec, _exact_number(x)
        if isinstance(spec.result, Float):
            return self.rounded(c, exact, infinite=x.infinite, nan=x.nan)
        return round_to_integer(
            c,
            exact,
            spec.result,
            spec.rounding,
            spec.overflow_policy,
            infinite=x.infinite,
            nan=x.nan,
            nan_code=spec.nan_code,
        )


def _exact_number(number: Number) -> Exact:
    """The number as a result of its own."""
    shape = number.shape
    word, negative = number.significand, ZERO
    if shape.signed:
        *word, negative = word
    return Exact(
        word=tuple(word),
        negative=negative,
        inexact=ZERO,
        sign=number.sign,
        exponent=(Term(number.exponent, name="exponent"),),
        plus=shape.unit,
        ranges=tuple(
            Range(r.low + shape.unit, r.high + shape.unit, r.smallest, r.largest)
            for r in shape.ranges
        ),
    )


class NumberConverterUnit(CircuitUnit):
    """y = round(x)."""

    specification = NumberConverter
    planning = NumberConverterPlan
