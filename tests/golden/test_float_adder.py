"""The floating-point sum against exact rationals, numpy, torch, ml_dtypes and float64."""

from dataclasses import replace

import ml_dtypes
import numpy as np
import pytest
import torch

from multipede.golden.float_adder import FloatAdder
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


@pytest.mark.parametrize("name", ["e4m3", "e5m2", "ue5m3", "ue4m3"])
def test_all_pairs_of_eight_bits(name: str) -> None:
    spec = of_one_format(FloatAdder, name)
    assert check_all(spec) == 4**spec.result.bits >= 16_384


@pytest.mark.parametrize("name", SMALL)
def test_all_pairs_of_few_bits_in_all_roundings_and_overflows(name: str) -> None:
    spec = of_one_format(FloatAdder, name)
    if not spec.result.signed:
        spec = replace(spec, b=parse_format("e2m3"))
    pairs = len(spec.a.codes()) * len(spec.b.codes())
    counts = [check_all(variant) for variant in variants(spec)]
    assert counts == [pairs] * len(counts)
    assert len(counts) >= 5


@pytest.mark.parametrize("name", ["e4m3", "e5m2", "ue4m3", "e4m3-ieee", "e4m3-fn-ftz"])
def test_eight_bits_in_all_roundings_and_overflows(name: str) -> None:
    compared = sum(check_biased(v, 500) for v in variants(of_one_format(FloatAdder, name)))
    assert compared == 15 * 500


@pytest.mark.parametrize(
    ("number_format", "dtype"), [(E4M3, ml_dtypes.float8_e4m3fn), (E5M2, ml_dtypes.float8_e5m2)]
)
def test_all_pairs_of_eight_bits_equal_ml_dtypes(number_format, dtype) -> None:
    a, b = all_tuples(number_format, number_format)
    with np.errstate(invalid="ignore", over="ignore"):
        wanted = a.astype(np.uint8).view(dtype) + b.astype(np.uint8).view(dtype)
    codes = wanted.view(np.uint8).astype(np.int64)
    wanted = np.where(np.isnan(wanted.astype(np.float32)), number_format.nan_code, codes)
    spec = FloatAdder(a=number_format, b=number_format, result=number_format)
    assert check_equal(spec, [a, b], wanted) == 65_536


@pytest.mark.parametrize(
    ("number_format", "dtype"), [(FP32, np.float32), (FP16, np.float16)], ids=["fp32", "fp16"]
)
def test_equals_numpy(number_format, dtype) -> None:
    print(f"seed {SEED}")
    spec = FloatAdder(a=number_format, b=number_format, result=number_format)
    a, b = biased_operands(spec, np.random.default_rng(SEED), 300_000)
    unsigned = f"u{dtype().itemsize}"
    with np.errstate(invalid="ignore", over="ignore"):
        wanted = a.astype(unsigned).view(dtype) + b.astype(unsigned).view(dtype)
    wanted = np.where(np.isnan(wanted), number_format.nan_code, wanted.view(unsigned))
    assert check_equal(spec, [a, b], wanted) == 300_000


def test_bf16_equals_torch() -> None:
    print(f"seed {SEED}")
    spec = FloatAdder(a=BF16, b=BF16, result=BF16)
    a, b = biased_operands(spec, np.random.default_rng(SEED), 300_000)
    x, y = (torch.from_numpy(c.astype(np.int16)).view(torch.bfloat16) for c in (a, b))
    wanted = (x + y).view(torch.int16).numpy().astype(np.int64) & 0xFFFF
    wanted = np.where((x + y).isnan().numpy(), BF16.nan_code, wanted)
    assert check_equal(spec, [a, b], wanted) == 300_000


@pytest.mark.parametrize(
    "rounding", [Rounding.NEAREST_EVEN, Rounding.TOWARD_ZERO, Rounding.DOWN, Rounding.UP]
)
@pytest.mark.parametrize("name", ["fp32", "tf32", "bf16", "fp16"])
def test_wide_formats_equal_float64_rounded_to_odd(name: str, rounding: Rounding) -> None:
    count = 1 << 18 if name == "fp32" else 1 << 16
    spec = of_one_format(FloatAdder, name, rounding=rounding)
    assert check_float64(spec, count) == count


