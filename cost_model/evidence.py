"""What is known of each unit, kept between runs: which checks ran on it, and what they found.

Every command that checks or costs a unit takes down what it found, one file for each unit,
specification and kind of check. ``multipede list`` shows what is there. What comes with the package
was taken down in the same way, by ``make status``.
"""

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum
from functools import cache as once
from hashlib import sha256
from pathlib import Path
from typing import Any

from multipede.golden.catalogue import spec_from_dict
from multipede.golden.number_format import require_type
from multipede.golden.source_files import OWN, SourceChangedError, source_digest
from multipede.golden.spec import Spec
from multipede.sim.verilog import code_key
from multipede.toolchain import cache, write_atomically

__all__ = ["Evidence", "Kind", "bundled", "evidence", "keep", "kept", "standing", "summaries"]

BUNDLED = Path(__file__).with_name("evidence.json")


_CHECKS = (
    "sim",
    *(f"toolchain/{name}" for name in ("cache.py", "compiler.py", "include", "mended_root.py")),
    *(f"toolchain/{name}" for name in ("process.py", "pyosys_runner.py", "run.py")),
    *(f"toolchain/{name}" for name in ("supervisor.py", "verilator.py", "yosys.py")),
)
"""code that checks: how tools are searched is not among it, as what was found is told beside"""
_SYNTHESIS = (
    *("asic_flow", "cost_model/targets.py"),
    *("fpga/devices.py", "fpga/resources.py", "fpga/carry_chains.v"),
)
"""code that findings of synthesis depend on"""


class Kind(Enum):
    """What was done; in the order in which it is shown."""

    PROVED = "proved"
    EXHAUSTIVE = "exhaustive"
    SAMPLED = "sampled"
    COCOTB = "cocotb"
    COVERED = "covered"
    MUTATED = "mutated"
    SYNTHESISED = "synthesised"
    ON_A_BOARD = "on a board"

    def __repr__(self) -> str:
        return f"Kind.{self.name}"


@dataclass(frozen=True)
class Evidence:
    """One finding.

    Attributes
    ----------
    unit : name in the catalogue.
    kind : value of a :class:`Kind`.
    passed : whether it held.
    summary : in a few words, with figures.
    method : how: the styles, the simulator; of what was done otherwise nothing is replaced.
    strength : how much was tried: random records, claims, mutants, targets.
    specification : of the unit, as ``Spec.to_dict`` gives it.
    identity : of the unit: it changes with the specification and with its code in golden and hw.
    checks : digest of the code that checked it.
    time : of the run, ISO 8601 with seconds, UTC.
    tools : versions by name.
    limits : what was left out or made smaller.
    """

    unit: str
    kind: str
    passed: bool
    summary: str
    method: str
    strength: int
    specification: Mapping[str, Any]
    identity: str
    checks: str
    time: str
    tools: Mapping[str, str] = field(default_factory=dict)
    limits: tuple[str, ...] = ()

    @property
    def spec(self) -> Spec | None:
        """The specification, unless it is one of other code."""
        try:
            return spec_from_dict(dict(self.specification))
        except (TypeError, ValueError, KeyError, AttributeError):
            return None

    @property
    def is_current(self) -> bool:
        """Whether the unit's code is the one that is there now."""
        spec = self.spec
        try:
            return spec is not None and code_key(spec) == self.identity
        except (ValueError, SourceChangedError):  # of a plug-in that was changed
            return False

    @property
    def has_current_checks(self) -> bool:
        """Whether the code that checked it is, too."""
        return self.checks == _checks(self.kind)

    @property
    def configuration(self) -> str:
        """The parameters that are not the defaults, as in ``rows=1, columns=2``."""
        spec = self.spec
        if spec is None:
            return "parameters of other code"
        try:
            default = type(spec)()
        except (TypeError, ValueError):  # a plug-in with parameters that must be given
            return str(spec)
        return _differences(spec.to_dict(), default.to_dict()) or "default parameters"

    @property
    def subject(self) -> tuple[str, str, str]:
        """What it is about and how it was found: of one subject, one finding is kept."""
        return self.kind, self.method, json.dumps(self.specification, sort_keys=True)

    def replaces(self, other: "Evidence") -> bool:
        """Whether this one, which is newer, is to be kept and not the other.

        Of the same code, less does not replace more, and a failure gives way to a pass of as much.
        """
        same = (self.identity, self.checks) == (other.identity, other.checks)
        return not same or not self.passed or self.strength >= other.strength


