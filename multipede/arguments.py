"""The arguments of the command line."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from multipede.answer import Answer
from multipede.cell_commands import (
    power_command,
    recipes_command,
    synthesize_command,
    validate_command,
)
from multipede.commands import (
    demo_command,
    doctor_command,
    generate_command,
    list_command,
    show_command,
    statistics_command,
)
from multipede.fpga_commands import (
    boards_command,
    build_command,
    fit_command,
    route_command,
    simulate_board_command,
    try_command,
)
from multipede.prediction_commands import calibrate_command, predict_command
from multipede.reproduce_command import EXPERIMENTS, reproduce_command
from multipede.sweep_commands import report_command, results_command, sweep_command
from multipede.verify_command import verify_command
from multipede.workload_command import workload_command

__all__ = ["Parser", "parser"]

CORNERS = "n28 (or n28-ss_0p81v_125c, n28-ss_0p90v_m40c, n28-ff_0p99v_0c)"


class Parser(argparse.ArgumentParser):
    """Says what was wrong in one line."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message} (see '{self.prog} --help')")


_Command = Callable[[str, str, Callable[..., Answer]], Parser]
"""Adds a command by its name, what it does, and its function."""


def parser() -> argparse.ArgumentParser:
    """Of all commands; what it parses has the command's function as ``command``."""
    import multipede

    made = Parser(prog="multipede", description="Mixed-precision processing elements.")
    made.add_argument("--version", action="version", version=multipede.__version__)
    commands = made.add_subparsers(dest="name", required=True, metavar="COMMAND")

    def command(name: str, help_: str, function: Callable[..., Answer]) -> Parser:
        added = commands.add_parser(name, help=help_, description=help_)
        added.add_argument("--json", action="store_true", help="print one JSON document")
        added.set_defaults(command=function)
        return added

    command("list", "list the units", list_command)
    _add_unit(command("show", "show a unit's parameters, ports and operators", show_command))
    _add_statistics(command)
    _add_generate(command)
    _add_verify(command)
    _add_synthesize(command)
    _add_power(command)
    _add_route(command)
    _add_build(command)
    _add_fit(command)
    command("boards", "list boards and chips", boards_command)
    _add_try(command)
    _add_simulate_board(command)
    _add_predict(command)
    _add_calibrate(command)
    _add_sweep(command)
    _add_results(command)
    _add_report(command)
    _add_workload(command)
    _add_reproduce(command)
    _add_recipes(command)
    _add_demo(command)
    _add_validate(command)
    _add_doctor(command)
    return made


def _add_statistics(command: _Command) -> None:
    statistics = _add_unit(
        command("statistics", "the errors of a multiplier or a function", statistics_command)
    )
    statistics.add_argument(
        "--rounded-operands",
        action="store_true",
        help="of real numbers that are rounded to a multiplier's operands, not of these themselves",
    )


def _add_generate(command: _Command) -> None:
    generate = _add_unit(
        command("generate", "write Verilog, ports.json and a bench", generate_command)
    )
    generate.add_argument("-o", "--output", type=directory, required=True, metavar="DIR")
    generate.add_argument("--style", help="word, cells or cells-prefix (word; cells with --flow)")
    generate.add_argument("--name", help="name of the top module (default: the unit's)")
    generate.add_argument("--vectors", type=int, default=1000, help="records in the bench")
    generate.add_argument("--seed", type=int, default=1)
    generate.add_argument("--cocotb", action="store_true", help="write tests for cocotb, too")
    generate.add_argument("--bus", help="put it on a bus, too: axi4-stream")
    generate.add_argument(
        "--data-bits", type=int, metavar="N", help="of the bus, 8 to 1024 (a record in one beat)"
    )
    generate.add_argument("--flow", help="write for place and route, too: orfs or librelane")
    generate.add_argument("--platform", metavar="NAME", help="the flow's, such as asap7, sky130A")
    generate.add_argument("--clock-period", type=float, metavar="NS", help="for place and route")
    generate.add_argument("--core-utilization", type=int, metavar="N", help="per cent (40)")


