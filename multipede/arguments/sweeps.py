"""Design spaces: predictions, sweeps and what is made of their results."""

from pathlib import Path

from multipede.arguments.shared import CORNERS, Command, Parser, add_targets, add_unit
from multipede.prediction_commands import calibrate_command, predict_command
from multipede.sweep_commands import report_command, results_command, sweep_command
from multipede.workload_command import workload_command

__all__ = ["add_commands"]


def add_commands(command: Command) -> None:
    """All of these commands."""
    _add_predict(command)
    _add_calibrate(command)
    _add_sweep(command)
    _add_results(command)
    _add_report(command)
    _add_workload(command)


def _add_predict(command: Command) -> None:
    predict = add_unit(
        command("predict", "what a unit takes, about, without synthesis", predict_command)
    )
    add_targets(predict, "n28 or an FPGA, as ecp5; may be repeated (n28)")
    _add_calibration(predict)


def _add_calibrate(command: Command) -> None:
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


def _add_sweep(command: Command) -> None:
    sweep = command("sweep", "what the points of design spaces take", sweep_command)
    sweep.add_argument("space", type=Path, metavar="SPACE.toml", help="tables [[space]]")
    add_targets(sweep, "may be repeated (n28)")
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


def _add_results(command: Command) -> None:
    results = command("results", "what a file of results has", results_command)
    results.add_argument("file", type=Path, metavar="FILE")
    results.add_argument("--unit", help="only of this one")
    results.add_argument("--target", help="only on this one")
    _add_goals(results)
    results.add_argument(
        "--compare", type=Path, metavar="NEWER", help="fails if this one is larger or lacks some"
    )
    results.add_argument(
        "--tolerance", type=float, default=0.01, metavar="X", help="of --compare (0.01)"
    )
    _add_table(results)


def _add_report(command: Command) -> None:
    report = command("report", "one page of a file of results", report_command)
    report.add_argument("results", type=Path, metavar="RESULTS.sqlite")
    report.add_argument(
        "--reproduction",
        type=Path,
        metavar="FILE",
        help="that 'reproduce --json' printed, of headline figures",
    )
    _add_goals(report)
    report.add_argument("--title", default="Multipede", help="of the page")
    report.add_argument(
        *("-o", "--output"), type=Path, required=True, metavar="FILE.html", help="the page"
    )


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


def _add_workload(command: Command) -> None:
    workload = command("workload", "a transformer on arrays of tiles", workload_command)
    workload.add_argument("transformer", help="as llama-2-7b; another word names all")
    add_unit(workload)
    workload.add_argument("--phase", default="prefill", help="prefill or decode (prefill)")
    workload.add_argument(
        "--tokens",
        type=int,
        metavar="N",
        help="of the prompt, or in decode of the context, the new one included (256, or what an"
        " encoder takes)",
    )
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
