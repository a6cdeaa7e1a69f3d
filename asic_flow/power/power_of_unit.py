"""Power of a unit on standard cells, whose netlist is held against the reference on the way."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np

from multipede.asic_flow.liberty.cell_verilog import verilog_models
from multipede.asic_flow.liberty.library import Library, read_liberty
from multipede.asic_flow.power.activity import Activity
from multipede.asic_flow.power.gate_delays import gate_delays
from multipede.asic_flow.power.gate_network import GateNetwork, gate_network
from multipede.asic_flow.power.gate_simulation import GateSimulation
from multipede.asic_flow.power.power_of_netlist import Power, power
from multipede.asic_flow.power.saif import write_saif
from multipede.asic_flow.power.unit_simulation import UnitSimulation, wrong_result
from multipede.asic_flow.power.waveform import vcd
from multipede.asic_flow.power.workload import describe_workload, ordinary_records
from multipede.asic_flow.synthesis import Synthesis
from multipede.asic_flow.synthesize import Constraints, synthesize
from multipede.asic_flow.timing.conditions import Conditions
from multipede.asic_flow.timing.static_timing import StaticTiming, static_timing
from multipede.golden.number_format import require_range
from multipede.golden.source_files import OWN, source_digest
from multipede.golden.spec import Spec
from multipede.hw import Style
from multipede.sim.report import MismatchError
from multipede.sim.stimulus import random_records
from multipede.toolchain import cached, find, key, write_atomically
from multipede.toolchain.compiler import compiler_key
from multipede.toolchain.cost import Cost, CostMethod, costs_table

__all__ = ["UnitPower", "netlist_power", "unit_activity", "unit_power"]

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
    conditions : around the netlist, as
        :class:`~multipede.asic_flow.timing.conditions.Conditions` tells.
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
    conditions: Mapping[str, Any]
    delay: float
    method: str = METHOD

    @property
    def costs(self) -> list[Cost]:
        """Power, energies and the glitch factor as cost records."""
        period = f"{self.power.clock_period:g} ns"
        figures = [
            ("power", self.power.total, "mW"),
            ("energy_per_record", self.power.energy_per_record, "pJ"),
            ("glitch_factor", self.glitch_factor, "1"),
        ]
        figures += [
            (f"energy_per_{name}", energy, "pJ")
            for name, energy in self.power.energy_per_operation.items()
        ]
        return [
            Cost(
                quantity=quantity,
                value=value,
                unit=unit,
                target=self.target,
                method=CostMethod.SYNTHESISED,
                source=f"{self.workload}; clock period {period}; {self.method}",
                style=self.style,
            )
            for quantity, value, unit in figures
        ]

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
            "conditions": dict(self.conditions),
            "costs": [cost.to_dict() for cost in self.costs],
        }

    def _repr_html_(self) -> str:
        """For notebooks."""
        return costs_table(self.costs, f"{self.unit} on {self.target}")

    def __str__(self) -> str:
        return "\n".join(
            [
                f"{self.unit} on {self.target}, style {self.style}",
                str(self.power),
                f"  glitches: {self.glitches:.4g} mW of it, a factor of {self.glitch_factor:.3f}"
                f" on gates and registers ({self.zero_delay.cells.total:.4g} mW without)",
                f"  {self.workload}",
                f"  {self.results} results equal the reference's, of these records and as many"
                " biased ones",
                f"  wires: {self.conditions['wires']}; {self.method}",
            ]
        )


def unit_power(
    spec: Spec,
    style: Style = Style.CELLS,
    *,
    liberty: Path | Library,
    constraints: Constraints | None = None,
    records: int = 1000,
    seed: int = 1,
) -> UnitPower:
    """Map a unit to a library's cells under constraints, and find its power. Cached.

    Parameters
    ----------
    spec, style : the unit and how its sums are written out.
    liberty : a Liberty file with delays and energies, or a library that was read.
    constraints : as for :func:`~multipede.asic_flow.synthesize.synthesize`. Power is at its clock
        period; without one, at the longest path of the smallest netlist, in whole 10 ps.
    records : of the workload (see :mod:`~multipede.asic_flow.power.workload`), and as many more to
        compare with the reference; 1 to 10**7.
    seed : of both.

    Raises
    ------
    TypeError, ValueError
        For parameters out of range, a clock that the unit does not hold, a Liberty file that is
        broken or without delays, a unit that does not take a record in every clock.
    MismatchError
        If the netlist does not compute what the reference does.
    ToolError
        If a tool is missing or fails.
    """
    _check(spec, style, records, seed)
    found, library, around, period = _netlist(spec, style, liberty, constraints)
    identity = key(
        json.dumps(found.netlist),
        library.text,
        json.dumps([spec.to_dict(), around.to_dict(), period, records, seed]),
        compiler_key(find("c++")),
        source_digest(OWN, "asic_flow", "golden", "sim"),
    )

    def build(place: Path) -> None:
        made = netlist_power(
            spec,
            found.netlist,
            library,
            style=style,
            clock_period=period,
            records=records,
            seed=seed,
            conditions=around,
        )
        write_atomically(place / "power.json", json.dumps(asdict(made)))

    values = json.loads((cached("power", identity, build) / "power.json").read_text())
    powers = {name: Power.from_dict(values.pop(name)) for name in ("power", "zero_delay")}
    return UnitPower(**values, **powers)


def _netlist(
    spec: Spec, style: Style, liberty: Path | Library, constraints: Constraints | None
) -> tuple[Synthesis, Library, Conditions, float]:
    """The unit's netlist, what it is made of, what stands around, and the clock period, ns."""
    library = liberty if isinstance(liberty, Library) else read_liberty(Path(liberty))
    constraints = constraints or Constraints()
    around = constraints.conditions(library)
    if around is None:
        raise ValueError(f"{library.source} has no delays: power needs them")
    found = synthesize(spec, style, liberty=liberty, constraints=constraints)
    if found.holds_clock is False:
        raise ValueError(
            f"clock_period = {found.clock_period:g}: {spec.unit} cannot hold it, the fastest found"
            f" takes {found.delay / 1000:.3f} ns"
        )
    period = found.clock_period or ceil(found.delay / 10) / 100
    return found, library, around, period


