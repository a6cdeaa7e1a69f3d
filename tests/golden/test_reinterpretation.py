"""Reinterpreted weights: exact integers for all codes and zero points."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
import torch

from multipede.golden.formats import UINT2, Integer
from multipede.golden.reinterpretation import (
    bit_planes,
    plane_weights,
    reinterpret,
    reinterpret_scales,
    reinterpret_zeros,
)

WIDTHS = list(itertools.product(range(1, 9), (False, True)))


@pytest.mark.parametrize(("bits", "signed"), WIDTHS)
def test_every_code_and_zero_point_is_worth_the_same(bits, signed):
    """2 (q - z) = q' - z' for all pairs, and q' is odd and within its bounds."""
    codes = torch.from_numpy(Integer(bits, signed).codes())
    found = reinterpret(codes, bits, signed=signed)
    zeros = reinterpret_zeros(codes, bits, signed=signed)
    assert sorted(found.tolist()) == list(range(1 - (1 << bits), 1 << bits, 2))
    assert torch.equal(2 * (codes[:, None] - codes), found[:, None] - zeros)
    if not signed:
        assert found.tolist() == [2 * q - (2**bits - 1) for q in codes.tolist()]
        assert zeros.tolist() == [2 * z + 1 - 2**bits for z in codes.tolist()]


@pytest.mark.parametrize(("bits", "signed"), WIDTHS)
def test_dot_products_are_the_same_in_exact_integers(bits, signed):
    """2 sum a (q - z) = sum a q' - z' sum a, with activations at their extremes among them."""
    generator = torch.Generator().manual_seed(bits)
    number_format = Integer(bits, signed)
    for _ in range(20):
        q = [int(x) for x in torch.randint(0, 1 << bits, (9,), generator=generator)]
        q = [x - signed * (1 << (bits - 1)) for x in q]
        a = [int(x) for x in torch.randint(-128, 128, (8,), generator=generator)]
        *codes, z = q
        assert number_format.minimum <= z <= number_format.maximum
        a[0], a[1] = -128, 127
        new = reinterpret(torch.tensor(codes), bits, signed=signed).tolist()
        new_z = int(reinterpret_zeros(torch.tensor(z), bits, signed=signed))
        direct = 2 * sum(x * (w - z) for x, w in zip(a, codes, strict=True))
        assert direct == sum(x * w for x, w in zip(a, new, strict=True)) - new_z * sum(a)


@pytest.mark.parametrize(("bits", "signed"), WIDTHS)
def test_bits_of_minus_one_and_one_make_the_odd_integer(bits, signed):
    codes = torch.from_numpy(Integer(bits, signed).codes())
    planes = bit_planes(codes, bits)
    assert planes.shape == (1 << bits, bits)
    for code, ones, odd in zip(
        codes.tolist(), planes.tolist(), reinterpret(codes, bits, signed=signed), strict=True
    ):
        weights = plane_weights(bits, signed=signed)
        assert sum(w * bit for w, bit in zip(weights, ones, strict=True)) == code
        assert sum(w * (2 * bit - 1) for w, bit in zip(weights, ones, strict=True)) == odd


def test_ternary_weights_are_two_planes_with_zero_point_minus_one():
    codes = torch.tensor([0, 1, 2])
    assert reinterpret(codes, 2).tolist() == [2 * q - 3 for q in range(3)] == [-3, -1, 1]
    assert int(reinterpret_zeros(torch.tensor(1), 2)) == -1


def test_scales_are_halved_exactly():
    smallest = torch.tensor([2.0**-149, 0.0, 3.0, torch.finfo(torch.float32).max])
    halves = [Fraction(x) for x in reinterpret_scales(smallest).tolist()]
    assert halves == [Fraction(x) / 2 for x in smallest.tolist()]


def test_bad_codes_are_named():
    with pytest.raises(ValueError, match=r"codes\[1\] = 4: codes of uint2 are 0 to 3"):
        reinterpret(torch.tensor([0, 4]), 2)
    with pytest.raises(ValueError, match=r"zeros\[0\] = -3: codes of int2 are -2 to 1"):
        reinterpret_zeros(torch.tensor([-3]), 2, signed=True)
    with pytest.raises(TypeError, match="codes must be integers"):
        reinterpret(torch.tensor([0.5]), 2)
    for bits in (0, 9):
        with pytest.raises(ValueError, match=f"bits = {bits}: allowed are 1 to 8"):
            reinterpret(torch.tensor([0]), bits)
    with pytest.raises(TypeError, match="signed must be bool"):
        reinterpret(torch.tensor([0]), 2, signed=UINT2)


def test_wrong_kinds_are_named():
    for call, message in [
        (lambda: reinterpret([1, 2], 2), "codes must be a torch tensor, not list"),
        (
            lambda: reinterpret_zeros(np.ones(2, int), 2),
            "zeros must be a torch tensor, not ndarr",
        ),
        (lambda: reinterpret_scales([1.0]), "scales must be a torch tensor, not list"),
        (lambda: reinterpret_scales(torch.tensor([1])), "scales must be floats, not torch.int64"),
        (lambda: bit_planes([1], 2), "codes must be a torch tensor, not list"),
        (
            lambda: bit_planes(torch.tensor([1.5]), 2),
            "codes must be integers .*, not torch.flo",
        ),
        (lambda: plane_weights(2, signed=2), "signed must be bool, not int: 2"),
    ]:
        with pytest.raises(TypeError, match=message):
            call()


@pytest.mark.parametrize("wrong", [-3, 4])
def test_codes_of_more_bits_have_no_planes(wrong):
    assert bit_planes(torch.tensor([-2, 3]), 2).tolist() == [[0, 1], [1, 1]]
    with pytest.raises(ValueError, match=rf"codes\[1\] = {wrong}: allowed are -2 to 3"):
        bit_planes(torch.tensor([0, wrong]), 2)
