"""Dequantised tiles: RTL equals golden; whole groups never stall, short ones wait in order."""

import re

import numpy as np
import pytest
import torch

from multipede.golden.formats import BF16, E4M3, FP16, FP32, INT8, UINT4, Integer
from multipede.golden.integer_tile import TileOutput
from multipede.golden.mixed_tile import Accumulation
from multipede.golden.mixpe import MixPE
from multipede.golden.multiplier_tile import MultiplierTile, PartialProducts
from multipede.hw import Style
from multipede.sim.compiled import compile_model
from multipede.sim.stimulus import random_records
from multipede.sim.verify import verify
from multipede.sim.verilog import verilog_of
from tests.hw.equality import check_equal, in_turn

OUTPUT = {"output": TileOutput.DEQUANTISED}
SMALL = {"rows": 2, "columns": 2, "lanes": 2, "group": 8} | OUTPUT
SPECS = [
    MixPE(**SMALL),
    MixPE(rows=3, columns=3, lanes=2, group=8, dequantiser_stages=2, stages=3, **OUTPUT),
    MixPE(rows=1, columns=1, lanes=1, group=1, dequantiser_stages=3, **OUTPUT),
    MixPE(rows=1, columns=2, lanes=2, group=8, dequantiser_stages=5, scale=FP32, **OUTPUT),
    MixPE(scale=INT8, dequantiser_stages=0, **SMALL),
    MixPE(activation=BF16, dequantiser_stages=2, **{**SMALL, "rows": 1}),
]
MORE_SPECS = [
    MultiplierTile(rows=2, columns=3, lanes=2, group=4, scale=BF16, stages=4, **OUTPUT),
    MixPE(rows=4, columns=4, lanes=8, group=128, **OUTPUT),
    MixPE(activation=FP16, rows=4, columns=4, lanes=8, group=128, **OUTPUT),
    MixPE(activation=FP16, scale=INT8, **SMALL),
    MixPE(activation=FP16, scale=UINT4, channel_scale=FP16, dequantiser_stages=2, **SMALL),
    MixPE(activation=E4M3, rows=1, columns=3, lanes=1, group=2, **OUTPUT),
    MixPE(activation=FP16, accumulation=Accumulation.ALIGNED, guard=1, scale=FP32, **SMALL),
    MixPE(accumulator=Integer(40), rows=5, columns=3, lanes=2, group=4, **OUTPUT),
    MultiplierTile(partial_products=PartialProducts.BOOTH, dequantiser_stages=8, **SMALL),
]


@in_turn(SPECS)
def test_rtl_equals_reference(spec, styles):
    check_equal(spec, styles, records=3000)


@pytest.mark.regress
@pytest.mark.parametrize("spec", [*SPECS, *MORE_SPECS], ids=str)
def test_rtl_equals_reference_at_length(spec):
    check_equal(spec, records=30_000)


def whole_groups(spec: MixPE, groups: int) -> dict[str, np.ndarray]:
    """Random records of whole groups; every third one ends a result."""
    records = random_records(spec, groups * spec.records_per_group, seed=4)
    ends = np.arange(len(records["last"])) % (3 * spec.records_per_group)
    records["last"] = (ends == 3 * spec.records_per_group - 1).astype(np.int64)
    return records


@pytest.mark.parametrize("spec", [*SPECS[:2], SPECS[4], MORE_SPECS[1]], ids=str)
def test_whole_groups_never_stall(spec):
    """Where the dequantisers have fewer ranks than a group has records."""
    records = whole_groups(spec, 12)
    run = compile_model(spec).run(records)
    assert len(run["y"]) == 4
    assert run.cycles == len(records["last"]) + spec.latency


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_short_groups_wait(spec):
    """Every record is a result of its own: the dequantisers set the pace."""
    records = random_records(spec, 50, seed=4)
    records["last"][:] = 1
    run = compile_model(spec).run(records)
    spacing = max(spec.dequantiser_steps, spec.dequantiser_stages + 1)
    assert len(run["y"]) == 50
    assert run.cycles == 49 * spacing + 1 + spec.latency


