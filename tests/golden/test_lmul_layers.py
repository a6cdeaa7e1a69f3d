"""Layers that add codes: torch's own with other products."""

import math

import pytest
import torch
from torch import nn

from multipede.golden.formats import BF16, E2M1, E4M3, UE4M3, Float
from multipede.golden.lmul_layers import LMulAttention, LMulLinear, rounded_lmul_matmul
from multipede.golden.lmul_matmul import lmul_matmul, rounded
from multipede.golden.lmul_tile import LMulTile
from multipede.golden.logarithmic_factors import Correction

SEED = 20261127
TABLE = LMulTile(correction=Correction.TABLE)


def made(kind, *arguments, **options):
    torch.manual_seed(SEED)
    return kind(*arguments, **options).eval()


@pytest.mark.parametrize("tile", [LMulTile(), LMulTile(activation=E4M3, weight=E4M3)], ids=str)
@pytest.mark.parametrize("bias", [True, False])
def test_linear(tile, bias):
    linear = made(nn.Linear, 24, 10, bias)
    layer = LMulLinear.from_linear(linear, tile=tile)
    x = torch.randn(2, 5, 24)
    total = lmul_matmul(
        rounded(x.reshape(10, 24), tile.activation),
        rounded(linear.weight.detach().T, tile.weight),
        tile,
    )
    expected = total.reshape(2, 5, 10) + (linear.bias.detach() if bias else 0)
    assert torch.equal(layer(x), expected)
    assert torch.equal(layer(x[0, 0]), expected[0, 0])
    assert not layer(x).requires_grad
    assert "tile=lmul_tile" in repr(layer)


def test_linear_keeps_its_weights_in_a_state():
    layer, other = LMulLinear(6, 4), nn.Linear(6, 4)
    layer.load_state_dict(other.state_dict())
    assert torch.equal(layer.weight, other.weight)
    stack = nn.Sequential(layer, nn.ReLU(), LMulLinear(4, 2))
    assert stack(torch.randn(3, 6)).shape == (3, 2)


def manual(attention: nn.MultiheadAttention, x: torch.Tensor, tile: LMulTile, mask=None):
    """One sentence [length, width], by the definition."""
    q, k, v = nn.functional.linear(x, attention.in_proj_weight, attention.in_proj_bias).chunk(3, 1)
    width = attention.head_dim
    mixed = []
    for head in range(attention.num_heads):
        part = slice(head * width, (head + 1) * width)
        scores = rounded_lmul_matmul(q[:, part], k[:, part].T, tile) / math.sqrt(width)
        if mask is not None:
            scores = scores.masked_fill(mask, -math.inf)
        mixed.append(rounded_lmul_matmul(torch.softmax(scores, dim=1), v[:, part], tile))
    return attention.out_proj(torch.cat(mixed, dim=1))


@pytest.mark.parametrize("tile", [LMulTile(), TABLE], ids=["offset", "table"])
def test_attention(tile):
    attention = made(nn.MultiheadAttention, 32, 4, batch_first=True)
    layer = LMulAttention.from_attention(attention, tile=tile)
    x = torch.randn(3, 7, 32)
    causal = torch.ones(7, 7, dtype=torch.bool).triu(1)
    for mask in (None, causal):
        found, _ = layer(x, x, x, attn_mask=mask)
        expected = torch.stack([manual(attention, sentence, tile, mask) for sentence in x])
        assert torch.allclose(found, expected, atol=1e-6)
    single, _ = layer(x[0], x[0], x[0])
    assert torch.allclose(single, manual(attention, x[0], tile), atol=1e-6)


def test_masks_and_orders_are_those_of_torch():
    """With the exact product in L's place the layer is torch's own."""
    attention = made(nn.MultiheadAttention, 16, 2)
    layer = LMulAttention.from_attention(attention)
    q, k = torch.randn(5, 3, 16), torch.randn(8, 3, 16)
    padding = torch.rand(3, 8) < 0.3
    padding[:, 0] = False
    masks = [None, torch.rand(5, 8) < 0.2, torch.randn(5, 8), torch.randn(6, 5, 8)]
    masks[1][:, 0] = False
    with pytest.MonkeyPatch.context() as patch:
        module = "multipede.golden.lmul_layers.rounded_lmul_matmul"
        patch.setattr(module, lambda x, w, tile: x @ w)
        for mask in masks:
            for options in ({}, {"average_attn_weights": False}, {"need_weights": False}):
                given = {"attn_mask": mask, **options}
                if mask is None or mask.dtype == torch.bool:
                    given["key_padding_mask"] = padding
                found, weights = layer(q, k, k, **given)
                expected, expected_weights = attention(q, k, k, **given)
                assert torch.allclose(found, expected, atol=1e-6)
                assert (weights is None) == (expected_weights is None)
                if weights is not None:
                    assert torch.allclose(weights, expected_weights, atol=1e-6)


