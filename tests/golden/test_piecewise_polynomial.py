"""Functions by tables and polynomials are faithful at every code; what cannot be is told."""

import math
from itertools import pairwise

import mpmath
import numpy as np
import pytest
import torch

from multipede.golden.faithful_task import FaithfulTask
from multipede.golden.formats import FP16, FixedPoint
from multipede.golden.function_folds import Fold
from multipede.golden.piecewise_polynomial import PiecewisePolynomial
from multipede.golden.polynomial_design import PolynomialDesign, truncated_product
from multipede.golden.polynomial_search import Segmentation, fewest_segments
from multipede.golden.real_functions import parse_function
from tests.golden.faithful import all_codes, check_faithful, errors

SEED = 3


def unsigned(bits: int, fraction_bits: int) -> FixedPoint:
    return FixedPoint(bits, fraction_bits, signed=False)


def gelu(x):
    return x * np.array([0.5 * math.erfc(-float(v) / math.sqrt(2)) for v in x], np.longdouble)


ORACLES = {
    "exp": np.exp,
    "gauss": lambda x: np.exp(-x * x),
    "gelu": gelu,
    "log2": lambda x: np.log2(np.maximum(x, np.longdouble(1) / 16)),
    "reciprocal": lambda x: 1 / np.maximum(x, 1),
    "rsqrt": lambda x: 1 / np.sqrt(np.maximum(x, np.longdouble(1) / 4)),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "sine": lambda x: np.sin(np.pi / np.longdouble(2) * x),
    "cosine": lambda x: np.cos(np.pi / np.longdouble(2) * x),
    "softplus": lambda x: np.log1p(np.exp(x)),
    "tanh": np.tanh,
    "exp(-x) * cos(3 * x)": lambda x: np.exp(-x) * np.cos(3 * x),
}
CASES = [
    ("gelu", FixedPoint(12, 8), FixedPoint(12, 8), {}, Fold.RELU),
    ("silu", FixedPoint(10, 5), FixedPoint(12, 7), {}, Fold.RELU),
    ("softplus", FixedPoint(10, 8), FixedPoint(8, 5), {}, Fold.RELU),
    ("gelu", FixedPoint(9, 5), FixedPoint(9, 5), {"fold": Fold.NONE}, Fold.NONE),
    ("sigmoid", FixedPoint(12, 8), unsigned(12, 12), {}, Fold.ODD),
    ("sigmoid", FixedPoint(10, 6), FixedPoint(10, 8), {}, Fold.NONE),
    ("tanh", FixedPoint(12, 8), FixedPoint(12, 11), {}, Fold.ODD),
    ("gauss", FixedPoint(12, 8), unsigned(12, 12), {}, Fold.EVEN),
    ("sine", FixedPoint(12, 8), FixedPoint(12, 10), {}, Fold.SINE),
    ("sine", FixedPoint(12, 10), FixedPoint(12, 11), {}, Fold.SINE),
    ("cosine", FixedPoint(11, 6), FixedPoint(10, 8), {}, Fold.COSINE),
    ("sine", FixedPoint(10, 9), FixedPoint(10, 8), {}, Fold.ODD),
    ("exp", FixedPoint(11, 8), unsigned(12, 6), {"interval": "-4:3.5"}, Fold.NONE),
    ("reciprocal", unsigned(11, 10), unsigned(12, 11), {"interval": "1:2"}, Fold.NONE),
    ("rsqrt", unsigned(12, 8), unsigned(12, 8), {"interval": "1/4:16"}, Fold.NONE),
    ("log2", unsigned(11, 5), FixedPoint(12, 8), {"interval": "1/16:64"}, Fold.NONE),
    ("exp(-x) * cos(3 * x)", unsigned(10, 7), FixedPoint(10, 8), {}, Fold.NONE),
]


DEGREES = [
    pytest.param(*case, degree, marks=() if index % 4 == degree else pytest.mark.regress)
    for index, case in enumerate(CASES)
    for degree in range(4)
]
"""every case, with one of the degrees each day"""


@pytest.mark.few(5)
@pytest.mark.parametrize(("function", "x", "result", "options", "fold", "degree"), DEGREES)
def test_faithful_at_all_codes(function, x, result, options, fold, degree):
    spec = PiecewisePolynomial(function=function, x=x, result=result, degree=degree, **options)

    def oracle(values):
        first, last = (np.longdouble(code) / 2**x.fraction_bits for code in spec.codes)
        return ORACLES[function](np.clip(values, first, last))

    check_faithful(spec, oracle)
    if degree:
        assert spec.design.fold is fold
    assert spec.design.degree == degree


@pytest.mark.parametrize("segmentation", Segmentation)
@pytest.mark.parametrize("function", ["tanh", "gauss", "sine"])
def test_both_ways_to_cut_the_domain(function, segmentation):
    result = unsigned(10, 10) if function == "gauss" else FixedPoint(10, 8)
    spec = PiecewisePolynomial(
        function=function, x=FixedPoint(10, 7), result=result, segmentation=segmentation
    )
    check_faithful(spec, ORACLES[function])
    regions = spec.design.regions
    assert (len(regions) == 1) == (segmentation is Segmentation.UNIFORM)
    for before, behind in pairwise(regions):
        assert behind.first == before.first + (1 << before.bits) == 1 << behind.bits


