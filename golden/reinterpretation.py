"""Weights reinterpreted: each bit that is 0 means -1, so that codes become odd integers.

Of codes q of b bits with scale s and zero point z, unsigned::

    q' = 2 q - (2**b - 1),  s' = s / 2,  z' = 2 z + 1 - 2**b,  s' (q' - z') = s (q - z)

Codes in two's complement are q - 2**(b-1), and so are zero points: q' = 2 q + 1, z' = 2 z + 1. With
bits sigma of -1 or +1, q' is the sum of sigma 2**t over the places t of the bits, the top one with
the other sign in two's complement. Odd formats are q' as they are. (Mo et al., LUT Tensor Core,
arXiv 2408.06003, equations 1 to 3.)
"""

from typing import TYPE_CHECKING

from multipede.golden.arrays import integers, refuse, require_tensor
from multipede.golden.formats import Integer
from multipede.golden.number_format import require_range, require_type

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "bit_planes",
    "plane_weights",
    "reinterpret",
    "reinterpret_scales",
    "reinterpret_zeros",
]

MAXIMUM_BITS = 8


def reinterpret(codes: "Tensor", bits: int, *, signed: bool = False) -> "Tensor":
    """q' of integer codes of 1 to 8 bits, of any shape; int64, odd, less than 2**bits in magnitude.

    Raises TypeError or ValueError for codes that are none, naming the first.
    """
    codes = _checked(codes, bits, signed, "codes")
    return 2 * codes + (1 if signed else 1 - (1 << bits))


def reinterpret_zeros(zeros: "Tensor", bits: int, *, signed: bool = False) -> "Tensor":
    """z' of zero points z, which are codes of so many bits; int64 of the same shape.

    Raises TypeError or ValueError for zero points that are no codes, naming the first.
    """
    zeros = _checked(zeros, bits, signed, "zeros")
    return 2 * zeros + (1 if signed else 1 - (1 << bits))


def reinterpret_scales(scales: "Tensor") -> "Tensor":
    """s' of scales s, floats, as float64 of the same shape; exactly but for subnormal float64.

    Raises TypeError for others.
    """
    require_tensor("scales", scales)
    if not scales.is_floating_point():
        raise TypeError(f"scales must be floats, not {scales.dtype}")
    return scales.double() / 2


def bit_planes(codes: "Tensor", bits: int) -> "Tensor":
    """Bits 0 and 1 of integer codes (...), int64 (..., bits), the lowest first.

    Raises TypeError or ValueError for codes that are none of so many bits, signed or unsigned,
    naming the first.
    """
    import torch

    require_range("bits", bits, 1, MAXIMUM_BITS)
    require_tensor("codes", codes)
    values, low, high = integers(codes, "codes"), -(1 << (bits - 1)), (1 << bits) - 1
    refuse((values < low) | (values > high), values, "codes", f"allowed are {low} to {high}")
    return codes[..., None].to(torch.int64) >> torch.arange(bits) & 1


def plane_weights(bits: int, *, signed: bool = False) -> list[int]:
    """What a bit of each plane counts for: 1, 2, 4, ..., the last one negative if ``signed``."""
    require_range("bits", bits, 1, MAXIMUM_BITS)
    require_type("signed", signed, bool)
    weights = [1 << plane for plane in range(bits)]
    return [*weights[:-1], -weights[-1]] if signed else weights


def _checked(codes: "Tensor", bits: int, signed: bool, name: str) -> "Tensor":
    require_range("bits", bits, 1, MAXIMUM_BITS)
    require_type("signed", signed, bool)
    require_tensor(name, codes)
    return Integer(bits, signed).check(codes, name)