def _add_verify(command: _Command) -> None:
    verify = _add_unit(
        command("verify", "compare RTL with its reference, bit for bit", verify_command)
    )
    verify.add_argument(
        "--style", action="append", help="word, cells or cells-prefix; may be repeated (all)"
    )
    verify.add_argument(
        "--records",
        type=int,
        help="random ones per style, beside all corners (100000); per case of cocotb (2000)",
    )
    verify.add_argument("--seed", type=int, help="of everything random (1)")
    instead = verify.add_mutually_exclusive_group()
    instead.add_argument(
        "--cocotb", action="store_true", help="on the pins under cocotb instead (word style)"
    )
    instead.add_argument("--formal", action="store_true", help="prove what can be proved instead")
    instead.add_argument(
        "--coverage", action="store_true", help="what the stimuli reach in the RTL instead"
    )
    instead.add_argument(
        "--mutate",
        type=int,
        metavar="N",
        help="plant N errors instead: are they found? (word style)",
    )
    verify.add_argument("--simulator", help="for --cocotb: verilator (default) or icarus")
    verify.add_argument(
        "--budget", type=float, metavar="S", help="seconds for each proof of --formal, --mutate"
    )
    verify.add_argument(
        "--junit", type=Path, metavar="FILE", help="write the checks as JUnit XML, too"
    )


def _add_synthesize(command: _Command) -> None:
    synthesize = _add_unit(command("synthesize", "count gates or LUTs", synthesize_command))
    synthesize.add_argument(
        "--target",
        action="append",
        help=f"gates, {CORNERS}, ecp5, ice40, gowin, xc7 or xcup; may be repeated (gates)",
    )
    synthesize.add_argument(
        "--no-dsp", action="store_true", help="on FPGAs: multiplications in look-up tables"
    )
    _add_cells(synthesize)
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


def _add_power(command: _Command) -> None:
    power = _add_unit(
        command("power", "power of the gate-level netlist, in operation", power_command)
    )
    power.add_argument("--target", help=f"{CORNERS}, or gates with --liberty (n28)")
    _add_cells(power)
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


def _add_route(command: _Command) -> None:
    routing = _add_unit(
        command("route", "how fast it is on an FPGA, placed and routed", route_command)
    )
    routing.add_argument(
        "--chip", action="append", help="from 'multipede boards'; may be repeated (ecp5-25f)"
    )
    routing.add_argument("--style", help="word, cells or cells-prefix (word)")
    _add_placing(routing, seeds=5, frequency="to aim at (the chip's)")


def _add_build(command: _Command) -> None:
    building = _add_unit(command("build", "a bitstream for a board", build_command))
    building.add_argument("--board", required=True, help="from 'multipede boards'")
    building.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="the bitstream; a directory for Vivado"
    )
    _add_line(building)
    building.add_argument(
        "--records", type=int, metavar="N", help="places for records (as many as 2 KiB hold)"
    )
    building.add_argument(
        "--load", action="store_true", help="load it onto the board by openFPGALoader"
    )
    _add_placing(building, seeds=2)


def _add_fit(command: _Command) -> None:
    fitting = _add_unit(command("fit", "the most columns of a tile that fit a board", fit_command))
    fitting.add_argument(
        "--board", action="append", required=True, help="from 'multipede boards'; may be repeated"
    )
    fitting.add_argument("--most", type=int, metavar="N", help="columns at most (256)")
    fitting.add_argument("--time-limit", type=float, metavar="S", help="for each placement (900)")
    _add_line(fitting)
    _add_placing(fitting, seeds=2)


def _add_try(command: _Command) -> None:
    trying = command("try", "send records through a board and compare the results", try_command)
    trying.add_argument("port", help="of the host, as in /dev/ttyUSB0")
    trying.add_argument("--records", type=int, default=1000, metavar="N", help="operands (1000)")
    trying.add_argument("--seed", type=int, default=1, metavar="N", help="of the operands (1)")
    _add_line(trying)
    trying.add_argument("--timeout", type=float, metavar="S", help="for an answer (2)")


def _add_simulate_board(command: _Command) -> None:
    board = _add_unit(
        command("simulate-board", "the RTL of a board behind a port", simulate_board_command)
    )
    board.add_argument("--records", type=int, metavar="N", help="places for records")


def _add_placing(
    parser: Parser,
    *,
    seeds: int,
    frequency: str = "of the clock, by a PLL of ECP5, iCE40 or Gowin (the oscillator's)",
) -> None:
    """What place and route is asked for."""
    parser.add_argument(
        "--seeds", type=int, default=seeds, metavar="N", help=f"of the placer ({seeds})"
    )
    parser.add_argument("--frequency", type=float, metavar="MHZ", help=frequency)


