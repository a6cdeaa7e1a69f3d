"""What verification must find in floating-point units: bugs planted in their RTL and plans."""

import re
from dataclasses import replace

import numpy as np
import pytest

from multipede.golden.float_adder import FloatAdder
from multipede.golden.float_multiplier import FloatMultiplier
from multipede.golden.formats import BF16, FP16, FP32, INT8, Rounding
from multipede.golden.fused_multiply_add import FusedMultiplyAdd
from multipede.golden.rounded_operation import RoundedOperation
from multipede.hw import Style
from multipede.hw.arithmetic import aligned_sum, exact_result, float_sum
from multipede.sim.verify import verify
from multipede.sim.verilog import verilog_of
from tests.hw.float_specs import DEQUANTISER, WIDEST, of_one_format
from tests.hw.plan_equality import assert_plan_equals_reference

ADDER, MULTIPLIER, FUSED = FloatAdder(), FloatMultiplier(), FusedMultiplyAdd()
DOWN = FloatAdder(rounding=Rounding.DOWN)
BUGS = {
    "dropped sticky bit of the alignment": (
        ADDER,
        "assign inexact = aligned_inexact | normalised_inexact;",
        "assign inexact = normalised_inexact;",
    ),
    "dropped sticky bit of the normalisation": (
        MULTIPLIER,
        "assign above_half = | { normalised_1[1], normalised_inexact };",
        "assign above_half = normalised_1[1];",
    ),
    "no carry of the rounding out of a significand of ones": (
        ADDER,
        "assign increment = up | tie;",
        "assign increment = (up | tie) & ~(& magnitude[11:1]);",
    ),
    "ties to odd": (
        MULTIPLIER,
        "{ normalised_1[1], normalised_inexact }",
        "{ ~normalised_1[1], normalised_inexact }",
    ),
    "ties away": (ADDER, "assign up = magnitude[0] & above_half;", "assign up = magnitude[0];"),
    "pending one of a negative sum forgotten": (
        ADDER,
        "assign increment = up | tie;",
        "assign increment = up;",
    ),
    "missing subnormal clamp": (
        ADDER,
        "assign limit_2_moves = normalised_quiet_2 & limit_2_allows;",
        "assign limit_2_moves = normalised_quiet_2;",
    ),
    "subnormal product not shifted": (
        MULTIPLIER,
        "assign exponent = rounded[15:10] & {6{nonzero}};",
        "assign exponent = rounded[15:10] & {6{normalised_1[11]}};",
    ),
    "zero exponent not made zero": (
        ADDER,
        "assign exponent = rounded[14:10] & {5{nonzero}};",
        "assign exponent = rounded[14:10];",
    ),
    "wrong sign of a cancelled sum": (
        ADDER,
        "assign cancelled = ",
        "assign cancelled = 1'h0 & ",
    ),
    "wrong sign of a cancelled sum, rounding down": (
        DOWN,
        "assign cancelled = ",
        "assign cancelled = 1'h0 & ",
    ),
    "subnormal operand with a hidden one": (
        ADDER,
        "assign a_normal = | i_payload[14:10];",
        "assign a_normal = 1'h1;",
    ),
    "exponent of subnormal operands one too low": (
        MULTIPLIER,
        "assign a_exponent = i_payload[10] | _000_;",
        "assign a_exponent = i_payload[10];",
    ),
    "far shift wraps around": (
        ADDER,
        "assign shift = difference[3:0] | {4{difference[4]}};",
        "assign shift = difference[3:0];",
    ),
    "overflow not seen": (
        MULTIPLIER,
        "assign beyond_largest = & exponent[4:0];",
        "assign beyond_largest = 1'h0;",
    ),
    "infinity minus infinity": (ADDER, "assign clash = ", "assign clash = 1'h0 & "),
    "zero times infinity": (
        MULTIPLIER,
        "assign zero_times_infinity = ",
        "assign zero_times_infinity = 1'h0 & ",
    ),
    "product of zero does not hold the addend": (
        FUSED,
        "assign product_zero = ",
        "assign product_zero = 1'h0 & ",
    ),
}


@pytest.mark.few(9)
@pytest.mark.parametrize("bug", BUGS)
def test_verify_finds_bugs_in_the_rtl(bug):
    spec, old, new = BUGS[bug]
    text = verilog_of(spec, Style.WORD)
    assert text.count(old) == 1, f"{old!r} is not in the Verilog any more: plant the bug elsewhere"
    report = verify(spec, verilog={"planted": text.replace(old, new)}, waveform=False)
    assert not report.passed


