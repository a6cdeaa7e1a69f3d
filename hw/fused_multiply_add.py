"""A product plus a number, rounded once."""

from multipede.golden.fused_multiply_add import FusedMultiplyAdd
from multipede.hw.arithmetic.aligned_sum import Fixed, aligned_sum
from multipede.hw.arithmetic.circuit import Bit, Circuit, Term, Word
from multipede.hw.arithmetic.circuit_unit import CircuitUnit
from multipede.hw.arithmetic.float_product import (
    product_exponent,
    product_ranges,
    product_specials,
    product_zeros,
)
from multipede.hw.arithmetic.operands import Number
from multipede.hw.arithmetic.rounded_unit import RoundedUnitPlan
from multipede.hw.arithmetic.significand_product import product_terms

__all__ = ["FusedMultiplyAddPlan", "FusedMultiplyAddUnit"]


class FusedMultiplyAddPlan(RoundedUnitPlan):
    """Unpack, align the addend to the product, add both on one bit heap, normalise, round, pack.

    The product's rows are negated where the signs differ, so that neither the addend nor the sum
    has to be: a negative sum is inverted behind the normalising shift, where only its result's
    precision is left of it.
    """

    spec: FusedMultiplyAdd

    def result(self, c: Circuit, a: Number, b: Number, addend: Number) -> Word:
        product = _fixed_product(c, a, b)
        exact = aligned_sum(c, product, addend, self.spec.result)
        product_infinite, product_nan = product_specials(c, a, b)
        clash = c.all_of((product_infinite, addend.infinite, exact.cancels), "clash")
        (infinite_sign,) = c.choose(
            addend.infinite, (addend.sign,), (product.sign,), "infinite_sign"
        )
        return self.rounded(
            c,
            exact,
            infinite=c.either((product_infinite,), (addend.infinite,), "infinite")[0],
            infinite_sign=infinite_sign,
            nan=c.any_of((product_nan, addend.nan, clash), "nan"),
        )


def _fixed_product(c: Circuit, a: Number, b: Number) -> Fixed:
    """The product as the term to which the addend is aligned."""

    def terms(flip: Bit, place: int, width: int) -> list[Term]:
        rows = product_terms(c, a, b, flip, width - place)
        return [row._replace(shift=row.shift + place) for row in rows]

    exponent, plus = product_exponent(a, b)
    (flip,) = c.exclusive((a.flip,), (b.flip,), "product_flip")
    (sign,) = c.exclusive((a.sign,), (b.sign,), "product_sign")
    return Fixed(
        terms=terms,
        flip=flip,
        sign=sign,
        signed=a.shape.signed or b.shape.signed,
        zero=c.any_of((a.zero, b.zero), "product_zero"),
        exponent=exponent,
        plus=plus,
        ranges=product_ranges(a, b),
        zeros=product_zeros(a, b),
    )


class FusedMultiplyAddUnit(CircuitUnit):
    """y = round(a b + c)."""

    specification = FusedMultiplyAdd
    planning = FusedMultiplyAddPlan
