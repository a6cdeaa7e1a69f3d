"""Units on standard cells, and the libraries of these."""

from pathlib import Path

from multipede.arguments.shared import (
    CORNERS,
    Command,
    add_cells,
    add_parameters,
    add_targets,
    add_unit,
    directory,
)
from multipede.cell_commands import (
    power_command,
    recipes_command,
    synthesize_command,
    validate_command,
)

__all__ = ["add_commands"]


def add_commands(command: Command) -> None:
    """All of these commands."""
    _add_synthesize(command)
    _add_power(command)
    _add_recipes(command)
    _add_validate(command)


def _add_synthesize(command: Command) -> None:
    synthesize = add_unit(command("synthesize", "count gates or LUTs", synthesize_command))
    add_targets(
        synthesize, f"gates, {CORNERS}, ecp5, ice40, gowin, xc7 or xcup; may be repeated (gates)"
    )
    synthesize.add_argument(
        "--no-dsp", action="store_true", help="on FPGAs: multiplications in look-up tables"
    )
    add_cells(synthesize)
    synthesize.add_argument(
        "--prove", type=float, metavar="S", help="prove the netlist equal to the RTL, in S seconds"
    )
    synthesize.add_argument("--netlist", type=Path, metavar="FILE", help="write it as Verilog, too")
    synthesize.add_argument(
        "--paths", type=int, default=0, metavar="N", help="print the N longest paths, 10 at most"
    )
    synthesize.add_argument(
        "--baselines",
        action="store_true",
        help="beside the unit's baselines (gates, n28, ecp5, xcup)",
    )


def _add_power(command: Command) -> None:
    power = add_unit(
        command("power", "power of the gate-level netlist, in operation", power_command)
    )
    power.add_argument("--target", help=f"{CORNERS}, or gates with --liberty (n28)")
    add_cells(power)
    power.add_argument("--records", type=int, default=1000, metavar="N", help="operands (1000)")
    power.add_argument("--seed", type=int, default=1, metavar="N", help="of the operands (1)")
    power.add_argument(
        "--baselines", action="store_true", help="beside the unit's baselines, at one clock"
    )
    power.add_argument(
        "-o",
        "--output",
        type=directory,
        metavar="DIR",
        help="write netlist, models of cells, SAIF, VCD and n28 for other programs",
    )


def _add_recipes(command: Command) -> None:
    recipes = command("recipes", "search smaller synthesis scripts for units", recipes_command)
    recipes.add_argument("units", nargs="+", metavar="unit", help="names from 'multipede list'")
    add_parameters(recipes)
    recipes.add_argument("--target", help=f"{CORNERS} or gates (n28; gates with --liberty)")
    recipes.add_argument("--liberty", type=Path, metavar="FILE", help="map to this library")
    recipes.add_argument("--trials", type=int, default=200, metavar="N", help="for each (200)")
    recipes.add_argument("--seed", type=int, default=1, metavar="N", help="of the search (1)")


def _add_validate(command: Command) -> None:
    validate = command("validate", "a library against published results", validate_command)
    validate.add_argument("library", choices=["n28"], help="the one that is held against them: n28")
    validate.add_argument(
        "--liberty", type=Path, metavar="FILE", help="the same blocks with this library instead"
    )
