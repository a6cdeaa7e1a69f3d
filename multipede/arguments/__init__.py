"""The arguments of the command line."""

import argparse
from collections.abc import Callable

from multipede.answer import Answer
from multipede.arguments import cells, fpgas, reproduction, sweeps, units
from multipede.arguments.shared import Parser

__all__ = ["parser"]


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

    for group in (units, cells, fpgas, sweeps, reproduction):
        group.add_commands(command)
    return made
