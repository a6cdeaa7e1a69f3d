"""Multipliers that add codes: RTL equals golden, for all pairs of few bits and all mantissas."""

from dataclasses import fields
from itertools import product

import numpy as np
import pytest
import torch

from multipede.golden.compensated_lmul import CompensatedLMul
from multipede.golden.formats import BF16, E2M1, E4M3, E5M2, FP16, FP32, UE4M3, Float, Specials
from multipede.golden.lmul import LMul
from multipede.golden.logarithmic_multiplier import LogarithmicMultiplier
from multipede.golden.logarithmic_policies import (
    Policies,
    Preset,
    SumOverflow,
    SumUnderflow,
)
from multipede.golden.mitchell import Mitchell
from multipede.hw import Style, planned
from multipede.hw.arithmetic.circuit import Circuit
from multipede.hw.arithmetic.circuit_plan import CircuitPlan
from multipede.hw.arithmetic.constant_table import constant_table
from multipede.sim.compiled import compile_model
from multipede.sim.verify import verify
from tests.hw.equality import check_equal, in_turn
from tests.hw.plan_equality import assert_plan_equals_reference
from tests.hw.planted import check_found, replaced

UNITS = (LMul, Mitchell, CompensatedLMul)
SMALL = (
    Float(3, 2),
    Float(3, 2, specials=Specials.FN),
    Float(3, 1, signed=False),
    Float(3, 2, subnormals=False, bias=5),
    Float(2, 2, specials=Specials.FN, bias=-3),
    E2M1,
)
NORMAL = [
    LMul(),
    LMul(format=FP16, preset=Preset.AXCORE, stages=0),
    Mitchell(format=FP32, preset=Preset.UCSD_2026, stages=3),
    CompensatedLMul(stages=2),
    CompensatedLMul(format=FP32, index_bits=4, preset=Preset.UCSD_2025),
    LMul(format=FP16, offset=0, preset=Preset.UCSD_2025_PIPELINED),
]


@in_turn(NORMAL)
def test_rtl_equals_reference(spec, styles):
    check_equal(spec, styles, records=10_000)


@pytest.mark.regress
@pytest.mark.parametrize("preset", Preset)
@pytest.mark.parametrize("number_format", [E4M3, BF16, FP16, FP32], ids=str)
@pytest.mark.parametrize("unit", UNITS)
def test_rtl_equals_reference_in_every_style(unit, number_format, preset):
    check_equal(unit(format=number_format, preset=preset), records=100_000)


@pytest.mark.few(4)
@pytest.mark.parametrize(
    ("unit", "number_format", "preset", "style"),
    [
        (LMul, E4M3, Preset.STANDARD, Style.WORD),
        (LMul, E5M2, Preset.STANDARD, Style.CELLS),
        (LMul, UE4M3, Preset.UCSD_2025, Style.CELLS_PREFIX),
        (Mitchell, E5M2, Preset.AXCORE, Style.WORD),
        (Mitchell, E4M3, Preset.UCSD_2025_PIPELINED, Style.CELLS),
        (CompensatedLMul, E4M3, Preset.STANDARD, Style.CELLS),
        (CompensatedLMul, E5M2, Preset.UCSD_2026, Style.WORD),
    ],
)
def test_every_pair_of_eight_bits(unit, number_format, preset, style):
    report = verify(unit(format=number_format, preset=preset), styles=[style], records=1)
    report.raise_on_failure()
    sweeps = [check for check in report.checks if check.stimulus == "exhaustive"]
    assert [check.results for check in sweeps] == [4**number_format.bits]


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("number_format", [E4M3, E5M2, UE4M3, *SMALL], ids=str)
def test_every_pair_in_the_plan(unit, number_format):
    codes = np.arange(1 << number_format.bits, dtype=np.int64)
    records = {"a": np.repeat(codes, len(codes)), "b": np.tile(codes, len(codes))}
    assert_plan_equals_reference(unit(format=number_format), records)


@pytest.mark.parametrize("number_format", SMALL, ids=str)
def test_every_choice_in_the_plan(number_format):
    codes = np.arange(1 << number_format.bits, dtype=np.int64)
    records = {"a": np.repeat(codes, len(codes)), "b": np.tile(codes, len(codes))}
    tried = 0
    for preset, field in product(Preset, fields(Policies)):
        for choice in field.type:
            spec = LMul(format=number_format, preset=preset, **{field.name: choice})
            assert_plan_equals_reference(spec, records)
            tried += 1
    assert tried == len(Preset) * sum(len(field.type) for field in fields(Policies))


