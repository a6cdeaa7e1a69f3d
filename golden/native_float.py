"""Whole products of float tiles in the processor's binary32, where that is their definition.

IEEE 754 says of a processor's additions and multiplications what float tiles say of their own: each
is rounded once, to nearest even. So the two agree wherever the operands are exact in binary32 and,
for fused steps, the products of any two of those that are there are too. This is much faster than
exact arithmetic, and independent of it.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from multipede.golden.float_tile import FloatProductTile, SumOrder
from multipede.golden.formats import FP32, Float
from multipede.golden.matrix_tiling import scale_codes

if TYPE_CHECKING:
    from multipede.golden.quantisation import QuantisedActivations, QuantisedWeights

BLOCK = 1 << 20
"""Products of one lane that are worked on at once."""


def native_results(
    spec: FloatProductTile, activations: "QuantisedActivations", weights: "QuantisedWeights"
) -> np.ndarray | None:
    """Codes Y of a whole product, int64 [tokens, N, 1]; operands as in :class:`MatrixTiling`.

    None where binary32 arithmetic is not the definition of this tile with these operands. Raises
    ValueError where the processor takes subnormal numbers for zero.
    """
    a = spec.activation.decode(activations.codes.numpy())
    w = spec.factor.decode(_factors(spec, weights))
    if not _is_exact(spec, _extent(spec.activation, a), _extent(spec.factor, w)):
        return None
    require_subnormals()
    a, w = _padded(a, spec.lanes), _padded(w, spec.lanes)
    y = np.zeros((len(a), len(w)), np.float32)
    step = spec.lanes
    block = max(1, BLOCK // len(a))
    added = _chain if spec.order is SumOrder.SEQUENTIAL else _tree
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        for first in range(0, len(w), block):
            part = slice(first, first + block)
            for k in range(0, a.shape[1], step):
                y[:, part] = added(y[:, part], a[:, k : k + step], w[part, k : k + step])
    codes = y.view(np.uint32).astype(np.int64)
    return np.where(np.isnan(y), FP32.nan_code, codes)[:, :, None]


def _is_exact(spec: FloatProductTile, a: "_Extent", w: "_Extent") -> bool:
    """Whether binary32 holds what the processor must not round: operands, or fused products."""
    if spec.accumulator != FP32 or not (a.within(_BINARY32) and w.within(_BINARY32)):
        return False
    return spec.order is SumOrder.TREE or a.times(w).within(_BINARY32)


def _chain(y: np.ndarray, a: np.ndarray, w: np.ndarray) -> np.ndarray:
    for lane in range(a.shape[1]):
        y = y + a[:, lane, None] * w[None, :, lane]
    return y


def _tree(y: np.ndarray, a: np.ndarray, w: np.ndarray) -> np.ndarray:
    terms = [a[:, lane, None] * w[None, :, lane] for lane in range(a.shape[1])]
    while len(terms) > 1:
        sums = [x + y for x, y in zip(terms[0::2], terms[1::2], strict=False)]
        terms = sums + terms[len(terms) // 2 * 2 :]
    return y + terms[0]


def _factors(spec: FloatProductTile, weights: "QuantisedWeights") -> np.ndarray:
    """Codes [N, K] of the tile's factors, groups taken for records."""
    outputs, inner = weights.codes.shape
    padding = ((0, 0), (0, weights.groups * weights.group - inner))
    grouped = np.pad(weights.codes.numpy(), padding).reshape(outputs, weights.groups, -1)
    codes = {"w": grouped.transpose(1, 0, 2)}
    if weights.zeros is not None:
        codes["z"] = weights.zeros.numpy().T
    if weights.scales is not None:
        codes["scale"] = scale_codes(spec.scale, weights.scales.numpy()).T
    factors = spec.factors(codes).transpose(1, 0, 2).reshape(outputs, -1)
    return factors[:, :inner]


def _padded(values: np.ndarray, lanes: int) -> np.ndarray:
    """In float32, with +0 for what the final record lacks."""
    return np.pad(values.astype(np.float32), ((0, 0), (0, -values.shape[1] % lanes)))


class _Extent(NamedTuple):
    """Numbers of so many significant bits, all multiples of 2**low and below 2**high."""

    digits: int
    low: int
    high: int

    def within(self, other: "_Extent") -> bool:
        return self.digits <= other.digits and self.low >= other.low and self.high <= other.high

    def times(self, other: "_Extent") -> "_Extent":
        """That of products of these and those numbers."""
        return _Extent(*map(sum, zip(self, other, strict=True)))


_BINARY32 = _Extent(24, -149, 128)


def _extent(number_format: Float, values: np.ndarray) -> _Extent:
    """That of the numbers that are there. Zeros, infinities and NaN are exact anywhere."""
    digits = number_format.mantissa_bits + 1
    magnitudes = np.abs(values)
    magnitudes = magnitudes[np.isfinite(magnitudes) & (magnitudes > 0)]
    if not magnitudes.size:
        return _Extent(digits, 0, 0)
    lowest, highest = np.frexp([magnitudes.min(), magnitudes.max()])[1].tolist()
    low = lowest - digits
    if number_format.subnormals:
        # They have fewer digits: what is certain of them is the format's last place.
        low = max(low, 1 - number_format.bias - number_format.mantissa_bits)
    return _Extent(digits, low, highest)


def require_subnormals() -> None:
    """ValueError where the processor takes subnormal numbers for zero."""
    smallest = np.array(2.0**-126, np.float32)
    if float(smallest * np.float32(0.5)) != 2.0**-127:
        raise ValueError("this process flushes subnormal numbers to zero: its floats are not IEEE")
