"""Take down what is known of every unit, for `multipede list` of the package.

Each unit of the catalogue, small where it is a tile, goes through all ways of verification and is
synthesised; what was found goes into cost_model/evidence.json. What stands there of the same code
and at least as much is not done again, so that a run may be broken off and go on later.
"""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict

from tqdm import tqdm

from multipede.cost_model.evidence import BUNDLED, Evidence, Kind, bundled
from multipede.cost_model.findings import of_report, of_synthesis
from multipede.cost_model.targets import TARGETS, synthesize
from multipede.golden.catalogue import UNITS
from multipede.golden.small_units import small_unit
from multipede.golden.spec import Spec
from multipede.hw import Style
from multipede.sim.cocotb_bench import verify_cocotb
from multipede.sim.coverage import measure_coverage
from multipede.sim.formal import prove
from multipede.sim.mutation import mutate
from multipede.sim.verify import verify
from multipede.toolchain import write_atomically


def checks(
    spec: Spec, options: argparse.Namespace
) -> dict[Kind, tuple[int, Callable[[], list[Evidence]]]]:
    """What is done to a unit, and how much of it is enough."""

    def synthesised() -> list[Evidence]:
        for target in TARGETS:
            synthesize(spec, target)
        return of_synthesis(spec, TARGETS)

    budget = options.budget
    return {
        Kind.SAMPLED: (
            options.records * len(Style),
            lambda: of_report(verify(spec, records=options.records)),
        ),
        Kind.COCOTB: (1, lambda: of_report(verify_cocotb(spec))),
        Kind.PROVED: (0, lambda: of_report(prove(spec, budget=budget))),
        Kind.COVERED: (1, lambda: of_report(measure_coverage(spec, styles=[Style.WORD]))),
        Kind.MUTATED: (
            options.mutants,
            lambda: of_report(mutate(spec, count=options.mutants, style=Style.WORD)),
        ),
        Kind.SYNTHESISED: (len(TARGETS), synthesised),
    }


def standing(findings: list[Evidence], spec: Spec, kind: Kind, enough: int) -> list[Evidence]:
    """What is known of the present code already, held or not: all that is random has a seed."""
    return [
        finding
        for finding in findings
        if finding.kind == kind.value
        and finding.specification == spec.to_dict()
        and finding.strength >= enough
        and finding.is_current
        and finding.has_current_checks
    ]


def main() -> int:
    """Go through the units named, or all; exit status 1 if something failed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("units", nargs="*", metavar="UNIT", help="all, if none is named")
    parser.add_argument("--records", type=int, default=100_000, help="random ones per style")
    parser.add_argument("--mutants", type=int, default=100)
    parser.add_argument("--budget", type=float, default=60.0, help="seconds for each proof")
    options = parser.parse_args()
    unknown = set(options.units) - set(UNITS)
    if unknown:
        parser.error(f"unknown units: {', '.join(sorted(unknown))}")
    names = options.units or sorted(UNITS)
    findings = bundled()
    done = [
        (spec, kind, enough, check)
        for spec in map(small_unit, names)
        for kind, (enough, check) in checks(spec, options).items()
    ]
    failed = 0
    for spec, kind, enough, check in (bar := tqdm(done, unit="check", disable=None)):
        bar.set_description(f"{spec.unit}, {kind.value}")
        if known := standing(findings, spec, kind, enough):
            failed += sum(not finding.passed for finding in known)
            continue
        new = check()
        failed += sum(not finding.passed for finding in new)
        replaced = {finding.subject for finding in new}
        findings = [f for f in findings if f.subject not in replaced] + new
        findings.sort(key=lambda finding: (finding.unit, finding.subject))
        text = json.dumps([asdict(finding) for finding in findings], indent=1)
        write_atomically(BUNDLED, text + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
