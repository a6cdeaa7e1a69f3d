"""A small parent for one tool: measures it, limits its memory, and never outlives its owner.

Runs as a program of its own: `python -I -S supervisor.py ALIVE REPORT MEMORY MARKER command...`.

ALIVE is the reading end of a pipe that the owner holds open. When anything arrives on it, or it
closes because the owner died, however that came about, every process of the tool is killed.
REPORT is the writing end of a pipe for one line: `status seconds peak_memory_bytes`, or
`exec errno` if the program could not be started. MEMORY limits the address space (bytes, 0 for
none). MARKER stands in the environment of the tool's processes, so that those that have left
their process group can be found too.

Why not `wait4` in the owner itself: a child inherits the peak memory of the process that it is
forked from, so that a tool started by a Python with torch loaded would seem to need 500 MB.
"""

import os
import resource
import select
import signal
import sys
import time
from contextlib import suppress


def main(arguments: list[str]) -> None:
    alive, report, memory = int(arguments[0]), int(arguments[1]), int(arguments[2])
    marker, command = arguments[3], arguments[4:]
    os.set_inheritable(alive, False)
    os.set_inheritable(report, False)
    # The owner decides when the tool ends; a stray signal to us must not leave it alone.
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, lambda *_: None)
    wake = _wake_on_child()
    # Not select.select: it fails on descriptors beyond 1023, and ALIVE may be one.
    poll = select.poll()
    poll.register(alive, select.POLLIN)
    poll.register(wake, select.POLLIN)
    start = time.monotonic()
    child = _start(command, report, memory)
    killed = False
    while True:
        pid, status, usage = os.wait4(child, os.WNOHANG)
        if pid:
            break
        if killed:
            time.sleep(0.001)
            continue
        readable = [descriptor for descriptor, _ in poll.poll()]
        if wake in readable:
            os.read(wake, 4096)
        if alive in readable:
            killed = True
            _kill(child, marker)
    seconds = time.monotonic() - start
    # What the tool left running in the background goes with it.
    _kill_group(child)
    if killed:
        _kill(child, marker)
    scale = 1 if sys.platform == "darwin" else 1024
    code = os.waitstatus_to_exitcode(status)
    _say(report, f"{code} {seconds:.6f} {usage.ru_maxrss * scale}")


def _wake_on_child() -> int:
    """A file descriptor that becomes readable when a child ends."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return reading


def _start(command: list[str], report: int, memory: int) -> int:
    child = os.fork()
    if child:
        # Both sides do it, so that neither can be too early.
        _group(child)
        return child
    try:
        _group(0)
        signal.set_wakeup_fd(-1)
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(name, signal.SIG_DFL)
        # Python ignores these two, and a program inherits what is ignored.
        for name in (signal.SIGPIPE, getattr(signal, "SIGXFSZ", signal.SIGPIPE)):
            signal.signal(name, signal.SIG_DFL)
        if memory:
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        os.execvp(command[0], command)
    except OSError as error:
        _say(report, f"exec {error.errno}")
    except ValueError:
        _say(report, "exec 0")
    finally:
        os._exit(127)


def _group(child: int) -> None:
    with suppress(OSError):
        os.setpgid(child, 0)


def _kill(child: int, marker: str) -> None:
    _kill_group(child)
    # A second pass catches what was being forked during the first.
    for _ in range(2):
        for pid in _marked(marker):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)


def _kill_group(child: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)


def _marked(marker: str) -> list[int]:
    """Processes, other than this one, that carry the marker in their environment (Linux)."""
    found = []
    needle = f"MULTIPEDE_RUN={marker}".encode()
    try:
        entries = os.listdir("/proc")
    except OSError:
        return found
    for entry in entries:
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        try:
            with open(f"/proc/{entry}/environ", "rb") as file:
                if needle in file.read():
                    found.append(int(entry))
        except OSError:
            continue
    return found


def _say(report: int, line: str) -> None:
    with suppress(BrokenPipeError):
        os.write(report, line.encode() + b"\n")


if __name__ == "__main__":
    main(sys.argv[1:])
