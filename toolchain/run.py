"""The one way in which any outside program is run.

A run has a working directory under the cache, a log that is kept, its time and peak memory, and
leaves no process behind, whatever happens to it or to us.
"""

from __future__ import annotations

import itertools
import os
import re
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from . import cache
from .error_line import first_error_line, how_it_ended, is_about_memory
from .errors import ToolFailure, ToolTimeout
from .process import Outcome, Process, ready
from .tool import Tool

_counter = itertools.count()


@dataclass(frozen=True)
class Completed:
    """A run that ended. `peak_memory_bytes` is the largest of its processes."""

    stdout: str
    stderr: str
    seconds: float
    peak_memory_bytes: int
    log_path: Path
    returncode: int = 0


@dataclass(frozen=True)
class Job:
    """One run for `run_all`; the fields are the arguments of `run`."""

    tool: Tool | Sequence[str]
    arguments: Sequence[str | os.PathLike[str]] = ()
    directory: Path | None = None
    input: str | bytes | None = None
    timeout: float | None = None
    memory_limit: int | None = None
    log: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    check: bool = True


def run(
    tool: Tool | Sequence[str],
    arguments: Sequence[str | os.PathLike[str]] = (),
    *,
    directory: Path | None = None,
    input: str | bytes | None = None,
    timeout: float | None = None,
    memory_limit: int | None = None,
    log: Path | None = None,
    environment: Mapping[str, str] | None = None,
    check: bool = True,
) -> Completed:
    """Run a tool to its end.

    Args:
        tool: what `find` gave, or the beginning of a command.
        arguments: the rest of the command.
        directory: where it runs; without it, a directory under the cache that is removed after.
        input: what it reads on standard input; without it, nothing.
        timeout: seconds after which it and all its children are killed.
        memory_limit: bytes of address space for each of its processes.
        log: where the log is kept; without it, under the cache.
        environment: variables besides ours and the tool's.
        check: whether an exit status other than 0 is a failure.

    Raises:
        ToolError: the program, the directory or the cache cannot be used.
        ToolFailure: the tool failed; the message holds its first error line and the log's path.
        ToolTimeout: it took too long.
    """
    job = Job(
        tool, arguments, directory, input, timeout, memory_limit, log, environment or {}, check
    )
    return run_all([job])[0]


def run_all(jobs: Sequence[Job], *, workers: int | None = None) -> list[Completed]:
    """Run several tools at once, as many as there are cores; on a failure the others are killed.

    Raises:
        ToolError, ToolFailure, ToolTimeout: as `run`.
    """
    limit = max(1, workers or cores())
    waiting = list(enumerate(jobs))[::-1]
    running: dict[int, _Run] = {}
    results: dict[int, Completed] = {}
    try:
        while waiting or running:
            while waiting and len(running) < limit:
                index, job = waiting.pop()
                running[index] = _Run(job)
            for index in _ended(running):
                results[index] = running[index].finish()
                del running[index]
    finally:
        for rest in running.values():
            rest.kill()
    return [results[index] for index in range(len(jobs))]


def cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _ended(running: Mapping[int, _Run]) -> list[int]:
    """Wait until at least one has ended or has used up its time, and say which."""
    deadlines = [run.deadline for run in running.values() if run.deadline is not None]
    patience = max(0.0, min(deadlines) - time.monotonic()) if deadlines else None
    descriptors = {run.process.fileno(): index for index, run in running.items()}
    readable = ready(descriptors, patience)
    now = time.monotonic()
    ended = [descriptors[descriptor] for descriptor in readable]
    late = [i for i, run in running.items() if run.deadline is not None and run.deadline <= now]
    return ended or late


