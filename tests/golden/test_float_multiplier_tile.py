"""Golden float multiplier tiles against rationals and numpy's float32."""

import numpy as np
import pytest
import torch

from multipede.golden.float_multiplier_tile import FloatMultiplierTile
from multipede.golden.float_tile import SumOrder
from multipede.golden.formats import BF16, E3M2, E4M3, E5M2, FP16, FP32, UE4M3, Float
from tests.golden.float64_oracle import decoded
from tests.golden.float_tile_oracle import numpy_results, rational_results, records
from tests.golden.pieces import check_in_pieces
from tests.golden.rational_oracle import number

SEQUENTIAL, TREE = SumOrder.SEQUENTIAL, SumOrder.TREE
SHAPE = {"rows": 2, "columns": 2, "lanes": 3}
SPECS = [
    FloatMultiplierTile(weight=weight, activation=activation, order=order, **SHAPE)
    for weight, activation in (
        (FP16, FP16),
        (BF16, BF16),
        (E4M3, E5M2),
        (E3M2, FP16),
        (UE4M3, BF16),
    )
    for order in SumOrder
] + [
    FloatMultiplierTile(rows=1, columns=2, lanes=7, weight=E5M2, activation=E5M2),
    FloatMultiplierTile(rows=1, columns=1, lanes=1, accumulator=FP16),
    FloatMultiplierTile(rows=1, columns=1, lanes=2, weight=FP32, activation=FP32),
    FloatMultiplierTile(rows=1, columns=1, lanes=2, weight=FP32, activation=FP32, order=SEQUENTIAL),
    FloatMultiplierTile(rows=1, columns=2, lanes=4, accumulator=Float(6, 9), order=SEQUENTIAL),
]


def factor(spec, inputs):
    return lambda record, column, lane: number(spec.weight, int(inputs["w"][record, column, lane]))


@pytest.mark.parametrize("wild", [0.0, 0.02, 0.5])
@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_every_step_is_rounded_once(spec, wild):
    inputs = records(spec, 60, wild=wild)
    outputs, _ = spec.reference(**inputs)
    expected = rational_results(spec, inputs, factor(spec, inputs))
    assert len(expected) >= 8
    assert outputs["y"].reshape(len(expected), -1).tolist() == expected
    if wild < 0.5:
        assert len({code for codes in expected for code in codes}) > 7


@pytest.mark.parametrize("order", SumOrder)
@pytest.mark.parametrize("lanes", [1, 2, 3, 5, 8, 13])
def test_numpy_gives_the_same(order, lanes):
    spec = FloatMultiplierTile(rows=2, columns=3, lanes=lanes, order=order)
    for wild in (0.0, 0.02):
        inputs = records(spec, 2000, wild=wild)
        outputs, _ = spec.reference(**inputs)
        expected = numpy_results(spec, inputs, decoded(FP16, inputs["w"].numpy()))
        assert expected.size > 1000
        assert np.array_equal(outputs["y"].numpy(), expected)
        assert (expected != FP32.nan_code).mean() > (0.9 if wild == 0 else 0.02)


def test_the_oracles_tell_the_orders_apart():
    """Else a wrong order could pass the tests above."""
    inputs = records(FloatMultiplierTile(lanes=4), 2000, wild=0)
    weights = decoded(FP16, inputs["w"].numpy())
    results = {
        order: numpy_results(FloatMultiplierTile(lanes=4, order=order), inputs, weights)
        for order in SumOrder
    }
    assert (results[TREE] != results[SEQUENTIAL]).mean() > 0.2


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_in_pieces_it_gives_the_same(spec):
    check_in_pieces(spec, records(spec, 100))


def codes(values) -> torch.Tensor:
    return torch.from_numpy(FP16.encode(np.array(values, np.float64))).reshape(1, 1, -1)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        # 1 is less than half a last place of 2**25; in the tree 1 + 1 come first.
        (SEQUENTIAL, 2.0**25),
        (TREE, 2.0**25),
    ],
)
def test_the_order_in_one_example(order, expected):
    spec = FloatMultiplierTile(rows=1, columns=1, lanes=4, order=order)
    a, w = codes([2.0**15, 1, 1, 1]), codes([2.0**10, 1, 1, 1])
    outputs, _ = spec.reference(a=a, w=w, last=torch.tensor([1]))
    assert FP32.decode(outputs["y"].numpy()).item() == expected
    a, w = codes([2.0**15, 0, 2, 1]), codes([2.0**10, 0, 1, 1])
    outputs, _ = spec.reference(a=a, w=w, last=torch.tensor([1]))
    beyond = 0 if order is SEQUENTIAL else 4
    assert FP32.decode(outputs["y"].numpy()).item() == expected + beyond


def test_the_sum_starts_at_plus_zero():
    """-0 alone gives +0, as +0 + -0 does."""
    for order in SumOrder:
        spec = FloatMultiplierTile(rows=1, columns=1, lanes=2, order=order)
        outputs, _ = spec.reference(a=codes([-0.0, -0.0]), w=codes([1, 1]), last=torch.tensor([1]))
        assert outputs["y"].tolist() == [[[0]]]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"weight": "e8m24-ieee"}, ValueError, "weight = e8m24-ieee: float_multiplier_tile takes"),
        ({"weight": "int8"}, TypeError, "weight = int8: .* takes floats of at most 32 bits"),
        (
            {"activation": "e9m23-ieee"},
            ValueError,
            "activation = e9m23-ieee: .* at most 32",
        ),
        ({"accumulator": "int8"}, TypeError, "accumulator must be a float format"),
        ({"accumulator": "e4m3"}, ValueError, "accumulator = e4m3: allowed are signed floats"),
        ({"accumulator": "e8m29-ieee"}, ValueError, "accumulator = e8m29-ieee: allowed are"),
        ({"order": "random"}, ValueError, "order = 'random': allowed are sequential, tree"),
        ({"lanes": "257"}, ValueError, "lanes = 257: allowed are 1 to 256"),
        ({"stages": "17"}, ValueError, "stages = 17: allowed are 1 to 16"),
    ],
)
def test_bad_parameters(change, error, message):
    with pytest.raises(error, match=message):
        FloatMultiplierTile.from_parameters(change)
