"""Float formats against exact rationals written from the definition: the values of all codes,
and every rounding and overflow policy at, just below and just above every midpoint."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from multipede.golden.formats import (
    BF16,
    E4M3,
    E8M0,
    FP16,
    FP32,
    Float,
    Overflow,
    Rounding,
    parse_format,
)

SEED = 20251122


@dataclass(frozen=True)
class Layout:
    """A format as its published table gives it, for the oracle; codes without the sign bit."""

    exponent_bits: int
    mantissa_bits: int
    bias: int
    last: int
    infinity: int | None = None
    nan: int | None = None
    signed: bool = True
    field_zero: str = "subnormal"  # or "flushed", "normal"

    @property
    def sign(self) -> int:
        return 1 << (self.exponent_bits + self.mantissa_bits)

    def value(self, magnitude: int) -> Fraction:
        """The value of a finite magnitude code, continued beyond the last one."""
        exponent, mantissa = divmod(magnitude, 1 << self.mantissa_bits)
        fraction = Fraction(mantissa, 1 << self.mantissa_bits)
        if exponent == 0 and self.field_zero == "flushed":
            return Fraction(0)
        if exponent == 0 and self.field_zero == "subnormal":
            return Fraction(2) ** (1 - self.bias) * fraction
        return Fraction(2) ** (exponent - self.bias) * (1 + fraction)

    def decode(self, code: int) -> float:
        magnitude = code % self.sign
        if magnitude == self.infinity:
            value = np.inf
        elif magnitude > self.last:
            return np.nan
        else:
            value = float(self.value(magnitude))
        return -value if code & self.sign else value

    def encode(self, number: float, rounding: Rounding, overflow: Overflow) -> int | None:
        """The code of `number`; None where a ValueError is due."""
        return self.admit(number, self.rounded(number, rounding), rounding, overflow)

    def admit(
        self, number: float, code: int | None, rounding: Rounding, overflow: Overflow
    ) -> int | None:
        """The code of `number`, whose rounded magnitude has `code` in an unbounded range."""
        if math.isnan(number):
            return self.nan
        negative = math.copysign(1, number) < 0
        sign = self.sign if negative and self.signed else 0
        has_infinity = self.infinity is not None and (self.signed or not negative)
        if code is None:
            if has_infinity:
                return self.infinity | sign
        elif 0 <= code <= self.last and (self.signed or not negative or self.value(code) == 0):
            return code | sign
        low = negative or (code is not None and code < 0)
        nearest = 0 if low and not self.signed else self.last | sign
        inwards = rounding in (Rounding.TOWARD_ZERO, Rounding.UP if low else Rounding.DOWN)
        match overflow:
            case Overflow.SATURATE:
                return nearest
            case Overflow.RAISE:
                return None
            case Overflow.NAN:
                return self.nan
            case Overflow.INFINITY:
                if inwards and code is not None:
                    return nearest
                return self.infinity | sign if has_infinity and low == negative else self.nan

    def rounded(self, number: float, rounding: Rounding) -> int | None:
        """The magnitude code in an unbounded range; -1 for all beneath a lowest normal number,
        None for infinity and NaN."""
        if not math.isfinite(number):
            return None
        if number == 0:
            return -1 if self.field_zero == "normal" else 0
        negative, magnitude = number < 0, abs(Fraction(number))
        exponent = magnitude.numerator.bit_length() - magnitude.denominator.bit_length()
        if magnitude < Fraction(2) ** exponent:
            exponent -= 1
        if self.field_zero == "subnormal":
            exponent = max(exponent, 1 - self.bias)
        units, rest = divmod(magnitude / Fraction(2) ** (exponent - self.mantissa_bits), 1)
        # The hidden bit of units adds one to the exponent field, and so does a carry.
        code = ((exponent + self.bias - 1) << self.mantissa_bits) + units
        half = Fraction(1, 2)
        code += {
            Rounding.NEAREST_EVEN: rest > half or (rest == half and code % 2 == 1),
            Rounding.NEAREST_AWAY: rest >= half,
            Rounding.TOWARD_ZERO: False,
            Rounding.DOWN: negative and rest > 0,
            Rounding.UP: not negative and rest > 0,
        }[rounding]
        if self.field_zero == "flushed":
            return 0 if code < 1 << self.mantissa_bits else code
        return max(code, -1)


LAYOUTS = {
    "fp32": Layout(8, 23, 127, 0x7F7FFFFF, 0x7F800000, 0x7FC00000),
    "fp16": Layout(5, 10, 15, 0x7BFF, 0x7C00, 0x7E00),
    "bf16": Layout(8, 7, 127, 0x7F7F, 0x7F80, 0x7FC0),
    "tf32": Layout(8, 10, 127, 0x3FBFF, 0x3FC00, 0x3FE00),
    "e5m2": Layout(5, 2, 15, 0x7B, 0x7C, 0x7E),
    "e4m3": Layout(4, 3, 7, 0x7E, None, 0x7F),
    "e3m2": Layout(3, 2, 3, 0x1F),
    "e2m3": Layout(2, 3, 1, 0x1F),
    "e2m1": Layout(2, 1, 1, 0x7),
    "e3m0": Layout(3, 0, 3, 0x7),
    "e8m0": Layout(8, 0, 127, 0xFE, None, 0xFF, signed=False, field_zero="normal"),
    "ue4m3": Layout(4, 3, 7, 0x7E, None, 0x7F, signed=False),
    "ue5m3": Layout(5, 3, 15, 0xFE, None, 0xFF, signed=False),
    "ue5m3-ieee": Layout(5, 3, 15, 0xF7, 0xF8, 0xFC, signed=False),
    "e4m3-ieee": Layout(4, 3, 7, 0x77, 0x78, 0x7C),
    "e3m0-ieee": Layout(3, 0, 3, 0x6, 0x7, None),
    "e2m2-finite-b3": Layout(2, 2, 3, 0xF),
    "e4m3-fn-ftz": Layout(4, 3, 7, 0x7E, None, 0x7F, field_zero="flushed"),
    "ue3m2-finite-b9-nozero": Layout(3, 2, 9, 0x1F, signed=False, field_zero="normal"),
}
SMALL = [name for name, layout in LAYOUTS.items() if layout.sign <= 1 << 8]
UP_TO_16_BITS = [name for name, layout in LAYOUTS.items() if layout.sign <= 1 << 15]


def probes(layout: Layout) -> np.ndarray:
    """All values, all midpoints, their float64 neighbours on both sides, the first midpoint
    beyond the range and far beyond it, in both signs, and infinities."""
    values = np.array([float(layout.value(code)) for code in range(layout.last + 2)])
    values = np.concatenate([values[:1] / 2, np.unique(values)])
    middles = (values[1:] + values[:-1]) / 2
    points = np.concatenate([values, middles])
    points = np.concatenate([points, np.nextafter(points, 0), np.nextafter(points, np.inf)])
    points = np.concatenate([points, [0.0, 5e-324, 2.0**-1022, 1e300, np.inf]])
    return np.concatenate([points, -points])


def equal(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Equal numbers with equal signs of zero, or both NaN."""
    return ((a == b) & (np.signbit(a) == np.signbit(b))) | (np.isnan(a) & np.isnan(b))


