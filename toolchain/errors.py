"""What can go wrong with a program that is not ours."""

from __future__ import annotations

from pathlib import Path


class ToolError(Exception):
    """A tool is missing, too old or broken, or the cache cannot be used.

    The message is one line: what was needed, where it was searched, how to get it.
    """


class ToolFailure(ToolError):  # noqa: N818 - a failure of the tool's, not of ours
    """A tool ran and failed.

    Attributes:
        tool: name of the tool.
        error_line: the tool's own first error line.
        log_path: the log that was kept, or None.
        returncode: exit status; minus the signal number if a signal ended the tool.
        stdout, stderr: everything that the tool wrote.
    """

    def __init__(
        self,
        message: str,
        *,
        tool: str = "",
        error_line: str = "",
        log_path: Path | None = None,
        returncode: int = 1,
        stdout: str = "",
        stderr: str = "",
    ) -> None:
        super().__init__(message)
        self.tool = tool
        self.error_line = error_line
        self.log_path = log_path
        self.returncode = returncode
        self.stdout = stdout
        self.stderr = stderr

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only fields: without this a failure could not come back from a worker process.
        return (_revive, (type(self), str(self), self.__dict__.copy()))


class ToolTimeout(ToolFailure):
    """A tool ran longer than it was given; it and all its children were killed."""


def _revive(
    kind: type[ToolFailure], message: str, fields: dict[str, object]
) -> ToolFailure:  # pragma: no cover - runs in another process
    failure = kind(message)
    failure.__dict__.update(fields)
    return failure