@pytest.mark.regress
@pytest.mark.parametrize("name", ["fp32", "tf32", "bf16", "fp16"])
def test_ten_million_pairs_equal_float64_rounded_to_odd(name: str) -> None:
    count = (10_000_000 >> 16) + 1 << 16
    assert check_float64(of_one_format(FloatAdder, name), count, seed=SEED + 1) == count


@pytest.mark.regress
@pytest.mark.parametrize("name", ["fp32", "fp16"])
def test_many_pairs_equal_rationals(name: str) -> None:
    specs = list(variants(of_one_format(FloatAdder, name)))
    assert sum(check_biased(spec, 20_000, seed=SEED + 2) for spec in specs) == 300_000


@pytest.mark.parametrize("name", ["fp32", "tf32", "bf16", "fp16", "e8m15-finite", "e5m10-fn-ftz"])
def test_wide_formats_equal_rationals(name: str) -> None:
    specs = list(variants(of_one_format(FloatAdder, name)))
    assert len(specs) == (5 if "finite" in name else 15)
    assert sum(check_biased(spec, 300) for spec in specs) == 300 * len(specs)


MIXED = [
    FloatAdder(a=FP16, b=FP32, result=FP32),
    FloatAdder(a=FP32, b=TF32, result=BF16),
    FloatAdder(a=Integer(19), b=FP16, result=FP32),
    FloatAdder(a=Integer(63, signed=False), b=Integer(63), result=FP32),
    FloatAdder(a=Integer(63), b=FixedPoint(63, 62), result=TF32),
    FloatAdder(a=FixedPoint(40, 60, signed=False), b=FP32, result=FP32),
    FloatAdder(a=FixedPoint(8, 1074), b=FP32, result=FP32),
    FloatAdder(a=UINT4, b=BF16, result=E4M3),
    FloatAdder(a=INT8, b=E8M0, result=FP16),
    FloatAdder(a=E8M0, b=E8M0, result=BF16),
    FloatAdder(a=UE4M3, b=E5M2, result=UE4M3),
    FloatAdder(a=INT8, b=INT8, result=parse_format("e2m1")),
    FloatAdder(a=parse_format("e10m21-ieee"), b=FP32, result=parse_format("e10m21-finite")),
]


@pytest.mark.parametrize("spec", MIXED, ids=str)
@pytest.mark.parametrize("rounding", Rounding)
def test_mixed_operands_equal_rationals(spec: FloatAdder, rounding: Rounding) -> None:
    assert check_biased(replace(spec, rounding=rounding), 600) == 600


@pytest.mark.parametrize("rounding", Rounding)
def test_signs_of_zero(rounding: Rounding) -> None:
    plus, minus, one, minus_one = 0, 0x8000, 0x3C00, 0xBC00
    opposite = minus if rounding is Rounding.DOWN else plus
    table = {
        (plus, plus): plus,
        (minus, minus): minus,
        (plus, minus): opposite,
        (minus, plus): opposite,
        (one, minus_one): opposite,
        (minus_one, one): opposite,
        (minus, one): one,
    }
    a, b = np.array(list(table)).T
    got = reference(FloatAdder(rounding=rounding), a.copy(), b.copy())
    assert got.tolist() == list(table.values())


def test_sums_that_need_every_bit_of_the_smaller_addend() -> None:
    # A tie in FP32, and beside it by the least that the formats hold.
    spec = FloatAdder(a=Integer(63), b=FP32, result=FP32)
    tie = (1 << 62) - (1 << 38) + (1 << 37)
    a, b = np.array([tie] * 3), np.array([0, 1, 0x8000_0001])
    top = 0x5E80_0000
    assert reference(spec, a, b).tolist() == [top, top, top - 1]
