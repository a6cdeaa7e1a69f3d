"""Float formats against ml_dtypes, gfloat, numpy and torch, on every code of up to 16 bits and
at, just below and just above every midpoint."""

import gfloat
import gfloat.formats
import ml_dtypes
import numpy as np
import pytest
import torch

from multipede.golden.formats import (
    BF16,
    E8M0,
    FP16,
    FP32,
    TF32,
    Float,
    Overflow,
    Rounding,
    parse_format,
)

SEED = 20251122
ML_DTYPES = {
    "fp16": (np.float16, Overflow.INFINITY),
    "bf16": (ml_dtypes.bfloat16, Overflow.INFINITY),
    "e5m2": (ml_dtypes.float8_e5m2, Overflow.INFINITY),
    "e4m3": (ml_dtypes.float8_e4m3fn, Overflow.INFINITY),
    "e4m3-ieee": (ml_dtypes.float8_e4m3, Overflow.INFINITY),
    "e3m2": (ml_dtypes.float6_e3m2fn, Overflow.SATURATE),
    "e2m3": (ml_dtypes.float6_e2m3fn, Overflow.SATURATE),
    "e2m1": (ml_dtypes.float4_e2m1fn, Overflow.SATURATE),
}

GFLOAT_MODES = {
    Rounding.NEAREST_EVEN: gfloat.RoundMode.TiesToEven,
    Rounding.NEAREST_AWAY: gfloat.RoundMode.TiesToAway,
    Rounding.TOWARD_ZERO: gfloat.RoundMode.TowardZero,
    Rounding.DOWN: gfloat.RoundMode.TowardNegative,
    Rounding.UP: gfloat.RoundMode.TowardPositive,
}


def small_format(
    bits: int, precision: int, bias: int, signed: bool, nans: int
) -> gfloat.FormatInfo:
    return gfloat.FormatInfo(
        "small",
        k=bits,
        precision=precision,
        bias=bias,
        is_signed=signed,
        domain=gfloat.Domain.Finite,
        has_nz=signed,
        num_high_nans=nans,
        has_subnormals=True,
        is_twos_complement=False,
    )


GFLOAT = {
    "fp16": gfloat.formats.format_info_binary16,
    "bf16": gfloat.formats.format_info_bfloat16,
    "e5m2": gfloat.formats.format_info_ocp_e5m2,
    "e4m3": gfloat.formats.format_info_ocp_e4m3,
    "e3m2": gfloat.formats.format_info_ocp_e3m2,
    "e2m3": gfloat.formats.format_info_ocp_e2m3,
    "e2m1": gfloat.formats.format_info_ocp_e2m1,
    "e8m0": gfloat.formats.format_info_ocp_e8m0,
    "e3m0": small_format(4, 1, 3, signed=True, nans=0),
    "ue4m3": small_format(7, 4, 7, signed=False, nans=1),
    "ue5m3": small_format(8, 4, 15, signed=False, nans=1),
}


def probes(number_format: Float, dtype: type = np.float64) -> np.ndarray:
    """All values, all midpoints, their `dtype` neighbours on both sides, the first midpoint
    beyond the range and numbers far beyond it, in both signs."""
    values = number_format.decode(number_format.codes())
    values = np.unique(values[np.isfinite(values) & (values >= 0)])
    beyond = 2 * values[-1] - values[-2] if number_format.mantissa_bits else 2 * values[-1]
    values = np.append(values, beyond)
    points = np.concatenate([values, (values[1:] + values[:-1]) / 2])
    points = points[points <= np.finfo(dtype).max].astype(dtype)
    assert len(points) >= 2 * len(values) - 2
    zero, infinity = dtype(0), dtype(np.inf)
    points = np.concatenate([points, np.nextafter(points, zero), np.nextafter(points, infinity)])
    points = np.concatenate([points.astype(np.float64), [0.0, values[1] / 4, 3e38]])
    return np.concatenate([points, -points])


