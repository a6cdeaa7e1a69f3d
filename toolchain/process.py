"""Processes that are measured, limited in time and memory, and never left behind."""

from __future__ import annotations

import errno
import os
import select
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from .errors import ToolError

_SUPERVISOR = Path(__file__).resolve().with_name("supervisor.py")
_SECONDS_TO_DIE = 10.0


@dataclass(frozen=True)
class Outcome:
    """How a process ended: exit status (minus the signal number), wall time, peak memory."""

    returncode: int
    seconds: float
    peak_memory_bytes: int


class Process:
    """A running tool under its supervisor (see `supervisor.py`).

    Raises:
        ToolError: the directory does not exist or no process can be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        directory: Path,
        environment: Mapping[str, str],
        stdin: IO[bytes] | int,
        stdout: IO[bytes],
        stderr: IO[bytes],
        memory_limit: int | None = None,
    ) -> None:
        import subprocess  # 25 ms that most users of this room never need

        self.command = tuple(command)
        self.started = time.monotonic()
        marker = os.urandom(12).hex()
        alive, owner = os.pipe()
        # A file object and not a number: if we are forgotten, it closes, and the tool ends.
        self._alive = os.fdopen(owner, "wb", buffering=0)
        self._report, report = os.pipe()
        try:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-S", str(_SUPERVISOR)),
                    *(str(alive), str(report), str(memory_limit or 0), marker),
                    *self.command,
                ],
                cwd=directory,
                env={**environment, "MULTIPEDE_RUN": marker},
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                pass_fds=(alive, report),
                start_new_session=True,
            )
        except BaseException as error:
            # Also on KeyboardInterrupt: the supervisor may already be running.
            self._alive.close()
            os.close(self._report)
            if isinstance(error, OSError):
                raise ToolError(f"{self.command[0]} could not be started: {error}") from error
            raise
        finally:
            os.close(alive)
            os.close(report)

    def fileno(self) -> int:
        """A descriptor that becomes readable when the process has ended, for `select`."""
        return self._report

    def kill(self) -> None:
        """End the process and all its descendants; returns when they are gone."""
        if self._alive.closed:
            return
        try:
            self._alive.write(b"k")
        except BrokenPipeError:
            pass
        finally:
            self._alive.close()
        if not ready([self._report], _SECONDS_TO_DIE):
            self._process.kill()
        self._process.wait()
        os.close(self._report)

    def finish(self) -> Outcome:
        """How it ended; to be called once, when `fileno()` is readable.

        Raises:
            ToolError: the program could not be started.
        """
        report = b""
        while chunk := os.read(self._report, 4096):
            report += chunk
        self._process.wait()
        os.close(self._report)
        self._alive.close()
        words = report.decode().split()
        if len(words) >= 2 and words[0] == "exec":
            raise ToolError(_not_started(self.command[0], int(words[1])))
        if len(words) != 3:
            raise ToolError(f"{self.command[0]} was lost: its supervisor was killed")
        return Outcome(int(words[0]), float(words[1]), int(words[2]))


def ready(descriptors: Iterable[int], seconds: float | None) -> list[int]:
    """The descriptors that can be read; waits until there is one, but no longer than that."""
    # Not select.select: it fails on descriptors beyond 1023.
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    # Rounded up, so that the time is over when it says that nothing came.
    return [number for number, _ in poll.poll(None if seconds is None else seconds * 1000 + 1)]


def _not_started(program: str, number: int) -> str:
    if number == errno.ENOENT:
        return f"{program} could not be started: there is no such program"
    reason = os.strerror(number) if number else "its memory limit is not possible"
    return f"{program} could not be started: {reason}"
