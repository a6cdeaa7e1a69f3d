"""Asks a program for its version and content, once: the answer is kept in the cache."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from . import cache
from .errors import ToolError

_PATIENCE = 20.0


@dataclass(frozen=True)
class Answer:
    """What a program says of itself; `problem` is empty if it could be asked."""

    text: str
    identity: str
    problem: str = ""


def probe(command: tuple[str, ...], argument: str | None, companion: Path | None) -> Answer:
    """Run `command argument` and digest the program, or take what was kept about it.

    Args:
        command: program and first arguments.
        argument: what makes it say its version; None to digest the file only.
        companion: a file that does the program's work, if the program is a mere wrapper.
    """
    files = [Path(command[0]), *([companion] if companion is not None else [])]
    kept = _kept_path(command, argument, files)
    if kept is not None:
        try:
            return Answer(**json.loads(kept.read_text()))
        except (OSError, ValueError, TypeError):
            pass
    answer = _ask(command, argument, files)
    if kept is not None and not answer.problem:
        try:
            cache.subdirectory("tools")
            cache.write_atomically(kept, json.dumps(asdict(answer)))
        except (OSError, ToolError):
            pass  # Slower next time, no worse.
    return answer


def _kept_path(command: tuple[str, ...], argument: str | None, files: list[Path]) -> Path | None:
    """Where the answer is kept: named by what changes when the program changes.

    A wrapper script stays the same when the program behind it is replaced, so it is always
    asked, unless the program behind it is known and is looked at too.
    """
    facts: list[object] = [command, argument]
    try:
        with open(files[0], "rb") as file:
            script = file.read(2) == b"#!"
        for path in files:
            if path.is_file():
                status = path.stat()
                facts.append([str(path), status.st_size, status.st_mtime_ns, status.st_ino])
    except OSError:
        return None
    if script and len(facts) < 4:
        return None
    name = hashlib.sha256(json.dumps(facts).encode()).hexdigest()
    try:
        return cache.directory() / "tools" / f"{name}.json"
    except ToolError:
        return None


def _ask(command: tuple[str, ...], argument: str | None, files: list[Path]) -> Answer:
    text = ""
    if argument is not None:
        try:
            text = _output([*command, argument])
        except (OSError, ToolError) as error:
            return Answer("", "", str(error))
    digest = hashlib.sha256(text.encode())
    try:
        for path in files:
            if path.is_file():
                with open(path, "rb") as file:
                    digest.update(hashlib.file_digest(file, "sha256").digest())
    except OSError as error:
        return Answer("", "", str(error))
    return Answer(text, digest.hexdigest())


def _output(command: list[str]) -> str:
    """What a program says to a question; kept nowhere, and needs no cache."""
    import shutil
    import tempfile

    from .process import Process, ready

    program = shutil.which(command[0])
    if program is None:
        raise ToolError("there is no such program")
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "LANGUAGE": "C"}
    with tempfile.TemporaryFile() as out, open(os.devnull, "rb") as nothing:
        process = Process(
            [program, *command[1:]],
            directory=Path(tempfile.gettempdir()),
            environment=environment,
            stdin=nothing,
            stdout=out,
            stderr=out,
        )
        try:
            if not ready([process.fileno()], _PATIENCE):
                raise ToolError(f"it did not say its version within {_PATIENCE:g} s")
            outcome = process.finish()
        finally:
            process.kill()
        out.seek(0)
        text = out.read().decode("utf-8", "replace")
    if outcome.returncode:
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        says = f": {lines[-1]}" if lines else ""
        raise ToolError(f"it ended with status {outcome.returncode}{says}")
    return text
