"""Looks at the outside programs, and builds and runs something small with each."""

from __future__ import annotations

import ctypes
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from . import cache
from .errors import ToolError
from .find import find, format_version, requirement
from .run import run
from .verilator import build_executable, compile_shared, verilate
from .yosys import run_yosys

REQUIRED = ("c++", "verilator", "yosys", "yosys-abc")
OPTIONAL = (
    *("iverilog", "vvp", "perl", "make"),
    *("nextpnr-ecp5", "ecppack", "nextpnr-ice40", "icepack", "nextpnr-gowin", "gowin_pack"),
    "openFPGALoader",
)

_PURPOSE = {
    "iverilog": "runs the generated test benches in a second simulator",
    "vvp": "runs the generated test benches in a second simulator",
    "perl": "needed by cocotb's use of Verilator",
    "make": "needed by cocotb's use of Verilator",
    "nextpnr-ecp5": "places and routes for Lattice ECP5",
    "ecppack": "writes bitstreams for Lattice ECP5",
    "nextpnr-ice40": "places and routes for Lattice iCE40",
    "icepack": "writes bitstreams for Lattice iCE40",
    "nextpnr-gowin": "places and routes for Gowin",
    "gowin_pack": "writes bitstreams for Gowin",
    "openFPGALoader": "loads bitstreams onto boards",
}

