"""What is said of units, made of them, and checked."""

from pathlib import Path

from multipede.arguments.shared import Command, add_unit, directory
from multipede.commands import (
    demo_command,
    doctor_command,
    generate_command,
    list_command,
    show_command,
    statistics_command,
)
from multipede.verify_command import verify_command

__all__ = ["add_commands"]


def add_commands(command: Command) -> None:
    """All of these commands."""
    command("list", "list the units", list_command)
    add_unit(command("show", "show a unit's parameters, ports and operators", show_command))
    _add_statistics(command)
    _add_generate(command)
    _add_verify(command)
    _add_demo(command)
    _add_doctor(command)


def _add_statistics(command: Command) -> None:
    statistics = add_unit(
        command("statistics", "the errors of a multiplier or a function", statistics_command)
    )
    statistics.add_argument(
        "--rounded-operands",
        action="store_true",
        help="of real numbers that are rounded to a multiplier's operands, not of these themselves",
    )


def _add_generate(command: Command) -> None:
    generate = add_unit(
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


def _add_verify(command: Command) -> None:
    verify = add_unit(
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


def _add_demo(command: Command) -> None:
    demo = command("demo", "a transformer layer through the RTL", demo_command)
    demo.add_argument("-o", "--output", type=directory, default=Path("build/demo"), metavar="DIR")
    demo.add_argument("--weights", type=Path, metavar="FILE", help="another safetensors file")
    demo.add_argument("--tensor", metavar="NAME", help="its tensor, [outputs, inputs]")
    demo.add_argument("--style", default="word", help="word, cells or cells-prefix")
    demo.add_argument("--no-lookups", action="store_true", help="leave out the tiles of lookups")
    demo.add_argument("--no-costs", action="store_true", help="leave out the costs of the tiles")


def _add_doctor(command: Command) -> None:
    doctor = command("doctor", "check the tools and say how to mend them", doctor_command)
    doctor.add_argument(
        "--shell", action="store_true", help="print exports that put our Verilator on the PATH"
    )
    doctor.add_argument("--clear-cache", action="store_true", help="remove everything cached")
