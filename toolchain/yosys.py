"""Runs Yosys scripts, each in a process and a directory of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from . import cache
from .errors import ToolFailure
from .find import find
from .run import run
from .tool import Tool


@dataclass(frozen=True)
class YosysResult:
    """What a script wrote: the wanted files by name, the log, its cost."""

    outputs: dict[str, str]
    log: str
    seconds: float
    peak_memory_bytes: int
    log_path: Path
    tool: Tool = field(repr=False)


def run_yosys(
    script: str,
    *,
    files: Mapping[str, str | bytes | Path] | None = None,
    outputs: Sequence[str] = (),
    timeout: float | None = None,
    memory_limit: int | None = None,
) -> YosysResult:
    """Run a Yosys script.

    Args:
        script: commands, one to a line or between semicolons.
        files: what lies in the script's directory, by relative name; a Path is linked.
        outputs: files that the script writes, by relative name.
        timeout: seconds after which it is killed.
        memory_limit: bytes of address space.

    Raises:
        ToolError: no Yosys that is new enough.
        ToolFailure: Yosys gave an error, or did not write one of the outputs.
        ToolTimeout: it took too long.
        ValueError: a file's name leads out of the script's directory.
    """
    tool = find("yosys")
    with tempfile.TemporaryDirectory(dir=cache.subdirectory("work"), prefix="yosys-") as place:
        directory = Path(place)
        for name, content in (files or {}).items():
            _put(directory / _inside(name), content)
        wanted = {name: directory / _inside(name) for name in outputs}
        temporary = directory / ".tmp"
        temporary.mkdir()
        (directory / ".script.ys").write_text(script.rstrip("\n") + "\n")
        completed = run(
            tool,
            ["-s", ".script.ys"],
            directory=directory,
            timeout=timeout,
            memory_limit=memory_limit,
            # Yosys keeps parsed Liberty files below TMPDIR, and others may be writing there.
            environment={"TMPDIR": str(temporary)},
        )
        missing = [name for name, path in wanted.items() if not path.is_file()]
        if missing:
            raise ToolFailure(
                f"yosys did not write {', '.join(missing)} (log: {completed.log_path})",
                tool="yosys",
                log_path=completed.log_path,
                returncode=0,
                stdout=completed.stdout,
                stderr=completed.stderr,
            )
        return YosysResult(
            {name: path.read_text() for name, path in wanted.items()},
            completed.stdout,
            completed.seconds,
            completed.peak_memory_bytes,
            completed.log_path,
            tool,
        )


def _inside(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise ValueError(f"file name {name!r}: it must be relative and without '..'")
    return path


def _put(path: Path, content: str | bytes | Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, Path):
        path.symlink_to(content.resolve(strict=True))
    elif isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content)
