"""The exact product of two numbers plus a third: the addend is aligned to the product."""

from dataclasses import dataclass

from multipede.golden.formats import Float
from multipede.hw.arithmetic.aligned_sum import Fixed, aligned_sum
from multipede.hw.arithmetic.circuit import Bit, Circuit, Term
from multipede.hw.arithmetic.exact_result import Exact
from multipede.hw.arithmetic.float_product import (
    product_exponent,
    product_ranges,
    product_specials,
    product_zeros,
)
from multipede.hw.arithmetic.operands import Number
from multipede.hw.arithmetic.significand_product import product_terms

__all__ = ["FusedSum", "fused_sum"]


@dataclass(frozen=True)
class FusedSum:
    """A sum before its rounding, and where it is infinite, of which sign, or no number."""

    exact: Exact
    infinite: Bit
    infinite_sign: Bit
    nan: Bit


def fused_sum(c: Circuit, a: Number, b: Number, addend: Number, result: Float) -> FusedSum:
    """a b + addend, so exactly that one rounding to ``result`` is right.

    The product's rows are negated where the signs differ, so that neither the addend nor the sum
    has to be: a negative sum is inverted behind the normalising shift, where only its result's
    precision is left of it.
    """
    product = _fixed_product(c, a, b)
    exact = aligned_sum(c, product, addend, result)
    infinite, nan = product_specials(c, a, b)
    clash = c.all_of((infinite, addend.infinite, exact.cancels), "clash")
    (sign,) = c.choose(addend.infinite, (addend.sign,), (product.sign,), "infinite_sign")
    return FusedSum(
        exact=exact,
        infinite=c.either((infinite,), (addend.infinite,), "infinite")[0],
        infinite_sign=sign,
        nan=c.any_of((nan, addend.nan, clash), "nan"),
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
