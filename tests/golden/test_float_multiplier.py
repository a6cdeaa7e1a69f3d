"""The floating-point product against exact rationals, numpy, torch, ml_dtypes and float64."""

from dataclasses import replace

import ml_dtypes
import numpy as np
import pytest
import torch

from multipede.golden.float_multiplier import FloatMultiplier
from multipede.golden.formats import (
    BF16,
    E4M3,
    E5M2,
    E8M0,
    FP16,
    FP32,
    INT8,
    TF32,
    UE4M3,
    UINT4,
    FixedPoint,
    Integer,
    Rounding,
    parse_format,
)
from tests.golden.biased_operands import biased_operands
from tests.golden.operation_checks import (
    SEED,
    SMALL,
    check_all,
    check_biased,
    check_equal,
    check_float64,
    of_one_format,
    variants,
)
from tests.golden.rational_oracle import all_tuples, reference


@pytest.mark.parametrize("name", ["e4m3", "e5m2", "ue5m3", "ue4m3", "e8m0"])
def test_all_pairs_of_eight_bits(name: str) -> None:
    spec = of_one_format(FloatMultiplier, name)
    assert check_all(spec) == 4**spec.result.bits >= 16_384


def test_all_pairs_of_an_element_and_its_scale() -> None:
    assert check_all(FloatMultiplier(a=E8M0, b=parse_format("e2m3"), result=BF16)) == 1 << 14
    assert check_all(FloatMultiplier(a=UE4M3, b=parse_format("e2m1"), result=E4M3)) == 1 << 11


@pytest.mark.parametrize("name", SMALL)
def test_all_pairs_of_few_bits_in_all_roundings_and_overflows(name: str) -> None:
    spec = of_one_format(FloatMultiplier, name)
    if not spec.result.signed:
        spec = replace(spec, b=parse_format("e2m3"))
    pairs = len(spec.a.codes()) * len(spec.b.codes())
    counts = [check_all(variant) for variant in variants(spec)]
    assert counts == [pairs] * len(counts)
    assert len(counts) >= 5


@pytest.mark.parametrize("name", ["e4m3", "e5m2", "ue4m3", "e4m3-ieee", "e4m3-fn-ftz"])
def test_eight_bits_in_all_roundings_and_overflows(name: str) -> None:
    compared = sum(check_biased(v, 500) for v in variants(of_one_format(FloatMultiplier, name)))
    assert compared == 15 * 500


@pytest.mark.parametrize(
    ("number_format", "dtype"), [(E4M3, ml_dtypes.float8_e4m3fn), (E5M2, ml_dtypes.float8_e5m2)]
)
def test_all_pairs_of_eight_bits_equal_ml_dtypes(number_format, dtype) -> None:
    a, b = all_tuples(number_format, number_format)
    with np.errstate(invalid="ignore", over="ignore"):
        wanted = a.astype(np.uint8).view(dtype) * b.astype(np.uint8).view(dtype)
    codes = wanted.view(np.uint8).astype(np.int64)
    wanted = np.where(np.isnan(wanted.astype(np.float32)), number_format.nan_code, codes)
    spec = FloatMultiplier(a=number_format, b=number_format, result=number_format)
    assert check_equal(spec, [a, b], wanted) == 65_536


@pytest.mark.parametrize(
    ("number_format", "dtype"), [(FP32, np.float32), (FP16, np.float16)], ids=["fp32", "fp16"]
)
def test_equals_numpy(number_format, dtype) -> None:
    print(f"seed {SEED}")
    spec = FloatMultiplier(a=number_format, b=number_format, result=number_format)
    a, b = biased_operands(spec, np.random.default_rng(SEED), 300_000)
    unsigned = f"u{dtype().itemsize}"
    with np.errstate(invalid="ignore", over="ignore", under="ignore"):
        wanted = a.astype(unsigned).view(dtype) * b.astype(unsigned).view(dtype)
    wanted = np.where(np.isnan(wanted), number_format.nan_code, wanted.view(unsigned))
    assert check_equal(spec, [a, b], wanted) == 300_000


def test_bf16_equals_torch() -> None:
    print(f"seed {SEED}")
    spec = FloatMultiplier(a=BF16, b=BF16, result=BF16)
    a, b = biased_operands(spec, np.random.default_rng(SEED), 300_000)
    x, y = (torch.from_numpy(c.astype(np.int16)).view(torch.bfloat16) for c in (a, b))
    wanted = (x * y).view(torch.int16).numpy().astype(np.int64) & 0xFFFF
    wanted = np.where((x * y).isnan().numpy(), BF16.nan_code, wanted)
    # torch rounds to FP32 first, which is a second rounding of subnormals.
    normal = (wanted & 0x7FFF) > 0x0080
    assert check_equal(spec, [a[normal], b[normal]], wanted[normal]) == normal.sum() > 150_000