def test_verify_finds_a_lost_carry_between_adders():
    text = verilog_of(of_one_format(FloatAdder, FP32), Style.CELLS)
    planted = re.sub(r"(full_adders #\(.*?\.carry\()(\w+)\)", r"\1)", text, count=1, flags=re.S)
    assert planted != text
    spec = of_one_format(FloatAdder, FP32)
    assert not verify(spec, verilog={"planted": planted}, records=20_000, waveform=False).passed


def narrower_guard(monkeypatch):
    right = float_sum.guard_bits
    for module in (float_sum, aligned_sum):
        monkeypatch.setattr(module, "guard_bits", lambda *given: max(0, right(*given) - 1))


def nearer_left(monkeypatch):
    right = aligned_sum._left_places
    monkeypatch.setattr(aligned_sum, "_left_places", lambda *given: max(0, right(*given) - 1))


def without_catching(monkeypatch, **changes):
    right = aligned_sum._window
    monkeypatch.setattr(aligned_sum, "_window", lambda *given: replace(right(*given), **changes))


def fixed_zero_not_caught(monkeypatch):
    without_catching(monkeypatch, catch_fixed_zero=False)


def moving_zero_not_caught(monkeypatch):
    without_catching(monkeypatch, catch_moving_zero=False)


def less_headroom(monkeypatch):
    right = exact_result.frame_of

    def wrong(exact, grid):
        frame = right(exact, grid)
        less = {"width": frame.width - 1, "headroom": frame.headroom - 1}
        return replace(frame, **less, offset=frame.offset - 1, low=frame.low - 1)

    monkeypatch.setattr(exact_result, "frame_of", wrong)


FP32_ADDER = of_one_format(FloatAdder, FP32)
FP32_FUSED = of_one_format(FusedMultiplyAdd, FP32)
HALF_ADDEND = FusedMultiplyAdd(a=FP32, b=FP32, c=FP16, result=FP32)


def related(spec: RoundedOperation) -> dict[str, np.ndarray]:
    """Records as ``verify`` takes them."""
    return dict(spec.related_records(np.random.default_rng(7), 20_000))


def smallest_products(spec: RoundedOperation) -> dict[str, np.ndarray]:
    """The smallest number times powers of two, and addends that borrow from it far below."""
    generator, count = np.random.default_rng(7), 20_000
    a = np.ones(count, np.int64)
    b = a if spec.a != spec.b else generator.integers(1, 31, count) << 10
    product = np.asarray(spec.a.decode(a)) * np.asarray(spec.b.decode(b))
    part = np.ldexp(
        generator.choice([1, 1.125, 1.25, 1.5], count), -generator.integers(0, 64, count)
    )
    c = np.asarray(spec.c.encode(-product * part)) + generator.integers(-3, 4, count)
    return {"a": a, "b": b, "c": np.clip(c, 0, (1 << spec.c.bits) - 1)}


@pytest.mark.parametrize(
    ("narrowed", "spec", "made"),
    [
        (narrower_guard, ADDER, related),
        (narrower_guard, FP32_ADDER, related),
        (narrower_guard, FloatAdder(a=BF16, b=FP16, result=FP32), related),
        (narrower_guard, FloatAdder(a=INT8, b=FP16, result=FP32), related),
        (narrower_guard, FUSED, smallest_products),
        (narrower_guard, DEQUANTISER, smallest_products),
        (nearer_left, FUSED, related),
        (nearer_left, FP32_FUSED, related),
        (nearer_left, WIDEST, related),
        (nearer_left, HALF_ADDEND, related),
        (fixed_zero_not_caught, FP32_FUSED, related),
        (fixed_zero_not_caught, DEQUANTISER, related),
        (moving_zero_not_caught, HALF_ADDEND, related),
        (less_headroom, MULTIPLIER, related),
        (less_headroom, FloatMultiplier(a=INT8, b=FP16), related),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_no_width_is_more_than_exactness_needs(monkeypatch, narrowed, spec, made):
    """With one place less there are records that show a wrong result."""
    records = made(spec)
    assert_plan_equals_reference(spec, records)
    narrowed(monkeypatch)
    with pytest.raises(pytest.fail.Exception, match="gives 0x"):
        assert_plan_equals_reference(spec, records)
