"""Whole matrix products of quantised operands, exactly: what layers are compared with."""

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from multipede.golden.arrays import require_tensor
from multipede.golden.digits import digit_count, joined, rounded, shifted_digits
from multipede.golden.float_tile import FloatProductTile
from multipede.golden.formats import Float, Integer
from multipede.golden.matrix_tiling import MatrixTiling
from multipede.golden.native_float import native_results
from multipede.golden.quantised_operands import (
    QuantisedActivations,
    QuantisedWeights,
    require_operands,
)
from multipede.golden.significands import maximum_significand, significands
from multipede.golden.spec import Port
from multipede.golden.tile import MAXIMUM_SIDE, Tile

if TYPE_CHECKING:
    import torch
    from torch import Tensor

EXACT_IN_FLOAT64 = 1 << 53
EXACT_IN_INT64 = 1 << 63
LARGEST_BLOCK = 256
BLOCK_RECORDS = 32


def exact_dtype(largest: int) -> "torch.dtype":
    """The dtype in which sums of integers are exact whose partial sums reach ``largest``.

    float64 below 2**53, for it is fastest there, otherwise int64. (float32 would do below 2**24,
    but torch may be told to multiply it with fewer bits.) ValueError from 2**63 on.
    """
    import torch

    if largest < EXACT_IN_FLOAT64:
        return torch.float64
    if largest < EXACT_IN_INT64:
        return torch.int64
    raise ValueError(f"sums reach {largest}: they are exact below 2**63 only")


def group_sums(activations: QuantisedActivations, weights: QuantisedWeights) -> "Tensor":
    """D[t, n, g] = sum over k in group g of (code[n, k] - z[n, g]) a[t, k], exactly.

    Returns int64 [tokens, N, G]: D itself with integer activations, and with floats D in units
    of their smallest number, 2**(1 - bias - mantissa_bits). Where sums of the floats may exceed 63
    bits, as of BF16, there is one more axis of 32-bit limbs, those of :func:`sum_port`. Sums of
    integers are bounded by the codes that are there, and :func:`exact_dtype` chooses what holds
    them. Floats are cut into digits of 16 bits, whose sums float64 holds.

    Raises TypeError for other operands, folded weights among them, and ValueError if they differ
    in K or the weights are floats.
    """
    require_operands(activations, weights)
    _require_integers(weights)
    if activations.codes.shape[1] != weights.codes.shape[1]:
        raise ValueError(
            f"activations have k = {activations.codes.shape[1]}, weights k ="
            f" {weights.codes.shape[1]}"
        )
    if isinstance(activations.format, Float):
        return _float_sums(activations, weights)
    return _integer_sums(activations.codes, weights)


def sum_port(activations: QuantisedActivations, weights: QuantisedWeights) -> Port:
    """How :func:`group_sums` holds sums of floats: the narrowest integer for every code.

    Raises TypeError for other operands, and ValueError for activations that are no floats and
    weights that are.
    """
    require_operands(activations, weights)
    _require_integers(weights)
    if not isinstance(activations.format, Float):
        raise ValueError(f"activation = {activations.format}: sums of floats only have such a port")
    low, high = int(weights.format.minimum), int(weights.format.maximum)
    offset = max(abs(low), abs(high)) if weights.zeros is None else high - low
    largest = weights.group * offset * _largest_addend(activations.format)
    return Port(Integer.spanning(-largest, largest))


def _require_integers(weights: QuantisedWeights) -> None:
    if isinstance(weights.format, Float):
        raise ValueError(f"weight = {weights.format}: integer or odd weights are needed")


def _largest_addend(number_format: Float) -> int:
    significand, exponent = maximum_significand(number_format)
    return significand << (exponent - 1)


def _float_sums(activations: QuantisedActivations, weights: QuantisedWeights) -> "Tensor":
    import torch

    numbers = significands(activations.format, activations.codes)
    count = digit_count(_largest_addend(activations.format).bit_length())
    digits = shifted_digits(numbers.significand, numbers.exponent - 1, count)
    sums = [_integer_sums(digits[..., place], weights) for place in range(count)]
    return joined(torch.stack(sums, dim=-1), sum_port(activations, weights))


