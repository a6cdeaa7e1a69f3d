"""What several commands ask for alike."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from multipede.answer import Answer

__all__ = [
    "CORNERS",
    "Command",
    "Parser",
    "add_cells",
    "add_parameters",
    "add_targets",
    "add_unit",
    "directory",
]

CORNERS = "n28 (or n28-ss_0p81v_125c, n28-ss_0p90v_m40c, n28-ff_0p99v_0c)"


class Parser(argparse.ArgumentParser):
    """Says what was wrong in one line."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message} (see '{self.prog} --help')")


Command = Callable[[str, str, Callable[..., Answer]], Parser]
"""Adds a command by its name, what it does, and its function."""


def add_unit(parser: Parser) -> Parser:
    """Arguments that name a unit; the parser itself."""
    parser.add_argument("unit", help="a name from 'multipede list'")
    add_parameters(parser)
    return parser


class _Different(argparse.Action):
    """A list of what the option is given, each once."""

    def __call__(self, parser, namespace, values, option_string=None):
        before = getattr(namespace, self.dest) or []
        if values in before:
            raise argparse.ArgumentError(self, f"{values!r} is given twice")
        setattr(namespace, self.dest, [*before, values])


def add_targets(parser: Parser, text: str) -> None:
    """The targets of a command, in a list, or None without any."""
    parser.add_argument("--target", action=_Different, help=text)


def add_parameters(parser: Parser) -> None:
    """Parameters of units."""
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


def add_cells(parser: Parser) -> None:
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


def directory(text: str) -> Path:
    """A path; nothing at all is none, as a script's variable that was never set gives."""
    if not text:
        raise argparse.ArgumentTypeError("the name of a directory is needed, not an empty one")
    if Path(text).exists() and not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"{text} is a file: a directory is needed")
    return Path(text)
