"""Maps units to standard cells: area in NAND2 equivalents or um2, and delay."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from amaranth.lib import wiring

from multipede.asic_flow.gate_table import gate_library
from multipede.asic_flow.liberty import Library, read_liberty
from multipede.asic_flow.mapping import MappedNetlist, Recipe, map_to_cells
from multipede.asic_flow.synthesis import GATES, Synthesis
from multipede.asic_flow.timing import Timing, time_netlist
from multipede.golden.source_files import OWN, source_digest
from multipede.golden.spec import Spec
from multipede.hw import Style
from multipede.hw.arithmetic.adders import adders_verilog
from multipede.hw.hierarchy import to_rtlil
from multipede.sim.verilog import rtlil_of
from multipede.toolchain import cached, find, key, write_atomically

__all__ = ["Synthesis", "synthesize", "synthesize_component", "synthesize_rtlil"]


def synthesize(
    spec: Spec,
    style: Style = Style.CELLS,
    *,
    liberty: Path | None = None,
    clock_period: float | None = None,
) -> Synthesis:
    """Map a unit to standard cells for the smallest area, or to hold a clock. Cached.

    Parameters
    ----------
    spec, style : the unit and how its sums are written out.
    liberty : a Liberty file, plain or compressed by gzip: areas in um2, and a delay. Without it
        the table of gate sizes: areas in NAND2 equivalents.
    clock_period : ns between registers, without the registers' own delay and setup. Gates are
        sized to hold it; if that fails, the fastest netlist found is returned: compare ``delay``.

    Raises
    ------
    ValueError
        For a Liberty file that is missing or broken or lacks an inverter, a buffer or a NAND gate,
        a clock period that is not positive, or one without a Liberty file with delays.
    ToolError
        If Yosys is missing or fails, or the library lacks a cell that the unit needs, such as a
        flip-flop.
    """
    return synthesize_rtlil(
        rtlil_of(spec, style),
        top=spec.unit,
        unit=str(spec),
        style=style.value,
        liberty=liberty,
        clock_period=clock_period,
        operations=spec.operations,
    )


def synthesize_component(
    component: wiring.Component,
    *,
    name: str,
    style: Style,
    liberty: Path | None = None,
    clock_period: float | None = None,
) -> Synthesis:
    """Map any component, such as a bare :class:`~multipede.hw.arithmetic.summation.Summation`."""
    return synthesize_rtlil(
        to_rtlil(component, name),
        top=name,
        style=style.value,
        liberty=liberty,
        clock_period=clock_period,
    )


def synthesize_rtlil(
    rtlil: str,
    *,
    top: str,
    unit: str = "",
    style: str = "",
    liberty: Path | None = None,
    clock_period: float | None = None,
    operations: Mapping[str, int] | None = None,
) -> Synthesis:
    """Map any RTLIL whose top module is ``top``; see :func:`synthesize`."""
    liberty = None if liberty is None else Path(liberty)
    if clock_period is not None and not clock_period > 0:
        raise ValueError(f"clock_period = {clock_period}: more than 0 ns is needed")
    if clock_period is not None and liberty is None:
        raise ValueError(f"clock_period = {clock_period}: it needs a Liberty file with delays")
    identity = _identity(rtlil, top, liberty, clock_period)

    def build(place: Path) -> None:
        library = gate_library() if liberty is None else read_liberty(liberty)
        if clock_period is not None and not library.timed:
            raise ValueError(f"clock_period = {clock_period}: {library.source} has no delays")
        made = _map(rtlil, top, library, clock_period)
        write_atomically(place / "synthesis.json", json.dumps(vars(made)))

    place = cached("synthesis", identity, build)
    found = Synthesis(**json.loads((place / "synthesis.json").read_text()))
    target = GATES if liberty is None else liberty.name
    of_unit = {"unit": unit or top, "style": style, "operations": dict(operations or {})}
    return replace(found, target=target, **of_unit)


def _identity(rtlil: str, top: str, liberty: Path | None, clock_period: float | None) -> str:
    library = gate_library().text.encode() if liberty is None else _content(liberty)
    # Cells of the unit are instances of these modules, so the RTLIL does not hold them.
    adders = adders_verilog()
    sources = source_digest(OWN, "asic_flow", "toolchain/yosys.py")
    tools = find("yosys").identity, find("yosys-abc").identity
    name = "" if liberty is None else liberty.name
    return key(rtlil, top, adders, library, name, repr(clock_period), *tools, sources)


def _content(liberty: Path) -> bytes:
    try:
        return liberty.read_bytes()
    except OSError:
        read_liberty(liberty)  # says what is wrong
        raise


def _map(rtlil: str, top: str, library: Library, clock_period: float | None) -> Synthesis:
    """The smallest netlist, of those that hold the clock; if none does, the fastest."""
    found = []
    for recipe in [Recipe.AREA] if clock_period is None else Recipe:
        mapped = map_to_cells(rtlil, top, library, recipe)
        timing = _timing(mapped, library, clock_period)
        found.append(_described(rtlil, library, recipe, mapped, timing, clock_period))
    if clock_period is None:
        return found[0]
    held = [one for one in found if one.delay <= 1000 * clock_period]
    return min(held, key=lambda one: one.total) if held else min(found, key=lambda one: one.delay)


def _timing(mapped: MappedNetlist, library: Library, clock_period: float | None) -> Timing | None:
    if not library.timed:
        return None
    timing = time_netlist(mapped, library)
    if clock_period is None or timing.delay <= 1000 * clock_period:
        return timing
    return time_netlist(mapped, library, period=1000 * clock_period)


def _described(
    rtlil: str,
    library: Library,
    recipe: Recipe,
    mapped: MappedNetlist,
    timing: Timing | None,
    clock_period: float | None,
) -> Synthesis:
    cells = mapped.cells if timing is None else timing.cells
    yosys = find("yosys")
    method = (
        f"{yosys.origin.removeprefix('wheel ')}, ABC {recipe.name.lower()} script"
        f"{' and sizing' if cells != mapped.cells else ''}, {library.source}"
    )
    return Synthesis(
        unit="",
        style="",
        target="",
        area_unit=library.unit,
        combinational=_area(library, cells, registers=False),
        registers=_area(library, cells, registers=True),
        cells=dict(cells),
        delay=timing.delay if timing else None,
        path=timing.path if timing else "",
        clock_period=clock_period,
        method=method,
        adders={module: mapping.value for module, mapping in mapped.adders.items()},
        rtlil_digest=hashlib.sha256(rtlil.encode()).hexdigest(),
        netlist=mapped.verilog,
        tools={"yosys": ".".join(map(str, yosys.version))},
        operations={},
    )


def _area(library: Library, cells: Mapping[str, int], *, registers: bool) -> float:
    areas = (
        library.cells[name].area * number
        for name, number in cells.items()
        if library.cells[name].sequential is registers
    )
    return float(sum(areas, Fraction(0)))
