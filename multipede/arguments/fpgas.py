"""Units on FPGAs and boards."""

from pathlib import Path

from multipede.arguments.shared import Command, Parser, add_unit
from multipede.fpga_commands import (
    boards_command,
    build_command,
    fit_command,
    route_command,
    simulate_board_command,
    try_command,
)

__all__ = ["add_commands"]


def add_commands(command: Command) -> None:
    """All of these commands."""
    command("boards", "list boards and chips", boards_command)
    _add_route(command)
    _add_build(command)
    _add_fit(command)
    _add_try(command)
    _add_simulate_board(command)


def _add_route(command: Command) -> None:
    routing = add_unit(
        command("route", "how fast it is on an FPGA, placed and routed", route_command)
    )
    routing.add_argument(
        "--chip", action="append", help="from 'multipede boards'; may be repeated (ecp5-25f)"
    )
    routing.add_argument("--style", help="word, cells or cells-prefix (word)")
    _add_placing(routing, seeds=5, frequency="to aim at (the chip's)")


def _add_build(command: Command) -> None:
    building = add_unit(command("build", "a bitstream for a board", build_command))
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


def _add_fit(command: Command) -> None:
    fitting = add_unit(command("fit", "the most columns of a tile that fit a board", fit_command))
    fitting.add_argument(
        "--board", action="append", required=True, help="from 'multipede boards'; may be repeated"
    )
    fitting.add_argument("--most", type=int, metavar="N", help="columns at most (256)")
    fitting.add_argument("--time-limit", type=float, metavar="S", help="for each placement (900)")
    _add_line(fitting)
    _add_placing(fitting, seeds=2)


def _add_try(command: Command) -> None:
    trying = command("try", "send records through a board and compare the results", try_command)
    trying.add_argument("port", help="of the host, as in /dev/ttyUSB0")
    trying.add_argument("--records", type=int, default=1000, metavar="N", help="operands (1000)")
    trying.add_argument("--seed", type=int, default=1, metavar="N", help="of the operands (1)")
    _add_line(trying)
    trying.add_argument("--timeout", type=float, metavar="S", help="for an answer (2)")


def _add_simulate_board(command: Command) -> None:
    board = add_unit(
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