def test_projections_add_codes_if_asked_to():
    attention = made(nn.MultiheadAttention, 16, 2)
    x = torch.randn(5, 1, 16)
    plain, both = (
        LMulAttention.from_attention(attention, projections=flag)(x, x, x)[0]
        for flag in (False, True)
    )
    exact = attention(x, x, x)[0]
    assert not torch.equal(plain, both)
    assert (plain - exact).abs().max() < (both - exact).abs().max() < 0.2


@pytest.mark.parametrize("part", ["self_attn", "linear1", "linear2"])
def test_fused_encoder_layers_do_not_pass_by(part):
    """Torch's own take the weights out of their parts at inference, without calling them."""
    encoder = made(nn.TransformerEncoderLayer, 32, 4, 64, batch_first=True).eval()
    x = torch.randn(2, 5, 32)
    exact = encoder(x)
    own = getattr(encoder, part)
    replace = LMulAttention.from_attention if part == "self_attn" else LMulLinear.from_linear
    setattr(encoder, part, replace(own))
    assert not getattr(encoder, part).training
    slow = encoder(x)
    with torch.inference_mode():
        fast = encoder(x)
        stacked = nn.TransformerEncoder(encoder, 1)(x)
    assert torch.allclose(slow, fast, atol=1e-6)
    assert torch.allclose(slow, stacked, atol=1e-6)
    assert (slow - exact).abs().max() > 1e-3


def test_bad_layers():
    with pytest.raises(TypeError, match="linear must be Linear"):
        LMulLinear.from_linear(nn.ReLU())
    with pytest.raises(TypeError, match="tile must be LMulTile"):
        LMulLinear(3, 3, tile=BF16)
    with pytest.raises(ValueError, match="as wide as queries"):
        LMulAttention.from_attention(nn.MultiheadAttention(8, 2, kdim=4, vdim=4))
    with pytest.raises(ValueError, match="additional keys"):
        LMulAttention.from_attention(nn.MultiheadAttention(8, 2, add_bias_kv=True))
    with pytest.raises(TypeError, match="attention must be MultiheadAttention"):
        LMulAttention.from_attention(nn.Linear(2, 2))
    with pytest.raises(ValueError, match="accumulator = e6m9-ieee: allowed are"):
        LMulLinear(3, 3, tile=LMulTile(accumulator=Float(6, 9)))


ONES = torch.ones(2, 5, 8)
MASK = torch.zeros(5, 5, dtype=torch.bool)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"query": ONES.half()}, TypeError, "query must be float32, not torch.float16"),
        ({"value": ONES.long()}, TypeError, "value must be a tensor of floats"),
        ({"query": ONES[None]}, ValueError, r"query has shape \(1, 2, 5, 8\): two or three axes"),
        ({"key": ONES[..., :4]}, ValueError, r"key has shape \(2, 5, 4\): .* the last of 8"),
        ({"query": ONES[0]}, ValueError, "all have two axes, or all three"),
        ({"key": ONES[:, :3]}, ValueError, "keys and values must have one shape"),
        ({"query": ONES[:1]}, ValueError, "the batches differ"),
        ({"is_causal": True}, ValueError, "it is a hint only, attn_mask is needed"),
        ({"attn_mask": MASK.long()}, TypeError, "attn_mask must be of booleans or floats"),
        ({"attn_mask": MASK[:1]}, ValueError, r"allowed are \(5, 5\) and \(4, 5, 5\)"),
        ({"key_padding_mask": MASK[:2].byte()}, TypeError, "key_padding_mask must be of booleans"),
        ({"key_padding_mask": MASK[0]}, ValueError, r"shape \(5,\): allowed are \(2, 5\)"),
    ],
)
def test_bad_attention(given, error, message):
    layer = LMulAttention(8, 2, batch_first=True)
    layer(ONES, ONES, ONES, attn_mask=MASK, is_causal=True)
    with pytest.raises(error, match=message):
        layer(**{"query": ONES, "key": ONES, "value": ONES} | given)


@pytest.mark.parametrize("shape", [(2, 8), (4, 2), (0, 8), (8,), ()])
def test_bad_inputs_of_a_linear_layer(shape):
    with pytest.raises(ValueError, match=r"input has shape \(.*\): \(\.\.\., 4\) is needed"):
        LMulLinear(4, 3)(torch.ones(shape))


def test_bad_numbers():
    unsigned = LMulTile(activation=UE4M3, weight=E4M3)
    with pytest.raises(ValueError, match=r"values hold -1.0: ue4m3 has no negative numbers"):
        LMulLinear(4, 3, tile=unsigned)(-torch.ones(4))
    with pytest.raises(TypeError, match="values must be Tensor"):
        rounded([1.0], BF16)
    with pytest.raises(TypeError, match="number_format must be"):
        rounded(ONES, "bf16")
    no_nan = LMulTile(activation=E2M1, weight=E2M1)
    with pytest.raises(ValueError, match="w holds nan: e2m1 has no NaN"):
        lmul_matmul(torch.ones(2, 2), torch.full((2, 2), torch.nan), no_nan)
    with pytest.raises(ValueError, match=r"x holds -1\.0: ue4m3 has no sign"):
        lmul_matmul(-torch.ones(2, 2), torch.ones(2, 2), unsigned)
