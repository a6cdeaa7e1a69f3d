"""A function unit with as few register ranks as hold a clock, and what it costs then."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from multipede.cost_model.reproduction.fpga_counts import counts
from multipede.cost_model.targets import power, synthesize
from multipede.golden.rounded_operation import MAXIMUM_STAGES
from multipede.golden.spec import Spec
from multipede.hw import Style, planned
from multipede.hw.arithmetic.circuit_timing import rank_delays
from multipede.toolchain import ToolError

if TYPE_CHECKING:
    from multipede.asic_flow import Constraints

__all__ = ["FPGAS", "Pipelined", "pipelined"]

FPGAS = ("xcup", "ecp5")

_UNIT = 0.03
"""ns of a unit of the delays that :func:`rank_delays` estimates, at the least"""


@dataclass(frozen=True)
class Pipelined:
    """One unit.

    Attributes
    ----------
    label : what it is. stages : its register ranks, clocks from argument to result.
    area : um2. delay : ps of the longest path. holds_clock : whether that is within the period.
    energy : pJ of an activation, None where the clock is not held.
    fpga : family -> LUT, FF and DSP.
    error : why there are no figures; or None.
    """

    label: str
    stages: int = 0
    area: float | None = None
    delay: float | None = None
    holds_clock: bool | None = None
    energy: float | None = None
    fpga: dict[str, dict[str, int]] | None = None
    error: str | None = None
    spec: dict[str, Any] | None = None

    def latency(self, period: float) -> float:
        """ns from argument to result: the clocks, of the period or, where that is missed, of the
        longest path."""
        return self.stages * max(period, 0.0 if self.holds_clock else self.delay / 1000)


def pipelined(
    label: str,
    unit: Callable[[int], Spec],
    target: str,
    *,
    constraints: "Constraints",
    records: int,
) -> Pipelined:
    """The unit, made by its stages, with the fewest that hold the clock, or with all there may be.

    What a tool cannot map, and what cannot be built, has an ``error``.
    """
    try:
        stages, found = _fewest_stages(unit, target, constraints)
        spec = unit(stages)
        energy = None
        if found.holds_clock:
            used = power(spec, target, constraints=constraints, records=records)
            energy = used.power.energy_per_record
        fpga = counts(spec, FPGAS)
    except (ToolError, ValueError) as error:
        return Pipelined(label, error=" ".join(str(error).split()))
    return Pipelined(
        label,
        stages,
        found.total,
        found.delay,
        found.holds_clock,
        energy,
        fpga,
        spec=spec.to_dict(),
    )


def _fewest_stages(unit: Callable[[int], Spec], target: str, constraints: "Constraints"):
    """Their number, and the synthesis. Those that an estimate rules out are not tried."""
    for stages in range(1, MAXIMUM_STAGES + 1):
        spec = unit(stages)
        if stages < MAXIMUM_STAGES:
            plan = planned(spec, style=Style.CELLS).circuit
            if max(rank_delays(plan)) * _UNIT > constraints.clock_period:
                continue
        found = synthesize(spec, target, constraints=constraints)
        if found.holds_clock or stages == MAXIMUM_STAGES:
            return stages, found
    raise AssertionError("there are stages")
