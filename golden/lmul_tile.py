"""The matrix tile whose multipliers add codes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import ClassVar

import numpy as np

from multipede.golden.compensated_lmul import CompensatedLMul
from multipede.golden.exact_arithmetic import round_to, unpack
from multipede.golden.float_tile import CHUNK, FloatTile, SumOrder
from multipede.golden.formats import BF16, Float, Overflow, Rounding
from multipede.golden.lmul import LMul
from multipede.golden.logarithmic_multiplier import LogarithmicMultiplier
from multipede.golden.logarithmic_policies import Preset
from multipede.golden.mitchell import Mitchell
from multipede.golden.number_format import require_type

__all__ = ["Correction", "LMulTile", "product_format"]

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

    It has as many mantissa bits as the longer of the two, and no fewer exponent bits than either.
    All numbers of both, subnormal ones too, and all their products are normal in it if 8 exponent
    bits are enough; else it has 8.
    """
    formats = activation, weight
    mantissa_bits = max(f.mantissa_bits for f in formats)
    signed = any(f.signed for f in formats)
    least = max(f.exponent_bits for f in formats)
    for exponent_bits in range(least, max(least, EXPONENT_BITS) + 1):
        made = Float(exponent_bits, mantissa_bits, signed=signed)
        smallest = [f.smallest if f.subnormals else f.smallest_normal for f in formats]
        lowest = min(*smallest, smallest[0] * smallest[1])
        highest = 2 * activation.maximum * weight.maximum
        if made.smallest_normal <= lowest and highest <= made.maximum:
            break
    return made


@dataclass(frozen=True, kw_only=True)
class LMulTile(FloatTile):
    """Y[r, c] = sum over k of L(a[r, k], w[c, k]), where L adds codes instead of multiplying.

    Activations and weights are converted to the format ``product``, exactly, so that subnormal
    numbers of narrow formats become normal; L is the multiplier of that format, see
    :class:`~multipede.golden.lmul.LMul`; its products are rounded to the accumulator's format.
    They are added as :class:`~multipede.golden.float_tile.FloatTile` says: under ``tree`` in pairs,
    and under ``sequential`` lane after lane, Y = round(Y + p), with p rounded before.

    Parameters not named here are those of :class:`~multipede.golden.float_tile.FloatTile`.

    Parameters
    ----------
    weight, activation : floats of at most 32 bits.
    product : format in which codes are added, of at most 32 bits, that has all numbers of both;
        what is subnormal in it counts as zero, as far as ``preset`` says so. None for what
        :func:`product_format` finds.
    correction : what the multipliers add to the sum of the codes.
    offset : under ``offset`` the constant, in units of the last mantissa bit of ``product``; none
        for the paper's.
    preset : what the multipliers do at the ends of the range.

    Raises TypeError or ValueError, naming the parameter, for anything else.
    """

    unit: ClassVar[str] = "lmul_tile"
    title: ClassVar[str] = "tile of L-Mul multipliers and float adders"
    source: ClassVar[str] = "L-Mul (arXiv 2410.00907): dot products, products by integer addition"

    factor_bits: ClassVar[int] = 32

    weight: Float = BF16
    activation: Float = BF16
    product: Float | None = None
    correction: Correction = Correction.OFFSET
    offset: int | None = None
    preset: Preset = Preset.STANDARD

    def __post_init__(self):
        super().__post_init__()
        self._check_factor("weight")
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
        if operand == product:
            return
        lowest = operand.smallest if operand.subnormals else operand.smallest_normal
        reaches = product.subnormals and product.smallest <= operand.smallest
        missing = {
            "sign": operand.signed and not product.signed,
            "NaN": operand.nan_code is not None and product.nan_code is None,
            "infinity": operand.infinity_code is not None and product.infinity_code is None,
            f"number {operand.maximum:g}": operand.maximum > product.maximum,
            f"number {lowest:g}": lowest < product.smallest_normal and not reaches,
            f"mantissa of {operand.mantissa_bits} bits": (
                operand.mantissa_bits > product.mantissa_bits
            ),
        }
        for what, is_missing in missing.items():
            if is_missing:
                raise ValueError(
                    f"product = {product}: it has no {what}, which {name} = {operand} has"
                )

    @cached_property
    def multiplier(self) -> LogarithmicMultiplier:
        """The multiplier of a row, a column and a lane."""
        number_format = self.product
        if number_format is None:
            number_format = product_format(self.activation, self.weight)
        parameters = {"format": number_format, "preset": self.preset}
        match self.correction:
            case Correction.OFFSET:
                return LMul(offset=self.offset, **parameters)
            case Correction.NONE:
                return Mitchell(**parameters)
            case Correction.TABLE:
                return CompensatedLMul(**parameters)

    def _following(
        self, codes: Mapping[str, np.ndarray]
    ) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
        """Lane after lane, or one addition of what a tree makes of them."""
        terms = self._terms(codes)

        def following(sums: np.ndarray, records: np.ndarray) -> np.ndarray:
            for term in np.moveaxis(terms[records], -1, 0):
                sums = self._added(sums, term)
            return sums

        return following

    def _terms(self, codes: Mapping[str, np.ndarray]) -> np.ndarray:
        """What joins the accumulators, in order: (T, rows, columns, n), of which a tree leaves
        one."""
        a = self._converted(self.activation, codes["a"])[:, :, None, :]
        w = self._converted(self.weight, codes["w"])[:, None, :, :]
        size = max(1, CHUNK // (self.rows * self.columns * self.lanes))
        found = []
        for start in range(0, max(1, len(a)), size):
            part = slice(start, start + size)
            terms = self.terms_of(self.multiplier.products(a[part], w[part]))
            found.append(self._tree(terms)[..., None] if self.order is SumOrder.TREE else terms)
        return np.concatenate(found)

    def terms_of(self, products: np.ndarray) -> np.ndarray:
        """Codes of products in the accumulator's format, rounded to nearest even."""
        return self._rounded(unpack(self.multiplier.format, products))

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