def mismatches(
    number_format: Float,
    layout: Layout,
    values: np.ndarray,
    rounding: Rounding,
    overflows: Iterable[Overflow],
) -> list[str]:
    """Where `number_format` encodes otherwise than the rationals of `layout`."""
    rounded = [(value, layout.rounded(value, rounding)) for value in values.tolist()]
    found = []
    for overflow in overflows:
        wanted = [layout.admit(value, code, rounding, overflow) for value, code in rounded]
        refused = np.array([code is None for code in wanted])
        policies = {"rounding": rounding, "overflow": overflow}
        got = number_format.encode(values[~refused], **policies).tolist()
        for value in values[refused][::5].tolist():
            with pytest.raises(ValueError, match="values = "):
                number_format.encode(value, **policies)
        found += [
            f"{value!r} {rounding} {overflow}: {code} instead of {want}"
            for value, code, want in zip(
                values[~refused].tolist(), got, filter(is_code, wanted), strict=True
            )
            if want != code
        ]
    return found


def is_code(code: int | None) -> bool:
    return code is not None


@pytest.mark.parametrize("name", LAYOUTS)
def test_parameters_are_the_published_ones(name: str) -> None:
    layout, number_format = LAYOUTS[name], parse_format(name)
    assert number_format.bits == layout.sign.bit_length() - 1 + layout.signed
    assert number_format.bias == layout.bias
    assert Fraction(number_format.maximum) == layout.value(layout.last)
    low = -layout.value(layout.last) if layout.signed else layout.value(0)
    assert Fraction(number_format.minimum) == low
    assert number_format.infinity_code == layout.infinity
    assert number_format.nan_code == layout.nan


