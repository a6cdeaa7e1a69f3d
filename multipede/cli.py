"""The command line. Exit status: 0 it held, 1 a check failed, 2 wrong input, 3 a tool failed."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from multipede.answer import FAILED, HELD, INTERRUPTED, TOOL_FAILED, WRONG_INPUT
from multipede.arguments import parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    try:
        options = parser().parse_args(arguments)
        status, document, text = options.command(options)
        if options.json:
            print(json.dumps(document, indent=2, default=str))
        elif text:
            print(text)
        sys.stdout.flush()
    except KeyboardInterrupt:
        kept = "; what was answered is kept in the store, and the same command goes on with it"
        stored = "--store" in " ".join(arguments)
        return _fail("interrupted" + kept * stored, INTERRUPTED, arguments)
    except BrokenPipeError:
        # The reader has seen enough; keep the interpreter from saying so when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return HELD
    except Exception as error:
        if os.environ.get("MULTIPEDE_TRACEBACK"):
            raise
        status = _status_of(error)
        if status is None:
            what = f"{type(error).__name__}: {_one_line(error)}"
            return _fail(
                f"{_whose(error)}, {what} (set MULTIPEDE_TRACEBACK=1 to see where)",
                TOOL_FAILED,
                arguments,
            )
        return _fail(_one_line(error), status, arguments)
    return status


def run() -> NoReturn:
    """The console script."""
    sys.exit(main())


def _status_of(error: Exception) -> int | None:
    from multipede.golden.source_files import SourceChangedError
    from multipede.sim.model import SimulationError
    from multipede.sim.report import MismatchError
    from multipede.toolchain import ToolError, ToolFailure

    if isinstance(error, MismatchError | SimulationError):
        return FAILED
    if isinstance(error, ToolFailure | SourceChangedError):
        return TOOL_FAILED
    return WRONG_INPUT if isinstance(error, ToolError | ValueError | TypeError | OSError) else None


def _one_line(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return " ".join(str(error).split())


def _fail(message: str, status: int, arguments: Sequence[str]) -> int:
    if "--json" in arguments:
        print(json.dumps({"error": message, "status": status}))
    print(f"multipede: {message}", file=sys.stderr)
    return status


def _whose(error: Exception) -> str:
    """Where the error is from: our own code, or a unit's of somebody else, installed or not."""
    import traceback
    from importlib.metadata import entry_points

    from multipede.golden.catalogue import ENTRY_POINT_GROUP

    plug_ins = {point.module.partition(".")[0] for point in entry_points(group=ENTRY_POINT_GROUP)}
    package = Path(__file__).parent
    own = [Path(sys.prefix), Path(sys.base_prefix), package.resolve()]
    own += [room.resolve() for room in package.iterdir() if room.is_dir()]
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        file = Path(frame.f_code.co_filename).resolve()
        inside = any(file.is_relative_to(place) for place in own)
        package_name = frame.f_globals.get("__name__", "").partition(".")[0]
        if package_name in plug_ins or (file.is_file() and not inside):
            return f"error in {file}, line {line}"
    return "internal error"
