"""Integer, fixed-point and codebook formats against exact rationals and numpy."""

import math
from fractions import Fraction
from itertools import product

import ml_dtypes
import numpy as np
import pytest

from multipede.golden.formats import (
    BINARY,
    TERNARY,
    Codebook,
    FixedPoint,
    Integer,
    Overflow,
    Rounding,
)

SEED = 20251122
NORMAL = Codebook(tuple(np.random.default_rng(SEED).normal(size=16).tolist()))
CODEBOOKS = [
    BINARY,
    TERNARY,
    NORMAL,
    Codebook((3, -1, 0.1, None, 7, 0.1, -0.3, 1e-300)),
    Codebook((-5, -1, -2.5)),
]
SMALL = [Integer(bits, signed=signed) for bits in range(1, 9) for signed in (True, False)]
FIXED = [
    FixedPoint(8, 3),
    FixedPoint(8, 3, signed=False),
    FixedPoint(4, 9),
    FixedPoint(1, 2),
    FixedPoint(6, 0),
]


def rounded(value: Fraction, rounding: Rounding) -> int:
    floor = math.floor(value)
    rest = value - floor
    half = Fraction(1, 2)
    match rounding:
        case Rounding.NEAREST_EVEN:
            return floor + (rest > half or (rest == half and floor % 2 == 1))
        case Rounding.NEAREST_AWAY:
            return floor + (rest > half or (rest == half and value > 0))
        case Rounding.TOWARD_ZERO:
            return floor + (value < 0 and rest > 0)
        case Rounding.DOWN:
            return floor
        case Rounding.UP:
            return floor + (rest > 0)


def wanted_code(
    number_format: Integer | FixedPoint, value: float, rounding: Rounding, overflow: Overflow
) -> int | None:
    """The code, from the definition; None where a ValueError is due."""
    low = -(2 ** (number_format.bits - 1)) if number_format.signed else 0
    high = low + 2**number_format.bits - 1
    if math.isinf(value):
        return {Overflow.SATURATE: high if value > 0 else low}.get(overflow)
    code = rounded(Fraction(value) * 2**number_format.fraction_bits, rounding)
    if low <= code <= high:
        return code
    return {
        Overflow.SATURATE: min(max(code, low), high),
        Overflow.WRAP: (code - low) % 2**number_format.bits + low,
    }.get(overflow)


def probes(number_format: Integer | FixedPoint) -> np.ndarray:
    """Every code's value and midpoint with neighbours, far beyond the range too."""
    low = number_format.codes()[0] - 3
    high = number_format.codes()[-1] + 3
    halves = np.arange(2 * low, 2 * high + 1) / 2.0 ** (1 + number_format.fraction_bits)
    points = np.concatenate([halves, np.nextafter(halves, -np.inf), np.nextafter(halves, np.inf)])
    far = [0.49999999999999994, 1e15 + 0.5, 2.0**63, 2.0**64 + 2.0**12, 1e300, np.inf, 5e-324]
    return np.concatenate([points, far, np.negative(far)])


@pytest.mark.parametrize("number_format", SMALL + FIXED, ids=str)
def test_all_roundings_and_overflows_equal_rationals(number_format: Integer | FixedPoint) -> None:
    values = probes(number_format)
    assert len(values) > 6 * 2**number_format.bits
    for rounding, overflow in product(Rounding, number_format.overflows):
        wanted = [wanted_code(number_format, v, rounding, overflow) for v in values.tolist()]
        codes = [code for code in wanted if code is not None]
        admitted = np.array([code is not None for code in wanted])
        policies = {"rounding": rounding, "overflow": overflow}
        got = number_format.encode(values[admitted], **policies)
        np.testing.assert_array_equal(got, codes)
        for value in values[~admitted]:
            with pytest.raises(ValueError, match="values = "):
                number_format.encode(value, **policies)


