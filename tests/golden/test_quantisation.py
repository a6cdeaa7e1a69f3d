"""Quantisers against exact rationals, by the rules in words and nothing else."""

from dataclasses import replace
from fractions import Fraction

import pytest
import torch

from multipede.golden.formats import (
    BF16,
    E4M3,
    FP16,
    FP32,
    INT1,
    INT2,
    INT4,
    INT8,
    INT16,
    UINT1,
    UINT4,
    UINT8,
    Integer,
)
from multipede.golden.matrix_product import dequantised_product, group_sums
from multipede.golden.quantisation import ScaleLevels, quantise_activations, quantise_weights

WEIGHT_FORMATS = [Integer(bits, signed) for bits in range(1, 9) for signed in (False, True)]
SYMMETRIC_FORMATS = [format for format in WEIGHT_FORMATS if format.signed and format.bits > 1]


def fl(value: Fraction) -> Fraction:
    """The float32 nearest to a rational, ties to even, from the definition of the format."""
    if value == 0:
        return value
    exponent = value.numerator.bit_length() - value.denominator.bit_length()
    if abs(value) < Fraction(2) ** exponent:
        exponent -= 1
    exponent = max(exponent, -126)
    step = Fraction(2) ** (exponent - 23)
    return round(value / step) * step


def exact(tensor: torch.Tensor) -> list[Fraction]:
    return [Fraction(value) for value in tensor.double().flatten().tolist()]


def clamp(value: int, low: int, high: int) -> int:
    return max(low, min(high, value))


def asymmetric(group: list[Fraction], q_min: int, q_max: int) -> tuple[Fraction, int, list[int]]:
    low, high = min(0, *group, 0), max(0, *group, 0)
    scale = fl(fl(high - low) / (q_max - q_min))
    divisor = scale or 1
    zero = clamp(q_min + round(fl(-low / divisor)), q_min, q_max)
    return scale, zero, [clamp(zero + round(fl(w / divisor)), q_min, q_max) for w in group]


def symmetric(group: list[Fraction], q_max: int) -> tuple[Fraction, list[int]]:
    scale = fl(max(abs(w) for w in group) / q_max)
    return scale, [clamp(round(fl(w / (scale or 1))), -q_max, q_max) for w in group]


def samples(seed: int) -> list[torch.Tensor]:
    """Groups of 1 to 40 values: ordinary, one-sided, tiny, huge, with outliers and ties."""
    generator = torch.Generator().manual_seed(seed)
    groups = []
    for length in (1, 2, 7, 40):
        normal = torch.randn(length, generator=generator)
        outlier = normal.clone()
        outlier[0] = 1000.0
        groups += [normal, normal.abs() + 3, -normal.abs() - 3, outlier]
        groups += [normal * 1e-44, normal * 1e-40, normal * 3e37, torch.zeros(length)]
        groups += [torch.randint(-15, 16, (length,), generator=generator) / 2, normal * 0 + 0.75]
    return groups


@pytest.mark.parametrize("format", WEIGHT_FORMATS, ids=str)
def test_asymmetric_codes_are_those_of_exact_rationals(format):
    compared = 0
    for group in samples(format.bits):
        result = quantise_weights(group[None], format=format, group=len(group), zero_point=True)
        scale, zero, codes = asymmetric(exact(group), format.minimum_code, format.maximum_code)
        assert exact(result.scales) == [scale]
        assert result.zeros.tolist() == [[zero]]
        assert result.codes.tolist() == [codes]
        compared += len(codes)
    assert compared >= 400


@pytest.mark.parametrize("format", SYMMETRIC_FORMATS, ids=str)
def test_symmetric_codes_are_those_of_exact_rationals(format):
    compared = 0
    for group in samples(format.bits):
        result = quantise_weights(group[None], format=format, group=len(group))
        scale, codes = symmetric(exact(group), format.maximum_code)
        assert result.zeros is None
        assert exact(result.scales) == [scale]
        assert result.codes.tolist() == [codes]
        compared += len(codes)
    assert compared >= 400


