"""phi against its definition in exact rationals."""

from fractions import Fraction

import numpy as np
import pytest
import torch

from multipede.golden.folded_square import largest_loss
from multipede.golden.formats import (
    BF16,
    E4M3,
    E5M2,
    FP16,
    FP32,
    FixedPoint,
    Float,
    Integer,
    Overflow,
    Rounding,
)
from multipede.golden.quadinr import Extension, QuadINR

FIXED = [
    (FixedPoint(8, 5), FixedPoint(8, 6)),
    (FixedPoint(9, 7), FixedPoint(7, 6)),
    (FixedPoint(6, 2), FixedPoint(8, 6)),
    (FixedPoint(8, 8), FixedPoint(12, 8)),
    (FixedPoint(10, 1), FixedPoint(6, 4)),
    (FixedPoint(8, 6, signed=False), FixedPoint(6, 6, signed=False)),
    (FixedPoint(9, 7), FixedPoint(5, 6)),
    (FixedPoint(8, 5), E4M3),
]


def phi(x: Fraction, extension: Extension) -> Fraction:
    """The definition, piece by piece."""
    if extension is Extension.SIGMOID:
        return (1 + phi(x / 4, Extension.CLAMPED)) / 2
    if extension is Extension.CLAMPED:
        t = min(max(x, Fraction(-1)), Fraction(1))
    else:
        t = (x + 2) % 4 - 2
    return t * t + 2 * t if t <= 0 else -t * t + 2 * t


def results(spec: QuadINR, codes: np.ndarray) -> np.ndarray:
    outputs, state = spec.reference(x=torch.tensor(codes))
    assert state is None
    return outputs["y"].numpy()


def all_codes(number_format: FixedPoint) -> np.ndarray:
    return np.arange(number_format.minimum_code, number_format.maximum_code + 1)


@pytest.mark.parametrize(
    ("x", "y"),
    [
        *[(-2, 0), (-1.5, -0.75), (-1, -1), (-0.5, -0.75), (0, 0), (0.25, 0.4375), (0.5, 0.75)],
        *[(1, 1), (1.5, 0.75), (2, 0), (3, -1), (5, 1), (-3, 1), (7.5, -0.75)],
    ],
)
@pytest.mark.parametrize("number_format", [FixedPoint(16, 11), FP32, BF16, FP16])
def test_known_values(x, y, number_format):
    spec = QuadINR(x=number_format, result=number_format)
    code = np.asarray(number_format.encode(np.array([x], np.float64)))
    assert float(number_format.decode(results(spec, code))[0]) == y


@pytest.mark.parametrize("extension", Extension)
@pytest.mark.parametrize(("x", "result"), FIXED)
def test_all_codes_of_fixed_point(x, result, extension):
    """Of exact rationals, rounded as the result's format does it, in every rounding."""
    codes = all_codes(x)
    exact = [float(phi(Fraction(int(code), 1 << x.fraction_bits), extension)) for code in codes]
    checked = 0
    for rounding in Rounding:
        for overflow in (Overflow.SATURATE, *([Overflow.WRAP] * isinstance(result, FixedPoint))):
            spec = QuadINR(
                x=x, result=result, extension=extension, rounding=rounding, overflow=overflow
            )
            wanted = np.asarray(
                result.encode(np.array(exact), rounding=rounding, overflow=overflow)
            )
            got = results(spec, codes)
            if isinstance(result, Float):  # floats' zeros have t's sign
                got, wanted = (np.asarray(result.decode(array)) for array in (got, wanted))
            assert (got == wanted).all(), spec
            checked += len(codes)
    assert checked >= 5 * 64


@pytest.mark.parametrize("extension", [Extension.PERIODIC, Extension.CLAMPED])
@pytest.mark.parametrize("number_format", [E4M3, E5M2, FP16, BF16])
def test_all_codes_of_floats(number_format, extension):
    """Against exact rationals; what they round to is looked for among the format's neighbours."""
    spec = QuadINR(
        x=number_format,
        result=number_format,
        extension=extension,
        rounding=Rounding.NEAREST_EVEN,
    )
    codes = np.arange(1 << number_format.bits)
    if number_format.bits == 16:
        codes = codes[:: 7 if extension is Extension.PERIODIC else 31]
    values = np.asarray(number_format.decode(codes))
    got = np.asarray(number_format.decode(results(spec, codes)))
    finite = np.isfinite(values)
    lost = np.isnan(values) | (np.isinf(values) & (extension is Extension.PERIODIC))
    assert np.isnan(got[lost]).all()
    assert np.isfinite(got[~lost]).all()
    exact = [phi(Fraction(float(value)), extension) for value in values[finite]]
    wanted = nearest(number_format, exact)
    assert (got[finite] == wanted).all()
    negative = np.array([p < 0 for p in exact])
    assert (np.signbit(got[finite])[negative]).all()
    infinite = np.isinf(values)
    if extension is Extension.CLAMPED and infinite.any():
        assert (got[infinite] == np.sign(values[infinite])).all()
    assert finite.sum() > 200


def nearest(number_format: Float, exact: list[Fraction]) -> np.ndarray:
    """The nearest numbers of a format, found by bisection among all of them; ties to even codes."""
    codes = np.arange(number_format.maximum_code + 1)
    values = np.asarray(number_format.decode(codes))
    found = []
    for number in exact:
        magnitude = abs(number)
        above = int(np.searchsorted(values, float(magnitude)))
        candidates = range(max(0, above - 1), min(len(values), above + 2))
        best = min(candidates, key=lambda k: (abs(Fraction(float(values[k])) - magnitude), k & 1))
        found.append(float(values[best]) * (-1 if number < 0 else 1))
    return np.array(found)


