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


def test_wrong_kinds_and_shapes_are_named():
    codes = torch.tensor([[1, 2]])
    for call, error, message in [
        (lambda: unpack_trits(torch.tensor(3)), ValueError, r"codes have shape \(\)"),
        (lambda: pack_trits(torch.tensor(1)), ValueError, r"trits have shape \(\)"),
        (lambda: unpack_trits([3]), TypeError, "codes must be a torch tensor, not list"),
        (lambda: pack_trits([0, 0, 1]), TypeError, "trits must be a torch tensor, not list"),
        (lambda: trit_tables([0, 0, 1]), TypeError, "activations must be a torch tensor"),
        (lambda: unpack_trits(torch.tensor([1.0])), TypeError, "codes must be integers"),
        (lambda: look_up_trits([[0] * 13], codes), TypeError, "tables must be a torch tensor"),
        (lambda: look_up_trits(torch.ones(2, 13), codes), TypeError, "tables must be integers"),
    ]:
        with pytest.raises(error, match=message):
            call()
    for shape in ((2, 12), (13,), (), (2, 14)):
        shown = str(shape).replace("(", r"\(").replace(")", r"\)")
        with pytest.raises(ValueError, match=rf"tables have shape {shown}: \[\.\.\., T, 13\] is"):
            look_up_trits(torch.zeros(shape, dtype=torch.int64), codes)


def test_sums_are_exact_up_to_their_limits_and_refused_beyond():
    largest = 2**53
    tables = trit_tables(torch.tensor([largest, -largest, largest]))
    codes = pack_trits(torch.tensor(COMBINATIONS))
    expected = [largest * (t0 - t1 + t2) for t0, t1, t2 in COMBINATIONS]
    assert look_up_trits(tables, codes).tolist() == expected
    for wrong in (largest + 1, 2**62, -(2**62), -(2**63)):
        with pytest.raises(ValueError, match=rf"activations\[1\] = {wrong}: -2\*\*53 to 2\*\*53"):
            trit_tables(torch.tensor([0, wrong, 0]))
    pair = torch.full((2, 13), 2**62 - 1)
    assert look_up_trits(pair, torch.tensor([[1, 2]])).tolist() == [2**63 - 2]
    pair[0, 0] = -(2**62)
    with pytest.raises(ValueError, match=f"tables reach {2**62}: less than 2.*63 / 2 is needed"):
        look_up_trits(pair, torch.tensor([[1, 2]]))


def test_tables_of_few_bits_give_the_same():
    tables = trit_tables(torch.tensor([[1, 2, 3], [-9, 0, 4]]).flatten())
    codes = torch.tensor([[13, 29]])
    assert look_up_trits(tables.to(torch.int8), codes).tolist() == [6 - (-9 + 4)]