def test_powers_of_two_need_fewer_segments_where_a_function_becomes_flat():
    parameters = {"function": "log2", "x": unsigned(12, 6), "result": FixedPoint(13, 8)}
    counts = [
        PiecewisePolynomial(interval="1/16:64", segmentation=way, **parameters).design.segments
        for way in Segmentation
    ]
    assert counts[1] * 4 < counts[0]


@pytest.mark.regress
@pytest.mark.parametrize("degree", [1, 2, 3])
@pytest.mark.parametrize("function", ["gelu", "sigmoid", "tanh", "sine", "gauss", "silu"])
def test_faithful_at_all_codes_of_16_bits(function, degree):
    result = {"sigmoid": unsigned(16, 16), "gauss": unsigned(16, 16), "tanh": FixedPoint(16, 15)}
    spec = PiecewisePolynomial(
        function=function,
        x=FixedPoint(16, 12),
        result=result.get(function, FixedPoint(16, 12)),
        degree=degree,
    )
    check_faithful(spec, ORACLES[function])


# Function, end of the domain from 0, segments of degree 1 and 2 for 8, 10, 12 and 16 fraction bits
# as minimax errors of a quarter unit allow (facts on function units, 4.4).
PUBLISHED = [
    ("2 ** x", 1, (8, 16, 32, 128), (2, 4, 4, 16)),
    ("exp(-x)", 16, (128, 256, 512, 2048), (32, 64, 128, 256)),
    ("sigmoid", 8, (32, 64, 128, 512), (8, 16, 32, 64)),
    ("tanh", 4, (32, 64, 128, 512), (16, 16, 32, 64)),
    ("x - x * (1 + erf(x / sqrt(2))) / 2", 8, (64, 128, 256, 1024), (16, 32, 64, 128)),
    ("sin(pi * x / 2)", 1, (16, 32, 64, 256), (4, 8, 8, 32)),
    ("exp(-x ** 2)", 4, (64, 128, 256, 1024), (16, 32, 32, 128)),
    ("log1p(x) / log(2)", 1, (16, 32, 64, 256), (4, 4, 8, 16)),
    ("1 / (1 + x)", 1, (16, 32, 64, 256), (4, 8, 8, 32)),
]


@pytest.mark.parametrize("case", range(4))
@pytest.mark.parametrize(("function", "end", "linear", "quadratic"), PUBLISHED)
def test_no_more_segments_than_minimax_errors_ask_for(function, end, linear, quadratic, case):
    places = (8, 10, 12, 16)[case]
    if places == 16 and end > 4:
        places, case = 12, 2
    x = unsigned((end - 1).bit_length() + places, places)
    interval = (0, (end << places) - 1)
    task = FaithfulTask(parse_function(function), x, unsigned(places + 1, places), interval)
    for degree, counts in ((1, linear), (2, quadratic)):
        assert fewest_segments(task, degree=degree) <= counts[case]


def test_a_python_function_is_its_tables():
    def bump(x):
        return mpmath.mpf(1) / (1 + 25 * x * x)

    parameters = {"x": FixedPoint(10, 8), "result": unsigned(9, 8)}
    spec = PiecewisePolynomial.of_callable(bump, **parameters)
    assert spec.function == "bump"
    assert spec.design.fold is Fold.EVEN
    again = PiecewisePolynomial.from_parameters(spec.to_dict()["parameters"])
    assert again == spec
    assert again.fingerprint == spec.fingerprint
    check_faithful(again, lambda x: 1 / (1 + 25 * x * x))
    other = PiecewisePolynomial.of_callable(lambda x: x * x / 4, **parameters)
    assert other.fingerprint != spec.fingerprint
    with pytest.raises(ValueError, match="of bump nothing else is known"):
        spec.exactly(mpmath.mpf(1))


def test_the_search_looks_at_every_code():
    """A function that leaves its polynomial at a single code, which no sample need hit."""

    def pricked(x):
        return mpmath.mpf(x) / 2 + (mpmath.mpf(2) ** -4 if x == mpmath.mpf(777) / 4096 else 0)

    spec = PiecewisePolynomial.of_callable(
        pricked, x=unsigned(12, 12), result=unsigned(10, 9), segmentation=Segmentation.UNIFORM
    )
    prick = np.array([777])
    outputs, _ = spec.reference(x=torch.tensor(prick))
    assert abs(int(outputs["y"][0]) / 2**9 - (777 / 8192 + 2**-4)) < 2**-9


def test_arguments_beyond_the_interval_count_as_the_nearest():
    spec = PiecewisePolynomial(
        function="reciprocal", x=unsigned(8, 4), result=unsigned(9, 8), interval="1:8"
    )
    outputs, _ = spec.reference(x=torch.arange(256))
    y = outputs["y"].numpy()
    assert spec.codes == (16, 127)
    assert (y[:16] == y[16]).all()
    assert (y[128:] == y[127]).all()


