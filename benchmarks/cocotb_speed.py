"""The vector simulator beside cocotb on Verilator, on the 4x4x8 W4A8 tile, in one run."""

import time

from benchmarks.target import Target
from multipede.golden.mixpe import MixPE
from multipede.hw import Style
from multipede.sim.cocotb_bench import Bench, Simulator, run_bench
from multipede.sim.compiled import compile_model
from multipede.sim.vectors import golden_records
from multipede.sim.verilog import verilog_of

COCOTB_RECORDS = {Style.WORD: 20_000, Style.CELLS: 10_000}
RECORDS = {Style.WORD: 500_000, Style.CELLS: 100_000}
LIMITS = {Style.WORD: 50, Style.CELLS: 15}


def measure() -> list[Target]:
    """All targets of this page."""
    return [_ratio(style) for style in LIMITS]


def _ratio(style: Style) -> Target:
    spec = MixPE()
    bench = Bench(
        spec=spec,
        verilog=verilog_of(spec, style),
        top=spec.unit,
        simulator=Simulator.VERILATOR,
        records=COCOTB_RECORDS[style],
        seed=1,
        time_limit=600.0,
    )
    (check,) = run_bench(bench, style=style.value, only=["back_to_back"])
    if not check.passed:
        raise RuntimeError(check.failure)
    slow = check.records / check.seconds
    records = golden_records(spec, RECORDS[style], seed=1)
    model = compile_model(spec, style=style)
    model.reset()
    began = time.perf_counter()
    model.run(records)
    fast = RECORDS[style] / (time.perf_counter() - began)
    return Target(
        name=f"vector simulator over cocotb, records per second, {style.value}",
        value=fast / slow,
        limit=LIMITS[style],
        unit="x",
        method=f"{fast:,.0f} and {slow:,.0f} records/s, back to back, start-up excepted",
        at_least=True,
    )
