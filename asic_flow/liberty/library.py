"""Liberty files: which cells a library has, with their areas, pins and functions."""

import gzip
import re
import zlib
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

from multipede.asic_flow.liberty.boolean import truth_table
from multipede.asic_flow.liberty.syntax import Group, parse_group
from multipede.asic_flow.liberty.units import Units, units_of

__all__ = [
    "BUSES",
    "STATEFUL",
    "Cell",
    "Direction",
    "Library",
    "Pin",
    "group_end",
    "groups",
    "read_liberty",
]

BUSES = ("bus", "bundle")
"""Groups of a cell that hold several pins; they are not read, and their cells not used."""
STATEFUL = ("ff", "latch", "statetable", "ff_bank", "latch_bank")
"""Groups that make a cell a sequential one."""

_ALIKE = 0.1
_GZIP = b"\x1f\x8b"
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_TABLES = r"(?:timing|internal_power|leakage_power)"
"""Groups that make up most of a file and take long to parse."""


class Direction(Enum):
    """Of a pin; an internal one is a node of the cell and not connected outside."""

    INPUT = "input"
    OUTPUT = "output"
    INOUT = "inout"
    INTERNAL = "internal"

    def __repr__(self) -> str:
        return f"Direction.{self.name}"


@dataclass(frozen=True)
class Pin:
    """A pin; ``capacitance`` in the library's unit, ``function`` empty unless it is an output."""

    name: str
    direction: Direction
    capacitance: float = 0.0
    function: str = ""

    @property
    def input(self) -> bool:
        """Whether it is a load outside; pins of both directions are."""
        return self.direction in (Direction.INPUT, Direction.INOUT)

    @property
    def output(self) -> bool:
        """Whether it is an output and nothing else."""
        return self.direction is Direction.OUTPUT


@dataclass(frozen=True)
class Cell:
    """A cell: its area, its pins by name, and its text in the file.

    ``dont_use`` is true, too, where there are buses, which are not read: ``pins`` lacks theirs.
    """

    name: str
    area: Fraction
    pins: Mapping[str, Pin]
    sequential: bool
    dont_use: bool
    text: str

    @property
    def inputs(self) -> list[str]:
        """Names of the input pins, those of the largest capacitance first."""
        found = [pin for pin in self.pins.values() if pin.input]
        return [pin.name for pin in sorted(found, key=lambda pin: -pin.capacitance)]

    @property
    def outputs(self) -> list[str]:
        """Names of the output pins."""
        return [pin.name for pin in self.pins.values() if pin.output]

    @property
    def input_capacitance(self) -> float:
        """Of all input pins together, in the library's unit."""
        return sum(pin.capacitance for pin in self.pins.values() if pin.input)

    @cached_property
    def group(self) -> Group:
        """All that the file says of it. ValueError if that is broken."""
        return parse_group(self.text)

    @cached_property
    def functions(self) -> dict[str, int]:
        """Truth table of each output over ``inputs``; empty where a function is not plain."""
        if self.sequential or len(self.inputs) > 6:
            return {}
        try:
            return {
                name: truth_table(self.pins[name].function, self.inputs) for name in self.outputs
            }
        except ValueError:
            return {}


@dataclass(frozen=True)
class Library:
    """A Liberty file's text and cells.

    ``source`` is how figures name it, ``unit`` that of its areas; ``known`` keeps what was worked
    out from it and takes time.
    """

    source: str
    unit: str
    text: str
    cells: Mapping[str, Cell]
    known: dict[Hashable, Any] = field(default_factory=dict, compare=False, repr=False)

    def smallest(self, inputs: int, *tables: int) -> Cell | None:
        """The smallest combinational cell whose outputs are these functions, or None. Of those as
        small, one with hardly more than the least input capacitance: clock inverters have more."""
        fitting = [
            cell
            for cell in self.cells.values()
            if not cell.dont_use
            and len(cell.inputs) == inputs
            and sorted(cell.functions.values()) == sorted(tables)
        ]
        area = min((cell.area for cell in fitting), default=None)
        fitting = [cell for cell in fitting if cell.area == area]
        told = [cell.input_capacitance for cell in fitting if cell.input_capacitance]
        least = min(told, default=0.0)
        if told:
            fitting = [c for c in fitting if 0 < c.input_capacitance <= (1 + _ALIKE) * least]
        return min(fitting, key=lambda cell: cell.name, default=None)

    @cached_property
    def header(self) -> Group:
        """The library without its cells. ValueError, naming the file, if it is broken."""
        parts, place = [], 0
        for start, end in _spans(self.text, "cell"):
            parts.append(self.text[place:start])
            place = end
        try:
            return parse_group("".join([*parts, self.text[place:]]))
        except ValueError as error:
            raise ValueError(f"Liberty file {self.source}: {error}") from None

    @cached_property
    def units(self) -> Units:
        """Its units. ValueError, naming the file, for those that cannot be read."""
        try:
            return units_of(self.header)
        except ValueError as error:
            raise ValueError(f"Liberty file {self.source}: {error}") from None

    @cached_property
    def templates(self) -> dict[str, Group]:
        """The templates of tables by name."""
        kinds = ("lu_table_template", "power_lut_template")
        return {group.arguments[0]: group for kind in kinds for group in self.header.of(kind)}

    @property
    def default_capacitance(self) -> float:
        """Of input pins that have none, in the file's unit."""
        return self.header.number("default_input_pin_cap", 0.0)

    @property
    def voltage(self) -> float:
        """The supply's, V: that of the operating conditions which the file calls its default, or
        its ``nom_voltage`` where these tell none. ValueError, naming the file, without either."""
        default = self.header.text("default_operating_conditions")
        value = self.header.number("nom_voltage")
        for conditions in self.header.of("operating_conditions"):
            if default and conditions.arguments == (default,):
                value = conditions.number("voltage", value)
        if value is None:
            raise ValueError(f"Liberty file {self.source}: it has no nom_voltage")
        return value * self.units.voltage

    @property
    def registers(self) -> bool:
        """Whether it has flip-flops."""
        return re.search(r"\bff\s*\(", self.text) is not None

    @property
    def timed(self) -> bool:
        """Whether there are delays in it."""
        return re.search(r"\bcell_rise\b", self.text) is not None


