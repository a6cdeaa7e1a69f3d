"""One word for every target: standard cells by their table or library, FPGAs by name."""

from pathlib import Path
from typing import TYPE_CHECKING

from multipede.fpga.devices import DEVICES
from multipede.golden.spec import Spec
from multipede.hw import Style

if TYPE_CHECKING:
    from multipede.asic_flow import Constraints, Library, Synthesis, UnitPower
    from multipede.asic_flow.n28 import Corner
    from multipede.fpga.resources import Resources
    from multipede.sim.solver import Answer

__all__ = [
    "TARGETS",
    "cell_library",
    "library_with_energies",
    "power",
    "prove_netlist",
    "require_options",
    "require_target",
    "synthesize",
    "takes",
    "usual_style",
]

TARGETS = ("gates", "n28", *DEVICES)
"""``gates``: NAND2 equivalents; ``n28``: our predictive 28 nm library, at 0.9 V and 25 C, or at
another corner as in ``n28-ss_0p81v_125c``; and FPGAs: ``ecp5`` and ``ice40`` of Lattice, ``gowin``
(LittleBee), ``xc7`` and ``xcup`` (UltraScale+) of Xilinx."""

USUAL_TARGETS = ("gates", "n28", "ecp5", "xcup")
"""Those that units are compared on unless others are asked for."""

_OPTIONS = {
    "gates": ("liberty", "constraints"),
    "n28": ("constraints",),
    **dict.fromkeys(DEVICES, ("dsp",)),
}


def usual_style(target: str) -> Style:
    """The style of a unit's RTL on a target unless asked for otherwise."""
    return Style.WORD if target in DEVICES else Style.CELLS


def synthesize(
    spec: Spec,
    target: str = "gates",
    *,
    style: Style | None = None,
    liberty: Path | None = None,
    constraints: "Constraints | None" = None,
    dsp: bool | None = None,
) -> "Synthesis | Resources":
    """What the unit takes on a target.

    Parameters
    ----------
    spec : the unit.
    target : one of :data:`TARGETS`.
    style : of the RTL; by default cells for standard cells and words for FPGAs.
    liberty : a Liberty file to map to in place of the table, for ``gates`` only; areas are then
        in the library's unit, um2.
    constraints : the clock to hold and what stands around, for ``n28`` and for ``gates`` with a
        Liberty file. Without them the area is made smallest.
    dsp : for FPGAs: whether multiplications left to synthesis go into DSP blocks (True).

    Raises
    ------
    TypeError, ValueError
        For an unknown target, or a Liberty file, constraints or ``dsp`` that it does not take.
    ToolError
        If Yosys is missing or fails, or the Liberty file is unusable.
    """
    require_target(target)
    require_options([target], {"liberty": liberty, "constraints": constraints, "dsp": dsp})
    style = style or usual_style(target)
    if target in DEVICES:
        from multipede.fpga import resources

        return resources(spec, device=target, style=style, dsp=dsp is not False)
    from multipede.asic_flow import synthesize as map_to_cells

    library = cell_library(target, liberty)
    return map_to_cells(spec, style=style, liberty=library, constraints=constraints)


def power(
    spec: Spec,
    target: str = "n28",
    *,
    style: Style | None = None,
    liberty: Path | None = None,
    constraints: "Constraints | None" = None,
    records: int = 1000,
    seed: int = 1,
) -> "UnitPower":
    """A unit's power for ordinary operands, its netlist held against the reference on the way.

    Parameters
    ----------
    spec, target, style, liberty, constraints : as for :func:`synthesize`; of standard cells with
        energies. Power is at the clock that the constraints ask for; without one, at the longest
        path of the smallest netlist.
    records, seed : of the workload.

    Raises
    ------
    As :func:`synthesize`; ValueError for a target without energies, too, or a clock that the unit
    cannot hold; MismatchError if the netlist does not compute what the reference does.
    """
    from multipede.asic_flow import unit_power

    return unit_power(
        spec,
        style or usual_style(target),
        liberty=library_with_energies(target, liberty, constraints),
        constraints=constraints,
        records=records,
        seed=seed,
    )


def prove_netlist(
    spec: Spec, found: "Synthesis", target: str, *, liberty: Path | None, budget: float
) -> "Answer":
    """Whether a netlist that :func:`synthesize` made, in the style that it says, equals the RTL.

    See :func:`~multipede.asic_flow.equivalence.prove_netlist`, whose errors it raises; ValueError
    for a budget that is not more than 0 s.
    """
    from multipede.asic_flow.equivalence import prove_netlist as prove
    from multipede.asic_flow.liberty.gate_table import gate_library
    from multipede.asic_flow.liberty.library import read_liberty
    from multipede.sim.verilog import rtlil_of

    library = cell_library(target, liberty)
    if isinstance(library, Path):
        library = read_liberty(library)
    rtlil = rtlil_of(spec, Style(found.style))
    return prove(rtlil, found, library or gate_library(), budget=budget)


def library_with_energies(
    target: str, liberty: Path | None, constraints: "Constraints | None" = None
) -> "Path | Library":
    """What power is computed with. ValueError for targets that have no energies."""
    require_target(target)
    library = None if target in DEVICES else cell_library(target, liberty)
    if library is None:
        raise ValueError(
            f"target = {target!r}: power needs energies, those of 'n28' or of 'gates' with a"
            " Liberty file"
        )
    require_options([target], {"liberty": liberty, "constraints": constraints})
    return library


def cell_library(target: str, liberty: Path | None) -> "Path | Library | None":
    """The library of standard cells of a target; None for the table of gates, and for FPGAs."""
    from multipede.asic_flow.n28 import n28_library

    corner = _corner(target)
    return liberty if corner is None else n28_library(corner)


def _family(target: str) -> str:
    return target.split("-", 1)[0]


def _corner(target: str) -> "Corner | None":
    """Of the n28 library; None for other targets. KeyError for a corner that it lacks."""
    from multipede.asic_flow.n28 import Corner

    family, _, key = target.partition("-")
    corners = {corner.key: corner for corner in Corner} | {"": Corner.TT_0P90V_25C}
    return corners[key] if family == "n28" else None


def require_target(target: str) -> None:
    """ValueError for what is no target, naming those that are."""
    try:
        known = target in TARGETS or _corner(target) is not None
    except KeyError:
        known = False
    if not known:
        from multipede.asic_flow.n28 import Corner

        corners = ", ".join(f"n28-{corner.key}" for corner in Corner)
        raise ValueError(f"target = {target!r}: allowed are {', '.join(TARGETS)}, {corners}")


def takes(target: str, option: str) -> bool:
    """Whether the target takes ``liberty``, ``constraints`` or ``dsp``."""
    return option in _OPTIONS.get(_family(target), ())


def require_options(targets: list[str], options: dict[str, object]) -> None:
    """ValueError for an option, by name and None if not given, that none of the targets takes."""
    for name, value in options.items():
        if value is not None and not any(takes(target, name) for target in targets):
            takers = " and ".join(f"'{target}'" for target in _OPTIONS if takes(target, name))
            given = str(value) if name == "constraints" else f"{name} = {value}"
            raise ValueError(f"{given}: only {takers} of the targets take it")
