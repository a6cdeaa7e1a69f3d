"""The folded array of a square against multiplication."""

import numpy as np
import pytest

from multipede.golden.folded_square import largest_loss, square_bits, truncated_square


def array_sum(x: np.ndarray, bits: int, cut: int) -> np.ndarray:
    total = np.zeros_like(x)
    for column, one, other, inverted in square_bits(bits, cut):
        bit = x >> one & 1
        if other is not None:
            bit = bit & ((x >> other & 1) ^ inverted)
        total += bit << column
    return total


@pytest.mark.parametrize("bits", range(13))
def test_all_columns_add_up_to_the_square(bits):
    x = np.arange(1 << bits, dtype=np.int64)
    assert (array_sum(x, bits, 0) == x * x).all()
    assert (truncated_square(x, bits, 0) == x * x).all()


@pytest.mark.parametrize("bits", [1, 2, 5, 10])
def test_what_columns_below_the_cut_lose_is_known(bits):
    x = np.arange(1 << bits, dtype=np.int64)
    for cut in range(2 * bits + 1):
        kept = truncated_square(x, bits, cut)
        assert (kept == array_sum(x, bits, cut)).all()
        loss = x * x - kept
        assert loss.min() == 0
        assert loss.max() <= largest_loss(bits, cut)
        # All ones lose the most, unless a column of an even number is the last one dropped.
        assert loss.max() == largest_loss(bits, cut) or cut % 2


@pytest.mark.parametrize("bits", [4, 9, 16, 24])
def test_columns_rise_and_fall_evenly_at_half_the_height_of_a_product(bits):
    columns = [bit.column for bit in square_bits(bits)]
    heights = np.bincount(columns, minlength=2 * bits)
    assert heights.max() <= bits // 2 + 1
    top = int(heights.argmax())
    assert (np.diff(heights[2 : top + 1]) >= 0).all()
    assert (np.diff(heights[top:]) <= 0).all()
    assert len(columns) == bits * (bits + 1) // 2
