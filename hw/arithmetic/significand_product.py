"""The product of two significands as rows of a bit heap, negated on request."""

from functools import partial

from multipede.hw.arithmetic.circuit import ZERO, Bit, Circuit, Term, opposite, padded
from multipede.hw.arithmetic.operands import Number
from multipede.hw.arithmetic.sizes import smallest

__all__ = ["product_terms"]


def product_terms(c: Circuit, a: Number, b: Number, flip: Bit, width: int) -> list[Term]:
    """Rows whose sum modulo ``2**width`` is the product of the significands, negated by ``flip``.

    Gated copies of one factor, or radix-4 Booth digits of the other: whichever takes less.
    Booth rows are negated by their digits' signs, without an inversion of the whole product.
    """
    ways = [partial(_booth_terms, a=x, b=y, flip=flip) for x, y in ((a, b), (b, a))]
    if flip == ZERO:
        ways += [partial(_gated_terms, a=x, b=y) for x, y in ((a, b), (b, a))]
    return smallest(c, ways, lambda trial, terms: trial.sum(width, terms, "product"))


def _gated_terms(c: Circuit, a: Number, b: Number) -> list[Term]:
    """A copy of ``a`` for each bit of ``b``, as of Baugh and Wooley if one is signed."""
    terms = []
    for place, bit in enumerate(b.significand):
        negative = b.shape.signed and place == len(b.significand) - 1
        if bit.node < 0 or any(x.node < 0 for x in a.significand):
            row = c.both(a.significand, (bit,), f"row_{place}")
            terms.append(Term(row, place, negative, a.shape.signed, name=f"row_{place}"))
        else:
            row = Term(a.significand, place, negative, a.shape.signed, bit, name=f"row_{place}")
            terms.append(row)
    return terms


def _booth_terms(c: Circuit, a: Number, b: Number, flip: Bit) -> list[Term]:
    """A multiple of ``a`` from -2 to 2 for each digit of ``b`` (MacSorley 1961).

    Digit i is b[2i-1] + b[2i] - 2 b[2i+1]. A negated row is its one's complement, and a one at
    its lowest place is an addend of its own.
    """
    digits = (len(b.significand) + 1) // 2 if b.shape.signed else len(b.significand) // 2 + 1
    sign = b.significand[-1] if b.shape.signed else ZERO
    bits = (ZERO, *padded(b.significand, 2 * digits, sign))
    width = len(a.significand) + 1
    sign = a.significand[-1] if a.shape.signed else ZERO
    once_row, twice_row = padded(a.significand, width, sign), (ZERO, *a.significand)
    terms = []
    for digit in range(digits):
        low, middle, high = bits[2 * digit : 2 * digit + 3]
        once = c.exclusive((low,), (middle,), f"booth_once_{digit}")
        other = c.exclusive((middle,), (high,), f"booth_other_{digit}")
        twice = c.both(other, (opposite(once[0]),), f"booth_twice_{digit}")
        (negate,) = c.exclusive((high,), (flip,), f"booth_negate_{digit}")
        row = c.either(
            c.both(once_row, once, f"row_{digit}_once"),
            c.both(twice_row, twice, f"row_{digit}_twice"),
            f"row_{digit}_magnitude",
        )
        row = c.exclusive(row, (negate,), f"row_{digit}")
        if not a.shape.signed:
            row = (*row, negate)
        terms += [
            Term(row, 2 * digit, signed=True, name=f"row_{digit}"),
            Term((negate,), 2 * digit, name=f"negate_{digit}"),
        ]
    return terms
