"""Runs a generated bench in Verilator and in Icarus Verilog, as its header says."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from multipede.toolchain import Completed, find, run
from multipede.toolchain.verilator import build_executable

TIMEOUT = 120


def run_verilator(directory: Path, name: str) -> Completed:
    """`verilator --binary --timing`, without its makefile, and the program."""
    sources = {path.name: path.read_text() for path in sorted(directory.glob("*.v"))}
    program = build_executable(sources, top=f"{name}_tb", optimisation="-O0")
    return run([str(program)], directory=directory, timeout=TIMEOUT, check=False)


def run_icarus(directory: Path, name: str) -> Completed:
    if shutil.which("iverilog") is None and not os.environ.get("CI"):
        pytest.skip("Icarus Verilog is missing: apt-get install iverilog")
    sources = sorted(path.name for path in directory.glob("*.v"))
    top = f"{name}_tb"
    compilation = ["-g2005", "-Wall", "-s", top, "-o", f"{top}.vvp", *sources]
    warned = run(find("iverilog"), compilation, directory=directory, timeout=TIMEOUT)
    assert not warned.stdout + warned.stderr
    return run(find("vvp"), [f"{top}.vvp"], directory=directory, timeout=TIMEOUT, check=False)


SIMULATORS: dict[str, Callable[[Path, str], Completed]] = {
    "verilator": run_verilator,
    "icarus": run_icarus,
}


def verdict(completed: Completed) -> str:
    """The one line that says PASS or FAIL; the exit status must agree with it."""
    lines = [line for line in completed.stdout.splitlines() if line.startswith(("PASS", "FAIL"))]
    assert len(lines) == 1, completed.stdout + completed.stderr
    assert (completed.returncode == 0) == lines[0].startswith("PASS"), completed.returncode
    return lines[0]
