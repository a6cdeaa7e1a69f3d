"""Matrix products of an L-Mul tile as tensors: the same bits, much sooner.

A number of any small format is a number of binary32 as well, and so is its product: where nothing
overflows, underflows or is special, the sum of codes is the sum of the patterns of binary32 with
the correction in the same place. Only a carry out of the magnitudes could disturb the signs, whose
bits add to their exclusive or; so whole patterns are added, signs and all. IEEE 754 says of the
processor's additions what float tiles say of theirs.
"""

from collections.abc import Iterator
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np

from multipede.golden.compensated_lmul import CompensatedLMul
from multipede.golden.float_tile import SumOrder
from multipede.golden.formats import BF16, FP16, FP32, Float
from multipede.golden.lmul_tile import LMulTile
from multipede.golden.logarithmic_policies import SmallOperands
from multipede.golden.native_float import require_subnormals
from multipede.golden.number_format import require_type

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["lmul_matmul", "require_numbers", "rounded"]

BLOCK = {"cpu": 1 << 17, "cuda": 1 << 24}
"""Results that are worked on at once: few enough to stay in the cores' caches."""

_MANTISSA_BITS = FP32.mantissa_bits
_ONE = FP32.bias << _MANTISSA_BITS
_MAGNITUDE = 0x7FFFFFFF

_Place = tuple[slice, slice, slice]


def lmul_matmul(x: "Tensor", w: "Tensor", tile: LMulTile | None = None) -> "Tensor":
    """x @ w, with the bits that ``tile`` gives for it. It has no gradient.

    Memory beyond operands and results is a few copies of both operands and about log2(lanes) + 3
    buffers of 2**17 float32 (2**24 on CUDA, where it has not been tried yet). Values of k of which
    some product might leave the range of normal numbers, or has an operand that is not finite, are
    worked out from codes on the CPU instead, which is much slower.

    Parameters
    ----------
    x : float32 [..., M, K], numbers of the tile's ``activation``.
    w : float32 [..., K, N], numbers of its ``weight``. Leading axes go together as in torch.
    tile : whose formats, correction, choices, accumulator (FP32, FP16 or BF16), order and lanes
        count; rows, columns and stages do not. None for a tile as by default.

    Returns float32 [..., M, N], the values of the accumulators.

    Raises
    ------
    TypeError
        For other kinds of arguments, and tensors that are not float32.
    ValueError
        For shapes that do not match, tensors on two devices, numbers that the formats have not
        (saying how to round them), another accumulator, and where the processor takes subnormal
        numbers for zero.
    """
    import torch

    tile = LMulTile() if tile is None else tile
    require_type("tile", tile, LMulTile)
    require_accumulator(tile)
    _require_tensors(x, w)
    require_numbers("x", x, tile.activation)
    require_numbers("w", w, tile.weight)
    require_subnormals()
    shape = _shape(x, w)
    if not (x.numel() and w.numel()):
        return torch.zeros(shape, device=x.device)
    x, w = _with_one_batch_axis(x.detach(), w.detach())
    total = torch.empty((*x.shape[:2], w.shape[2]), device=x.device)
    products = _Products(tile, x, w)
    for place in _places(total):
        total[place] = _sum(tile, products.terms(place))
    return total.reshape(shape)


def rounded(values: "Tensor", number_format: Float) -> "Tensor":
    """The nearest numbers of a format, float32; ties go to even, and what is out of range becomes
    what ``encode`` makes of it (infinite, where the format is BF16).

    TypeError for what is no tensor of floats and no float format, ValueError for values of which
    the format has none: NaN, or negative ones.
    """
    import torch

    require_floats("values", values)
    require_type("number_format", number_format, Float)
    if not number_format.signed and bool((values < 0).any()):
        lowest = float(values.min())
        raise ValueError(f"values hold {lowest!r}: {number_format} has no negative numbers")
    if number_format == FP32:
        return values.to(torch.float32)
    if number_format == BF16:
        return values.to(torch.bfloat16).to(torch.float32)
    return number_format.decode(number_format.encode(values)).to(torch.float32)


