"""Verification under cocotb: a unit's pins, in Verilator or Icarus, against its reference."""

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from importlib.metadata import PackageNotFoundError, version
from numbers import Real
from pathlib import Path

from multipede.golden.number_format import require_range, require_type
from multipede.golden.source_files import OWN, source_digest
from multipede.golden.spec import Spec
from multipede.hw import Style
from multipede.hw.style import checked_styles
from multipede.sim.compiled import CELLS_OPTIONS
from multipede.sim.expected import expected_results
from multipede.sim.inlining import compile_all_once, compile_once
from multipede.sim.pins import module_pins
from multipede.sim.report import Check, VerifyReport
from multipede.sim.stimulus import RESETS, Records, hash_seed, random_records
from multipede.sim.vectors import golden_records, payload_hex
from multipede.sim.verilog import adder_modules, verilog_of
from multipede.toolchain import (
    Completed,
    ToolError,
    ToolFailure,
    ToolTimeout,
    cache,
    cached,
    find,
    key,
    run,
)
from multipede.toolchain.find import format_version
from multipede.toolchain.verilator import root

__all__ = ["Simulator", "cases", "run_bench", "verify_cocotb"]

RECORDS = 2000
TIME_LIMIT = 600.0
LONGEST_STRETCH = 64
"""Records between resets, at the most."""
_NEEDED = (2, 1)
_SOURCES = ("sim/cocotb_bench.py", "sim/cocotb_run.py", "sim/inlining.py", "sim/pins.py")
"""What a compiled simulation depends on."""


class Simulator(Enum):
    """What runs the bench."""

    VERILATOR = "verilator"
    ICARUS = "icarus"

    def __repr__(self) -> str:
        return f"Simulator.{self.name}"

    @property
    def waveform(self) -> str:
        """Kind of its waveforms: what Verilator needs for FST under cocotb, machines may lack."""
        return ".fst" if self is Simulator.ICARUS else ".vcd"

    @property
    def tools(self) -> tuple[str, ...]:
        """Programs that it needs."""
        return ("iverilog", "vvp") if self is Simulator.ICARUS else ("verilator", "c++", "make")


def cases(spec: Spec, *, resettable: bool = True) -> list[str]:
    """The names of the cases that fit the unit, in order."""
    stalls = ["stalls", "gaps_and_stalls"] if spec.stallable else []
    return ["back_to_back", "gaps", *stalls, *(["resets"] if resettable else [])]


def verify_cocotb(
    spec: Spec,
    *,
    styles: Sequence[Style] | None = None,
    simulator: Simulator = Simulator.VERILATOR,
    records: int = RECORDS,
    seed: int = 1,
    time_limit: float = TIME_LIMIT,
    verilog: Mapping[str, str] | None = None,
) -> VerifyReport:
    """Compare the unit's RTL with its reference under cocotb, record by record on its pins.

    Cases: records back to back (pace and latency are compared, too), pauses between records,
    results that are not taken at once where there is ready, and resets in mid-stream.

    Parameters
    ----------
    spec : the unit.
    styles : styles of RTL to try, by default the word style.
    simulator : Verilator, or Icarus Verilog.
    records : per case and style, at least 1; resets come on top.
    seed : of everything random.
    time_limit : seconds for the simulation of a style, after which it is ended.
    verilog : texts by name to try instead of our RTL, with the same ports and top module.

    Returns
    -------
    VerifyReport
        Its ``passed`` is False on any difference, hang or missing result. A failed case keeps a
        waveform in the cache; the message names it.

    Raises
    ------
    TypeError, ValueError
        For parameters out of range.
    ToolError
        If cocotb or the simulator is missing, too old, or fails.
    """
    require_type("spec", spec, Spec)
    require_type("simulator", simulator, Simulator)
    require_range("records", records, 1, 10**9)
    require_range("seed", seed, 0, 2**63)
    require_type("time_limit", time_limit, Real)
    if time_limit <= 0:
        raise ValueError(f"time_limit = {time_limit}: seconds above 0 are needed")
    if verilog is None:
        chosen = checked_styles((Style.WORD,) if styles is None else styles)
        verilog = {style.value: verilog_of(spec, style) for style in chosen}
    began = time.monotonic()
    checks: list[Check] = []
    for name, text in verilog.items():
        bench = Bench(spec, text, spec.unit, simulator, records, seed, time_limit)
        checks += run_bench(bench, style=name)
    return VerifyReport(spec, seed, tuple(checks), _versions(simulator), time.monotonic() - began)


