"""Coverage of the RTL by the stimuli of ``verify``: which lines ran and which bits toggled.

Counted is the Verilog that ``generate`` writes, in every instance: each statement and each side of
each condition, and each bit of every signal that has a name there, in both directions. Wires that
Yosys numbers (``_12_``) have none, and Verilator leaves them out. Counters are put in before
Verilator optimises or inlines, so that nothing is lost to that. Only records that ``verify``
compares may cover anything: the noise that it drives in front of resets and while ``i_valid`` is 0
is left out here.
"""

import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from multipede.golden.number_format import require_range
from multipede.golden.spec import Spec
from multipede.hw import Style
from multipede.hw.style import checked_styles
from multipede.sim.compiled import compile_model
from multipede.sim.coverage_constants import Place, Reason, constant_bits
from multipede.sim.coverage_data import CoverageKind, Point, read_points
from multipede.sim.coverage_report import CoverageReport, StyleCoverage, Uncovered, ranges
from multipede.sim.limits import require_budget, require_target
from multipede.sim.model import Model
from multipede.sim.netlist import netlist_of
from multipede.sim.stimulus import Stimulus, stimuli
from multipede.sim.verify import RECORDS, begin
from multipede.sim.verilog import verilog_of
from multipede.sim.verilog_text import field_ranges
from multipede.toolchain import cache, find

__all__ = ["measure_coverage"]

TARGET = 0.95
BUDGET = 60.0


def measure_coverage(
    spec: Spec,
    *,
    styles: Sequence[Style] | None = None,
    records: int = RECORDS,
    seed: int = 1,
    budget: float = BUDGET,
    target: float = TARGET,
) -> CoverageReport:
    """Drive the unit with all stimuli of ``verify`` and tell what they reach in the RTL.

    Results are not compared; that is for ``verify``. A bit that does not toggle is excused only if
    the netlist shows it to be constant, or if it is proved to be.

    Parameters
    ----------
    spec : the unit.
    styles : styles of RTL to measure, by default all.
    records : biased random records, as ``verify`` counts them.
    seed : of everything random.
    budget : seconds per style for the proofs that bits are constant.
    target : share of the points within reach that must be covered to pass.

    Raises
    ------
    TypeError, ValueError
        For parameters out of range.
    SimulationError
        If the unit hangs.
    ToolError
        If a tool is missing or fails.
    """
    if not isinstance(spec, Spec):
        raise TypeError(f"spec must be a specification, not {spec!r}")
    require_range("records", records, 1, 10**12)
    require_range("seed", seed, 0, 2**63)
    require_budget(budget)
    require_target(target)
    began = time.monotonic()
    styles = checked_styles(styles)
    plan = stimuli(spec, records=records, seed=seed)
    total = len(styles) * sum(stimulus.records for stimulus in plan)
    with tqdm(total=total, unit="record", desc=spec.unit, disable=None, leave=False) as bar:
        measured = tuple(_measure(spec, style, plan, budget, bar) for style in styles)
    tools = {name: find(name).version for name in ("verilator", "yosys", "c++")}
    versions = {name: ".".join(map(str, version)) for name, version in tools.items()}
    seconds = time.monotonic() - began
    return CoverageReport(spec, seed, float(target), measured, versions, seconds)


def _measure(
    spec: Spec, style: Style, plan: Sequence[Stimulus], budget: float, bar: tqdm
) -> StyleCoverage:
    model = compile_model(spec, style=style, coverage=True)
    driven = sum(_drive(model, stimulus, bar) for stimulus in plan)
    with tempfile.TemporaryDirectory(dir=cache.subdirectory("work"), prefix="coverage-") as place:
        path = Path(place) / "coverage.dat"
        model.write_coverage(path)
        points = read_points(path.read_text())
    missed = [point for point in points if point.count == 0]
    uncovered = (*_statements(missed), *_toggles(spec, style, missed, budget))
    total = {kind: sum(point.kind is kind for point in points) for kind in CoverageKind}
    open_points = {
        kind: sum(u.points for u in uncovered if u.kind is kind) for kind in CoverageKind
    }
    return StyleCoverage(
        style=style.value,
        records=driven,
        points=total,
        covered={kind: total[kind] - open_points[kind] for kind in CoverageKind},
        uncovered=uncovered,
    )


def _drive(model: Model, stimulus: Stimulus, bar: tqdm) -> int:
    """Run one stimulus from reset; the number of records."""
    records = 0
    for index, chunk in enumerate(stimulus.chunks()):
        begin(model, stimulus, index)
        model.run(chunk, gaps=stimulus.gaps, stalls=stimulus.stalls, seed=index + 1)
        size = len(next(iter(chunk.values())))
        records += size
        bar.update(size)
    return records


def _statements(missed: Sequence[Point]) -> list[Uncovered]:
    return [
        Uncovered(p.kind, p.module, p.path, p.line, p.signal, -1, -1, "never")
        for p in missed
        if p.kind is not CoverageKind.TOGGLE
    ]


def _toggles(spec: Spec, style: Style, missed: Sequence[Point], budget: float) -> list[Uncovered]:
    """Bits that did not toggle, neighbours of one kind together.

    Verilator takes every bit to be 0 before the beginning, and so counts a rise of one that is
    constantly 1: where a bit is proved constant, neither direction counts as covered.
    """
    directions: dict[Place, set[str]] = defaultdict(set)
    about: dict[tuple[str, str], Point] = {}
    for point in missed:
        if point.kind is CoverageKind.TOGGLE:
            bit = -1 if point.bit is None else point.bit
            directions[point.path, point.signal, bit].add("0->1" if point.rises else "1->0")
            about[point.path, point.signal] = point
    reasons: dict[Place, Reason] = {}
    if directions:
        flat = netlist_of(verilog_of(spec, style), top=spec.unit, flat=True)
        content = flat["modules"][spec.unit]
        reasons = constant_bits(content, list(directions), spec, budget=budget)
    alike: dict[tuple, list[int]] = defaultdict(list)
    for (path, signal, bit), missing in directions.items():
        reason = reasons.get((path, signal, bit))
        what = "0->1 1->0" if reason else " ".join(sorted(missing))
        field = _field(spec, signal, bit) if not path else ""
        alike[path, signal, what, field, reason].append(bit)
    return [
        Uncovered(
            kind=CoverageKind.TOGGLE,
            module=about[path, signal].module,
            path=path,
            line=about[path, signal].line,
            signal=signal,
            high=high,
            low=low,
            what=what,
            field=field,
            reason=reason,
        )
        for (path, signal, what, field, reason), bits in alike.items()
        for high, low in ranges(bits)
    ]


def _field(spec: Spec, signal: str, bit: int) -> str:
    """The element of the record that a bit of a payload belongs to."""
    ports = {"i_payload": spec.inputs, "o_payload": spec.outputs}.get(signal, {})
    for name, (low, bits) in field_ranges(ports).items():
        if low <= bit < low + bits:
            return name
    return ""
