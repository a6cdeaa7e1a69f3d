"""The decision to round up."""

from multipede.golden.formats import Rounding
from multipede.hw.arithmetic.circuit import Bit, Circuit, opposite

__all__ = ["rounding_increment"]


def rounding_increment(
    c: Circuit,
    rounding: Rounding,
    *,
    odd: Bit,
    guard: Bit,
    inexact: Bit,
    negative: Bit,
    sign: Bit,
) -> Bit:
    """Whether the kept bits of a result of sign ``sign`` are incremented.

    ``odd`` and ``guard`` are the bits above and below the cut, ``inexact`` whether there are ones
    below these. Where ``negative`` is 1 they come from an inverted word: if nothing is below, one
    is still to be added at the guard bit, which makes the word's two's complement.
    """
    (pending,) = c.both((negative,), (opposite(inexact),), "pending")
    (carry,) = c.both((pending,), (guard,), "pending_carry")
    match rounding:
        case Rounding.TOWARD_ZERO:
            return carry
        case Rounding.NEAREST_AWAY:
            return c.either((guard,), (pending,), "increment")[0]
        case Rounding.NEAREST_EVEN:
            (up,) = c.both((guard,), (c.any_of((inexact, negative, odd), "above_half"),), "up")
            (tie,) = c.both((pending,), (odd,), "tie")
            return c.either((up,), (tie,), "increment")[0]
        case Rounding.UP | Rounding.DOWN:
            away = sign if rounding is Rounding.DOWN else opposite(sign)
            some = c.any_of((guard, inexact, negative), "some")
            return c.choose(away, (some,), (carry,), "increment")[0]
