"""Tables of signed sums against brute force: the identities of table lookup, exhaustively."""

import itertools

import numpy as np
import pytest
import torch

from multipede.golden.formats import Integer
from multipede.golden.lookup_table import (
    entry_format,
    fold,
    require_table_inputs,
    signed_sums,
    subset_sums,
)
from tests.golden.lookup_oracle import signed_table, subset_table

CORNERS = (-128, -1, 0, 1, 127)
ALL_CORNERS = torch.tensor(list(itertools.product(CORNERS, repeat=4)))


def test_all_lookups_of_four_corners_are_the_direct_signed_sums():
    """Every index of four lanes, all 625 activations of the corners."""
    tables = signed_sums(ALL_CORNERS, 4)[:, 0]
    compared = 0
    for word in range(16):
        bits = torch.tensor([word >> k & 1 for k in range(4)])
        folded = fold(bits, 4)
        index = int((folded[:3] * torch.tensor([1, 2, 4])).sum())
        found = tables[:, index] * (1 if folded[3] else -1)
        direct = (ALL_CORNERS * (2 * bits - 1)).sum(1)
        assert torch.equal(found, direct)
        compared += len(direct)
    assert compared == 16 * 625


def test_the_paper_keeps_the_negatives_of_these_entries():
    """T[i] = -a3 + sum of (a_k if bit k of i else -a_k), which needs one bit more."""
    tables = signed_sums(ALL_CORNERS, 4)[:, 0]
    kept = torch.stack(
        [
            -ALL_CORNERS[:, 3]
            + sum((1 if i >> k & 1 else -1) * ALL_CORNERS[:, k] for k in range(3))
            for i in range(8)
        ],
        dim=1,
    )
    assert torch.equal(tables, -kept)
    assert (int(tables.min()), int(tables.max())) == (-512, 511)
    assert (int(kept.min()), int(kept.max())) == (-511, 512)


@pytest.mark.parametrize("size", [2, 3, 4, 5, 6])
def test_tables_are_those_of_brute_force(size):
    generator = torch.Generator().manual_seed(size)
    activations = torch.randint(-128, 128, (40, 2 * size), generator=generator)
    activations[:8] = torch.where(activations[:8] > 0, 127, -128)
    signed, subset = signed_sums(activations, size), subset_sums(activations, size)
    assert signed.shape == (40, 2, 1 << (size - 1))
    assert subset.shape == (40, 2, 1 << size)
    for record, table in itertools.product(range(40), range(2)):
        lanes = activations[record, table * size : (table + 1) * size].tolist()
        assert signed[record, table].tolist() == signed_table(lanes)
        assert subset[record, table].tolist() == subset_table(lanes)


@pytest.mark.parametrize("size", [2, 3, 4, 5, 6])
@pytest.mark.parametrize(("low", "high"), [(-128, 127), (-2, 1), (-7, 7), (0, 15)])
@pytest.mark.parametrize("signed", [False, True])
def test_entries_fit_their_format_and_no_narrower_one(size, low, high, signed):
    extremes = torch.tensor(list(itertools.product((low, high), repeat=size)))
    make = signed_sums if signed else subset_sums
    entries = make(extremes, size)
    found = entry_format(low, high, size, signed_sums=signed)
    lowest, highest = int(entries.min()), int(entries.max())
    assert found.minimum <= lowest
    assert highest <= found.maximum
    if found.bits > 1:
        narrower = Integer(found.bits - 1, found.signed)
        assert lowest < narrower.minimum or highest > narrower.maximum
    assert found.signed == (lowest < 0)


@pytest.mark.parametrize("size", [2, 3, 4, 5, 6])
@pytest.mark.parametrize("dtype", [torch.int64, torch.int8])
def test_folding_undoes_itself_and_folds_all_planes(size, dtype):
    generator = torch.Generator().manual_seed(1)
    codes = torch.randint(-128, 128, (5, 3, 2 * size), generator=generator).to(dtype)
    folded = fold(codes, size)
    assert torch.equal(fold(folded, size), codes)
    assert np.array_equal(fold(codes.numpy(), size), folded.numpy())
    for plane in range(8):
        bits = codes >> plane & 1
        top = bits.unflatten(-1, (2, size))[..., -1:].expand(-1, -1, -1, size).flatten(-2)
        last = torch.arange(2 * size) % size == size - 1
        assert torch.equal(folded >> plane & 1, torch.where(last, bits, bits ^ top))


