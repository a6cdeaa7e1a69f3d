"""Matrix products by table lookup in software: the peer of the lookup tile.

As in T-MAC (Wei et al., arXiv 2407.00088), for every token and ``table_inputs`` activations a table
of signed sums is made once. Each bit plane of the folded weights of an output then looks an entry
up and gives it a sign; planes are summed by their powers of two, the zero point of reinterpreted
weights comes in by the sum S of activations, and scales once per group::

    y = s_a sum over groups of s' (P' - z' S)

with s', z' of :mod:`~multipede.golden.reinterpretation`; of odd weights s P'. No weight is ever
multiplied by an activation.

Beside operands, tables and result, memory is bounded: unpacked weights take ``CHUNK_BITS`` of
:mod:`~multipede.golden.folded_weights`, a byte each, and what is looked up at once a few times
8 ``CHUNK_VALUES`` bytes, or 8 bytes for each table of a token if that is more. Tables of all
activations take 8 tokens K 2**(table_inputs - 1) / table_inputs bytes.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from multipede.golden.arrays import refuse
from multipede.golden.folded_weights import FoldedWeights
from multipede.golden.formats import Float, Integer
from multipede.golden.lookup_table import signed_sums
from multipede.golden.number_format import require_type
from multipede.golden.quantised_operands import QuantisedActivations
from multipede.golden.reinterpretation import (
    plane_weights,
    reinterpret_scales,
    reinterpret_zeros,
)
from multipede.golden.scaled_tables import require_table_format, scaled_tables

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["lookup_gemv", "lookup_group_sums"]

CHUNK_VALUES = 1 << 20


def lookup_group_sums(activations: QuantisedActivations, folded: FoldedWeights) -> "Tensor":
    """D[t, n, g], the sum over k in group g of (code[n, k] - z[n, g]) a[t, k], exactly.

    Parameters
    ----------
    activations : of an integer format, [tokens, K].
    folded : the weights, [N, K].

    Returns int64 [tokens, N, G], what :func:`~multipede.golden.matrix_product.group_sums` gives.

    Raises
    ------
    TypeError
        For other arguments, among them weights that are not folded.
    ValueError
        If the operands differ in K, activations are floats, or the weights' checksum is another.
    """
    import torch

    doubled = _doubled_sums(activations, folded)
    return doubled if folded.is_odd else torch.div(doubled, 2, rounding_mode="floor")


def lookup_gemv(
    activations: QuantisedActivations,
    folded: FoldedWeights,
    *,
    table_format: Integer | None = None,
) -> "Tensor":
    """The dequantised product y, float64 [tokens, N].

    With exact tables it is what :func:`~multipede.golden.matrix_product.dequantised_product` makes
    of the exact D; groups are added in order.

    Parameters
    ----------
    activations : [tokens, K]; of an integer format for exact tables.
    folded : the weights, [N, K].
    table_format : int2 to int16 for tables that are rounded, as
        :func:`~multipede.golden.scaled_tables.scaled_tables` says, with S as it is; None for
        exact ones.

    Raises
    ------
    TypeError, ValueError
        As :func:`lookup_group_sums`; for another format of tables, and for activations that are
        infinite or NaN, naming the first.
    """
    import torch

    if table_format is None:
        sums = _doubled_sums(activations, folded).double()
    else:
        require_table_format("table_format", table_format)
        sums = _rounded_sums(activations, folded, table_format)
    scales = folded.scales.double() if folded.is_odd else reinterpret_scales(folded.scales)
    y = torch.zeros(sums.shape[:2], dtype=torch.float64)
    for index in range(folded.groups):
        y += sums[:, :, index] * scales[:, index]
    return y * activations.scales.double()[:, None]


def _doubled_sums(activations: QuantisedActivations, folded: FoldedWeights) -> "Tensor":
    """P' - z' S, which is 2 D, or D of odd weights."""
    import torch

    _require_operands(activations, folded)
    if isinstance(activations.format, Float):
        raise ValueError(
            f"activation = {activations.format}: exact tables need integers; table_format rounds"
            " those of floats"
        )
    a = _whole_groups(activations.codes, folded)
    tables = signed_sums(a, folded.table_inputs)
    sums = torch.empty((len(a), folded.outputs, folded.groups), dtype=torch.int64)
    for tokens, outputs, found in _looked_up(tables, folded):
        sums[tokens, outputs] = found.unflatten(-1, (folded.groups, -1)).sum(-1)
    return _less_zeros(sums, a, folded)


def _rounded_sums(
    activations: QuantisedActivations, folded: FoldedWeights, table_format: Integer
) -> "Tensor":
    """P' - z' S by rounded tables."""
    import torch

    _require_operands(activations, folded)
    values = activations.format.decode(activations.codes)
    refuse(~np.isfinite(values.numpy()), values.numpy(), "activations", "finite numbers are needed")
    a = _whole_groups(values, folded)
    tables, scales = scaled_tables(a, folded.table_inputs, table_format)
    sums = torch.empty((len(a), folded.outputs, folded.groups), dtype=torch.float64)
    for tokens, outputs, found in _looked_up(tables, folded):
        scaled = found.double() * scales[tokens, None]
        sums[tokens, outputs] = scaled.unflatten(-1, (folded.groups, -1)).sum(-1)
    return _less_zeros(sums, a, folded)


def _less_zeros(sums: "Tensor", a: "Tensor", folded: FoldedWeights) -> "Tensor":
    """P' - z' S of P'."""
    if folded.is_odd:
        return sums
    import torch

    number_format = folded.format
    of_groups = a.unflatten(-1, (folded.groups, -1)).sum(-1)
    zeros = folded.zeros
    if zeros is None:
        zeros = torch.zeros(folded.scales.shape, dtype=torch.int64)
    zeros = reinterpret_zeros(zeros, number_format.bits, signed=number_format.signed)
    return sums - zeros * of_groups[:, None]


