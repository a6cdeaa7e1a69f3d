"""verify: it passes what is right, and each of its checks catches a planted bug."""

import json
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from multipede.golden.formats import Integer
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.golden.mixpe import MixPE
from multipede.hw import Style
from multipede.sim.compiled import compile_model
from multipede.sim.report import Check, MismatchError, VerifyReport, first_difference
from multipede.sim.verify import verify
from multipede.sim.verilog import verilog_of
from tests.sim import untimely_units
from tests.sim.untimely_units import (
    LATE_BEHIND_A_PAUSE,
    MULTIPLIER,
    OFFERS_DURING_RESET,
    RIGHT,
    tile_that_delays_results,
)

TILE = MixPE(rows=2, columns=2, lanes=2, group=8)
WORD = verilog_of(TILE, Style.WORD)
CELLS = verilog_of(TILE, Style.CELLS)


def planted(text: str, old: str, new: str, *, count: int = 1) -> dict[str, str]:
    assert old in text, f"{old!r} is not in the Verilog any more: plant the bug elsewhere"
    return {"planted": text.replace(old, new, count)}


def swap(text: str, one: str, other: str) -> dict[str, str]:
    assert one in text
    assert other in text
    return {"planted": text.replace(one, "\0").replace(other, one).replace("\0", other)}


LATE_TOP = """
module mixpe(input clk, input rst, input [56:0] i_payload, input i_valid,
             output reg [60:0] o_payload, output reg o_valid);
  wire [60:0] payload;
  wire valid;
  inner unit(.clk(clk), .rst(rst), .i_payload(i_payload), .i_valid(i_valid),
             .o_payload(payload), .o_valid(valid));
  always @(posedge clk) begin
    o_payload <= payload;
    o_valid <= valid & ~rst;
  end
endmodule
"""
BUGS = {
    "group counter one short": lambda: planted(WORD, "position == 2'h3", "position == 2'h2"),
    "last ignored": lambda: planted(WORD, "assign ends = i_last", "assign ends = 1'h0 & i_last"),
    "stale accumulator": lambda: planted(WORD, "assign keep = | position", "assign keep = 1'h1"),
    "accumulator never kept": lambda: planted(
        WORD, "assign keep = | position", "assign keep = 1'h0"
    ),
    "swapped rows": lambda: swap(WORD, "i_payload[15:8]", "i_payload[31:24]"),
    "swapped lanes of the weights": lambda: swap(WORD, "i_payload[35:32]", "i_payload[39:36]"),
    "payload used while valid is low": lambda: planted(WORD, "if (i_valid) p_0_0 <=", "p_0_0 <="),
    "one full adder's carry": lambda: planted(
        CELLS, "(a & b) | (c & half)", "(a & b) | (c & half & ~a)"
    ),
    "half adder": lambda: planted(CELLS, "assign carry = a & b;", "assign carry = a;"),
    "carry chain cut": lambda: planted(
        CELLS, "{{WIDTH{1'b0}}, ci};", "{{WIDTH{1'b0}}, ci & (WIDTH < 3)};"
    ),
    "zero point ignored": lambda: planted(WORD, ".z(z_0)", ".z(4'h0)"),
    "output register too many": lambda: {
        "planted": WORD.replace("module mixpe(", "module inner(").replace("mixpe_", "inner_")
        + LATE_TOP
    },
    "valid not reset": lambda: planted(WORD, "if (rst) o_valid <= 1'h0;\n    else", ""),
    "position not reset": lambda: planted(WORD, "if (rst) position <= 2'h0;\n    else if", "if"),
    "results twice": lambda: planted(WORD, "else o_valid <= ", "else o_valid <= o_valid ^ "),
    "no results": lambda: planted(WORD, "else o_valid <= ", "else o_valid <= 1'h0 & "),
}


