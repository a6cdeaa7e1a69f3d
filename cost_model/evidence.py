"""What is known of each unit, kept between runs: which checks ran on it, and what they found.

Every command that checks or costs a unit takes down what it found, one file for each unit,
specification and kind of check; the newest counts. ``multipede list`` shows what is there. What
comes with the package was taken down in the same way, by ``make status``.
"""

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from hashlib import sha256
from pathlib import Path
from typing import Any

from multipede.golden.catalogue import spec_from_dict
from multipede.golden.spec import Spec
from multipede.hw import Style
from multipede.sim.coverage_data import CoverageKind as Reached
from multipede.sim.coverage_report import CoverageReport
from multipede.sim.formal_report import ProofReport
from multipede.sim.mutation_report import MutationReport
from multipede.sim.report import VerifyReport
from multipede.sim.verilog import rtl_key
from multipede.toolchain import cache, write_atomically

__all__ = [
    "Evidence",
    "Kind",
    "bundled",
    "keep",
    "kept",
    "of_report",
    "of_synthesis",
    "standing",
    "summaries",
]

BUNDLED = Path(__file__).with_name("evidence.json")


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
    specification : of the unit, as ``Spec.to_dict`` gives it.
    identity : of the RTL: it changes with the specification and with the code of golden and hw.
    date : of the run, ISO 8601, UTC.
    """

    unit: str
    kind: str
    passed: bool
    summary: str
    specification: Mapping[str, Any]
    identity: str
    date: str

    @property
    def is_current(self) -> bool:
        """Whether it was found with the code that is there now."""
        try:
            spec = spec_from_dict(dict(self.specification))
            return _identity(spec) == self.identity
        except (TypeError, ValueError):
            return False  # a specification of other code


def _identity(spec: Spec) -> str:
    return rtl_key(spec, Style.WORD)


def evidence(spec: Spec, kind: Kind, *, passed: bool, summary: str) -> Evidence:
    """A finding of now."""
    date = time.strftime("%Y-%m-%d", time.gmtime())
    unit = spec.computation.unit
    return Evidence(unit, kind.value, passed, summary, spec.to_dict(), _identity(spec), date)


def of_report(report: Any) -> list[Evidence]:
    """What a report of checks shows."""
    if isinstance(report, VerifyReport):
        return of_verification(report)
    if isinstance(report, ProofReport | CoverageReport | MutationReport):
        kind, summary = _summary(report)
        return [evidence(report.spec, kind, passed=report.passed, summary=summary)]
    raise TypeError(f"no evidence is known to follow from {type(report).__name__}")


def _summary(report: ProofReport | CoverageReport | MutationReport) -> tuple[Kind, str]:
    if isinstance(report, ProofReport):
        proved = sum(proof.passed for proof in report.proofs)
        return Kind.PROVED, f"{proved} of {len(report.proofs)} claims"
    if isinstance(report, CoverageReport):
        shares = [
            f"{style.style} {100 * (style.reachable_share(Reached.TOGGLE) or 0):.2f} %"
            for style in report.styles
        ]
        return Kind.COVERED, f"toggles within reach: {', '.join(shares)}"
    low, high = (100 * end for end in report.interval)
    score = "no score" if report.score is None else f"{100 * report.score:.2f} %"
    number, style = len(report.mutants), report.style.value
    return Kind.MUTATED, f"{score} ({low:.1f} to {high:.1f}) of {number} mutants, {style}"


def of_verification(report: VerifyReport) -> list[Evidence]:
    """What a verification shows: sampled, and exhaustive where a sweep was among its checks."""
    found = []
    styles = len({check.style for check in report.checks})
    cocotb = any(check.stimulus.startswith("cocotb") for check in report.checks)
    kind = Kind.COCOTB if cocotb else Kind.SAMPLED
    summary = f"{report.records:,} records, {styles} style{'s' if styles > 1 else ''}"
    found.append(evidence(report.spec, kind, passed=report.passed, summary=summary))
    sweeps = [check for check in report.checks if check.stimulus == "exhaustive"]
    if sweeps:
        held = all(check.passed for check in sweeps)
        first = sweeps[0]
        text = f"{first.records:,} combinations" + (
            f" ({first.unit})" if first.unit != report.spec.unit else ""
        )
        found.append(evidence(report.spec, Kind.EXHAUSTIVE, passed=held, summary=text))
    return found


def of_synthesis(spec: Spec, targets: Iterable[str]) -> list[Evidence]:
    """That the unit was synthesised, for which targets."""
    return [evidence(spec, Kind.SYNTHESISED, passed=True, summary=", ".join(targets))]


def keep(findings: Iterable[Evidence]) -> None:
    """Take them down, in place of older ones of the same specification and kind."""
    directory = _directory()
    for finding in findings:
        text = json.dumps([finding.kind, finding.specification], sort_keys=True)
        name = f"{finding.unit}-{sha256(text.encode()).hexdigest()[:24]}.json"
        write_atomically(directory / name, json.dumps(asdict(finding), indent=1) + "\n")


def kept() -> list[Evidence]:
    """All that was taken down here; files that are damaged count for nothing."""
    return _read(sorted(_directory().glob("*.json")))


def bundled() -> list[Evidence]:
    """What comes with the package."""
    if not BUNDLED.is_file():
        return []
    return [Evidence(**entry) for entry in json.loads(BUNDLED.read_text())]


def _directory() -> Path:
    return cache.subdirectory("evidence")


def _read(files: Iterable[Path]) -> list[Evidence]:
    found = []
    for file in files:
        try:
            found.append(Evidence(**json.loads(file.read_text())))
        except (OSError, ValueError, TypeError):
            continue
    return found


def standing(unit: str, findings: Iterable[Evidence]) -> dict[str, Evidence]:
    """The finding that counts of each kind: one of the present code before others, then the newest.

    A failure of the present code counts before everything else.
    """
    best: dict[str, tuple[tuple, Evidence]] = {}
    for finding in findings:
        if finding.unit != unit:
            continue
        current = finding.is_current
        rank = (current and not finding.passed, current, finding.date)
        if finding.kind not in best or rank > best[finding.kind][0]:
            best[finding.kind] = rank, finding
    return {kind.value: best[kind.value][1] for kind in Kind if kind.value in best}


def summaries(unit: str, findings: Iterable[Evidence]) -> list[str]:
    """The standing of a unit in a line for each kind of check."""
    lines = []
    for kind, finding in standing(unit, findings).items():
        notes = "" if finding.passed else ", FAILED"
        notes += "" if finding.is_current else f", older code, {finding.date}"
        lines.append(f"{kind}: {finding.summary}{notes}")
    return lines
