"""RTLIL onto the cells of a library, by Yosys and ABC."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from multipede.asic_flow.liberty.library import Library
from multipede.asic_flow.mapping.adder_cells import (
    PREFIX_CHAINS,
    AdderCells,
    AdderMapping,
    adder_cells,
    replacements,
)
from multipede.asic_flow.mapping.register_cells import reset_replacements
from multipede.hw.arithmetic.adders import adders_verilog
from multipede.toolchain import ToolError
from multipede.toolchain.yosys import run_yosys

__all__ = [
    "MEMORY_LIMIT",
    "Adders",
    "MappedNetlist",
    "Prepared",
    "Recipe",
    "Script",
    "map_prepared",
    "map_to_cells",
    "prepare",
]


MEMORY_LIMIT = 16 << 30
"""Bytes of address space for each run of Yosys, which otherwise could take all there is."""


class Adders(Enum):
    """What becomes of the adder modules of a unit."""

    SMALLEST = "as is smallest"
    """each module's adders onto adder cells, in the way that makes that module smallest"""
    PREFIX = "chains as prefix adders"
    """the same, but chains as parallel-prefix adders of gates"""
    GATES = "gates"
    """all as gates"""


class Recipe(Enum):
    """What ABC does to the gates between registers and adder cells."""

    AREA = "strash; ifraig; scorr; dc2; strash; dch; map -a -B 0.9; topo"
    """smallest area"""
    AMAP = "strash; ifraig; scorr; dc2; strash; dch; amap; topo"
    """smallest area by ABC's other mapper, which is better for logic other than multipliers"""
    DELAY = "strash; ifraig; scorr; dc2; strash; dch; map -B 0.9; topo"
    """shortest depth; ABC does not know when the outputs of adder cells arrive"""

    @property
    def command(self) -> str:
        """The Yosys command."""
        return _command(self.value)


@dataclass(frozen=True)
class Script:
    """Commands of ABC, ``value``, where a :class:`Recipe` may stand; they end with a mapper."""

    name: str
    value: str

    @property
    def command(self) -> str:
        """The Yosys command."""
        return _command(self.value)


def _command(script: str) -> str:
    return f"abc -liberty cells.lib -script +{script.replace(' ', ',')}"


_REGISTER = re.compile(r"^  cell \$\w*dff|^\s+sync (?:pos|neg)edge", re.MULTILINE)


@dataclass(frozen=True)
class MappedNetlist:
    """A flat netlist of library cells.

    ``top`` names its module, ``netlist`` (Yosys' JSON of that module) holds it, ``recipe`` and
    ``adders`` tell how it was made, ``mappings`` how each module's adders became cells.
    """

    top: str
    netlist: Mapping[str, Any]
    recipe: Recipe | Script
    adders: Adders
    mappings: Mapping[str, AdderMapping]

    @property
    def cells(self) -> dict[str, int]:
        """Cell type -> number, sorted by name."""
        count: dict[str, int] = {}
        for cell in self.netlist["cells"].values():
            count[cell["type"]] = count.get(cell["type"], 0) + 1
        return dict(sorted(count.items()))

    def area(self, library: Library) -> float:
        """In the library's unit."""
        return float(sum(library.cells[cell].area * n for cell, n in self.cells.items()))


@dataclass(frozen=True)
class Prepared:
    """A design with registers and adders on cells, for ABC to map the rest.

    ``rtlil`` holds it flat, in the module ``top``; the others as for :class:`MappedNetlist`.
    """

    top: str
    rtlil: str
    adders: Adders
    mappings: Mapping[str, AdderMapping]


def map_to_cells(
    rtlil: str,
    top: str,
    library: Library,
    recipe: Recipe | Script,
    adders: Adders = Adders.SMALLEST,
    *,
    timeout: float | None = None,
) -> MappedNetlist:
    """Map a design in one way: :func:`prepare` and :func:`map_prepared` in turn."""
    prepared = prepare(rtlil, top, library, adders, timeout=timeout)
    return map_prepared(prepared, library, recipe, timeout=timeout)


def prepare(
    rtlil: str,
    top: str,
    library: Library,
    adders: Adders = Adders.SMALLEST,
    *,
    mappings: Mapping[str, AdderMapping] | None = None,
    timeout: float | None = None,
) -> Prepared:
    """All of a mapping that is the same for every recipe.

    Parameters
    ----------
    rtlil, top : the design and its module.
    library : whose cells it is mapped to.
    adders : what becomes of its adder modules.
    mappings : of each module's adders, if they are known already.
    timeout : seconds for each run of Yosys.

    Raises
    ------
    ToolError
        If Yosys is missing, fails or takes too long, or the library lacks a flip-flop that the
        design needs.
    """
    if not library.registers and _REGISTER.search(rtlil):
        raise ToolError(f"{library.source} has no flip-flop, and {top} has registers")
    available = adder_cells(library)
    if adders is Adders.GATES:
        mappings = {}
    elif mappings is None:
        mappings = _smallest_mappings(rtlil, library, available, timeout)
    script = ["read_rtlil unit.il", f"hierarchy -top {top}"]
    for module, mapping in mappings.items():
        if adders is Adders.PREFIX:
            script.append(f"techmap -map prefix.v {module}")
        script.append(f"techmap -map {mapping.name}.v {module}")
    result = run_yosys(
        "\n".join([*script, *_synthesis(top), "write_rtlil prepared.il"]),
        files=_files(rtlil, library, available),
        outputs=["prepared.il"],
        timeout=timeout,
        memory_limit=MEMORY_LIMIT,
    )
    return Prepared(top, result.outputs["prepared.il"], adders, mappings)