@pytest.mark.parametrize("scale", [INT8, INT2, UINT4], ids=str)
@pytest.mark.parametrize("format", [UINT4, INT4], ids=str)
def test_scales_of_two_levels_are_those_of_exact_rationals(format, scale):
    """Outputs are of four groups each, of one length."""
    compared = 0
    listed = [group for group in samples(3) if len(group) == 7]
    for first in range(len(listed)):
        four = [listed[(first + index) % len(listed)] for index in range(4)]
        row = torch.cat(four)[None]
        result = quantise_weights(row, format=format, group=7, scale=scale)
        plain = [fl(span(exact(group), format)) for group in four]
        channel = fl(max(plain) / scale.maximum)
        codes = [clamp(round(fl(s / channel)), 1, scale.maximum) if s else 0 for s in plain]
        assert result.levels.format == scale
        assert exact(result.levels.channel_scales) == [channel]
        assert result.levels.codes.tolist() == [codes]
        assert exact(result.scales) == [code * channel for code in codes]
        for index, (group, code) in enumerate(zip(four, codes, strict=True)):
            divisor = fl(code * channel) or 1
            low, high = format.minimum_code, format.maximum_code
            if format is UINT4:
                zero = clamp(round(fl(-min(0, *exact(group)) / divisor)), low, high)
                assert result.zeros[0, index] == zero
            else:
                zero, low = 0, -high
            steps = [clamp(zero + round(fl(w / divisor)), low, high) for w in exact(group)]
            assert result.codes[0, 7 * index : 7 * index + 7].tolist() == steps
            compared += 7
    assert compared == 7 * 4 * len(listed) >= 280
    bits = result.bits_per_weight(scale_bits=16)
    zeros = 4 * format.bits if format is UINT4 else 0
    assert bits == format.bits + (zeros + 4 * scale.bits + 16) / 28


def span(group: list[Fraction], format: Integer) -> Fraction:
    """The scale of one level before its rounding."""
    if format.signed:
        return max(abs(w) for w in group) / format.maximum_code
    return fl(max(0, *group) - min(0, *group)) / format.maximum_code


def test_a_channel_scale_that_underflows_gives_zeros():
    """The groups' own scales, 60 of the smallest number, do not."""
    values = torch.full((1, 2), 420 * 2.0**-149)
    assert (quantise_weights(values, format=INT4, group=1).scales > 0).all()
    result = quantise_weights(values, format=INT4, group=1, scale=INT8)
    assert result.levels.codes.tolist() == [[0, 0]]
    assert result.codes.tolist() == [[0, 0]]
    assert result.dequantised().tolist() == [[0, 0]]


def test_a_coarse_channel_scale_limits_the_codes_of_scales():
    """190 of the smallest number by 127 is one and a half of it, and is rounded to one."""
    values = torch.full((1, 2), 190 * 7 * 2.0**-149)
    result = quantise_weights(values, format=INT4, group=1, scale=INT8)
    assert exact(result.levels.channel_scales) == [Fraction(2) ** -149]
    assert result.levels.codes.tolist() == [[127, 127]]


@pytest.mark.parametrize("format", [INT2, UINT1, INT4], ids=str)
def test_the_largest_weights_keep_their_codes(format):
    """Their scale in two levels is beyond the largest float32."""
    largest = torch.finfo(torch.float32).max
    values = torch.tensor([[largest, 0.0, 1.0, 2.0]])
    for scale in (INT8, Integer(5, signed=False), Integer(6), None):
        result = quantise_weights(values, format=format, group=2, scale=scale)
        zero = 0 if result.zeros is None else int(result.zeros[0, 0])
        assert result.codes[0, 0] == format.maximum_code
        assert result.codes[0, 1] == zero


def test_bits_per_weight_count_each_outputs_scale():
    values = torch.randn(3, 20, generator=torch.Generator().manual_seed(5))
    result = quantise_weights(values, format=INT4, group=5, scale=INT8)
    assert result.bits_per_weight(scale_bits=16) == 4 + 3 * (4 * 8 + 16) / 60


def levels_of(codes, channel_scales) -> ScaleLevels:
    return ScaleLevels(INT8, torch.tensor(codes), torch.tensor(channel_scales))


@pytest.mark.parametrize(
    ("codes", "channel_scales", "message"),
    [
        ([[1, 200]], [1.0], r"codes of scales\[0, 1\] = 200: 0 to 127 are allowed in int8"),
        ([[-3, 2]], [1.0], r"codes of scales\[0, 0\] = -3: 0 to 127 are allowed in int8"),
        ([[1, 2]], [float("nan")], r"channel_scales of weights\[0\] = nan"),
        ([[1, 2]], [-1.0], r"channel_scales of weights\[0\] = -1"),
        ([[1], [2]], [1.0], r"channel_scales of weights have shape \(1,\)"),
        ([1, 2], [1.0, 1.0], r"the codes of scales \(2,\): \[N\] and \[N, G\] are needed"),
    ],
)
def test_levels_that_are_none(codes, channel_scales, message):
    with pytest.raises(ValueError, match=message):
        levels_of(codes, channel_scales)


def test_levels_must_be_those_of_the_scales():
    good = quantise_weights(torch.ones(1, 4), format=INT4, group=2, scale=INT8)
    with pytest.raises(ValueError, match="are not the products of their two levels"):
        replace(good, levels=levels_of([[1, 2]], [1.0]))


