"""Rounded tables against exact rationals, and the bounds of their error."""

import itertools
from fractions import Fraction

import pytest
import torch

from multipede.golden.formats import FP16, INT2, INT4, INT8, INT16, UINT8, Integer
from multipede.golden.lookup_table import fold, signed_sums
from multipede.golden.scaled_tables import scaled_tables
from tests.golden.lookup_oracle import signed_table


@pytest.mark.parametrize("number_format", [INT2, INT4, INT8, INT16], ids=str)
@pytest.mark.parametrize("size", [2, 4, 6])
def test_entries_are_the_nearest_to_exact_sums(size, number_format):
    """Within half a scale, and exactly those of the rule in Python's float64."""
    generator = torch.Generator().manual_seed(size)
    values = torch.randint(-128, 128, (50, 2 * size), generator=generator)
    values[0], values[1], values[2] = 0, -128, torch.arange(2 * size) % 2
    entries, scales = scaled_tables(values, size, number_format)
    assert (entries.shape, scales.shape) == ((50, 2, 1 << (size - 1)), (50, 2))
    highest = number_format.maximum
    for record, table in itertools.product(range(50), range(2)):
        lanes = values[record, table * size : (table + 1) * size].tolist()
        scale = sum(map(abs, lanes)) / highest
        assert float(scales[record, table]) == scale
        for found, exact in zip(entries[record, table].tolist(), signed_table(lanes), strict=True):
            assert found == (round(exact / scale) if scale else 0)
            assert abs(found) <= highest
            error = abs(Fraction(exact) - found * Fraction(scale))
            assert error <= Fraction(scale) / 2 * (1 + Fraction(2) ** -40)
    assert entries.abs().max() == highest


@pytest.mark.parametrize("bits", range(1, 9))
def test_the_error_of_a_sum_of_lookups_is_bounded(bits):
    """At most (2**b - 1) scale / 2 for four activations, and it comes near it."""
    generator = torch.Generator().manual_seed(bits)
    values = torch.randint(-128, 128, (300, 4), generator=generator)
    entries, scales = scaled_tables(values, 4, INT8)
    exact = signed_sums(values, 4)
    codes = fold(torch.randint(0, 1 << bits, (40, 4), generator=generator), 4)
    worst = 0.0
    for code in codes:
        found = whole = torch.zeros(300)
        for plane in range(bits):
            ones = (code >> plane & 1).tolist()
            index = ones[0] + 2 * ones[1] + 4 * ones[2]
            factor = 1 << plane if ones[3] else -(1 << plane)
            found = found + factor * entries[:, 0, index]
            whole = whole + factor * exact[:, 0, index]
        error = (found.double() * scales[:, 0] - whole).abs()
        bound = ((1 << bits) - 1) * scales[:, 0] / 2
        assert (error <= bound * (1 + 1e-9)).all()
        worst = max(worst, float((error / bound).max()))
    assert worst > 0.5


def test_tables_of_floats():
    values = torch.randn(30, 4, generator=torch.Generator().manual_seed(1)).half().double()
    entries, scales = scaled_tables(values, 4, INT8)
    for record in range(30):
        exact = signed_table([Fraction(x) for x in values[record].tolist()])
        scale = Fraction(float(scales[record, 0]))
        assert float(scale) == pytest.approx(float(values[record].abs().sum()) / 127, rel=1e-15)
        for found, sum_ in zip(entries[record, 0].tolist(), exact, strict=True):
            assert abs(sum_ - found * scale) <= scale / 2 * (1 + Fraction(2) ** -40)


def test_entries_are_clamped_where_the_scale_is_subnormal():
    """By the rule itself: 190 / 127 of float64's smallest number is one of it, 63 / 127 none."""
    smallest = 2.0**-1074
    values = torch.tensor([[95.0, 95.0], [40.0, 23.0], [64.0, 0.0]]).double() * smallest
    entries, scales = scaled_tables(values, 2, INT8)
    assert scales.flatten().tolist() == [smallest, 0.0, smallest]
    assert entries[:, 0].tolist() == [[127, 0], [0, 0], [64, -64]]
    negative, _ = scaled_tables(-values, 2, INT8)
    assert negative[:, 0].tolist() == [[-127, 0], [0, 0], [-64, 64]]


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ([[1, 2, 3, 4]], TypeError, "values must be a torch tensor, not list"),
        (torch.ones(4) > 0, TypeError, "values must be integers or floats .*, not torch.bool"),
        (torch.tensor(1.0), ValueError, r"values has shape \(\): \(\.\.\., lanes\) is needed"),
        (
            torch.tensor([1.0, torch.nan, 2, 3]),
            ValueError,
            r"values\[1\] = nan: finite numb",
        ),
        (torch.tensor([[1.0, 2, 3, -torch.inf]]), ValueError, r"values\[0, 3\] = -inf: finite num"),
        (torch.tensor([0, 0, 0, 2**53 + 1]), ValueError, r"values\[3\] = 9007199254740993: "),
        (
            torch.tensor([[1.0] * 4, [1e308, -1e308, 0, 0]], dtype=torch.float64),
            ValueError,
            r"magnitudes of table\[1, 0\] = inf: their sum must be a float64",
        ),
    ],
)
def test_values_without_tables_are_named(values, error, message):
    with pytest.raises(error, match=message):
        scaled_tables(values, 4, INT8)


@pytest.mark.parametrize(
    ("size", "number_format", "error", "message"),
    [
        (4, UINT8, ValueError, "number_format = uint8: int2 to int16 are needed"),
        (4, Integer(17), ValueError, "number_format = int17: int2 to int16 are needed"),
        (4, FP16, TypeError, "number_format must be an integer format, not a fl"),
        (3, INT8, ValueError, "table_inputs = 3: they must divide the 4 lanes"),
        (7, INT8, ValueError, "table_inputs = 7: allowed are 2 to 6"),
    ],
)
def test_bad_arguments_are_named(size, number_format, error, message):
    with pytest.raises(error, match=message):
        scaled_tables(torch.ones(2, 4), size, number_format)