@pytest.mark.parametrize("name", UP_TO_16_BITS)
def test_decode_of_every_code_is_the_rational(name: str) -> None:
    layout, number_format = LAYOUTS[name], parse_format(name)
    codes = number_format.codes()
    assert len(codes) == 1 << number_format.bits
    wanted = np.array([layout.decode(code) for code in codes.tolist()])
    assert equal(number_format.decode(codes), wanted).all()


@pytest.mark.parametrize("name", ["fp32", "tf32"])
def test_decode_of_wide_codes_is_the_rational(name: str) -> None:
    layout, number_format = LAYOUTS[name], parse_format(name)
    codes = np.random.default_rng(SEED).integers(0, 1 << number_format.bits, 20_000)
    codes = np.concatenate([codes, number_format.corners()])
    wanted = np.array([layout.decode(code) for code in codes.tolist()])
    assert equal(number_format.decode(codes), wanted).all()


@pytest.mark.parametrize("name", UP_TO_16_BITS)
def test_every_value_encodes_to_its_own_code(name: str) -> None:
    layout, number_format = LAYOUTS[name], parse_format(name)
    codes = number_format.codes()
    values = number_format.decode(codes)
    number = ~np.isnan(values)
    own = codes.copy()
    if layout.field_zero == "flushed":
        flushed = codes % layout.sign < 1 << layout.mantissa_bits
        own[flushed] &= layout.sign
    for rounding, overflow in product(Rounding, number_format.overflows):
        got = number_format.encode(values[number], rounding=rounding, overflow=overflow)
        np.testing.assert_array_equal(got, own[number])


@pytest.mark.parametrize("name", UP_TO_16_BITS)
def test_values_ascend_with_the_codes(name: str) -> None:
    layout, number_format = LAYOUTS[name], parse_format(name)
    steps = np.diff(number_format.decode(np.arange(layout.last + 1)))
    assert (steps >= 0).all()
    assert (steps > 0).all() or layout.field_zero == "flushed"


@pytest.mark.parametrize("rounding", Rounding)
@pytest.mark.parametrize("name", SMALL)
def test_all_roundings_and_overflows_equal_rationals(name: str, rounding: Rounding) -> None:
    number_format, layout = parse_format(name), LAYOUTS[name]
    values = probes(layout)
    assert len(values) > 10 * layout.last
    if layout.nan is not None:
        values = np.concatenate([values, [np.nan]])
    assert not mismatches(number_format, layout, values, rounding, number_format.overflows)[:5]


@pytest.mark.parametrize("rounding", Rounding)
@pytest.mark.parametrize("name", ["fp32", "tf32", "fp16", "bf16"])
def test_wide_formats_equal_rationals_at_random_points(name: str, rounding: Rounding) -> None:
    number_format, layout = parse_format(name), LAYOUTS[name]
    values = biased_values(number_format, 300)
    assert len(values) > 1500
    assert not mismatches(number_format, layout, values, rounding, number_format.overflows)[:5]


def biased_values(number_format: Float, count: int) -> np.ndarray:
    """Random codes, their upper midpoints with float64 neighbours, the boundary of overflow,
    and random float64 with exponents all over the format's range and beyond."""
    rng = np.random.default_rng(SEED)
    print(f"seed {SEED}")
    maximum = number_format.encode(number_format.maximum)
    magnitudes = np.concatenate(
        [
            rng.integers(0, maximum, count),
            rng.integers(0, 2 << number_format.mantissa_bits, count),
            maximum - rng.integers(1, 50, 50),
        ]
    )
    low, high = number_format.decode(magnitudes), number_format.decode(magnitudes + 1)
    beyond = number_format.maximum * (1 + 2.0 ** -(number_format.mantissa_bits + 2))
    middles = np.concatenate([low / 2 + high / 2, [beyond]])
    exponents = np.frexp([number_format.decode(1), number_format.maximum])[1]
    spread = rng.integers(exponents[0] - 4, exponents[1] + 3, count)
    anywhere = np.ldexp(rng.uniform(1, 2, count), spread - 1)
    points = np.concatenate(
        [low, middles, np.nextafter(middles, 0), np.nextafter(middles, np.inf), anywhere]
    )
    return points * rng.choice([-1, 1], len(points))


