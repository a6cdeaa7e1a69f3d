"""What tiles share whose multipliers add codes: formats of factors, and the multiplier."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

import numpy as np

from multipede.golden.compensated_lmul import CompensatedLMul
from multipede.golden.exact_arithmetic import round_to, unpack
from multipede.golden.float_tile import CHUNK
from multipede.golden.formats import BF16, Float, Overflow, Rounding
from multipede.golden.lmul import LMul
from multipede.golden.logarithmic_multiplier import LogarithmicMultiplier
from multipede.golden.logarithmic_policies import Preset, SmallOperands
from multipede.golden.mitchell import Mitchell
from multipede.golden.number_format import require_type
from multipede.golden.significands import has_specials
from multipede.golden.ungrouped_tile import UngroupedTile

__all__ = ["Correction", "LogarithmicFactors", "product_format", "what_lacks"]

EXPONENT_BITS = 8


class Correction(Enum):
    """What the multipliers add to the sum of the codes."""

    OFFSET = "offset"
    """a constant: :class:`~multipede.golden.lmul.LMul`"""
    NONE = "none"
    """nothing: :class:`~multipede.golden.mitchell.Mitchell`"""
    TABLE = "table"
    """an entry: :class:`~multipede.golden.compensated_lmul.CompensatedLMul`"""

    def __repr__(self) -> str:
        return f"Correction.{self.name}"


def product_format(activation: Float, weight: Float) -> Float:
    """The narrowest IEEE-like format of at most 8 exponent bits that has all products.

    It has as many mantissa bits as the longer of the two, at least one, and no fewer exponent bits
    than either. All numbers of both, subnormal ones too, and all their products are normal in it if
    8 exponent bits are enough; else it has 8.
    """
    formats = activation, weight
    mantissa_bits = max(1, *(f.mantissa_bits for f in formats))
    signed = any(f.signed for f in formats)
    least = max(f.exponent_bits for f in formats)
    for exponent_bits in range(least, max(least, EXPONENT_BITS) + 1):
        made = Float(exponent_bits, mantissa_bits, signed=signed)
        smallest = [f.smallest_number for f in formats]
        lowest = min(*smallest, smallest[0] * smallest[1])
        highest = 2 * activation.maximum * weight.maximum
        if made.smallest_normal <= lowest and highest <= made.maximum:
            break
    return made


def what_lacks(wide: Float, narrow: Float) -> str | None:
    """What of ``narrow`` has no equal in ``wide``; None if conversion is exact."""
    if narrow == wide:
        return None
    lowest = narrow.smallest_number
    reaches = wide.subnormals and wide.smallest <= narrow.smallest
    missing = {
        "sign": narrow.signed and not wide.signed,
        "NaN": narrow.nan_code is not None and wide.nan_code is None,
        "infinity": narrow.infinity_code is not None and wide.infinity_code is None,
        f"number {narrow.maximum:g}": narrow.maximum > wide.maximum,
        f"number {lowest:g}": lowest < wide.smallest_normal and not reaches,
        f"mantissa of {narrow.mantissa_bits} bits": narrow.mantissa_bits > wide.mantissa_bits,
    }
    return next((what for what, is_missing in missing.items() if is_missing), None)


@dataclass(frozen=True, kw_only=True)
class LogarithmicFactors(UngroupedTile):
    """Y[r, c] = sum over k of L(a[r, k], w[c, k]), where L adds codes instead of multiplying.

    Activations and weights are converted to the format ``product``, exactly, so that subnormal
    numbers of narrow formats become normal; L is the multiplier of that format, see
    :class:`~multipede.golden.lmul.LMul`.

    Parameters
    ----------
    weight, activation : floats of at most 32 bits.
    product : format in which codes are added, of at most 32 bits, that has all numbers of both;
        what is subnormal in it counts as zero, as far as ``preset`` says so. None for the narrowest
        in which nothing is subnormal, as ``product_format`` finds it.
    correction : what the multipliers add to the sum of the codes.
    offset : under ``offset`` the constant, in units of the last mantissa bit of ``product``; none
        for the paper's.
    preset : what the multipliers do at the ends of the range.
    """

    weight: Float = BF16
    activation: Float = BF16
    product: Float | None = None
    correction: Correction = Correction.OFFSET
    offset: int | None = None
    preset: Preset = Preset.STANDARD

    def _check_factors(self) -> None:
        for name in ("activation", "weight"):
            self._check_factor(name)
        require_type("correction", self.correction, Correction)
        if self.product is not None:
            require_type("product", self.product, Float)
        if self.offset is not None and self.correction is not Correction.OFFSET:
            raise ValueError(f"offset = {self.offset}: only with correction = offset")
        product = self._product()
        for name in ("activation", "weight"):
            self._check_conversion(name, product)

    def _product(self) -> Float:
        """The multipliers' format. What is wrong with it is wrong with ``product``."""
        try:
            return self.multiplier.format
        except ValueError as error:
            raise ValueError(str(error).replace("format = ", "product = ", 1)) from None

    def _check_conversion(self, name: str, product: Float) -> None:
        operand = getattr(self, name)
        missing = what_lacks(product, operand)
        if missing is not None:
            raise ValueError(
                f"product = {product}: it has no {missing}, which {name} = {operand} has"
            )

    @cached_property
    def multiplier(self) -> LogarithmicMultiplier:
        """The multiplier of a row, a column and a lane."""
        number_format = self._found_product() if self.product is None else self.product
        parameters = {"format": number_format, "preset": self.preset}
        match self.correction:
            case Correction.OFFSET:
                return LMul(offset=self.offset, **parameters)
            case Correction.NONE:
                return Mitchell(**parameters)
            case Correction.TABLE:
                return CompensatedLMul(**parameters)

    @cached_property
    def sum_range(self) -> tuple[int, int]:
        """The lowest and the highest sum of codes that decides on a product, see
        :class:`~multipede.golden.logarithmic_multiplier.LogarithmicMultiplier`: that of operands
        other than zero, infinity and NaN, and of those whose codes are added all the same.
        """
        ends = np.array([self._magnitudes(f) for f in (self.activation, self.weight)])
        multiplier = self.multiplier
        bias = multiplier.format.bias << multiplier.format.mantissa_bits
        low, high = (ends.sum(axis=0) + multiplier.correction_range - bias).tolist()
        return low, high

    def _magnitudes(self, operand: Float) -> tuple[int, int]:
        """The lowest and the highest magnitude in the multipliers' format that is added."""
        multiplier, small = self.multiplier, self.multiplier.policies.small_operands
        adds_specials = has_specials(operand) and not multiplier.checks_specials
        numbers = np.array([operand.smallest_number, operand.maximum])
        low, high = multiplier.format.encode(numbers).tolist()
        if operand == multiplier.format and small is SmallOperands.ZERO:
            low = 1  # where subnormal codes stand for zero they are added all the same
        if small is SmallOperands.ADD:
            low = 0
        return low, multiplier.modulus - 1 if adds_specials else high

    @property
    def wraps(self) -> bool:
        """Whether sums may be out of range and wrapped, so that any code may come out."""
        multiplier, (low, high) = self.multiplier, self.sum_range
        below = low < 0 and multiplier.smallest_kept is None
        return below or (high >= multiplier.modulus and multiplier.largest_kept is None)

    @property
    def has_special_products(self) -> bool:
        """Whether products may be infinite or NaN."""
        multiplier = self.multiplier
        highest = multiplier.format.maximum_code
        if not has_specials(multiplier.format):
            return False
        if has_specials(self.activation) or has_specials(self.weight):
            return True
        stays_below = multiplier.largest_kept == highest >= multiplier.overflow_code
        return self.wraps or (self.sum_range[1] > highest and not stays_below)

    def _found_product(self) -> Float:
        """The multipliers' format where none is given."""
        return product_format(self.activation, self.weight)

    def _products(self, codes: Mapping[str, np.ndarray]) -> Iterator[np.ndarray]:
        """Codes of all products, (T, rows, columns, lanes), a few records at once."""
        a = self._converted(self.activation, codes["a"])[:, :, None, :]
        w = self._converted(self.weight, codes["w"])[:, None, :, :]
        size = max(1, CHUNK // (self.rows * self.columns * self.lanes))
        for start in range(0, max(1, len(a)), size):
            part = slice(start, start + size)
            yield self.multiplier.products(a[part], w[part])

    def _converted(self, operand: Float, codes: np.ndarray) -> np.ndarray:
        """Codes of the multipliers' format, of the same numbers."""
        product = self.multiplier.format
        if operand == product:
            return codes
        overflow = (
            Overflow.INFINITY if Overflow.INFINITY in product.overflows else Overflow.SATURATE
        )
        numbers = unpack(operand, codes)
        nan = product.nan_code or 0  # where there is none, no operand is NaN
        return round_to(product, numbers, Rounding.NEAREST_EVEN, overflow, nan)
