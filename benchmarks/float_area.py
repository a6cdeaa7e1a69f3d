"""Area of the floating-point units against straightforward published ones under the same flow.

Run alone: ``python -m benchmarks.float_area``. Areas are NAND2 equivalents of the combinational
units in the cells style, mapped for the smallest area.
"""

import sys
from collections.abc import Iterator

from benchmarks.float_baselines import BaselineAdder, BaselineMultiplier, BaselineMultiplyAdder
from benchmarks.target import Target
from multipede.asic_flow import Synthesis, synthesize, synthesize_component
from multipede.golden.float_adder import FloatAdder
from multipede.golden.float_multiplier import FloatMultiplier
from multipede.golden.formats import FP16, FP32, Float
from multipede.golden.fused_multiply_add import FusedMultiplyAdd
from multipede.golden.multiplier_tile import PartialProducts
from multipede.golden.rounded_operation import RoundedOperation
from multipede.hw import Style

__all__ = ["PAIRS", "measure"]

PAIRS = {
    FloatAdder: BaselineAdder,
    FloatMultiplier: BaselineMultiplier,
    FusedMultiplyAdd: BaselineMultiplyAdder,
}
"""unit -> baseline"""


def measure() -> Iterator[Target]:
    """All targets of this page: each unit no larger than its baseline."""
    for unit in PAIRS:
        for number_format in (FP16, FP32):
            ours, baseline = _ours(unit, number_format), _baseline(unit, number_format)
            ratio = ours.total / baseline.total
            yield Target(
                f"{unit.unit} {number_format}, cells",
                ours.total,
                baseline.total,
                ours.area_unit,
                f"{ratio:.3f} x the textbook's; {ours.method}",
            )


def _ours(unit: type[RoundedOperation], number_format: Float) -> Synthesis:
    formats = dict.fromkeys((*unit.operands, "result"), number_format)
    return synthesize(unit(**formats, stages=0), Style.CELLS)


def _baseline(unit: type[RoundedOperation], number_format: Float) -> Synthesis:
    """The smaller one of both kinds of partial products."""
    found = (
        synthesize_component(
            PAIRS[unit](number_format, Style.CELLS, rows), name="baseline", style=Style.CELLS
        )
        for rows in PartialProducts
    )
    return min(found, key=lambda synthesis: synthesis.total)


if __name__ == "__main__":
    reached = []
    for target in measure():
        print(target, flush=True)
        reached.append(target.reached)
    sys.exit(not all(reached))
