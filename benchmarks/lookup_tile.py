"""The lookup tile in the paper's shape: seconds from nothing to verified and synthesised."""

import os
import subprocess
import sys
from tempfile import TemporaryDirectory

from benchmarks.target import Target

__all__ = ["measure"]

_CODE = """
import time
import multipede as mp
spec = mp.LutTensorCore(
    weight=mp.ODD2, zero_point=False, rows=2, columns=64, lanes=4, planes_per_cycle=1
)
began = time.perf_counter()
report = mp.verify(spec, records=100_000)
report.raise_on_failure()
assert report.records >= 300_000
found = mp.synthesize(spec, "n28", constraints=mp.Constraints(clock_period=2.0))
assert found.holds_clock
print(time.perf_counter() - began)
"""


def measure() -> list[Target]:
    """All targets of this page."""
    with TemporaryDirectory() as cache:
        done = subprocess.run(
            [sys.executable, "-c", _CODE],
            env=os.environ | {"MULTIPEDE_CACHE": cache},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    method = "lut_tensor_core M2N64K4 W2A8; 100,000 records in each style, n28 at 2 ns, empty cache"
    seconds = float(done.stdout.split()[-1])
    return [Target("built, verified and synthesised", seconds, 180, "s", method)]