def _differences(given: Mapping[str, Any], default: Mapping[str, Any]) -> str:
    parts = []
    for name, value in given["parameters"].items():
        usual = default["parameters"][name]
        if value == usual:
            continue
        if isinstance(value, Mapping):  # a specification inside
            plain = spec_from_dict({"unit": value["unit"], "parameters": {}}).to_dict()
            inner = _differences(value, plain)
            value = f"{value['unit']}({inner})"
        parts.append(f"{name}={str(value).lower() if isinstance(value, bool | None) else value}")
    return ", ".join(parts)


@once
def _checks(kind: str) -> str:
    synthesis = _SYNTHESIS if kind == Kind.SYNTHESISED.value else ()
    return source_digest(OWN, *_CHECKS, *synthesis)


def evidence(
    spec: Spec,
    kind: Kind,
    *,
    passed: bool,
    summary: str,
    method: str,
    strength: int,
    tools: Mapping[str, str] | None = None,
    limits: Iterable[str] = (),
) -> Evidence:
    """A finding of now."""
    return Evidence(
        unit=spec.unit,
        kind=kind.value,
        passed=passed,
        summary=summary,
        method=method,
        strength=strength,
        specification=spec.to_dict(),
        identity=code_key(spec),
        checks=_checks(kind.value),
        time=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        tools=dict(tools or {}),
        limits=tuple(limits),
    )


def keep(findings: Iterable[Evidence]) -> None:
    """Take them down, in place of those of the same subject that they replace."""
    directory = _directory()
    for finding in findings:
        name = f"{finding.unit}-{sha256(repr(finding.subject).encode()).hexdigest()[:24]}.json"
        before = _read([directory / name])
        if before and not finding.replaces(before[0]):
            continue
        write_atomically(directory / name, json.dumps(asdict(finding), indent=1) + "\n")


def kept() -> list[Evidence]:
    """All that was taken down here; files that are damaged count for nothing."""
    return _read(sorted(_directory().glob("*.json")))


def bundled() -> list[Evidence]:
    """What comes with the package."""
    if not BUNDLED.is_file():
        return []
    return [from_dict(entry) for entry in json.loads(BUNDLED.read_text())]


def from_dict(entry: Any) -> Evidence:
    """A finding as JSON holds it. TypeError for anything else."""
    kinds = {
        **dict.fromkeys(("unit", "kind", "summary", "method", "identity", "checks", "time"), str),
        "passed": bool,
        "strength": int,
        "specification": dict,
        "tools": dict,
        "limits": list,
    }
    if not isinstance(entry, dict) or set(entry) != set(kinds):
        raise TypeError(f"evidence must have {', '.join(kinds)}")
    for name, kind in kinds.items():
        require_type(name, entry[name], kind)
    return Evidence(**entry | {"limits": tuple(map(str, entry["limits"]))})


def _directory() -> Path:
    return cache.subdirectory("evidence")


def _read(files: Iterable[Path]) -> list[Evidence]:
    found = []
    for file in files:
        try:
            found.append(from_dict(json.loads(file.read_text())))
        except (OSError, ValueError, TypeError, RecursionError):
            continue
    return found


def standing(unit: str, findings: Iterable[Evidence]) -> dict[str, Evidence]:
    """The finding that counts of each kind, of all configurations of a unit.

    A failure of the present code counts before everything else, the present code before others,
    the newer before the older and, of the same second, that of more.
    """
    best: dict[str, tuple[tuple, Evidence]] = {}
    for finding in findings:
        if finding.unit != unit:
            continue
        current = finding.is_current
        rank = (current and not finding.passed, current, finding.time, finding.strength)
        if finding.kind not in best or (rank, finding.subject) > best[finding.kind][0]:
            best[finding.kind] = (rank, finding.subject), finding
    return {kind.value: best[kind.value][1] for kind in Kind if kind.value in best}


def summaries(unit: str, findings: Iterable[Evidence]) -> list[str]:
    """The standing of a unit: each configuration, and under it a line for each kind of check."""
    grouped: dict[str, list[Evidence]] = {}
    for finding in standing(unit, findings).values():
        grouped.setdefault(finding.configuration, []).append(finding)
    lines = []
    for configuration, members in grouped.items():
        lines.append(f"{configuration}:")
        lines += [f"  {_line(finding)}" for finding in members]
    return lines


def _line(finding: Evidence) -> str:
    notes = "" if finding.passed else ", NOT PASSED"
    if finding.limits:
        notes += f"; {len(finding.limits)} left out"
    if not finding.is_current:
        notes += f"; older code, {finding.time}"
    elif not finding.has_current_checks:
        notes += f"; older checks, {finding.time}"
    return f"{finding.kind}: {finding.summary}{notes}"
