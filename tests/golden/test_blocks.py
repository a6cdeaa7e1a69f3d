"""What all blocks with shared scales have in common: axes, libraries, clear errors."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from multipede.golden.blocks import MXFP4, NVFP4, Blocks, SharedExponent, block_floating_point
from multipede.golden.formats import E2M1, FP16, FP32, UINT4
from tests.golden.block_values import MX, SEED


@pytest.mark.parametrize("form", [*MX.values(), NVFP4(), block_floating_point(4, 16)], ids=repr)
def test_axis_and_library(form: SharedExponent | NVFP4) -> None:
    values = np.random.default_rng(SEED).normal(size=(3, 64, 5))
    got = form.quantise(values, axis=1)
    assert got.elements.shape == values.shape
    assert got.scales.shape == (3, 64 // form.block_size, 5)
    restored = form.dequantise(got, axis=1)
    last = form.quantise(np.moveaxis(values, 1, -1))
    np.testing.assert_array_equal(np.moveaxis(last.elements, -1, 1), got.elements)
    np.testing.assert_array_equal(np.moveaxis(form.dequantise(last), -1, 1), restored)
    tensors = form.quantise(torch.from_numpy(values), axis=-2)
    assert tensors.elements.dtype == tensors.scales.dtype == torch.int64
    np.testing.assert_array_equal(tensors.elements.numpy(), got.elements)
    np.testing.assert_array_equal(form.dequantise(tensors, axis=1).numpy(), restored)
    again = form.quantise(restored, axis=1, **same_tensor_scale(form, got))
    np.testing.assert_array_equal(form.dequantise(again, axis=1), restored)
    assert form.quantise(np.ones((0, 64))).scales.shape == (0, 64 // form.block_size)
    float16 = values.astype(np.float16)
    np.testing.assert_array_equal(
        form.quantise(float16, axis=1).elements,
        form.quantise(FP16.decode(FP16.encode(values)), axis=1).elements,
    )


def same_tensor_scale(form: SharedExponent | NVFP4, blocks: Blocks) -> dict[str, float]:
    return {"tensor_scale": FP32.decode(blocks.tensor_scale)} if isinstance(form, NVFP4) else {}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: MXFP4.quantise(np.ones(33)), "axis -1 has 33 elements: allowed are multiples of "),
        (lambda: MXFP4.quantise(np.ones((32, 3)), axis=1), "axis 1 has 3 elements"),
        (lambda: MXFP4.quantise(np.ones(32), axis=1), "axis = 1: the array has 1 axes"),
        (lambda: MXFP4.quantise(1.0), "axis = -1: the array has 0 axes"),
        (lambda: NVFP4().quantise(np.full(16, np.nan)), r"values\[0\] = nan: NVFP4 holds finite"),
        (lambda: NVFP4().quantise(np.full(16, 1e39)), r"values\[0\] = 1e\+39: NVFP4 holds finite"),
        (lambda: NVFP4().quantise(np.ones(16), tensor_scale=0), "tensor_scale = 0: allowed are 2"),
        (lambda: SharedExponent(UINT4), "element = uint4: allowed are signed formats of 2 to 32"),
        (lambda: SharedExponent(E2M1, 0), "block_size = 0: allowed are 1 to 1048576"),
        (lambda: block_floating_point(1, 16), "bits = 1: allowed are 2 to 32"),
        (
            lambda: MXFP4.dequantise(Blocks(np.zeros(64, int), np.zeros(3, int))),
            r"scales has shape \(3,\) for elements of \(64,\): allowed is one per 32 along axis -1",
        ),
        (
            lambda: MXFP4.dequantise(Blocks(np.full(32, 16), np.zeros(1, int))),
            r"elements\[0\] = 16: codes of e2m1 are 0 to 15",
        ),
    ],
)
def test_wrong_values_are_named(call: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: MXFP4.quantise(["a"] * 32), "values must be integers or floats .*, not <U1"),
        (
            lambda: SharedExponent("int8"),
            "element must be a float .*, not str: 'int8'; parse_format",
        ),
        (lambda: replace(MXFP4, scale_rule="floor"), "scale_rule must be ScaleRule, not str"),
        (lambda: NVFP4("16"), "block_size must be int, not str"),
        (
            lambda: MXFP4.dequantise(Blocks(np.ones(32), np.zeros(1, int))),
            "elements must be intege",
        ),
    ],
)
def test_wrong_kinds_are_named(call: object, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        call()
