"""``python -m benchmarks``: every figure beside its target; exit status 1 if one is missed."""

import sys

from benchmarks import (
    build,
    cocotb_speed,
    float_area,
    lmul_product,
    lookup_tile,
    matrix_reference,
    nangate45,
    simulation,
    sweeps,
)


def main() -> int:
    """Measure and print all targets."""
    targets = []
    # Memory is measured first, while little has been used.
    pages = (lmul_product, simulation, cocotb_speed, build, lookup_tile, matrix_reference)
    for page in (*pages, nangate45, float_area, sweeps):
        for target in page.measure():
            print(target, flush=True)
            targets.append(target)
    missed = sum(not target.reached for target in targets)
    print(f"{len(targets) - missed} reached, {missed} missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
