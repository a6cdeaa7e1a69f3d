"""Functions by name and by expression, against Python's own."""

import math
from fractions import Fraction

import pytest

from multipede.golden.real_functions import NAMED, parse_function

KNOWN = {
    "cosine": lambda x: math.cos(math.pi * x / 2),
    "elu": lambda x: x if x > 0 else math.expm1(x),
    "exp": math.exp,
    "exp2": lambda x: 2.0**x,
    "gauss": lambda x: math.exp(-x * x),
    "gelu": lambda x: x * 0.5 * math.erfc(-x / math.sqrt(2)),
    "log": math.log,
    "log2": math.log2,
    "mish": lambda x: x * math.tanh(math.log1p(math.exp(x))),
    "reciprocal": lambda x: 1 / x,
    "rsqrt": lambda x: x**-0.5,
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "silu": lambda x: x / (1 + math.exp(-x)),
    "sin": math.sin,
    "cos": math.cos,
    "sinc": lambda x: math.sin(math.pi * x / 2) / (math.pi * x / 2),
    "sine": lambda x: math.sin(math.pi * x / 2),
    "softplus": lambda x: math.log1p(math.exp(x)),
    "sqrt": math.sqrt,
    "tanh": math.tanh,
}
POSITIVE = ("log", "log2", "rsqrt", "sqrt")


@pytest.mark.parametrize("name", NAMED)
def test_named_functions(name):
    function = parse_function(name)
    for numerator in range(-40, 41):
        x = Fraction(2 * numerator + 1, 7)
        if name in POSITIVE:
            x = abs(x)
        assert float(function(x)) == pytest.approx(KNOWN[name](float(x)), rel=1e-13, abs=1e-14)


@pytest.mark.parametrize(
    ("text", "x", "value"),
    [
        ("exp(-x) * cos(3 * x)", Fraction(1, 2), math.exp(-0.5) * math.cos(1.5)),
        ("x ** 3 - 2 * x + 0.1", Fraction(1, 4), 1 / 64 - 0.5 + 0.1),
        ("-x if x <= 0 else +x", Fraction(-3), 3.0),
        ("e ** x / pi", Fraction(2), math.e**2 / math.pi),
        ("sinc(x)", Fraction(0), 1.0),
    ],
)
def test_expressions(text, x, value):
    assert float(parse_function(text)(x)) == pytest.approx(value, rel=1e-15)


def test_decimal_numbers_are_what_was_written():
    tenth = parse_function("0.1")(Fraction(0))
    assert abs(tenth * 10 - 1) < 2.0**-100


@pytest.mark.parametrize(
    "text",
    [
        *["", "x +", "y", "gelu2", "exp(x, x)", "x.real", "__import__('os')", "[x]", "x @ x"],
        *["lambda: x", "True", "'x'", "erf", "x if x else 1", "1 < x", "(" * 400 + "x"],
    ],
)
def test_what_is_no_expression_is_refused(text):
    with pytest.raises(ValueError, match="function = "):
        parse_function(text)


def test_expressions_nested_too_deeply_are_refused():
    with pytest.raises(ValueError, match="function = "):
        parse_function("x" + " + x" * 100_000)


def test_other_kinds_are_refused():
    with pytest.raises(TypeError, match="function must be str"):
        parse_function(3)


@pytest.mark.parametrize(
    ("text", "x"),
    [
        ("1 / x", 0),
        ("log(x)", 0),
        ("sqrt(x)", -1),
        ("exp(x) ** exp(x) ** exp(x)", 99),
        ("x ** 0.5", -2),
    ],
)
def test_values_that_are_not_finite_are_refused(text, x):
    with pytest.raises(ValueError, match=rf"is not finite at x = {x}"):
        parse_function(text)(Fraction(x))