@dataclass(frozen=True)
class Bench:
    """A unit's Verilog, complete in one text, and how it is tried."""

    spec: Spec
    verilog: str
    top: str
    simulator: Simulator
    records: int
    seed: int
    time_limit: float

    @property
    def pins(self) -> list[str]:
        """Pins of the top module."""
        return module_pins(self.verilog, self.top, self.spec)


def run_bench(bench: Bench, *, style: str, only: Sequence[str] | None = None) -> list[Check]:
    """Run the cases, or ``only`` some of them; the first that fails again, for its waveform."""
    wanted = cases(bench.spec, resettable="rst" in bench.pins)
    if only is not None:
        wanted = [case for case in wanted if case in only]
    entries, ended = _simulated(bench, wanted)
    checks = []
    for case in wanted:
        entry = entries.get(case, {"records": 0, "results": 0, "seconds": 0.0, "error": ended})
        error = entry["error"]
        if error and all(check.passed for check in checks):
            error += _waveform(bench, case)
        checks.append(
            Check(
                unit=bench.spec.unit,
                style=style,
                stimulus=f"cocotb {case}",
                description=f"on the pins in {bench.simulator.value}, seed {bench.seed}",
                records=entry["records"],
                required=RESETS if case == "resets" else bench.records,
                results=entry["results"],
                seconds=entry["seconds"],
                error=error,
            )
        )
    return checks


def _simulated(bench: Bench, wanted: Sequence[str], *, waves: Path | None = None) -> tuple:
    """What each finished case took down, and why there may be no more of them."""
    built = _built(bench, waves is not None)
    with tempfile.TemporaryDirectory(dir=cache.subdirectory("work"), prefix="cocotb-") as place:
        directory = Path(place)
        results = directory / "results.jsonl"
        settings = directory / "settings.json"
        description = {
            "specification": bench.spec.to_dict(),
            "seed": bench.seed,
            "results": str(results),
            "stretches": {case: list(_stretches(bench, case)) for case in wanted},
        }
        settings.write_text(json.dumps(description))
        arguments = {
            "simulator": bench.simulator.value,
            "top": bench.top,
            "build": str(built),
            "directory": str(directory),
            "cases": list(wanted),
            "waves": waves is not None,
        }
        try:
            done = _run("run", arguments, directory, bench, {"MULTIPEDE_COCOTB": str(settings)})
            ended = f"the simulation ended before it (log: {done.log_path})"
        except ToolTimeout as error:
            ended = f"not finished within {bench.time_limit:g} s (log: {error.log_path})"
        if waves is not None:
            _keep_waveform(directory / f"dump{bench.simulator.waveform}", waves)
        lines = results.read_text().splitlines() if results.exists() else []
        return {entry["case"]: entry for entry in map(json.loads, lines)}, ended


def _stretches(bench: Bench, case: str) -> Iterator[tuple[list[str], list[str], list[int], int]]:
    """Payloads in hexadecimal of records from reset and of what the reference makes of them, the
    record that makes each result, and how many clocks the records take at full pace.

    Resets come after stretches as long as a group or so, and a record more or less.
    """
    spec, seed = bench.spec, hash_seed(bench.seed, sum(case.encode()))
    if case != "resets":
        yield _payloads(spec, golden_records(spec, bench.records, seed=seed))
        return
    group = min(getattr(spec.computation, "records_per_group", 1), LONGEST_STRETCH)
    for number in range(RESETS):
        size = max(1, group + number % 3 - 1)
        yield _payloads(spec, random_records(spec, size, seed=hash_seed(seed, number)))


