"""NVFP4 against FP32 arithmetic of torch and exact rationals."""

from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest
import torch

from multipede.golden.blocks import NVFP4
from multipede.golden.formats import E2M1, UE4M3
from tests.golden.block_values import sample


@pytest.mark.parametrize("tensor_scale", [None, 1.0, 0.37, 1e-3])
def test_nvfp4_equals_fp32_arithmetic_of_torch(tensor_scale: float | None) -> None:
    values = np.concatenate([sample(300, 16), np.zeros((3, 16)), sample(40, 16) * 2.0**-20])
    got = NVFP4().quantise(values, tensor_scale=tensor_scale)
    x = torch.from_numpy(values).float()
    t = x.abs().max() / 2688 if tensor_scale is None else torch.tensor(tensor_scale)
    stored = (x.abs().amax(1) / 6 / t).clamp(2.0**-6, 448).to(torch.float8_e4m3fn)
    scaled = x * (1 / t / stored.float())[:, None]
    elements = scaled.clamp(-6, 6).numpy().astype(ml_dtypes.float4_e2m1fn)
    assert values.size > 5000
    np.testing.assert_array_equal(got.tensor_scale, t.view(torch.int32).numpy())
    np.testing.assert_array_equal(got.scales[:, 0], stored.view(torch.uint8).numpy())
    np.testing.assert_array_equal(got.elements, elements.view(np.uint8))
    wanted = [
        [float(Fraction(t.item()) * Fraction(s) * Fraction(e)) for e in row]
        for s, row in zip(stored.double().tolist(), elements.astype(float).tolist(), strict=True)
    ]
    np.testing.assert_array_equal(NVFP4().dequantise(got), wanted)


@pytest.mark.parametrize("amax", [0.0, 1e-45, 1e-38, 1e-30, 3e38])
def test_nvfp4_at_the_ends_of_fp32(amax: float) -> None:
    values = np.zeros((2, 16))
    values[0, :3] = amax, -amax / 2, amax / 3
    got = NVFP4().quantise(values)
    restored = NVFP4().dequantise(got)
    assert np.isfinite(restored).all()
    assert (restored[1] == 0).all()
    if amax >= 1e-30:
        np.testing.assert_allclose(restored[0, :3], values[0, :3], rtol=0.2)


def test_nvfp4_sums_are_multiples_of_2_to_the_minus_20() -> None:
    scales = UE4M3.decode(UE4M3.codes()[:-1])
    elements = E2M1.decode(E2M1.codes())
    products = np.outer(np.outer(scales, scales).ravel(), np.outer(elements, elements).ravel())
    scaled = products * 2.0**20
    assert products.size == 127**2 * 256
    assert (scaled == np.rint(scaled)).all()
