"""What units are tried with: complete, legal, repeatable, and reaching the corners."""

import numpy as np
import pytest
import torch

from multipede.golden.catalogue import unit, unit_names
from multipede.golden.dequantise_first_tile import DequantiseFirstTile
from multipede.golden.float_adder import FloatAdder
from multipede.golden.float_multiplier import FloatMultiplier
from multipede.golden.formats import FP16
from multipede.golden.fused_multiply_add import FusedMultiplyAdd
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.golden.mixpe import MixPE
from multipede.golden.number_converter import NumberConverter
from multipede.sim.stimulus import exhaustive_twin, random_records, stimuli
from tests.sim.running_sum import RunningSum

SEED = 20261122


def whole(stimulus):
    chunks = list(stimulus.chunks())
    return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}


@pytest.mark.parametrize("name", unit_names())
def test_every_record_is_legal_and_counted(name):
    spec = unit(name)()
    for stimulus in stimuli(spec, records=5000, seed=SEED):
        records = whole(stimulus)
        assert spec.check_inputs(records) == stimulus.records


def test_exhaustive_means_every_combination():
    spec = IntegerMultiplier()
    (sweep,) = [s for s in stimuli(spec, records=1, seed=1) if s.name == "exhaustive"]
    records = whole(sweep)
    assert sweep.records == 65536
    assert len(set(zip(records["a"].tolist(), records["b"].tolist(), strict=True))) == 65536


def test_many_pairs_are_dealt_out_to_the_lanes():
    spec = MixPE(activation=FP16, rows=1, columns=1, lanes=4, group=4)
    (sweep,) = [s for s in stimuli(spec, records=1, seed=1) if s.name == "lane pairs"]
    seen = set()
    for chunk in sweep.chunks():
        for lane in range(4):
            seen |= set(zip(chunk["a"][:, 0, lane], chunk["w"][:, 0, lane], strict=True))
    corners = FP16.corners()
    assert {(a, w) for a in range(1 << 16) for w in spec.weight.corners()} <= seen
    assert {(a, w) for a in corners for w in range(16)} <= seen
    assert 1 << 16 < sweep.records < 1 << 19
    assert "corner pairs of codes dealt out to the lanes" in sweep.description


def test_lane_pairs_reach_each_lane_with_every_pair():
    spec = MixPE()
    (sweep,) = [s for s in stimuli(spec, records=1, seed=1) if s.name == "lane pairs"]
    records = whole(sweep)
    assert sweep.records == 8 * 4096
    for lane in range(spec.lanes):
        for row, column in ((0, 0), (3, 3), (1, 2)):
            pairs = set(
                zip(
                    records["a"][:, row, lane].tolist(),
                    records["w"][:, column, lane].tolist(),
                    strict=True,
                )
            )
            assert len(pairs) == 4096
        others = np.delete(records["a"][:, 0], lane, axis=1)[lane * 4096 : (lane + 1) * 4096]
        assert {-128, 0, 127} <= set(np.unique(others).tolist())
    assert set(np.unique(records["z"]).tolist()) == set(range(16))


def test_corners_hold_whole_groups_at_the_extremes():
    spec = MixPE()
    (corners,) = [s for s in stimuli(spec, records=1, seed=1) if s.name == "corners"]
    records = whole(corners)
    results = spec.reference(**{n: __import__("torch").from_numpy(v) for n, v in records.items()})
    d = results[0]["d"]
    assert (int(d.min()), int(d.max())) == spec.result_range


def test_random_tiles_see_whole_groups_and_short_ones():
    spec = MixPE(rows=1, columns=1, lanes=8, group=128)
    last = random_records(spec, 20_000, seed=SEED)["last"]
    gaps = np.diff(np.flatnonzero(last))
    assert (gaps == 1).sum() > 100
    assert (gaps > 4 * spec.records_per_group).sum() > 10


def test_random_records_repeat_with_their_seed_only():
    spec = MixPE()
    first, again = (random_records(spec, 100, seed=SEED) for _ in range(2))
    other = random_records(spec, 100, seed=SEED + 1)
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not np.array_equal(first["a"], other["a"])


def test_random_codes_reach_corners_and_the_middle():
    codes = random_records(IntegerMultiplier(), 20_000, seed=SEED)["a"]
    assert len(np.unique(codes)) == 256
    assert (codes == -128).mean() > 0.03


def test_twin_keeps_the_formats():
    spec = MixPE(stages=3)
    twin = exhaustive_twin(spec)
    assert (twin.weight, twin.activation, twin.zero_point) == (spec.weight, spec.activation, True)
    assert (twin.rows, twin.columns, twin.lanes) == (1, 1, 1)
    assert exhaustive_twin(IntegerMultiplier()) is None


