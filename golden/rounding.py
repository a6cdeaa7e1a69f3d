"""How a value that a format does not hold becomes one that it does."""

from enum import Enum


class _Policy(Enum):
    def __repr__(self) -> str:
        return f"{type(self).__name__}.{self.name}"


class Rounding(_Policy):
    """Which neighbour an in-between value becomes.

    ============  ==============================================================
    NEAREST_EVEN  the nearer; a tie goes to the neighbour whose code is even
    NEAREST_AWAY  the nearer; a tie goes to the neighbour of larger magnitude
    TOWARD_ZERO   the neighbour of smaller magnitude
    DOWN          the neighbour towards minus infinity (floor)
    UP            the neighbour towards plus infinity (ceiling)
    ============  ==============================================================

    The rules are those of IEEE 754-2019, 4.3. Where a format has no mantissa bits, "even" is
    the evenness of the code (IEEE P3109), as it is everywhere else.
    """

    NEAREST_EVEN = "nearest_even"
    NEAREST_AWAY = "nearest_away"
    TOWARD_ZERO = "toward_zero"
    DOWN = "down"
    UP = "up"


class Overflow(_Policy):
    """What a value becomes that is out of range.

    A value is out of range when, rounded to the format's precision with an unbounded range, it
    lies above `maximum` or below `minimum`. A value that the format holds, infinity included,
    always encodes to itself, whatever the policy.

    ========  ==========================================================================
    SATURATE  the nearest finite value, also for infinities that the format lacks
    INFINITY  IEEE 754-2019, 7.4: infinity, but the nearest finite value where a directed
              rounding points inwards; NaN where the format lacks that infinity
    NAN       NaN
    WRAP      the value modulo 2**bits (integers and fixed point; infinities are refused)
    RAISE     a ValueError that names the first such value
    ========  ==========================================================================

    A policy that a format cannot serve is refused with a ValueError. Others differ on infinite
    inputs: the OCP 8-bit conversion saturates them even where the format has infinities.
    """

    SATURATE = "saturate"
    INFINITY = "infinity"
    NAN = "nan"
    WRAP = "wrap"
    RAISE = "raise"
