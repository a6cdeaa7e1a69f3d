"""What a unit takes on standard cells."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from multipede.asic_flow.netlist.netlist_text import netlist_verilog
from multipede.asic_flow.timing.static_timing import TimingPath
from multipede.toolchain.cost import Cost, CostMethod, costs_table

__all__ = ["DELAY_METHOD", "GATES", "Synthesis"]

DELAY_METHOD = "static timing, registers and setup included"

GATES = "gates"
"""The target whose areas are NAND2 equivalents by the table."""


@dataclass(frozen=True)
class Synthesis:
    """A unit mapped to standard cells.

    Attributes
    ----------
    unit : the specification as text, or the top module's name. style : of the RTL.
    target : ``"gates"`` or the Liberty file's name.
    area_unit : ``"NAND2"`` or ``"um2"``.
    combinational, registers : areas in that unit.
    cells : cell -> number.
    modules : submodule, by its path with dots (the top module is empty) -> area of its own cells;
        gates that were made after the hierarchy was dissolved belong where the nets that they drive
        have their names (see :mod:`~multipede.asic_flow.netlist.ownership`).
    overloaded : names of cells that drive more than the library allows even the largest of their
        kind; seldom any.
    delay : ps, the shortest clock period: inputs come with the clock, and outputs are needed at the
        next. None where the library has no delays.
    paths : the longest, one for each end, the longest first.
    clock_period : ns that the netlist was sized for, or None.
    conditions : slews, driver, load and wires that ``delay`` is for; None as for ``delay``.
    method : tool, recipe and library in words.
    adders : module -> how its adders became cells.
    rtlil_digest : SHA-256 of the RTLIL that was synthesised.
    top, netlist : the mapped netlist as Yosys writes it in JSON, and its module's name.
    verilog : the same in Verilog.
    costs : the figures as cost records.
    operations : what one record of the unit is worth.
    """

    unit: str
    style: str
    target: str
    area_unit: str
    combinational: float
    registers: float
    cells: Mapping[str, int]
    modules: Mapping[str, float]
    overloaded: tuple[str, ...]
    delay: float | None
    paths: tuple[TimingPath, ...] = field(repr=False)
    clock_period: float | None
    conditions: Mapping[str, Any] | None
    method: str
    adders: Mapping[str, str]
    rtlil_digest: str
    top: str
    netlist: Mapping[str, Any] = field(repr=False)
    tools: Mapping[str, str]
    operations: Mapping[str, int]

    @property
    def verilog(self) -> str:
        """The netlist in Verilog."""
        return netlist_verilog(self.netlist, self.top)

    @property
    def total(self) -> float:
        """The whole area, in ``area_unit``."""
        return self.combinational + self.registers

    @property
    def costs(self) -> list[Cost]:
        """Areas, and the delay where there is one."""
        figures = [
            ("area", self.total, self.area_unit, self.method),
            ("area_combinational", self.combinational, self.area_unit, self.method),
            ("area_registers", self.registers, self.area_unit, self.method),
        ]
        if self.delay is not None:
            figures.append(("delay", self.delay, "ps", f"{self.method}; {self._timed}"))
        return [
            Cost(
                quantity=quantity,
                value=value,
                unit=unit,
                target=self.target,
                method=CostMethod.SYNTHESISED,
                source=source,
                tools=self.tools,
                style=self.style,
                rtlil_digest=self.rtlil_digest,
            )
            for quantity, value, unit, source in figures
        ]

    @property
    def holds_clock(self) -> bool | None:
        """Whether the longest path fits the clock period; None without one."""
        if self.clock_period is None:
            return None
        return self.delay <= 1000 * self.clock_period * (1 + 1e-9)  # ns to ps and back

    @property
    def _timed(self) -> str:
        around = self.conditions or {}
        return (
            f"{DELAY_METHOD}; inputs behind {around['driver']}, {around['output_load']:.3g} fF on"
            f" outputs, wire load {around['wires']}"
        )

    @property
    def _against_clock(self) -> str:
        if self.clock_period is None:
            return ""
        held = "holds" if self.holds_clock else "MISSES"
        return f", {held} the clock period of {self.clock_period:g} ns"

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it, without the netlist."""
        values = {name: value for name, value in vars(self).items() if name != "netlist"}
        values["paths"] = [path.to_dict() for path in self.paths]
        values |= {"holds_clock": self.holds_clock}
        values |= {"total": self.total, "costs": [cost.to_dict() for cost in self.costs]}
        return values

    def _repr_html_(self) -> str:
        """For notebooks."""
        return costs_table(self.costs, f"{self.unit} on {self.target}{self._against_clock}")

    def __str__(self) -> str:
        lines = [f"{self.unit} on {self.target}" + f", style {self.style}" * bool(self.style)]
        for name in ("total", "combinational", "registers"):
            lines.append(f"  {name:14}{getattr(self, name):14,.1f}  {self.area_unit}")
        for name, number in self.operations.items():
            per = f"{self.area_unit} per {name.replace('_', '-')}"
            lines.append(f"  {'':14}{self.total / number:14,.2f}  {per}")
        if self.delay is not None:
            lines.append(f"  {'delay':14}{self.delay:14,.0f}  ps{self._against_clock}")
            lines += [f"  {'':14}from {p.start} to {p.end}" for p in self.paths[:1]]
        if self.overloaded:
            number, first = len(self.overloaded), self.overloaded[0]
            lines.append(f"  OVERLOADED: {number} cells beyond their max_capacitance, as {first}")
        largest = sorted(self.cells.items(), key=lambda entry: (-entry[1], entry[0]))[:8]
        parts = sorted(self.modules.items(), key=lambda entry: (-entry[1], entry[0]))[:6]
        if len(self.modules) > 1:
            shares = [f"{100 * area / self.total:.0f} % {path or 'top'}" for path, area in parts]
            if len(self.modules) > len(parts):
                shares.append(f"{len(self.modules) - len(parts)} others")
            lines.append("  submodules: " + ", ".join(shares))
        cells = [f"{number} {cell}" for cell, number in largest]
        if len(self.cells) > len(cells):
            cells.append(f"{len(self.cells) - len(cells)} other types")
        lines.append("  cells: " + ", ".join(cells))
        lines.append(f"  {self.method}")
        if self.delay is not None:
            lines.append(f"  delay: {self._timed}")
        return "\n".join(lines)