@pytest.mark.parametrize("unit", [FloatAdder, FloatMultiplier, FusedMultiplyAdd, NumberConverter])
def test_related_operands_meet_ties_their_neighbours_and_the_ends(unit):
    """FP16 results of operands that float64 holds exactly, one record in some hundreds at least."""
    spec = unit()
    records = dict(spec.related_records(np.random.default_rng(SEED), 60_000))
    assert spec.check_inputs(records) == 60_000
    tensors = {name: torch.from_numpy(codes) for name, codes in records.items()}
    codes = spec.reference(**tensors)[0][spec.result_port].numpy()
    with np.errstate(all="ignore"):
        exact = operated(unit, spec, records)
        finite = np.isfinite(exact)
        result = spec.result.decode(codes)
        spacing = np.abs(spec.result.decode(codes ^ 1) - result)
        error = np.abs(exact - result)
    assert np.mean(2 * error == spacing) > 0.005  # ties
    assert np.mean((error > 0.4 * spacing) & (2 * error < spacing)) > 0.005  # just not
    assert np.mean((result != 0) & (np.abs(result) < spec.result.smallest_normal)) > 0.01
    assert np.mean(np.isinf(result) & finite) > 0.002
    assert np.mean(finite & (np.abs(exact) > 0.99 * spec.result.maximum)) > 0.002
    if unit in (FloatAdder, FusedMultiplyAdd):
        addend = np.abs(spec.result.decode(records[spec.operands[-1]]))
        assert np.mean(finite & (exact != 0) & (np.abs(exact) < addend / 64)) > 0.02
        assert np.mean((exact == 0) & (addend != 0)) > 0.01


def operated(unit, spec, records):
    values = [
        getattr(spec, name).decode(records[name]).astype(np.longdouble) for name in spec.operands
    ]
    if unit is FloatMultiplier:
        return values[0] * values[1]
    if unit is FusedMultiplyAdd:
        return values[0] * values[1] + values[2]
    return sum(values)


def test_half_of_the_random_records_are_related():
    spec = FloatAdder()
    records = random_records(spec, 40_000, seed=SEED)
    with np.errstate(invalid="ignore"):
        a, b = (FP16.decode(records[name]) for name in "ab")
        close = np.abs(a + b) < np.abs(a) / 64
    assert 0.05 < close.mean() < 0.5


def test_lone_bits_meet_every_exponent_and_bit():
    """What ORs the bits that are lost, or those of a NaN, must see each of them alone."""
    (lone,) = [s for s in stimuli(NumberConverter(), records=1, seed=SEED) if s.name == "lone bits"]
    codes = np.concatenate([chunk["x"] for chunk in lone.chunks()])
    assert len(codes) == lone.records
    fractions = {(code >> 23, code & (1 << 23) - 1) for code in codes.tolist()}
    assert fractions >= {(e, 1 << bit) for e in range(512) for bit in range(23)}
    assert fractions >= {(e, (1 << 23) - 1 - (1 << bit)) for e in range(512) for bit in range(23)}


def test_lone_bits_go_to_one_element_at_a_time():
    spec = FloatAdder()
    (lone,) = [s for s in stimuli(spec, records=1, seed=SEED) if s.name == "lone bits"]
    chunks = list(lone.chunks())
    assert len(chunks) == 4
    assert sum(len(chunk["a"]) for chunk in chunks) == lone.records == 4 * 64 * 22
    for index, (chunk, name, other) in enumerate(zip(chunks, "aabb", "bbaa", strict=True)):
        assert len(np.unique(chunk[name])) == 64 * 22
        assert (index % 2 == 0) == bool(chunk[other].any())  # random, then zeros
        assert len(np.unique(chunk[other])) < 64 * 22
        spec.check_inputs(chunk)


@pytest.mark.parametrize("count", [200, 1250, 20_000])
@pytest.mark.parametrize("spec", [MixPE(lanes=2), RunningSum()], ids=lambda spec: spec.unit)
def test_last_is_seldom_and_often_whatever_the_number_of_records(spec, count):
    """So that sums grow, whole groups occur, and short ones do, with few records too."""
    last = random_records(spec, count, seed=SEED)["last"]
    ends = np.flatnonzero(last)
    assert len(ends) > count // 8
    assert np.diff(ends, prepend=-1, append=count).max() > min(count // 6, 128)


FLOAT_TILE = DequantiseFirstTile(rows=2, columns=2, lanes=3, group=3)


def test_activations_cancel_between_lanes_and_between_records():
    """But for the sign and a few bits they are alike, and their weights are."""
    records = random_records(FLOAT_TILE, 4000, seed=SEED)
    a, w = records["a"], records["w"]

    def alike(first, second):
        changed = first ^ second
        few = np.bitwise_count(changed & 0x7FFF) <= 3
        return (few & (changed >> 15 == 1)).all(axis=tuple(range(1, first.ndim)))

    lanes = alike(a[:, :, 0], a[:, :, 1]) & (w[:, :, 0] == w[:, :, 1]).all(axis=1)
    assert lanes.sum() > 400
    again = alike(a[1:], a[:-1]) & (w[1:] == w[:-1]).all(axis=(1, 2))
    assert (again & (records["scale"][1:] == records["scale"][:-1]).all(axis=1)).sum() > 400
    exact = a[:, :, 0] ^ a[:, :, 1] == 0x8000
    assert exact[lanes].any()
    assert not exact[lanes].all()


def test_sums_of_powers_of_two_are_among_them():
    records = random_records(FLOAT_TILE, 4000, seed=SEED)
    bare = (records["a"] & 0x3FF == 0).all(axis=(1, 2)) & (records["a"] & 0x7C00 != 0x7C00).all(
        axis=(1, 2)
    )
    exponents = records["a"][bare] >> 10 & 31
    assert (exponents.max(axis=(1, 2)) - exponents.min(axis=(1, 2)) > 6).sum() > 50
