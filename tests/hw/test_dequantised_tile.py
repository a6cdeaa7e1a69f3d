"""Dequantised tiles: RTL equals golden; whole groups never stall, short ones wait in order."""

import re

import numpy as np
import pytest

from multipede.golden.formats import BF16, E4M3, FP16, FP32, INT8, UINT4, Integer
from multipede.golden.integer_tile import TileOutput
from multipede.golden.mixed_tile import Accumulation
from multipede.golden.mixpe import MixPE
from multipede.golden.multiplier_tile import MultiplierTile, PartialProducts
from multipede.hw import Style
from multipede.sim.model import compile_model
from multipede.sim.stimulus import random_records
from multipede.sim.verify import verify
from multipede.sim.verilog import verilog_of
from tests.hw.equality import check_equal, in_two_styles

OUTPUT = {"output": TileOutput.DEQUANTISED}
SMALL = {"rows": 2, "columns": 2, "lanes": 2, "group": 8} | OUTPUT
SPECS = [
    MixPE(**SMALL),
    MixPE(rows=3, columns=3, lanes=2, group=8, dequantiser_stages=2, stages=3, **OUTPUT),
    MixPE(rows=1, columns=1, lanes=1, group=1, dequantiser_stages=3, **OUTPUT),
    MixPE(rows=1, columns=2, lanes=2, group=8, dequantiser_stages=5, scale=FP32, **OUTPUT),
    MixPE(scale=INT8, dequantiser_stages=0, **SMALL),
    MixPE(activation=BF16, dequantiser_stages=2, **SMALL),
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


@in_two_styles(SPECS)
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
    """As long as a dequantiser's ranks fit into a group's records."""
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
