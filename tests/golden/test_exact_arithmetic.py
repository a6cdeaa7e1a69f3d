"""Exact numbers as arrays against rationals, the oracle against itself, and planted bugs that
the comparison with the oracle must find."""

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from multipede.golden import exact_arithmetic, float_adder, rounded_operation
from multipede.golden.exact_arithmetic import Exact, add, multiply, unpack
from multipede.golden.float_adder import FloatAdder
from multipede.golden.float_multiplier import FloatMultiplier
from multipede.golden.formats import (
    E4M3,
    E5M2,
    FP16,
    FP32,
    FixedPoint,
    Integer,
    Overflow,
    Rounding,
    parse_format,
)
from multipede.golden.fused_multiply_add import FusedMultiplyAdd
from multipede.golden.number_converter import NumberConverter
from multipede.golden.rounded_operation import RoundedOperation
from tests.golden.biased_operands import biased_codes, biased_operands, deep_cancellation
from tests.golden.operation_checks import SEED, SMALL
from tests.golden.rational_oracle import (
    Number,
    listed,
    magnitudes,
    mismatches,
    neighbours_by_logarithm,
    neighbours_by_search,
    number,
    rounded_magnitude,
)


@pytest.mark.parametrize("name", [*SMALL, "e4m3", "e5m2", "e8m0"])
def test_the_oracle_finds_the_same_neighbours_by_search_and_by_logarithm(name: str) -> None:
    number_format = parse_format(name)
    first, values = listed(number_format)
    middles = [(low + high) / 2 for low, high in pairwise(values)]
    points = values[:-1] + middles + [m * Fraction(1001, 1000) for m in middles]
    assert len(points) >= 3 * magnitudes(number_format)["last"] - 3 * abs(first)
    for value in points:
        if value < values[-1]:
            low, high = neighbours_by_search(number_format, value)
            wanted = neighbours_by_logarithm(number_format, value)
            assert low == wanted[0]
            assert high == wanted[1] or low[1] == value


def test_the_oracle_knows_a_few_roundings_by_heart() -> None:
    """Ties of FP16, its smallest number, and its overflow."""
    cases = {
        Fraction(2049): (0x6800, 0x6801, 0x6800, 0x6800, 0x6801),
        Fraction(2051): (0x6802, 0x6802, 0x6801, 0x6801, 0x6802),
        Fraction(1, 1 << 25): (0, 1, 0, 0, 1),
        Fraction(65519): (0x7BFF, 0x7BFF, 0x7BFF, 0x7BFF, 0x7C00),
        Fraction(65520): (0x7C00, 0x7C00, 0x7BFF, 0x7BFF, 0x7C00),
    }
    for value, codes in cases.items():
        for rounding, code in zip(Rounding, codes, strict=True):
            assert rounded_magnitude(FP16, Number(value, False), rounding) == code


def rationals(numbers: Exact) -> list[Fraction]:
    """The finite numbers, after a check of what a head promises."""
    leading = numbers.head >> np.uint64(62)
    assert ((leading == 1) | ((numbers.head == 0) & (numbers.tail == 0))).all()
    signs = np.where(numbers.negative, -1, 1)
    parts = (x.tolist() for x in (signs, numbers.head, numbers.tail, numbers.exponent))
    return [
        sign * Fraction((head << 64) + tail) * Fraction(2) ** (exponent - 64) if head else 0
        for sign, head, tail, exponent in zip(*parts, strict=True)
    ]


FORMATS = ["fp32", "e5m2", "e8m0", "ue3m2-finite-b9-nozero", "e3m2-ieee-ftz", "e3m0-ieee"]
FORMATS += ["int63", "uint63", "int1", "fixed63.62", "ufixed7.1074"]


@pytest.mark.parametrize("name", FORMATS)
def test_unpacked_codes_are_their_values(name: str) -> None:
    number_format = parse_format(name)
    codes = biased_codes(number_format, np.random.default_rng(SEED), 2000)
    wanted = [number(number_format, code) for code in codes.tolist()]
    unpacked = unpack(number_format, codes)
    assert unpacked.nan.tolist() == [w.nan for w in wanted]
    assert unpacked.infinite.tolist() == [w.infinite for w in wanted]
    assert not unpacked.tail.any()
    for got, negative, want in zip(
        rationals(unpacked), unpacked.negative.tolist(), wanted, strict=True
    ):
        assert want.nan or negative == want.negative
        assert want.nan or want.infinite or got == want.value


def random_wholes(rng: np.random.Generator, count: int) -> np.ndarray:
    return rng.integers(-(1 << 62), 1 << 62, count) >> rng.integers(0, 62, count)


def test_products_are_exact() -> None:
    rng = np.random.default_rng(SEED)
    a, b = random_wholes(rng, 5000), random_wholes(rng, 5000)
    got = rationals(multiply(unpack(Integer(63), a), unpack(FixedPoint(63, 9), b)))
    assert got == [Fraction(x * y, 512) for x, y in zip(a.tolist(), b.tolist(), strict=True)]
    assert len(got) == 5000