def map_prepared(
    prepared: Prepared,
    library: Library,
    recipe: Recipe | Script,
    *,
    timeout: float | None = None,
) -> MappedNetlist:
    """Map the rest by a recipe.

    Raises ToolError if Yosys fails or takes too long, or the library lacks a cell that the design
    needs.
    """
    result = run_yosys(
        "\n".join(
            [
                *("read_rtlil prepared.il", recipe.command, "opt_clean -purge"),
                *(f"select {prepared.top}", "write_json -selected netlist.json"),
            ]
        ),
        files={"prepared.il": prepared.rtlil, "cells.lib": library.text},
        outputs=["netlist.json"],
        timeout=timeout,
        memory_limit=MEMORY_LIMIT,
    )
    netlist = json.loads(result.outputs["netlist.json"])["modules"][prepared.top]
    netlist["cells"] = {
        name: cell for name, cell in netlist["cells"].items() if cell["type"] != "$scopeinfo"
    }
    mapped = MappedNetlist(prepared.top, netlist, recipe, prepared.adders, prepared.mappings)
    _check(mapped, library)
    return mapped


def _check(mapped: MappedNetlist, library: Library) -> None:
    left = {cell: number for cell, number in mapped.cells.items() if cell not in library.cells}
    if not left:
        return
    cell, number = next(iter(left.items()))
    raise ToolError(f"{library.source} has no cell for {number} {cell} of {mapped.top}")


def _files(rtlil: str, library: Library, available: AdderCells) -> dict[str, str]:
    maps = {f"{m.name}.v": replacements(available, m) for m in available.mappings}
    return {
        "unit.il": rtlil,
        "adders.v": adders_verilog(),
        "prefix.v": PREFIX_CHAINS,
        "registers.v": reset_replacements(library),
        "cells.lib": library.text,
        **maps,
    }


def _synthesis(top: str) -> Iterator[str]:
    # Only what the library has no cells for is left for these.
    yield "read_verilog adders.v"
    yield "read_liberty -lib -ignore_miss_func cells.lib"
    yield f"hierarchy -check -top {top}"
    yield f"synth -flatten -noabc -top {top}"
    # Inverters of resets become gates, and one for all registers: ABC would buffer each net.
    yield from ("techmap -map registers.v", "simplemap", "opt_merge", "opt_clean")
    yield "dfflibmap -liberty cells.lib"


def _smallest_mappings(
    rtlil: str, library: Library, available: AdderCells, timeout: float | None
) -> dict[str, AdderMapping]:
    """Map each module that holds adders alone in every way, and take the smallest."""
    modules = _modules_with_adders(rtlil)
    if not available.mappings or not modules:
        return {}
    script = ["read_rtlil unit.il", "design -save start"]
    outputs = {}
    for number, module in enumerate(modules):
        for mapping in available.mappings:
            outputs[module, mapping] = f"{number}-{mapping.name}.json"
            script += ["design -load start", f"hierarchy -top {module}"]
            script += [f"techmap -map {mapping.name}.v", *_synthesis(module)]
            script += [Recipe.AREA.command, "opt_clean -purge"]
            script += [f"tee -q -o {outputs[module, mapping]} stat -json -liberty cells.lib"]
    files = _files(rtlil, library, available)
    found = run_yosys(
        "\n".join(script),
        files=files,
        outputs=list(outputs.values()),
        timeout=timeout,
        memory_limit=MEMORY_LIMIT,
    ).outputs
    areas = {key: json.loads(found[name])["design"]["area"] for key, name in outputs.items()}
    return {
        module: min(available.mappings, key=lambda mapping: areas[module, mapping])
        for module in modules
    }


def _modules_with_adders(rtlil: str) -> list[str]:
    """Names of the modules that hold adder modules of ``adders.v``, in the text's order."""
    names = "|".join(re.findall(r"^module (\w+)", adders_verilog(), re.MULTILINE))
    found = []
    for text in re.split(r"^module ", rtlil, flags=re.MULTILINE)[1:]:
        if re.search(rf"^  cell \\(?:{names}) ", text, re.MULTILINE):
            found.append(text.split("\n", 1)[0].removeprefix("\\"))
    return found
