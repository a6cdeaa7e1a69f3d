"""Calls with limits: what they return and raise, and that nothing of them is left."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest

from multipede.cost_model.sweeps.bounded import bounded
from multipede.toolchain import ToolFailure


def test_what_it_returns():
    assert bounded(lambda: {"pid": os.getpid()})["pid"] != os.getpid()
    assert len(bounded(lambda: bytes(5_000_000))) == 5_000_000


def test_what_it_raises():
    def fails():
        raise ToolFailure("broken", tool="yosys", returncode=4)

    with pytest.raises(ToolFailure, match="broken") as raised:
        bounded(fails)
    assert (raised.value.tool, raised.value.returncode) == ("yosys", 4)


def test_what_cannot_be_told_is_told_in_words():
    with pytest.raises(RuntimeError, match="function"):
        bounded(lambda: lambda: 1)


def test_time():
    started = time.monotonic()
    with pytest.raises(TimeoutError, match=r"not done within 0\.3 s"):
        bounded(lambda: time.sleep(60), seconds=0.3)
    assert time.monotonic() - started < 5


def test_its_programs_end_with_it():
    """The number of seconds tells the program from others."""

    def starts():
        subprocess.run(["sleep", "4321"], check=True)

    with pytest.raises(TimeoutError):
        bounded(starts, seconds=0.5)
    time.sleep(0.2)
    assert not [p for p in psutil.process_iter(["cmdline"]) if "4321" in (p.info["cmdline"] or [])]


@pytest.mark.skipif(sys.platform != "linux", reason="limits are Linux's")
def test_memory():
    assert bounded(lambda: np.ones(10_000_000).sum(), megabytes=4000) == 1e7
    with pytest.raises(MemoryError):
        bounded(lambda: np.ones(1_000_000_000).sum(), megabytes=4000)


def test_a_crash():
    with pytest.raises(ChildProcessError, match="signal SIGKILL"):
        bounded(lambda: os.kill(os.getpid(), signal.SIGKILL))
    with pytest.raises(ChildProcessError, match="status 7"):
        bounded(lambda: os._exit(7))


@pytest.mark.skipif(sys.platform != "linux", reason="children outlive their parents elsewhere")
def test_it_ends_with_who_called_it():
    program = (
        "import time; from multipede.cost_model.sweeps.bounded import bounded\n"
        "import os, sys\n"
        "def work():\n    print(os.getpid(), flush=True)\n    time.sleep(100)\n"
        "bounded(work)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
    ) as caller:
        child = int(caller.stdout.readline())
        assert psutil.pid_exists(child)
        caller.kill()
        caller.wait()
    deadline = time.monotonic() + 5
    while psutil.pid_exists(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == "zombie"