@pytest.mark.parametrize(
    ("scale", "format", "error", "message"),
    [
        (FP16, UINT4, TypeError, "scale must be an integer format, not a float"),
        (INT1, UINT4, ValueError, "scale = int1: integers of 2 to 8 bits are needed"),
        (INT16, UINT4, ValueError, "scale = int16: integers of 2 to 8 bits are needed"),
        (INT8, FP16, ValueError, "scale = int8: fp16 weights have none"),
    ],
)
def test_bad_second_levels(scale, format, error, message):
    with pytest.raises(error, match=message):
        quantise_weights(torch.ones(2, 4), format=format, group=2, scale=scale)


@pytest.mark.parametrize("format", [INT4, INT8, INT16], ids=str)
def test_activation_codes_are_those_of_exact_rationals(format):
    groups = [group for group in samples(9) if len(group) == 40]
    result = quantise_activations(torch.stack(groups), format=format)
    for index, group in enumerate(groups):
        scale, codes = symmetric(exact(group), format.maximum_code)
        assert Fraction(result.scales[index].item()) == scale
        assert result.codes[index].tolist() == codes
    assert len(groups) >= 10
    assert result.codes.abs().max() == format.maximum_code


def test_types_and_shapes():
    result = quantise_weights(torch.ones(3, 10), format=UINT4, group=4)
    assert (result.codes.dtype, result.codes.shape) == (torch.int64, (3, 10))
    assert (result.zeros.dtype, result.zeros.shape) == (torch.int64, (3, 3))
    assert (result.scales.dtype, result.scales.shape) == (torch.float32, (3, 3))
    assert result.groups == 3
    assert result.bits_per_weight() == 4 + 9 * (4 + 32) / 30
    assert quantise_weights(torch.ones(3, 10), format=INT4, group=4).zeros is None


def test_known_group():
    result = quantise_weights(torch.tensor([[-1.0, 2.0, 0.0, 0.1, 0.3]]), format=UINT4, group=5)
    assert result.scales.item() == pytest.approx(0.2)
    assert result.zeros.tolist() == [[5]]
    # 0.1 / 0.2 and 0.3 / 0.2 are ties in decimals; in float32 0.3 / 0.2 is above 1.5.
    assert result.codes.tolist() == [[0, 15, 5, 5, 7]]


@pytest.mark.parametrize("format", [UINT1, UINT4, UINT8, INT1, INT4], ids=str)
def test_a_group_of_zeros_contributes_nothing(format):
    weights = torch.zeros(2, 8)
    weights[1, 0] = 1.0
    weights[0, 1] = -0.0
    result = quantise_weights(weights, format=format, group=4, zero_point=True)
    assert result.scales[0].tolist() == [0.0, 0.0]
    assert (result.codes[0] == result.zeros[0].repeat_interleave(4)).all()
    activations = quantise_activations(torch.randn(3, 8), format=INT8)
    d = group_sums(activations, result)
    assert (d[:, 0] == 0).all()
    assert torch.isfinite(dequantised_product(d, activations, result)).all()


def test_tokens_of_zeros_have_scale_zero():
    result = quantise_activations(torch.zeros(2, 5), format=INT8)
    assert result.scales.tolist() == [0.0, 0.0]
    assert (result.codes == 0).all()


@pytest.mark.parametrize("sign", [1, -1])
def test_one_sided_groups_keep_a_code_for_zero(sign):
    weights = sign * torch.linspace(3, 4, 16)[None]
    result = quantise_weights(weights, format=UINT4, group=16)
    assert result.zeros.item() == (0 if sign > 0 else 15)
    assert result.scales.item() == pytest.approx(4 / 15)
    assert (result.dequantised() - weights).abs().max() <= result.scales.item() / 2 + 1e-6


def test_a_short_last_group_is_quantised_by_itself():
    weights = torch.randn(3, 21, generator=torch.Generator().manual_seed(3))
    whole = quantise_weights(weights, format=UINT4, group=8)
    tail = quantise_weights(weights[:, 16:], format=UINT4, group=5)
    assert torch.equal(whole.codes[:, 16:], tail.codes)
    assert torch.equal(whole.zeros[:, 2:], tail.zeros)
    assert torch.equal(whole.scales[:, 2:], tail.scales)


