"""Three trits in five bits, and their tables: all combinations."""

import itertools

import pytest
import torch

from multipede.golden.trits import look_up_trits, pack_trits, trit_tables, unpack_trits

COMBINATIONS = list(itertools.product((-1, 0, 1), repeat=3))
CORNERS = list(itertools.product((-128, -1, 0, 1, 127), repeat=3))


def test_all_27_combinations_have_codes_of_five_bits():
    """One of zero and 13 pairs that differ in the sign alone."""
    trits = torch.tensor(COMBINATIONS)
    codes = pack_trits(trits)
    assert codes.shape == (27, 1)
    assert sorted(codes.flatten().tolist()) == [*range(14), *range(17, 30)]
    assert torch.equal(unpack_trits(codes), trits)
    opposite = pack_trits(-trits)
    assert torch.equal(codes & 15, opposite & 15)
    assert ((codes ^ opposite) == torch.where((trits == 0).all(1, keepdim=True), 0, 16)).all()


def test_all_lookups_of_all_corners_are_dot_products():
    activations = torch.tensor(CORNERS)
    found = look_up_trits(trit_tables(activations), pack_trits(torch.tensor(COMBINATIONS)))
    compared = 0
    for a, sums in zip(CORNERS, found.tolist(), strict=True):
        expected = [sum(x * t for x, t in zip(a, trits, strict=True)) for trits in COMBINATIONS]
        assert sums == expected
        compared += len(expected)
    assert compared == 125 * 27


def test_long_dot_products():
    generator = torch.Generator().manual_seed(1)
    trits = torch.randint(-1, 2, (5, 21), generator=generator)
    activations = torch.randint(-32768, 32768, (4, 21), generator=generator)
    codes = pack_trits(trits)
    assert codes.shape == (5, 7)
    assert codes.max() < 32
    assert torch.equal(unpack_trits(codes), trits)
    tables = trit_tables(activations)
    assert tables.shape == (4, 7, 13)
    assert torch.equal(look_up_trits(tables, codes), activations @ trits.T)


def test_what_is_no_trit_or_no_code_is_named():
    with pytest.raises(ValueError, match=r"trits\[1, 0\] = 2: allowed are -1, 0 and 1"):
        pack_trits(torch.tensor([[0, 0, 0], [2, 0, 0]]))
    with pytest.raises(ValueError, match=r"trits have shape \(4,\): .* a multiple of 3"):
        pack_trits(torch.zeros(4, dtype=torch.int64))
    with pytest.raises(TypeError, match="trits must be integers"):
        pack_trits(torch.zeros(3))
    with pytest.raises(TypeError, match="activations must be integers"):
        trit_tables(torch.zeros(3))
    for code in (-1, 14, 15, 16, 30, 31, 32):
        with pytest.raises(ValueError, match=rf"codes\[0\] = {code}: allowed are 0 to 13 and 17"):
            unpack_trits(torch.tensor([code]))
    with pytest.raises(ValueError, match=r"codes have shape \(1, 3\): \[N, 2\] is needed"):
        look_up_trits(trit_tables(torch.ones(6).long()), torch.tensor([[0, 1, 2]]))