def require_numbers(name: str, values: "Tensor", number_format: Float) -> None:
    """ValueError unless all values are numbers of the format, or NaN if it has that."""
    import torch

    if number_format == FP32:
        return
    if number_format.nan_code is None and bool(torch.isnan(values).any()):
        raise ValueError(f"{name} holds nan: {number_format} has no NaN")
    if not number_format.signed and bool((values < 0).any()):
        raise ValueError(f"{name} holds {float(values.min())!r}: {number_format} has no sign")
    nearest = rounded(values, number_format)
    wrong = (nearest != values) & ~torch.isnan(values)
    if bool(wrong.any()):
        first = float(values[wrong].flatten()[0])
        raise ValueError(
            f"{name} holds {first!r}, which is no number of {number_format}: round it before, with"
            f" rounded({name}, ...)"
        )


def require_floats(name: str, values: object) -> None:
    """TypeError unless it is a tensor of floats."""
    import torch

    require_type(name, values, torch.Tensor)
    if not values.is_floating_point():
        raise TypeError(f"{name} must be a tensor of floats, not {values.dtype}")
    if values.layout != torch.strided or values.is_meta:
        raise TypeError(f"{name} must be a dense tensor that has values")


def require_accumulator(tile: LMulTile) -> None:
    """ValueError unless torch has the accumulator's format."""
    if tile.accumulator not in (FP32, FP16, BF16):
        raise ValueError(f"accumulator = {tile.accumulator}: allowed are fp32, fp16 and bf16")


def _require_tensors(x: object, w: object) -> None:
    import torch

    for name, tensor in (("x", x), ("w", w)):
        require_floats(name, tensor)
        if tensor.dtype != torch.float32:
            raise TypeError(f"{name} must be float32, not {tensor.dtype}")
        if tensor.dim() < 2:
            raise ValueError(f"{name} has shape {tuple(tensor.shape)}: a matrix is needed")
    if x.shape[-1] != w.shape[-2]:
        raise ValueError(
            f"x {tuple(x.shape)} and w {tuple(w.shape)}: x has {x.shape[-1]} columns and w has"
            f" {w.shape[-2]} rows"
        )
    if x.device != w.device:
        raise ValueError(f"x is on {x.device} and w on {w.device}: one device is needed")


def _shape(x: "Tensor", w: "Tensor") -> tuple[int, ...]:
    """Of the results."""
    import torch

    try:
        batch = torch.broadcast_shapes(x.shape[:-2], w.shape[:-2])
    except RuntimeError:
        raise ValueError(
            f"x {tuple(x.shape)} and w {tuple(w.shape)}: leading axes do not go together"
        ) from None
    return (*batch, x.shape[-2], w.shape[-1])


def _with_one_batch_axis(x: "Tensor", w: "Tensor") -> "tuple[Tensor, Tensor]":
    """x [B, M, K] and w [B, K, N]."""
    if w.dim() == 2:  # rows of all matrices stand below each other
        return x.reshape(1, -1, x.shape[-1]), w[None]
    batch = _shape(x, w)[:-2]
    return tuple(t.expand(*batch, *t.shape[-2:]).reshape(-1, *t.shape[-2:]) for t in (x, w))


