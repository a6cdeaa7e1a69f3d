"""Blocks with shared scales against gfloat, exact rationals, and identities of the definition."""

import math
from dataclasses import replace
from fractions import Fraction
from functools import cache

import gfloat
import gfloat.formats
import ml_dtypes
import numpy as np
import pytest
import torch

from multipede.golden.blocks import (
    MXFP4,
    MXFP6_E2M3,
    MXFP6_E3M2,
    MXFP8_E4M3,
    MXFP8_E5M2,
    MXINT8,
    NVFP4,
    Blocks,
    ScaleRule,
    SharedExponent,
    block_floating_point,
)
from multipede.golden.formats import (
    E2M1,
    E4M3,
    E8M0,
    FP16,
    FP32,
    INT4,
    UE4M3,
    UINT4,
    FixedPoint,
    Float,
    Rounding,
)

SEED = 20251122
MX = {
    "mxfp8_e4m3": MXFP8_E4M3,
    "mxfp8_e5m2": MXFP8_E5M2,
    "mxfp6_e2m3": MXFP6_E2M3,
    "mxfp6_e3m2": MXFP6_E3M2,
    "mxfp4": MXFP4,
    "mxint8": MXINT8,
}
GFLOAT = {
    "mxfp8_e4m3": gfloat.formats.format_info_mxfp8_e4m3,
    "mxfp8_e5m2": gfloat.formats.format_info_mxfp8_e5m2,
    "mxfp6_e2m3": gfloat.formats.format_info_mxfp6_e2m3,
    "mxfp6_e3m2": gfloat.formats.format_info_mxfp6_e3m2,
    "mxfp4": gfloat.formats.format_info_mxfp4_e2m1,
    "mxint8": gfloat.formats.format_info_mxint8,
}
# floor(log2(maximum)), maximum and mantissa bits of the elements, from the OCP tables.
ELEMENTS = {
    "mxfp8_e4m3": (8, Fraction(448), 3),
    "mxfp8_e5m2": (15, Fraction(57344), 2),
    "mxfp6_e2m3": (2, Fraction(15, 2), 3),
    "mxfp6_e3m2": (4, Fraction(28), 2),
    "mxfp4": (2, Fraction(6), 1),
    "mxint8": (0, Fraction(127, 64), 6),
}


def sample(random_blocks: int, block_size: int = 32) -> np.ndarray:
    """FP32 values in blocks of very different magnitude, and 36 blocks more whose amax is a
    power of two, an element maximum, a boundary of EVEN, or next to one."""
    rng = np.random.default_rng(SEED)
    shape = (random_blocks + 36, block_size)
    values = rng.normal(size=shape) * 2.0 ** rng.integers(-30, 30, (shape[0], 1))
    tops = np.array([1, 448, 57344, 7.5, 28, 6, 127 / 64, 1.5, 1.75, 1.9375, 1.875, 1.984375])
    tops = np.concatenate([tops, np.nextafter(tops, 0, dtype=np.float32), tops * (1 + 2.0**-23)])
    for block, top in enumerate(tops):
        values[block] = np.clip(values[block], -top / 2, top / 2)
        values[block, block % block_size] = -top
    return values.astype(np.float32).astype(np.float64)


def floor_log2(value: Fraction) -> int:
    exponent = value.numerator.bit_length() - value.denominator.bit_length()
    return exponent if Fraction(2) ** exponent <= value else exponent - 1


def ceil_log2(value: Fraction) -> int:
    return -floor_log2(1 / value)


def wanted_exponent(name: str, rule: ScaleRule, block: np.ndarray) -> int:
    """The exponent of the scale, from the definition."""
    emax, maximum, mantissa_bits = ELEMENTS[name]
    amax = max(abs(Fraction(value)) for value in block.tolist())
    if amax == 0:
        return -127
    match rule:
        case ScaleRule.FLOOR:
            exponent = floor_log2(amax) - emax
        case ScaleRule.CEIL:
            exponent = ceil_log2(amax) - emax
        case ScaleRule.EVEN:
            step = Fraction(2) ** (floor_log2(amax) - mantissa_bits)
            exponent = floor_log2(math.floor(amax / step + Fraction(1, 2)) * step) - emax
        case ScaleRule.RCEIL:
            exponent = ceil_log2(amax / maximum)
    return min(max(exponent, -127), 127)


