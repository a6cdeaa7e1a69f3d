"""Units that round once: RTL equals golden, all pairs of few bits, biased operands of many."""

import re

import pytest

from multipede.golden.dequantiser import Dequantiser
from multipede.golden.float_adder import FloatAdder
from multipede.golden.float_multiplier import FloatMultiplier
from multipede.golden.formats import (
    BF16,
    E2M1,
    E2M3,
    E3M0,
    E3M2,
    E4M3,
    E5M2,
    E8M0,
    FP16,
    FP32,
    INT8,
    TF32,
    UE4M3,
    UINT8,
    FixedPoint,
    Float,
    Integer,
    Overflow,
    Rounding,
)
from multipede.golden.fused_multiply_add import FusedMultiplyAdd
from multipede.golden.number_converter import NumberConverter
from multipede.golden.rounded_operation import NanResult
from multipede.hw import Style
from multipede.sim.verify import verify
from multipede.sim.verilog import verilog_of
from tests.hw.equality import check_equal, in_turn
from tests.hw.float_specs import EXHAUSTIVE, MIXED, random_specs

NARROW = [E4M3, E5M2, E3M2, E2M3, E2M1, E3M0, UE4M3, Float(4, 3, subnormals=False)]
NORMAL = [
    FloatAdder(a=FP32, b=FP32, result=FP32, stages=3),
    FloatAdder(rounding=Rounding.DOWN, stages=0),
    FloatMultiplier(a=BF16, b=BF16, result=FP32),
    FloatMultiplier(rounding=Rounding.NEAREST_AWAY, overflow=Overflow.SATURATE, stages=2),
    FusedMultiplyAdd(stages=4),
    FusedMultiplyAdd(a=E5M2, b=E4M3, c=FP16, result=BF16, rounding=Rounding.TOWARD_ZERO),
    Dequantiser(),
    NumberConverter(),
    NumberConverter(x=FP16, result=INT8, nan=NanResult.ZERO, stages=0),
    NumberConverter(x=Integer(32), result=FP16, rounding=Rounding.UP),
    NumberConverter(x=BF16, result=E2M1, stages=2),
    NumberConverter(x=BF16, result=E8M0),
    FloatMultiplier(a=E4M3, b=E4M3, result=E8M0, overflow=Overflow.NAN),
    NumberConverter(x=FP32, result=FixedPoint(20, 12), overflow=Overflow.WRAP),
]
LARGE = [
    *(
        kind(**dict.fromkeys(kind.operands, f), result=f, stages=stages)
        for kind in (FloatAdder, FloatMultiplier, FusedMultiplyAdd)
        for f, stages in ((FP16, 1), (BF16, 5), (TF32, 0), (FP32, 2))
    ),
    FusedMultiplyAdd(a=Integer(63), b=FP32, c=FP32, result=FP32, stages=8),
    Dequantiser(d=FixedPoint(52, 24), scale=BF16),
    *(
        NumberConverter(x=x, result=result)
        for x, result in ((FP32, BF16), (FP32, E4M3), (UINT8, FP16), (FP32, Integer(63)))
    ),
]


@in_turn(NORMAL)
def test_rtl_equals_reference(spec, styles):
    check_equal(spec, styles, records=10_000)


@pytest.mark.regress
@pytest.mark.parametrize("spec", NORMAL, ids=str)
def test_rtl_equals_reference_in_every_style(spec):
    check_equal(spec, records=100_000)


@pytest.mark.few(8)
@pytest.mark.parametrize("kind", [FloatAdder, FloatMultiplier])
@pytest.mark.parametrize("number_format", NARROW, ids=str)
def test_every_pair_of_few_bits(kind, number_format):
    """In one style each, in turn."""
    spec = kind(a=number_format, b=number_format, result=number_format)
    turn = NARROW.index(number_format) + (kind is FloatMultiplier)
    report = verify(spec, styles=[(Style.WORD, Style.CELLS)[turn % 2]], records=1)
    report.raise_on_failure()
    sweeps = [check for check in report.checks if check.stimulus == "exhaustive"]
    assert [check.results for check in sweeps] == [4**number_format.bits]


@pytest.mark.regress
@pytest.mark.parametrize("spec", LARGE, ids=str)
def test_rtl_equals_reference_at_length(spec):
    """Ten million records: those of words that CELLS repeats at a tenth."""
    verify(spec, styles=[Style.WORD], records=10_000_000).raise_on_failure()
    verify(spec, styles=[Style.CELLS, Style.CELLS_PREFIX], records=1_000_000).raise_on_failure()


@pytest.mark.regress
@pytest.mark.parametrize("spec", EXHAUSTIVE, ids=str)
def test_every_pair_of_few_bits_in_every_style(spec):
    report = verify(spec, records=2000)
    report.raise_on_failure()
    sweeps = [check for check in report.checks if check.stimulus == "exhaustive"]
    assert {check.style for check in sweeps} == {style.value for style in Style}
    pairs = len(spec.a.codes()) * len(spec.b.codes())
    assert all(check.records == pairs for check in sweeps)


@pytest.mark.regress
@pytest.mark.parametrize("spec", MIXED, ids=str)
def test_mixed_formats(spec):
    check_equal(spec, records=20_000)


@pytest.mark.regress
@pytest.mark.parametrize("stages", range(9))
@pytest.mark.parametrize("kind", [FloatAdder, FloatMultiplier, FusedMultiplyAdd, NumberConverter])
def test_every_number_of_stages(kind, stages):
    check_equal(kind(stages=stages), records=100_000)


@pytest.mark.regress
@pytest.mark.parametrize("seed", range(60))
def test_random_formats(seed):
    (spec,) = random_specs(seed, 1)
    check_equal(spec, records=20_000)


@pytest.mark.regress
@pytest.mark.parametrize("rounding", list(Rounding))
@pytest.mark.parametrize("overflow", [Overflow.SATURATE, Overflow.INFINITY, Overflow.NAN])
@pytest.mark.parametrize("kind", [FloatAdder, FloatMultiplier, FusedMultiplyAdd])
def test_every_rounding_and_overflow_policy(kind, overflow, rounding):
    formats = dict.fromkeys(kind.operands, E5M2)
    spec = kind(**formats, result=E4M3, rounding=rounding, overflow=overflow)
    verify(spec, records=200_000).raise_on_failure()


@pytest.mark.parametrize(
    "net",
    ["aligned_inexact", "tie", "increment", "cancelled", "beyond_largest", "limit_8_moves"],
)
def test_a_net_stuck_at_0_is_found(net):
    """Sticky bits, ties, carries of rounding, zero's sign, overflow, subnormal results."""
    spec = FloatAdder()
    text = verilog_of(spec, Style.WORD)
    broken, count = re.subn(
        rf"^  assign {net} = .*;", f"  assign {net} = 1'b0;", text, flags=re.MULTILINE
    )
    assert count == 1
    report = verify(spec, verilog={"broken": broken}, records=50_000, waveform=False)
    assert not report.passed