def _add_line(parser: Parser) -> None:
    parser.add_argument("--baud-rate", type=int, metavar="N", help="of the serial line (1000000)")


def _add_sweep(command: _Command) -> None:
    sweep = command("sweep", "what the points of design spaces take", sweep_command)
    sweep.add_argument("space", type=Path, metavar="SPACE.toml", help="tables [[space]]")
    sweep.add_argument("--target", action="append", help="may be repeated (n28)")
    sweep.add_argument(
        "--points", type=int, metavar="N", help="random ones, or of a search (all, without)"
    )
    sweep.add_argument("--search", help="nsga2 or tpe, by --minimise and --maximise")
    _add_goals(sweep)
    sweep.add_argument(
        "--measure",
        help="all points; none, only predict; or pareto, the best of what is predicted (pareto if"
        " there is --minimise or --maximise, else all)",
    )
    _add_calibration(sweep)
    sweep.add_argument("--seed", type=int, default=1)
    sweep.add_argument("--retry", action="store_true", help="what failed before")
    _add_workers(sweep)
    sweep.add_argument("--clock-period", type=float, metavar="NS", help="on standard cells")
    sweep.add_argument("--liberty", type=Path, metavar="FILE", help="for target gates")
    sweep.add_argument("--energy", action="store_true", help="simulate power, too")
    _add_table(sweep)


def _add_workers(parser: Parser) -> None:
    """Who synthesises points, within which limits, and where that is kept."""
    parser.add_argument("--store", type=Path, metavar="FILE", help="of results, to go on with")
    parser.add_argument("--workers", type=int, metavar="N", help="processes (one per processor)")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="of Dask, as in tcp://10.0.0.7:8786")
    parser.add_argument("--seconds", type=int, metavar="S", help="for a point (1800)")
    parser.add_argument("--megabytes", type=int, metavar="MB", help="of memory for it (16384)")


def _add_calibration(parser: Parser) -> None:
    parser.add_argument(
        "--calibration", type=Path, metavar="FILE", help="that 'calibrate' made, for predictions"
    )


def _add_predict(command: _Command) -> None:
    predict = _add_unit(
        command("predict", "what a unit takes, about, without synthesis", predict_command)
    )
    predict.add_argument("--target", action="append", help="may be repeated (n28)")
    _add_calibration(predict)


def _add_calibrate(command: _Command) -> None:
    calibrate = command(
        "calibrate", "make predictions for a target from synthesised points", calibrate_command
    )
    calibrate.add_argument("target", help="n28, an FPGA, or gates with --liberty")
    calibrate.add_argument("--liberty", type=Path, metavar="FILE", help="for target gates")
    calibrate.add_argument(
        "--points", type=int, default=12, metavar="N", help="random ones of each space (12)"
    )
    calibrate.add_argument(
        "--families", type=Path, metavar="DIRECTORY", help="of files FAMILY.toml with design spaces"
    )
    _add_workers(calibrate)
    calibrate.add_argument(
        "--refit", action="store_true", help="fit the points beside -o anew, without synthesis"
    )
    calibrate.add_argument(
        *("-o", "--output"),
        type=Path,
        required=True,
        metavar="FILE.json",
        help="the calibration; its points go to FILE.csv",
    )


def _add_results(command: _Command) -> None:
    results = command("results", "what a file of results has", results_command)
    results.add_argument("file", type=Path, metavar="FILE")
    results.add_argument("--unit", help="only of this one")
    results.add_argument("--target", help="only on this one")
    _add_goals(results)
    results.add_argument("--compare", type=Path, metavar="NEWER", help="what changed in this one")
    results.add_argument(
        "--tolerance", type=float, default=0.01, metavar="X", help="of --compare (0.01)"
    )
    _add_table(results)


def _add_goals(parser: Parser) -> None:
    for option, what in (("--minimise", "small"), ("--maximise", "large")):
        parser.add_argument(
            option,
            action="append",
            default=[],
            metavar="COLUMN",
            help=f"that is to be {what}, as n28.area; may be repeated; shows the Pareto front",
        )


def _add_table(parser: Parser) -> None:
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help=".csv or .parquet")