@pytest.mark.parametrize("format", WEIGHT_FORMATS, ids=str)
def test_the_error_is_at_most_one_step(format):
    weights = torch.randn(20, 64, generator=torch.Generator().manual_seed(5))
    result = quantise_weights(weights, format=format, group=16, zero_point=True)
    steps = result.scales.double().repeat_interleave(16, dim=1)
    error = (result.dequantised() - weights.double()).abs()
    assert (error <= steps * (1 + 1e-6)).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_floats_are_taken_as_float32(dtype):
    weights = torch.randn(4, 32, generator=torch.Generator().manual_seed(1)).to(dtype)
    first = quantise_weights(weights, format=UINT4, group=8)
    second = quantise_weights(weights.to(torch.float32), format=UINT4, group=8)
    assert torch.equal(first.codes, second.codes)
    assert torch.equal(first.scales, second.scales)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_values_that_are_not_finite_are_named(value, dtype):
    weights = torch.zeros(3, 4, dtype=dtype)
    weights[1, 2] = value
    with pytest.raises(ValueError, match=rf"^layer\.weight\[1, 2\] = {value}: finite"):
        quantise_weights(weights, format=UINT4, group=4, name="layer.weight")
    with pytest.raises(ValueError, match=rf"^activations\[1, 2\] = {value}: finite"):
        quantise_activations(weights, format=INT8)


def test_ranges_and_values_beyond_float32_are_refused():
    with pytest.raises(ValueError, match=r"range of w by row and group\[0, 1\] = inf"):
        quantise_weights(torch.tensor([[1.0, 2.0, 3e38, -3e38]]), format=UINT4, group=2, name="w")
    with pytest.raises(ValueError, match=r"weights\[0, 1\] = 1e\+300: finite float32"):
        quantise_weights(torch.tensor([[1.0, 1e300]], dtype=torch.float64), format=UINT4, group=2)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"format": Integer(9)}, ValueError, "format = int9: integers of 1 to 8 bits"),
        (
            {"format": "uint4"},
            TypeError,
            r"format must be an integer format, not str: .* parse_format\('uint4'",
        ),
        (
            {"format": E4M3},
            ValueError,
            "format = e4m3: weights may be signed floats of 9 to 16 bits",
        ),
        (
            {"format": FP32},
            ValueError,
            "format = fp32: weights may be signed floats of 9 to 16 bits",
        ),
        ({"format": FP16, "zero_point": True}, ValueError, "zero_point = True: fp16 has none"),
        (
            {"format": FP16, "weights": torch.full((1, 2), 1e6)},
            ValueError,
            r"weights: values\[0, 0\] = 1000000.0: .*fp16 holds",
        ),
        ({"group": 0}, ValueError, "group = 0: allowed are 1 to 1024"),
        ({"group": 2.0}, TypeError, "group must be int, not float"),
        ({"zero_point": 1}, TypeError, "zero_point must be bool"),
        ({"zero_point": False}, ValueError, "format = uint4: without a zero point signed"),
        ({"format": INT1}, ValueError, "format = int1: without a zero point signed"),
        ({"weights": torch.ones(4)}, ValueError, r"shape \(4,\): a matrix is needed"),
        ({"weights": torch.ones(0, 4)}, ValueError, r"shape \(0, 4\): a matrix is needed"),
        ({"weights": torch.ones(2, 4, dtype=torch.int8)}, TypeError, "not torch.int8"),
        ({"weights": [[1.0]]}, TypeError, "weights must be a tensor, not list$"),
    ],
)
def test_bad_arguments_are_named(change, error, message):
    arguments = {"weights": torch.ones(2, 4), "format": UINT4, "group": 4} | change
    with pytest.raises(error, match=message):
        quantise_weights(arguments.pop("weights"), **arguments)


@pytest.mark.parametrize("format", [INT1, UINT8, Integer(17)], ids=str)
def test_bad_activation_formats_are_named(format):
    with pytest.raises(ValueError, match=f"format = {format}"):
        quantise_activations(torch.ones(2, 2), format=format)


def test_a_planted_error_would_be_seen():
    """Twin of the oracle tests: one code off by one is a difference."""
    group = samples(4)[3]
    result = quantise_weights(group[None], format=INT2, group=len(group), zero_point=True)
    _, _, codes = asymmetric(exact(group), -2, 1)
    codes[-1] += 1
    assert result.codes.tolist() != [codes]


@pytest.mark.parametrize("format", [FP16, BF16], ids=str)
def test_float_weights_are_rounded_as_they_are(format):
    generator = torch.Generator().manual_seed(12)
    weights = torch.randn(5, 70, generator=generator) * 2.0**-10
    result = quantise_weights(weights, format=format, group=16)
    dtype = torch.float16 if format is FP16 else torch.bfloat16
    assert torch.equal(result.dequantised(), weights.to(dtype).double())
    assert (result.zeros, result.scales, result.groups) == (None, None, 5)
    assert result.bits_per_weight() == 16
    with pytest.raises(ValueError, match=f"format = {format}: integer weights are needed"):
        _ = result.offsets
    activations = quantise_activations(torch.ones(2, 70), format=INT8)
    with pytest.raises(ValueError, match=f"weight = {format}: integer or odd weights are needed"):
        group_sums(activations, result)
