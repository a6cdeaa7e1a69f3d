"""Time from specification to RTL, to a simulator, and to the second start."""

import os
import subprocess
import sys
import time
from tempfile import TemporaryDirectory

from benchmarks.target import Target

__all__ = ["measure"]

_PERIODS = (None, 2.0, 1.2)
"""ns."""

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

_SYNTHESIZE = """
import time
from multipede.asic_flow import Constraints, synthesize
from multipede.asic_flow.n28 import n28_library
from multipede.golden.mixpe import MixPE
began = time.perf_counter()
found = synthesize(MixPE(), liberty=n28_library(), constraints=Constraints(clock_period={period}))
assert found.holds_clock is not False
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
    elaboration, building, *syntheses = (
        _seconds(code)
        for code in (_ELABORATE, _BUILD, *(_SYNTHESIZE.format(period=p) for p in _PERIODS))
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
        *(
            Target(
                f"n28: synthesis {'' if period is None else f'for {period} ns'}".rstrip(),
                seconds,
                60,
                "s",
                "4x4x8 W4A8 tile, RTLIL included, with an empty cache",
            )
            for period, seconds in zip(_PERIODS, syntheses, strict=True)
        ),
    ]


def _seconds(code: str) -> float:
    """What it prints, with an empty cache."""
    with TemporaryDirectory() as cache:
        return float(_python(code, os.environ | {"MULTIPEDE_CACHE": cache}).stdout)


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
