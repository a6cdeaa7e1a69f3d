"""One word for every target: standard cells by their table or Liberty file, FPGAs by name."""

from pathlib import Path
from typing import TYPE_CHECKING

from multipede.golden.spec import Spec
from multipede.hw import Style

if TYPE_CHECKING:
    from multipede.asic_flow import Constraints, Synthesis
    from multipede.fpga.resources import Resources

__all__ = ["TARGETS", "synthesize"]

TARGETS = ("gates", "ecp5", "xcup")
"""``gates``: NAND2 equivalents; ``ecp5``: Lattice ECP5; ``xcup``: Xilinx UltraScale+."""


def synthesize(
    spec: Spec,
    target: str = "gates",
    *,
    style: Style | None = None,
    liberty: Path | None = None,
    constraints: "Constraints | None" = None,
) -> "Synthesis | Resources":
    """What the unit takes on a target.

    Parameters
    ----------
    spec : the unit.
    target : one of :data:`TARGETS`.
    style : of the RTL; by default cells for standard cells and words for FPGAs.
    liberty : a Liberty file to map to in place of the table, for ``gates`` only; areas are then
        in the library's unit, um2.
    constraints : the clock to hold and what stands around, for standard cells with delays. Without
        them the area is made smallest.

    Raises
    ------
    TypeError, ValueError
        For an unknown target, or a Liberty file or constraints that it does not take.
    ToolError
        If Yosys is missing or fails, or the Liberty file is unusable.
    """
    if target not in TARGETS:
        raise ValueError(f"target = {target!r}: allowed are {', '.join(TARGETS)}")
    if target == "gates":
        from multipede.asic_flow import synthesize as map_to_cells

        style = style or Style.CELLS
        return map_to_cells(spec, style=style, liberty=liberty, constraints=constraints)
    for name, value in (("liberty", liberty), ("constraints", constraints)):
        if value is not None:
            raise ValueError(f"{name} = {value}: only target 'gates' takes it")
    from multipede.fpga import resources

    return resources(spec, device=target, style=style or Style.WORD)
