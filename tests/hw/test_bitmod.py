"""BitMoD's four blocks in hardware, and what the defects of the released RTL do."""

from itertools import product

import numpy as np
import pytest
import torch
from amaranth.sim import Simulator

from multipede.golden.bitmod_bit_serial_multiplier import BitModBitSerialMultiplier
from multipede.golden.bitmod_dequantiser import BitModDequantiser
from multipede.golden.bitmod_exponent_match import BitModExponentMatch
from multipede.golden.bitmod_group_accumulator import BitModGroupAccumulator
from multipede.hw import Style, build
from multipede.hw.bitmod_released import ReleasedDequantiserUnit, ReleasedGroupAccumulatorUnit
from multipede.hw.registered import RegisterBank, Registered
from multipede.hw.unit import Unit
from multipede.sim.compiled import compile_model
from tests.hw.equality import check_equal, in_turn
from tests.hw.netlist import check_inventory
from tests.hw.planted import check_found, replaced

SPECS = [
    BitModExponentMatch(),
    BitModExponentMatch(lanes=2, stages=0),
    BitModExponentMatch(lanes=3, stages=3),
    BitModBitSerialMultiplier(),
    BitModBitSerialMultiplier(lanes=1, stages=0),
    BitModBitSerialMultiplier(lanes=5, stages=2),
    BitModGroupAccumulator(),
    BitModGroupAccumulator(lanes=1),
    BitModGroupAccumulator(lanes=16),
    BitModDequantiser(),
]


@in_turn(SPECS)
def test_rtl_equals_reference(spec, styles):
    check_equal(spec, styles, records=3000)


@pytest.mark.regress
@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_rtl_equals_reference_at_length(spec):
    check_equal(spec, records=100_000)


@pytest.mark.parametrize(
    ("spec", "style"),
    [
        *product((SPECS[0], SPECS[3], SPECS[6]), Style),
        *product((SPECS[-1],), (Style.WORD, Style.CELLS)),
    ],
    ids=str,
)
def test_inventory_equals_the_netlist(spec, style):
    check_inventory(spec, style)


@pytest.mark.parametrize("style", [Style.WORD, Style.CELLS])
def test_groups_of_64(style):
    """Long sums, to which small numbers and large ones are added."""
    spec = BitModGroupAccumulator()
    generator = np.random.default_rng(17)
    inputs = dict(spec.related_records(generator, 64 * 400))
    inputs["start"] = (np.arange(64 * 400) % 64 == 0).astype(np.int64)
    inputs["exponent"] = inputs["exponent"] // 2 + np.repeat(generator.integers(0, 20, 400), 64)
    wanted, _ = spec.reference(**{name: torch.from_numpy(x) for name, x in inputs.items()})
    run = compile_model(spec, style=style).run(inputs)
    assert len(run["mantissa"]) == 64 * 400
    assert all(np.array_equal(run[name], wanted[name].numpy()) for name in wanted)
    assert len(np.unique(run["exponent"])) > 30


def test_planted_bugs_are_found():
    """Without the gate for shifts that lose everything."""
    check_found(BitModGroupAccumulator(), replaced(r"(\w*kept_lost\w*) = [^;]+;", r"\1 = 1'b0;"))
    check_found(BitModBitSerialMultiplier(), replaced(r"\b(far\w*) = [^;]+;", r"\1 = 1'b0;"))
    check_found(BitModDequantiser(), replaced(r"\b(starts) = [^;]+;", r"\1 = 1'b0;"))


def _results(unit: Unit, records: list[dict[str, int]]) -> list[dict[str, int]]:
    """Of a unit with a latency of one clock, from reset."""
    simulator = Simulator(unit)
    simulator.add_clock(1e-6)
    found = []

    async def bench(context):
        context.set(unit.i.valid, 1)
        for record in records:
            context.set(unit.i.payload, record)
            await context.tick()
            payload = unit.o.payload
            found.append({name: context.get(payload[name]) for name in unit.spec.outputs})

    simulator.add_testbench(bench)
    simulator.run()
    return found


def _additions(exponents: list[int]) -> list[dict[str, int]]:
    return [
        {"dot": 1000, "exponent": exponent, "significance": 0, "start": int(not index)}
        for index, exponent in enumerate(exponents)
    ]


def test_the_released_accumulator_mixes_exponents():
    unit = ReleasedGroupAccumulatorUnit(BitModGroupAccumulator())
    last = _results(unit, _additions([20, 10]))[-1]
    assert last["mantissa"] * 2 ** last["exponent"] == 2000 * 2**20  # 2.097e9
    unit = ReleasedGroupAccumulatorUnit(BitModGroupAccumulator())
    rising = _additions([10, 20, 25, 25])
    reference, _ = BitModGroupAccumulator().reference(
        **{name: torch.tensor([record[name] for record in rising]) for name in rising[0]}
    )
    results = _results(unit, rising)
    assert [r["mantissa"] for r in results] == reference["mantissa"].tolist()
    assert [r["exponent"] for r in results] == reference["exponent"].tolist()


def _scale(mantissa: int, scale: int) -> list[dict[str, int]]:
    return [
        {
            "mantissa": mantissa,
            "exponent": 9,
            "scale_bit": scale >> place & 1,
            "scale_sign": 0,
            "start": int(place == 7),
        }
        for place in range(7, -1, -1)
    ]


def test_the_released_dequantiser_keeps_what_is_there_and_overflows():
    first, second = _scale(100, 5), _scale(100, 7)
    results = _results(ReleasedDequantiserUnit(BitModDequantiser()), [*first, *second])
    assert results[7] == {"product": 500, "exponent": 9, "sign": 0}
    assert results[15]["product"] == 500 * 256 + 700
    large = _results(ReleasedDequantiserUnit(BitModDequantiser()), _scale((1 << 14) - 1, 255))
    exact = ((1 << 14) - 1) * 255
    assert large[-1]["product"] == exact - (1 << 21) * round(exact / (1 << 21)) != exact


@pytest.mark.parametrize("behind", [False, True])
def test_registers_around_a_unit(behind):
    """The same results, a clock later for each rank."""
    component = Registered(build(BitModExponentMatch(lanes=1, stages=0)), behind=behind)
    simulator = Simulator(component)
    simulator.add_clock(1e-6)
    records = [5 | 2 << 5 | 1 << 7, 31 | 3 << 5, 7]
    seen = []

    async def bench(context):
        for record in [*records, 0, 0]:
            context.set(component.i, record)
            seen.append(context.get(component.o))
            await context.tick()

    simulator.add_testbench(bench)
    simulator.run()
    wanted = [7 | 1 << 12, 34, 7]  # maximum, no distance, sign
    assert seen[1 + behind : 4 + behind] == wanted


def test_wrong_surroundings_are_refused():
    with pytest.raises(TypeError, match="unit must be Unit, not str"):
        Registered("exponent match", behind=True)
    with pytest.raises(ValueError, match="bits = 0"):
        RegisterBank(0, enable=True)
