"""Power of a unit on standard cells, whose netlist is held against the reference on the way."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from multipede.asic_flow.activity import Activity
from multipede.asic_flow.conditions import Conditions
from multipede.asic_flow.gate_delays import gate_delays
from multipede.asic_flow.gate_network import GateNetwork, gate_network
from multipede.asic_flow.gate_simulation import GateSimulation
from multipede.asic_flow.liberty import Library, read_liberty
from multipede.asic_flow.mapping import Recipe, map_to_cells
from multipede.asic_flow.power import Power, power
from multipede.asic_flow.static_timing import StaticTiming, static_timing
from multipede.asic_flow.unit_simulation import UnitSimulation, wrong_result
from multipede.asic_flow.workload import describe_workload, ordinary_records
from multipede.golden.number_format import require_range
from multipede.golden.spec import Spec
from multipede.hw import Style
from multipede.sim.report import MismatchError
from multipede.sim.stimulus import random_records
from multipede.sim.verilog import rtlil_of

__all__ = ["UnitPower", "netlist_power", "unit_power"]

METHOD = (
    "every net's changes counted in the gate-level netlist, with the Liberty file's delays"
    " (inertial) and without, times its energies at the slews and loads of static timing; inputs"
    " change with the clock"
)


@dataclass(frozen=True)
class UnitPower:
    """A unit's power for a stated workload.

    Attributes
    ----------
    unit, style, target : the specification as text, the style, the library.
    power : with glitches. zero_delay : the same netlist if every net changed once in a clock at
        most.
    workload : in words. verified : biased random records, of those that verification uses, and the
        workload's own, whose results were compared with the reference. results : how many.
    conditions : around the netlist.
    delay : ps of the longest path.
    """

    unit: str
    style: str
    target: str
    power: Power
    zero_delay: Power
    workload: str
    verified: int
    results: int
    conditions: Conditions
    delay: float
    method: str = METHOD

    @property
    def glitch_factor(self) -> float:
        """The cells' power with glitches over that without, leakage included, clock tree not."""
        return self.power.cells.total / self.zero_delay.cells.total

    @property
    def glitches(self) -> float:
        """mW that glitches cost."""
        return self.power.total - self.zero_delay.total

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        plain = ("unit", "style", "target", "workload", "verified", "results", "method")
        return {
            **{name: getattr(self, name) for name in plain},
            "power": self.power.to_dict(),
            "zero_delay": self.zero_delay.to_dict(),
            "glitch_factor": self.glitch_factor,
            "glitches_mw": self.glitches,
            "longest_path_ps": self.delay,
            "wires": self.conditions.wires.name,
        }

    def __str__(self) -> str:
        return "\n".join(
            [
                f"{self.unit} on {self.target}, style {self.style}",
                str(self.power),
                f"  glitches: {self.glitches:.4g} mW of it, a factor of {self.glitch_factor:.3f}"
                f" on gates and registers ({self.zero_delay.cells.total:.4g} mW without)",
                f"  {self.workload}",
                f"  {self.results} results of {self.verified} records equal the reference's",
                f"  wires: {self.conditions.wires.name}; {self.method}",
            ]
        )


def unit_power(
    spec: Spec,
    style: Style = Style.CELLS,
    *,
    liberty: Path,
    clock_period: float,
    records: int = 1000,
    seed: int = 1,
    conditions: Conditions | None = None,
) -> UnitPower:
    """Map a unit to a library's cells for the smallest area, and find its power.

    Parameters
    ----------
    spec, style : the unit and how its sums are written out.
    liberty : a Liberty file with delays and energies.
    clock_period : ns; no less than the longest path.
    records : of the workload (see :mod:`~multipede.asic_flow.workload`), and as many more to
        compare with the reference; 1 to 10**7.
    seed : of both.
    conditions : as for :func:`~multipede.asic_flow.static_timing.static_timing`.

    Raises
    ------
    TypeError, ValueError
        For parameters out of range, a clock period shorter than the longest path, a Liberty file
        that is broken or without delays, a unit that does not take a record in every clock.
    MismatchError
        If the netlist does not compute what the reference does.
    ToolError
        If a tool is missing or fails.
    """
    _check_kinds(spec, style)
    library = read_liberty(Path(liberty))
    mapped = map_to_cells(rtlil_of(spec, style), spec.unit, library, Recipe.AREA)
    return netlist_power(
        spec,
        mapped.netlist,
        library,
        style=style,
        clock_period=clock_period,
        records=records,
        seed=seed,
        conditions=conditions,
    )


