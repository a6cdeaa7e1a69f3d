"""Layers of torch whose products add codes, to be put in the place of torch's own."""

import math
from typing import Self

import torch
from torch import Tensor, nn

from multipede.golden.lmul_matmul import (
    lmul_matmul,
    require_accumulator,
    require_floats,
    rounded,
)
from multipede.golden.lmul_tile import LMulTile
from multipede.golden.number_format import require_type

__all__ = ["LMulAttention", "LMulLinear", "rounded_lmul_matmul"]


def rounded_lmul_matmul(x: Tensor, w: Tensor, tile: LMulTile | None = None) -> Tensor:
    """:func:`~multipede.golden.lmul_matmul.lmul_matmul` of operands rounded to the tile's formats.

    x [..., M, K] and w [..., K, N] of any floating dtype; the rest is as there.
    """
    tile = LMulTile() if tile is None else tile
    require_type("tile", tile, LMulTile)
    return lmul_matmul(rounded(x, tile.activation), rounded(w, tile.weight), tile)


class LMulLinear(nn.Linear):
    """``nn.Linear`` with products of an L-Mul tile: y = L(x, weight) + bias, the bias in float32.

    Inputs and weights are rounded to the tile's formats. There are no gradients. Torch's fused
    encoder layers, which would not call it, are kept from running (by a hook that does nothing).

    Parameters
    ----------
    in_features, out_features, bias, device : as of ``nn.Linear``. Weights are float32; those of
        other layers are rounded to it before.
    tile : whose bits the products have; None for a tile as by default.

    Raises TypeError and ValueError for another ``tile``, and what ``nn.Linear`` raises.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: torch.device | str | None = None,
        *,
        tile: LMulTile | None = None,
    ):
        super().__init__(in_features, out_features, bias, device, torch.float32)
        self.tile = LMulTile() if tile is None else tile
        require_type("tile", self.tile, LMulTile)
        require_accumulator(self.tile)
        self.register_forward_pre_hook(_unfused)

    @classmethod
    def from_linear(cls, linear: nn.Linear, *, tile: LMulTile | None = None) -> Self:
        """A layer with the same weights and in the same mode. TypeError for another layer."""
        require_type("linear", linear, nn.Linear)
        weight = linear.weight
        made = cls(*weight.shape[::-1], linear.bias is not None, weight.device, tile=tile)
        made.load_state_dict(linear.state_dict())
        return made.train(linear.training)

    def forward(self, input: Tensor) -> Tensor:
        """Floats [..., in_features] -> float32 [..., out_features].

        TypeError for other kinds, ValueError for another shape, and numbers that the tile's format
        has not at all: NaN, or negative ones.
        """
        require_floats("input", input)
        if input.dim() == 0 or input.shape[-1] != self.in_features:
            raise ValueError(
                f"input has shape {tuple(input.shape)}: (..., {self.in_features}) is needed"
            )
        rows = input.reshape(-1, self.in_features)
        total = rounded_lmul_matmul(rows, self.weight.T, self.tile)
        total = total.reshape(*input.shape[:-1], self.out_features)
        return total if self.bias is None else total + self.bias.detach()

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, tile={self.tile}"


class LMulAttention(nn.MultiheadAttention):
    """``nn.MultiheadAttention`` whose two products are those of an L-Mul tile.

    Scores are L(query, key) / sqrt(width of a head), divided exactly, and what comes out is
    L(softmax(scores), value). Projections are exact, or as of :class:`LMulLinear` with the same
    tile. Operands of L are rounded to the tile's formats. There are no gradients, and no dropout.
    Torch's fused encoder layers, which would not call it, are kept from running (by a hook that
    does nothing).

    Parameters
    ----------
    embed_dim, num_heads, bias, batch_first, device : as of ``nn.MultiheadAttention``.
    tile : whose bits the products have; None for a tile as by default.
    projections : whether the projections add codes as well.

    Raises TypeError and ValueError for another ``tile``, and what ``nn.MultiheadAttention`` raises.
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        bias: bool = True,
        batch_first: bool = False,
        device: torch.device | str | None = None,
        *,
        tile: LMulTile | None = None,
        projections: bool = False,
    ):
        options = {"bias": bias, "batch_first": batch_first, "device": device}
        super().__init__(embed_dim, num_heads, **options)
        self.tile = LMulTile() if tile is None else tile
        require_type("tile", self.tile, LMulTile)
        require_accumulator(self.tile)
        require_type("projections", projections, bool)
        self.projections = projections
        self.register_forward_pre_hook(_unfused)

    @classmethod
    def from_attention(
        cls,
        attention: nn.MultiheadAttention,
        *,
        tile: LMulTile | None = None,
        projections: bool = False,
    ) -> Self:
        """An attention with the same weights, in the same mode.

        TypeError for another layer, ValueError for keys or values of another width than queries,
        and for additional keys and values.
        """
        require_type("attention", attention, nn.MultiheadAttention)
        if attention.in_proj_weight is None:
            raise ValueError("attention: keys and values must be as wide as queries")
        if attention.bias_k is not None or attention.add_zero_attn:
            raise ValueError("attention: additional keys and values are not supported")
        made = cls(
            attention.embed_dim,
            attention.num_heads,
            attention.in_proj_bias is not None,
            attention.batch_first,
            attention.in_proj_weight.device,
            tile=tile,
            projections=projections,
        )
        made.load_state_dict(attention.state_dict())
        return made.train(attention.training)

    def extra_repr(self) -> str:
        return f"projections={self.projections}, tile={self.tile}"

    @torch.no_grad()
    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """As of ``nn.MultiheadAttention``; ``is_causal`` is a hint there, too, beside a mask.

        TypeError for tensors that are not float32 and masks that are neither of booleans nor of
        floats, ValueError for shapes that do not go together, and ``is_causal`` without a mask.
        """
        self._check(query, key, value)
        self._check_masks(query, key, attn_mask, key_padding_mask, is_causal)
        is_single = query.dim() == 2
        tensors = [tensor[None] if is_single else tensor for tensor in (query, key, value)]
        if not self.batch_first and not is_single:
            tensors = [tensor.transpose(0, 1) for tensor in tensors]
        parts = self.in_proj_weight.chunk(3)
        biases = (None,) * 3 if self.in_proj_bias is None else self.in_proj_bias.chunk(3)
        q, k, v = (
            self._heads(self._projected(tensor, weight, bias))
            for tensor, weight, bias in zip(tensors, parts, biases, strict=True)
        )
        scores = rounded_lmul_matmul(q, k.transpose(-2, -1), self.tile)
        scores = scores / math.sqrt(self.head_dim) + self._masks(attn_mask, key_padding_mask, q)
        weights = torch.softmax(scores, dim=-1)
        mixed = rounded_lmul_matmul(weights, v, self.tile).transpose(1, 2).flatten(2)
        result = self._projected(mixed, self.out_proj.weight, self.out_proj.bias)
        if average_attn_weights:
            weights = weights.mean(dim=1)
        if is_single:
            result, weights = result[0], weights[0]
        elif not self.batch_first:
            result = result.transpose(0, 1)
        return result, weights if need_weights else None

    def _check(self, query: Tensor, key: Tensor, value: Tensor) -> None:
        tensors = {"query": query, "key": key, "value": value}
        for name, tensor in tensors.items():
            require_floats(name, tensor)
            if tensor.dtype != torch.float32:
                raise TypeError(f"{name} must be float32, not {tensor.dtype}")
            if tensor.dim() not in (2, 3) or tensor.shape[-1] != self.embed_dim:
                raise ValueError(
                    f"{name} has shape {tuple(tensor.shape)}: two or three axes are needed, the"
                    f" last of {self.embed_dim}"
                )
        shapes = ", ".join(f"{name} {tuple(tensor.shape)}" for name, tensor in tensors.items())
        if len({tensor.dim() for tensor in tensors.values()}) > 1:
            raise ValueError(f"{shapes}: all have two axes, or all three")
        if key.shape != value.shape:
            raise ValueError(f"{shapes}: keys and values must have one shape")
        if query.dim() == 3 and self._sizes(query)[0] != self._sizes(key)[0]:
            raise ValueError(f"{shapes}: the batches differ")

    def _sizes(self, tensor: Tensor) -> tuple[int, int]:
        """Batch and length."""
        if tensor.dim() == 2:
            return 1, tensor.shape[0]
        batch, length = tensor.shape[:2]
        return (batch, length) if self.batch_first else (length, batch)

    def _check_masks(
        self,
        query: Tensor,
        key: Tensor,
        attn_mask: Tensor | None,
        key_padding_mask: Tensor | None,
        is_causal: bool,
    ) -> None:
        if is_causal and attn_mask is None:
            raise ValueError("is_causal = True: it is a hint only, attn_mask is needed")
        (batch, queries), (_, keys) = self._sizes(query), self._sizes(key)
        pairs = (queries, keys)
        of_keys = (keys,) if query.dim() == 2 else (batch, keys)
        for name, mask, allowed in (
            ("attn_mask", attn_mask, (pairs, (batch * self.num_heads, *pairs))),
            ("key_padding_mask", key_padding_mask, (of_keys,)),
        ):
            if mask is None:
                continue
            require_type(name, mask, Tensor)
            if not (mask.dtype == torch.bool or mask.is_floating_point()):
                raise TypeError(f"{name} must be of booleans or floats, not {mask.dtype}")
            if tuple(mask.shape) not in allowed:
                raise ValueError(
                    f"{name} has shape {tuple(mask.shape)}: allowed are"
                    f" {' and '.join(map(str, allowed))}"
                )

    def _projected(self, tensor: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if not self.projections:
            return nn.functional.linear(tensor, weight, bias)
        total = rounded_lmul_matmul(tensor, weight.T, self.tile)
        return total if bias is None else total + bias

    def _heads(self, tensor: Tensor) -> Tensor:
        """[batch, length, width] as [batch, heads, length, width of a head]."""
        return tensor.unflatten(-1, (self.num_heads, self.head_dim)).transpose(1, 2)

    def _masks(
        self, attn_mask: Tensor | None, key_padding_mask: Tensor | None, q: Tensor
    ) -> Tensor:
        """What is added to scores [batch, heads, queries, keys]."""
        total = torch.zeros((), device=q.device)
        if attn_mask is not None:
            if attn_mask.dim() == 3:
                attn_mask = attn_mask.unflatten(0, (-1, self.num_heads))
            total = total + _added(attn_mask)
        if key_padding_mask is not None:
            masks = key_padding_mask if key_padding_mask.dim() == 2 else key_padding_mask[None]
            total = total + _added(masks)[:, None, None, :]
        return total


def _unfused(module: nn.Module, arguments: tuple) -> None:
    """A hook that does nothing: encoder layers with hooks in them call all of their parts, instead
    of taking their weights into torch's fused ones."""


def _added(mask: Tensor) -> Tensor:
    """Minus infinity where a mask of booleans is true, or the mask of floats itself."""
    if mask.dtype != torch.bool:
        return mask
    return torch.zeros(mask.shape, device=mask.device).masked_fill(mask, -math.inf)