def equal(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Equal numbers with equal signs of zero, or both NaN."""
    return ((a == b) & (np.signbit(a) == np.signbit(b))) | (np.isnan(a) & np.isnan(b))


@pytest.mark.parametrize("name", ML_DTYPES)
def test_decode_equals_ml_dtypes(name: str) -> None:
    dtype, _ = ML_DTYPES[name]
    number_format = parse_format(name)
    codes = number_format.codes()
    container = np.uint16 if number_format.bits > 8 else np.uint8
    with np.errstate(invalid="ignore"):
        wanted = codes.astype(container).view(dtype).astype(np.float64)
    assert equal(number_format.decode(codes), wanted).all()


@pytest.mark.parametrize("name", ML_DTYPES)
def test_nearest_even_equals_ml_dtypes(name: str) -> None:
    dtype, overflow = ML_DTYPES[name]
    number_format = parse_format(name)
    # ml_dtypes rounds float64 to float32 first, numpy does not.
    values = probes(number_format, np.float64 if dtype is np.float16 else np.float32)
    assert len(values) > 5 * 2**number_format.bits
    if overflow is Overflow.INFINITY:
        values = np.concatenate([values, [np.inf, -np.inf, np.nan]])
    with np.errstate(over="ignore"):
        wanted = values.astype(dtype).astype(np.float64)
    got = number_format.decode(number_format.encode(values, overflow=overflow))
    bad = ~equal(got, wanted)
    assert not bad.any(), (values[bad][:5], got[bad][:5], wanted[bad][:5])


@pytest.mark.parametrize("name", GFLOAT)
def test_decode_equals_gfloat(name: str) -> None:
    number_format = parse_format(name)
    codes = number_format.codes()
    wanted = gfloat.decode_ndarray(GFLOAT[name], codes)
    assert equal(number_format.decode(codes), wanted).all()


@pytest.mark.parametrize("rounding", Rounding)
@pytest.mark.parametrize("name", GFLOAT)
def test_all_roundings_equal_gfloat(name: str, rounding: Rounding) -> None:
    number_format, info = parse_format(name), GFLOAT[name]
    values = probes(number_format)
    if not number_format.signed:  # gfloat leaves open what negative numbers become
        values = values[values >= number_format.minimum]
    assert len(values) > 5 * 2**number_format.bits
    policies = {Overflow.SATURATE: True, Overflow.INFINITY: False}
    for overflow in policies.keys() & set(number_format.overflows):
        wanted = gfloat.round_ndarray(info, values, GFLOAT_MODES[rounding], policies[overflow])
        got = number_format.encode(values, rounding=rounding, overflow=overflow)
        bad = ~equal(number_format.decode(got), wanted)
        assert not bad.any(), (values[bad][:5], got[bad][:5], wanted[bad][:5])


@pytest.mark.parametrize(("number_format", "dtype"), [(FP32, np.float32), (FP16, np.float16)])
def test_nearest_even_equals_numpy(number_format: Float, dtype: type) -> None:
    """Random codes with their upper midpoints and neighbours, and exponents all over."""
    print(f"seed {SEED}")
    rng = np.random.default_rng(SEED)
    maximum = number_format.encode(number_format.maximum)
    subnormals = rng.integers(0, 2 << number_format.mantissa_bits, 50_000)
    magnitudes = np.concatenate([rng.integers(0, maximum, 50_000), subnormals])
    low, high = number_format.decode(magnitudes), number_format.decode(magnitudes + 1)
    middles = low / 2 + high / 2
    lowest, highest = np.frexp([number_format.decode(1), number_format.maximum])[1]
    anywhere = np.ldexp(rng.uniform(1, 2, 100_000), rng.integers(lowest - 4, highest + 3, 100_000))
    values = [low, middles, np.nextafter(middles, 0), np.nextafter(middles, np.inf), anywhere]
    values = np.concatenate(values) * rng.choice([-1, 1], 500_000)
    with np.errstate(over="ignore"):
        wanted = values.astype(dtype).view(f"u{dtype().itemsize}").astype(np.int64)
    got = number_format.encode(values, overflow=Overflow.INFINITY)
    np.testing.assert_array_equal(got, wanted)


def test_bf16_and_tf32_of_fp32_values_equal_torch_and_rounded_bits() -> None:
    rng = np.random.default_rng(SEED)
    patterns = rng.integers(0, 1 << 32, 200_000, dtype=np.uint32)
    values = patterns.view(np.float32)
    values = values[np.isfinite(values)]
    bf16 = torch.from_numpy(values).to(torch.bfloat16).view(torch.int16).numpy().astype(np.uint16)
    np.testing.assert_array_equal(BF16.encode(values, overflow=Overflow.INFINITY), bf16)
    bits = values.view(np.uint32).astype(np.int64)
    tf32 = (bits + 0xFFF + (bits >> 13 & 1)) >> 13
    np.testing.assert_array_equal(TF32.encode(values, overflow=Overflow.INFINITY), tf32)


def test_e8m0_nearest_away_equals_ml_dtypes() -> None:
    # ml_dtypes sends ties of E8M0 away from zero; it errs for float32 subnormals, where it makes
    # the number just below 1.5 * 2**-127 2**-126.
    values = probes(E8M0, np.float32)
    values = values[(values >= 2.0**-126) & np.isfinite(values)]
    with np.errstate(over="ignore"):
        wanted = values.astype(ml_dtypes.float8_e8m0fnu).view(np.uint8)
    got = E8M0.encode(values, rounding=Rounding.NEAREST_AWAY, overflow=Overflow.NAN)
    assert len(values) > 1500
    assert equal(E8M0.decode(wanted), wanted.view(ml_dtypes.float8_e8m0fnu).astype(float)).all()
    np.testing.assert_array_equal(got, wanted)
