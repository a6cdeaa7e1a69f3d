"""Division of unsigned words, a quotient bit at a time."""

from multipede.hw.arithmetic.circuit import Bit, Circuit, Term, Word, constant, opposite, padded

__all__ = ["divide", "divide_by"]


def divide(
    c: Circuit, dividend: Word, divisor: Word, quotient_bits: int, name: str
) -> tuple[Word, Bit]:
    """floor(dividend / divisor), which must be below ``2**quotient_bits``, and whether there is a
    remainder.

    Restoring division: the partial remainder is less than the divisor, and twice that and the
    dividend's next bit less than twice the divisor; what is not negative without the divisor is
    the next one, and the quotient's bit is 1.
    """
    dividend = padded(dividend, quotient_bits)
    width = len(divisor)
    remainder = dividend[quotient_bits:][:width]
    quotient: list[Bit] = []
    for place in reversed(range(quotient_bits)):
        partial = (dividend[place], *remainder)
        terms = (Term(partial, name="partial"), Term(divisor, negative=True, name="divisor"))
        difference = c.sum(max(width, len(partial)) + 1, terms, f"{name}_difference")
        fits = opposite(difference[-1])
        kept = padded(partial, width)[:width]
        remainder = c.choose(fits, difference[:width], kept, f"{name}_remainder")
        quotient.insert(0, fits)
    return tuple(quotient), c.any_of(remainder, f"{name}_inexact")


def divide_by(
    c: Circuit, dividend: Word, divisor: int, largest: int, name: str
) -> tuple[Word, Bit]:
    """As :func:`divide` for a divisor that is known and dividends up to ``largest``."""
    bits = max(1, (largest // divisor).bit_length())
    return divide(c, dividend, constant(divisor, divisor.bit_length()), bits, name)
