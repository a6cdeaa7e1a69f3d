"""Circuits of tables: how many additions they take, and their sums against brute force."""

import itertools

import numpy as np
import pytest

from multipede.golden.lookup_table import entry_format
from multipede.hw.arithmetic.circuit_plan import CircuitPlan
from multipede.hw.arithmetic.lookup_tables import additions, entry_shifter, table_circuit
from multipede.hw.style import Style
from tests.golden.lookup_oracle import signed_table, subset_table

CORNERS = (-128, -1, 0, 1, 127)


def records(size: int) -> np.ndarray:
    """All corners of four lanes and fewer; of more, all of two corners and random ones."""
    if size <= 4:
        return np.array(list(itertools.product(CORNERS, repeat=size)))
    generator = np.random.default_rng(size)
    extremes = np.array(list(itertools.product((-128, 127), repeat=size)))
    return np.concatenate([extremes, generator.integers(-128, 128, (300, size))])


def as_signed(words: np.ndarray | int, bits: int, count: int) -> list[int]:
    """Two's complement; constants stand for all records."""
    words = np.broadcast_to(words, (count,))
    return [int(word) - ((int(word) >> (bits - 1)) << bits) for word in words]


@pytest.mark.parametrize(("size", "count"), [(2, 2), (3, 6), (4, 12), (5, 24), (6, 44)])
def test_signed_sums_share_those_of_halves(size, count):
    """One addition for each entry beside those of the halves; direct sums take more."""
    assert additions(size, signed_sums=True) == count
    assert count <= (size - 1) << (size - 1)


@pytest.mark.parametrize("size", [2, 3, 4, 5, 6])
def test_subset_sums_take_one_addition_for_each_sum_of_two_lanes_or_more(size):
    assert additions(size, signed_sums=False) == (1 << size) - size - 1


@pytest.mark.parametrize("style", [Style.WORD, Style.CELLS], ids=str)
@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("size", [2, 3, 4, 5, 6])
def test_entries_are_those_of_brute_force(size, signed, style):
    circuit = table_circuit(-128, 127, size, signed)
    lanes = records(size)
    pins = {f"a{k}": lanes[:, k] & 0xFF for k in range(size)}
    found = CircuitPlan(circuit, style, ranks=1).evaluate(**pins)
    make = signed_table if signed else subset_table
    expected = np.array([make(row) for row in lanes.tolist()])
    entry = entry_format(-128, 127, size, signed_sums=signed)
    for index in range(expected.shape[1]):
        width = len(circuit.outputs[f"t{index}"])
        assert width == entry.bits
        assert as_signed(found[f"t{index}"], width, len(lanes)) == expected[:, index].tolist()
    assert expected.size >= 50


@pytest.mark.parametrize("signed", [True, False])
def test_entries_are_shifted_by_the_cycle(signed):
    shifts, size = (0, 2, 4), 3
    circuit = table_circuit(-8, 7, size, signed, shifts)
    lanes = np.array(list(itertools.product((-8, -1, 3, 7), repeat=size)))
    for cycle, shift in enumerate(shifts):
        pins = {f"a{k}": lanes[:, k] & 0xF for k in range(size)}
        pins["cycle"] = np.full(len(lanes), cycle)
        found = CircuitPlan(circuit, Style.WORD, ranks=1).evaluate(**pins)
        make = signed_table if signed else subset_table
        expected = np.array([make(row) for row in lanes.tolist()]) << shift
        for index in range(expected.shape[1]):
            width = len(circuit.outputs[f"t{index}"])
            assert as_signed(found[f"t{index}"], width, len(lanes)) == expected[:, index].tolist()


def test_entries_from_outside_are_shifted_by_the_cycle():
    shifts, words = (0, 3, 6), np.arange(32)
    plan = CircuitPlan(entry_shifter(5, shifts), Style.WORD, ranks=1)
    width = len(plan.circuit.outputs["shifted"])
    for cycle, shift in enumerate(shifts):
        found = plan.evaluate(entry=words, cycle=np.full(32, cycle))["shifted"]
        assert as_signed(found, width, 32) == [value << shift for value in as_signed(words, 5, 32)]
