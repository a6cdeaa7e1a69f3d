"""Take down what is known of every unit, for `multipede list` of the package: hours.

Each unit of the catalogue, small where it is a tile, goes through all ways of verification and is
synthesised; what was found goes into cost_model/evidence.json. What stands there of units that are
not named on the command line is left as it is.
"""

import json
import sys
from dataclasses import asdict

from tqdm import tqdm

from multipede.cost_model.evidence import BUNDLED, Evidence, of_report, of_synthesis
from multipede.cost_model.targets import TARGETS, synthesize
from multipede.golden.catalogue import UNITS, unit
from multipede.golden.spec import Spec
from multipede.golden.tile import Tile
from multipede.hw import Style
from multipede.sim.cocotb_bench import verify_cocotb
from multipede.sim.coverage import measure_coverage
from multipede.sim.formal import prove
from multipede.sim.mutation import mutate
from multipede.sim.verify import verify
from multipede.toolchain import write_atomically

MUTANTS = 300


def small(name: str) -> Spec:
    """A unit that all of this can be done to in minutes."""
    kind = unit(name)
    return kind(rows=1, columns=2, lanes=2) if issubclass(kind, Tile) else kind()


def found(spec: Spec) -> list[Evidence]:
    """What is known of a unit afterwards."""
    findings = []
    for report in (
        lambda: verify(spec),
        lambda: verify_cocotb(spec),
        lambda: prove(spec),
        lambda: measure_coverage(spec),
        lambda: mutate(spec, count=MUTANTS, style=Style.WORD),
    ):
        findings += of_report(report())
    for target in TARGETS:
        synthesize(spec, target)
    return findings + of_synthesis(spec, TARGETS)


def main() -> int:
    """Go through the units named, or all; exit status 1 if something failed."""
    names = sys.argv[1:] or list(UNITS)
    kept = json.loads(BUNDLED.read_text()) if BUNDLED.is_file() else []
    failed = 0
    for name in tqdm(names, unit="unit", disable=None):
        findings = found(small(name))
        failed += sum(not finding.passed for finding in findings)
        kept = [entry for entry in kept if entry["unit"] != name]
        kept += [asdict(finding) for finding in findings]
        kept.sort(key=lambda entry: (entry["unit"], entry["kind"]))
        write_atomically(BUNDLED, json.dumps(kept, indent=1) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
