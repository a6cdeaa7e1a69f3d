"""L-Mul: floating-point multiplication by one integer addition, with a constant offset."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from multipede.golden.formats import Float
from multipede.golden.logarithmic_multiplier import LogarithmicMultiplier
from multipede.golden.number_format import require_range, require_type

__all__ = ["LMul", "formula_products", "offset_exponent", "published_offset"]


def offset_exponent(mantissa_bits: int) -> int:
    """l(m) of the paper for m mantissa bits: m up to 3, 3 for 4, 4 above."""
    require_range("mantissa_bits", mantissa_bits, 1, 51)
    if mantissa_bits <= 3:
        return mantissa_bits
    return 3 if mantissa_bits == 4 else 4


def published_offset(mantissa_bits: int) -> int:
    """2**-l(m) in units of the last of m mantissa bits."""
    return 1 << mantissa_bits >> offset_exponent(mantissa_bits)


def formula_products(number_format: Float, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The paper's formula on real numbers: +-(1 + x + y + 2**-l(m)) 2**(exponents), exactly.

    It differs from the integer addition of :class:`LMul` where x + y + 2**-l(m) reaches 1: there
    the addition carries into the exponent, and what is left counts double. No hardware does this;
    it is here to be compared.

    Parameters
    ----------
    a, b : codes (int64) of normal numbers of ``number_format``, whose fractions are x and y, of
        shapes that go together.

    Returns float64. Raises TypeError or ValueError for what is no such code.
    """
    require_type("number_format", number_format, Float)
    mantissa_bits = number_format.mantissa_bits
    power, total, sign = 1.0, 1 + 2.0 ** -offset_exponent(mantissa_bits), 1.0
    for name, codes in (("a", a), ("b", b)):
        values = np.asarray(number_format.decode(codes))
        normal = np.isfinite(values) & (np.abs(values) >= number_format.smallest_normal)
        if not normal.all():
            wrong = np.asarray(codes)[~normal].flat[0]
            raise ValueError(f"{name} holds {wrong}: codes of normal numbers are needed")
        significand, exponent = np.frexp(np.abs(values))
        power = power * np.exp2(exponent - 1)
        total = total + (2 * significand - 1)
        sign = sign * np.sign(values)
    return sign * total * power


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

    @property
    def correction_range(self) -> tuple[int, int]:
        """The offset twice."""
        return self.correction, self.correction

    def corrections(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """The offset, whatever the mantissas."""
        return np.int64(self.correction)