def read_liberty(path: Path) -> Library:
    """The library in a Liberty file, plain or compressed by gzip. Areas are taken as um2.

    Raises
    ------
    ValueError
        If there is no such file, or it is broken, or without the cells that every netlist needs:
        an inverter, a buffer, and a NAND or NOR gate of two inputs.
    """
    library = parse_liberty(_text_of(path), path.name, "um2")
    for table, name in ((0b01, "inverter"), (0b10, "buffer (which ABC needs)")):
        if library.smallest(1, table) is None:
            raise ValueError(f"Liberty file {path}: it has no {name}")
    if library.smallest(2, 0b0111) is None and library.smallest(2, 0b0001) is None:
        raise ValueError(f"Liberty file {path}: it has no NAND or NOR gate of two inputs")
    return library


def _text_of(path: Path) -> str:
    try:
        content = path.read_bytes()
        if content.startswith(_GZIP):
            content = gzip.decompress(content)
        return content.decode()
    except FileNotFoundError:
        raise ValueError(f"Liberty file {path}: there is no such file") from None
    except OSError as error:
        raise ValueError(f"Liberty file {path}: {error.strerror or error}") from None
    except (EOFError, zlib.error, UnicodeDecodeError):
        raise ValueError(f"Liberty file {path}: it is broken, or no Liberty file") from None


def parse_liberty(text: str, source: str, unit: str) -> Library:
    """The library in a Liberty file's text. ValueError if it is broken."""
    text = _COMMENT.sub("", text)
    opening = re.match(r"\s*library\s*\([^)]*\)\s*\{", text)
    if opening is None:
        raise ValueError(f"Liberty file {source}: it does not begin with a library")
    end = group_end(text, opening.end() - 1)
    if end is None:
        raise ValueError(f"Liberty file {source}: it ends inside the library (braces do not match)")
    cells = {name: _cell(name, body, source) for name, body in groups(text, "cell")}
    if not cells:
        raise ValueError(f"Liberty file {source}: it has no cells")
    return Library(source, unit, text[:end] + "\n", cells)


def groups(text: str, kind: str) -> list[tuple[str, str]]:
    """Name and text of each group ``kind (name) { ... }``, with what stands around the braces."""
    return [
        (re.match(r"\w+\s*\(\s*\"?([^)\"\s]*)", text[start:end])[1], text[start:end])
        for start, end in _spans(text, kind)
    ]


def _spans(text: str, kind: str) -> list[tuple[int, int]]:
    """Where the groups of a kind begin and end."""
    found = []
    for opening in re.finditer(rf"\b{kind}\s*\([^){{}};]*\)\s*\{{", text):
        end = group_end(text, opening.end() - 1)
        if end is not None:
            found.append((opening.start(), end))
    return found


def group_end(text: str, brace: int) -> int | None:
    """The place behind the group whose opening brace is at ``brace``; None if it has no end."""
    depth = 0
    for found in re.compile(r"[{}]").finditer(text, brace):
        depth += 1 if found[0] == "{" else -1
        if depth == 0:
            return found.end()
    return None


def _cell(name: str, text: str, source: str) -> Cell:
    try:
        group = _without_tables(text)
        return Cell(
            name,
            _area(group),
            {pin: _pin(pin, body) for body in group.of("pin") for pin in body.arguments},
            sequential=_has(group, STATEFUL),
            dont_use=_true(group, "dont_use") or _has(group, BUSES),
            text=text,
        )
    except ValueError as error:
        raise ValueError(f"Liberty file {source}: cell {name}: {error}") from None


def _without_tables(text: str) -> Group:
    """A cell but for its delays, energies and leakages."""
    parts, place = [], 0
    for start, end in _spans(text, _TABLES):
        if start >= place:  # else it is within the last one
            parts.append(text[place:start])
            place = end
    try:
        return parse_group("".join([*parts, text[place:]]))
    except ValueError:
        return parse_group(text)  # which tells the line as it is in the cell


def _has(group: Group, kinds: tuple[str, ...]) -> bool:
    return any(inner.kind in kinds for inner in group.groups)


def _true(group: Group, name: str) -> bool:
    return group.text(name).strip().lower() == "true"


def _area(group: Group) -> Fraction:
    if group.number("area") is None:
        raise ValueError("it has no area")
    try:
        return Fraction(group.text("area").strip())
    except ValueError:  # nan, inf
        raise ValueError(f"area = {group.text('area')!r}: a number is needed") from None


def _pin(name: str, group: Group) -> Pin:
    given = group.text("direction", Direction.INPUT.value)
    try:
        direction = Direction(given.strip().lower())
    except ValueError:
        known = ", ".join(one.value for one in Direction)
        raise ValueError(f"pin {name}: direction = {given!r}: {known} are known") from None
    return Pin(name, direction, group.number("capacitance", 0.0), group.text("function"))