@pytest.mark.few(8)
@pytest.mark.parametrize("bug", BUGS)
def test_planted_bugs_are_caught(bug):
    report = verify(TILE, verilog=BUGS[bug](), records=4000, waveform=False)
    assert not report.passed
    with pytest.raises(MismatchError):
        report.raise_on_failure()


def reset_of(register: str, verilog: str) -> dict[str, str]:
    return planted(verilog, f"if (rst) {register} <= ", f"if (1'h0) {register} <= ")


MISSING_RESETS = {
    # Three clocks of reset drain the first and turn the second once round.
    "o_valid": MixPE(rows=2, columns=2, lanes=2, group=8, stages=2),
    "position": MixPE(rows=1, columns=1, lanes=4, group=12),
    "done_q1": MixPE(rows=1, columns=1, lanes=2, group=8, stages=4),
}


@pytest.mark.parametrize("register", MISSING_RESETS)
def test_registers_without_reset_are_caught(register):
    spec = MISSING_RESETS[register]
    bug = reset_of(register, verilog_of(spec, Style.WORD))
    report = verify(spec, verilog=bug, records=100, waveform=False)
    assert "resets" in {check.stimulus for check in report.checks if not check.passed}
    again = verify(spec, verilog=bug, records=100, waveform=False)
    assert [str(check.mismatch) for check in again.checks] == [
        str(check.mismatch) for check in report.checks
    ]


def test_unchanged_verilog_passes():
    report = verify(TILE, verilog={"word": WORD, "cells": CELLS}, records=4000)
    report.raise_on_failure()
    assert report.results > 1000


def test_a_bug_that_one_code_pair_shows_is_found_by_the_sweep():
    """Wrong for a = -77, b = 101 only: random records may miss it, the exhaustive sweep cannot."""
    spec = IntegerMultiplier()
    text = verilog_of(spec, Style.WORD)
    bug = (
        planted(
            text,
            "assign o_payload = ",
            "assign o_payload = {15'h0, i_payload == {8'd101, -8'sd77}} ^ ",
        )
        if "assign o_payload = " in text
        else planted(
            text,
            "o_payload <= ",
            "o_payload <= {15'h0, i_payload == {8'd101, -8'sd77}} ^ ",
        )
    )
    report = verify(spec, verilog=bug, records=10, waveform=False)
    failed = {check.stimulus for check in report.checks if not check.passed}
    assert "exhaustive" in failed


def test_the_first_mismatch_is_explained_with_a_waveform():
    bug = BUGS["zero point ignored"]()
    report = verify(TILE, verilog=bug, records=2000)
    mismatch = report.mismatch
    assert mismatch.port == "d"
    assert mismatch.element[1] == 0  # z_0 belongs to column 0
    assert mismatch.expected != mismatch.got
    assert set(mismatch.inputs) == {"record", *TILE.inputs}
    assert mismatch.waveform.stat().st_size > 500
    assert str(mismatch.expected) in str(report)
    assert "DOES NOT EQUAL" in str(report)


def test_report_counts_and_survives_json():
    report = verify(TILE, records=1000, seed=9)
    document = json.loads(json.dumps(report.to_dict()))
    assert document["passed"] is True
    assert document["seed"] == 9
    assert document["records"] == sum(check["records"] for check in document["checks"])
    assert {check["style"] for check in document["checks"]} == {s.value for s in Style}
    assert set(document["tools"]) == {"verilator", "yosys", "c++"}
    names = {check["stimulus"] for check in document["checks"]}
    random = {"random", "random with gaps", "resets"}
    assert names == {"corners", "lane pairs", "exhaustive"} | random


def test_nothing_compared_is_no_pass():
    check = Check("u", "word", "random", "", records=5, required=5, results=5, seconds=0.0)
    assert check.passed
    assert not replace(check, results=0).passed
    assert not replace(check, records=4).passed
    assert not VerifyReport(TILE, 1, (), {}, 0.0).passed


