"""Tiles with float activations: RTL equals golden, and every W4A16 product is exact."""

import re

import numpy as np
import pytest
import torch

from multipede.golden.formats import (
    BF16,
    E2M1,
    E4M3,
    E5M2,
    FP16,
    INT4,
    UINT1,
    UINT8,
    Float,
    Integer,
)
from multipede.golden.mixed_tile import Accumulation
from multipede.golden.mixpe import MixPE
from multipede.hw import Style
from multipede.sim.compiled import compile_model
from multipede.sim.verify import verify
from multipede.sim.verilog import rtlil_of, verilog_of
from tests.hw.equality import check_equal, in_turn

EXACT, ALIGNED = Accumulation.EXACT, Accumulation.ALIGNED
SMALL = {"rows": 2, "columns": 2, "lanes": 2, "group": 8}
SPECS = [
    MixPE(activation=FP16, **SMALL),
    MixPE(activation=BF16, **SMALL),
    MixPE(activation=BF16, stages=5, guard=3, zero_point=False, weight=INT4, **SMALL),
    MixPE(activation=E4M3, stages=2, weight=UINT8, rows=1, columns=3, lanes=3, group=3),
    MixPE(activation=FP16, accumulation=ALIGNED, guard=0, stages=3, **SMALL),
    MixPE(activation=E2M1, accumulation=ALIGNED, rows=1, columns=1, lanes=1, group=4),
]
MORE_SPECS = [
    MixPE(activation=Float(5, 10, subnormals=False), rows=1, columns=2, lanes=4, weight=UINT1),
    MixPE(activation=FP16, stages=4, weight=INT4, **SMALL),
    *(MixPE(activation=FP16, stages=stages, **SMALL) for stages in (2, 3, 8)),
    *(MixPE(activation=BF16, stages=stages, **SMALL) for stages in (2, 3, 4, 8)),
    *(MixPE(activation=BF16, guard=guard, **SMALL) for guard in (0, 1, 16, 32)),
    *(MixPE(activation=activation, **SMALL) for activation in (E5M2, E2M1, Float(4, 0))),
    MixPE(activation=BF16, accumulation=EXACT, rows=1, columns=1, lanes=2, group=4),
    MixPE(activation=FP16, accumulator=Integer(60), rows=1, columns=1, lanes=8),
    MixPE(activation=BF16, rows=4, columns=4, lanes=8),
    MixPE(activation=FP16, rows=4, columns=4, lanes=8),
]


@in_turn(SPECS)
def test_rtl_equals_reference(spec, styles):
    check_equal(spec, styles, records=3000)


@pytest.mark.regress
@pytest.mark.parametrize("spec", [*SPECS, *MORE_SPECS], ids=str)
def test_rtl_equals_reference_at_length(spec):
    check_equal(spec, records=30_000)


@pytest.mark.parametrize("style", list(Style))
def test_every_fp16_activation_times_every_uint4_weight(style):
    """Facts 1.6 (4): 65,536 x 16 products in the RTL, all exact."""
    spec = MixPE(activation=FP16, zero_point=False, rows=1, columns=16, lanes=1, group=1)
    a = np.arange(1 << 16)
    w = np.tile(np.arange(16), (len(a), 1))[:, :, None]
    run = compile_model(spec, style=style).run(
        {"a": a[:, None, None], "w": w, "last": np.zeros(len(a), int)}
    )
    value = torch.from_numpy(a.astype(np.int16)).view(torch.float16).double().numpy()
    finite = np.isfinite(value)
    expected = np.where(finite, value, 0)[:, None] * np.arange(16)
    assert run["d"].size == 1 << 20
    assert (run["d"][:, 0] * 2.0**-24 == expected).all()
    assert (run["nan"][:, 0] == ~finite).all()


def test_there_is_no_multiplier():
    for activation in (FP16, BF16):
        for style in Style:
            assert "$mul" not in rtlil_of(MixPE(activation=activation, **SMALL), style)


BUGS = {
    "a NaN flag that is never set": (r"assign nan_0 = ", "assign nan_0 = 1'h0 & "),
    "an exponent that outlives its group": (
        r"exponent_0_so_far = keep \? exponent_0_reached : 8'h00;",
        "exponent_0_so_far = exponent_0_reached;",
    ),
    "a sum that is not shifted": (
        r"\.rise\(rise_0\),\s*\.value\(p_0_0\)",
        ".rise(8'h00), .value(p_0_0)",
    ),
    "an activation sum that is not shifted": (
        r"\.rise\(rise_0\),\s*\.value\(s_0\)",
        ".rise(8'h00), .value(s_0)",
    ),
}


@pytest.mark.few(2)
@pytest.mark.parametrize("bug", BUGS)
def test_planted_bugs_are_found(bug):
    spec = MixPE(activation=BF16, rows=1, columns=1, lanes=2, group=8)
    text = verilog_of(spec, Style.WORD)
    pattern, wrong = BUGS[bug]
    broken, count = re.subn(pattern, wrong, text)
    assert count == 1
    sources = {"ours": text, "broken": broken}
    report = verify(spec, verilog=sources, records=2000, waveform=False)
    failed = {check.style for check in report.checks if not check.passed}
    assert failed == {"broken"}
