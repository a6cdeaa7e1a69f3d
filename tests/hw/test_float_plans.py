"""Plans of the floating-point units: they compute what golden does, and hold what they must."""

from itertools import product

import pytest
import torch
from amaranth.sim import Simulator

from multipede.golden.float_adder import FloatAdder
from multipede.golden.float_multiplier import FloatMultiplier
from multipede.golden.formats import E2M1, FP16, FP32, Float, Overflow, Rounding, Specials
from multipede.golden.fused_multiply_add import FusedMultiplyAdd
from multipede.golden.number_converter import NumberConverter
from multipede.golden.rounded_operation import NanResult, RoundedOperation
from multipede.hw import Style, build, inventory, planned
from multipede.sim.stimulus import random_records
from multipede.sim.verilog import rtlil_of
from tests.hw.float_specs import MIXED, SMALL, of_one_format, random_specs
from tests.hw.netlist import COUNTED, counted_operators
from tests.hw.plan_equality import assert_plan_equals_reference

SEED = 20261122
UNITS = (FloatAdder, FloatMultiplier, FusedMultiplyAdd, NumberConverter)


@pytest.mark.regress
@pytest.mark.parametrize("number_format", [*SMALL, FP16], ids=str)
@pytest.mark.parametrize("unit", UNITS)
def test_every_rounding_and_policy(unit, number_format):
    policies = [policy for policy in number_format.overflows if policy is not Overflow.RAISE]
    for rounding, overflow, nan in product(Rounding, policies, NanResult):
        spec = of_one_format(unit, number_format, rounding=rounding, overflow=overflow, nan=nan)
        assert_plan_equals_reference(spec, random_records(spec, 2000, seed=SEED))


@pytest.mark.parametrize("seed", range(6))
def test_random_formats(seed):
    print(f"seed {SEED + seed}")
    for spec in random_specs(SEED + seed, 40):
        assert_plan_equals_reference(spec, random_records(spec, 500, seed=seed))


@pytest.mark.regress
@pytest.mark.parametrize("seed", range(100, 160))
def test_many_random_formats(seed):
    for spec in random_specs(SEED + seed, 100):
        assert_plan_equals_reference(spec, random_records(spec, 2000, seed=seed))


@pytest.mark.few(10)
@pytest.mark.parametrize("style", list(Style))
@pytest.mark.parametrize(
    "spec",
    [
        FloatAdder(stages=0),
        FloatAdder(stages=4),
        of_one_format(FloatMultiplier, FP32, stages=3),
        of_one_format(FloatMultiplier, SMALL[0], rounding=Rounding.UP),
        FusedMultiplyAdd(stages=6),
        MIXED[0],
        NumberConverter(x=FP32, result=FP16, stages=2),
    ],
    ids=str,
)
def test_inventory_equals_the_netlist(spec, style):
    """Every kind of operator and the registers, counted in the elaborated RTLIL."""
    counted, planned = counted_operators(spec, style), inventory(spec, style=style)
    assert {kind: counted[kind] for kind in COUNTED} == {kind: planned[kind] for kind in COUNTED}
    assert planned["multiplexer_bit"] > 10


def test_each_rank_is_of_use():
    """Between any two ranks something is computed, a part of a sum at least."""
    for unit, stages in product((FloatAdder, FloatMultiplier, FusedMultiplyAdd), range(1, 9)):
        plan = planned(unit(stages=stages), style=Style.CELLS_PREFIX).circuit
        busy = {
            rank
            for placed in plan.placed.values()
            for rank in range(placed.enters, placed.leaves + 1)
        }
        assert busy == set(range(stages))


def operators(unit: type[RoundedOperation], number_format: Float) -> int:
    count = inventory(of_one_format(unit, number_format, stages=0), style=Style.CELLS)
    return sum(number for kind, number in count.items() if kind in COUNTED)


def test_what_a_format_cannot_produce_has_no_logic():
    finite = Float(5, 10, specials=Specials.FINITE)
    flushed = Float(5, 10, subnormals=False)
    unsigned = Float(5, 10, signed=False)
    assert operators(FloatAdder, finite) < operators(FloatAdder, FP16) - 40
    assert operators(FloatMultiplier, flushed) < operators(FloatMultiplier, FP16) - 100
    assert operators(FloatAdder, unsigned) < operators(FloatAdder, FP16) - 100
    # The eight magnitudes of E2M1 are all FP32 numbers.
    widening = inventory(NumberConverter(x=E2M1, result=FP32, stages=0), style=Style.CELLS)
    assert sum(widening.values()) < 40


@pytest.mark.parametrize("style", [Style.CELLS, Style.CELLS_PREFIX])
@pytest.mark.parametrize("unit", UNITS)
def test_no_word_operators_in_the_cells_styles(unit, style):
    rtlil = rtlil_of(unit(), style)
    for cell in ("$mul", "$add", "$sub", "$lt", "$gt", "$shl", "$shr", "$shift"):
        assert f"cell {cell} " not in rtlil


def test_units_work_in_plain_amaranth():
    """Outside our flow a unit is an ordinary component: no instances, no files beside it."""
    spec = FusedMultiplyAdd(stages=2)
    records = random_records(spec, 40, seed=SEED)
    tensors = {name: torch.from_numpy(codes) for name, codes in records.items()}
    expected = spec.reference(**tensors)[0]["y"].tolist()
    for style in Style:
        component = build(spec, style=style)
        simulator = Simulator(component)
        simulator.add_clock(1e-6)
        seen = []

        async def bench(context, component=component, seen=seen):
            for index in range(42):
                record = {name: int(codes[index % 40]) for name, codes in records.items()}
                context.set(component.i.payload, record)
                context.set(component.i.valid, 1)
                if context.get(component.o.valid):
                    seen.append(context.get(component.o.payload.y))
                await context.tick()

        simulator.add_testbench(bench)
        simulator.run()
        assert seen == expected
