"""Verification under cocotb: it passes on our RTL and finds bugs of values, pace and protocol."""

import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import pytest

from multipede.golden.float_adder import FloatAdder
from multipede.golden.formats import E4M3, INT4, UINT2
from multipede.golden.mixpe import MixPE
from multipede.golden.stallable import Stallable
from multipede.hw import Style
from multipede.sim import cocotb_bench, testing
from multipede.sim.cocotb_bench import Bench, Simulator, cases, run_bench, verify_cocotb
from multipede.sim.generate import generate
from multipede.sim.report import MismatchError
from multipede.sim.testing import check_directory, check_unit, directory_cases
from multipede.sim.verilog import verilog_of
from multipede.toolchain import ToolError, ToolFailure
from tests.hw.planted import replaced
from tests.sim import untimely_units
from tests.sim.untimely_units import (
    LATE_BEHIND_A_PAUSE,
    LATE_FROM_THE_THIRD_RESET_ON,
    MULTIPLIER,
    OFFERS_DURING_RESET,
    RIGHT,
    tile_that_delays_results,
)

TILE = MixPE(weight=UINT2, activation=INT4, rows=1, columns=1, lanes=2, group=4)
STALLABLE = Stallable(inside=TILE)
ICARUS = Simulator.ICARUS


def test_cases_are_those_that_fit_the_unit():
    assert cases(TILE) == ["back_to_back", "gaps", "resets"]
    assert cases(STALLABLE) == ["back_to_back", "gaps", "stalls", "gaps_and_stalls", "resets"]
    assert cases(FloatAdder(stages=0), resettable=False) == ["back_to_back", "gaps"]


@pytest.mark.regress
def test_a_stallable_tile_passes_in_verilator():
    report = verify_cocotb(STALLABLE, records=1000)
    report.raise_on_failure()
    assert [check.stimulus for check in report.checks] == [
        f"cocotb {case}" for case in cases(STALLABLE)
    ]
    for check in report.checks[:-1]:
        assert check.records == 1000
        assert check.results >= 250
    assert report.checks[-1].records >= 40
    assert report.checks[-1].results >= 20
    assert {"cocotb", "verilator"} <= set(report.tools)


@pytest.mark.parametrize(
    ("spec", "style"),
    [
        (TILE, Style.CELLS),
        (FloatAdder(a=E4M3, b=E4M3, result=E4M3, stages=0), Style.WORD),
    ],
    ids=["cells", "combinational"],
)
def test_units_pass_in_icarus(spec, style):
    report = verify_cocotb(spec, styles=[style], simulator=ICARUS, records=300)
    report.raise_on_failure()
    assert report.results >= 200


DROPPED_LATE = r"""  reg [4:0] age = 5'h0;
  always @(posedge clk)
    if (rst | r_en) age <= 5'h0;
    else if (r_rdy & ~&age) age <= age + 1'h1;
  assign r_data = storage[consume] ^ &age;"""
BUGS = {
    "a wrong bit": (
        "gaps",
        replaced(r"r_rdy \? r_data : w_data", "(r_rdy ? r_data : w_data) ^ 1'b1"),
        r"clock \d+, record \d+, result \d+: d.* expected code -?\d+ \(value",
    ),
    "a record is taken without room": (
        "stalls",
        replaced(r"assign i_ready = .*;", "assign i_ready = 1'b1;"),
        "expected code|more than the reference|never came",
    ),
    "room that is never given back": (
        "back_to_back",
        replaced(r"assign given = .*;", "assign given = 1'b0;"),
        "it hangs",
    ),
    "a result changes while it waits": (
        "gaps_and_stalls",
        replaced(r"r_rdy \? r_data : w_data", "i__valid ? w_data : r_data"),
        "it was not taken, and is no longer there|expected code",
    ),
    "valid waits for ready": (
        "stalls",
        replaced(r"assign o__valid = (.*);", r"assign o__valid = (\1) & o__ready;"),
        "o_valid or o_payload waits for ready",
    ),
    "a result is dropped after a long wait": (
        "stalls",
        replaced(r"(  assign r_data = storage\[consume\];)", DROPPED_LATE),
        "no longer there|expected code|never came",
    ),
    "half the pace": (
        "back_to_back",
        replaced(r"used != 2'h2", "used != 2'h1"),
        "at full pace, .* specified",
    ),
    "a reset that forgets the group": (
        "resets",
        replaced(r"if \(rst\) position <= .*;\n    else ", ""),
        "expected code|never came|more than",
    ),
}


