"""Power of a netlist of library cells for a stated activity and clock.

- Switching: half of C V^2 for each change of a net that a cell drives, with the pins that it leads
  to, its wire and the loads of outputs.
- Internal: the energy that the Liberty file gives for each edge, at the slews and loads of static
  timing; of several inputs that may have caused an output's edge, by how often each changes times
  the probability that the output depends on it. What holds by state is weighed by the probability
  of states, the nets taken as independent.
- Leakage: weighed by state, too.
- Clock tree: an estimate, apart (see :mod:`~multipede.asic_flow.power.clock_tree`). What a clock's
  edge costs inside a register is the register's.

What drives the inputs pays for their nets: that is reported, and not in any sum.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from multipede.asic_flow.liberty.cell_behaviour import cell_behaviour
from multipede.asic_flow.liberty.library import Library
from multipede.asic_flow.netlist.ownership import owner_of_cells
from multipede.asic_flow.power.activity import Activity, require_complete
from multipede.asic_flow.power.cell_power import CellPower
from multipede.asic_flow.power.clock_tree import CLOCK_FANOUT, ClockTree, clock_tree
from multipede.asic_flow.power.net_figures import NetFigures
from multipede.asic_flow.timing.conditions import Conditions
from multipede.asic_flow.timing.static_timing import StaticTiming, static_timing

__all__ = ["Power", "PowerParts", "power"]

_MILLIWATT = 1e-3
"""mW in a fJ per ns."""
_NANOWATT = 1e-6
"""mW in a nW."""


@dataclass(frozen=True)
class PowerParts:
    """mW, by where it goes."""

    switching: float = 0.0
    internal: float = 0.0
    leakage: float = 0.0

    @property
    def total(self) -> float:
        """mW in all."""
        return self.switching + self.internal + self.leakage

    def __add__(self, other: "PowerParts") -> "PowerParts":
        return PowerParts(
            self.switching + other.switching,
            self.internal + other.internal,
            self.leakage + other.leakage,
        )


@dataclass(frozen=True)
class Power:
    """What a netlist takes at a clock.

    Attributes
    ----------
    clock_period : ns. voltage : V. clocks : of the activity.
    combinational, registers, clock_tree : mW of gates, of registers, and of the estimated tree.
    by_owner : the same gates and registers by submodule; the top module's own is the empty name.
    inputs : mW that charging the input ports' nets costs those who drive them; in no sum.
    tree : the clock tree.
    records : that the activity took in, or None. operations : what one of them is worth.
    """

    clock_period: float
    voltage: float
    clocks: int
    combinational: PowerParts
    registers: PowerParts
    clock_tree: PowerParts
    by_owner: Mapping[str, PowerParts]
    inputs: float
    tree: ClockTree
    records: int | None = None
    operations: Mapping[str, int] = field(default_factory=dict)

    @property
    def cells(self) -> PowerParts:
        """mW of gates and registers, without the clock tree."""
        return self.combinational + self.registers

    @property
    def total(self) -> float:
        """mW of everything."""
        return self.cells.total + self.clock_tree.total

    @property
    def energy_per_clock(self) -> float:
        """pJ."""
        return self.total * self.clock_period

    @property
    def energy_per_record(self) -> float | None:
        """pJ; None where the number of records is not known."""
        return self.energy_per_clock * self.clocks / self.records if self.records else None

    @property
    def energy_per_operation(self) -> dict[str, float]:
        """pJ by kind of operation, all of a record's energy for each kind."""
        if not self.records:
            return {}
        return {name: self.energy_per_record / number for name, number in self.operations.items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Power":
        """From what ``dataclasses.asdict`` gives, as JSON kept it."""
        parts = ("combinational", "registers", "clock_tree")
        return cls(
            **{
                **values,
                **{name: PowerParts(**values[name]) for name in parts},
                "by_owner": {path: PowerParts(**v) for path, v in values["by_owner"].items()},
                "tree": ClockTree(**values["tree"]),
            }
        )

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        groups = {
            name: {**vars(getattr(self, name)), "total": getattr(self, name).total}
            for name in ("cells", "combinational", "registers", "clock_tree")
        }
        return {
            "clock_period_ns": self.clock_period,
            "voltage_v": self.voltage,
            "clocks": self.clocks,
            "records": self.records,
            "total_mw": self.total,
            **{f"{name}_mw": values for name, values in groups.items()},
            "by_owner_mw": {path: vars(parts) for path, parts in self.by_owner.items()},
            "inputs_mw": self.inputs,
            "energy_per_clock_pj": self.energy_per_clock,
            "energy_per_record_pj": self.energy_per_record,
            "energy_per_operation_pj": self.energy_per_operation,
            "clock_tree_method": self.tree.method,
        }

    def __str__(self) -> str:
        lines = [f"{self.total:.4g} mW at {self.clock_period:g} ns and {self.voltage:g} V"]
        for name in ("combinational", "registers", "clock_tree"):
            parts = getattr(self, name)
            lines.append(
                f"  {name.replace('_', ' '):14}{parts.total:10.4g} mW: switching"
                f" {parts.switching:.4g}, internal {parts.internal:.4g},"
                f" leakage {parts.leakage:.4g}"
            )
        lines.append(f"  {self.energy_per_clock:.4g} pJ per clock")
        if self.records:
            lines.append(f"  {self.energy_per_record:.4g} pJ per record")
        for name, energy in self.energy_per_operation.items():
            lines.append(f"  {energy:.4g} pJ per {name.replace('_', '-')}")
        return "\n".join([*lines, f"  clock tree: {self.tree.method}"])


def power(
    netlist: Mapping[str, Any],
    library: Library,
    activity: Activity,
    conditions: Conditions | None = None,
    *,
    clock_period: float,
    timing: StaticTiming | None = None,
    clock_fanout: int = CLOCK_FANOUT,
    records: int | None = None,
    operations: Mapping[str, int] | None = None,
) -> Power:
    """The power of a flat netlist.

    Parameters
    ----------
    netlist : a module as Yosys writes it in JSON; all its cells are of the library.
    activity : of all its nets. Its changes per clock count, not its duration.
    conditions : as for :func:`~multipede.asic_flow.timing.static_timing.static_timing`.
    clock_period : ns.
    timing : of the netlist under these conditions, if it is known already.
    clock_fanout : registers or buffers behind each buffer of the clock tree.
    records, operations : how many records the activity took in, and what one is worth.

    Raises
    ------
    ValueError
        For a clock period that is not positive, a net without activity, a library without a
        voltage, and cells that cannot be timed or simulated.
    """
    if not clock_period > 0:
        raise ValueError(f"clock_period = {clock_period}: more than 0 ns is needed")
    if records is not None and not records > 0:
        raise ValueError(f"records = {records}: more than 0 is needed")
    conditions = conditions or Conditions()
    require_complete(activity, netlist)
    timing = timing or static_timing(netlist, library, conditions)
    nets = NetFigures(netlist, activity, timing)
    tree = clock_tree(netlist, library, conditions, fanout=clock_fanout)
    names, parts = _of_cells(netlist, library, nets, conditions, clock_period)
    kinds = [library.cells[netlist["cells"][name]["type"]].sequential for name in names]
    owners = owner_of_cells(netlist)
    return Power(
        clock_period=clock_period,
        voltage=library.voltage,
        clocks=activity.clocks,
        combinational=_sum(part for part, kind in zip(parts, kinds, strict=True) if not kind),
        registers=_sum(part for part, kind in zip(parts, kinds, strict=True) if kind),
        clock_tree=_parts(tree.switching, tree.internal, tree.leakage, clock_period),
        by_owner=_by_owner([owners[name] for name in names], parts),
        inputs=_inputs(netlist, library, nets) / clock_period * _MILLIWATT,
        tree=tree,
        records=records,
        operations=dict(operations or {}),
    )


def _of_cells(
    netlist: Mapping[str, Any],
    library: Library,
    nets: NetFigures,
    conditions: Conditions,
    clock_period: float,
) -> tuple[list[str], list[PowerParts]]:
    """Names of all cells, and what each takes."""
    by_kind: dict[str, list[str]] = defaultdict(list)
    for name, instance in netlist["cells"].items():
        by_kind[instance["type"]].append(name)
    names, parts = [], []
    for kind, listed in by_kind.items():
        instances = [netlist["cells"][name] for name in listed]
        found = CellPower(library, kind, instances, nets, conditions).figures()
        names += listed
        columns = (found.switching, found.internal, found.leakage)
        parts += [_parts(*map(float, row), clock_period) for row in zip(*columns, strict=True)]
    return names, parts


def _parts(switching: float, internal: float, leakage: float, clock_period: float) -> PowerParts:
    """From fJ per clock and nW."""
    per_clock = _MILLIWATT / clock_period
    return PowerParts(switching * per_clock, internal * per_clock, leakage * _NANOWATT)


def _sum(parts: Any) -> PowerParts:
    return sum(parts, PowerParts())


def _by_owner(owners: Sequence[str], parts: Sequence[PowerParts]) -> dict[str, PowerParts]:
    found: dict[str, PowerParts] = defaultdict(PowerParts)
    for owner, part in zip(owners, parts, strict=True):
        found[owner] += part
    return dict(sorted(found.items()))


def _inputs(netlist: Mapping[str, Any], library: Library, nets: NetFigures) -> float:
    """fJ per clock of the input ports' nets but the clock's, which is the tree's."""
    bits = {
        bit
        for port in netlist["ports"].values()
        if port["direction"] == "input"
        for bit in port["bits"]
    }
    places = nets.places(bits - _clocks(netlist, library))
    energy = 0.5 * nets.charge[places] * library.voltage**2 * nets.rate[places]
    return float(np.sum(energy))


def _clocks(netlist: Mapping[str, Any], library: Library) -> set[int | str]:
    """Nets that clock registers."""
    pins = {
        kind: behaviour.register.clock
        for kind in {instance["type"] for instance in netlist["cells"].values()}
        if (behaviour := cell_behaviour(library, kind)).register is not None
    }
    return {
        instance["connections"][pins[instance["type"]]][0]
        for instance in netlist["cells"].values()
        if instance["type"] in pins
    }
