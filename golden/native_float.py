"""Whole products of float tiles in the processor's binary32, where that is their definition.

IEEE 754 says of a processor's additions and multiplications what :class:`FloatTile` says of its
own: each is rounded once, to nearest even. So the two agree wherever the operands are exact in
binary32 and, for fused steps, the products are too. This is much faster than exact arithmetic, and
independent of it.
"""

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from multipede.golden.float_tile import FloatTile, SumOrder
from multipede.golden.formats import FP32, Float
from multipede.golden.matrix_tiling import scale_codes

if TYPE_CHECKING:
    from multipede.golden.quantisation import QuantisedActivations, QuantisedWeights

BLOCK = 1 << 20
"""Products of one lane that are worked on at once."""


def is_native(spec: FloatTile) -> bool:
    """Whether binary32 arithmetic gives this tile's results bit for bit."""
    single, operands = _extent(FP32), (spec.activation, spec.factor)
    if spec.accumulator != FP32 or not all(_extent(f).within(single) for f in operands):
        return False
    return spec.order is SumOrder.TREE or _products(*operands).within(single)


def native_results(
    spec: FloatTile, activations: "QuantisedActivations", weights: "QuantisedWeights"
) -> np.ndarray:
    """Codes Y of a whole product, int64 [tokens, N, 1]; operands as in :class:`MatrixTiling`.

    Raises ValueError for a tile that is not :func:`is_native`, and where the processor takes
    subnormal numbers for zero.
    """
    if not is_native(spec):
        raise ValueError(f"{spec} is not what binary32 arithmetic computes")
    _require_subnormals()
    a = _padded(_values(spec.activation, activations.codes.numpy()), spec.lanes)
    w = _padded(_values(spec.factor, _factors(spec, weights)), spec.lanes)
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


def _factors(spec: FloatTile, weights: "QuantisedWeights") -> np.ndarray:
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


def _values(number_format: Float, codes: np.ndarray) -> np.ndarray:
    return number_format.decode(codes).astype(np.float32)


def _padded(values: np.ndarray, lanes: int) -> np.ndarray:
    """With +0 for what the final record lacks."""
    return np.pad(values, ((0, 0), (0, -values.shape[1] % lanes)))


class _Extent(NamedTuple):
    """Numbers of so many significant bits, all multiples of 2**low and below 2**high."""

    digits: int
    low: int
    high: int

    def within(self, other: "_Extent") -> bool:
        return self.digits <= other.digits and self.low >= other.low and self.high <= other.high


def _extent(number_format: Float) -> _Extent:
    lowest = 1 if number_format.subnormals else 0
    low = lowest - number_format.bias - number_format.mantissa_bits
    return _Extent(number_format.mantissa_bits + 1, low, math.frexp(number_format.maximum)[1])


def _products(a: Float, b: Float) -> _Extent:
    return _Extent(*map(sum, zip(_extent(a), _extent(b), strict=True)))


def _require_subnormals() -> None:
    smallest = np.array(2.0**-126, np.float32)
    if float(smallest * np.float32(0.5)) != 2.0**-127:
        raise ValueError("this process flushes subnormal numbers to zero: its floats are not IEEE")
