"""L-Mul: floating-point multiplication by one integer addition, with a constant offset."""

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

import numpy as np

from multipede.golden.formats import Float
from multipede.golden.logarithmic_multiplier import LogarithmicMultiplier
from multipede.golden.number_format import require_range, require_type

__all__ = ["LMul", "formula_product", "offset_exponent", "published_offset"]


def offset_exponent(mantissa_bits: int) -> int:
    """l(m) of the paper for m mantissa bits: m up to 3, 3 for 4, 4 above."""
    require_range("mantissa_bits", mantissa_bits, 1, 51)
    if mantissa_bits <= 3:
        return mantissa_bits
    return 3 if mantissa_bits == 4 else 4


def published_offset(mantissa_bits: int) -> int:
    """2**-l(m) in units of the last of m mantissa bits."""
    return 1 << mantissa_bits >> offset_exponent(mantissa_bits)


def formula_product(number_format: Float, a: int, b: int) -> Fraction:
    """The paper's formula on real numbers: +-(1 + x + y + 2**-l(m)) 2**(exponents), exactly.

    It differs from the integer addition of :class:`LMul` where x + y + 2**-l(m) reaches 1: there
    the addition carries into the exponent, and what is left counts double. No hardware does this;
    it is here to be compared.

    Parameters
    ----------
    a, b : codes of normal numbers of ``number_format``, whose fractions are x and y.

    Raises TypeError or ValueError for what is no such code.
    """
    require_type("number_format", number_format, Float)
    mantissa_bits = number_format.mantissa_bits
    offset = Fraction(1, 1 << offset_exponent(mantissa_bits))
    exponent, total = 0, 1 + offset
    for name, code in (("a", a), ("b", b)):
        require_range(name, code, 0, (1 << number_format.bits) - 1)
        magnitude = code & ((1 << (number_format.exponent_bits + mantissa_bits)) - 1)
        if not 1 << mantissa_bits <= magnitude <= number_format.maximum_code:
            raise ValueError(f"{name} = {code}: a code of a normal number is needed")
        exponent += (magnitude >> mantissa_bits) - number_format.bias
        total += Fraction(magnitude & ((1 << mantissa_bits) - 1), 1 << mantissa_bits)
    negative = number_format.signed and (a ^ b) >> (number_format.bits - 1)
    return (-1 if negative else 1) * total * Fraction(2) ** exponent


@dataclass(frozen=True, kw_only=True)
class LMul(LogarithmicMultiplier):
    """L-Mul as hardware does it: the correction is a constant.

    Powers of two are not exact, unlike Mitchell's: 1 times 1 is 1 + offset / 2**mantissa_bits.
    Parameters not named here are those of
    :class:`~multipede.golden.logarithmic_multiplier.LogarithmicMultiplier`.

    Parameters
    ----------
    offset : what is added to the sum, in units of the last mantissa bit, 0 to
        2**mantissa_bits - 1; none for the paper's, 2**(mantissa_bits - l), where l is
        mantissa_bits up to 3, 3 for 4 and 4 above.
    """

    unit: ClassVar[str] = "lmul"
    title: ClassVar[str] = "L-Mul: product of floats by one integer addition"
    source: ClassVar[str] = "L-Mul (arXiv 2410.00907), the integer addition of its implementation"

    offset: int | None = None

    def __post_init__(self):
        super().__post_init__()
        if self.offset is not None:
            require_range("offset", self.offset, 0, (1 << self.format.mantissa_bits) - 1)

    @property
    def correction(self) -> int:
        """The offset in force."""
        if self.offset is not None:
            return self.offset
        return published_offset(self.format.mantissa_bits)

    def corrections(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """The offset, whatever the mantissas."""
        return np.int64(self.correction)
