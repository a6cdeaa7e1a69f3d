"""The lower level of two: exact sums, modulo the width of the sum, against Python's integers."""

import numpy as np
import pytest
import torch

from multipede.golden.formats import FP16, INT8, FixedPoint, Integer
from multipede.golden.integer_tile import TileOutput
from multipede.golden.mixpe import MixPE
from multipede.golden.multiplier_tile import MultiplierTile
from multipede.golden.second_level_dequantiser import SecondLevelDequantiser

SPECS = [
    SecondLevelDequantiser(),
    SecondLevelDequantiser(d=Integer(52), scale=Integer(5, signed=False)),
    SecondLevelDequantiser(d=FixedPoint(55, 24), scale=INT8, sum=63),
    SecondLevelDequantiser(d=Integer(3, signed=False), scale=Integer(2), sum=5),
    SecondLevelDequantiser(d=Integer(8, signed=False), scale=Integer(8, signed=False), sum=17),
]


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_sums_are_exact_modulo_their_width(spec):
    generator = np.random.default_rng(3)
    inputs = {}
    for name, port in spec.inputs.items():
        patterns = generator.integers(0, 1 << port.format.bits, 3000, dtype=np.uint64)
        codes = port.format.from_bits(patterns.astype(np.int64))
        corners = generator.choice(port.format.corners(), 3000)
        inputs[name] = np.where(generator.random(3000) < 0.3, corners, codes)
    outputs, state = spec.reference(**{name: torch.from_numpy(x) for name, x in inputs.items()})
    assert state is None
    half = 1 << (spec.total.bits - 1)
    triples = zip(*(inputs[name].tolist() for name in ("d", "scale", "sum")), strict=True)
    exact = [total + scale * d for d, scale, total in triples]
    expected = [(value + half) % (2 * half) - half for value in exact]
    assert outputs["z"].tolist() == expected
    wrapped = sum(value != wanted for value, wanted in zip(exact, expected, strict=True))
    assert 30 < wrapped < 2900


def test_the_sum_is_that_of_the_tile():
    tile = MixPE(scale=INT8)
    spec = SecondLevelDequantiser(d=tile.result, scale=INT8)
    assert spec.total == tile.channel_sum == Integer(19 + 8 + 10)
    floats = MixPE(activation=FP16, scale=INT8)
    spec = SecondLevelDequantiser(d=floats.outputs["d"].format, scale=INT8)
    assert spec.total == floats.channel_sum == FixedPoint(63, 24)


@pytest.mark.parametrize("d", [Integer(8), Integer(8, signed=False)], ids=str)
@pytest.mark.parametrize("scale", [Integer(8), Integer(8, signed=False)], ids=str)
def test_by_default_1024_groups_of_any_values_fit(d, scale):
    total = SecondLevelDequantiser(d=d, scale=scale).total
    products = [x * s for x in (d.minimum, d.maximum) for s in (scale.minimum, scale.maximum)]
    assert total.minimum <= 1024 * min(products)
    assert 1024 * max(products) <= total.maximum
    tile = MultiplierTile(
        weight=Integer(4, signed=False),
        activation=d,
        zero_point=False,
        scale=scale,
        output=TileOutput.DEQUANTISED,
    )
    low, high = tile.result_range
    products = [x * s for x in (low, high) for s in (scale.minimum, scale.maximum)]
    assert 1024 * max(products) <= tile.channel_sum.maximum
    assert tile.channel_sum.minimum <= 1024 * min(products)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"d": "fp16"}, TypeError, "d must be an integer format or a fixed-point"),
        ({"d": "int56"}, ValueError, "d = int56: with scale = int8 at most 55 bits are allowed"),
        ({"scale": "fp16"}, TypeError, "scale must be an integer format, not a float"),
        ({"scale": "int9"}, ValueError, "scale = int9: integers of 2 to 8 bits are allowed"),
        ({"d": "uint8", "scale": "uint8", "sum": "16"}, ValueError, "sum = 16: allowed are 17"),
        ({"d": "uint55", "scale": "uint8"}, ValueError, "at most 54 bits are allowed"),
        ({"sum": "26"}, ValueError, "sum = 26: allowed are 27 to 63"),
        ({"sum": "64"}, ValueError, "sum = 64: allowed are 27 to 63"),
        ({"stages": "13"}, ValueError, "stages = 13: allowed are 0 to 12"),
    ],
)
def test_bad_parameters(change, error, message):
    with pytest.raises(error, match=message):
        SecondLevelDequantiser.from_parameters(change)
