"""Tables of rounded sums from their definition, one number at a time in rationals."""

import math
from collections.abc import Sequence
from fractions import Fraction

from multipede.golden.formats import Float, Overflow, Rounding
from multipede.golden.rounded_operation import NanResult
from tests.golden.rational_oracle import NAN, Number, float_code, number, total

NEAREST = Rounding.NEAREST_EVEN
LARGEST_CODE = 127


class RationalTables:
    """Entries of tables of one format; sums that recur are rounded once."""

    def __init__(self, number_format: Float, overflow: Overflow):
        self.format = number_format
        self.overflow = overflow
        self.known: dict[tuple, Number] = {}

    def signed(self, lanes: Sequence[Number], signs: Sequence[int]) -> Number:
        """The sum of the lanes with signs +1 and -1, of which the last is +1."""
        assert signs[-1] == 1
        if len(lanes) == 1:
            return lanes[0]
        half = len(lanes) // 2
        upper = self.signed(lanes[half:], signs[half:])
        sign = signs[half - 1]
        lower = self.signed(lanes[:half], [s * sign for s in signs[:half]])
        return self.rounded_sum(upper, lower if sign > 0 else negated(lower))

    def of_subset(self, lanes: Sequence[Number], chosen: Sequence[bool]) -> Number | None:
        """The sum of the chosen lanes, None of none."""
        if len(lanes) == 1:
            return lanes[0] if chosen[0] else None
        half = len(lanes) // 2
        lower = self.of_subset(lanes[:half], chosen[:half])
        upper = self.of_subset(lanes[half:], chosen[half:])
        if lower is None or upper is None:
            return upper if lower is None else lower
        return self.rounded_sum(upper, lower)

    def rounded_sum(self, a: Number, b: Number) -> Number:
        key = a, b
        if key not in self.known:
            code = self.code(total(a, b, NEAREST))
            self.known[key] = number(self.format, code)
        return self.known[key]

    def code(self, exact: Number) -> int:
        policy = NanResult.MAXIMUM
        return float_code(self.format, exact, NEAREST, self.overflow, policy)


def negated(x: Number) -> Number:
    return x if x.nan else Number(-x.value, not x.negative)


def index_signs(index: int, lanes: int) -> list[int]:
    """+1 and -1 of the lanes of entry ``index`` of U."""
    return [-1 if index >> k & 1 else 1 for k in range(lanes - 1)] + [1]


def quantised(entries: Sequence[Number], scale: Float) -> tuple[list[int], int]:
    """Codes and the scale's code of the entries of a table."""
    if any(e.nan or e.infinite for e in entries):
        nan = float_code(scale, NAN, NEAREST, Overflow.SATURATE, NanResult.MAXIMUM)
        return [0] * len(entries), nan
    largest = max(abs(e.value) for e in entries) / Fraction(LARGEST_CODE)
    exact = Number(largest, False)
    code = float_code(scale, exact, NEAREST, Overflow.SATURATE, NanResult.MAXIMUM)
    divisor = number(scale, code).value
    if divisor == 0:
        return [0] * len(entries), code
    assert math.isfinite(divisor)
    rounded = [round(e.value / divisor) for e in entries]
    return [max(-LARGEST_CODE, min(LARGEST_CODE, r)) for r in rounded], code
