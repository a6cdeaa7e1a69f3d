"""The square of an unsigned number as a folded array of bits, whole or without its lowest columns.

With the bits x_0, x_1, ... of x, x**2 has x_i x_j at column i + j and again at j + i. Folded, it is
at column i + j + 1 once, and x_i x_i = x_i at column 2 i. There x_i meets x_(i-1) x_i, and since
the two add to 2 x_(i-1) x_i + x_i (1 - x_(i-1)), the array takes x_i and not x_(i-1) at column 2 i,
and x_(i-1) x_i at column 2 i + 1: columns rise and fall evenly, at half the height of a product's.
"""

from typing import NamedTuple

import numpy as np

__all__ = ["SquareBit", "largest_loss", "square_bits", "truncated_square"]


class SquareBit(NamedTuple):
    """A bit of the array: x[one] and x[other], the latter inverted if so, at ``column``; x[one]
    alone where ``other`` is None."""

    column: int
    one: int
    other: int | None
    inverted: bool = False


def square_bits(bits: int, cut: int = 0) -> list[SquareBit]:
    """The array of a number of ``bits`` bits without the columns below ``cut``, lowest first."""
    found = [SquareBit(0, 0, None)] if bits else []
    for one in range(1, bits):
        found += [SquareBit(2 * one, one, one - 1, True), SquareBit(2 * one + 1, one, one - 1)]
        found += [SquareBit(one + other + 1, one, other) for other in range(one - 1)]
    return sorted((bit for bit in found if bit.column >= cut), key=lambda bit: bit[:2])


def truncated_square(x: np.ndarray, bits: int, cut: int) -> np.ndarray:
    """The sum of the array's columns from ``cut`` on: x**2 for 0, less than that else.

    ``x`` is int64, 0 to 2**bits - 1, with bits of at most 31.
    """
    lost = np.zeros_like(x)
    for column, one, other, inverted in square_bits(bits):
        if column < cut:
            bit = x >> one & 1
            if other is not None:
                bit = bit & ((x >> other & 1) ^ inverted)
            lost = lost + (bit << column)
    return x * x - lost


def largest_loss(bits: int, cut: int) -> int:
    """The most that the columns below ``cut`` add up to.

    Of x_i (1 - x_(i-1)) and x_i x_(i-1) one at most is 1; all others are 1 together.
    """
    dropped = [bit for bit in square_bits(bits) if bit.column < cut]
    return sum(1 << bit.column for bit in dropped if not (bit.inverted and bit.column + 1 < cut))