@pytest.mark.parametrize("bits", [3, 7])
@pytest.mark.parametrize("cut", [0, 2, 9])
def test_truncated_products(bits, cut):
    generator = np.random.default_rng(SEED)
    a = generator.integers(-1000, 1000, 500)
    b = generator.integers(-(1 << (bits - 1)), 1 << (bits - 1), 500)
    lost = a * b / 2.0**cut - truncated_product(a, b, bits, cut)
    assert (np.abs(lost) < bits).all()
    if cut == 0:
        assert (lost == 0).all()


def test_a_wrong_table_is_not_faithful():
    """What the checks above would say of a design that is wrong in one coefficient."""
    spec = PiecewisePolynomial(function="tanh", x=FixedPoint(10, 6), result=FixedPoint(10, 9))
    design = spec.design
    constants = list(design.coefficients[0])
    constants[3] += 2 << design.guard
    text = design.to_text().replace(
        str(list(design.coefficients[0])).replace(" ", ""), str(constants).replace(" ", "")
    )
    wrong = PiecewisePolynomial(function="tanh", x=spec.x, result=spec.result, tables=text)
    assert wrong.design.coefficients[0] == tuple(constants)
    codes = all_codes(spec.x)
    assert errors(spec, np.tanh, x=codes).max() < 1 < errors(wrong, np.tanh, x=codes).max()


def test_designs_as_text():
    design = PiecewisePolynomial().design
    assert PolynomialDesign.from_text(design.to_text()) == design
    text = design.to_text()
    broken = (
        *("", "{}", "[]", "3", text[:-3], text.replace('"guard":2', '"guard":-2')),
        text.replace('"bits":11', '"bits":12'),
        text.replace('"regions":[[0,11,6]]', '"regions":[[0,11,5]]'),
        text.replace('"cuts":[', '"cuts":[1,'),
    )
    assert len(set(broken)) == len(broken)
    assert text not in broken
    for wrong in broken:
        with pytest.raises(ValueError, match="no tables of a function"):
            PolynomialDesign.from_text(wrong)
    with pytest.raises(ValueError, match=r"of 11 address bits, and x = fixed8\.4"):
        PiecewisePolynomial(x=FixedPoint(8, 4), tables=text)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"x": FP16}, TypeError, "x must be a fixed-point format"),
        ({"result": FixedPoint(25, 3)}, ValueError, "bits of result = 25: allowed are 1 to 24"),
        ({"function": 3}, TypeError, "function must be str"),
        ({"function": "import os"}, ValueError, "neither an expression in x nor one of"),
        ({"function": "y + " * 99 + "y"}, ValueError, r"y \+ '\.\.\.: 'y.* is none of x"),
        ({"degree": 4}, ValueError, "degree = 4: allowed are 0 to 3"),
        ({"stages": 13}, ValueError, "stages = 13: allowed are 0 to 12"),
        ({"interval": "3"}, ValueError, "two numbers are needed"),
        ({"interval": "1:a"}, ValueError, "two numbers are needed"),
        ({"interval": "2:1"}, ValueError, "has no number in it"),
        ({"interval": "1/9:1/8", "x": FixedPoint(8, 2)}, ValueError, "has no number in it"),
        ({"fold": "odd"}, TypeError, "fold"),
        ({"tables": "x"}, ValueError, "no tables"),
    ],
)
def test_refused(parameters, error, message):
    with pytest.raises(error, match=message):
        PiecewisePolynomial(**parameters)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"function": "1 / x"}, "not finite at x = 0"),
        ({"function": "sqrt(x)"}, "not finite at x = -"),
        ({"function": "x + 9**9**9**9"}, "not finite at x = -8"),
        ({"function": "exp(exp(exp(exp(x))))"}, "not finite at x = 1"),
        (
            {"function": "exp"},
            r"result = fixed12.8: it holds -8 to 7.99609, and 'exp' reaches 2969",
        ),
        ({"function": "exp(x) / 1000", "fold": Fold.ODD}, "fold = odd: .* has no such symmetry"),
        (
            {"function": "sin(400 * x)", "x": FixedPoint(15, 12), "degree": 1},
            "4096 segments of degree 1 do not make it faithful to fixed12.8; within them an error"
            r" of [\d.e+]+ units",
        ),
    ],
)
def test_functions_that_cannot_be_built(parameters, message):
    spec = PiecewisePolynomial(**parameters)
    with pytest.raises(ValueError, match=message):
        spec.reference(x=torch.arange(2))


def _no_number(x):
    return "a"


def test_callables_are_asked_for():
    with pytest.raises(TypeError, match="function must be callable"):
        PiecewisePolynomial.of_callable("tanh")
    with pytest.raises(
        TypeError, match=r"function _no_number must give real numbers, not str: at x = -"
    ):
        PiecewisePolynomial.of_callable(_no_number)