@pytest.mark.parametrize(
    "rounding", [Rounding.NEAREST_EVEN, Rounding.TOWARD_ZERO, Rounding.DOWN, Rounding.UP]
)
@pytest.mark.parametrize("name", ["fp32", "tf32", "bf16", "fp16"])
def test_wide_formats_equal_float64(name: str, rounding: Rounding) -> None:
    count = 1 << 18 if name == "fp32" else 1 << 16
    spec = of_one_format(FloatMultiplier, name, rounding=rounding)
    assert check_float64(spec, count) == count


@pytest.mark.regress
@pytest.mark.parametrize("name", ["fp32", "tf32", "bf16", "fp16"])
def test_ten_million_pairs_equal_float64(name: str) -> None:
    count = (10_000_000 >> 16) + 1 << 16
    assert check_float64(of_one_format(FloatMultiplier, name), count, seed=SEED + 1) == count


@pytest.mark.regress
@pytest.mark.parametrize("name", ["fp32", "fp16"])
def test_many_pairs_equal_rationals(name: str) -> None:
    specs = list(variants(of_one_format(FloatMultiplier, name)))
    assert sum(check_biased(spec, 20_000, seed=SEED + 2) for spec in specs) == 300_000


@pytest.mark.parametrize("name", ["fp32", "tf32", "bf16", "fp16", "e8m15-finite", "e5m10-fn-ftz"])
def test_wide_formats_equal_rationals(name: str) -> None:
    specs = list(variants(of_one_format(FloatMultiplier, name)))
    assert len(specs) == (5 if "finite" in name else 15)
    assert sum(check_biased(spec, 300) for spec in specs) == 300 * len(specs)


MIXED = [
    FloatMultiplier(a=FP16, b=FP32, result=FP32),
    FloatMultiplier(a=UINT4, b=BF16, result=BF16),
    FloatMultiplier(a=Integer(19), b=FP16, result=FP32),
    FloatMultiplier(a=Integer(63, signed=False), b=Integer(63), result=FP32),
    FloatMultiplier(a=Integer(63), b=FixedPoint(63, 62), result=TF32),
    FloatMultiplier(a=FixedPoint(8, 1074), b=FP32, result=FP32),
    FloatMultiplier(a=Integer(1), b=INT8, result=E5M2),
    FloatMultiplier(a=INT8, b=E8M0, result=E4M3),
    FloatMultiplier(a=E4M3, b=E5M2, result=UE4M3),
    FloatMultiplier(a=BF16, b=BF16, result=parse_format("e3m0")),
    FloatMultiplier(a=parse_format("e10m21-ieee"), b=FP32, result=parse_format("e10m21-finite")),
]


@pytest.mark.parametrize("spec", MIXED, ids=str)
@pytest.mark.parametrize("rounding", Rounding)
def test_mixed_operands_equal_rationals(spec: FloatMultiplier, rounding: Rounding) -> None:
    assert check_biased(replace(spec, rounding=rounding), 600) == 600


def test_signs_of_zero() -> None:
    table = {(0, 0): 0, (0, 0x8000): 0x8000, (0x8000, 0x8000): 0, (0xBC00, 0): 0x8000}
    a, b = np.array(list(table)).T
    for rounding in Rounding:
        got = reference(FloatMultiplier(rounding=rounding), a.copy(), b.copy())
        assert got.tolist() == list(table.values())
    # The integer's zero is positive.
    spec = FloatMultiplier(a=INT8)
    assert reference(spec, np.array([0, 0, -1]), np.array([0, 0xBC00, 0])).tolist() == [
        0,
        0x8000,
        0x8000,
    ]


def test_products_that_need_every_bit() -> None:
    # Just above a tie by the lowest bit of 126.
    spec = FloatMultiplier(a=Integer(63), b=Integer(63), result=FP32)
    a = np.array([(1 << 61) + (1 << 37), (1 << 61) + 1])
    b = np.array([1 << 61, (1 << 61) + (1 << 37) - 1])
    wanted = [0x7C80_0000, 0x7C80_0000]
    exact = [int(x) * int(y) for x, y in zip(a, b, strict=True)]
    assert exact[0] == (1 << 122) + (1 << 98)
    assert exact[1] == (1 << 122) + (1 << 98) + (1 << 37) - 1
    assert reference(spec, a, b).tolist() == [wanted[0], wanted[1] + 1]