def _integer_sums(a: "Tensor", weights: QuantisedWeights) -> "Tensor":
    import torch

    offset = weights.offsets
    dtype = exact_dtype(weights.group * _magnitude(offset) * _magnitude(a))
    result = torch.empty((a.shape[0], offset.shape[0], weights.groups), dtype=torch.int64)
    for index in range(weights.groups):
        k = slice(index * weights.group, (index + 1) * weights.group)
        result[:, :, index] = (a[:, k].to(dtype) @ offset[:, k].to(dtype).T).to(torch.int64)
    return result


def dequantised_product(
    d: "Tensor", activations: QuantisedActivations, weights: QuantisedWeights
) -> "Tensor":
    """Y[t, n] = s_a[t] sum over g of s_w[n, g] D[t, n, g], float64 [tokens, N].

    D is as :func:`group_sums` gives it. D of less than 2**53 and the scales are exact in float64;
    longer D, products and sums are rounded, groups in order.

    Raises TypeError for other arguments, folded weights among them, and ValueError for D of another
    shape and for weights that are floats.
    """
    import torch

    require_tensor("d", d)
    require_operands(activations, weights)
    _require_integers(weights)
    shape = (len(activations.codes), len(weights.codes), weights.groups)
    if tuple(d.shape[:3]) != shape:
        raise ValueError(f"d has shape {tuple(d.shape)}: {shape} is needed")

    a = activations.format
    sums = torch.zeros(d.shape[:2], dtype=torch.float64)
    for index, scales in enumerate(weights.scales.double().T):
        if isinstance(a, Float):
            place = 1 - a.bias - a.mantissa_bits
            group = rounded(d[:, :, index], sum_port(activations, weights), place)
        else:
            group = d[:, :, index].double()
        sums += group * scales
    return sums * activations.scales.double()[:, None]


def tile_results(
    spec: Tile, activations: QuantisedActivations, weights: QuantisedWeights
) -> "dict[str, np.ndarray]":
    """All that a tile puts out for a whole product, by its own reference, or by the processor's
    floats where these :func:`are <multipede.golden.native_float.native_results>` the definition.

    Output port -> int64 [tokens, N, R, ...], as :class:`MatrixTiling` says. Rows and columns do not
    depend on others, so that tiles as large as may be give the same as small ones.

    Raises
    ------
    TypeError, ValueError
        As :class:`MatrixTiling`.
    """
    import torch

    MatrixTiling(spec, activations, weights)  # says what does not fit
    if isinstance(spec, FloatProductTile):
        y = native_results(spec, activations, weights)
        if y is not None:
            return {"y": y}
    tokens, outputs = activations.codes.shape[0], weights.codes.shape[0]
    large = replace(spec, rows=min(LARGEST_BLOCK, tokens), columns=min(LARGEST_BLOCK, outputs))
    tiling = MatrixTiling(large, activations, weights)
    target, filled, state = tiling.empty(), 0, None
    size = _records_at_once(large)
    for tile in range(tiling.tiles):
        for start in range(0, tiling.records_per_tile, size):
            part = tiling.inputs(tile, tile + 1, slice(start, start + size))
            records = {name: torch.from_numpy(a).to(torch.int64) for name, a in part.items()}
            results, state = large.reference(state, **records)
            arrays = {name: tensor.numpy() for name, tensor in results.items()}
            filled = tiling.store(target, filled, arrays)
    return tiling.whole(target)


def _records_at_once(spec: Tile) -> int:
    """BLOCK_RECORDS, or fewer where tables have more values for each row than lanes may have."""
    tables = (math.prod(p.shape[1:]) for p in spec.inputs.values() if len(p.shape) > 2)
    return max(1, min(BLOCK_RECORDS, BLOCK_RECORDS * MAXIMUM_SIDE // max(1, *tables, 1)))


def _magnitude(codes: "Tensor") -> int:
    return max(abs(int(codes.min())), abs(int(codes.max())))
