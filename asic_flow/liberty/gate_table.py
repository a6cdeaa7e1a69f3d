"""The table of gate sizes in NAND2 equivalents, as a Liberty file and as simulation models."""

import csv
import io
import re
from dataclasses import dataclass
from fractions import Fraction
from functools import cache as once
from importlib.resources import files

from multipede.asic_flow.liberty.library import Library, parse_liberty

__all__ = [
    "TABLE",
    "TableCell",
    "cell_models",
    "gate_library",
    "gate_table",
    "table_liberty",
    "table_text",
]

TABLE = "asic_flow/liberty/gate_equivalents.csv"
"""How figures name the table."""

_REGISTER = re.compile(r"register\((\w+)\)")


@dataclass(frozen=True)
class TableCell:
    """A line of the table.

    ``size`` in NAND2 equivalents; ``outputs`` pin -> function, ``register(D)`` for a flip-flop
    with clock CK; ``source`` names the cell that the size was taken from.
    """

    name: str
    size: Fraction
    outputs: dict[str, str]
    source: str

    @property
    def register(self) -> bool:
        """Whether it is a flip-flop."""
        return any(_REGISTER.fullmatch(function) for function in self.outputs.values())

    @property
    def inputs(self) -> list[str]:
        """Input pins, the clock last."""
        if self.register:
            return ["D", "CK"]
        return sorted(set(re.findall(r"[A-Z]+", " ".join(self.outputs.values()))))


def table_text() -> str:
    """The table as it stands in the repository."""
    return (files(__package__) / "gate_equivalents.csv").read_text()


def gate_table(text: str | None = None) -> dict[str, TableCell]:
    """The table's cells by name.

    Raises ValueError, naming the line, for a size or a function that cannot be read.
    """
    cells = {}
    rows = csv.DictReader(io.StringIO(table_text() if text is None else text))
    for line, row in enumerate(rows, start=2):
        try:
            size = Fraction(row["nand2_equivalents"])
            outputs = dict(part.split("=", 1) for part in row["function"].split(";"))
            cells[row["cell"]] = TableCell(row["cell"], size, outputs, row["source"])
        except (ValueError, TypeError, AttributeError, ZeroDivisionError) as error:
            raise ValueError(f"{TABLE}, line {line}: {error}") from None
    return cells


@once
def gate_library() -> Library:
    """The table as a library; areas in NAND2 equivalents."""
    return parse_liberty(table_liberty(gate_table()), f"table {TABLE}", "NAND2")


def table_liberty(table: dict[str, TableCell]) -> str:
    """The table as a Liberty file, in which areas are NAND2 equivalents."""
    cells = "".join(_liberty_cell(cell) for cell in table.values())
    return f"library (gate_equivalents) {{\n{cells}}}\n"


def _liberty_cell(cell: TableCell) -> str:
    lines = [f"  cell ({cell.name}) {{", f"    area : {float(cell.size):.9f};"]
    if cell.register:
        lines.append('    ff (IQ, IQN) { clocked_on : "CK"; next_state : "D"; }')
    for pin in cell.inputs:
        clock = " clock : true;" if cell.register and pin == "CK" else ""
        lines.append(f"    pin ({pin}) {{ direction : input;{clock} }}")
    for pin, function in cell.outputs.items():
        value = "IQ" if cell.register else function
        lines.append(f'    pin ({pin}) {{ direction : output; function : "{value}"; }}')
    return "\n".join([*lines, "  }", ""])


def cell_models(table: dict[str, TableCell] | None = None) -> str:
    """The table's cells in Verilog, to simulate mapped netlists with."""
    return "\n".join(_model(cell) for cell in (table or gate_table()).values())


def _model(cell: TableCell) -> str:
    ports = ", ".join([*cell.inputs, *cell.outputs])
    lines = [f"module {cell.name} ({ports});", f"  input {', '.join(cell.inputs)};"]
    for pin, function in cell.outputs.items():
        if cell.register:
            lines += [f"  output reg {pin};", f"  always @(posedge CK) {pin} <= D;"]
        else:
            verilog = function.replace("!", "~")
            lines += [f"  output {pin};", f"  assign {pin} = {verilog};"]
    return "\n".join([*lines, "endmodule", ""])
