"""``python -m benchmarks``: every figure beside its target; exit status 1 if one is missed."""

import sys

from benchmarks import (
    build,
    cocotb_speed,
    float_area,
    lookup_tile,
    matrix_reference,
    nangate45,
    simulation,
)


def main() -> int:
    """Measure and print all targets."""
    targets = []
    pages = (simulation, cocotb_speed, build, lookup_tile, matrix_reference, nangate45, float_area)
    for page in pages:
        for target in page.measure():
            print(target, flush=True)
            targets.append(target)
    missed = sum(not target.reached for target in targets)
    print(f"{len(targets) - missed} reached, {missed} missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