def _add_report(command: _Command) -> None:
    report = command("report", "one page of a file of results", report_command)
    report.add_argument("results", type=Path, metavar="RESULTS.sqlite")
    report.add_argument(
        "--reproduction", type=Path, metavar="FILE", help="that 'reproduce --json' printed"
    )
    report.add_argument("--title", default="Multipede", help="of the page")
    report.add_argument(
        *("-o", "--output"), type=Path, required=True, metavar="FILE.html", help="the page"
    )


def _add_workload(command: _Command) -> None:
    workload = command("workload", "a transformer on arrays of tiles", workload_command)
    workload.add_argument("transformer", help="as llama-2-7b; another word names all")
    _add_unit(workload)
    workload.add_argument("--phase", default="prefill", help="prefill or decode (prefill)")
    workload.add_argument("--tokens", type=int, default=256, metavar="N", help="before it (256)")
    workload.add_argument("--batch", type=int, default=1, metavar="N", help="sequences (1)")
    equal = workload.add_mutually_exclusive_group()
    equal.add_argument("--area", type=float, metavar="MM2", help="of tiles together (1)")
    equal.add_argument("--rate", type=int, metavar="N", help="multiply-accumulates a clock")
    workload.add_argument("--baselines", action="store_true", help="beside the tile's baselines")
    workload.add_argument("--target", help=f"{CORNERS}, or gates with --liberty (n28)")
    workload.add_argument("--liberty", type=Path, metavar="FILE", help="for target gates")
    workload.add_argument("--clock-period", type=float, default=2.0, metavar="NS", help="(2)")
    workload.add_argument("--weight-buffer", type=int, metavar="BYTES", help="(131072)")
    workload.add_argument("--activation-buffer", type=int, metavar="BYTES", help="(262144)")
    workload.add_argument("--bits-per-clock", type=float, metavar="N", help="of memory (256)")
    workload.add_argument("--dram-energy", type=float, metavar="PJ", help="for a bit (18.75)")
    workload.add_argument("--sram-energy", type=float, metavar="PJ", help="for a bit (by size)")
    workload.add_argument(
        "--cache-bits", type=int, default=8, metavar="N", help="of keys and values (8)"
    )


def _add_reproduce(command: _Command) -> None:
    reproduce = command("reproduce", "published claims beside our figures", reproduce_command)
    reproduce.add_argument(
        "paper", nargs="?", choices=list(EXPERIMENTS), help="by its unit (headlines of all)"
    )
    experiments = "; ".join(f"{unit}: {', '.join(names)}" for unit, names in EXPERIMENTS.items())
    reproduce.add_argument(
        "experiment", nargs="?", help=f"which of its experiments (the first). {experiments}"
    )
    reproduce.add_argument("--target", help=f"{CORNERS} (n28)")
    reproduce.add_argument(
        "--clock-period", type=float, metavar="NS", help="for all units (2; lmul costs 4)"
    )
    reproduce.add_argument(
        "--shape",
        action="append",
        default=[],
        metavar="MxNxK",
        help="rows x columns x lanes; ablation and shapes: one to try instead of all, of 512"
        " multiply-accumulates; rivals and widths: the one (2x16x4)",
    )
    reproduce.add_argument(
        "--weight-bits",
        action="append",
        type=int,
        metavar="N",
        help="rivals: of weights (2); widths: one of several (1 to 8)",
    )
    reproduce.add_argument(
        "--activation", metavar="FORMAT", help="rivals and widths: of activations (int8)"
    )
    reproduce.add_argument(
        "--table-inputs", type=int, metavar="N", help="of lut_tensor_core: lanes of a table (4)"
    )
    reproduce.add_argument(
        "--stages", type=int, metavar="N", help="rivals and widths: register ranks (1; floats 4)"
    )
    reproduce.add_argument(
        "--batch", type=int, metavar="N", help="mixpe workloads: sequences at once (64)"
    )
    reproduce.add_argument(
        "--format",
        action="append",
        metavar="FORMAT",
        help="lmul costs, fpga: one of several (e5m2, e4m3, bf16, fp16, fp32)",
    )
    reproduce.add_argument(
        "--bits",
        action="append",
        type=int,
        metavar="N",
        help="quadinr costs, fpga: one of several (8, 10, 12, 16, 24; 8, 12, 16)",
    )
    reproduce.add_argument("--chip", help="fpga: to route for (ecp5-25f)")
    reproduce.add_argument("--frequency", type=float, metavar="MHZ", help="quadinr fpga (100)")
    reproduce.add_argument("--seeds", type=int, metavar="N", help="fpga: of the placer (3)")
    for option, what in (
        ("--size", "images, video, network (128), tuning (64): pixels of a side"),
        ("--frames", "video: how many (16)"),
        ("--iterations", "images, video, network (1000), tuning (500): steps of training"),
        ("--hidden", "images, video (64), network, tuning (32): units of a layer"),
        ("--layers", "images, video (3), network, tuning (2): with an activation"),
    ):
        reproduce.add_argument(option, type=int, metavar="N", help=what)
    reproduce.add_argument(
        "--image",
        action="append",
        metavar="NAME",
        help="images, network: one of several; video: the one",
    )
    reproduce.add_argument(
        "--plot", type=Path, metavar="FILE", help="images and video: the RTL's pictures, as PNG"
    )
    reproduce.add_argument("--sentences", type=int, metavar="N", help="embeddings: how many (600)")


