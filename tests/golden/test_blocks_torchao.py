"""MX and NVFP4 codes against torchao's own quantisers, in all of its scale modes."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torchao.prototype.mx_formats import mx_tensor, nvfp4_tensor
from torchao.prototype.mx_formats.config import ScaleCalculationMode

from multipede.golden.blocks import (
    MXFP4,
    MXFP6_E2M3,
    MXFP6_E3M2,
    MXFP8_E4M3,
    MXFP8_E5M2,
    NVFP4,
    ScaleRule,
    SharedExponent,
)
from multipede.golden.formats import E8M0, FP32

SEED = 20251122
ELEMENTS = {
    torch.float8_e4m3fn: MXFP8_E4M3,
    torch.float8_e5m2: MXFP8_E5M2,
    mx_tensor.DTYPE_FP6_E2M3: MXFP6_E2M3,
    mx_tensor.DTYPE_FP6_E3M2: MXFP6_E3M2,
    torch.float4_e2m1fn_x2: MXFP4,
}


def sample(block_size: int) -> torch.Tensor:
    """FP32 values in blocks of all magnitudes, many with an amax at or next to a boundary."""
    rng = np.random.default_rng(SEED)
    values = rng.normal(size=(4000, block_size)) * 2.0 ** rng.integers(-80, 80, (4000, 1))
    tops = np.array([1, 448, 57344, 7.5, 28, 6, 1.5, 1.75, 1.9375, 1.875, 1.25])
    tops = np.concatenate([tops, tops * (1 + 2.0**-23), tops * (1 - 2.0**-24)])
    for block, top in enumerate(np.tile(tops, 20)):
        values[block] = np.clip(rng.normal(size=block_size), -1, 1) * top
        values[block, block % block_size] = -top
        values[block] *= 2.0 ** rng.integers(-60, 60)
    values[-1] = 0
    return torch.from_numpy(values).float()


def is_reliable(values: torch.Tensor, form: SharedExponent) -> torch.Tensor:
    """Blocks whose scale torchao derives correctly: without a GPU its RCEIL takes an FP32 log2,
    which is a power of two's own for amax / maximum just above that power."""
    mantissa, _ = torch.frexp(values.abs().amax(1) / float(form.element.maximum))
    just_above = (mantissa > 0.5) & (mantissa < 0.5 + 2.0**-18)
    return ~just_above | (form.scale_rule is not ScaleRule.RCEIL)


def unpack(pairs: torch.Tensor) -> torch.Tensor:
    return torch.stack([pairs & 15, pairs >> 4], dim=-1).reshape(*pairs.shape[:-1], -1)


@pytest.mark.parametrize("rule", ScaleRule)
@pytest.mark.parametrize("dtype", ELEMENTS, ids=str)
def test_mx_codes_equal_torchao(dtype: torch.dtype | str, rule: ScaleRule) -> None:
    form: SharedExponent = replace(ELEMENTS[dtype], scale_rule=rule)
    values = sample(32)
    scales, elements = mx_tensor.to_mx(values, dtype, 32, ScaleCalculationMode(rule.value))
    elements = elements.view(torch.uint8)
    if dtype == torch.float4_e2m1fn_x2:
        elements = unpack(elements)
    got = form.quantise(values)
    sure = is_reliable(values, form)
    assert sure.sum() > 3800
    assert torch.equal(got.scales[sure], scales.view(torch.uint8).long()[sure])
    assert torch.equal(got.elements[sure], elements.long()[sure])


@pytest.mark.parametrize("rule", ScaleRule)
def test_nan_makes_the_same_blocks_nan(rule: ScaleRule) -> None:
    values = sample(32)
    values[5, 3] = torch.nan
    scales, _ = mx_tensor.to_mx(values, torch.float8_e4m3fn, 32, ScaleCalculationMode(rule.value))
    got = replace(MXFP8_E4M3, scale_rule=rule).quantise(values)
    is_nan = got.scales == E8M0.nan_code
    assert is_nan.nonzero().tolist() == [[5, 0]]
    assert torch.equal(is_nan, scales.view(torch.uint8) == 255)


@pytest.mark.parametrize("two_levels", [True, False])
def test_nvfp4_codes_equal_torchao(two_levels: bool) -> None:
    values = sample(16)
    values *= 2.0 ** -values.abs().amax(1, keepdim=True).log2().clip(-126).round()
    values *= 2.0 ** torch.randint(-12, 3, (4000, 1), generator=torch.manual_seed(SEED))
    t = nvfp4_tensor.per_tensor_amax_to_scale(values.abs().max())
    scales, pairs = nvfp4_tensor.nvfp4_quantize(values, 16, t if two_levels else None)
    got = NVFP4().quantise(values, tensor_scale=None if two_levels else 1.0)
    assert got.elements.numel() == 64_000
    assert FP32.decode(got.tensor_scale) == (t if two_levels else 1.0)
    assert torch.equal(got.scales, scales.view(torch.uint8).long())
    assert torch.equal(got.elements, unpack(pairs).long())