@cache
def finite_elements(form: SharedExponent) -> tuple[np.ndarray, np.ndarray]:
    """The element codes that quantisation may yield, and their values."""
    codes = form.element.codes()
    if form.symmetric and isinstance(form.element, FixedPoint):
        codes = codes[1:]
    values = form.element.decode(codes)
    finite = np.isfinite(values)
    return codes[finite], values[finite]


def wanted_elements(form: SharedExponent, value: Fraction) -> set[int]:
    """The codes of the nearest element: of two, the even ones; of zero, both signs."""
    codes, values = finite_elements(form)
    near = np.argsort(np.abs(values - float(value)))[:6]
    distances = {int(codes[i]): abs(Fraction(values[i]) - value) for i in near}
    nearest = {code for code, gap in distances.items() if gap == min(distances.values())}
    return {code for code in nearest if code % 2 == 0} or nearest


def mismatches(name: str, form: SharedExponent, rule: ScaleRule, values: np.ndarray) -> int:
    """How many codes of `form` differ from what the definition of `name` and `rule` asks."""
    got = form.quantise(values)
    wrong = 0
    for block, scale, elements in zip(values, got.scales[:, 0], got.elements, strict=True):
        exponent = wanted_exponent(name, rule, block)
        wrong += int(scale != exponent + 127)
        if isinstance(form.element, Float):
            wrong += int((np.signbit(form.element.decode(elements)) != np.signbit(block)).sum())
        for value, code in zip(block.tolist(), elements.tolist(), strict=True):
            scaled = Fraction(value) / Fraction(2) ** exponent
            wrong += int(code not in wanted_elements(form, scaled))
    return wrong


@pytest.mark.parametrize("rule", ScaleRule)
@pytest.mark.parametrize("name", MX)
def test_scales_equal_rationals(name: str, rule: ScaleRule) -> None:
    form = replace(MX[name], scale_rule=rule)
    values = np.concatenate([sample(300), np.zeros((1, 32)), sample(3) * 2.0**120])
    values = np.concatenate([values, sample(30) * 2.0**-150, sample(30) * 1e280])
    wanted = [wanted_exponent(name, rule, block) + 127 for block in values]
    np.testing.assert_array_equal(form.quantise(values).scales[:, 0], wanted)


@pytest.mark.parametrize("rule", ScaleRule)
@pytest.mark.parametrize("name", ["mxfp4", "mxfp6_e2m3", "mxfp6_e3m2"])
def test_codes_equal_rationals(name: str, rule: ScaleRule) -> None:
    values = sample(30)
    assert values.size == 66 * 32
    assert mismatches(name, replace(MX[name], scale_rule=rule), rule, values) == 0


@pytest.mark.parametrize("name", ["mxfp8_e4m3", "mxfp8_e5m2", "mxint8"])
def test_codes_of_8_bits_equal_rationals(name: str) -> None:
    assert mismatches(name, MX[name], ScaleRule.FLOOR, sample(8)) == 0


@pytest.mark.parametrize(
    "planted",
    [
        replace(MXFP4, scale_rule=ScaleRule.CEIL),
        replace(MXFP4, scale_rule=ScaleRule.EVEN),
        replace(MXFP4, rounding=Rounding.TOWARD_ZERO),
        replace(MXFP4, element=replace(E2M1, bias=2)),
    ],
    ids=["ceil", "even", "truncated", "bias"],
)
def test_planted_bugs_are_found(planted: SharedExponent) -> None:
    assert mismatches("mxfp4", planted, ScaleRule.FLOOR, sample(30)) > 0