def tried(bug: str, text: str):
    """The case that is to find a bug, on this Verilog."""
    bench = Bench(STALLABLE, text, "stallable", ICARUS, 200, 1, 60.0)
    (check,) = run_bench(bench, style="broken", only=[BUGS[bug][0]])
    return check


AT_ONCE = ("a wrong bit", "half the pace", "valid waits for ready")
LATER = [pytest.param(bug, marks=pytest.mark.regress) for bug in BUGS if bug not in AT_ONCE]


@pytest.mark.few(2)
@pytest.mark.parametrize("bug", [*AT_ONCE, *LATER])
def test_planted_bugs_are_found(bug):
    _, plant, message = BUGS[bug]
    text = verilog_of(STALLABLE, Style.WORD)
    assert tried(bug, text).passed
    broken = plant(text)
    assert broken != text
    check = tried(bug, broken)
    assert not check.passed
    assert re.search(message, check.error), check.error
    waveform = re.search(r"\(waveform: (\S+)\)", check.error)
    assert Path(waveform[1]).stat().st_size > 100


@pytest.mark.few(3)
@pytest.mark.parametrize(
    ("text", "case", "message"),
    [
        (RIGHT, "gaps", None),
        (RIGHT, "resets", None),
        (LATE_BEHIND_A_PAUSE, "back_to_back", None),
        (LATE_BEHIND_A_PAUSE, "gaps", "not there yet"),
        (OFFERS_DURING_RESET, "resets", "a result is offered during reset"),
        (LATE_FROM_THE_THIRD_RESET_ON, "gaps", None),
        (LATE_FROM_THE_THIRD_RESET_ON, "resets", "not there yet"),
    ],
)
def test_every_clock_of_a_result_is_compared(text, case, message):
    bench = Bench(MULTIPLIER, text, MULTIPLIER.unit, ICARUS, 200, 1, 60.0)
    (check,) = run_bench(bench, style="other", only=[case])
    assert check.passed == (message is None)
    assert message is None or message in check.error


def test_each_result_comes_behind_the_record_that_completes_it():
    tile = untimely_units.TILE
    bench = Bench(tile, tile_that_delays_results(), tile.unit, ICARUS, 300, 1, 60.0)
    failed = [check for check in run_bench(bench, style="late") if not check.passed]
    assert [check.stimulus for check in failed] == [f"cocotb {case}" for case in cases(tile)]
    assert all("not there yet, although record" in check.error for check in failed)


@pytest.mark.regress
def test_a_failure_in_verilator_keeps_a_waveform():
    text = BUGS["a wrong bit"][1](verilog_of(STALLABLE, Style.WORD))
    bench = Bench(STALLABLE, text, "stallable", Simulator.VERILATOR, 50, 1, 60.0)
    (check,) = run_bench(bench, style="broken", only=["gaps"])
    assert "expected code" in check.error
    waveform = re.search(r"\(waveform: (\S+)\)", check.error)
    assert waveform, check.error
    assert Path(waveform[1]).stat().st_size > 100


def test_a_waveform_that_cannot_be_made_hides_nothing(monkeypatch):
    simulated = cocotb_bench._simulated

    def without_waves(bench, wanted, *, waves=None):
        if waves is not None:
            raise ToolFailure("no lz4.h", tool="verilator")
        return simulated(bench, wanted)

    monkeypatch.setattr(cocotb_bench, "_simulated", without_waves)
    check = tried("a wrong bit", BUGS["a wrong bit"][1](verilog_of(STALLABLE, Style.WORD)))
    assert "expected code" in check.error
    assert "(no waveform: no lz4.h)" in check.error


def test_only_the_first_failure_keeps_a_waveform():
    text = verilog_of(STALLABLE, Style.WORD)
    broken = BUGS["a wrong bit"][1](text)
    report = verify_cocotb(STALLABLE, simulator=ICARUS, records=20, verilog={"broken": broken})
    assert not report.passed
    assert sum(check.error is not None for check in report.checks) >= 4
    assert str(report).count("(waveform: ") == 1