def netlist_power(
    spec: Spec,
    netlist: Mapping[str, Any],
    library: Library,
    *,
    clock_period: float,
    style: Style = Style.CELLS,
    records: int = 1000,
    seed: int = 1,
    conditions: Conditions | None = None,
) -> UnitPower:
    """As :func:`unit_power`, for a netlist of the unit that is there already."""
    _check_kinds(spec, style)
    require_range("records", records, 1, 10**7)
    require_range("seed", seed, 0, 2**63)
    if not library.timed:
        raise ValueError(f"{library.source} has no delays: power needs them")
    conditions = conditions or Conditions()
    timing = static_timing(netlist, library, conditions)
    if not 1000 * clock_period >= timing.delay:
        raise ValueError(
            f"clock_period = {clock_period}: the longest path takes {timing.delay / 1000:.3f} ns"
        )
    network = gate_network(netlist, library)
    delays = gate_delays(network, netlist, library, timing, conditions)
    tried = random_records(spec, records, seed=seed)
    _, results = _simulated(spec, network, tried, clock_period, None)
    workload = ordinary_records(spec, records, seed=seed)
    found = []
    for given in (delays, None):
        activity, count = _simulated(spec, network, workload, clock_period, given)
        results += count if given is None else 0
        found.append(_power(spec, netlist, library, activity, conditions, timing, clock_period))
    return UnitPower(
        unit=str(spec),
        style=style.value,
        target=library.source,
        power=found[0],
        zero_delay=found[1],
        workload=describe_workload(spec, records, seed=seed),
        verified=2 * records,
        results=results,
        conditions=conditions,
        delay=timing.delay,
    )


def _check_kinds(spec: Spec, style: Style) -> None:
    if not isinstance(spec, Spec):
        raise TypeError(f"spec must be a specification, not {spec!r}")
    if not isinstance(style, Style):
        raise TypeError(f"style must be a Style, not {style!r}")


def _simulated(
    spec: Spec,
    network: GateNetwork,
    records: Mapping[str, np.ndarray],
    clock_period: float,
    delays: np.ndarray | None,
) -> tuple[Activity, int]:
    """Activity while records go in, and how many results equal the reference's."""
    simulation = GateSimulation(network, delays=delays, clock_period=clock_period)
    unit = UnitSimulation(simulation, spec)
    simulation.count_anew()
    count = len(next(iter(records.values())))
    timed = f"{spec.unit} {'without delays' if delays is None else 'with delays'}"
    first, clocks = unit.run(records, progress=timed)
    activity = simulation.activity()
    rest, later = unit.drain()
    results = np.concatenate([first, rest])
    wrong = wrong_result(spec, records, results, np.concatenate([clocks, later + count]))
    if wrong is not None:
        raise MismatchError(f"netlist of {spec.unit}: {wrong}")
    return activity, len(results)


def _power(
    spec: Spec,
    netlist: Mapping[str, Any],
    library: Library,
    activity: Activity,
    conditions: Conditions,
    timing: StaticTiming,
    clock_period: float,
) -> Power:
    return power(
        netlist,
        library,
        activity,
        conditions,
        clock_period=clock_period,
        timing=timing,
        records=activity.clocks,
        operations=spec.operations,
    )