@pytest.mark.parametrize("extension", [Extension.PERIODIC, Extension.CLAMPED])
@pytest.mark.parametrize(
    ("x", "result"),
    [
        (FixedPoint(16, 12), FixedPoint(16, 14)),
        (FixedPoint(12, 8), FixedPoint(10, 9)),
        (FixedPoint(10, 8), FixedPoint(10, 8)),
        (FixedPoint(9, 8), FixedPoint(12, 9)),
        (FixedPoint(7, 3), FixedPoint(12, 9)),
        (FixedPoint(18, 16), FixedPoint(17, 16)),
    ],
)
def test_faithful_results_are_a_neighbour_of_the_exact_one(x, result, extension):
    spec = QuadINR(x=x, result=result, extension=extension, faithful=True)
    codes = all_codes(x)
    drop = 2 * x.fraction_bits - result.fraction_bits
    t = (codes + (2 << x.fraction_bits)) % (4 << x.fraction_bits) - (2 << x.fraction_bits)
    if extension is Extension.CLAMPED:
        t = np.clip(codes, -1 << x.fraction_bits, 1 << x.fraction_bits)
    exact = t * ((2 << x.fraction_bits) - np.abs(t))  # of 2 * fraction_bits places
    exact = np.minimum(exact, result.maximum_code * 2.0**drop)
    error = results(spec, codes) * 2.0**drop - exact
    assert (np.abs(error) < 2.0**drop).all() if drop > 0 else (error == 0).all()
    assert (spec.dropped_columns > 0) == (drop > 1)


def test_a_column_more_would_not_be_faithful():
    """The columns that are dropped are all that can be: one more loses a whole unit."""
    spec = QuadINR(x=FixedPoint(16, 12), result=FixedPoint(16, 14), faithful=True)
    unit = 1 << (2 * 12 - 14)
    cut = spec.dropped_columns
    assert largest_loss(12, cut) + (1 << cut) <= unit < largest_loss(12, cut + 1) + (2 << cut)


@pytest.mark.parametrize("spec", [QuadINR(), QuadINR(x=FP16, result=BF16), QuadINR(faithful=True)])
def test_half_period_and_mirror_image(spec):
    """phi(-x) = -phi(x), and phi(x + 2) = -phi(x) in fixed point."""
    if isinstance(spec.x, Float):
        codes = np.arange(0x7C00)
        assert (results(spec, codes | 0x8000) == results(spec, codes) ^ 0x8000).all()
        return
    codes = np.arange(-(1 << 14), 1 << 14)
    y = results(spec, codes)
    turned = results(spec, codes + (2 << spec.x.fraction_bits))
    if not spec.faithful:
        assert (turned == -y).all()
        assert (results(spec, -codes) == -y).all()
    assert np.abs(turned + y).max() <= 1


def test_the_sigmoid_is_near_the_logistic_function():
    spec = QuadINR(x=FixedPoint(16, 11), result=FixedPoint(16, 15), extension=Extension.SIGMOID)
    codes = all_codes(spec.x)
    y = results(spec, codes) / 2**15
    distance = np.abs(y - 1 / (1 + np.exp(-codes / 2**11)))
    assert distance.max() == pytest.approx(0.02161, abs=5e-5)
    assert distance[np.abs(codes) <= 8 << 11].mean() == pytest.approx(0.00774, abs=5e-5)


def test_distance_to_a_sine():
    spec = QuadINR(x=FixedPoint(16, 14), result=FixedPoint(24, 22))
    codes = all_codes(spec.x)
    difference = results(spec, codes) / 2**22 - np.sin(np.pi / 2 * codes / 2**14)
    assert np.abs(difference).max() == pytest.approx(0.05601, abs=1e-5)
    assert np.sqrt((difference**2).mean()) == pytest.approx(0.03584, abs=1e-5)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"x": Integer(8)}, ValueError, "x = int8: allowed are floats, and fixed point"),
        ({"x": FixedPoint(40, 12)}, ValueError, "x = fixed40.12"),
        ({"x": FixedPoint(8, 0)}, ValueError, "x = fixed8.0"),
        ({"x": FP16}, ValueError, "result = fixed16.14: with x = fp16 it must be a float"),
        ({"x": Float(2, 1, bias=7), "result": FP16}, ValueError, "1 must be among"),
        (
            {"x": FP16, "result": FP16, "extension": Extension.SIGMOID},
            ValueError,
            "extension = sigmoid: x = fp16 must be fixed point",
        ),
        ({"faithful": True, "rounding": Rounding.DOWN}, ValueError, "rounding = down"),
        ({"faithful": True, "result": FP16}, ValueError, "faithful = true"),
        ({"faithful": True, "x": FixedPoint(32, 31)}, ValueError, "at most 30 fraction"),
        ({"faithful": 1}, TypeError, "faithful"),
        ({"extension": "periodic"}, TypeError, "extension"),
        ({"stages": 13}, ValueError, "stages = 13: allowed are 0 to 12"),
    ],
)
def test_refused(parameters, error, message):
    with pytest.raises(error, match=message):
        QuadINR(**parameters)
