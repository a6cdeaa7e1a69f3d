"""Floats as signed integer significands times powers of two, for units that add in fixed point."""

from typing import TYPE_CHECKING, NamedTuple

from multipede.golden.formats import Float

if TYPE_CHECKING:
    from torch import Tensor


class Significands(NamedTuple):
    """Numbers ``significand * 2**(exponent - bias - mantissa_bits)``, int64 tensors.

    The exponent is the code's exponent field, at least 1. Where ``special`` holds (infinities and
    NaN) the significand is 0.
    """

    significand: "Tensor"
    exponent: "Tensor"
    special: "Tensor"


def significands(number_format: Float, codes: "Tensor") -> Significands:
    """The numbers that ``codes`` (int64) of a signed format with a zero stand for."""
    import torch

    mantissa_bits = number_format.mantissa_bits
    sign = codes >> (number_format.bits - 1)
    magnitude = codes & ((1 << (number_format.bits - 1)) - 1)
    field = magnitude >> mantissa_bits
    mantissa = magnitude & ((1 << mantissa_bits) - 1)
    normal = field > 0
    tiny = mantissa if number_format.subnormals else torch.zeros_like(mantissa)
    significand = torch.where(normal, mantissa | (1 << mantissa_bits), tiny)
    special = magnitude > number_format.maximum_code
    significand = torch.where(special, 0, torch.where(sign == 1, -significand, significand))
    return Significands(significand, field.clamp(min=1), special)


def maximum_significand(number_format: Float) -> tuple[int, int]:
    """Significand and exponent field of the highest finite value."""
    mantissa_bits = number_format.mantissa_bits
    code = number_format.maximum_code
    hidden = 1 << mantissa_bits
    return hidden | code & (hidden - 1), code >> mantissa_bits


def has_specials(number_format: Float) -> bool:
    """Whether some codes are infinite or NaN."""
    return number_format.maximum_code < (1 << (number_format.bits - number_format.signed)) - 1
