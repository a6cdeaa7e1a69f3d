"""Speed and memory of the vector simulator, on the 4x4x8 W4A8 tile."""

import ctypes
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.target import Target
from multipede.golden.mixpe import MixPE
from multipede.hw import Style
from multipede.sim.compiled import compile_model
from multipede.sim.stimulus import random_records
from multipede.sim.verilog import verilog_of
from multipede.toolchain.verilator import compile_shared, verilate

RECORDS = 300_000
ROUNDS = 5


def measure() -> list[Target]:
    """All targets of this page."""
    return [_against_hand_loop(), _memory()]


def _packed(records: dict[str, np.ndarray], spec: MixPE) -> np.ndarray:
    """Payloads of all records as 32-bit words."""
    bits = []
    for name, port in spec.inputs.items():
        codes = port.format.to_bits(records[name]).reshape(len(records[name]), -1)
        places = np.arange(port.format.bits)
        bits.append(((codes[:, :, None] >> places) & 1).reshape(len(codes), -1).astype(np.uint8))
    together = np.concatenate(bits, axis=1)
    padding = -together.shape[1] % 32
    together = np.pad(together, ((0, 0), (0, padding)))
    return np.packbits(together, axis=1, bitorder="little").view(np.uint32)


def _hand_loop(spec: MixPE, directory: Path) -> ctypes.CDLL:
    build = directory / "build"
    build.mkdir()
    verilate(
        {"unit.v": verilog_of(spec, Style.WORD)}, top=spec.unit, prefix="Vhand", directory=build
    )
    words = -(-sum(port.bits for port in spec.inputs.values()) // 32)
    source = build / "hand_loop.cpp"
    source.write_text(
        f'#define MODEL Vhand\n#define MODEL_HEADER "Vhand.h"\n#define PAYLOAD_WORDS {words}\n'
        + Path(__file__).with_name("hand_loop.cpp").read_text()
    )
    compile_shared(build, "Vhand", [source], directory / "hand.so")
    library = ctypes.CDLL(str(directory / "hand.so"))
    library.hand_loop.restype = ctypes.c_double
    return library


def _against_hand_loop() -> Target:
    spec = MixPE()
    records = random_records(spec, RECORDS, seed=1)
    words = _packed(records, spec)
    given = {name: array.astype(np.int8) for name, array in records.items()}
    model = compile_model(spec)
    ratios, rates = [], []
    with TemporaryDirectory() as place:
        library = _hand_loop(spec, Path(place))
        for _ in range(ROUNDS):
            results = (ctypes.c_int64 * 2)()
            pointer = ctypes.c_void_p(words.ctypes.data)
            size = ctypes.c_int64(RECORDS)
            by_hand = library.hand_loop(pointer, size, size, results)
            model.reset()
            began = time.perf_counter()
            run = model.run(given)
            ours = time.perf_counter() - began
            assert abs(len(run["d"]) - results[0]) <= 1, "both must do the same work"
            ratios.append(by_hand / ours)
            rates.append(RECORDS / ours)
    return Target(
        name="vector simulator over a hand-written C++ loop, records per second",
        value=statistics.median(ratios),
        limit=0.7,
        unit="x",
        method=f"median of {ROUNDS} rounds; {statistics.median(rates):,.0f} records/s",
        at_least=True,
    )


# Not getrusage, which counts what the parent had when it forked, too.
_MEMORY = """
import re, sys
from pathlib import Path
import numpy as np
from multipede.golden.mixpe import MixPE
from multipede.sim.compiled import compile_model
spec, count = MixPE(), int(sys.argv[1])
inputs = {name: np.ones((count, *port.shape), np.int8) for name, port in spec.inputs.items()}
inputs["last"][:] = 0
run = compile_model(spec).run(inputs)
users = sum(a.nbytes for a in [*inputs.values(), *run.outputs.values()])
assert len(run["d"]) == count // spec.records_per_group
peak = re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1]
print(int(peak) * 1024 - users)
"""


def _memory() -> Target:
    compile_model(MixPE())
    done = subprocess.run(
        [sys.executable, "-c", _MEMORY, "10000000"], capture_output=True, text=True, check=True
    )
    return Target(
        name="memory beyond the user's arrays, 10^7 records",
        value=int(done.stdout) / 1e6,
        limit=256,
        unit="MB",
        method="peak resident set of the whole process, interpreter included",
    )
