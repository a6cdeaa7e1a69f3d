"""Exact sums of integers too wide for int64: vectors of digits that are added independently.

A number is the sum of ``digits[..., n] * 2**(16 n)``. Digits are int64 and signed, so that many
numbers can be summed digit by digit, and multiplied by small integers, before carries are settled.
"""

from typing import TYPE_CHECKING

import numpy as np

from multipede.golden.spec import LIMB_BITS, Port

if TYPE_CHECKING:
    from torch import Tensor

DIGIT_BITS = 16
MAXIMUM_FACTOR_BITS = 32
"""Bits of a factor that `shifted_digits` takes, sign excluded."""


def digit_count(bits: int) -> int:
    """Digits for integers of so many bits."""
    return -(-bits // DIGIT_BITS)


def shifted_digits(factor: "Tensor", shift: "Tensor", count: int) -> "Tensor":
    """``factor * 2**shift`` in ``count`` digits (..., count), each of the sign of the factor.

    ``factor`` and ``shift`` are int64, ``|factor| < 2**32``, ``shift >= 0``; the product must
    fit the digits.
    """
    import torch

    position, offset = shift // DIGIT_BITS, shift % DIGIT_BITS
    spread = factor.abs() << offset
    place = torch.arange(count) - position[..., None]
    pieces = spread[..., None] >> (DIGIT_BITS * place.clamp(0, 3))
    pieces = pieces & ((1 << DIGIT_BITS) - 1)
    pieces = torch.where((place >= 0) & (place <= 3), pieces, 0)
    return pieces * torch.sign(factor)[..., None]


def joined(digits: "Tensor", port: Port) -> "Tensor":
    """The codes of numbers (..., count), modulo the width of the port's format, which is signed:
    int64, or 32-bit limbs.
    """
    import torch

    count = digits.shape[-1]
    if not port.limbs:
        total = torch.zeros(digits.shape[:-1], dtype=torch.int64)
        for place in reversed(range(count)):
            # Modulo 2**64, which the format's width divides.
            total = (total << DIGIT_BITS) + digits[..., place]
        unused = 64 - port.format.bits
        return total << unused >> unused
    settled = _settled(digits, port.limbs * LIMB_BITS // DIGIT_BITS)
    limbs = settled[..., 0::2] | settled[..., 1::2] << DIGIT_BITS
    limbs[..., -1] &= (1 << (port.format.bits - LIMB_BITS * (port.limbs - 1))) - 1
    return limbs


def rounded(codes: "Tensor", port: Port, exponent: int) -> "Tensor":
    """Integer codes as :func:`joined` makes them, times 2**exponent, in float64.

    Limbs are taken from the top, so that a result is off by at most half a last place for each.
    """
    import torch

    def scaled(values: "Tensor", by: int) -> "Tensor":
        return torch.from_numpy(np.ldexp(values.double().numpy(), by))

    if not port.limbs:
        return scaled(codes, exponent)
    *lower, top = codes.unbind(-1)
    top_bits = port.format.bits - LIMB_BITS * (port.limbs - 1)
    negative = (top >> (top_bits - 1)).bool() & port.format.signed
    top = torch.where(negative, top - (1 << top_bits), top)
    value = scaled(top, exponent + LIMB_BITS * len(lower))
    for place in reversed(range(len(lower))):
        value = value + scaled(lower[place], exponent + LIMB_BITS * place)
    return value


def _settled(digits: "Tensor", count: int) -> "Tensor":
    """Two's complement digits, each in 0 to 2**16 - 1."""
    import torch

    settled = torch.empty((*digits.shape[:-1], count), dtype=torch.int64)
    carry = torch.zeros(digits.shape[:-1], dtype=torch.int64)
    for place in range(count):
        if place < digits.shape[-1]:
            carry = carry + digits[..., place]
        settled[..., place] = carry & ((1 << DIGIT_BITS) - 1)
        carry = carry >> DIGIT_BITS
    return settled
