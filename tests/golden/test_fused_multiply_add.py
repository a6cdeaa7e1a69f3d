"""The fused product and sum against exact rationals and float64 rounded to odd."""

from dataclasses import replace
from itertools import cycle

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
    TF32,
    UINT4,
    FixedPoint,
    Integer,
    Rounding,
    parse_format,
)
from multipede.golden.fused_multiply_add import FusedMultiplyAdd
from tests.golden.biased_operands import deep_cancellation
from tests.golden.operation_checks import (
    SEED,
    SMALL,
    check_all,
    check_biased,
    check_float64,
    of_one_format,
    variants,
)
from tests.golden.rational_oracle import all_tuples, mismatches, reference

FOUR_BITS = ["e2m1", "e3m0", "e2m1-ieee", "e3m0-ieee", "e1m2-finite"]


@pytest.mark.parametrize("name", FOUR_BITS)
def test_all_triples_of_four_bits_in_all_roundings_and_overflows(name: str) -> None:
    counts = [check_all(variant) for variant in variants(of_one_format(FusedMultiplyAdd, name))]
    assert counts == [4096] * len(counts)
    assert len(counts) >= 5


@pytest.mark.parametrize("name", [name for name in SMALL if name not in FOUR_BITS])
def test_all_pairs_of_few_bits_with_corners(name: str) -> None:
    spec = of_one_format(FusedMultiplyAdd, name)
    if not spec.result.signed:
        spec = replace(spec, b=parse_format("e2m3"))
    a, b = all_tuples(spec.a, spec.b)
    # Every third, which takes both signs in turn.
    corners = spec.c.corners()[::3]
    compared = 0
    for corner, variant in zip(corners, cycle(variants(spec)), strict=False):
        assert not mismatches(variant, a, b, np.full_like(a, corner))
        compared += len(a)
    assert compared == len(a) * len(corners) >= 3 * 512


@pytest.mark.parametrize("name", ["e4m3", "e5m2"])
def test_all_pairs_of_eight_bits_with_a_corner_each(name: str) -> None:
    spec = of_one_format(FusedMultiplyAdd, name)
    a, b = all_tuples(spec.a, spec.b)
    corners = np.array(spec.c.corners())
    c = corners[(np.arange(len(a)) * 7 + (np.arange(len(a)) >> 8)) % len(corners)]
    assert set(c.tolist()) == set(corners.tolist())
    assert not mismatches(spec, a, b, c)
    assert len(c) == 65_536


@pytest.mark.parametrize("name", ["e4m3", "e5m2", "ue4m3", "e4m3-ieee", "e4m3-fn-ftz"])
def test_eight_bits_in_all_roundings_and_overflows(name: str) -> None:
    compared = sum(check_biased(v, 500) for v in variants(of_one_format(FusedMultiplyAdd, name)))
    assert compared == 15 * 500


@pytest.mark.parametrize(
    "rounding", [Rounding.NEAREST_EVEN, Rounding.TOWARD_ZERO, Rounding.DOWN, Rounding.UP]
)
@pytest.mark.parametrize("name", ["fp32", "tf32", "bf16", "fp16"])
def test_wide_formats_equal_float64_rounded_to_odd(name: str, rounding: Rounding) -> None:
    count = 1 << 18 if name == "fp32" else 1 << 16
    spec = of_one_format(FusedMultiplyAdd, name, rounding=rounding)
    assert check_float64(spec, count) == count


@pytest.mark.regress
@pytest.mark.parametrize("name", ["fp32", "tf32", "bf16", "fp16"])
def test_ten_million_triples_equal_float64_rounded_to_odd(name: str) -> None:
    count = (10_000_000 >> 16) + 1 << 16
    assert check_float64(of_one_format(FusedMultiplyAdd, name), count, seed=SEED + 1) == count


@pytest.mark.regress
@pytest.mark.parametrize("name", ["fp32", "fp16"])
def test_many_triples_equal_rationals(name: str) -> None:
    specs = list(variants(of_one_format(FusedMultiplyAdd, name)))
    assert sum(check_biased(spec, 20_000, seed=SEED + 2) for spec in specs) == 300_000


@pytest.mark.parametrize("name", ["fp32", "tf32", "bf16", "fp16", "e8m15-finite", "e5m10-fn-ftz"])
def test_wide_formats_equal_rationals(name: str) -> None:
    specs = list(variants(of_one_format(FusedMultiplyAdd, name)))
    assert len(specs) == (5 if "finite" in name else 15)
    assert sum(check_biased(spec, 300) for spec in specs) == 300 * len(specs)