def _looked_up(tables: "Tensor", folded: FoldedWeights) -> "Iterator[tuple[slice, slice, Tensor]]":
    """For some tokens and outputs the sum of the planes' lookups in each table: int64
    [tokens, outputs, tables]."""
    import torch

    signed = not folded.is_odd and folded.format.signed
    weights = plane_weights(folded.format.bits, signed=signed)
    count, of_token, entries = tables.shape
    flat = tables.flatten(1)
    starts = torch.arange(of_token) * entries
    many = max(1, min(count, CHUNK_VALUES // of_token))
    rows = max(1, CHUNK_VALUES // (of_token * many))
    for first, index, positive in _lookups(folded, of_token):
        there = min(index.shape[1], folded.outputs - first)
        for low in range(0, there, rows):
            high = min(low + rows, there)
            places = [starts + plane[low:high] for plane in index]
            factors = [
                weight * (2 * plane[low:high].long() - 1)
                for weight, plane in zip(weights, positive, strict=True)
            ]
            for token in range(0, count, many):
                some = slice(token, token + many)
                total = torch.zeros((len(flat[some]), *places[0].shape), dtype=torch.int64)
                for place, factor in zip(places, factors, strict=True):
                    total += flat[some].index_select(1, place.flatten()).view_as(total) * factor
                yield some, slice(first + low, first + high), total


def _lookups(folded: FoldedWeights, tables: int) -> "Iterator[tuple[int, Tensor, Tensor]]":
    """Of some outputs the indices and signs of lookups, uint8 [planes, outputs, tables].

    Yields the first output with them. Tables of zeros fill up the last group.
    """
    import torch

    inputs = folded.table_inputs
    for block, planes in folded.planes():
        cut = planes.transpose(4, 0, 2, 1, 3).reshape(
            folded.format.bits, len(planes) * folded.columns, -1, inputs
        )
        lanes = torch.from_numpy(cut)
        index = lanes[..., 0].clone()
        for k in range(1, inputs - 1):
            index |= lanes[..., k] << k
        missing = (0, tables - lanes.shape[2])
        yield (
            block * folded.columns,
            torch.nn.functional.pad(index, missing),
            torch.nn.functional.pad(lanes[..., -1], missing),
        )


def _whole_groups(values: "Tensor", folded: FoldedWeights) -> "Tensor":
    """Values [tokens, K], filled up with zeros to whole groups."""
    import torch

    return torch.nn.functional.pad(values, (0, folded.groups * folded.group - folded.inner))


def _require_operands(activations: QuantisedActivations, folded: FoldedWeights) -> None:
    require_type("activations", activations, QuantisedActivations)
    require_type("folded", folded, FoldedWeights)
    folded.require_intact()
    if activations.codes.shape[1] != folded.inner:
        raise ValueError(
            f"k = {activations.codes.shape[1]} in the activations, but {folded.inner} in the"
            " weights"
        )