def unit_activity(
    spec: Spec,
    style: Style = Style.CELLS,
    *,
    liberty: Path | Library,
    constraints: Constraints | None = None,
    records: int = 1000,
    seed: int = 1,
    shown: int = 64,
) -> dict[str, str]:
    """For other programs, by the name of a file: the netlist and models of its cells in Verilog,
    its activity with glitches as SAIF, and the first ``shown`` clocks as VCD.

    The parameters and errors are those of :func:`unit_power`.
    """
    _check(spec, style, records, seed)
    require_range("shown", shown, 1, 10**6)
    found, library, around, period = _netlist(spec, style, liberty, constraints)
    _, network, delays = _timed(found.netlist, library, around)
    workload = ordinary_records(spec, records, seed=seed)
    activity, _ = _simulated(spec, network, workload, period, delays)
    first = {name: values[:shown] for name, values in workload.items()}
    simulation = GateSimulation(network, delays=delays, clock_period=period)
    waveform = UnitSimulation(simulation, spec).waveform(first)
    return {
        "netlist.v": found.verilog,
        "cells.v": verilog_models(library, found.cells),
        "activity.saif": write_saif(activity, found.netlist, top=found.top),
        "waveform.vcd": vcd(waveform, found.netlist, top=found.top),
    }


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
    _check(spec, style, records, seed)
    if not library.timed:
        raise ValueError(f"{library.source} has no delays: power needs them")
    conditions = conditions or Conditions()
    timing, network, delays = _timed(netlist, library, conditions)
    if not 1000 * clock_period >= timing.delay:
        raise ValueError(
            f"clock_period = {clock_period}: the longest path takes {timing.delay / 1000:.3f} ns"
        )
    tried = random_records(spec, records, seed=seed)
    _, results = _simulated(spec, network, tried, clock_period, None)
    workload = ordinary_records(spec, records, seed=seed)
    found = []
    for given in (delays, None):
        activity, count = _simulated(spec, network, workload, clock_period, given)
        results += count if given is None else 0
        found.append(
            power(
                netlist,
                library,
                activity,
                conditions,
                clock_period=clock_period,
                timing=timing,
                records=records,
                operations=spec.operations,
            )
        )
    return UnitPower(
        unit=str(spec),
        style=style.value,
        target=library.source,
        power=found[0],
        zero_delay=found[1],
        workload=describe_workload(spec, records, seed=seed),
        verified=2 * records,
        results=results,
        conditions=conditions.to_dict(),
        delay=timing.delay,
    )


def _timed(
    netlist: Mapping[str, Any], library: Library, conditions: Conditions
) -> tuple[StaticTiming, GateNetwork, np.ndarray]:
    """A netlist's timing, and its network with the delays that follow."""
    timing = static_timing(netlist, library, conditions)
    network = gate_network(netlist, library)
    return timing, network, gate_delays(network, netlist, library, timing, conditions)


def _check(spec: Spec, style: Style, records: int, seed: int) -> None:
    if not isinstance(spec, Spec):
        raise TypeError(f"spec must be a specification, not {spec!r}")
    if not isinstance(style, Style):
        raise TypeError(f"style must be a Style, not {style!r}")
    require_range("records", records, 1, 10**7)
    require_range("seed", seed, 0, 2**63)


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
    count = int(spec.record_clocks(records).sum())
    timed = f"{spec.unit} {'without delays' if delays is None else 'with delays'}"
    first, clocks = unit.run(records, progress=timed)
    activity = simulation.activity()
    rest, later = unit.drain()
    results = np.concatenate([first, rest])
    wrong = wrong_result(spec, records, results, np.concatenate([clocks, later + count]))
    if wrong is not None:
        raise MismatchError(f"netlist of {spec.unit}: {wrong}")
    return activity, len(results)
