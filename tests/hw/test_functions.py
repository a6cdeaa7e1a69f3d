"""Functions in fixed point: RTL equals golden, in all ways that a design can take."""

import numpy as np
import pytest

from multipede.golden.cordic_sine import CordicSine
from multipede.golden.finer import Finer
from multipede.golden.formats import FixedPoint
from multipede.golden.function_folds import Fold
from multipede.golden.gabor import Gabor
from multipede.golden.piecewise_polynomial import PiecewisePolynomial
from multipede.golden.polynomial_search import Segmentation
from multipede.golden.sinc_divider import SincDivider
from multipede.golden.taylor_sine import Series, TaylorSine
from tests.golden.faithful import all_codes
from tests.hw.equality import check_equal, in_turn
from tests.hw.plan_equality import assert_plan_equals_reference
from tests.hw.planted import check_found, replaced


def unsigned(bits: int, fraction_bits: int) -> FixedPoint:
    return FixedPoint(bits, fraction_bits, signed=False)


DESIGNS = [
    PiecewisePolynomial(),
    PiecewisePolynomial(function="softplus", x=FixedPoint(9, 7), result=FixedPoint(8, 5)),
    PiecewisePolynomial(function="sigmoid", x=FixedPoint(10, 6), result=unsigned(10, 10), degree=3),
    PiecewisePolynomial(
        function="tanh",
        x=FixedPoint(10, 6),
        result=FixedPoint(10, 9),
        segmentation=Segmentation.POWERS,
    ),
    PiecewisePolynomial(function="gauss", x=FixedPoint(10, 7), result=unsigned(9, 9), degree=1),
    PiecewisePolynomial(function="sine", x=FixedPoint(10, 6), result=FixedPoint(10, 8), degree=0),
    PiecewisePolynomial(function="sine", x=FixedPoint(10, 8), result=FixedPoint(10, 9)),
    PiecewisePolynomial(function="cosine", x=FixedPoint(10, 6), result=FixedPoint(10, 8)),
    PiecewisePolynomial(
        function="log2", x=unsigned(10, 4), result=FixedPoint(12, 8), interval="1/16:64"
    ),
    PiecewisePolynomial(
        function="exp", x=FixedPoint(10, 7), result=unsigned(9, 4), interval="-3.1:2.7", degree=1
    ),
    PiecewisePolynomial(
        function="tanh", x=FixedPoint(9, 6), result=FixedPoint(9, 8), fold=Fold.NONE, degree=2
    ),
    PiecewisePolynomial(function="x / 2", x=FixedPoint(6, 2), result=FixedPoint(6, 2)),
    CordicSine(x=FixedPoint(9, 5), result=FixedPoint(9, 7)),
    TaylorSine(x=FixedPoint(9, 5), result=FixedPoint(9, 7)),
    TaylorSine(x=FixedPoint(10, 8), result=FixedPoint(14, 12), series=Series.MINIMAX),
    Finer(x=FixedPoint(10, 6), result=FixedPoint(10, 8)),
    Finer(x=unsigned(9, 8), result=FixedPoint(14, 12), shift=0, degree=1),
    SincDivider(x=FixedPoint(10, 6), result=FixedPoint(10, 8)),
    SincDivider(x=FixedPoint(9, 3), result=FixedPoint(12, 10), degree=1),
]


@pytest.mark.few(10)
@pytest.mark.parametrize("spec", DESIGNS, ids=lambda spec: f"{spec.unit}-{spec.fingerprint[:6]}")
def test_plan_equals_golden_on_all_codes(spec):
    assert_plan_equals_reference(spec, {"x": all_codes(spec.x)})


def test_plan_of_two_arguments():
    spec = Gabor(u=FixedPoint(8, 5), v=FixedPoint(8, 5), result=FixedPoint(9, 7))
    every = all_codes(spec.u)
    assert_plan_equals_reference(spec, {"u": np.repeat(every, 256), "v": np.tile(every, 256)})


SPECS = [
    PiecewisePolynomial(stages=3),
    CordicSine(x=FixedPoint(10, 6), result=FixedPoint(10, 8), stages=12),
    Gabor(u=FixedPoint(8, 5), v=FixedPoint(8, 5), result=FixedPoint(9, 7), stages=5),
    SincDivider(x=FixedPoint(10, 6), result=FixedPoint(10, 8), stages=7),
    TaylorSine(x=FixedPoint(12, 8), result=FixedPoint(12, 10), stages=8),
    Finer(stages=6),
    PiecewisePolynomial(function="sine", x=FixedPoint(16, 12), result=FixedPoint(16, 14), stages=6),
    PiecewisePolynomial(function="sigmoid", result=unsigned(12, 12), stages=0),
    PiecewisePolynomial(
        function="rsqrt", x=unsigned(12, 8), result=unsigned(12, 8), interval="1/64:16", stages=12
    ),
]


@in_turn(SPECS)
def test_rtl_equals_golden(spec, styles):
    check_equal(spec, styles, records=20_000)


@pytest.mark.regress
@pytest.mark.parametrize("stages", range(13))
@pytest.mark.parametrize("unit", [PiecewisePolynomial, CordicSine, TaylorSine, Finer, Gabor])
def test_every_number_of_stages(unit, stages):
    check_equal(unit(stages=stages), records=5_000)


@pytest.mark.parametrize(
    ("spec", "plant"),
    [
        (PiecewisePolynomial(), replaced(r"address = i_payload\[10:0\]", "address = 11'h7ff &")),
        (SPECS[1], replaced(r"\.subtract\(.*\)", ".subtract(1'h0)")),
    ],
    ids=["address", "direction"],
)
def test_planted_bugs_are_found(spec, plant):
    check_found(spec, plant)
