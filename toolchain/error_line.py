"""Finds, in what a tool wrote, the line that says what was wrong."""

from __future__ import annotations

import re
import signal

_ERROR = re.compile(
    r"%(Error|Fatal)|\b(ERROR|FATAL):|\b[Ee]rror:|^error\b|syntax error|undefined reference"
    r"|cannot find -l|cmd error:"
)
_MEMORY = re.compile(
    r"bad_alloc|out of memory|memory exhausted|Cannot allocate memory|MemoryError"
    r"|failed to map segment|Resource temporarily unavailable"
)
_DISK = re.compile("No space left on device")


def first_error_line(stdout: str, stderr: str) -> str:
    """The line in which a tool says what was wrong."""
    # Standard output first: there Yosys tells what ABC said, and repeats what it says itself.
    for text in (stdout, stderr):
        for line in text.splitlines():
            if _ERROR.search(line) or _MEMORY.search(line) or _DISK.search(line):
                return line.strip()
    for text in (stderr, stdout):
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        if lines:
            return lines[-1]
    return "it wrote nothing"


def is_about_memory(line: str) -> bool:
    """Whether the line says that there was not enough memory."""
    return _MEMORY.search(line) is not None


def how_it_ended(returncode: int) -> str:
    """Words for an exit status, which is minus the signal's number if a signal ended the tool."""
    if returncode >= 0:
        return f"failed with exit status {returncode}"
    try:
        return f"was ended by {signal.Signals(-returncode).name}"
    except ValueError:
        return f"was ended by signal {-returncode}"