@pytest.mark.parametrize("name", MX)
def test_codes_and_values_equal_gfloat(name: str) -> None:
    info = GFLOAT[name]
    form = replace(MX[name], symmetric=False)  # gfloat's INT8 reaches -2
    values = sample(40)
    got = form.quantise(values)
    restored = form.dequantise(got)
    for block, scale, elements, value in zip(
        values, got.scales[:, 0], got.elements, restored, strict=True
    ):
        factor = gfloat.compute_scale_amax(info.etype.emax, block)
        wanted = list(gfloat.encode_block(info, factor, block / factor))
        patterns = [scale, *form.element.to_bits(elements)]
        assert patterns == wanted
        np.testing.assert_array_equal(value, list(gfloat.decode_block(info, wanted)))


@pytest.mark.parametrize("rule", [ScaleRule.CEIL, ScaleRule.RCEIL])
@pytest.mark.parametrize("name", MX)
def test_rules_that_round_up_do_not_saturate(name: str, rule: ScaleRule) -> None:
    form = replace(MX[name], scale_rule=rule)
    values = sample(300)
    got = form.quantise(values)
    scales = E8M0.decode(got.scales)
    if rule is ScaleRule.RCEIL:
        assert (np.abs(values) <= float(form.element.maximum) * scales).all()
        assert (np.abs(values).max(axis=1) > float(form.element.maximum) * scales[:, 0] / 2).all()
    else:
        assert (np.abs(values).max(axis=1) <= 2.0 ** ELEMENTS[name][0] * scales[:, 0]).all()


def test_rceil_equals_the_rounded_fp32_quotient() -> None:
    rng = np.random.default_rng(SEED)
    for name, form in MX.items():
        maximum = np.float32(ELEMENTS[name][1])
        near = maximum.view(np.int32) + np.arange(-2000, 2000, dtype=np.int32)
        amax = np.concatenate([near.view(np.float32), rng.uniform(1, 2, 5000).astype(np.float32)])
        mantissa, exponent = np.frexp(amax / maximum)
        wanted = exponent - (mantissa == 0.5)
        form = replace(form, block_size=1, scale_rule=ScaleRule.RCEIL)
        np.testing.assert_array_equal(form.quantise(amax).scales - 127, wanted)


def test_floor_saturates_as_the_specification_allows() -> None:
    block = np.zeros(32)
    block[3] = 7.0
    got = MXFP4.quantise(block)
    assert got.scales.tolist() == [127]
    assert MXFP4.dequantise(got)[3] == 6.0
    got = replace(MXFP4, scale_rule=ScaleRule.RCEIL).quantise(block)
    assert (got.scales.tolist(), got.elements[3]) == ([128], E2M1.encode(4.0))


@pytest.mark.parametrize("k", [-100, -1, 0, 3, 60, 100])
def test_floor_just_below_a_power_of_two(k: int) -> None:
    amax = 2.0**k * (1 - 2.0**-24)
    assert MXFP8_E4M3.quantise(np.full(32, amax)).scales[0] == k - 1 - 8 + 127
    assert MXFP8_E4M3.quantise(np.full(32, 2.0**k)).scales[0] == k - 8 + 127


@pytest.mark.parametrize("rule", ScaleRule)
@pytest.mark.parametrize("name", MX)
def test_powers_of_two_move_the_scale_only(name: str, rule: ScaleRule) -> None:
    form = replace(MX[name], scale_rule=rule)
    values = sample(50)
    base = form.quantise(values)
    for shift in (-20, 1, 13):
        moved = form.quantise(values * 2.0**shift)
        np.testing.assert_array_equal(moved.elements, base.elements)
        np.testing.assert_array_equal(moved.scales, base.scales + shift)


@pytest.mark.parametrize("name", MX)
def test_negation_and_permutation(name: str) -> None:
    form = MX[name]
    values = sample(50)
    base, negated = form.quantise(values), form.quantise(-values)
    np.testing.assert_array_equal(negated.scales, base.scales)
    restored = form.dequantise(base)
    np.testing.assert_array_equal(form.dequantise(negated), -restored)
    if name != "mxint8":
        sign = 1 << (form.element.bits - 1)
        np.testing.assert_array_equal(negated.elements, base.elements ^ sign)
    order = np.random.default_rng(SEED).permutation(32)
    permuted = form.quantise(values[:, order])
    np.testing.assert_array_equal(permuted.elements, base.elements[:, order])
    dots = [math.fsum(row) for row in (restored * restored[:1])[:, order]]
    assert dots == [math.fsum(row) for row in restored * restored[:1]]


