"""Sines by rotations and by series, and the activations made of sines and bells: faithful."""

import numpy as np
import pytest

from multipede.golden.cordic_sine import CordicSine
from multipede.golden.finer import Finer
from multipede.golden.formats import FixedPoint, Integer
from multipede.golden.gabor import Gabor
from multipede.golden.piecewise_polynomial import PiecewisePolynomial
from multipede.golden.sinc_divider import SincDivider
from multipede.golden.taylor_sine import Series, TaylorSine
from tests.golden.faithful import all_codes, check_faithful, errors

SEED = 5
QUARTER = np.pi / np.longdouble(2)


def sine(x):
    return np.sin(QUARTER * x)


def sinc(x):
    safe = np.where(x == 0, 1, x)
    return np.where(x == 0, 1, np.sin(QUARTER * safe) / (QUARTER * safe))


FORMATS = [
    (FixedPoint(8, 4), FixedPoint(8, 6)),
    (FixedPoint(10, 8), FixedPoint(11, 9)),
    (FixedPoint(12, 8), FixedPoint(12, 10)),
    (FixedPoint(13, 11), FixedPoint(7, 4)),
    (FixedPoint(9, 5, signed=False), FixedPoint(14, 12)),
]
SINES = [CordicSine, TaylorSine, lambda **formats: TaylorSine(series=Series.MINIMAX, **formats)]


@pytest.mark.parametrize(("x", "result"), FORMATS)
@pytest.mark.parametrize("sine_unit", SINES, ids=["cordic", "taylor", "minimax"])
def test_sines_are_faithful_at_all_codes(sine_unit, x, result):
    check_faithful(sine_unit(x=x, result=result), sine)


@pytest.mark.parametrize("sine_unit", SINES, ids=["cordic", "taylor", "minimax"])
def test_sines_of_16_bits(sine_unit):
    check_faithful(sine_unit(x=FixedPoint(16, 14), result=FixedPoint(16, 14)), sine)


@pytest.mark.parametrize("unit", [CordicSine, TaylorSine, Finer])
@pytest.mark.parametrize("x", [FixedPoint(18, 17), FixedPoint(6, 16)])
def test_results_much_coarser_than_arguments(unit, x):
    """The angle has the argument's places; of a square nothing may be left to sum."""
    spec = unit(x=x, result=FixedPoint(4, 2))
    found = errors(spec, _exact(spec), x=all_codes(x))
    assert found.max() < 1


def _exact(spec):
    if isinstance(spec, Finer):
        return lambda x: sine(x + x * np.abs(x) / 2**spec.shift)
    return sine


def test_minimax_coefficients_save_a_term():
    terms = [TaylorSine(series=series).design.terms for series in Series]
    assert terms == [5, 4]


def test_iterations_are_about_as_many_as_places():
    for places in (8, 12, 16):
        spec = CordicSine(x=FixedPoint(14, 10), result=FixedPoint(places + 2, places))
        assert places - 1 <= spec.design.iterations <= places + 3


@pytest.mark.parametrize("shift", [0, 4, 7])
@pytest.mark.parametrize(
    ("x", "result"),
    [
        (FixedPoint(8, 4), FixedPoint(8, 6)),
        (FixedPoint(12, 8), FixedPoint(12, 10)),
        (FixedPoint(10, 9), FixedPoint(14, 11)),
        (FixedPoint(9, 5, signed=False), FixedPoint(6, 4)),
    ],
)
def test_finer_is_faithful_at_all_codes(x, result, shift):
    spec = Finer(x=x, result=result, shift=shift)
    check_faithful(spec, lambda values: sine(values + values * np.abs(values) / 2**shift))


@pytest.mark.parametrize("degree", [1, 2, 3])
@pytest.mark.parametrize(
    ("x", "result"),
    [
        (FixedPoint(8, 4), FixedPoint(8, 6)),
        (FixedPoint(12, 8), FixedPoint(12, 10)),
        (FixedPoint(10, 3), FixedPoint(14, 12)),
        (FixedPoint(13, 10), FixedPoint(9, 7)),
    ],
)
def test_sinc_by_division_is_faithful_at_all_codes(x, result, degree):
    check_faithful(SincDivider(x=x, result=result, degree=degree), sinc)


@pytest.mark.parametrize(
    ("x", "result"),
    [(FixedPoint(12, 8), FixedPoint(12, 10)), (FixedPoint(10, 7), FixedPoint(9, 8))],
)
def test_sinc_without_division_is_faithful_too(x, result):
    check_faithful(PiecewisePolynomial(function="sinc", x=x, result=result), sinc)


@pytest.mark.parametrize("degree", [1, 2, 3])
@pytest.mark.parametrize(
    ("u", "v", "result"),
    [
        (FixedPoint(8, 4), FixedPoint(8, 5), FixedPoint(8, 6)),
        (FixedPoint(8, 6), FixedPoint(7, 5), FixedPoint(10, 8)),
        (FixedPoint(9, 6), FixedPoint(8, 6), FixedPoint(9, 7)),
    ],
)
def test_wire_is_faithful_at_all_pairs(u, v, result, degree):
    spec = Gabor(u=u, v=v, result=result, degree=degree)
    every_u, every_v = all_codes(u), all_codes(v)
    check_faithful(
        spec,
        lambda phase, place: np.cos(QUARTER * phase) * np.exp(-(place**2)),
        u=np.repeat(every_u, len(every_v)),
        v=np.tile(every_v, len(every_u)),
    )


def test_wire_of_16_bits_at_random_pairs():
    generator = np.random.default_rng(SEED)
    check_faithful(
        Gabor(),
        lambda phase, place: np.cos(QUARTER * phase) * np.exp(-(place**2)),
        u=generator.integers(-(1 << 15), 1 << 15, 200_000),
        v=generator.integers(-(1 << 13), 1 << 13, 200_000),
    )


@pytest.mark.parametrize(
    ("unit", "parameters", "error", "message"),
    [
        (CordicSine, {"x": Integer(8)}, TypeError, "x must be a fixed-point format"),
        (CordicSine, {"x": FixedPoint(24, 23)}, ValueError, "allowed are 1 to 22 fraction bits"),
        (CordicSine, {"result": FixedPoint(8, 6, signed=False)}, ValueError, "must be signed"),
        (TaylorSine, {"result": FixedPoint(4, 1)}, ValueError, "hold 1, with 2 fraction bits"),
        (TaylorSine, {"series": "taylor"}, TypeError, "series"),
        (Finer, {"shift": 9}, ValueError, "shift = 9: allowed are 0 to 8"),
        (Finer, {"result": FixedPoint(8, 7)}, ValueError, "signed and hold 1"),
        (Finer, {"degree": 0}, ValueError, "degree = 0: allowed are 1 to 3"),
        (SincDivider, {"x": FixedPoint(8, 7)}, ValueError, "reach from -2 to 2"),
        (SincDivider, {"result": FixedPoint(20, 17)}, ValueError, "fraction bits of result = 17"),
        (
            Gabor,
            {"u": FixedPoint(8, 4, signed=False)},
            ValueError,
            "u = ufixed8.4: it must be signed",
        ),
        (Gabor, {"result": FixedPoint(8, 8)}, ValueError, "signed and hold 1"),
        (Gabor, {"stages": 13}, ValueError, "stages = 13: allowed are 0 to 12"),
    ],
)
def test_refused(unit, parameters, error, message):
    with pytest.raises(error, match=message):
        unit(**parameters)