def test_first_difference():
    a = np.arange(12).reshape(3, 4)
    b = a.copy()
    assert first_difference(a, b) is None
    b[1, 2] = 99
    assert first_difference(a, b) == (1, (2,), 6, 99)
    assert first_difference(a, a[:2]) == (2, (0,), 8, None)
    assert first_difference(a[:2], a) == (2, (0,), None, 8)


def test_same_seed_same_report():
    def counts(report):
        return [(c.style, c.stimulus, c.records, c.results) for c in report.checks]

    first, second = (verify(TILE, records=500, seed=4) for _ in range(2))
    assert counts(first) == counts(second)


def test_few_records_are_no_difference():
    for spec in (IntegerMultiplier(), MixPE(rows=1, columns=1, lanes=1, group=1024)):
        verify(spec, records=1, styles=[Style.WORD]).raise_on_failure()


def test_results_up_to_the_first_difference_are_counted():
    report = verify(TILE, verilog=BUGS["swapped rows"](), records=100, waveform=False)
    wrong = [check for check in report.checks if check.mismatch]
    assert wrong
    assert all(check.results == check.mismatch.result + 1 for check in wrong)


def test_latency_is_compared():
    report = verify(TILE, verilog=BUGS["output register too many"](), records=100, waveform=False)
    assert "the latency is 2 clocks, 1 specified" in str(report)


def test_every_clock_of_a_result_is_compared():
    """Not only how many clocks there are in all, and during reset too."""
    messages = {
        RIGHT: "",
        LATE_BEHIND_A_PAUSE: r"gaps.* comes behind .*latency 1",
        OFFERS_DURING_RESET: "results are offered behind the first clock of rst",
    }
    for text, message in messages.items():
        report = verify(MULTIPLIER, verilog={"other": text}, records=2000, waveform=False)
        assert report.passed == (text is RIGHT)
        assert re.search(message, str(report)), report


def test_each_result_comes_behind_the_record_that_completes_it():
    """Not behind any other that was taken ``latency`` clocks before."""
    late = {"late": tile_that_delays_results()}
    report = verify(untimely_units.TILE, verilog=late, records=2000, waveform=False)
    assert not report.passed
    message = r"result \d+ comes behind record (\d+) \(latency 1\); record (\d+) completes"
    found = re.search(message, str(report))
    assert int(found[1]) == int(found[2]) + 1


def test_a_reference_must_agree_with_its_results_by_record(monkeypatch):
    monkeypatch.setattr(MixPE, "results_by_record", lambda self, state, last, **inputs: last)
    with pytest.raises(ValueError, match=r"mixpe: reference gives \d+ results, results_by_record"):
        verify(TILE, records=100, styles=[Style.WORD])


def test_wrong_arguments():
    with pytest.raises(TypeError, match="spec must be a specification"):
        verify("mixpe")
    with pytest.raises(ValueError, match="records = 0"):
        verify(TILE, records=0)
    with pytest.raises(ValueError, match="name at least one"):
        verify(TILE, styles=[])
    for styles in ("word", ["word"], Style.WORD):
        with pytest.raises(TypeError, match="styles must be a sequence of Style"):
            verify(TILE, styles=styles)
    for verilog in ("module", {}):
        with pytest.raises(TypeError, match="verilog must map names to texts"):
            verify(TILE, verilog=verilog)


def test_second_start_needs_neither_elaboration_nor_torch():
    """The model of an unchanged unit loads without Amaranth, Yosys, Verilator or torch."""
    code = (
        "import sys; from multipede.golden.mixpe import MixPE;"
        "from multipede.sim.compiled import compile_model;"
        "compile_model(MixPE(rows=2, columns=2, lanes=2, group=8));"
        "sys.exit(any(name in sys.modules for name in ('torch', 'amaranth', 'pyosys')))"
    )
    compile_model(TILE)
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.regress
@pytest.mark.parametrize("weight", [Integer(4, signed=False), Integer(8)])
def test_the_full_tile_at_length(weight):
    verify(MixPE(weight=weight), records=1_000_000).raise_on_failure()