@pytest.mark.parametrize("name", ["mxfp4", "mxfp6_e2m3", "mxfp6_e3m2", "mxint8"])
def test_block_dot_in_integers_equals_fp32_matmul(name: str) -> None:
    form = MX[name]
    codes = form.element.codes()
    rng = np.random.default_rng(SEED)
    a, b = rng.choice(codes, (2, 64, 32))
    a[0], b[:, 0] = codes[np.argmax(form.element.decode(codes))], codes[0]
    x, y = form.element.decode(a), form.element.decode(b)
    unit = 2.0 ** (2 * {"mxfp4": 1, "mxfp6_e2m3": 3, "mxfp6_e3m2": 4, "mxint8": 6}[name])
    exact = (x * np.sqrt(unit)).astype(np.int64) @ (y * np.sqrt(unit)).astype(np.int64).T
    single = torch.from_numpy(x).float() @ torch.from_numpy(y).float().T
    np.testing.assert_array_equal(single.double().numpy() * unit, exact)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", MX)
def test_not_finite_values_make_the_block_nan(name: str, bad: float) -> None:
    values = sample(4)
    values[1, 7] = bad
    got = MX[name].quantise(values)
    assert got.scales[:, 0].tolist().count(255) == 1
    restored = MX[name].dequantise(got)
    assert np.isnan(restored[1]).all()
    assert np.isfinite(np.delete(restored, 1, axis=0)).all()


def test_elements_that_are_nan_or_infinite_are_decoded() -> None:
    blocks = Blocks(np.array([0x7C, 0x7D, 0x3C, 0xFC]), np.array([128]))
    values = replace(MXFP8_E5M2, block_size=4).dequantise(blocks)
    np.testing.assert_array_equal(values, [np.inf, np.nan, 2.0, -np.inf])


def test_integers_use_their_lowest_code_only_if_allowed() -> None:
    values = np.array([-1.999, 1.999, -1.0, 0.25])
    form = replace(MXINT8, block_size=4)
    assert form.quantise(values).elements.tolist() == [-127, 127, -64, 16]
    assert replace(form, symmetric=False).quantise(values).elements.tolist() == [-128, 127, -64, 16]
    assert SharedExponent(INT4, 4).quantise(values).elements.tolist() == [-7, 7, -4, 1]


@pytest.mark.parametrize("bits", [3, 4, 6, 8])
def test_block_floating_point_of_one_value_is_a_float(bits: int) -> None:
    form = block_floating_point(bits, 1)
    values = sample(200).ravel()
    mantissa, exponent = np.frexp(values)
    wanted = np.ldexp(np.rint(np.ldexp(mantissa, bits - 1)), exponent - bits + 1)
    # What rounds up to the next power of two clips instead.
    top = np.ldexp(1 - 2.0 ** (1 - bits), exponent)
    np.testing.assert_array_equal(
        form.dequantise(form.quantise(values)), np.clip(wanted, -top, top)
    )


def test_block_floating_point_by_hand() -> None:
    form = block_floating_point(4, 4)
    got = form.quantise([3.9, -1.0, 0.26, 0.75])
    assert got.elements.tolist() == [7, -2, 1, 2]
    assert got.scales.tolist() == [127 + 1]
    assert form.dequantise(got).tolist() == [3.5, -1.0, 0.5, 1.0]


@pytest.mark.parametrize("rounding", [Rounding.UP, Rounding.DOWN])
def test_directed_rounding_sees_the_tiniest_values(rounding: Rounding) -> None:
    form = SharedExponent(E4M3, 2, rounding=rounding)
    got = form.quantise([2.0**127 * 448, 5e-324 if rounding is Rounding.UP else -5e-324])
    assert got.elements[1] == (0x01 if rounding is Rounding.UP else 0x81)


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
        (lambda: SharedExponent("int8"), "element must be Float, FixedPoint or Integer, not 'int8"),
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
