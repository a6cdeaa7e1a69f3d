"""Tables of what Mitchell's sum lacks, by the leading mantissa bits of both operands."""

from functools import cache

import numpy as np

from multipede.golden.number_format import require_range

__all__ = ["MAXIMUM_INDEX_BITS", "RESOLUTION", "compensation_table"]

MAXIMUM_INDEX_BITS = 4
RESOLUTION = 10
"""Mantissa bits for which entries are found; wider mantissas have zeros below."""


@cache
def compensation_table(mantissa_bits: int, index_bits: int = 3) -> tuple[tuple[int, ...], ...]:
    """Corrections [leading bits of x][leading bits of y] in units of the last mantissa bit.

    Entry (i, j) is the integer that makes the mean absolute relative error of the products least
    over all pairs of mantissas that begin with i and j, each as often as any other, the smaller one
    where two are as good. Pairs are those of min(mantissa_bits, 10) bits; entries of wider
    mantissas end in zeros. The table is symmetric. Only sums that stay in the format's range are
    thought of.

    Parameters
    ----------
    mantissa_bits : 1 to 51. index_bits : 1 to 4; with fewer mantissa bits these are all looked at.

    Raises TypeError or ValueError, naming the parameter.
    """
    require_range("mantissa_bits", mantissa_bits, 1, 51)
    require_range("index_bits", index_bits, 1, MAXIMUM_INDEX_BITS)
    bits = min(mantissa_bits, RESOLUTION)
    leading = min(index_bits, bits)
    # Mantissas by their leading bits and what follows.
    cells = np.arange(1 << bits, dtype=np.int64).reshape(1 << leading, -1)
    rows = [[_best(x, y, bits) for y in cells] for x in cells]
    return tuple(tuple(entry << (mantissa_bits - bits) for entry in row) for row in rows)


def _best(x: np.ndarray, y: np.ndarray, bits: int) -> int:
    one = 1 << bits
    exact = np.multiply.outer(one + x, one + y).astype(np.float64) / one
    sums = np.add.outer(x, y)

    def error(correction: int) -> float:
        total = sums + correction
        product = np.ldexp((one + (total & (one - 1))).astype(np.float64), total >> bits)
        # Means that are equal must be, whatever the order of their sum.
        return round(float(np.abs(product / exact - 1).mean()), 12)

    # A product grows with its correction, so that none beyond all that single pairs want is best.
    carry = exact >= 2 * one
    wanted = np.where(carry, exact / 2, exact - one) - sums
    candidates = range(int(np.floor(wanted.min())), int(np.ceil(wanted.max())) + 1)
    return min(candidates, key=error)
