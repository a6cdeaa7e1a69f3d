"""Blocks of integers: block floating point by its definition, and the lowest code."""

from dataclasses import replace

import numpy as np
import pytest

from multipede.golden.blocks import MXINT8, SharedExponent, block_floating_point
from multipede.golden.formats import INT4
from tests.golden.block_values import sample


@pytest.mark.parametrize("bits", [3, 4, 6, 8])
def test_block_floating_point_of_one_value_is_a_float(bits: int) -> None:
    form = block_floating_point(bits, 1)
    values = sample(200).ravel()
    mantissa, exponent = np.frexp(values)
    wanted = np.ldexp(np.rint(np.ldexp(mantissa, bits - 1)), exponent - bits + 1)
    # What rounds up to the next power of two clips instead.
    top = np.ldexp(1 - 2.0 ** (1 - bits), exponent)
    np.testing.assert_array_equal(
        form.dequantise(form.quantise(values)), np.clip(wanted, -top, top)
    )


def test_block_floating_point_by_hand() -> None:
    form = block_floating_point(4, 4)
    got = form.quantise([3.9, -1.0, 0.26, 0.75])
    assert got.elements.tolist() == [7, -2, 1, 2]
    assert got.scales.tolist() == [127 + 1]
    assert form.dequantise(got).tolist() == [3.5, -1.0, 0.5, 1.0]


def test_integers_use_their_lowest_code_only_if_allowed() -> None:
    values = np.array([-1.999, 1.999, -1.0, 0.25])
    form = replace(MXINT8, block_size=4)
    assert form.quantise(values).elements.tolist() == [-127, 127, -64, 16]
    assert replace(form, symmetric=False).quantise(values).elements.tolist() == [-128, 127, -64, 16]
    assert SharedExponent(INT4, 4).quantise(values).elements.tolist() == [-7, 7, -4, 1]
