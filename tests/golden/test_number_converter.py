"""Conversions between floats, integers and fixed point against exact rationals and, from
floats, against the formats' own encoding."""

from dataclasses import replace

import ml_dtypes
import numpy as np
import pytest

from multipede.golden.formats import (
    BF16,
    E4M3,
    E5M2,
    E8M0,
    FP16,
    FP32,
    INT8,
    INT16,
    TF32,
    UINT4,
    UINT8,
    FixedPoint,
    Float,
    Format,
    Integer,
    Overflow,
    Rounding,
    parse_format,
)
from multipede.golden.number_converter import NumberConverter
from multipede.golden.rounded_operation import NanResult
from tests.golden.biased_operands import biased_operands
from tests.golden.operation_checks import (
    SEED,
    check_all,
    check_biased,
    check_equal,
    policies,
    variants,
)
from tests.golden.rational_oracle import reference

FEW_BITS = [
    *("e4m3", "e5m2", "e8m0", "ue5m2-ieee", "e3m2", "e2m1", "e3m0-ieee", "e4m3-fn-ftz"),
    *("int8", "int1", "uint4", "fixed8.5", "ufixed6.9"),
]
WITHOUT_ZERO = parse_format("ue3m2-finite-b9-nozero")


@pytest.mark.parametrize("source", FEW_BITS)
def test_all_codes_of_few_bits_to_all_formats_of_few_bits(source: str) -> None:
    """In both directions, with all roundings and policies."""
    x = parse_format(source)
    compared = 0
    for name in FEW_BITS:
        if name != "e8m0":  # see test_negative_numbers_are_out_of_range_without_zero
            specs = variants(NumberConverter(x=x, result=parse_format(name)))
            compared += sum(map(check_all, specs))
    specs = variants(NumberConverter(x=x, result=WITHOUT_ZERO))
    compared += sum(map(check_all, specs))
    assert compared >= len(x.codes()) * 5 * len(FEW_BITS)


@pytest.mark.parametrize("overflow", [Overflow.INFINITY, Overflow.NAN])
def test_negative_numbers_are_out_of_range_without_zero(overflow: Overflow) -> None:
    spec = NumberConverter(x=FP32, result=E8M0, overflow=overflow)
    lowest = FP32.encode(-(2.0**-127))
    assert reference(spec, np.array([lowest])).tolist() == [E8M0.nan_code]


WIDE = [
    *("fp32", "tf32", "bf16", "fp16", "e5m10-fn-ftz", "e10m21-ieee", "ue8m23-fn"),
    *("int63", "uint63", "int24", "uint32", "fixed63.0", "fixed63.62", "ufixed63.63"),
    *("fixed40.1074", "ufixed20.100", "fixed32.16"),
]


@pytest.mark.parametrize("source", WIDE)
def test_wide_formats_equal_rationals(source: str) -> None:
    """In both directions, with all roundings and policies."""
    compared = 0
    for name in WIDE:
        spec = NumberConverter(x=parse_format(source), result=parse_format(name))
        for number, variant in enumerate(variants(spec)):
            compared += check_biased(variant, 20, seed=SEED + number)
    assert compared >= 20 * 10 * len(WIDE)


@pytest.mark.regress
@pytest.mark.parametrize("source", WIDE)
def test_wide_formats_equal_rationals_at_length(source: str) -> None:
    compared = 0
    for name in WIDE:
        spec = NumberConverter(x=parse_format(source), result=parse_format(name))
        for number, variant in enumerate(variants(spec)):
            compared += check_biased(variant, 500, seed=SEED + 100 + number)
    assert compared >= 500 * 10 * len(WIDE)


RESULTS = [FP32, BF16, E4M3, E5M2, parse_format("e2m1"), INT8, UINT8, FixedPoint(12, 20)]


@pytest.mark.parametrize("result", RESULTS, ids=str)
@pytest.mark.parametrize("x", [FP16, BF16], ids=str)
def test_all_codes_of_16_bits_equal_encoding(x: Float, result: Format) -> None:
    codes = x.codes()
    values = x.decode(codes)
    number = np.isfinite(values)
    for variant in variants(NumberConverter(x=x, result=result)):
        wanted = np.full(len(codes), variant.nan_code)
        wanted[number] = result.encode(
            values[number], rounding=variant.rounding, overflow=variant.overflow
        )
        if variant.overflow is not Overflow.WRAP:
            infinities = np.isinf(values)
            wanted[infinities] = result.encode(
                values[infinities], rounding=variant.rounding, overflow=variant.overflow
            )
        assert check_equal(variant, [codes], wanted) == 65_536


@pytest.mark.parametrize(
    ("result", "dtype"),
    [
        (FP16, np.float16),
        (BF16, ml_dtypes.bfloat16),
        (E4M3, ml_dtypes.float8_e4m3fn),
        (E5M2, ml_dtypes.float8_e5m2),
    ],
    ids=["fp16", "bf16", "e4m3", "e5m2"],
)
def test_fp32_equals_numpy_and_ml_dtypes(result: Float, dtype: type) -> None:
    print(f"seed {SEED}")
    spec = NumberConverter(x=FP32, result=result)
    (codes,) = biased_operands(spec, np.random.default_rng(SEED), 300_000)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        wanted = codes.astype(np.uint32).view(np.float32).astype(dtype)
        no_number = np.isnan(wanted.astype(np.float64))
    wanted = wanted.view(f"u{np.dtype(dtype).itemsize}").astype(np.int64)
    wanted = np.where(no_number, result.nan_code, wanted)
    assert check_equal(spec, [codes], wanted) == 300_000


