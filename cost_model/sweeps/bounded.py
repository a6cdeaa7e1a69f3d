"""A call in a process of its own, with limits on its time and memory."""

import ctypes
import os
import pickle
import resource
import select
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

__all__ = ["bounded", "die_with_parent"]

_PR_SET_PDEATHSIG = 1


def bounded(
    work: Callable[[], Any], *, seconds: float | None = None, megabytes: int | None = None
) -> Any:
    """What ``work`` returns, or raises.

    It runs in a fork of this process, so that whatever it does ends with it: at the limits, when
    this process is killed, and when it crashes.

    Parameters
    ----------
    work : its result and its errors can be pickled.
    seconds : after which it and all that it has started is killed. megabytes : of memory, of each
        process of it.

    Raises
    ------
    TimeoutError
        After ``seconds``.
    MemoryError
        If it, not a program that it runs, asks for more than ``megabytes``.
    ChildProcessError
        If it ends without a word, as after a crash.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _answer(work, writing, megabytes)
    os.close(writing)
    try:
        return _told(reading, child, seconds)
    finally:
        os.close(reading)


def _answer(work: Callable[[], Any], writing: int, megabytes: int | None) -> None:
    """In the child: do it, tell it, end."""
    status = 1
    try:
        os.setsid()
        die_with_parent()
        if megabytes is not None:
            # Of data: address space that a WebAssembly runtime reserves does not count.
            limit = megabytes * 2**20
            resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        try:
            told = (True, work())
        except BaseException as error:
            told = (False, error)
        try:
            text = pickle.dumps(told)
        except Exception:
            text = pickle.dumps((False, RuntimeError(f"{type(told[1]).__name__}: {told[1]}")))
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(text)
        status = 0
    finally:
        # Nothing of the parent's is to be flushed or cleared up here.
        os._exit(status)


def die_with_parent() -> None:
    """From now on, this process is killed when the one that forked it ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _told(reading: int, child: int, seconds: float | None) -> Any:
    """In the parent: what the child tells, within the time."""
    deadline = None if seconds is None else time.monotonic() + seconds
    text = b""
    while True:
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        if not select.select([reading], [], [], left)[0]:
            _end(child)
            raise TimeoutError(f"not done within {seconds:g} s")
        piece = os.read(reading, 1 << 20)
        if not piece:
            break
        text += piece
    _, status = os.waitpid(child, 0)
    if not text:
        code = os.waitstatus_to_exitcode(status)
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"status {code}"
        raise ChildProcessError(f"its process ended with {how}")
    done, value = pickle.loads(text)
    if done:
        return value
    raise value


def _end(child: int) -> None:
    """Kill a child and all of its session."""
    for kill in (os.killpg, os.kill):
        with suppress(ProcessLookupError):
            kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
