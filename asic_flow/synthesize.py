"""Maps units to standard cells: area in NAND2 equivalents or um2, and the clock that they hold."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from amaranth.lib import wiring

from multipede.asic_flow.liberty.gate_table import gate_library
from multipede.asic_flow.liberty.library import Library, read_liberty
from multipede.asic_flow.mapping.candidates import Candidates
from multipede.asic_flow.mapping.fitting import Fitted
from multipede.asic_flow.mapping.map_to_cells import MappedNetlist
from multipede.asic_flow.netlist.ownership import owner_of_cells
from multipede.asic_flow.synthesis import GATES, Synthesis
from multipede.asic_flow.timing.conditions import Conditions, usual_conditions
from multipede.asic_flow.timing.static_timing import TimingPath
from multipede.golden.source_files import OWN, source_digest
from multipede.golden.spec import Spec
from multipede.hw import Style
from multipede.hw.arithmetic.adders import adders_verilog
from multipede.hw.hierarchy import to_rtlil
from multipede.sim.verilog import rtlil_of
from multipede.toolchain import cached, find, key, write_atomically

__all__ = [
    "Constraints",
    "Synthesis",
    "synthesize",
    "synthesize_component",
    "synthesize_rtlil",
]


@dataclass(frozen=True, kw_only=True)
class Constraints:
    """What a netlist is made for.

    Parameters
    ----------
    clock_period : ns from one clock to the next, registers and setup included. None for the
        smallest area.
    fastest : instead of a clock period, the shortest that can be held, by bisection to 1 %.
    driver : cell of the library that drives each input; by default its smallest buffer.
    output_load : fF on each output; by default four of the smallest inverter.
    wire_load : name of the library's wire-load model, or ``"none"``; by default its default.
    time_limit : s for all of it.
    """

    clock_period: float | None = None
    fastest: bool = False
    driver: str | None = None
    output_load: float | None = None
    wire_load: str | None = None
    time_limit: float = 1800.0

    def __post_init__(self) -> None:
        period = self.clock_period
        if period is not None and not 0 < period < float("inf"):
            raise ValueError(f"clock_period = {period}: more than 0 ns is needed")
        if period is not None and self.fastest:
            raise ValueError(f"clock_period = {period}: none is taken with fastest = True")
        if self.output_load is not None and not 0 <= self.output_load < float("inf"):
            raise ValueError(f"output_load = {self.output_load}: 0 fF or more is needed")
        if not self.time_limit > 0:
            raise ValueError(f"time_limit = {self.time_limit}: more than 0 s is needed")

    def __str__(self) -> str:
        given = [(f.name, getattr(self, f.name), f.default) for f in fields(self)]
        return ", ".join(f"{n} = {v}" for n, v, default in given if v != default) or "none"

    def conditions(self, library: Library) -> Conditions | None:
        """What stands around the netlist; None for a library without delays.

        Raises ValueError for what needs delays if the library has none.
        """
        if library.timed:
            return usual_conditions(
                library, driver=self.driver, output_load=self.output_load, wires=self.wire_load
            )
        for name in ("clock_period", "fastest", "driver", "output_load", "wire_load"):
            if getattr(self, name) not in (None, False):
                raise ValueError(f"{name} = {getattr(self, name)}: {library.source} has no delays")
        return None


def synthesize(
    spec: Spec,
    style: Style = Style.CELLS,
    *,
    liberty: Path | Library | None = None,
    constraints: Constraints | None = None,
) -> Synthesis:
    """Map a unit to standard cells for the smallest area, or to hold a clock. Cached.

    Parameters
    ----------
    spec, style : the unit and how its sums are written out.
    liberty : a Liberty file, plain or compressed by gzip, or a library that was read: areas in um2,
        and a delay. Without it the table of gate sizes: areas in NAND2 equivalents.
    constraints : the clock and what stands around; by default the smallest area. If the clock
        cannot be held, the fastest netlist found is returned: see ``holds_clock``.

    Raises
    ------
    ValueError
        For a Liberty file that is missing or broken or lacks an inverter, a buffer or a NAND gate,
        a constraint that the library cannot meet, such as a clock period without delays.
    ToolError
        If Yosys is missing, fails or takes too long, or the library lacks a cell that the unit
        needs, such as a flip-flop.
    """
    found = synthesize_rtlil(
        rtlil_of(spec, style), top=spec.unit, liberty=liberty, constraints=constraints
    )
    return replace(found, unit=str(spec), style=style.value, operations=dict(spec.operations or {}))


def synthesize_component(
    component: wiring.Component,
    *,
    name: str,
    style: Style,
    liberty: Path | Library | None = None,
    constraints: Constraints | None = None,
) -> Synthesis:
    """Map any component, such as a bare :class:`~multipede.hw.arithmetic.summation.Summation`."""
    found = synthesize_rtlil(
        to_rtlil(component, name), top=name, liberty=liberty, constraints=constraints
    )
    return replace(found, style=style.value)


def synthesize_rtlil(
    rtlil: str,
    *,
    top: str,
    liberty: Path | Library | None = None,
    constraints: Constraints | None = None,
) -> Synthesis:
    """Map any RTLIL whose top module is ``top``; see :func:`synthesize`."""
    constraints = constraints or Constraints()
    identity = _identity(rtlil, top, liberty, constraints)

    def build(place: Path) -> None:
        library = _library(liberty)
        around = constraints.conditions(library)
        made = _synthesis(rtlil, top, library, around, constraints)
        made = replace(made, target=GATES if liberty is None else library.source)
        values = {**vars(made), "paths": [path.to_dict() for path in made.paths]}
        write_atomically(place / "synthesis.json", json.dumps(values))

    place = cached("synthesis", identity, build)
    values = json.loads((place / "synthesis.json").read_text())
    paths = tuple(map(TimingPath.from_dict, values.pop("paths")))
    overloaded = tuple(values.pop("overloaded"))
    return Synthesis(**values, paths=paths, overloaded=overloaded)


def _library(liberty: Path | Library | None) -> Library:
    if liberty is None:
        return gate_library()
    return liberty if isinstance(liberty, Library) else read_liberty(Path(liberty))


def _identity(
    rtlil: str, top: str, liberty: Path | Library | None, constraints: Constraints
) -> str:
    if isinstance(liberty, Library):
        content, name = liberty.text.encode(), liberty.source
    elif liberty is None:
        content, name = gate_library().text.encode(), ""
    else:
        content, name = _content(Path(liberty)), Path(liberty).name
    # Cells of the unit are instances of these modules, so the RTLIL does not hold them.
    adders = adders_verilog()
    sources = source_digest(OWN, "asic_flow", "toolchain/yosys.py")
    asked = {name: value for name, value in vars(constraints).items() if name != "time_limit"}
    return key(rtlil, top, adders, content, name, repr(asked), find("yosys").identity, sources)


def _content(liberty: Path) -> bytes:
    try:
        return liberty.read_bytes()
    except OSError:
        read_liberty(liberty)  # says what is wrong
        raise


def _synthesis(
    rtlil: str, top: str, library: Library, around: Conditions | None, constraints: Constraints
) -> Synthesis:
    candidates = Candidates(rtlil, top, library, around, time_limit=constraints.time_limit)
    period = constraints.clock_period
    fitted: Fitted | None = None
    if around is None:
        mapped = candidates.smallest
    elif constraints.fastest:
        mapped, fitted = candidates.fastest()
        period = fitted.timing.delay / 1000
    else:
        mapped, fitted = candidates.best(None if period is None else 1000 * period)
    netlist = mapped.netlist if fitted is None else fitted.netlist
    yosys = find("yosys")
    return Synthesis(
        unit=top,
        style="",
        target=library.source,
        area_unit=library.unit,
        combinational=_area(library, netlist, registers=False),
        registers=_area(library, netlist, registers=True),
        cells=dict(sorted(Counter(c["type"] for c in netlist["cells"].values()).items())),
        modules=_modules(library, netlist),
        overloaded=fitted.overloaded if fitted else (),
        delay=fitted.timing.delay if fitted else None,
        paths=fitted.timing.paths if fitted else (),
        clock_period=period,
        conditions=around.to_dict() if around else None,
        method=_method(mapped, library, period),
        adders={module: mapping.value for module, mapping in mapped.mappings.items()},
        rtlil_digest=hashlib.sha256(rtlil.encode()).hexdigest(),
        top=top,
        netlist=netlist,
        tools={"yosys": ".".join(map(str, yosys.version))},
        operations={},
    )


def _method(mapped: MappedNetlist, library: Library, period: float | None) -> str:
    origin = find("yosys").origin.removeprefix("wheel ")
    adders = f", adders {mapped.adders.value}" if mapped.mappings else ""
    fitted = "" if not library.timed else ", buffers" if period is None else ", buffers and sizing"
    return f"{origin}, ABC {mapped.recipe.name.lower()} script{adders}{fitted}, {library.source}"


def _modules(library: Library, netlist: Mapping[str, Any]) -> dict[str, float]:
    areas: dict[str, Fraction] = defaultdict(Fraction)
    for name, owner in owner_of_cells(netlist).items():
        areas[owner] += library.cells[netlist["cells"][name]["type"]].area
    return {owner: float(area) for owner, area in sorted(areas.items())}


def _area(library: Library, netlist: Mapping[str, Any], *, registers: bool) -> float:
    areas = (
        library.cells[cell["type"]].area
        for cell in netlist["cells"].values()
        if library.cells[cell["type"]].sequential is registers
    )
    return float(sum(areas, Fraction(0)))
