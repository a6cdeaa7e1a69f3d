"""What a unit takes on standard cells."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from multipede.asic_flow.timing import METHOD
from multipede.toolchain.cost import Cost, CostMethod

__all__ = ["GATES", "Synthesis"]

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
    delay : ps on the longest path between registers; None where the library has no delays.
    path : the cells on that path, as ABC lists them.
    clock_period : ns that the netlist was sized for, or None.
    method : tool, recipe and library in words.
    adders : module -> how its adders became cells.
    rtlil_digest : SHA-256 of the RTLIL that was synthesised.
    netlist : the mapped netlist in Verilog; before sizing, if there was any.
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
    delay: float | None
    path: str
    clock_period: float | None
    method: str
    adders: Mapping[str, str]
    rtlil_digest: str
    netlist: str
    tools: Mapping[str, str]
    operations: Mapping[str, int]

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
            figures.append(("delay", self.delay, "ps", f"{self.method}; {METHOD}"))
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
        return None if self.clock_period is None else self.delay <= 1000 * self.clock_period

    @property
    def _against_clock(self) -> str:
        if self.clock_period is None:
            return ""
        held = "holds" if self.holds_clock else "MISSES"
        return f", {held} the clock period of {self.clock_period:g} ns"

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it, without the netlist."""
        values = {name: value for name, value in vars(self).items() if name != "netlist"}
        values |= {"holds_clock": self.holds_clock}
        values |= {"total": self.total, "costs": [cost.to_dict() for cost in self.costs]}
        return values

    def __str__(self) -> str:
        lines = [f"{self.unit} on {self.target}" + f", style {self.style}" * bool(self.style)]
        for name in ("total", "combinational", "registers"):
            lines.append(f"  {name:14}{getattr(self, name):14,.1f}  {self.area_unit}")
        for name, number in self.operations.items():
            per = f"{self.area_unit} per {name.replace('_', '-')}"
            lines.append(f"  {'':14}{self.total / number:14,.2f}  {per}")
        if self.delay is not None:
            lines.append(f"  {'delay':14}{self.delay:14,.0f}  ps{self._against_clock}")
        largest = sorted(self.cells.items(), key=lambda entry: (-entry[1], entry[0]))[:8]
        lines.append("  cells: " + ", ".join(f"{number} {cell}" for cell, number in largest))
        lines.append(f"  {self.method}")
        if self.delay is not None:
            lines.append(f"  delay: {METHOD}")
        return "\n".join(lines)
