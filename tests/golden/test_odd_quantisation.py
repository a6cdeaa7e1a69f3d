"""Odd and ternary weights against exact rationals, by the rules in words and nothing else."""

from fractions import Fraction

import pytest
import torch

from multipede.golden.formats import (
    BINARY,
    FP16,
    INT8,
    ODD2,
    ODD4,
    ODD8,
    TERNARY,
    UINT2,
    UINT4,
    parse_format,
)
from multipede.golden.matrix_product import dequantised_product, group_sums
from multipede.golden.quantisation import quantise_activations, quantise_weights
from multipede.golden.ternary_quantisation import quantise_ternary
from tests.golden.test_quantisation import exact, fl, samples

ODD = [parse_format(f"odd{bits}") for bits in range(2, 9)]


def mean(group: list[Fraction]) -> Fraction:
    """Of magnitudes, summed in Python's float64 in order."""
    total = 0.0
    for value in group:
        total += float(abs(value))
    return fl(Fraction(total / len(group)))


@pytest.mark.parametrize("format", ODD, ids=str)
def test_odd_codes_are_the_nearest_of_all(format):
    """Searched for among all values; of two that are as near, the upper one."""
    values = [Fraction(value) for value in format.values]
    assert values == [2 * code - (len(values) - 1) for code in range(len(values))]
    compared = 0
    for group in samples(format.bits):
        result = quantise_weights(group[None], format=format, group=len(group))
        scale = fl(max(map(abs, exact(group))) / values[-1])
        assert exact(result.scales) == [scale]
        for weight, code in zip(exact(group), result.codes[0].tolist(), strict=True):
            step = fl(weight / scale) if scale else Fraction(0)
            assert code == min(range(len(values)), key=lambda c: (abs(values[c] - step), -c))
            compared += 1
        assert result.zeros is None
    assert compared >= 400


def test_ties_of_odd_codes_go_up():
    group = torch.tensor([[3.0, 2.0, 0.0, -0.0, -2.0, -3.0, 1.999, -2.001]])
    result = quantise_weights(group, format=ODD2, group=8)
    assert result.scales.tolist() == [[1]]
    assert result.offsets.tolist() == [[3, 3, 1, 1, -1, -3, 1, -3]]


def test_binary_codes_and_mean_scales():
    compared = 0
    for group in samples(1):
        result = quantise_weights(group[None], format=BINARY, group=len(group))
        assert result.codes.tolist() == [[int(weight >= 0) for weight in exact(group)]]
        assert exact(result.scales) == [mean(exact(group))]
        compared += len(group)
    assert compared >= 400


def test_ternary_codes_are_those_of_exact_rationals():
    compared, seen = 0, set()
    for group in samples(2):
        result = quantise_ternary(group[None], group=len(group))
        scale = mean(exact(group))
        steps = [round(fl(w / scale)) if scale else 0 for w in exact(group)]
        trits = [max(-1, min(1, step)) for step in steps]
        assert exact(result.scales) == [scale]
        assert result.format == UINT2
        assert result.zeros.tolist() == [[1]]
        assert result.codes.tolist() == [[trit + 1 for trit in trits]]
        assert result.offsets.tolist() == [trits]
        compared += len(trits)
        seen |= set(trits)
    assert compared >= 400
    assert seen == {-1, 0, 1}


@pytest.mark.parametrize("quantise", ["binary", "ternary"])
def test_a_short_last_group_has_its_own_mean(quantise):
    weights = torch.randn(3, 21, generator=torch.Generator().manual_seed(3))

    def quantised(values, group):
        if quantise == "ternary":
            return quantise_ternary(values, group=group)
        return quantise_weights(values, format=BINARY, group=group)

    whole, tail = quantised(weights, 8), quantised(weights[:, 16:], 5)
    assert whole.codes.shape == (3, 21)
    assert torch.equal(whole.codes[:, 16:], tail.codes)
    assert torch.equal(whole.scales[:, 2:], tail.scales)


