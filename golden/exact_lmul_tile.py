"""The matrix tile whose multipliers add codes, with exact sums in fixed point."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from multipede.golden.digits import digit_count, joined, shifted_digits
from multipede.golden.formats import E4M3, UINT1, FixedPoint, Float, Integer
from multipede.golden.logarithmic_factors import LogarithmicFactors
from multipede.golden.number_format import require_range
from multipede.golden.significands import significands
from multipede.golden.spec import Port

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["ExactLMulTile", "ExactSumState"]

MAXIMUM_TERMS = 1 << 20
_SEARCHED_BITS = 16


@dataclass(frozen=True)
class ExactSumState:
    """An unfinished sum: its ``digits`` (rows, columns, digits) and whether a product was
    infinite or NaN, ``special`` (rows, columns); both int64."""

    digits: "Tensor"
    special: "Tensor"


@dataclass(frozen=True, kw_only=True)
class ExactLMulTile(LogarithmicFactors):
    """Y[r, c] = sum over k of L(a[r, k], w[c, k]) in fixed point, without any rounding.

    Products are those of :class:`~multipede.golden.logarithmic_factors.LogarithmicFactors`. The
    lowest bit of Y is that of the smallest product that operands of these formats may have, and Y
    is wide enough for the sum of ``terms`` of the largest; sums of more are taken modulo its
    width. Products that are infinite or NaN count as 0, and ``nan`` tells of them.

    Parameters are those of :class:`~multipede.golden.logarithmic_factors.LogarithmicFactors`
    and of :class:`~multipede.golden.tile.Tile`, and:

    Parameters
    ----------
    product : signed format in which codes are added; none for the narrowest that suits.
    terms : values of k whose sum Y holds, whatever they are, 1 to 2**20.
    stages : register ranks between input and output, 1 to 16. One is the accumulator; the others
        cut products and sums, half of them each.

    Raises TypeError or ValueError, naming the parameter, for anything else.
    """

    unit: ClassVar[str] = "exact_lmul_tile"
    title: ClassVar[str] = "tile of L-Mul multipliers with exact sums in fixed point"
    source: ClassVar[str] = (
        "L-Mul (arXiv 2410.00907); exact sums: Kulisch, Computer Arithmetic and Validity (2008)"
    )

    weight: Float = E4M3
    activation: Float = E4M3
    terms: int = 4096
    rows: int = 4
    columns: int = 4
    lanes: int = 8
    stages: int = 1

    def __post_init__(self):
        self._check_shape()
        require_range("terms", self.terms, 1, MAXIMUM_TERMS)
        self._check_factors()
        product = self.multiplier.format
        if not product.signed:
            raise ValueError(f"product = {product}: exact sums take signed products")
        if product.bias + product.mantissa_bits < self.product_exponents[0]:
            raise ValueError(f"product = {product}: its smallest products must be fractions")

    def _found_product(self) -> Float:
        return replace(super()._found_product(), signed=True)

    @property
    def most_terms(self) -> int:
        return self.terms

    @property
    def product_exponents(self) -> tuple[int, int]:
        """The lowest and the highest exponent field of a product that counts; that of subnormal
        numbers is 1."""
        multiplier = self.multiplier
        mantissa_bits, highest = multiplier.format.mantissa_bits, multiplier.format.maximum_code
        ends = (0, highest) if self.wraps else self.sum_range
        low, high = (min(max(0, end), highest) >> mantissa_bits for end in ends)
        return max(1, low), max(1, high)

    @cached_property
    def extreme_operands(self) -> tuple[tuple[int, int], ...]:
        """Codes of an activation and a weight with the highest product that is a number, and with
        the lowest: those found by going through all weights, or of long formats the largest
        mantissas of all exponents, beside the activation's corners."""
        number_format = self.multiplier.format
        weights = _leading_codes(self.weight)
        activations = np.array(self.activation.corners(), np.int64)[:, None]
        converted = (
            self._converted(self.activation, activations),
            self._converted(self.weight, weights),
        )
        values = number_format.decode(self.multiplier.products(*converted))
        values = np.where(np.isfinite(values), values, 0.0)
        places = (np.unravel_index(end(values), values.shape) for end in (np.argmax, np.argmin))
        return tuple((int(activations[i, 0]), int(weights[j])) for i, j in places)

    @property
    def largest_product(self) -> int:
        """A bound of all products, in units of the lowest bit of Y."""
        low, high = self.product_exponents
        return ((2 << self.multiplier.format.mantissa_bits) - 1) << (high - low)

    @property
    def accumulator(self) -> FixedPoint:
        """Format of Y."""
        number_format = self.multiplier.format
        most = self.terms * self.largest_product
        unit = number_format.bias + number_format.mantissa_bits - self.product_exponents[0]
        return FixedPoint(Integer.spanning(-most, most).bits, unit)

    @property
    def outputs(self) -> Mapping[str, Port]:
        """``y`` (rows, columns), and ``nan`` (rows, columns) if products may be infinite or NaN;
        one record for each ``last``."""
        shape = self.rows, self.columns
        ports = {"y": Port(self.accumulator, shape, "Y, the sum")}
        if self.has_special_products:
            ports["nan"] = Port(UINT1, shape, "1 if a product of it was infinite or NaN")
        return ports

    def reference(
        self, state: ExactSumState | None = None, **inputs: "Tensor"
    ) -> "tuple[dict[str, Tensor], ExactSumState]":
        """The definition; see :meth:`Spec.reference`."""
        import torch

        self.check_tensors(inputs)
        codes = {name: tensor.to(torch.int64).cpu().numpy() for name, tensor in inputs.items()}
        parts = [self._summed_lanes(torch.from_numpy(p)) for p in self._products(codes)]
        digits, special = (torch.cat(tensors) for tensors in zip(*parts, strict=True))
        ends = inputs["last"].to(torch.int64).cpu()
        sum_of = torch.cumsum(ends, 0) - ends
        finished = int(ends.sum())
        totals = []
        for values in (digits, special):
            total = torch.zeros((finished + 1, *values.shape[1:]), dtype=torch.int64)
            totals.append(total.index_add_(0, sum_of, values))
        digits, special = totals
        if state is not None:
            digits[0] += state.digits
            special[0] += state.special
        outputs = {"y": joined(digits[:finished], self.outputs["y"])}
        if self.has_special_products:
            outputs["nan"] = (special[:finished] > 0).to(torch.int64)
        return outputs, ExactSumState(digits[finished].clone(), special[finished].clone())

    def _summed_lanes(self, products: "Tensor") -> "tuple[Tensor, Tensor]":
        """What records add: digits (T, rows, columns, digits) of codes (T, rows, columns, lanes),
        and how many are infinite or NaN (T, rows, columns)."""
        import torch

        numbers = significands(self.multiplier.format, products)
        # What is no number and what is zero may have any exponent.
        shift = (numbers.exponent - self.product_exponents[0]).clamp(min=0)
        count = digit_count(self.largest_product.bit_length())
        digits = shifted_digits(numbers.significand, shift, count).sum(dim=-2)
        return digits, numbers.special.sum(dim=-1).to(torch.int64)


def _leading_codes(number_format: Float) -> np.ndarray:
    """All codes, or those whose mantissas begin with ones, zeros, or a few of each."""
    dropped = max(0, number_format.bits - _SEARCHED_BITS)
    codes = np.arange(1 << (number_format.bits - dropped), dtype=np.int64) << dropped
    return number_format.from_bits(np.concatenate([codes, codes | ((1 << dropped) - 1)]))