@pytest.mark.parametrize("number_format", SMALL + FIXED, ids=str)
def test_decode_and_back(number_format: Integer | FixedPoint) -> None:
    codes = number_format.codes()
    values = number_format.decode(codes)
    assert len(codes) == 2**number_format.bits
    assert [Fraction(v) * 2**number_format.fraction_bits for v in values.tolist()] == codes.tolist()
    assert Fraction(number_format.minimum) == Fraction(values.min())
    assert Fraction(number_format.maximum) == Fraction(values.max())
    for rounding, overflow in product(Rounding, number_format.overflows):
        got = number_format.encode(values, rounding=rounding, overflow=overflow)
        np.testing.assert_array_equal(got, codes)


def test_one_signed_bit_holds_zero_and_minus_one() -> None:
    assert Integer(1).codes().tolist() == [-1, 0]
    assert Integer(1).to_bits(-1) == 1
    assert Integer(1).encode([-7, -1, 0, 1, 7]).tolist() == [-1, -1, 0, 0, 0]


@pytest.mark.parametrize(
    ("bits", "signed", "dtype"),
    [
        (1, True, ml_dtypes.int1),
        (2, True, ml_dtypes.int2),
        (4, True, ml_dtypes.int4),
        (1, False, ml_dtypes.uint1),
        (2, False, ml_dtypes.uint2),
        (4, False, ml_dtypes.uint4),
        (8, True, np.int8),
        (8, False, np.uint8),
        (16, True, np.int16),
        (32, True, np.int32),
        (32, False, np.uint32),
    ],
)
def test_wrap_and_bits_equal_library_integers(bits: int, signed: bool, dtype: type) -> None:
    number_format = Integer(bits, signed=signed)
    values = np.random.default_rng(SEED).integers(-(2**62), 2**62, 10_000)
    wanted = values.astype(dtype).astype(np.int64)
    codes = number_format.encode(values, overflow=Overflow.WRAP)
    np.testing.assert_array_equal(codes, wanted)
    np.testing.assert_array_equal(number_format.to_bits(codes), values & (2**bits - 1))
    np.testing.assert_array_equal(number_format.from_bits(values & (2**bits - 1)), codes)


@pytest.mark.parametrize("bits", [53, 54, 62, 63])
@pytest.mark.parametrize("signed", [True, False])
def test_integers_beyond_float64_stay_exact(bits: int, signed: bool) -> None:
    number_format = Integer(bits, signed=signed)
    low, high = number_format.minimum, number_format.maximum
    values = [0, 1, -1, low, low + 1, high, high - 1, 2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63)]
    for overflow in (Overflow.SATURATE, Overflow.WRAP):
        wanted = [
            min(max(v, low), high) if overflow is Overflow.SATURATE else (v - low) % 2**bits + low
            for v in values
        ]
        assert number_format.encode(np.array(values), overflow=overflow).tolist() == wanted
    codes = number_format.corners()
    assert number_format.from_bits(number_format.to_bits(codes)).tolist() == codes
    assert number_format.to_bits(high) == high
    floats = np.array([2.0**bits, -(2.0**bits), 2.0 ** (bits - 1), -(2.0 ** (bits - 1)), 1e18])
    wanted = [wanted_code(number_format, v, Rounding.DOWN, Overflow.WRAP) for v in floats]
    got = number_format.encode(floats, rounding=Rounding.DOWN, overflow=Overflow.WRAP)
    assert got.tolist() == wanted


def test_fixed_point_takes_integers_exactly() -> None:
    number_format = FixedPoint(16, 8)
    values = np.array([0, 1, -1, 127, 128, -128, -129, 2**62, -(2**62)])
    saturated = [0, 256, -256, 127 * 256, 32767, -32768, -32768, 32767, -32768]
    assert number_format.encode(values).tolist() == saturated
    wrapped = [0, 256, -256, 127 * 256, -32768, -32768, 127 * 256, 0, 0]
    assert number_format.encode(values, overflow=Overflow.WRAP).tolist() == wrapped
    assert FixedPoint(62, 60).encode([1, 2, -2]).tolist() == [2**60, 2**61 - 1, -(2**61)]
    assert FixedPoint(8, 200).encode([0, 1, -1]).tolist() == [0, 127, -128]


