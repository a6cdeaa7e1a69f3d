"""Time from specification to RTL, to a simulator, and to the second start."""

import os
import subprocess
import sys
import time
from tempfile import TemporaryDirectory

from benchmarks.target import Target

__all__ = ["measure"]

_ELABORATE = """
import time
from multipede.golden.mixpe import MixPE
from multipede.hw import Style, build
from multipede.hw.hierarchy import to_rtlil
began = time.perf_counter()
to_rtlil(build(MixPE(), style=Style.CELLS), "mixpe")
print(time.perf_counter() - began)
"""

_BUILD = """
import time
from multipede.golden.mixpe import MixPE
from multipede.hw import Style
from multipede.sim.compiled import compile_model
from multipede.toolchain.verilator import runtime
runtime()
began = time.perf_counter()
compile_model(MixPE(), style=Style.CELLS)
print(time.perf_counter() - began)
"""

_START = """
import sys, time
from multipede import cli
from multipede.sim.model import Model
run = Model.run
def first(self, *arguments, **options):
    print(time.clock_gettime(time.CLOCK_REALTIME), file=sys.stderr)
    Model.run = run
    return run(self, *arguments, **options)
Model.run = first
sys.exit(cli.main(["verify", "mixpe", "--records", "1000"]))
"""


def measure() -> list[Target]:
    """All targets of this page."""
    with TemporaryDirectory() as cache:
        environment = os.environ | {"MULTIPEDE_CACHE": cache}
        elaboration, building = (
            float(_python(code, environment).stdout) for code in (_ELABORATE, _BUILD)
        )
    return [
        Target("CELLS: elaboration to RTLIL", elaboration, 3, "s", "4x4x8 W4A8 tile"),
        Target(
            "CELLS: first Verilator build",
            building,
            60,
            "s",
            "RTLIL, Verilog, Verilator and C++ with an empty cache, the runtime excepted",
        ),
        Target(
            "second verify: from the command to the first simulated record",
            _second_start(),
            2,
            "s",
            "4x4x8 W4A8 tile, all styles; best of three",
        ),
    ]


def _python(code: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True)


def _second_start() -> float:
    _python(_START)
    times = []
    for _ in range(3):
        began = time.clock_gettime(time.CLOCK_REALTIME)
        times.append(float(_python(_START).stderr.split()[0]) - began)
    return min(times)