def test_a_bench_that_hangs_is_ended():
    """A loop without delay: the simulator never comes back."""
    text = verilog_of(TILE, Style.WORD)
    broken = text.replace("endmodule", "  always @(posedge clk) while (i_valid) ;\nendmodule", 1)
    report = verify_cocotb(
        TILE, simulator=ICARUS, records=50, verilog={"broken": broken}, time_limit=4
    )
    assert not report.passed
    failed = next(check for check in report.checks if check.error)
    assert "not finished within 4 s" in failed.error
    waveform = re.search(r"\(waveform: (\S+)\)", failed.error)
    assert waveform, failed.error
    assert Path(waveform[1]).stat().st_size > 100


def test_too_few_results_are_no_pass(monkeypatch):
    monkeypatch.setattr(cocotb_bench, "_simulated", lambda *_, **__: ({}, "nothing ran"))
    report = verify_cocotb(TILE, simulator=ICARUS, records=50)
    assert not report.passed
    assert "nothing ran" in str(report)


def test_the_generated_tests_are_run_by_pytest(tmp_path):
    generate(STALLABLE, tmp_path, name="dut", vectors=100, cocotb=True)
    file = tmp_path / "test_dut.py"
    file.write_text(file.read_text().replace("Simulator.VERILATOR", "Simulator.ICARUS"))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "stalls"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


def test_what_lies_in_the_directory_is_tried(tmp_path):
    generate(STALLABLE, tmp_path, name="dut", vectors=100)
    assert directory_cases(tmp_path) == cases(STALLABLE)
    verilog = tmp_path / "dut.v"
    verilog.write_text(replaced(r"storage\[consume\];", "~storage[consume];")(verilog.read_text()))
    with pytest.raises(MismatchError, match=r"dut, cocotb stalls: .*no longer there"):
        check_directory(tmp_path, "stalls", records=100, simulator=ICARUS)
    with pytest.raises(ValueError, match="case = 'stall': allowed are back_to_back, gaps"):
        check_directory(tmp_path, "stall", records=100)


def test_what_the_users_verilog_lacks_is_told_at_its_own_line(tmp_path):
    generate(TILE, tmp_path, vectors=8, name="dut", style=Style.CELLS, cocotb=True)
    file = tmp_path / "dut.v"
    lines = file.read_text().splitlines()
    lines[40] = "  wire wire;"
    file.write_text("\n".join(lines))
    for simulator in Simulator:
        with pytest.raises(ToolFailure, match=r"dut\.v:41"):
            check_directory(tmp_path, "gaps", records=10, simulator=simulator)
    with pytest.raises(ValueError, match=r"it has no ports\.json"):
        directory_cases(tmp_path / "none")


def test_check_unit_raises_on_a_difference(monkeypatch):
    report = check_unit(TILE, styles=[Style.WORD], records=100)
    assert report.passed
    nothing = dataclasses.replace(report, checks=())
    monkeypatch.setattr(testing, "verify", lambda *_, **__: nothing)
    with pytest.raises(MismatchError):
        check_unit(TILE)


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ("2.0.1", "cocotb 2.0.1 is too old, 2.1 is needed: pip install"),
        (None, "cocotb 2.1 is needed and not installed: pip install"),
    ],
)
def test_cocotb_that_is_missing_or_too_old_is_named(found, message, monkeypatch):
    def version(name):
        if found is None:
            raise cocotb_bench.PackageNotFoundError(name)
        return found

    monkeypatch.setattr(cocotb_bench, "version", version)
    with pytest.raises(ToolError, match=message):
        verify_cocotb(TILE, simulator=ICARUS, records=10)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"records": 0}, ValueError, "records = 0: allowed are 1 to"),
        ({"simulator": "icarus"}, TypeError, "simulator must be Simulator, not str"),
        ({"styles": ["word"]}, TypeError, "styles must be a sequence of Style"),
        ({"time_limit": 0}, ValueError, "time_limit = 0: seconds above 0 are needed"),
    ],
)
def test_bad_arguments(options, error, message):
    with pytest.raises(error, match=message):
        verify_cocotb(TILE, **options)
