"""A sum in fixed point and a bias, rounded to nearest, ties upwards, to fewer places."""

from multipede.golden.formats import FixedPoint, Integer, Overflow
from multipede.hw.arithmetic.circuit import Circuit, Term, Word, constant, opposite

__all__ = ["rounded_sum"]


def rounded_sum(sums: Integer, bias: FixedPoint, result: FixedPoint, overflow: Overflow) -> Circuit:
    """``sum`` + ``bias`` -> ``rounded``, both of as many places, in the signed format ``result``.

    The half that rounds is a constant of the sum's; what is beyond the result wraps or saturates.
    """
    c = Circuit()
    dropped = bias.fraction_bits - result.fraction_bits
    half = 1 << dropped >> 1 if dropped > 0 else 0
    low, high = sums.minimum + bias.minimum_code, sums.maximum + bias.maximum_code + half
    width = Integer.spanning(low, high).bits
    if overflow is Overflow.WRAP:
        width = min(width, max(1, result.bits + dropped))
    terms = (
        Term(c.input("sum", sums.bits), signed=sums.signed, name="exact"),
        Term(c.input("bias", bias.bits), signed=True, name="bias"),
    )
    total = c.sum(width, terms, "total", plus=half)
    kept = total[dropped:] if dropped > 0 else constant(0, -dropped) + total
    c.output("rounded", _fitted(c, kept, result.bits, overflow))
    return c


def _fitted(c: Circuit, word: Word, bits: int, overflow: Overflow) -> Word:
    """A word in two's complement as one of ``bits`` bits."""
    sign = word[-1]
    if len(word) <= bits:
        return word + (sign,) * (bits - len(word))
    if overflow is Overflow.WRAP:
        return word[:bits]
    differing = c.exclusive(word[bits - 1 : -1], (sign,), "differs")
    beyond = c.any_of(differing, "beyond")
    return c.choose(beyond, (opposite(sign),) * (bits - 1) + (sign,), word[:bits], "saturated")
