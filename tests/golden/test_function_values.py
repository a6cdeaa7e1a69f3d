"""Functions at all codes: the polynomials in between are as good as mpmath's own values."""

from fractions import Fraction

import numpy as np
import pytest

from multipede.golden.function_values import function_values
from multipede.golden.real_functions import parse_function

SEED = 11
UNIT = Fraction(1, 1 << 14)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("sine", -30000, 30000),
        ("gelu", -32768, 32767),
        ("reciprocal", 1, 60000),
        ("x if x > 0.7 else -x", 0, 9999),
        ("sqrt(x)", 0, 5000),
        ("exp(-1000 * (x - 1) ** 2)", 0, 8191),
    ],
)
def test_values_at_random_codes(text, first, last):
    values = function_values(parse_function(text), 12, first, last, UNIT)
    assert len(values) == last - first + 1
    generator = np.random.default_rng(SEED)
    edges = [first, last, 0, 2867, 2868, 4096]
    picked = [*generator.integers(first, last + 1, 150), *(e for e in edges if first <= e <= last)]
    for code in map(int, picked):
        exact = float(parse_function(text)(Fraction(code, 1 << 12)) * (1 << 14))
        assert values[code - first] == pytest.approx(exact, rel=2.0**-47, abs=2.0**-19), code


def test_a_pole_among_the_codes_is_told():
    with pytest.raises(ValueError, match="not finite at x = 0"):
        function_values(parse_function("1 / x"), 8, -100, 100, UNIT)


def test_a_single_code():
    assert function_values(parse_function("x"), 3, 5, 5, Fraction(1, 8)).tolist() == [5.0]