def _payloads(spec: Spec, records: Records) -> tuple[list[str], list[str], list[int], int]:
    expected = expected_results(spec, records)
    results = payload_hex(spec.outputs, expected.results)
    clocks = int(spec.record_clocks(records).sum())
    return payload_hex(spec.inputs, records), results, expected.made_by.tolist(), clocks


def _built(bench: Bench, waves: bool) -> Path:
    """The compiled simulation, in the cache."""
    tools = [find(name) for name in bench.simulator.tools]
    identity = key(
        bench.verilog,
        bench.top,
        *(tool.identity for tool in tools),
        _cocotb_version(),
        sys.executable,
        str(waves),
        source_digest(OWN, *_SOURCES),
    )

    def build(place: Path) -> None:
        source = place / "unit.v"
        cells = bool(adder_modules(bench.verilog))
        apart = compile_all_once if cells else compile_once
        source.write_text(apart(bench.verilog, top=bench.top))
        arguments = {
            "simulator": bench.simulator.value,
            "sources": [str(source)],
            "top": bench.top,
            "pins": bench.pins,
            "directory": str(place),
            "waves": waves,
            "options": CELLS_OPTIONS if cells else (),
        }
        _run("build", arguments, place, bench, {})

    return cached("cocotb", identity, build)


def _run(
    action: str, arguments: Mapping, directory: Path, bench: Bench, more: Mapping[str, str]
) -> Completed:
    """Start `cocotb_run`; what it does can be stopped with all its children.

    A run in which tests fail ends as a failure; what failed is in its results.
    """
    file = directory / f"{action}.json"
    file.write_text(json.dumps(arguments))
    environment = dict(more)
    if bench.simulator is Simulator.VERILATOR:
        place = root()
        environment |= {
            "VERILATOR_ROOT": str(place),
            "PATH": f"{place / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}",
        }
    return run(
        [sys.executable, "-m", "multipede.sim.cocotb_run"],
        [action, str(file)],
        directory=directory,
        timeout=None if action == "build" else bench.time_limit,
        environment=environment,
        check=action == "build",
    )


def _waveform(bench: Bench, case: str) -> str:
    """Run one case again and keep its waveform; the place of it, for a message."""
    handle, name = tempfile.mkstemp(
        dir=cache.subdirectory("waveforms"),
        prefix=f"{bench.spec.unit}-{case}-",
        suffix=bench.simulator.waveform,
    )
    os.close(handle)
    try:
        _simulated(bench, [case], waves=Path(name))
    except ToolFailure as failure:  # it must not hide what was found
        Path(name).unlink()
        return f" (no waveform: {failure})"
    if Path(name).stat().st_size == 0:
        Path(name).unlink()
        return " (no waveform: the simulation ended before one was written)"
    return f" (waveform: {name})"


def _keep_waveform(written: Path, target: Path) -> None:
    if written.is_file():
        shutil.copyfile(written, target)


def _cocotb_version() -> str:
    """The installed cocotb. ToolError if there is none, or one that is too old."""
    needed = ".".join(map(str, _NEEDED))
    remedy = "pip install 'multipede[cocotb]'"
    try:
        found = version("cocotb")
    except PackageNotFoundError:
        raise ToolError(f"cocotb {needed} is needed and not installed: {remedy}") from None
    if tuple(map(int, found.split(".")[:2])) < _NEEDED:
        raise ToolError(f"cocotb {found} is too old, {needed} is needed: {remedy}")
    return found


def _versions(simulator: Simulator) -> dict[str, str]:
    tools = {name: format_version(name, find(name).version) for name in simulator.tools}
    return {"cocotb": _cocotb_version()} | tools
