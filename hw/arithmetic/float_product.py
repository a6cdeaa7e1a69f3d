"""The exact product of two numbers."""

from itertools import product

from multipede.hw.arithmetic.circuit import ZERO, Bit, Circuit, Term
from multipede.hw.arithmetic.exact_result import Exact
from multipede.hw.arithmetic.operands import Number, Range
from multipede.hw.arithmetic.significand_product import product_terms

__all__ = [
    "exact_product",
    "product_exponent",
    "product_ranges",
    "product_specials",
    "product_zeros",
]


def product_exponent(a: Number, b: Number) -> tuple[tuple[Term, ...], int]:
    """The exponent of the product's lowest bit, as terms and what is added to them."""
    terms = (Term(a.exponent, name="a_exponent"), Term(b.exponent, name="b_exponent"))
    return terms, a.shape.unit + b.shape.unit


def product_ranges(a: Number, b: Number) -> tuple[Range, ...]:
    """The products other than zero, by kinds of factors."""
    unit = a.shape.unit + b.shape.unit
    return tuple(
        Range(
            x.low + y.low + unit,
            x.high + y.high + unit,
            x.smallest * y.smallest,
            x.largest * y.largest,
        )
        for x, y in product(a.shape.ranges, b.shape.ranges)
    )


def product_zeros(a: Number, b: Number) -> tuple[int, int] | None:
    """The lowest and highest exponent of a product that is zero, if there is one."""
    unit = a.shape.unit + b.shape.unit
    found = [
        zero.zero + end + unit
        for zero, other in ((a.shape, b.shape), (b.shape, a.shape))
        if zero.zero is not None
        for end in (other.low, other.high)
    ]
    return (min(found), max(found)) if found else None


def exact_product(c: Circuit, a: Number, b: Number) -> Exact:
    """a b; the significands' product has a sign where one of them has."""
    width = len(a.significand) + len(b.significand)
    word = c.sum(width, product_terms(c, a, b, ZERO, width), "product")
    negative = ZERO
    if a.shape.signed or b.shape.signed:
        *word, negative = word
    (sign,) = c.exclusive((a.sign,), (b.sign,), "product_sign")
    exponent, plus = product_exponent(a, b)
    return Exact(tuple(word), negative, ZERO, sign, exponent, plus, product_ranges(a, b))


def product_specials(c: Circuit, a: Number, b: Number) -> tuple[Bit, Bit]:
    """Whether the product is infinite, where it is no NaN, and whether it is NaN."""
    (infinite,) = c.either((a.infinite,), (b.infinite,), "product_infinite")
    (left,) = c.both((a.infinite,), (b.zero,), "infinity_times_zero")
    (right,) = c.both((a.zero,), (b.infinite,), "zero_times_infinity")
    return infinite, c.any_of((a.nan, b.nan, left, right), "product_nan")