def looked_up(tables: torch.Tensor, codes: torch.Tensor, plane: int) -> torch.Tensor:
    """The signed entry of each table for a plane of plain codes (4)."""
    bits = fold(codes >> plane & 1, 4)
    entry = tables[:, int((bits[:3] * torch.tensor([1, 2, 4])).sum())]
    return entry if bits[3] else -entry


@pytest.mark.parametrize("bits", range(1, 9))
def test_planes_in_either_order_give_the_same_sums(bits):
    """Lowest first with shifts, and highest first by Horner's rule; both the dot product."""
    tables = signed_sums(ALL_CORNERS, 4)[:, 0]
    generator = torch.Generator().manual_seed(bits)
    words = torch.randint(0, 1 << bits, (20, 4), generator=generator)
    words[0], words[1] = 0, (1 << bits) - 1
    for codes in words:
        lowest_first = highest_first = torch.zeros(len(tables), dtype=torch.int64)
        for plane in range(bits):
            lowest_first = lowest_first + (looked_up(tables, codes, plane) << plane)
        for plane in reversed(range(bits)):
            highest_first = 2 * highest_first + looked_up(tables, codes, plane)
        direct = (ALL_CORNERS * (2 * codes - (1 << bits) + 1)).sum(1)
        assert torch.equal(lowest_first, direct)
        assert torch.equal(highest_first, direct)


@pytest.mark.parametrize("bits", range(1, 9))
def test_zero_activations_give_exactly_zero_in_every_order_of_planes(bits):
    tables = signed_sums(torch.zeros(1, 4, dtype=torch.int64), 4)[:, 0]
    assert (tables == 0).all()
    for word in range(0, 1 << bits, max(1, (1 << bits) // 16)):
        codes = torch.tensor([word, 0, (1 << bits) - 1, word ^ 1])
        orders = [range(bits), reversed(range(bits))]
        for order in orders:
            total = torch.zeros(1, dtype=torch.int64)
            for plane in order:
                total = total + (looked_up(tables, codes, plane) << plane)
            assert total.tolist() == [0]


@pytest.mark.parametrize(
    ("size", "lanes", "error", "message"),
    [
        (1, 4, ValueError, "table_inputs = 1: allowed are 2 to 6"),
        (7, 7, ValueError, "table_inputs = 7: allowed are 2 to 6"),
        (4, 6, ValueError, "lanes = 6: they must be a multiple of table_inputs = 4"),
        (4.0, 4, TypeError, "table_inputs must be int, not float"),
        (True, 4, TypeError, "table_inputs must be int, not bool"),
    ],
)
def test_bad_table_inputs_are_named(size, lanes, error, message):
    with pytest.raises(error, match=message):
        require_table_inputs(size, lanes)


def test_wrong_operands_are_named():
    ones = torch.ones(2, 6, dtype=torch.int64)
    for make, name in ((fold, "codes"), (signed_sums, "activations"), (subset_sums, "activations")):
        for operand, size, error, message in [
            (ones, 4, ValueError, "table_inputs = 4: they must divide the 6 lanes"),
            (ones, 7, ValueError, "table_inputs = 7: allowed are 2 to 6"),
            (ones, 2.0, TypeError, "table_inputs must be int, not float"),
            (ones[0, 0], 2, ValueError, rf"{name} has shape \(\): \(\.\.\., lanes\) is needed"),
            (ones.double(), 2, TypeError, f"{name} must be integers of .*, not torch.float64"),
            (ones == 1, 2, TypeError, f"{name} must be integers of .*, not torch.bool"),
            ([1, 1], 2, TypeError, f"{name} must be .* tensor, not list"),
        ]:
            with pytest.raises(error, match=message):
                make(operand, size)
    with pytest.raises(TypeError, match=r"codes must be integers of .*, not float64"):
        fold(np.ones((2, 4)), 4)


@pytest.mark.parametrize("make", [signed_sums, subset_sums])
def test_sums_are_exact_up_to_their_limits_and_refused_beyond(make):
    largest = 2**53
    assert int(make(torch.full((6,), largest), 6).max()) == 6 * largest
    for wrong in (largest + 1, -largest - 1, -(2**63)):
        with pytest.raises(ValueError, match=rf"activations\[1\] = {wrong}: -2\*\*53 to 2\*\*53"):
            make(torch.tensor([0, wrong]), 2)
