"""MX codes against exact rationals, gfloat, and identities of the definition."""

import math
from dataclasses import replace
from fractions import Fraction
from functools import cache

import gfloat
import gfloat.formats
import numpy as np
import pytest
import torch

from multipede.golden.blocks import MXFP4, MXFP8_E4M3, MXFP8_E5M2, Blocks, ScaleRule, SharedExponent
from multipede.golden.formats import E2M1, E4M3, E8M0, FixedPoint, Float, Rounding
from tests.golden.block_values import MX, SEED, sample

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


@pytest.mark.parametrize("rounding", [Rounding.UP, Rounding.DOWN])
def test_directed_rounding_sees_the_tiniest_values(rounding: Rounding) -> None:
    form = SharedExponent(E4M3, 2, rounding=rounding)
    got = form.quantise([2.0**127 * 448, 5e-324 if rounding is Rounding.UP else -5e-324])
    assert got.elements[1] == (0x01 if rounding is Rounding.UP else 0x81)
