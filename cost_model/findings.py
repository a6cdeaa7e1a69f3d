"""What the reports of checks show, as evidence to be kept."""

from collections.abc import Iterable, Sequence

from multipede.cost_model.evidence import Evidence, Kind, evidence
from multipede.fpga.shell.shell import SIMULATED
from multipede.fpga.trial import Trial
from multipede.golden.spec import Spec
from multipede.sim.coverage_data import CoverageKind
from multipede.sim.coverage_report import CoverageReport
from multipede.sim.formal_report import Method, ProofOutcome, ProofReport
from multipede.sim.mutation_report import MutantOutcome, MutationReport
from multipede.sim.report import Check, Report, VerifyReport

__all__ = ["of_report", "of_synthesis", "of_trial"]


def of_report(report: Report) -> list[Evidence]:
    """What a report of checks shows. TypeError for anything else."""
    for kind, shown in _SHOWN.items():
        if isinstance(report, kind):
            return shown(report)
    raise TypeError(f"no evidence is known to follow from {type(report).__name__}")


def of_synthesis(spec: Spec, targets: Iterable[str]) -> list[Evidence]:
    """That the unit was synthesised, for which targets."""
    names = list(targets)
    found = evidence(
        spec,
        Kind.SYNTHESISED,
        passed=True,
        summary=", ".join(names),
        method="",
        strength=len(names),
    )
    return [found]


def of_trial(trial: Trial) -> list[Evidence]:
    """What a trial on a board shows; nothing if the board was simulated, as that is no board."""
    if trial.board == SIMULATED:
        return []
    verdict = "right" if trial.passed else f"{trial.wrong:,} wrong"
    found = evidence(
        trial.spec,
        Kind.ON_A_BOARD,
        passed=trial.passed,
        summary=f"{trial.board}, {trial.clock / 1e6:g} MHz: {trial.results:,} results, {verdict}",
        method=trial.board,
        strength=trial.records,
    )
    return [found]


def _found(
    report: Report, kind: Kind, summary: str, styles: Iterable[str], strength: int, **more
) -> Evidence:
    method = ", ".join(dict.fromkeys(styles))
    given = {"passed": report.passed, "tools": report.tools, "method": method} | more
    return evidence(report.spec, kind, summary=summary, strength=strength, **given)


def _of_verification(report: VerifyReport) -> list[Evidence]:
    """Sampled, and exhaustive where a sweep was among its checks."""
    if any(check.stimulus.startswith("cocotb") for check in report.checks):
        return [_of_checks(report, report.checks, Kind.COCOTB)]
    sweeps = [check for check in report.checks if check.stimulus == "exhaustive"]
    others = [check for check in report.checks if check not in sweeps]
    found = [_of_checks(report, others, Kind.SAMPLED)]
    if sweeps:
        first = sweeps[0]
        # Of a tile, the smallest one of its formats was swept.
        where = f" ({first.unit})" if first.unit != report.checks[0].unit else ""
        styles = {check.style for check in sweeps}
        text = f"{first.required:,} combinations{where}, {', '.join(sorted(styles))}"
        held = all(check.passed for check in sweeps)
        found.append(
            _found(
                report,
                Kind.EXHAUSTIVE,
                text,
                [check.style for check in sweeps],
                sum(check.required for check in sweeps),
                passed=held,
            )
        )
    return found


def _of_checks(report: VerifyReport, checks: Sequence[Check], kind: Kind) -> Evidence:
    """How many records were compared; the strength counts random ones, of which more are asked."""
    styles = [check.style for check in checks]
    records = sum(check.records for check in checks)
    random = sum(check.required for check in checks if "random" in check.stimulus)
    given = {"passed": all(check.passed for check in checks)}
    if kind is Kind.COCOTB:
        simulators = {check.description.split()[4].strip(",") for check in checks}
        styles += sorted(simulators)
        random = sum(check.required for check in checks)
    text = f"{records:,} records, {', '.join(dict.fromkeys(styles))}"
    return _found(report, kind, text, styles, random, **given)


def _of_proofs(report: ProofReport) -> list[Evidence]:
    proved = [proof for proof in report.proofs if proof.passed]
    bounded = sum(proof.method is Method.BOUNDED for proof in proved)
    summary = f"{len(proved)} of {len(report.proofs)} claims"
    words = {ProofOutcome.REFUTED: "REFUTED", ProofOutcome.NOT_PROVED: "undecided"}
    for outcome, word in words.items():
        count = sum(proof.outcome is outcome for proof in report.proofs)
        summary += f", {count} {word}" if count else ""
    summary += f", {bounded} of them for a bounded number of clocks" if bounded else ""
    styles = [proof.style for proof in report.proofs]
    return [_found(report, Kind.PROVED, summary, styles, len(report.proofs), limits=report.limits)]


def _of_coverage(report: CoverageReport) -> list[Evidence]:
    shares = [
        f"{style.style} {100 * (style.reachable_share(CoverageKind.TOGGLE) or 0):.2f} %"
        for style in report.styles
    ]
    summary = f"toggles within reach: {', '.join(shares)}"
    styles = [style.style for style in report.styles]
    return [_found(report, Kind.COVERED, summary, styles, len(shares))]


def _of_mutation(report: MutationReport) -> list[Evidence]:
    low, high = (100 * end for end in report.interval)
    score = "no score" if report.score is None else f"{100 * report.score:.2f} %"
    number, style = len(report.mutants), report.style.value
    summary = f"{score} ({low:.1f} to {high:.1f}) of {number} mutants, {style}"
    if not report.passed:
        alive = (MutantOutcome.SURVIVED, MutantOutcome.UNDECIDED)
        left = ", ".join(f"{report.counts[outcome]} {outcome.value}" for outcome in alive)
        summary += f", {100 * report.target:g} % wanted: {left}"
    return [_found(report, Kind.MUTATED, summary, [style], number)]


_SHOWN = {
    VerifyReport: _of_verification,
    ProofReport: _of_proofs,
    CoverageReport: _of_coverage,
    MutationReport: _of_mutation,
}