@pytest.mark.parametrize("number_format", [BF16, FP16], ids=str)
@pytest.mark.parametrize("unit", UNITS)
def test_every_pair_of_mantissas(unit, number_format):
    spec = unit(format=number_format)
    bits = number_format.mantissa_bits
    codes = (number_format.bias << bits) + np.arange(1 << bits, dtype=np.int64)
    negative = 1 << (number_format.bits - 1)
    a, b = np.repeat(codes, len(codes)), np.tile(codes | negative, len(codes))
    assert_rtl_equals_reference(spec, a, b)
    assert len(a) == 4**bits


@pytest.mark.regress
@pytest.mark.parametrize("unit", UNITS)
def test_ten_million_pairs(unit):
    seed = 20261127
    print(f"seed {seed}")
    generator = np.random.default_rng(seed)
    spec = unit(format=FP32)
    compared = 0
    for _ in range(10):
        a, b = generator.integers(0, 1 << 32, (2, 500_000), np.int64)
        # Random exponents seldom give products in range: half of the pairs have middle ones.
        related = spec.related_records(generator, 500_000)
        a, b = np.concatenate([[a, b], [related["a"], related["b"]]], axis=1)
        assert_rtl_equals_reference(spec, a, b)
        compared += len(a)
    assert compared == 10_000_000


def assert_rtl_equals_reference(spec: LogarithmicMultiplier, a: np.ndarray, b: np.ndarray) -> None:
    found = compile_model(spec).run({"a": a, "b": b})["p"]
    wanted = spec.reference(a=torch.from_numpy(a), b=torch.from_numpy(b))[0]["p"].numpy()
    wrong = np.flatnonzero(found != wanted)
    assert not wrong.size, (a[wrong[0]], b[wrong[0]], found[wrong[0]], wanted[wrong[0]])


BUGS = {
    "subnormal operands are added": (LMul(), r"a_counts = \|", "a_counts = 1'h1 | "),
    "no test for overflow": (LMul(), r"assign beyond = .*;", "assign beyond = 1'h0;"),
    "the code of infinity is kept": (
        LMul(),
        r"assign beyond_largest = .*;",
        "assign beyond_largest = 1'h0;",
    ),
    "subnormal sums are kept": (LMul(), r"assign sum_normal = .*;", "assign sum_normal = 1'h1;"),
    "infinity times zero": (
        LMul(),
        r"assign infinity_times_zero = .*;",
        "assign infinity_times_zero = 1'h0;",
    ),
    "sign": (Mitchell(format=E4M3), r"assign sign = (\S+) \^", r"assign sign = \1 |"),
    "NaN operand": (Mitchell(format=E4M3), r"assign b_nan = .*;", "assign b_nan = 1'h0;"),
}


@pytest.mark.few(3)
@pytest.mark.parametrize("bug", BUGS)
def test_planted_bugs_are_found(bug):
    spec, pattern, wrong = BUGS[bug]
    check_found(spec, replaced(pattern, wrong))


def test_a_wrong_entry_is_found(monkeypatch):
    """Of 64 entries one is too large by 1."""
    right = CompensatedLMul()
    rows = [list(row) for row in right.table]
    rows[2][5] += 1
    wrong = CompensatedLMul()
    monkeypatch.setitem(vars(wrong), "table", tuple(map(tuple, rows)))
    plan = planned(wrong, style=Style.CELLS).circuit
    bits = BF16.mantissa_bits
    codes = (BF16.bias << bits) + np.arange(1 << bits, dtype=np.int64)
    a, b = np.repeat(codes, len(codes)), np.tile(codes, len(codes))
    differ = plan.evaluate(a=a, b=b)["p"] != right.products(a, b)
    assert differ.sum() == 16 * 16


@pytest.mark.parametrize("bits", [0, 1, 3, 5])
def test_constant_table(bits):
    entries = [entry * entry % 29 for entry in range(1 << bits)]
    c = Circuit()
    c.output("entry", constant_table(c, c.input("index", bits), entries, 5, "entry"))
    plan = CircuitPlan(c, Style.WORD, ranks=0)
    found = np.broadcast_to(plan.evaluate(index=np.arange(1 << bits))["entry"], 1 << bits)
    assert found.tolist() == entries


def test_constant_table_needs_an_entry_for_each_index():
    c = Circuit()
    with pytest.raises(ValueError, match="entry has 3 entries for 2 index bits"):
        constant_table(c, c.input("index", 2), [1, 2, 3], 2, "entry")


def test_what_is_not_chosen_has_no_logic():
    """Without any test the unit is the sum and the sign."""
    nothing = LMul(
        preset=Preset.UCSD_2025_PIPELINED,
        overflow=SumOverflow.WRAP,
        underflow=SumUnderflow.WRAP,
    )
    counted = planned(nothing, style=Style.CELLS).inventory()
    assert set(counted) <= {
        "full_adder",
        "half_adder",
        "half_adder_plus_one",
        "increment",
        "exclusive_or",
        "register",
    }
    assert counted["exclusive_or"] == 1
    assert counted["full_adder"] < 15
