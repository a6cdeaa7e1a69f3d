"""The cells of the n28 library, as the table ``cells.csv`` has them.

Capacitances are in input capacitances of INV_X1, drives (what a cell drives at the same delay per
load) in drives of INV_X1, delays in tau, energies in switching energies of INV_X1's input. So none
of them has a dimension, and logical effort is the capacitance of an input over the cell's drive.
"""

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache as once
from importlib.resources import files

__all__ = ["CellKind", "LibraryCell", "cell_table", "read_cells"]


class CellKind(Enum):
    """What a cell is."""

    GATE = "gate"
    FLIP_FLOP = "flip_flop"
    LATCH = "latch"
    CLOCK_GATE = "clock_gate"


@dataclass(frozen=True)
class LibraryCell:
    """A line of the table.

    Attributes
    ----------
    functions : output -> Boolean function of the inputs, for a gate. Of the others there is one
        output and no function: it follows ``data`` at the rising edge of ``clock`` in flip-flops,
        while ``G`` is high or ``GN`` low in latches, and is the clock where data was high before
        its rise in clock gates. ``E`` high enables, ``RN`` low clears and ``SN`` low sets at once,
        ``CN`` low clears at the clock's edge, enabled or not.
    sites : width of the layout in placement sites; ``sites_from`` says from where it is.
    stages : 1 for a single gate of transistors, whose output slew still depends on its input's.
    capacitances : by input. drives, slews, energies : by output; ``slews`` without a load,
        ``energies`` of an edge.
    parasitics : delays without a load, by (input, output).
    clock_energy : of a cycle, in those of DFF_X1. data_energy : of an edge of ``data`` or ``E``
        that the cell takes in, but does not pass on.
    timing_from : the cell of an open library that drives, delays, slews and energies are fitted to.
    """

    name: str
    kind: CellKind
    functions: Mapping[str, str]
    clock: str
    data: str
    sites: int
    sites_from: str
    stages: int
    capacitances: Mapping[str, float]
    drives: Mapping[str, float]
    parasitics: Mapping[tuple[str, str], float]
    slews: Mapping[str, float]
    energies: Mapping[str, float]
    clock_energy: float
    data_energy: float
    timing_from: str

    @property
    def inputs(self) -> list[str]:
        """Input pins in the table's order."""
        return list(self.capacitances)

    @property
    def outputs(self) -> list[str]:
        """Output pins in the table's order."""
        return list(self.drives)

    def logical_effort(self, pin: str, output: str) -> float:
        """How much more capacitance than INV_X1's input the pin has at INV_X1's drive."""
        return self.capacitances[pin] / self.drives[output]


@once
def cell_table() -> Mapping[str, LibraryCell]:
    """The cells of ``cells.csv`` by name."""
    return read_cells((files(__package__) / "cells.csv").read_text())


def read_cells(text: str) -> dict[str, LibraryCell]:
    """The cells of a table by name.

    Raises
    ------
    ValueError
        Naming the cell, for one that stands twice, a number that is none or not positive, or pins
        that are in one column and not in another.
    """
    cells: dict[str, LibraryCell] = {}
    for row in csv.DictReader(io.StringIO(text)):
        name = row.get("cell") or ""
        try:
            if name in cells:
                raise ValueError("it stands there twice")
            cells[name] = _cell(row)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"cell {name}: {error}") from None
    return cells


_SEQUENTIAL = re.compile(r"(\w+)=(\w+)\((\w+) (\w+)[\w ]*\)")


def _cell(row: Mapping[str, str]) -> LibraryCell:
    found = _SEQUENTIAL.fullmatch(row["function"])
    pairs = row["function"].split(";")
    kind = CellKind(found[2]) if found else CellKind.GATE
    drives = _numbers(row, "drive")
    cell = LibraryCell(
        name=row["cell"],
        kind=kind,
        functions={} if found else dict(pair.split("=", 1) for pair in pairs),
        clock=found[4] if found else "",
        data=found[3] if found else "",
        sites=_whole("sites", row["sites"]),
        sites_from=row["sites_from"],
        stages=_whole("stages", row["stages"]),
        capacitances=_numbers(row, "capacitance"),
        drives=drives,
        parasitics={_arc(key, drives): value for key, value in _numbers(row, "parasitic").items()},
        slews=_numbers(row, "slew"),
        energies=_numbers(row, "energy"),
        clock_energy=_positive("clock_energy", row["clock_energy"]) if found else 0.0,
        data_energy=_positive("data_energy", row["data_energy"]) if found else 0.0,
        timing_from=row["timing_from"],
    )
    _check(cell, [found[1]] if found else list(cell.functions))
    return cell


def _numbers(row: Mapping[str, str], column: str) -> dict[str, float]:
    """``"A:1.0 B:2"`` by pin."""
    pairs = [entry.partition(":") for entry in row[column].split()]
    return {pin: _positive(f"{column} of {pin}", number) for pin, _, number in pairs}


def _positive(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise ValueError(f"{name} = {text!r}: a number above 0 is needed")
    return value


def _whole(name: str, text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise ValueError(f"{name} = {text!r}: a whole number above 0 is needed")
    return int(text)


def _arc(key: str, outputs: Mapping[str, float]) -> tuple[str, str]:
    """``"A>CO"``, or ``"A"`` where there is one output."""
    source, _, output = key.partition(">")
    return source, output or next(iter(outputs))


def _check(cell: LibraryCell, outputs: list[str]) -> None:
    for column in (cell.drives, cell.slews, cell.energies):
        if sorted(column) != sorted(outputs):
            raise ValueError(f"outputs {sorted(column)} where {sorted(outputs)} are needed")
    unknown = {pin for pin, _ in cell.parasitics} - set(cell.inputs)
    unknown |= {output for _, output in cell.parasitics} - set(outputs)
    if cell.kind is not CellKind.GATE:
        unknown |= {cell.clock, cell.data} - set(cell.inputs)
    if unknown:
        raise ValueError(f"{min(unknown)} is no pin of it")
    needed = cell.inputs if cell.kind is CellKind.GATE else [cell.clock]
    for output in outputs:
        for pin in needed:
            if (pin, output) not in cell.parasitics:
                raise ValueError(f"no parasitic delay from {pin} to {output}")
    if not cell.sites_from or not cell.timing_from:
        raise ValueError("sites_from and timing_from are needed")
