"""Mutants in the compiled simulator, side by side, against the reference that they all share."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from multipede.golden.spec import Spec
from multipede.sim.expected import Expected, expected_results
from multipede.sim.model import Model
from multipede.sim.report import first_difference
from multipede.sim.stimulus import Records, Stimulus
from multipede.sim.verify import (
    Subject,
    begin,
    check_idle_latency,
    simulate,
    wrong_clocks,
)

__all__ = ["beginnings", "kill"]

BEGINNING_RECORDS = 1024
"""Records of each stimulus that all mutants are tried with before those that live see the rest."""
BEGINNING_CHUNKS = 4


def beginnings(plan: Sequence[Stimulus]) -> list[Stimulus]:
    """The first records of each stimulus: what they kill, the whole stimulus would kill."""
    return [_beginning(stimulus) for stimulus in plan]


def _beginning(stimulus: Stimulus) -> Stimulus:
    def chunks() -> Iterator[Records]:
        for chunk in itertools.islice(stimulus.chunks(), BEGINNING_CHUNKS):
            size = len(next(iter(chunk.values())))
            yield {name: array[:BEGINNING_RECORDS] for name, array in chunk.items()}
            if size > BEGINNING_RECORDS:  # what follows does not continue here
                return

    return replace(stimulus, records=min(stimulus.records, BEGINNING_RECORDS), chunks=chunks)


def kill(
    spec: Spec,
    models: Mapping[int, Model],
    plan: Sequence[Stimulus],
    advance: Callable[[int], None],
) -> dict[int, str]:
    """Drive the mutants with every stimulus until each has been told from the reference.

    Parameters
    ----------
    models : by number of the mutant.
    advance : called with the number of mutants that were just killed.

    Returns
    -------
    dict
        How each killed mutant showed itself, by its number; the others agree with the reference in
        every record.
    """
    killed: dict[int, str] = {}
    for stimulus in plan:
        alive = {n: Subject(str(n), "", m) for n, m in models.items() if n not in killed}
        if not alive:
            break
        found = _drive(spec, stimulus, alive)
        advance(len(found))
        killed |= found
    return killed


def _drive(spec: Spec, stimulus: Stimulus, alive: dict[int, Subject]) -> dict[int, str]:
    """One stimulus from reset, on all that live, chunk by chunk."""
    killed: dict[int, str] = {}
    state = None
    for index, chunk in enumerate(stimulus.chunks()):
        state = None if stimulus.resets else state
        expected = expected_results(spec, chunk, state)
        state = expected.state
        for number, subject in alive.items():
            if number not in killed:
                shown = _shown(spec, stimulus, subject, chunk, index, expected)
                if shown is not None:
                    killed[number] = f"{stimulus.name}: {shown}"
        if len(killed) == len(alive):
            break
    return killed


def _shown(
    spec: Spec,
    stimulus: Stimulus,
    subject: Subject,
    chunk: Records,
    index: int,
    expected: Expected,
) -> str | None:
    """How the mutant shows itself in a chunk: a hang, a wrong latency or a wrong result."""
    if index == 0 and not spec.keeps_pace:
        check_idle_latency(subject, chunk)
    begin(subject.model, stimulus, index)
    got = None if subject.error else simulate(subject, chunk, stimulus, index)
    if got is None:
        return subject.error
    for port in spec.outputs:
        found = first_difference(expected.results[port], got[port])
        if found is not None:
            return f"result {subject.results + found[0]} differs in {port}"
    subject.records += len(next(iter(chunk.values())))
    shown = wrong_clocks(subject, chunk, stimulus, expected, got)
    subject.results += len(expected.made_by)
    return shown