_COUNTER = """\
module counter(input clk, input [7:0] step, output [15:0] value);
  register r(.clk(clk), .next(value + {8'd0, step}), .value(value));
endmodule
"""
_REGISTER = """\
module register(input clk, input [15:0] next, output reg [15:0] value);
  initial value = 0;
  always @(posedge clk) value <= next;
endmodule
"""
_DRIVER = """\
#include "Vdoctor.h"
extern "C" int run(int clocks) {
    VerilatedContext context;
    Vdoctor model{&context};
    model.step = 3;
    for (int i = 0; i < clocks; ++i) {
        model.clk = 0;
        model.eval();
        model.clk = 1;
        model.eval();
    }
    return model.value;
}
"""
_BENCH = """\
`timescale 1ns/1ps
module bench;
  reg clk = 0;
  wire [15:0] value;
  counter dut(.clk(clk), .step(8'd3), .value(value));
  always #5 clk = ~clk;
  initial begin
    #1000;
    if (value == 300) $display("PASS"); else $display("FAIL %0d", value);
    $finish;
  end
endmodule
"""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: what.
        ok: whether it holds.
        required: whether everything needs it.
        detail: what was found, or what is wrong.
        remedy: what to do if it does not hold.
        path, version, needed, origin, identity: of a tool; empty for a trial run.
    """

    name: str
    ok: bool
    required: bool
    detail: str
    remedy: str = ""
    path: str = ""
    version: str = ""
    needed: str = ""
    origin: str = ""
    identity: str = ""

    def to_dict(self) -> dict[str, str | bool]:
        """For JSON."""
        return asdict(self)


def diagnose() -> list[Check]:
    """Find every tool and try it; a missing tool is a Check that does not hold, not an error."""
    checks = [_check_cache()]
    checks += [_check_tool(name, required=True) for name in REQUIRED]
    checks += [_check_tool(name, required=False) for name in OPTIONAL]
    trials: Sequence[tuple[str, bool, Callable[[], str]]] = (
        ("Verilator model of several files", True, _try_model),
        ("Verilator with --timing", True, _try_timing),
        ("Yosys synthesis with ABC", True, _try_yosys),
    )
    checks += [_check_trial(*trial) for trial in trials]
    if all(check.ok for check in checks if check.name in ("iverilog", "vvp")):
        checks.append(_check_trial("Icarus simulation", False, _try_icarus))
    return checks


def healthy(checks: Sequence[Check]) -> bool:
    """Whether everything that is required holds."""
    return all(check.ok for check in checks if check.required)


def table(checks: Sequence[Check]) -> str:
    """The checks as plain text: a table of tools, the trial runs, and what to do."""
    head = ("tool", "", "version", "needed", "origin", "identity", "path")
    tools = [check for check in checks if check.name in REQUIRED + OPTIONAL]
    rows = [
        (c.name, _mark(c), c.version, c.needed, c.origin, c.identity[:12], c.path) for c in tools
    ]
    lines = _columns([head, *rows])
    trials = [(c.name, _mark(c), c.detail) for c in checks if c not in tools]
    lines += ["", *_columns(trials)]
    for check in checks:
        if not check.ok and check in tools:
            lines += ["", f"{check.name}: {check.detail}"]
            new = check.remedy and check.remedy not in check.detail
            lines += [f"  {check.remedy}"] if new else []
    verdict = "all that is required holds" if healthy(checks) else "something required is missing"
    return "\n".join([*lines, "", verdict])


def _mark(check: Check) -> str:
    if check.ok:
        return "ok"
    if check.name not in REQUIRED + OPTIONAL:
        return "FAILED"
    return "MISSING" if check.required else "absent"


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _check_cache() -> Check:
    try:
        path = cache.subdirectory("work")
        with tempfile.TemporaryDirectory(dir=path):
            pass
        return Check("cache", True, True, f"{path.parent}, {cache.size() / 2**20:.0f} MiB")
    except (ToolError, OSError) as error:
        remedy = "Set MULTIPEDE_CACHE to a directory that can be written"
        return Check("cache", False, True, str(error), remedy)


def _check_tool(name: str, *, required: bool) -> Check:
    wanted = requirement(name)
    needed = format_version(name, wanted.needed)
    try:
        tool = find(name)
    except ToolError as error:
        detail = f"{error}" if required else f"{error} ({_PURPOSE[name]})"
        return Check(name, False, required, detail, wanted.remedy, needed=needed)
    version = format_version(name, tool.version)
    return Check(
        name,
        True,
        required,
        f"{version} from {tool.origin}",
        path=str(tool.path),
        version=version,
        needed=needed,
        origin=tool.origin,
        identity=tool.identity,
    )


def _check_trial(name: str, required: bool, attempt: Callable[[], str]) -> Check:
    try:
        return Check(name, True, required, attempt())
    except (ToolError, OSError) as error:
        remedy = getattr(error, "log_path", None)
        return Check(name, False, required, str(error), f"Read the log: {remedy}" if remedy else "")


def _try_model() -> str:
    with tempfile.TemporaryDirectory(dir=cache.subdirectory("work")) as place:
        directory = Path(place)
        verilog = {"counter.v": _COUNTER, "register.v": _REGISTER}
        verilate(verilog, top="counter", prefix="Vdoctor", directory=directory)
        driver, library = directory / "driver.cpp", directory / "doctor.so"
        driver.write_text(_DRIVER)
        compile_shared(directory, "Vdoctor", [driver], library)
        _expect(ctypes.CDLL(str(library)).run(100), 300)
    return "built and ran"


def _try_timing() -> str:
    verilog = {"counter.v": _COUNTER, "register.v": _REGISTER, "bench.v": _BENCH}
    with tempfile.TemporaryDirectory(dir=cache.subdirectory("work")) as place:
        program = build_executable(verilog, top="bench", directory=Path(place))
        _expect(run((str(program),)).stdout.splitlines()[0], "PASS")
    return "built and ran"


def _try_yosys() -> str:
    script = "read_verilog counter.v register.v; synth -flatten -top counter; write_verilog out.v"
    files = {"counter.v": _COUNTER, "register.v": _REGISTER}
    run_yosys(script, files=files, outputs=["out.v"])
    return "synthesised"


def _try_icarus() -> str:
    with tempfile.TemporaryDirectory(dir=cache.subdirectory("work")) as place:
        directory = Path(place)
        for name, text in (("counter.v", _COUNTER), ("register.v", _REGISTER), ("b.v", _BENCH)):
            (directory / name).write_text(text)
        arguments = ["-o", "bench", "b.v", "counter.v", "register.v"]
        run(find("iverilog"), arguments, directory=directory)
        said = run(find("vvp"), ["-n", "bench"], directory=directory).stdout
        _expect(said.splitlines()[0], "PASS")
    return "compiled and ran"


def _expect(found: object, expected: object) -> None:
    if found != expected:
        raise ToolError(f"the trial gave {found!r} instead of {expected!r}")