def nearest_code(codebook: Codebook, value: float, rounding: Rounding) -> int:
    """The code by comparing `value` with every entry, as fractions."""
    entries = {}
    for code, entry in enumerate(codebook.values):
        if entry is not None:
            entries.setdefault(Fraction(entry), code)
    exact = Fraction(value)
    if exact in entries:
        return entries[exact]
    below = [entry for entry in entries if entry < exact]
    above = [entry for entry in entries if entry > exact]
    if not below or not above:
        return entries[min(above) if above else max(below)]
    low, high = max(below), min(above)
    smaller = high if abs(high) < abs(low) else low
    larger = low if smaller is high else high
    even = [entry for entry in (low, high) if entries[entry] % 2 == 0]
    gap = (exact - low) - (high - exact)
    nearest = low if gap < 0 else high
    chosen = {
        Rounding.DOWN: low,
        Rounding.UP: high,
        Rounding.TOWARD_ZERO: smaller,
        Rounding.NEAREST_AWAY: nearest if gap else larger,
        Rounding.NEAREST_EVEN: nearest if gap else (even[0] if len(even) == 1 else smaller),
    }[rounding]
    return entries[chosen]


@pytest.mark.parametrize("codebook", CODEBOOKS, ids=range(len(CODEBOOKS)))
def test_codebooks_equal_exact_comparison(codebook: Codebook) -> None:
    entries = np.unique([value for value in codebook.values if value is not None])
    points = np.concatenate([entries, (entries[1:] + entries[:-1]) / 2, [0.0]])
    points = np.concatenate([points, np.nextafter(points, -np.inf), np.nextafter(points, np.inf)])
    rng = np.random.default_rng(SEED)
    points = np.concatenate([points, rng.uniform(2 * entries[0] - 1, 2 * entries[-1] + 1, 500)])
    for rounding in Rounding:
        wanted = [nearest_code(codebook, value, rounding) for value in points.tolist()]
        np.testing.assert_array_equal(codebook.encode(points, rounding=rounding), wanted)
    assert len(points) >= 500 + 3 * (2 * len(entries) - 1)


@pytest.mark.parametrize("codebook", CODEBOOKS, ids=range(len(CODEBOOKS)))
def test_codebook_decode_and_back(codebook: Codebook) -> None:
    codes = codebook.codes()
    values = codebook.decode(codes)
    assert values.tolist() == [v for v in codebook.values if v is not None]
    np.testing.assert_array_equal(codebook.decode(codebook.encode(values)), values)
    with pytest.raises(ValueError, match=r"values\[1\] = -inf: .* holds"):
        codebook.encode([codebook.minimum, -np.inf], overflow=Overflow.RAISE)


def test_ternary_and_binary_codes() -> None:
    assert TERNARY.encode([-9, -0.6, -0.5, 0.5, 0.6]).tolist() == [3, 3, 0, 0, 1]
    assert TERNARY.codes().tolist() == [0, 1, 3]
    assert BINARY.encode([-0.1, 0.1]).tolist() == [0, 1]
    assert BINARY.encode(0.0) == 0
    assert BINARY.encode(0.0, rounding=Rounding.NEAREST_AWAY) == 1
    assert BINARY.decode([0, 1]).tolist() == [-1, 1]


def test_planted_bug_is_found() -> None:
    values = probes(Integer(4))
    wanted = [
        wanted_code(Integer(4), v, Rounding.NEAREST_EVEN, Overflow.SATURATE)
        for v in values.tolist()
    ]
    careless = np.clip(np.floor(values + 0.5), -8, 7).astype(int)
    assert (careless != wanted).any()
    assert (Integer(4).encode(values) == wanted).all()


@pytest.mark.parametrize(
    "number_format",
    [FixedPoint(16, 8), FixedPoint(1, 1074), FixedPoint(63, 62), FixedPoint(8, 700)],
)
def test_wrapping_takes_every_finite_value(number_format):
    """Scaled by 2**fraction_bits these are beyond float64."""
    values = [1e308, -1e308, 0.5, -0.5, 3.7e200, 5e-324, -1.5, np.finfo(float).max]
    for rounding in Rounding:
        got = number_format.encode(values, rounding=rounding, overflow=Overflow.WRAP).tolist()
        assert got == [wanted_code(number_format, v, rounding, Overflow.WRAP) for v in values]
    with pytest.raises(ValueError, match="holds"):
        number_format.encode(math.inf, overflow=Overflow.WRAP)
