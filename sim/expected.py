"""What the reference gives for records, and with which record each result is due."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from multipede.golden.spec import Spec
from multipede.sim.model import NO_RECORD, SimulationRun
from multipede.sim.stimulus import Records

__all__ = ["Expected", "expected_results", "require_state", "wrong_timing"]

PART_RECORDS = 7


@dataclass(frozen=True)
class Expected:
    """What the reference gives for records.

    Attributes
    ----------
    results : one int64 array of shape (T', ...) per output port.
    made_by : int64 (T',), for each result the record with which it appears.
    state : of the reference behind them.
    """

    results: Records
    made_by: np.ndarray
    state: Any


def expected_results(spec: Spec, records: Records, state: Any = None) -> Expected:
    """The reference, from a state of it or from reset.

    Raises ValueError if it contradicts :meth:`Spec.results_by_record`.
    """
    import torch

    tensors = {name: torch.from_numpy(array) for name, array in records.items()}
    outputs, after = spec.reference(state, **tensors)
    results = {name: outputs[name].numpy() for name in spec.outputs}
    counts = spec.results_by_record(state, **tensors).numpy()
    made_by = np.repeat(np.arange(len(counts)), counts)
    found = len(next(iter(results.values())))
    if len(made_by) != found:
        raise ValueError(
            f"{spec.unit}: reference gives {found} results, results_by_record {len(made_by)}"
        )
    return Expected(results, made_by, after)


def require_state(spec: Spec, records: Records) -> None:
    """Raise ValueError unless the reference in parts is the reference in one: what it keeps of the
    records before must be in its state."""
    whole = expected_results(spec, records)
    count, state = len(next(iter(records.values()))), None
    parts = []
    for start in range(0, count, PART_RECORDS):
        part = {name: array[start : start + PART_RECORDS] for name, array in records.items()}
        parts.append(expected_results(spec, part, state))
        state = parts[-1].state
    for port, results in whole.results.items():
        if not np.array_equal(np.concatenate([part.results[port] for part in parts]), results):
            raise ValueError(
                f"{spec.unit}: reference gives other results in {port} for {count} records at once"
                f" than for {PART_RECORDS} at a time: its state does not tell all"
            )


def wrong_timing(
    spec: Spec,
    run: SimulationRun,
    made_by: np.ndarray,
    *,
    first_record: int = 0,
    first_result: int = 0,
) -> str | None:
    """What is wrong with the clocks of results, or None.

    Parameters
    ----------
    made_by : for each result of the run, the record that makes it, as in :class:`Expected`.
    first_record, first_result : numbers of the run's first ones, for the message.
    """
    if run.offered_in_reset:
        return "results are offered behind the first clock of rst"
    if run.behind is None:
        return None
    count = min(len(run.behind), len(made_by))
    different = run.behind[:count] != made_by[:count]
    if not different.any():
        return None
    result = int(different.argmax())
    behind, due = run.behind[result], made_by[result] + first_record
    record = "no record" if behind == NO_RECORD else f"record {behind + first_record}"
    return (
        f"result {result + first_result} comes behind {record} (latency {spec.latency});"
        f" record {due} completes it"
    )
