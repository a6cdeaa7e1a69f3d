"""About how many gates a polynomial's tables and products take: what the search makes small."""

import numpy as np

from multipede.golden.formats import Integer
from multipede.golden.polynomial_design import PolynomialDesign

__all__ = ["estimated_size"]

_TABLE_BIT, _PRODUCT_BIT = 1.2, 6.3
"""NAND2 equivalents of a multiplexer of a table of constants, and of a bit of a product's row; by
these alone designs are chosen, and no figure is made of them"""


def estimated_size(design: PolynomialDesign) -> float:
    """NAND2 equivalents, about: bits of tables and bits of the products' rows."""
    total = 0.0
    start = 0
    for region in design.regions:
        for column in design.coefficients:
            total += _TABLE_BIT * _multiplexer_bits(column[start : start + region.segments])
        start += region.segments
    total += (
        2.3
        * (len(design.regions) - 1)
        * sum(Integer.spanning(min(column), max(column)).bits for column in design.coefficients)
    )
    total += 2.0 * sum(region.segment_bits for region in design.regions[1:])
    for (low, high), i in zip(design.ranges, range(design.degree - 1, -1, -1), strict=True):
        width, cut = Integer.spanning(low, high).bits, design.cuts[i]
        rows = range(design.segment_bits - design.dropped[i])
        bits = sum(max(0, width - max(0, cut - place)) for place in rows)
        bits += max(0, width - cut) * (i == 0 and design.carries)
        total += bits * _PRODUCT_BIT
    total += 3.0 * design.bits * design.adds
    return total + (design.fold.mirrors + design.fold.periodic) * 2.0 * design.bits


def _multiplexer_bits(column: tuple[int, ...]) -> int:
    """Bits of multiplexers that choose between different halves, each counted once; of constants
    the choice is free."""
    width, total, leaf = Integer.spanning(min(column), max(column)).bits, 0, True
    numbers = np.unique(np.array(column, np.int64), return_inverse=True)[1]
    while len(numbers) > 1:
        count = len(numbers)
        pairs, numbers = np.unique(numbers[::2] * count + numbers[1::2], return_inverse=True)
        if not leaf:
            total += width * int((pairs // count != pairs % count).sum())
        leaf = False
    return total