def _add_recipes(command: _Command) -> None:
    recipes = command("recipes", "search smaller synthesis scripts for units", recipes_command)
    recipes.add_argument("units", nargs="+", metavar="unit", help="names from 'multipede list'")
    _add_parameters(recipes)
    recipes.add_argument("--target", help=f"{CORNERS} or gates (n28; gates with --liberty)")
    recipes.add_argument("--liberty", type=Path, metavar="FILE", help="map to this library")
    recipes.add_argument("--trials", type=int, default=200, metavar="N", help="for each (200)")
    recipes.add_argument("--seed", type=int, default=1, metavar="N", help="of the search (1)")


def _add_demo(command: _Command) -> None:
    demo = command("demo", "a transformer layer through the RTL", demo_command)
    demo.add_argument("-o", "--output", type=directory, default=Path("build/demo"), metavar="DIR")
    demo.add_argument("--weights", type=Path, metavar="FILE", help="another safetensors file")
    demo.add_argument("--tensor", metavar="NAME", help="its tensor, [outputs, inputs]")
    demo.add_argument("--style", default="word", help="word, cells or cells-prefix")
    demo.add_argument("--no-lookups", action="store_true", help="leave out the tiles of lookups")
    demo.add_argument("--no-costs", action="store_true", help="leave out the costs of the tiles")


def _add_validate(command: _Command) -> None:
    validate = command("validate", "a library against published results", validate_command)
    validate.add_argument("library", choices=["n28"], help="the one that is held against them: n28")
    validate.add_argument(
        "--liberty", type=Path, metavar="FILE", help="the same blocks with this library instead"
    )


def _add_doctor(command: _Command) -> None:
    doctor = command("doctor", "check the tools and say how to mend them", doctor_command)
    doctor.add_argument(
        "--shell", action="store_true", help="print exports that put our Verilator on the PATH"
    )
    doctor.add_argument("--clear-cache", action="store_true", help="remove everything cached")


def _add_cells(parser: Parser) -> None:
    """What netlists of standard cells are made of and made for."""
    parser.add_argument("--style", help="word, cells or cells-prefix (by target)")
    parser.add_argument("--liberty", type=Path, metavar="FILE", help="map to this library")
    parser.add_argument(
        "--clock-period",
        type=float,
        metavar="NS",
        help="hold this clock; power without one: its own",
    )
    parser.add_argument("--fastest", action="store_true", help="find the shortest clock period")
    parser.add_argument("--driver", metavar="CELL", help="what drives inputs (smallest buffer)")
    parser.add_argument(
        "--output-load", type=float, metavar="FF", help="on each output (four inverters)"
    )
    parser.add_argument("--wire-load", metavar="NAME", help="the library's model to use, or none")
    parser.add_argument("--time-limit", type=float, metavar="S", help="for all of it (1800)")


def _add_unit(parser: Parser) -> Parser:
    parser.add_argument("unit", help="a name from 'multipede list'")
    _add_parameters(parser)
    return parser


def _add_parameters(parser: Parser) -> None:
    parser.add_argument(
        "-p",
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="set a parameter, as in -p weight=uint4",
    )
    parser.add_argument(
        "--stallable", action="store_true", help="with ready on both sides: results may wait"
    )


def directory(text: str) -> Path:
    """A path; nothing at all is none, as a script's variable that was never set gives."""
    if not text:
        raise argparse.ArgumentTypeError("the name of a directory is needed, not an empty one")
    if Path(text).exists() and not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"{text} is a file: a directory is needed")
    return Path(text)
