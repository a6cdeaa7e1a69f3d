"""Statistics of multipliers' errors, against figures computed elsewhere and by hand."""

from fractions import Fraction

import pytest

from multipede.golden.float_multiplier import FloatMultiplier
from multipede.golden.formats import BF16, E2M1, E4M3, E5M2, FP16, FP32, INT8, Float
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.golden.lmul import LMul, formula_products
from multipede.golden.mitchell import Mitchell
from multipede.golden.mixpe import MixPE
from multipede.golden.multiplier_statistics import (
    error_statistics,
    multiplier_statistics,
    rounded_reals,
)

LMUL = {  # format: bias, mean, maximum in per cent, mean / largest product
    E5M2: (14.67, 14.67, 25.0, 0.0867),
    E4M3: (4.93, 5.24, 12.5, 0.0296),
    Float(4, 4): (4.87, 5.14, 12.5, 0.0293),
    Float(5, 5): (0.413, 2.67, 7.29, 0.0149),
    BF16: (0.409, 2.655, 7.29, 0.0149),
    FP16: (0.408, 2.655, 7.29, 0.0149),
}
MITCHELL = {
    E5M2: (-3.57, 3.57, 11.11),
    E4M3: (-3.78, 3.78, 11.11),
    Float(4, 4): (-3.83, 3.83, 11.11),
    Float(5, 5): (-3.84, 3.84, 11.11),
    BF16: (-3.85, 3.85, 11.11),
    FP16: (-3.85, 3.85, 11.11),
}
ROUNDED = {  # mean and root mean square in per cent, to 0.01
    FloatMultiplier(a=E5M2, b=E5M2, result=E5M2): (7.04, 8.67),
    FloatMultiplier(a=E5M2, b=E5M2, result=FP32): (5.86, 7.19),
    FloatMultiplier(a=E4M3, b=E4M3, result=E4M3): (3.52, 4.35),
    FloatMultiplier(a=E4M3, b=E4M3, result=FP32): (2.93, 3.61),
    LMul(format=E4M3): (5.74, 6.94),
    LMul(format=Float(4, 4)): (5.27, 6.12),
    LMul(format=Float(4, 4), offset=1): (2.96, 3.59),
    Mitchell(format=E4M3): (4.84, 5.96),
    Mitchell(format=Float(4, 4)): (4.14, 5.14),
}


def rounds_to(value: float, printed: float, digits: int) -> bool:
    """Whether the value is the printed one, up to one unit of a last digit that is a tie."""
    return abs(value - printed) <= 0.5001 * 10.0**-digits


@pytest.mark.parametrize("number_format", LMUL, ids=str)
def test_lmul(number_format):
    found = multiplier_statistics(LMul(format=number_format))
    bias, mean, maximum, normalised = LMUL[number_format]
    assert abs(100 * found.bias - bias) <= (0.0051 if abs(bias) > 1 else 0.00101)
    assert rounds_to(100 * found.mean, mean, 2)
    assert rounds_to(100 * found.maximum, maximum, 2)
    assert rounds_to(found.normalised_mean, normalised, 4)
    assert found.pairs == 4**number_format.mantissa_bits


@pytest.mark.parametrize("number_format", MITCHELL, ids=str)
def test_mitchell(number_format):
    found = multiplier_statistics(Mitchell(format=number_format))
    values = (100 * found.bias, 100 * found.mean, 100 * found.maximum)
    assert all(map(rounds_to, values, MITCHELL[number_format], (2, 2, 2)))


@pytest.mark.parametrize("spec", ROUNDED, ids=str)
def test_rounded_operands(spec):
    found = multiplier_statistics(spec, rounded_operands=True)
    mean, square = ROUNDED[spec]
    assert abs(100 * found.mean - mean) < 0.011
    assert abs(100 * found.root_mean_square - square) < 0.011
    assert found.pairs == 1 << 20


@pytest.mark.parametrize(("bits", "mean", "square"), [(3, 7.25, 8.72), (4, 7.02, 8.48)])
def test_formula_of_rounded_operands(bits, mean, square):
    number_format = Float(5, bits)
    operands = rounded_reals(number_format)
    found = error_statistics(lambda a, b: formula_products(number_format, a, b), operands, operands)
    assert abs(100 * found.mean - mean) < 0.011
    assert abs(100 * found.root_mean_square - square) < 0.011


def test_by_hand():
    """E2M1 from 1 to 2: 1 and 1.5; L-Mul adds half: 1.5, 2, 2, 3 for 1, 1.5, 1.5, 2.25."""
    found = multiplier_statistics(LMul(format=E2M1))
    errors = [Fraction(1, 2), Fraction(1, 3), Fraction(1, 3), Fraction(1, 3)]
    assert found.bias == pytest.approx(float(sum(errors) / 4))
    assert found.maximum == 0.5
    square = sum(error**2 for error in errors) / 4
    assert found.root_mean_square == pytest.approx(float(square) ** 0.5)
    assert found.normalised_mean == pytest.approx((0.5 + 0.5 + 0.5 + 0.75) / 4 / 2.25)


def test_exact_multipliers_have_no_errors():
    exact = multiplier_statistics(FloatMultiplier(a=BF16, b=BF16, result=FP32))
    assert exact.maximum == exact.mean == exact.normalised_mean == 0
    assert multiplier_statistics(IntegerMultiplier()).maximum == 0
    assert multiplier_statistics(IntegerMultiplier()).pairs == 127**2
    mixed = multiplier_statistics(FloatMultiplier(a=INT8, b=BF16, result=FP32))
    assert (mixed.maximum, mixed.pairs) == (0, 127 * 128)


def test_more_pairs_than_can_be_had_are_random_and_say_so():
    found = multiplier_statistics(LMul(format=FP32))
    assert found.pairs == 1 << 22
    assert "random" in found.pairing
    assert "seed 1" in found.pairing
    assert found.mean == pytest.approx(0.02655, abs=1e-4)


def test_a_range_without_one():
    """Where 1 to 4 is not normal, another power of two is taken."""
    far = Float(4, 3, bias=-20)
    with pytest.raises(ValueError, match="no product is sure to be normal"):
        multiplier_statistics(LMul(format=far))
    near = Float(4, 3, bias=13)
    assert multiplier_statistics(LMul(format=near)).pairs == 64


def test_only_multipliers():
    with pytest.raises(ValueError, match="spec = mixpe: a multiplier is needed"):
        multiplier_statistics(MixPE())
    with pytest.raises(TypeError, match="spec must be Spec"):
        multiplier_statistics("lmul")
