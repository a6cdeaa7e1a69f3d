"""RTL against reference: every style, every stimulus, every result, bit for bit."""

import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from multipede.golden.number_format import require_range
from multipede.golden.spec import Port, Spec
from multipede.hw import Style
from multipede.hw.style import checked_styles
from multipede.sim.compiled import compile_model, compile_verilog
from multipede.sim.expected import Expected, expected_results, require_state, wrong_timing
from multipede.sim.model import Model, SimulationError, SimulationRun
from multipede.sim.report import Check, Mismatch, VerifyReport, first_difference
from multipede.sim.stimulus import Records, Stimulus, exhaustive_twin, random_records, stimuli
from multipede.toolchain import cache, find

__all__ = ["verify"]

RECORDS = 100_000
BRIEF_RECORDS = 30_000
"""Up to so many, a model is run sooner if its C++ is not optimised."""
STATE_RECORDS = 500
"""Records with which the reference's own state is tried."""
WAVEFORM_RECORDS = 200
"""Records before the mismatch that the waveform shows."""


def verify(
    spec: Spec,
    *,
    styles: Sequence[Style] | None = None,
    records: int = RECORDS,
    seed: int = 1,
    verilog: Mapping[str, str] | None = None,
    waveform: bool = True,
) -> VerifyReport:
    """Compare the unit's RTL with its reference in the compiled simulator.

    Parameters
    ----------
    spec : the unit.
    styles : styles of RTL to try, by default all.
    records : biased random records per style, at least 1; corners and exhaustive sweeps are
        always complete. Where the formats allow it, the smallest tile of the same formats is
        tried with all codes besides.
    seed : of everything random.
    verilog : texts by name to try instead of our RTL, with the same ports and top module.
    waveform : whether to write an FST waveform of the first mismatch into the cache.

    Returns
    -------
    VerifyReport
        Its ``passed`` is False on any difference and on too few results.

    Raises
    ------
    TypeError, ValueError
        For parameters out of range.
    ToolError
        If a tool is missing or fails.
    """
    if not isinstance(spec, Spec):
        raise TypeError(f"spec must be a specification, not {spec!r}")
    require_range("records", records, 1, 10**12)
    require_range("seed", seed, 0, 2**63)
    began = time.monotonic()
    styles = checked_styles(styles)
    if verilog is not None and (not isinstance(verilog, Mapping) or not verilog):
        raise TypeError(f"verilog must map names to texts, not {verilog!r}")
    if verilog is None:
        sources = {style.value: style for style in styles}
    else:
        sources = dict(verilog)
    plan = stimuli(spec, records=records, seed=seed)
    checks = _compare(spec, sources, plan, waveform)
    require_state(spec, random_records(spec, STATE_RECORDS, seed=seed))
    twin = exhaustive_twin(spec) if verilog is None else None
    if twin is not None:
        sweep = [s for s in stimuli(twin, records=1, seed=seed) if s.name == "exhaustive"]
        checks += _compare(twin, sources, sweep, waveform)
    tools = {name: find(name).version for name in ("verilator", "yosys", "c++")}
    versions = {name: ".".join(map(str, version)) for name, version in tools.items()}
    return VerifyReport(spec, seed, tuple(checks), versions, time.monotonic() - began)


@dataclass
class Subject:
    """One RTL text under test, with what was compared so far."""

    name: str
    source: Style | str
    model: Model
    records: int = 0
    results: int = 0
    seconds: float = 0.0
    mismatch: Mismatch | None = None
    error: str | None = None


def _model(spec: Spec, source: Style | str, **how: bool) -> Model:
    if isinstance(source, Style):
        return compile_model(spec, style=source, **how)
    return compile_verilog(source, spec, **how)


def _compare(
    spec: Spec, sources: Mapping[str, Style | str], plan: Sequence[Stimulus], waveform: bool
) -> list[Check]:
    total = sum(stimulus.records for stimulus in plan)
    brief = total <= BRIEF_RECORDS
    models = {name: _model(spec, source, brief=brief) for name, source in sources.items()}
    checks = []
    with tqdm(total=total, unit="record", desc=spec.unit, disable=None, leave=False) as bar:
        for stimulus in plan:
            subjects = [Subject(name, sources[name], models[name]) for name in sources]
            _drive(spec, stimulus, subjects, bar, waveform)
            checks += [_check(spec, stimulus, subject) for subject in subjects]
    return checks


