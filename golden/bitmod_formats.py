"""The formats of BitMoD's processing element, in the widths of its authors' RTL.

A weight is a sum of terms (-1)^sign 2^exponent mantissa 2^significance with a mantissa of one bit;
an activation is an FP16 number as significand and biased exponent.
"""

from multipede.golden.formats import Integer
from multipede.golden.number_format import require_range

__all__ = [
    "ACTIVATION_EXPONENT",
    "ALIGNED_BITS",
    "DEQUANTISED",
    "EXPONENT",
    "GROUP_MANTISSA",
    "GUARD_BITS",
    "MAXIMUM_SIGNIFICANCE",
    "SIGNIFICANCE",
    "SIGNIFICAND",
    "SOURCE",
    "TERM_EXPONENT",
    "dot_product",
    "require_lanes",
]

SOURCE = "Chen et al., BitMoD, HPCA 2025, arXiv 2411.11745"

ACTIVATION_EXPONENT = Integer(5, signed=False)
"""of FP16, biased"""
TERM_EXPONENT = Integer(2, signed=False)
EXPONENT = Integer(6, signed=False)
"""of a product, an accumulator, or a difference of two"""
SIGNIFICAND = Integer(11, signed=False)
"""of FP16 with its hidden bit"""
GUARD_BITS = 3
ALIGNED_BITS = SIGNIFICAND.bits + GUARD_BITS
SIGNIFICANCE = Integer(3, signed=False)
MAXIMUM_SIGNIFICANCE = 6
"""of the last radix-4 digit of an INT8 weight"""
GROUP_MANTISSA = Integer(15)
DEQUANTISED = Integer(GROUP_MANTISSA.bits + 8)
"""a group's mantissa times a scale of 8 bits"""


def dot_product(lanes: int) -> Integer:
    """The format of a sum of so many aligned products: 17 bits for four lanes."""
    return Integer(ALIGNED_BITS + 1 + (lanes - 1).bit_length())


def require_lanes(lanes: object) -> None:
    """TypeError, ValueError unless ``lanes`` is an integer of 1 to 16."""
    require_range("lanes", lanes, 1, 16)