@pytest.mark.parametrize("format", [BINARY, ODD2, ODD8], ids=str)
def test_a_group_of_zeros_is_worth_nothing(format):
    weights = torch.zeros(2, 8)
    weights[1, 0] = -1.0
    result = quantise_weights(weights, format=format, group=4)
    assert result.scales[0].tolist() == [0, 0]
    assert (result.offsets[0] == 1).all()
    activations = quantise_activations(torch.ones(3, 8), format=INT8)
    d = group_sums(activations, result)
    assert (d[:, 0] != 0).all()
    assert (dequantised_product(d, activations, result)[:, 0] == 0).all()
    zeros = quantise_ternary(weights, group=4)
    assert zeros.offsets.tolist() == [[0] * 8, [-1] + [0] * 7]


@pytest.mark.parametrize("format", [ODD2, ODD4, ODD8], ids=str)
def test_the_error_of_odd_codes_is_at_most_a_step(format):
    weights = torch.randn(20, 64, generator=torch.Generator().manual_seed(5))
    result = quantise_weights(weights, format=format, group=16)
    error = (result.dequantised() - weights.double()).abs()
    assert (error <= result.scales.double().repeat_interleave(16, dim=1) * (1 + 1e-5)).all()
    assert result.bits_per_weight(scale_bits=16) == format.bits + 1


@pytest.mark.parametrize("number_format", [BINARY, ODD4, "ternary"], ids=str)
def test_scales_of_two_levels(number_format):
    weights = torch.randn(4, 40, generator=torch.Generator().manual_seed(6))

    def quantised(scale):
        if number_format == "ternary":
            return quantise_ternary(weights, group=16, scale=scale)
        return quantise_weights(weights, format=number_format, group=16, scale=scale)

    plain, levelled = quantised(None), quantised(INT8)
    assert torch.equal(levelled.scales, levelled.levels.scales)
    channel = levelled.levels.channel_scales.double()[:, None]
    assert ((levelled.scales - plain.scales.double()).abs() <= channel / 2 * (1 + 1e-6)).all()
    divisors = levelled.levels.divisors.repeat_interleave(16, dim=1)[:, :40]
    steps = (weights / divisors).double()
    nearest = 2 * torch.floor(steps / 2) + 1
    if number_format == "ternary":
        nearest = torch.round(steps).clamp(-1, 1)
    elif number_format == BINARY:
        nearest = torch.where(weights >= 0, 1, -1)
    else:
        nearest = nearest.clamp(-15, 15)
    assert torch.equal(levelled.offsets.double(), nearest.double())


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            {"format": TERNARY},
            ValueError,
            "format = ternary: of codebooks allowed are binary, odd2, .*; ternary weights are uint2"
            " with zero points of 1, as quantise_ternary makes them",
        ),
        ({"zero_point": True}, ValueError, "zero_point = True: odd2 has none"),
        ({"zero_point": 1}, TypeError, "zero_point must be bool"),
        ({"scale": UINT2, "group": 0}, ValueError, "group = 0: allowed are 1 to 1024"),
        ({"weights": torch.tensor([[float("nan")]])}, ValueError, r"weights\[0, 0\] = nan"),
    ],
)
def test_bad_arguments_are_named(change, error, message):
    arguments = {"weights": torch.ones(2, 4), "format": ODD2, "group": 4} | change
    with pytest.raises(error, match=message):
        quantise_weights(arguments.pop("weights"), **arguments)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"group": 1025}, ValueError, "group = 1025: allowed are 1 to 1024"),
        ({"scale": FP16}, TypeError, "scale must be an integer format, not a float"),
        ({"weights": torch.ones(4)}, ValueError, r"shape \(4,\): a matrix is needed"),
        ({"weights": torch.tensor([[torch.inf]]), "name": "w"}, ValueError, r"w\[0, 0\] = inf"),
    ],
)
def test_bad_arguments_of_ternary_are_named(change, error, message):
    arguments = {"weights": torch.ones(2, 4), "group": 4} | change
    with pytest.raises(error, match=message):
        quantise_ternary(arguments.pop("weights"), **arguments)


def test_ternary_offsets_are_not_those_of_four_values():
    """What tells ternary from two bits with a zero point is the rule of the scale."""
    weights = torch.randn(3, 32, generator=torch.Generator().manual_seed(8))
    assert quantise_weights(weights, format=UINT2, group=16).codes.max() == 3
    assert quantise_ternary(weights, group=16).codes.max() == 2
    assert quantise_weights(weights, format=UINT4, group=16).codes.max() == 15
