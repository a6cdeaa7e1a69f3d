"""What units are tried with: complete, legal, repeatable, and reaching the corners."""

import numpy as np
import pytest

from multipede.golden.catalogue import unit, unit_names
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.golden.mixpe import MixPE
from multipede.sim.stimulus import exhaustive_twin, random_records, stimuli

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
