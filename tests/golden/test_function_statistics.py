"""Statistics of functions' errors, against sums of our own over exact values."""

import json

import numpy as np
import pytest
import torch

from multipede import cli
from multipede.golden.cordic_sine import CordicSine
from multipede.golden.formats import E4M3, FixedPoint, Overflow
from multipede.golden.function_statistics import function_statistics
from multipede.golden.gabor import Gabor
from multipede.golden.mixpe import MixPE
from multipede.golden.piecewise_polynomial import PiecewisePolynomial
from multipede.golden.quadinr import QuadINR
from tests.golden.faithful import all_codes

X, Y = FixedPoint(9, 5), FixedPoint(8, 6)


def sine(x: np.ndarray) -> np.ndarray:
    return np.sin(x * np.arccos(np.longdouble(-1)) / 2)


def parabola(x: np.ndarray) -> np.ndarray:
    t = x - 4 * np.round(x / 4)
    return t * (2 - abs(t))


@pytest.mark.parametrize(
    ("spec", "oracle"),
    [
        (CordicSine(x=X, result=Y), sine),
        (PiecewisePolynomial(function="sine", x=X, result=Y), sine),
        (QuadINR(x=X, result=Y), parabola),
        (QuadINR(x=X, result=Y, faithful=True), parabola),
    ],
    ids=["cordic", "polynomial", "quadinr", "faithful"],
)
def test_against_sums_over_all_codes(spec, oracle):
    codes = all_codes(X)
    found = spec.reference(x=torch.from_numpy(codes))[0]["y"].numpy()
    error = (found - oracle(codes / np.longdouble(32)) * 64).astype(float)
    statistics = function_statistics(spec)
    assert statistics.records == 512
    assert statistics.beyond == 0
    assert statistics.bias == pytest.approx(error.mean(), abs=1e-12)
    assert statistics.mean == pytest.approx(abs(error).mean())
    assert statistics.root_mean_square == pytest.approx(np.sqrt((error**2).mean()))
    assert statistics.maximum == pytest.approx(abs(error).max())
    assert statistics.nearest == pytest.approx((abs(error) <= 0.5 + 1e-12).mean())
    assert 0.3 < statistics.maximum < 1


def test_a_rounded_result_is_always_the_nearest():
    statistics = function_statistics(QuadINR(x=FixedPoint(9, 6), result=FixedPoint(7, 5)))
    assert statistics.nearest == 1
    assert statistics.maximum == 0.5


def test_what_is_beyond_the_range_is_left_out():
    """A unit beyond the end counts as the end; in unsigned formats half waves are lost."""
    narrow = QuadINR(x=FixedPoint(6, 2), result=FixedPoint(4, 3), overflow=Overflow.SATURATE)
    wide = QuadINR(x=FixedPoint(6, 2), result=FixedPoint(6, 3))
    assert function_statistics(wide).beyond == 0
    assert function_statistics(narrow).beyond == 0  # 1 is a unit above the largest number
    unsigned = QuadINR(x=FixedPoint(6, 2), result=FixedPoint(4, 3, signed=False))
    statistics = function_statistics(unsigned)
    # Between multiples of 4, 7 of 16 arguments have phi at -1/8 or lower.
    assert statistics.beyond == 7 / 16
    assert "43.75%  of the arguments, left out" in str(statistics)


def test_two_arguments_at_random():
    statistics = function_statistics(Gabor(u=X, v=X, result=Y))
    assert statistics.records == 4096
    assert statistics.arguments == "random arguments of fixed9.5, seed 1"
    assert 0.3 < statistics.maximum < 1


@pytest.mark.parametrize(
    "spec",
    [
        MixPE(),
        QuadINR(x=E4M3, result=E4M3),
        PiecewisePolynomial.of_callable(abs, x=FixedPoint(6, 4), result=FixedPoint(6, 4)),
    ],
    ids=lambda spec: spec.unit,
)
def test_what_has_none(spec):
    with pytest.raises(ValueError, match=r"a function in fixed point is needed|nothing else"):
        function_statistics(spec)


def test_the_command(capsys):
    assert cli.main(["statistics", "quadinr", "-p", "x=fixed8.5", "-p", "result=fixed8.6"]) == 0
    assert "nearest                    100.00%" in capsys.readouterr().out
    assert cli.main(["statistics", "quadinr", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["statistics"]["nearest"] == 1
    assert cli.main(["statistics", "quadinr", "--rounded-operands"]) == 2
    assert "--rounded-operands has a meaning for multipliers only" in capsys.readouterr().err