def _places(total: "Tensor") -> Iterator[_Place]:
    """Blocks of results."""
    batch, rows, columns = total.shape
    size = BLOCK["cpu" if total.device.type == "cpu" else "cuda"]
    row_step = min(rows, size)
    column_step = min(columns, max(1, size // row_step))
    batch_step = min(batch, max(1, size // (row_step * column_step)))
    for first in range(0, batch, batch_step):
        for row in range(0, rows, row_step):
            for column in range(0, columns, column_step):
                yield (
                    slice(first, first + batch_step),
                    slice(row, row + row_step),
                    slice(column, column + column_step),
                )


class _Products:
    """All products, by their place and k."""

    def __init__(self, tile: LMulTile, x: "Tensor", w: "Tensor"):
        import torch

        self.tile = tile
        self.multiplier = tile.multiplier
        self._x, self._w = x, w
        self.count = x.shape[2]
        smallest = self.multiplier.format.smallest_normal
        self.x_counts, self.w_counts = (operand.abs() >= smallest for operand in (x, w))
        self.fast = self._in_range().tolist()
        self.x_has_zeros = (~self.x_counts).any(dim=(0, 1)).tolist()
        self.w_has_zeros = (~self.w_counts).any(dim=(0, 2)).tolist()
        number_format = self.multiplier.format
        self.shift = _MANTISSA_BITS - number_format.mantissa_bits
        # What counts as zero is taken for 1 and multiplied by 0 in the end.
        ones = torch.ones((), device=x.device)
        self.x_patterns, self.w_patterns = (
            torch.where(counts, operand, torch.copysign(ones, operand)).view(torch.int32)
            for counts, operand in ((self.x_counts, x), (self.w_counts, w))
        )

    def _in_range(self) -> "Tensor":
        """For which k no product can leave the range of normal numbers: bool (K,)."""
        import torch

        multiplier, number_format = self.multiplier, self.multiplier.format
        exact = number_format.mantissa_bits <= _MANTISSA_BITS
        exact &= number_format.smallest_normal >= FP32.smallest_normal
        exact &= number_format.maximum <= FP32.maximum
        # Zeros must count as zero, and subnormal operands, too, or there must be none.
        small = multiplier.policies.small_operands
        if not exact or small is SmallOperands.ADD:
            return torch.zeros(self.count, dtype=torch.bool, device=self._x.device)
        fine = torch.ones(self.count, dtype=torch.bool, device=self._x.device)
        logarithms = []
        for operand, counts, axis in (
            (self._x, self.x_counts, (0, 1)),
            (self._w, self.w_counts, (0, 2)),
        ):
            fine &= torch.isfinite(operand).all(dim=axis)
            if small is SmallOperands.ZERO:
                fine &= (counts | (operand == 0)).all(dim=axis)
            magnitudes = operand.view(torch.int32).to(torch.int64) & _MAGNITUDE
            lowest = torch.where(counts, magnitudes, _ONE).amin(dim=axis)
            highest = torch.where(counts, magnitudes, _ONE).amax(dim=axis)
            logarithms.append((lowest, highest))
        (x_low, x_high), (w_low, w_high) = logarithms
        corrections = self._corrections << (_MANTISSA_BITS - number_format.mantissa_bits)
        low = x_low + w_low - _ONE + int(corrections.min())
        high = x_high + w_high - _ONE + int(corrections.max())
        ends = np.array([number_format.smallest_normal, number_format.maximum], np.float32)
        smallest, largest = ends.view(np.int32).tolist()
        return fine & (low >= smallest) & (high <= largest)

    @cached_property
    def _corrections(self) -> np.ndarray:
        """By leading bits of both operands, in units of the last mantissa bit; one for all is
        alone."""
        if isinstance(self.multiplier, CompensatedLMul):
            return np.array(self.multiplier.table, np.int64)
        return self.multiplier.corrections(np.int64(0), np.int64(0)).reshape(1, 1)

    @cached_property
    def codes(self) -> tuple[np.ndarray, np.ndarray]:
        """Those of all operands in the multipliers' format."""
        number_format = self.multiplier.format
        x, w = (np.asarray(operand.cpu(), np.float64) for operand in (self._x, self._w))
        return number_format.encode(x), number_format.encode(w)

    def terms(self, place: _Place) -> "_Terms":
        """The products of a block of results."""
        return _Terms(self, place)


class _Terms:
    """The products of a block of results, for one k at a time."""

    def __init__(self, products: _Products, place: _Place):
        import torch

        self._products = products
        self._place = batch, rows, columns = place
        self._constant = int(products._corrections[0, 0] << products.shift) - _ONE
        by_k = (2, 0, 1), (1, 0, 2)
        x, w = (
            operand.permute(axes).contiguous()
            for operand, axes in (
                (products.x_patterns[batch, rows], by_k[0]),
                (products.w_patterns[batch, :, columns], by_k[1]),
            )
        )
        self.shape = (x.shape[1], x.shape[2], w.shape[2])
        self.device = x.device
        self.count = products.count
        self._x = x[..., None].unbind(0)
        self._w = (w + self._constant)[:, :, None].unbind(0)
        self._x_counts = products.x_counts[batch, rows].permute(by_k[0])[..., None].float()
        self._w_counts = products.w_counts[batch, :, columns].permute(by_k[1])[:, :, None].float()
        self._scratch = torch.empty(self.shape, dtype=torch.int32, device=self.device)
        if products._corrections.size > 1:
            self._prepare_table(x, w)
        else:
            self._table = None

    def put(self, k: int, out: "Tensor") -> None:
        """The terms of k, rounded to the accumulator's format."""
        if not self._products.fast[k]:
            out.copy_(self._from_codes(k))
            return
        import torch

        direct = out.dtype == torch.float32
        patterns = out.view(torch.int32) if direct else self._scratch
        if self._table is None:
            torch.add(self._x[k], self._w[k], out=patterns)
        else:
            self._look_up(k, patterns)
        values = patterns.view(torch.float32)
        if self._products.x_has_zeros[k]:
            values.mul_(self._x_counts[k])
        if self._products.w_has_zeros[k]:
            values.mul_(self._w_counts[k])
        if not direct:
            out.copy_(values)

    def _prepare_table(self, x: "Tensor", w: "Tensor") -> None:
        """Of each operand what its leading mantissa bits are."""
        import torch

        products = self._products
        leading = products.multiplier.leading_bits
        mask = (1 << leading) - 1
        self._x_leading, self._w_leading = (
            (patterns >> (_MANTISSA_BITS - leading) & mask).to(torch.int64) for patterns in (x, w)
        )
        table = torch.from_numpy(products._corrections << products.shift).to(torch.int32)
        # The first entry is in the constant already.
        self._table = (table - int(table[0, 0])).to(self.device)

    def _look_up(self, k: int, out: "Tensor") -> None:
        """Rows of w for each of x's leading bits, and of these the row that each x takes."""
        import torch

        for batch in range(self.shape[0]):
            entries = self._table[:, self._w_leading[k, batch]]
            rows = self._w[k][batch] + entries
            torch.index_select(rows, 0, self._x_leading[k, batch], out=out[batch])
        out.add_(self._x[k])

    def _from_codes(self, k: int) -> "Tensor":
        import torch

        products, (batch, rows, columns) = self._products, self._place
        tile, multiplier = products.tile, products.multiplier
        x, w = products.codes
        codes = multiplier.products(x[batch, rows, k][..., None], w[batch, k, columns][:, None])
        values = tile.accumulator.decode(tile.terms_of(codes))
        return torch.from_numpy(values).to(self.device)


def _sum(tile: LMulTile, terms: _Terms) -> "Tensor":
    """The sums of a block, in the accumulator's own type."""
    import torch

    dtype = {FP32: torch.float32, FP16: torch.float16, BF16: torch.bfloat16}[tile.accumulator]
    new = partial(torch.zeros, terms.shape, dtype=dtype, device=terms.device)
    total = new()
    if tile.order is SumOrder.SEQUENTIAL:
        term = new()
        for k in range(terms.count):
            terms.put(k, term)
            total.add_(term)
        return total
    buffers = [new() for _ in range(1 + (tile.lanes - 1).bit_length())]
    for first in range(0, terms.count, tile.lanes):
        _put_tree(terms, first, tile.lanes, buffers)
        total.add_(buffers[0])
    return total


def _put_tree(terms: _Terms, first: int, lanes: int, buffers: "list[Tensor]") -> None:
    """The tree's sum goes to the first of the buffers. What a record lacks is +0, which changes no
    sum but -0, and that no accumulator."""
    if lanes == 1:
        terms.put(first, buffers[0])
        return
    half = 1 << ((lanes - 1).bit_length() - 1)
    _put_tree(terms, first, half, buffers)
    if first + half < terms.count:
        _put_tree(terms, first + half, lanes - half, buffers[1:])
        buffers[0].add_(buffers[1])