def test_one_rounding_where_two_would_differ() -> None:
    # Through FP32 these become ties, which go to the even code.
    just_above = 1 + 2.0**-11 + 2.0**-40
    assert FP16.encode(just_above) == FP16.encode(1.0) + 1
    assert BF16.encode(1 + 2.0**-8 + 2.0**-40) == BF16.encode(1.0) + 1
    subnormal = 2.0**-25 + 2.0**-70
    assert FP16.encode(subnormal) == 1
    assert FP16.encode(2.0**-25) == 0
    assert FP32.encode(2.0**-150 + 2.0**-200) == 1


@pytest.mark.parametrize(
    ("value", "overflow", "code"),
    [
        (464.0, Overflow.INFINITY, 0x7E),
        (np.nextafter(464, 465), Overflow.INFINITY, 0x7F),
        (np.nextafter(464, 465), Overflow.NAN, 0x7F),
        (np.nextafter(464, 465), Overflow.SATURATE, 0x7E),
        (-465.0, Overflow.SATURATE, 0xFE),
        (-465.0, Overflow.INFINITY, 0x7F),
        (np.inf, Overflow.SATURATE, 0x7E),
        (-np.inf, Overflow.SATURATE, 0xFE),
        (np.inf, Overflow.INFINITY, 0x7F),
    ],
)
def test_e4m3_at_the_boundary(value: float, overflow: Overflow, code: int) -> None:
    assert E4M3.encode(value, overflow=overflow) == code


@pytest.mark.parametrize(
    ("value", "overflow", "code"),
    [
        (0.0, Overflow.SATURATE, 0),
        (-1.0, Overflow.SATURATE, 0),
        (2.0**-130, Overflow.SATURATE, 0),
        (0.0, Overflow.NAN, 255),
        (-1.0, Overflow.INFINITY, 255),
        (2.0**-130, Overflow.INFINITY, 255),
        (0.9 * 2.0**-127, Overflow.NAN, 0),
        (1.5, Overflow.NAN, 128),
        (3.0, Overflow.NAN, 128),
        (2.0**127 * 1.5, Overflow.SATURATE, 254),
        (2.0**127 * 1.49, Overflow.NAN, 254),
        (np.inf, Overflow.SATURATE, 254),
        (np.nan, Overflow.SATURATE, 255),
    ],
)
def test_e8m0_has_no_zero_and_ties_to_the_even_code(
    value: float, overflow: Overflow, code: int
) -> None:
    assert E8M0.encode(value, overflow=overflow) == code


class HalfAway(Float):
    """E4M3 with ties away from zero: a common mistake."""

    def encode(self, values: np.ndarray, **policies: object) -> np.ndarray:
        return super().encode(values, **policies | {"rounding": Rounding.NEAREST_AWAY})


class ThroughFloat32(Float):
    """Two roundings: a common mistake."""

    def encode(self, values: np.ndarray, **policies: object) -> np.ndarray:
        with np.errstate(over="ignore"):
            return super().encode(values.astype(np.float32), **policies)


class NoNegativeZero(Float):
    """The sign of zero lost."""

    def encode(self, values: np.ndarray, **policies: object) -> np.ndarray:
        return super().encode(values + 0.0, **policies)


@pytest.mark.parametrize(
    "planted",
    [
        replace(E4M3, bias=8),
        replace(E4M3, subnormals=False),
        HalfAway(4, 3, specials=E4M3.specials),
        ThroughFloat32(4, 3, specials=E4M3.specials),
        NoNegativeZero(4, 3, specials=E4M3.specials),
    ],
    ids=["bias", "flush", "half_away", "through_float32", "no_negative_zero"],
)
def test_planted_bugs_are_found(planted: Float) -> None:
    layout = LAYOUTS["e4m3"]
    values = probes(layout)
    policies = (Rounding.NEAREST_EVEN, [Overflow.SATURATE])
    assert mismatches(planted, layout, values, *policies)
    assert not mismatches(E4M3, layout, values, *policies)
