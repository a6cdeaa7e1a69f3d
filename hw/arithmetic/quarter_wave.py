"""Arguments in quarter turns, folded into the first quarter; see
:mod:`multipede.golden.quarter_wave`."""

from multipede.hw.arithmetic.circuit import ZERO, Bit, Circuit, Term, Word, padded

__all__ = ["mirrored", "negated_sum", "quarter_wave"]


def quarter_wave(c: Circuit, x: Word, fraction_bits: int, *, signed: bool) -> tuple[Word, Bit]:
    """The place in the first quarter, of ``fraction_bits + 1`` bits, and whether the sine is
    negative."""
    x = padded(x, max(len(x), fraction_bits + 2), x[-1] if signed else ZERO)
    turned, negative = x[fraction_bits : fraction_bits + 2]
    return mirrored(c, x[:fraction_bits], turned, "place"), negative


def mirrored(c: Circuit, fraction: Word, when: Bit, name: str) -> Word:
    """The fraction or, ``when`` that holds, 1 minus it, with a bit for 1."""
    inverse = c.exclusive(fraction, (when,), f"{name}_inverse")
    terms = (Term(inverse, name="inverse"), Term((when,), name="when"))
    return c.sum(len(fraction) + 1, terms, name)


def negated_sum(
    c: Circuit, terms: list[Term], plus: int, guard: int, bits: int, negative: Bit
) -> Word:
    """The sum without its ``guard`` lowest places in ``bits`` bits; minus that if ``negative``.

    -y is the inverse of y - 1, and the 1 is one more addend.
    """
    terms = [*terms, Term((negative,), guard, negative=True, name="negative")]
    value = c.sum(bits + guard, terms, "value", plus=plus)[guard:]
    return c.exclusive(value, (negative,), "result")