def _check(spec: Spec, stimulus: Stimulus, subject: Subject) -> Check:
    return Check(
        unit=_short(spec),
        style=subject.name,
        stimulus=stimulus.name,
        description=stimulus.description,
        records=subject.records,
        required=stimulus.records,
        results=subject.results,
        seconds=subject.seconds,
        mismatch=subject.mismatch,
        error=subject.error,
    )


def _short(spec: Spec) -> str:
    if spec.computation is not spec:
        return f"{spec.unit} {_short(spec.computation)}"
    size = [
        str(getattr(spec, name)) for name in ("rows", "columns", "lanes") if hasattr(spec, name)
    ]
    return spec.unit + (" " + "x".join(size) if size else "")


def _drive(
    spec: Spec, stimulus: Stimulus, subjects: list[Subject], bar: tqdm, waveform: bool
) -> None:
    """Run one stimulus from reset, on all subjects side by side, until they differ."""
    state = None
    for index, chunk in enumerate(stimulus.chunks()):
        active = [s for s in subjects if s.mismatch is None and s.error is None]
        if not active:
            return
        for subject in active:
            if index == 0 and not spec.keeps_pace:
                check_idle_latency(subject, chunk)
            begin(subject.model, stimulus, index)
        active = [subject for subject in active if subject.error is None]
        state = None if stimulus.resets else state
        outputs = [simulate(subject, chunk, stimulus, index) for subject in active]
        # Behind the simulation, so that an unchanged unit starts before torch is imported.
        expected = expected_results(spec, chunk, state)
        state = expected.state
        for subject, got in zip(active, outputs, strict=True):
            if got is None:
                continue
            subject.records += len(next(iter(chunk.values())))
            found = _difference(spec, stimulus, subject, expected.results, got)
            if found is not None:
                subject.mismatch = _explained(spec, stimulus, subject, found, index, waveform)
                subject.results = found.result + 1
                continue
            subject.error = wrong_clocks(subject, chunk, stimulus, expected, got)
            if subject.error is None:
                subject.results += len(expected.made_by)
        bar.update(len(next(iter(chunk.values()))))


def check_idle_latency(subject: Subject, chunk: Records) -> None:
    """One record that gives a result, from reset: a unit that may wait has no reason to."""
    spec = subject.model.spec
    one = spec.ended({name: array[:1] for name, array in chunk.items()})
    subject.model.reset()
    try:
        latency = subject.model.run(one).cycles - int(spec.record_clocks(one).sum())
    except SimulationError as error:
        subject.error = str(error)
        return
    if latency != spec.latency:
        subject.error = _wrong_latency(spec, latency)


def _wrong_latency(spec: Spec, latency: int) -> str:
    return f"the latency is {latency} clocks, {spec.latency} specified"


def begin(model: Model, stimulus: Stimulus, chunk: int) -> None:
    """Reset where a chunk comes from reset; always alike, so that a replay is the same."""
    if chunk == 0 or stimulus.resets:
        model.reset(turn=chunk)


def simulate(
    subject: Subject, chunk: Records, stimulus: Stimulus, index: int
) -> SimulationRun | None:
    """What came out, or None where the unit hung or gave too many results."""
    began = time.monotonic()
    try:
        run = subject.model.run(chunk, gaps=stimulus.gaps, stalls=stimulus.stalls, seed=index + 1)
    except SimulationError as error:
        subject.error = str(error)
        return None
    subject.seconds += time.monotonic() - began
    return run


def wrong_clocks(
    subject: Subject, chunk: Records, stimulus: Stimulus, expected: Expected, run: SimulationRun
) -> str | None:
    """What is wrong with the pace or with the clocks of results, which are the right ones."""
    spec, count = subject.model.spec, len(next(iter(chunk.values())))
    ends = "last" not in chunk or bool(chunk["last"][-1])
    if spec.keeps_pace and ends and not (stimulus.gaps or stimulus.stalls):
        latency = run.cycles - int(spec.record_clocks(chunk).sum())
        if latency != spec.latency:
            return _wrong_latency(spec, latency)
    return wrong_timing(
        spec,
        run,
        expected.made_by,
        first_record=subject.records - count,
        first_result=subject.results,
    )