@pytest.mark.parametrize(("scale", "least"), [(63, 0), (0, 20), (300, 1000)])
def test_sums_are_exact_but_for_one_jammed_bit(scale: int, least: int) -> None:
    rng = np.random.default_rng(SEED)
    a, b, c = deep_cancellation(rng, 5000)
    c[::2] = random_wholes(rng, 2500)
    fixed, addend = FixedPoint(63, 63), FixedPoint(63, scale)
    products = multiply(unpack(fixed, a), unpack(fixed, b))
    sums = add(products, unpack(addend, c), Rounding.NEAREST_EVEN)
    columns = (a, b, c, sums.exponent, sums.tail)
    records = zip(*(x.tolist() for x in columns), rationals(sums), strict=True)
    inexact = 0
    for x, y, z, exponent, tail, got in records:
        exact = Fraction(x * y, 1 << 126) + Fraction(z, 1 << scale)
        if got != exact:
            inexact += 1
            assert abs(got - exact) < Fraction(2) ** (exponent - 63)
            assert tail & 3
    assert least <= inexact < 5000


# Planted bugs: what replaces which name of the library.


def without_sticky(high, low, count):
    """Bits shifted out are forgotten."""
    far = count >= 64
    low, high = np.where(far, high, low), np.where(far, 0, high)
    left = (count & 63).astype(np.uint64)
    crossing = (high << np.uint64(1)) << (np.uint64(63) - left)
    return high >> left, (low >> left) | crossing


def rounding_of_zero_forgotten(a, b, rounding):
    return add(a, b, Rounding.NEAREST_EVEN)


def changed_numbers(change: Callable[[Exact], Exact]) -> Callable:
    original = rounded_operation.round_to
    return lambda result, numbers, *rest: original(result, change(numbers), *rest)


def changed_policy(rounding: Rounding | None = None, overflow: Overflow | None = None) -> Callable:
    original = rounded_operation.round_to

    def changed(result, numbers, right_rounding, right_overflow, nan_code):
        policies = rounding or right_rounding, overflow or right_overflow
        return original(result, numbers, *policies, nan_code)

    return changed


def rounded_twice(result, numbers, rounding, overflow, nan_code):
    first = rounded_once(FP32, numbers, rounding, overflow, FP32.nan_code)
    return rounded_once(result, unpack(FP32, first), rounding, overflow, nan_code)


rounded_once = rounded_operation.round_to

FP32_SUM = FloatAdder(a=FP32, b=FP32, result=FP32)
FP32_DOWN = FloatAdder(a=FP32, b=FP32, result=FP32, rounding=Rounding.DOWN)
FP16_FUSED = FusedMultiplyAdd()
FP32_FUSED = FusedMultiplyAdd(a=FP32, b=FP32, c=FP32, result=FP32)
PLANTED = {
    "sticky": (FP32_FUSED, exact_arithmetic, "_shift_right_jamming", without_sticky),
    "sticky, directed": (FP32_DOWN, exact_arithmetic, "_shift_right_jamming", without_sticky),
    "zero's sign": (FP32_DOWN, float_adder, "add", rounding_of_zero_forgotten),
    "negative zero": (
        FP16_FUSED,
        rounded_operation,
        "round_to",
        changed_numbers(lambda n: n._replace(negative=n.negative & ~n.zero)),
    ),
    "infinity minus infinity": (
        FP16_FUSED,
        rounded_operation,
        "round_to",
        changed_numbers(lambda n: n._replace(nan=n.nan & ~n.infinite)),
    ),
    "one ulp": (
        FP16_FUSED,
        rounded_operation,
        "round_to",
        changed_numbers(lambda n: n._replace(exponent=n.exponent + (n.exponent == -75))),
    ),
    "half away": (
        FloatMultiplier(a=E4M3, b=E4M3, result=E4M3),
        rounded_operation,
        "round_to",
        changed_policy(rounding=Rounding.NEAREST_AWAY),
    ),
    "truncation": (FP32_SUM, rounded_operation, "round_to", changed_policy(Rounding.TOWARD_ZERO)),
    "saturation": (
        FloatAdder(a=E5M2, b=E5M2, result=E5M2),
        rounded_operation,
        "round_to",
        changed_policy(overflow=Overflow.SATURATE),
    ),
    "two roundings": (
        FusedMultiplyAdd(a=FP16, b=FP16, c=FP32, result=FP16),
        rounded_operation,
        "round_to",
        rounded_twice,
    ),
    "wrapping": (
        NumberConverter(x=FP32, result=Integer(8)),
        rounded_operation,
        "round_to",
        changed_policy(overflow=Overflow.WRAP),
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_planted_bugs_are_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spec: RoundedOperation
    spec, module, attribute, bug = PLANTED[name]
    print(f"seed {SEED}")
    codes = biased_operands(spec, np.random.default_rng(SEED), 4000)
    assert not mismatches(spec, *codes)
    monkeypatch.setattr(module, attribute, bug)
    assert mismatches(spec, *codes)


def test_a_product_without_its_low_limb_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    fixed = FixedPoint(63, 63)
    spec = FusedMultiplyAdd(a=fixed, b=fixed, c=fixed, result=FP32)
    codes = deep_cancellation(np.random.default_rng(SEED), 100)
    assert not mismatches(spec, *codes)
    original = exact_arithmetic._wide_product
    monkeypatch.setattr(
        exact_arithmetic, "_wide_product", lambda a, b: (original(a, b)[0], np.zeros_like(a))
    )
    assert mismatches(spec, *codes)
