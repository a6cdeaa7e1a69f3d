"""Tables of corrections: every entry is the best, and their accuracy."""

from fractions import Fraction

import numpy as np
import pytest

from multipede.golden.compensated_lmul import CompensatedLMul
from multipede.golden.compensation_table import compensation_table
from multipede.golden.formats import BF16, E5M2, FP16, FP32
from multipede.golden.mitchell import Mitchell
from multipede.golden.multiplier_statistics import multiplier_statistics


def mean_error(x: range, y: range, bits: int, correction: int) -> Fraction:
    """Exactly, from the definition of the product."""
    one, total = 1 << bits, Fraction(0)
    for i in x:
        for j in y:
            carry, fraction = divmod(i + j + correction, one)
            product = Fraction(one + fraction, one) * 2**carry
            total += abs(product / (Fraction(one + i, one) * Fraction(one + j, one)) - 1)
    return total / (len(x) * len(y))


@pytest.mark.parametrize(("bits", "index_bits"), [(1, 3), (2, 3), (3, 3), (3, 2), (4, 3), (5, 2)])
def test_entries_are_best(bits, index_bits):
    table = compensation_table(bits, index_bits)
    leading = min(index_bits, bits)
    size = 1 << (bits - leading)
    for i, row in enumerate(table):
        for j, entry in enumerate(row):
            x, y = (range(k * size, (k + 1) * size) for k in (i, j))
            errors = [mean_error(x, y, bits, c) for c in range(1 << bits)]
            assert errors[entry] == min(errors)
            assert entry == errors.index(min(errors))
    assert len(table) == len(table[0]) == 1 << leading


def test_symmetric():
    table = np.array(compensation_table(7))
    assert (table == table.T).all()


def test_wider_mantissas_have_zeros_below():
    narrow, wide = (np.array(compensation_table(bits)) for bits in (10, 23))
    assert (wide == narrow << 13).all()


def test_accuracy():
    """As the tables of AxCore's baselines: 0.76 % and 0.75 % on average, 3.2 % at most for BF16."""
    bf16, fp16 = (multiplier_statistics(CompensatedLMul(format=f)) for f in (BF16, FP16))
    assert bf16.mean == pytest.approx(0.00762, abs=5e-6)
    assert bf16.maximum == pytest.approx(0.0317, abs=5e-5)
    assert fp16.mean < 0.0076
    assert multiplier_statistics(Mitchell()).mean > 5 * bf16.mean


def test_few_mantissa_bits_are_all_looked_at():
    assert CompensatedLMul(format=E5M2).leading_bits == 2
    assert CompensatedLMul(format=FP32).leading_bits == 3


@pytest.mark.parametrize("index_bits", [0, 5])
def test_bad_index_bits(index_bits):
    with pytest.raises(ValueError, match=f"index_bits = {index_bits}: allowed are 1 to 4"):
        CompensatedLMul(index_bits=index_bits)
