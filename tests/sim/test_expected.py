"""What the reference gives, and with which record each result is due."""

import numpy as np
import pytest
import torch

from multipede.golden.catalogue import unit_names
from multipede.golden.integer_tile import TileOutput
from multipede.golden.mixpe import MixPE
from multipede.golden.small_units import small_unit
from multipede.golden.spec import Spec
from multipede.golden.stallable import Stallable
from multipede.sim.expected import expected_results, require_state, wrong_timing
from multipede.sim.model import NO_RECORD, SimulationRun
from multipede.sim.stimulus import random_records
from tests.sim.running_sum import RunningSum

SEED = 11
TILE = MixPE(rows=1, columns=1, lanes=2, group=8)
UNITS = [small_unit(name) for name in unit_names()] + [
    TILE,
    MixPE(rows=1, columns=1, lanes=2, group=8, output=TileOutput.DEQUANTISED),
    MixPE(rows=1, columns=1, lanes=8, group=8),
    Stallable(inside=TILE),
]


@pytest.mark.few(19)
@pytest.mark.parametrize("spec", UNITS, ids=str)
def test_results_by_record_are_those_of_the_reference(spec):
    """From reset and from the state behind the first records; asked record by record."""
    records = random_records(spec, 400, seed=SEED)
    records = {name: torch.from_numpy(array) for name, array in records.items()}
    state, results = None, 0
    for start, stop in ((0, 137), (137, 138), (138, 400)):
        part = {name: tensor[start:stop] for name, tensor in records.items()}
        found = spec.results_by_record(state, **part)
        assert found.dtype == torch.int64
        alone, at = [], state
        for record in range(stop - start):
            outputs, at = spec.reference(at, **{n: t[record : record + 1] for n, t in part.items()})
            alone.append(len(next(iter(outputs.values()))))
        assert found.tolist() == alone
        assert Spec.results_by_record(spec, state, **part).tolist() == alone
        _, state = spec.reference(state, **part)
        results += sum(alone)
    assert results >= 5


def test_it_is_asked_with_valid_records_only():
    for spec in UNITS:
        with pytest.raises(TypeError, match="inputs must be"):
            spec.results_by_record(None, nothing=torch.zeros(1))


def test_no_records_give_no_results():
    for spec in UNITS:
        none = {n: torch.zeros((0, *p.array_shape)).long() for n, p in spec.inputs.items()}
        assert spec.results_by_record(None, **none).tolist() == []


def test_expected_results_go_on_from_a_state():
    records = random_records(TILE, 200, seed=SEED)
    whole = expected_results(TILE, records)
    first = expected_results(TILE, {name: array[:99] for name, array in records.items()})
    rest = {name: array[99:] for name, array in records.items()}
    second = expected_results(TILE, rest, first.state)
    assert [*first.made_by, *(second.made_by + 99)] == whole.made_by.tolist()
    for port in TILE.outputs:
        parts = first.results[port], second.results[port]
        assert np.array_equal(np.concatenate(parts), whole.results[port])


def test_a_reference_that_loses_its_state_is_refused():
    for spec in UNITS:
        require_state(spec, random_records(spec, 300, seed=SEED))
    right, wrong = RunningSum(), RunningSum(forgetful=True)
    records = random_records(right, 300, seed=SEED)
    require_state(right, records)
    with pytest.raises(ValueError, match="running_sum: reference gives other results in y for 300"):
        require_state(wrong, records)


def run_with(behind: list[int] | None, *, offered_in_reset: bool = False) -> SimulationRun:
    numbers = None if behind is None else np.array(behind, np.int64)
    return SimulationRun({}, 0, numbers, offered_in_reset)


def test_wrong_timing_names_the_first_result():
    made_by = np.array([3, 7, 8])
    assert wrong_timing(TILE, run_with([3, 7, 8]), made_by) is None
    assert wrong_timing(TILE, run_with(None), made_by) is None
    found = wrong_timing(TILE, run_with([3, 8, 9]), made_by, first_record=100, first_result=20)
    assert found == "result 21 comes behind record 108 (latency 1); record 107 completes it"
    assert "behind no record (latency 1); record 8" in wrong_timing(
        TILE, run_with([3, 7, NO_RECORD]), made_by
    )
    offered = run_with([3, 7, 8], offered_in_reset=True)
    found = wrong_timing(TILE, offered, made_by)
    assert found == "results are offered behind the first clock of rst"
