"""Dequantised tiles: every step rounded once, against exact rationals."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
import torch

from multipede.golden.formats import (
    BF16,
    FP16,
    FP32,
    INT8,
    UINT4,
    Integer,
    Overflow,
    Rounding,
)
from multipede.golden.integer_tile import TileOutput
from multipede.golden.matrix_product import group_sums
from multipede.golden.mixed_tile import Accumulation
from multipede.golden.mixpe import MixPE
from multipede.golden.multiplier_tile import MultiplierTile
from multipede.golden.quantisation import quantise_activations, quantise_weights
from tests.golden.pieces import check_in_pieces
from tests.golden.rational_oracle import Number, float_code, number, product, total
from tests.golden.test_mixed_tile import records as code_records

DEQUANTISED = TileOutput.DEQUANTISED
SHAPE = {"rows": 2, "columns": 3, "lanes": 2, "group": 4, "output": DEQUANTISED}
NEAREST = Rounding.NEAREST_EVEN
SPECS = [
    MixPE(**SHAPE),
    MixPE(scale=FP32, **SHAPE),
    MixPE(scale=BF16, activation=FP16, **SHAPE),
    MixPE(activation=BF16, **SHAPE),
    MixPE(activation=FP16, accumulation=Accumulation.ALIGNED, guard=2, scale=FP32, **SHAPE),
    MixPE(scale=INT8, **SHAPE),
    MixPE(scale=Integer(5, signed=False), channel_scale=FP16, **SHAPE),
    MixPE(scale=INT8, activation=FP16, **SHAPE),
    MultiplierTile(**SHAPE),
]


def records(spec: MixPE, count: int) -> dict[str, torch.Tensor]:
    """Random codes; half of the scales are numbers near 1."""
    inputs = code_records(spec, count)
    generator = np.random.default_rng(11)
    for name in spec.scales:
        port = spec.inputs[name]
        if not isinstance(port.format, Integer):
            near = port.format.encode(generator.lognormal(0, 2, (count, *port.shape)))
            use = generator.random(near.shape) < 0.7
            inputs[name] = torch.from_numpy(np.where(use, near, inputs[name].numpy()))
    inputs["last"] = torch.from_numpy((generator.random(count) < 0.15).astype(np.int64))
    inputs["last"][-1] = 1
    return inputs


def by_definition(spec: MixPE, inputs: dict[str, torch.Tensor]) -> list[list[int]]:
    """FP32 codes of each result, from the group sums and exact rationals."""
    groups, _ = spec.group_tile.reference(**{name: inputs[name] for name in spec.group_tile.inputs})
    ends, _ = spec.group_ends(inputs["last"], 0)
    sampled = ends.nonzero()[:, 0].tolist()
    d_format = spec.group_tile.outputs["d"].format
    results, first = [], 0
    for last in groups["last"].nonzero()[:, 0].tolist():
        members = range(first, last + 1)
        first = last + 1
        results.append(
            [
                one_result(spec, groups, inputs, d_format, members, sampled, row, column)
                for row, column in itertools.product(range(spec.rows), range(spec.columns))
            ]
        )
    return results


def one_result(spec, groups, inputs, d_format, members, sampled, row, column) -> int:
    y, z = 0, 0
    for group in members:
        if "nan" in groups and any(int(groups["nan"][g, row]) for g in members):
            return FP32.nan_code
        d = number(d_format, int(groups["d"][group, row, column]))
        if "exponent" in groups:
            shift = int(groups["exponent"][group, row]) - spec.exponent_offset
            d = d._replace(value=d.value * (2**shift if shift > 0 else 1) / (2 ** max(0, -shift)))
        code = int(inputs["scale"][sampled[group], column])
        if spec.second_level:
            z += code * d.value
        else:
            exact = total(product(d, number(spec.scale, code)), number(FP32, y), NEAREST)
            y = encoded(exact)
    if spec.second_level:
        if spec.channel_sum.bits == 63:
            half = Fraction(2**62, 2 ** getattr(d_format, "fraction_bits", 0))
            z = (z + half) % (2 * half) - half
        code = int(inputs["channel_scale"][sampled[members[-1]], column])
        y = encoded(product(Number(Fraction(z), z < 0), number(spec.channel_scale, code)))
    return y


def encoded(exact: Number) -> int:
    return float_code(FP32, exact, NEAREST, Overflow.INFINITY, FP32.nan_code)


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_every_step_is_rounded_once(spec):
    inputs = records(spec, 150)
    outputs, _ = spec.reference(**inputs)
    expected = by_definition(spec, inputs)
    assert len(expected) >= 15
    assert outputs["y"].reshape(-1, spec.rows * spec.columns).tolist() == expected
    assert len({code for codes in expected for code in codes}) > 40


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_in_pieces_it_gives_the_same(spec):
    check_in_pieces(spec, records(spec, 100))


def test_a_matrix_is_within_rounding_of_its_exact_product():
    """W4A8, k = 64 in groups of 16: Y against sum over groups of scale D in float64."""
    spec = MixPE(rows=4, columns=4, lanes=8, group=16, scale=FP32, output=DEQUANTISED)
    generator = torch.Generator().manual_seed(3)
    weights = quantise_weights(
        torch.randn(4, 64, generator=generator), format=UINT4, group=16, zero_point=True, name="w"
    )
    activations = quantise_activations(torch.randn(4, 64, generator=generator), format=INT8)
    cut = lambda codes: codes.reshape(4, 8, 8).permute(1, 0, 2)  # noqa: E731
    per_group = lambda values: values.T.repeat_interleave(2, dim=0)  # noqa: E731
    outputs, _ = spec.reference(
        a=cut(activations.codes),
        w=cut(weights.codes),
        z=per_group(weights.zeros),
        scale=per_group(weights.scales).view(torch.int32).to(torch.int64) & 0xFFFFFFFF,
        last=torch.tensor([0] * 7 + [1]),
    )
    y = torch.from_numpy(FP32.decode(outputs["y"][0].numpy()))
    terms = group_sums(activations, weights) * weights.scales.double()
    assert outputs["y"].shape == (1, 4, 4)
    assert ((y - terms.sum(dim=2)).abs() <= 4 * 2.0**-24 * terms.abs().sum(dim=2)).all()
    assert (y != terms.sum(dim=2)).any()


def test_as_many_dequantisers_as_never_stall():
    assert MixPE(output=DEQUANTISED).dequantisers == 1  # 16 results in 16 records
    assert MixPE(output=DEQUANTISED, group=32).dequantisers == 4
    assert MixPE(output=DEQUANTISED, group=8).dequantisers == 16
    assert MixPE(output=DEQUANTISED, rows=3, group=64).dequantisers == 2
    for group in (8, 16, 24, 40, 128, 1024):
        spec = MixPE(output=DEQUANTISED, rows=3, columns=5, group=group)
        assert spec.dequantiser_steps <= spec.records_per_group
        assert spec.dequantisers * spec.dequantiser_steps >= 15


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"scale": "int9"},
            "scale = int9: allowed are fp16, bf16 and fp32, and integers of 2 to 8 bits",
        ),
        ({"scale": "e4m3"}, "scale = e4m3: allowed are fp16, bf16 and fp32"),
        ({"scale": "ternary"}, "scale = ternary: allowed are fp16, bf16 and fp32, and"),
        ({"channel_scale": "int8"}, "channel_scale = int8: allowed are fp16, bf16 and fp32"),
        ({"dequantiser_stages": "9"}, "dequantiser_stages = 9: allowed are 0 to 8"),
        (
            {"activation": "bf16", "scale": "int8"},
            "scale = int8: aligned sums take fp16, bf16 and fp32",
        ),
        (
            {"activation": "bf16", "accumulation": "exact"},
            "output = dequantised: sums have 273 bits, at most 63 are allowed",
        ),
    ],
)
def test_bad_parameters(change, message):
    with pytest.raises((TypeError, ValueError), match=message):
        MixPE.from_parameters({"output": "dequantised"} | change)