BUGS = {
    "a sum that does not start anew": (r"fresh \? 0 : ", "1'b0 ? 0 : "),
    "scales that do not turn": (r"scale_bank_0 <= scale_bank_1", "scale_bank_0 <= scale_bank_0"),
    "a bank that is overwritten": (r"assign i_ready = .*;", "assign i_ready = 1'b1;"),
    "a result that comes too early": (r"o_valid <= done_q1;", "o_valid <= _005_;"),
}


@pytest.mark.few(2)
@pytest.mark.parametrize("bug", BUGS)
def test_planted_bugs_are_found(bug):
    spec = MixPE(**SMALL)
    text = verilog_of(spec, Style.WORD)
    pattern, wrong = BUGS[bug]
    broken, count = re.subn(pattern, wrong, text)
    assert count == 1
    report = verify(spec, verilog={"ours": text, "broken": broken}, records=2000, waveform=False)
    failed = {check.style for check in report.checks if not check.passed}
    assert failed == {"broken"}


def test_another_results_sum_is_found_with_float_activations():
    """Only from a result's second group on, and with activations that are mostly no corners."""
    spec = MixPE(activation=FP16, **SMALL)
    text = verilog_of(spec, Style.WORD)
    right = "in_flight_0_1 ? sum_1 : sum_0"
    broken = text.replace(right, f"(step < 2'd2) ? (in_flight_0_1 ? sum_2 : sum_1) : ({right})")
    assert text.count(right) == 1
    report = verify(spec, verilog={"broken": broken}, records=2000, waveform=False)
    found = {check.stimulus for check in report.checks if not check.passed}
    assert {"random", "random with gaps"} <= found


@pytest.mark.parametrize("activation", [FP16, BF16], ids=str)
@pytest.mark.parametrize("size", [{}, SMALL], ids=["4x4x8", "2x2x2"])
def test_most_random_results_of_several_groups_are_numbers(activation, size):
    """Infinities and NaN would hide what the other groups give."""
    spec = MixPE(activation=activation, **(OUTPUT | size))
    records = random_records(spec, 20_000, seed=3)
    ends = np.flatnonzero(records["last"])
    outputs, _ = spec.reference(**{n: torch.from_numpy(codes) for n, codes in records.items()})
    long = np.diff(ends, prepend=-1) > spec.records_per_group
    values = FP32.decode(outputs["y"][torch.from_numpy(long)])
    assert long.sum() > 50
    assert (torch.isfinite(values) & (values != 0)).double().mean() > 0.3


def test_a_result_that_is_late_is_found():
    spec = MixPE(**SMALL)
    pins = {"input": spec.inputs, "output": spec.outputs}
    width = {name: sum(port.bits for port in ports.values()) for name, ports in pins.items()}
    late = f"""
module mixpe(input clk, input rst, input i_valid, output i_ready,
             input [{width["input"] - 1}:0] i_payload,
             output reg o_valid, output reg [{width["output"] - 1}:0] o_payload);
  wire valid;
  wire [{width["output"] - 1}:0] payload;
  inner inner(.clk(clk), .rst(rst), .i_valid(i_valid), .i_ready(i_ready), .i_payload(i_payload),
              .o_valid(valid), .o_payload(payload));
  always @(posedge clk) begin o_valid <= rst ? 1'b0 : valid; o_payload <= payload; end
endmodule
"""
    text = verilog_of(spec, Style.WORD)
    wrapped = late + re.sub(r"^module mixpe\(", "module inner(", text, flags=re.MULTILINE)
    report = verify(spec, verilog={"late": wrapped}, records=200, waveform=False)
    errors = {check.error for check in report.checks}
    assert errors == {f"the latency is {spec.latency + 1} clocks, {spec.latency} specified"}


@pytest.mark.parametrize(
    ("group", "lanes", "stages", "interval"), [(4, 4, 1, 2), (8, 4, 4, 3), (8, 2, 3, 1)]
)
def test_short_whole_groups_keep_the_stated_interval(group, lanes, stages, interval):
    spec = MixPE(rows=2, columns=2, lanes=lanes, group=group, dequantiser_stages=stages, **OUTPUT)
    records = whole_groups(spec, 60)
    count = len(records["last"])
    clocks = compile_model(spec).run(records).cycles - spec.latency
    assert spec.initiation_interval == interval
    assert clocks == 59 * max(spec.group_interval, spec.records_per_group) + spec.records_per_group
    assert (interval - 1) * count < clocks <= interval * count
