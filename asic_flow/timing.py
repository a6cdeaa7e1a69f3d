"""Delay of a mapped netlist's gates between registers, by ABC.

ABC does not see through cells with two outputs. For timing only, each of them becomes one cell
per output, in a Liberty file derived for it: the same arcs to that output, and half the input
capacitance in each where both are used.
"""

import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from multipede.asic_flow.liberty import Cell, Library, groups
from multipede.asic_flow.mapping import MappedNetlist
from multipede.toolchain import ToolError, cache, find, run

__all__ = ["METHOD", "Timing", "split_library", "time_netlist"]

METHOD = (
    "ABC stime on the gates between registers, no wires, no load on outputs, adder cells split"
    " by output with half the input capacitance each"
)

_SIZING = "upsize -D {period}; dnsize -D {period}; topo; "
_DELAY = re.compile(r"\bDelay\s*=\s*([\d.]+)\s*ps")
_COLOUR = re.compile(r"\x1b\[[\d;]*m")


@dataclass(frozen=True)
class Timing:
    """The longest path.

    Attributes
    ----------
    delay : ps, from register or input to register or output, without the registers' own delay
        and setup.
    path : the cells on it, as ABC lists them.
    cells : cell -> number, after sizing if there was any.
    """

    delay: float
    path: str
    cells: Mapping[str, int]


def time_netlist(mapped: MappedNetlist, library: Library, *, period: float | None = None) -> Timing:
    """The longest path of a netlist, after ABC has sized its gates for ``period`` (ps) if given.

    Sizing exchanges cells for others of the same function; it changes no connection.

    Raises
    ------
    ToolError
        If ABC is missing or cannot read the library.
    """
    sizing = "" if period is None else _SIZING.format(period=round(period))
    script = f"read_lib -w cells.lib; read_blif netlist.blif; topo; {sizing}write_blif sized.blif"
    with tempfile.TemporaryDirectory(dir=cache.subdirectory("work"), prefix="abc-") as place:
        directory = Path(place)
        (directory / "cells.lib").write_text(split_library(library, _split(mapped, library)))
        (directory / "netlist.blif").write_text(_blif(mapped, library))
        done = run(find("yosys-abc"), ["-c", f"{script}; stime -p"], directory=directory)
        sized = directory / "sized.blif"
        text = _COLOUR.sub("", done.stdout)
        found = _DELAY.search(text)
        if found is None or not sized.is_file():
            raise ToolError(f"ABC cannot time with {library.source} (log: {done.log_path})")
        cells = _sized_cells(sized.read_text(), mapped, library)
    path = "\n".join(re.findall(r"^Path.*", text, re.MULTILINE))
    return Timing(float(found[1]), path, cells)


def _part(cell: str, output: str, *, alone: bool) -> str:
    return f"{cell}__{output}" + "__alone" * alone


def _split(mapped: MappedNetlist, library: Library) -> list[Cell]:
    """The cells with several outputs that the netlist uses."""
    used = [library.cells[name] for name in mapped.cells]
    return [cell for cell in used if len(cell.outputs) > 1 and not cell.sequential]


def split_library(library: Library, cells: list[Cell]) -> str:
    """The library's text with each of ``cells`` beside its parts of one output each."""
    parts = [
        _part_text(cell, output, alone=alone)
        for cell in cells
        for output in cell.outputs
        for alone in (False, True)
    ]
    end = library.text.rindex("}")
    return library.text[:end] + "\n".join(parts) + "\n}\n"


def _part_text(cell: Cell, output: str, *, alone: bool) -> str:
    text = cell.text
    for pin, body in groups(text, "pin"):
        if cell.pins[pin].output:
            changed = body if pin == output else ""
        else:
            changed = body if alone else _halved(body)
        text = text.replace(body, changed)
    return text.replace(cell.name, _part(cell.name, output, alone=alone), 1)


def _halved(pin: str) -> str:
    return re.sub(
        r"(\b(?:rise_|fall_)?capacitance\s*:\s*)([\d.eE+-]+)",
        lambda found: f"{found[1]}{float(found[2]) / 2:.9g}",
        pin,
    )


def _blif(mapped: MappedNetlist, library: Library) -> str:
    """The combinational gates in BLIF; registers' outputs are inputs and the other way round.

    Constants are inputs too, so that a path that they block may be counted.
    """
    inputs, outputs, gates = _ends(mapped, library)
    used = {*outputs, *(bit for _, pins, _ in gates for _, bit in pins)}
    lines, driven = [], set()
    for cell, pins, results in gates:
        read = [(pin, bit) for pin, bit in results if bit in used]
        for pin, bit in read:
            many = len(library.cells[cell].outputs) > 1
            name = _part(cell, pin, alone=len(read) == 1) if many else cell
            ends = " ".join(f"{p}=n{b}" for p, b in [*pins, (pin, bit)])
            lines.append(f".gate {name} {ends}")
            driven.add(bit)
    sources = dict.fromkeys([*inputs, *sorted(used - driven, key=str)])
    listed_outputs = [bit for bit in dict.fromkeys(outputs) if bit in driven]
    return "\n".join(
        [
            f".model {mapped.top}",
            f".inputs {' '.join(f'n{bit}' for bit in sources if bit not in driven)}",
            f".outputs {' '.join(f'n{bit}' for bit in listed_outputs)}",
            *lines,
            ".end\n",
        ]
    )


def _ends(mapped: MappedNetlist, library: Library) -> tuple[list, list, list]:
    """Nets where paths start, nets where they end, and gates (cell, input pins, output pins)."""
    inputs, outputs, gates = [], [], []
    for port in mapped.netlist["ports"].values():
        (outputs if port["direction"] == "output" else inputs).extend(port["bits"])
    for instance in mapped.netlist["cells"].values():
        cell = library.cells[instance["type"]]
        pins = [(pin, bits[0]) for pin, bits in instance["connections"].items() if bits]
        read = [(pin, bit) for pin, bit in pins if not cell.pins[pin].output]
        made = [(pin, bit) for pin, bit in pins if cell.pins[pin].output]
        if cell.sequential:
            outputs += [bit for _, bit in read]
            inputs += [bit for _, bit in made]
        else:
            gates.append((cell.name, read, made))
    return inputs, outputs, gates


def _sized_cells(blif: str, mapped: MappedNetlist, library: Library) -> dict[str, int]:
    count = Counter(dict(_registers(mapped, library)))
    parts: dict[str, list[str]] = {}
    for name in mapped.cells:
        for output in library.cells[name].outputs:
            parts[_part(name, output, alone=True)] = [name]
            # Two parts make one cell: it is counted with its first output.
            first = output == library.cells[name].outputs[0]
            parts[_part(name, output, alone=False)] = [name] * first
    for name in re.findall(r"^\.gate (\S+)", blif, re.MULTILINE):
        count.update(parts.get(name, [name]))
    return dict(sorted(count.items()))


def _registers(mapped: MappedNetlist, library: Library) -> Iterator[tuple[str, int]]:
    for name, number in mapped.cells.items():
        if library.cells[name].sequential:
            yield name, number