WIDE = Integer(63, signed=False)
MIXED = [
    FusedMultiplyAdd(a=Integer(19), b=FP16, c=FP32, result=FP32),
    FusedMultiplyAdd(a=Integer(63), b=FP32, c=FP32, result=FP32),
    FusedMultiplyAdd(a=UINT4, b=BF16, c=BF16, result=BF16),
    FusedMultiplyAdd(a=FP16, b=FP16, c=FP32, result=FP32),
    FusedMultiplyAdd(a=E4M3, b=E5M2, c=FP16, result=FP16),
    FusedMultiplyAdd(a=INT8, b=E8M0, c=E4M3, result=BF16),
    FusedMultiplyAdd(a=WIDE, b=WIDE, c=Integer(63), result=FP32),
    FusedMultiplyAdd(a=WIDE, b=WIDE, c=FixedPoint(63, 62), result=TF32),
    FusedMultiplyAdd(a=FixedPoint(63, 63), b=FixedPoint(63, 63), c=FP32, result=FP32),
    FusedMultiplyAdd(a=FixedPoint(8, 1074), b=FP32, c=FP32, result=FP32),
    FusedMultiplyAdd(a=FP32, b=FP32, c=FP32, result=parse_format("e2m1")),
    FusedMultiplyAdd(a=BF16, b=E4M3, c=INT8, result=parse_format("ue5m3")),
]


@pytest.mark.parametrize("spec", MIXED, ids=str)
@pytest.mark.parametrize("rounding", Rounding)
def test_mixed_operands_equal_rationals(spec: FusedMultiplyAdd, rounding: Rounding) -> None:
    assert check_biased(replace(spec, rounding=rounding), 600) == 600


def test_one_rounding_where_two_would_differ() -> None:
    # 97 x 172961 + 2**-40: in float64 a tie, which goes to 16777216.
    spec = FusedMultiplyAdd(a=Integer(8), b=Integer(24), c=FP32, result=FP32)
    tiny = FP32.encode(2.0**-40)
    a, b, c = np.full(3, 97), np.full(3, 172_961), np.array([0, tiny, tiny | 1 << 31])
    values = FP32.decode(reference(spec, a, b, c)).tolist()
    assert values == [16_777_216, 16_777_218, 16_777_216]


@pytest.mark.parametrize("rounding", Rounding)
def test_cancellation_down_to_the_lowest_bits_of_the_product(rounding: Rounding) -> None:
    fixed = FixedPoint(63, 63)
    spec = FusedMultiplyAdd(a=fixed, b=fixed, c=fixed, result=FP32, rounding=rounding)
    print(f"seed {SEED}")
    a, b, c = deep_cancellation(np.random.default_rng(SEED), 1000)
    assert not mismatches(spec, a, b, c)
    assert len(a) == 1000
    left = FP32.decode(reference(spec, a, b, c))
    assert (np.abs(left) < 2.0**-62).sum() > 100


@pytest.mark.parametrize("rounding", Rounding)
def test_signs_of_zero(rounding: Rounding) -> None:
    plus, minus, one, minus_one = 0, 0x8000, 0x3C00, 0xBC00
    opposite = minus if rounding is Rounding.DOWN else plus
    table = {
        (plus, one, plus): plus,
        (minus, one, minus): minus,
        (plus, minus_one, minus): minus,
        (plus, one, minus): opposite,
        (plus, minus_one, plus): opposite,
        (one, minus_one, one): opposite,
        (minus_one, minus_one, minus_one): opposite,
    }
    codes = np.array(list(table)).T
    got = reference(FusedMultiplyAdd(rounding=rounding), *(c.copy() for c in codes))
    assert got.tolist() == list(table.values())


def test_what_is_no_number() -> None:
    zero, one, infinity, nan = 0, 0x3C00, 0x7C00, 0x7D01
    minus = 0x8000
    table = {
        (zero, infinity, one): 0x7E00,
        (infinity, minus, nan): 0x7E00,
        (infinity, one, infinity | minus): 0x7E00,
        (infinity, one | minus, infinity): 0x7E00,
        (nan | minus, zero, zero): 0x7E00,
        (infinity, infinity, one): infinity,
        (infinity | minus, one, one): infinity | minus,
        (one, one, infinity | minus): infinity | minus,
    }
    codes = np.array(list(table)).T
    got = reference(FusedMultiplyAdd(), *(c.copy() for c in codes))
    assert got.tolist() == list(table.values())