def _difference(
    spec: Spec,
    stimulus: Stimulus,
    subject: Subject,
    expected: dict[str, np.ndarray],
    got: Mapping[str, np.ndarray],
) -> Mismatch | None:
    earliest = None
    for port in spec.outputs:
        found = first_difference(expected[port], got[port])
        if found is not None and (earliest is None or found[0] < earliest[1][0]):
            earliest = port, found
    if earliest is None:
        return None
    port, (result, element, wanted, given) = earliest
    return Mismatch(
        style=subject.name,
        stimulus=stimulus.name,
        port=port,
        result=subject.results + result,
        element=element,
        expected=wanted,
        got=given,
        expected_value=_value(spec.outputs[port], wanted),
        got_value=_value(spec.outputs[port], given),
    )


def _value(port: Port, code: int | None) -> str:
    if code is None:
        return "no result"
    if port.limbs or not port.format.is_valid(code):
        return "no valid code"
    return f"value {port.format.decode(code):g}"


def _explained(
    spec: Spec,
    stimulus: Stimulus,
    subject: Subject,
    mismatch: Mismatch,
    chunk_index: int,
    waveform: bool,
) -> Mismatch:
    """The mismatch with the record that led to it and, on request, a waveform around it."""
    chunks = [chunk for _, chunk in zip(range(chunk_index + 1), stimulus.chunks(), strict=False)]
    before = subject.results
    record = _guilty_record(subject.model, chunks, stimulus, mismatch.result - before)
    inputs = {name: array[record].tolist() for name, array in chunks[-1].items()}
    inputs = {"record": record + sum(len(next(iter(c.values()))) for c in chunks[:-1])} | inputs
    path = None
    if waveform:
        path = _waveform(spec, subject.source, chunks, stimulus, record)
    return replace(mismatch, inputs=inputs, waveform=path)


def _replay(model: Model, chunks: list[Records], stimulus: Stimulus) -> None:
    for index, chunk in enumerate(chunks):
        begin(model, stimulus, index)
        model.run(chunk, gaps=stimulus.gaps, stalls=stimulus.stalls, seed=index + 1)


def _guilty_record(model: Model, chunks: list[Records], stimulus: Stimulus, result: int) -> int:
    """The record of the last chunk behind which result number ``result`` of the chunk appears."""
    low, high = 0, len(next(iter(chunks[-1].values()))) - 1
    while low < high:
        middle = (low + high) // 2
        _replay(model, chunks[:-1], stimulus)
        begin(model, stimulus, len(chunks) - 1)
        part = {name: array[: middle + 1] for name, array in chunks[-1].items()}
        try:
            given = model.run(part, gaps=stimulus.gaps, stalls=stimulus.stalls, seed=len(chunks))
            reached = len(next(iter(given.outputs.values()))) > result
        except SimulationError:  # it gives even more results than it may
            reached = True
        low, high = (low, middle) if reached else (middle + 1, high)
    return low


def _waveform(
    spec: Spec, source: Style | str, chunks: list[Records], stimulus: Stimulus, record: int
) -> Path:
    """An FST file of the records up to the guilty one."""
    model = _model(spec, source, trace=True)
    _replay(model, chunks[:-1], stimulus)
    begin(model, stimulus, len(chunks) - 1)
    start = max(0, record - WAVEFORM_RECORDS)
    if start:
        model.run({name: array[:start] for name, array in chunks[-1].items()}, drain=False)
    handle, name = tempfile.mkstemp(
        dir=cache.subdirectory("waveforms"), prefix=f"{spec.unit}-", suffix=".fst"
    )
    os.close(handle)
    model.trace(Path(name))
    shown = {key: array[start : record + 1] for key, array in chunks[-1].items()}
    with suppress(SimulationError):  # what went wrong is in the waveform
        model.run(shown, gaps=stimulus.gaps, stalls=stimulus.stalls, seed=len(chunks))
    return Path(name)