class _Run:
    """One job while it runs: its directory, its files and its process."""

    def __init__(self, job: Job) -> None:
        self.job = job
        command = job.tool.command if isinstance(job.tool, Tool) else tuple(job.tool)
        self.command = (*command, *(os.fspath(argument) for argument in job.arguments))
        self.name = job.tool.name if isinstance(job.tool, Tool) else Path(command[0]).name
        self.log = _log_path(self.name) if job.log is None else Path(job.log).absolute()
        self.out = self.log.with_name(self.log.name + ".out")
        self.err = self.log.with_name(self.log.name + ".err")
        self.own_directory = job.directory is None
        self.directory = _work_directory(self.name) if job.directory is None else job.directory
        try:
            self.process = self._start()
        except BaseException:
            self._clean()
            raise
        self.deadline = None if job.timeout is None else self.process.started + job.timeout

    def _start(self) -> Process:
        tool, job = self.job.tool, self.job
        of_tool = tool.environment if isinstance(tool, Tool) else {}
        # Messages in English and plain: we look for the error line in them.
        plain = {"LC_ALL": "C.UTF-8", "LANGUAGE": "C"}
        environment = {**os.environ, **plain, **of_tool, **job.environment}
        try:
            with open(self.out, "wb") as out, open(self.err, "wb") as err, self._input() as given:
                return Process(
                    self.command,
                    directory=self.directory,
                    environment=environment,
                    stdin=given,
                    stdout=out,
                    stderr=err,
                    memory_limit=job.memory_limit,
                )
        except OSError as error:
            raise cache.unusable(self.log.parent, error) from error

    def _input(self) -> IO[bytes]:
        if self.job.input is None:
            return open(os.devnull, "rb")
        import tempfile

        given = self.job.input
        file = tempfile.TemporaryFile(dir=self.log.parent)  # noqa: SIM115 - given away
        file.write(given.encode() if isinstance(given, str) else given)
        file.flush()
        file.seek(0)
        return file

    def finish(self) -> Completed:
        """The result of a process that has ended, or the failure of one that has to be killed."""
        try:
            # It may have ended between its time limit and now: then it is in time.
            if not ready([self.process.fileno()], 0):
                seconds = time.monotonic() - self.process.started
                self.process.kill()
                raise self._timeout(seconds)
            outcome = self.process.finish()
            completed = self._keep_log(outcome)
        finally:
            self._clean()
        if outcome.returncode and self.job.check:
            raise self._failure(completed)
        return completed

    def kill(self) -> None:
        self.process.kill()
        self._clean()

    def _clean(self) -> None:
        self.out.unlink(missing_ok=True)
        self.err.unlink(missing_ok=True)
        if self.own_directory:
            import shutil

            shutil.rmtree(self.directory, ignore_errors=True)

    def _keep_log(self, outcome: Outcome) -> Completed:
        import shlex

        stdout = self.out.read_bytes().decode("utf-8", "replace")
        stderr = self.err.read_bytes().decode("utf-8", "replace")
        head = (
            f"# {shlex.join(self.command)}\n# in {self.directory}\n"
            f"# exit status {outcome.returncode}, {outcome.seconds:.3f} s, "
            f"{outcome.peak_memory_bytes / 2**20:.1f} MiB\n"
        )
        try:
            self.log.write_text(f"{head}# standard output:\n{stdout}\n# standard error:\n{stderr}")
        except OSError as error:
            raise cache.unusable(self.log.parent, error) from error
        return Completed(
            stdout,
            stderr,
            outcome.seconds,
            outcome.peak_memory_bytes,
            self.log,
            outcome.returncode,
        )

    def _timeout(self, seconds: float) -> ToolTimeout:
        kept = self._keep_log(Outcome(-signal.SIGKILL, seconds, 0))
        return ToolTimeout(
            f"{self.name} was killed after {self.job.timeout:g} s, its time limit "
            f"(log: {self.log})",
            tool=self.name,
            log_path=self.log,
            returncode=-signal.SIGKILL,
            stdout=kept.stdout,
            stderr=kept.stderr,
        )

    def _failure(self, completed: Completed) -> ToolFailure:
        line = first_error_line(completed.stdout, completed.stderr)
        limit = self.job.memory_limit
        starved = limit is not None and (completed.returncode < 0 or is_about_memory(line))
        return ToolFailure(
            f"{self.name} {how_it_ended(completed.returncode)}: {line}"
            f"{f' (memory limit {limit / 2**20:.0f} MiB)' if starved else ''} (log: {self.log})",
            tool=self.name,
            error_line=line,
            log_path=self.log,
            returncode=completed.returncode,
            stdout=completed.stdout,
            stderr=completed.stderr,
        )


def _unique(name: str) -> str:
    safe = re.sub(r"[^A-Za-z0-9+_.-]", "_", name)
    return f"{safe}-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}-{next(_counter)}"


def _log_path(name: str) -> Path:
    return cache.subdirectory("logs") / f"{_unique(name)}.log"


def _work_directory(name: str) -> Path:
    path = cache.subdirectory("work") / _unique(name)
    try:
        path.mkdir()
    except OSError as error:
        raise cache.unusable(path.parent, error) from error
    return path
