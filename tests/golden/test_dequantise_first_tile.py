"""Golden tiles that dequantise first: the factors and the sums against rationals and numpy."""

import numpy as np
import pytest
import torch

from multipede.golden.dequantise_first_tile import DequantiseFirstTile
from multipede.golden.float_tile import SumOrder
from multipede.golden.formats import BF16, E4M3, FP16, FP32, INT4, UINT4, UINT8, Integer
from tests.golden.float64_oracle import decoded
from tests.golden.float_tile_oracle import (
    float_code_of,
    numpy_results,
    rational_results,
    records,
)
from tests.golden.pieces import check_in_pieces
from tests.golden.rational_oracle import number, product

SEQUENTIAL, TREE = SumOrder.SEQUENTIAL, SumOrder.TREE
SHAPE = {"rows": 2, "columns": 2, "lanes": 2}
SPECS = [
    DequantiseFirstTile(**SHAPE),
    DequantiseFirstTile(order=SEQUENTIAL, weight=INT4, zero_point=False, **SHAPE),
    DequantiseFirstTile(weight=INT4, scale=BF16, dequantised=BF16, activation=BF16, **SHAPE),
    DequantiseFirstTile(weight=UINT8, scale=FP32, order=SEQUENTIAL, **SHAPE),
    DequantiseFirstTile(weight=Integer(1), dequantised=E4M3, rows=1, columns=3, lanes=4),
]


def factor(spec, inputs):
    """The weight's number, from q, z and the scale."""

    def found(record, column, lane):
        difference = int(inputs["w"][record, column, lane])
        if spec.zero_point:
            difference -= int(inputs["z"][record, column])
        scale = number(spec.scale, int(inputs["scale"][record, column]))
        exact = product(number(Integer(16), difference), scale)
        return number(spec.dequantised, float_code_of(spec.dequantised, exact))

    return found


@pytest.mark.parametrize("wild", [0.0, 0.1])
@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_every_step_is_rounded_once(spec, wild):
    inputs = records(spec, 80, wild=wild)
    outputs, _ = spec.reference(**inputs)
    expected = rational_results(spec, inputs, factor(spec, inputs))
    assert len(expected) >= 8
    assert outputs["y"].reshape(len(expected), -1).tolist() == expected
    assert len({code for codes in expected for code in codes}) > 10


@pytest.mark.parametrize("order", SumOrder)
@pytest.mark.parametrize("lanes", [1, 3, 8])
def test_numpy_gives_the_same(order, lanes):
    """(q - z) scale is exact in float32, and numpy rounds it to float16."""
    spec = DequantiseFirstTile(rows=2, columns=3, lanes=lanes, group=lanes, order=order)
    inputs = records(spec, 2000, wild=0.002)
    difference = (inputs["w"] - inputs["z"][:, :, None]).numpy().astype(np.float32)
    scale = decoded(FP16, inputs["scale"].numpy()).astype(np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        weights = (difference * scale[:, :, None]).astype(np.float16).astype(np.float64)
    outputs, _ = spec.reference(**inputs)
    expected = numpy_results(spec, inputs, weights)
    assert expected.size > 1000
    assert np.array_equal(outputs["y"].numpy(), expected)
    assert (expected != FP32.nan_code).mean() > 0.5


def test_all_weights_zero_points_and_some_scales():
    """The factor alone: one lane, an activation of 1."""
    spec = DequantiseFirstTile(rows=1, columns=1, lanes=1, group=1, weight=UINT4)
    generator = np.random.default_rng(5)
    scales = np.concatenate([FP16.corners(), generator.integers(0, 1 << 16, 100)])
    w, z, scale = (x.ravel() for x in np.meshgrid(np.arange(16), np.arange(16), scales))
    ones = np.full(len(w), FP16.encode(1.0), np.int64)
    outputs, _ = spec.reference(
        a=torch.from_numpy(ones[:, None, None]),
        w=torch.from_numpy(w[:, None, None]),
        z=torch.from_numpy(z[:, None]),
        scale=torch.from_numpy(scale[:, None]),
        last=torch.ones(len(w), dtype=torch.int64),
    )
    with np.errstate(over="ignore", invalid="ignore"):
        exact = (w - z).astype(np.float64) * decoded(FP16, scale)
        expected = exact.astype(np.float16).astype(np.float32)
    y = FP32.decode(outputs["y"].numpy().ravel())
    assert np.array_equal(y, expected, equal_nan=True)
    assert len(y) > 30_000


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_in_pieces_it_gives_the_same(spec):
    check_in_pieces(spec, records(spec, 100))


def test_a_sum_goes_on_over_groups_with_the_scales_of_each_record():
    spec = DequantiseFirstTile(rows=1, columns=1, lanes=1, group=2, zero_point=False)
    count = 6
    inputs = {
        "a": torch.full((count, 1, 1), int(FP16.encode(1.0))),
        "w": torch.ones((count, 1, 1), dtype=torch.int64),
        "scale": torch.from_numpy(FP16.encode(np.arange(1.0, count + 1)))[:, None],
        "last": torch.tensor([0, 0, 0, 0, 1, 1]),
    }
    outputs, _ = spec.reference(**inputs)
    assert FP32.decode(outputs["y"].numpy()).ravel().tolist() == [1 + 2 + 3 + 4 + 5, 6]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"weight": "int9"}, ValueError, "weight = int9: .* takes integers of 1 to 8 bits"),
        ({"weight": "fp16"}, TypeError, "weight = fp16: .* takes integers of 1 to 8 bits"),
        ({"scale": "e4m3"}, ValueError, "scale = e4m3: allowed are fp16, bf16 and fp32"),
        ({"scale": "int8"}, TypeError, "scale = int8: allowed are fp16, bf16 and fp32"),
        ({"dequantised": "e8m24-ieee"}, ValueError, "dequantised = .* of at most 32 bits"),
        ({"dequantised": "e2m1"}, ValueError, "dequantised = e2m1: a signed float with NaN"),
        ({"group": "12"}, ValueError, "group = 12: it must be a multiple of lanes = 8"),
        ({"zero_point": "1"}, ValueError, "zero_point = '1': allowed are true and false"),
    ],
)
def test_bad_parameters(change, error, message):
    with pytest.raises(error, match=message):
        DequantiseFirstTile.from_parameters(change)