@pytest.mark.parametrize("bits", [8, 16, 32, 62])
def test_integers_to_fp32_equal_numpy(bits: int) -> None:
    print(f"seed {SEED}")
    spec = NumberConverter(x=Integer(bits), result=FP32)
    (codes,) = biased_operands(spec, np.random.default_rng(SEED), 300_000)
    wanted = codes.astype(np.float32).view(np.uint32).astype(np.int64)
    assert check_equal(spec, [codes], wanted) == 300_000


@pytest.mark.parametrize(
    ("rounding", "function"),
    [
        (Rounding.NEAREST_EVEN, np.rint),
        (Rounding.TOWARD_ZERO, np.trunc),
        (Rounding.DOWN, np.floor),
        (Rounding.UP, np.ceil),
    ],
)
def test_fp32_to_integers_equals_numpy(rounding: Rounding, function: np.ufunc) -> None:
    print(f"seed {SEED}")
    spec = NumberConverter(x=FP32, result=INT16, rounding=rounding)
    (codes,) = biased_operands(spec, np.random.default_rng(SEED), 300_000)
    with np.errstate(invalid="ignore"):
        whole = function(codes.astype(np.uint32).view(np.float32).astype(np.float64))
    wanted = np.where(np.isnan(whole), 32_767, np.clip(np.nan_to_num(whole), -32_768, 32_767))
    assert check_equal(spec, [codes], wanted.astype(np.int64)) == 300_000


def test_every_63_bit_code_that_is_its_own_value_stays() -> None:
    for wide in (Integer(63), Integer(63, signed=False), FixedPoint(63, 17)):
        spec = NumberConverter(x=wide, result=wide)
        (codes,) = biased_operands(spec, np.random.default_rng(SEED), 100_000)
        for variant in variants(spec):
            assert check_equal(variant, [codes], codes) == 100_000


@pytest.mark.parametrize(
    ("result", "overflow", "nan", "codes"),
    [
        # of NaN, +infinity, -infinity, 1.75 * 2**127 and -0
        (INT8, Overflow.SATURATE, NanResult.MAXIMUM, [127, 127, -128, 127, 0]),
        (INT8, Overflow.SATURATE, NanResult.ZERO, [0, 127, -128, 127, 0]),
        (INT8, Overflow.WRAP, NanResult.MAXIMUM, [127, 127, 127, 0, 0]),
        (INT8, Overflow.WRAP, NanResult.ZERO, [0, 0, 0, 0, 0]),
        (UINT4, None, NanResult.MAXIMUM, [15, 15, 0, 15, 0]),
        (parse_format("e2m1"), None, NanResult.MAXIMUM, [7, 7, 15, 7, 8]),
        (parse_format("e2m1"), None, NanResult.ZERO, [0, 7, 15, 7, 8]),
        (parse_format("e3m0-ieee"), None, NanResult.MAXIMUM, [6, 7, 15, 7, 8]),
        (E4M3, None, NanResult.ZERO, [0x7F, 0x7F, 0x7F, 0x7F, 0x80]),
        (E4M3, Overflow.SATURATE, NanResult.ZERO, [0x7F, 0x7E, 0xFE, 0x7E, 0x80]),
        (E5M2, Overflow.SATURATE, NanResult.ZERO, [0x7E, 0x7C, 0xFC, 0x7B, 0x80]),
        (E5M2, Overflow.NAN, NanResult.ZERO, [0x7E, 0x7C, 0xFC, 0x7E, 0x80]),
        (E8M0, None, NanResult.MAXIMUM, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF]),
        (E8M0, Overflow.SATURATE, NanResult.MAXIMUM, [0xFF, 0xFE, 0, 0xFE, 0]),
        (TF32, None, NanResult.MAXIMUM, [0x3FE00, 0x3FC00, 0x7FC00, 0x3FB00, 0x40000]),
    ],
)
def test_specials_by_table(result, overflow, nan, codes) -> None:
    spec = NumberConverter(x=FP32, result=result, overflow=overflow, nan=nan)
    specials = np.array([0xFFC0_0001, 0x7F80_0000, 0xFF80_0000, 0x7F60_0000, 0x8000_0000])
    assert reference(spec, specials).tolist() == codes


def test_wrapping_keeps_the_lowest_bits_however_large_the_number() -> None:
    spec = NumberConverter(x=FP32, result=Integer(63), overflow=Overflow.WRAP)
    for exponent in (61, 62, 63, 85, 86, 87, 127):
        value = 0xFF_FFFF << exponent - 23
        code = (exponent + 127) << 23 | 0x7F_FFFF
        wrapped = (value + (1 << 62)) % (1 << 63) - (1 << 62)
        negated = (-value + (1 << 62)) % (1 << 63) - (1 << 62)
        got = reference(spec, np.array([code, code | 1 << 31]))
        assert got.tolist() == [wrapped, negated]


def test_policies_are_those_of_the_result() -> None:
    assert policies(INT8) == [Overflow.SATURATE, Overflow.WRAP]
    assert NumberConverter(result=INT8).overflow_policy is Overflow.SATURATE
    assert NumberConverter(result=FP16).overflow_policy is Overflow.INFINITY
    assert NumberConverter(result=E4M3).overflow_policy is Overflow.INFINITY
    assert NumberConverter(result=parse_format("e2m1")).overflow_policy is Overflow.SATURATE
    chosen = replace(NumberConverter(), overflow=Overflow.NAN)
    assert chosen.overflow_policy is Overflow.NAN
