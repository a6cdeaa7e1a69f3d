"""Every unit equals its reference, in every style, over its parameters."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from amaranth.sim import Simulator

from multipede.golden.catalogue import unit_names
from multipede.golden.formats import BF16, FP16, INT4, INT8, INT16, UINT1, UINT4, UINT8, Integer
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.golden.mixpe import MixPE
from multipede.golden.multiplier_tile import MultiplierTile, PartialProducts
from multipede.golden.small_units import small_unit
from multipede.hw import Style, build
from multipede.hw.hierarchy import to_rtlil
from multipede.hw.unit import payload_layout
from multipede.sim.verify import verify
from multipede.sim.verilog import rtlil_of, verilog_of
from tests.hw.equality import check_equal, in_turn
from tests.hw.netlist import check_inventory

ROOT = Path(__file__).parents[2]
BOOTH, INFERRED = PartialProducts.BOOTH, PartialProducts.INFERRED
SMALL = {"rows": 2, "columns": 2, "lanes": 2, "group": 8}
SPECS = [
    MixPE(weight=INT4, zero_point=False, **SMALL),
    MixPE(weight=UINT4, stages=3, **SMALL),
    MixPE(weight=UINT8, activation=INT16, rows=1, columns=2, lanes=4, group=1024),
    MixPE(weight=INT4, activation=INT4, rows=3, columns=1, lanes=3, group=3, stages=2),
    MixPE(weight=UINT4, rows=1, columns=1, lanes=1, group=1),
    MultiplierTile(partial_products=BOOTH, stages=3, **SMALL),
    MultiplierTile(weight=UINT8, activation=UINT8, zero_point=True, **SMALL),
    IntegerMultiplier(),
    IntegerMultiplier(a=Integer(1), b=Integer(1), stages=0),
    IntegerMultiplier(a=INT8, b=UINT8, partial_products=BOOTH, stages=4),
    IntegerMultiplier(a=UINT8, b=INT8, partial_products=BOOTH),
    MultiplierTile(weight=UINT8, partial_products=INFERRED, zero_point=True, stages=3, **SMALL),
    IntegerMultiplier(a=UINT8, b=INT8, partial_products=INFERRED, stages=2),
]
MORE_SPECS = [
    MixPE(weight=UINT1, zero_point=False, stages=2, **SMALL),
    MixPE(weight=UINT4, accumulator=Integer(32), rows=1, columns=2, lanes=8),
    *(MixPE(weight=Integer(bits, signed=False), **SMALL) for bits in (1, 2, 3)),
    *(MixPE(weight=Integer(bits), zero_point=False, **SMALL) for bits in (1, 8)),
    *(MixPE(weight=UINT4, stages=stages, **SMALL) for stages in (2, 6)),
    MultiplierTile(**SMALL),
    MultiplierTile(weight=UINT8, activation=UINT8, partial_products=BOOTH, **SMALL),
    MultiplierTile(weight=Integer(5), activation=Integer(3), partial_products=BOOTH, **SMALL),
    MultiplierTile(weight=UINT8, activation=UINT8, partial_products=INFERRED, **SMALL),
    MultiplierTile(weight=INT4, activation=INT16, partial_products=INFERRED, **SMALL),
    IntegerMultiplier(a=INT8, b=UINT8, partial_products=INFERRED),
    IntegerMultiplier(a=Integer(1), b=Integer(1), partial_products=INFERRED),
    MultiplierTile(weight=INT16, activation=INT16, rows=1, columns=1, lanes=1, group=16),
    IntegerMultiplier(a=Integer(24, signed=False), b=Integer(24, signed=False), stages=3),
]


@in_turn(SPECS)
def test_rtl_equals_reference(spec, styles):
    check_equal(spec, styles, records=3000)


@pytest.mark.regress
@pytest.mark.parametrize("spec", [*SPECS, *MORE_SPECS], ids=str)
def test_rtl_equals_reference_at_length(spec):
    check_equal(spec, records=100_000)


@pytest.mark.regress
@pytest.mark.parametrize("bits", range(1, 9))
@pytest.mark.parametrize("activation", [4, 8, 12, 16])
@pytest.mark.parametrize("signed", [False, True])
def test_every_weight_width(bits, activation, signed):
    spec = MixPE(
        weight=Integer(bits, signed=signed),
        activation=Integer(activation),
        zero_point=not signed,
        **SMALL,
    )
    verify(spec, records=20_000).raise_on_failure()


@pytest.mark.few(1)
@pytest.mark.parametrize("third", range(3))
def test_same_verilog_in_every_process(third):
    code = (
        "import sys; from multipede.hw import *; from multipede.hw.hierarchy import to_rtlil\n"
        "from multipede.golden.small_units import small_unit\n"
        "for name in sys.argv[1:]:\n"
        "  for style in (Style.WORD, Style.CELLS_PREFIX):\n"
        "    print(to_rtlil(build(small_unit(name), style=style), name), end='\\0')"
    )
    names = unit_names()[third::3]
    # This process has a seed of its own, or none.
    other = subprocess.run(
        [sys.executable, "-c", code, *names],
        cwd=ROOT,
        env={"PYTHONHASHSEED": "12345"},
        capture_output=True,
        text=True,
        check=True,
    )
    theirs = iter(other.stdout.split("\0"))
    for name in names:
        spec = small_unit(name)
        for style in (Style.WORD, Style.CELLS_PREFIX):
            assert next(theirs) == to_rtlil(build(spec, style=style), name), (name, style)
    assert list(theirs) == [""]


@pytest.mark.parametrize("style", list(Style))
def test_mixpe_has_no_multiplier(style):
    spec = MixPE()
    assert "$mul" not in rtlil_of(spec, style)
    code = re.sub(r"//.*|/\*.*?\*/|\(\*.*?\*\)|@\*", "", verilog_of(spec, style))
    assert "*" not in code


@pytest.mark.few(14)
@pytest.mark.parametrize("style", list(Style))
@pytest.mark.parametrize(
    "spec",
    [
        MixPE(**SMALL),
        MixPE(stages=4, **SMALL),
        MixPE(zero_point=False, stages=3, rows=1, columns=1, lanes=2, group=2),
        MixPE(activation=FP16, stages=4, **SMALL),
        MixPE(activation=BF16, **SMALL),
        MixPE(activation=BF16, stages=5, **SMALL),
        MixPE(activation=BF16, stages=3, rows=1, columns=1, lanes=2, group=2),
        MultiplierTile(partial_products=BOOTH, stages=2, **SMALL),
        IntegerMultiplier(stages=3),
    ],
    ids=str,
)
def test_inventory_equals_the_netlist(spec, style):
    """Adders by kind and registers, counted in the elaborated RTLIL."""
    check_inventory(spec, style)


@pytest.mark.parametrize("name", unit_names())
def test_payload_layout_is_the_contract(name):
    """Fields in port order, first lowest; arrays row-major, element [0, .., 0] lowest."""
    spec = small_unit(name)
    for ports in (spec.inputs, spec.outputs):
        layout, offset = payload_layout(ports), 0
        for port_name, port in ports.items():
            field = layout[port_name]
            assert (field.offset, field.width) == (offset, port.bits)
            offset += port.bits
        assert layout.size == offset


def test_units_work_in_plain_amaranth():
    """Outside our flow a unit is an ordinary component: no instances, no files beside it."""
    spec = IntegerMultiplier(stages=2)
    for style in Style:
        component = build(spec, style=style)
        simulator = Simulator(component)
        simulator.add_clock(1e-6)
        seen = []

        async def bench(context, component=component, seen=seen):
            pairs = [(-128, -128), (127, -128), (3, -5), (0, 77)]
            for a, b in [*pairs, (0, 0), (0, 0)]:
                context.set(component.i.payload, {"a": a, "b": b})
                context.set(component.i.valid, 1)
                if context.get(component.o.valid):
                    seen.append(context.get(component.o.payload.p))
                await context.tick()

        simulator.add_testbench(bench)
        simulator.run()
        assert seen == [16384, -16256, -15, 0]


@pytest.mark.parametrize("style", list(Style))
def test_tiles_work_in_plain_amaranth(style):
    """Several dot products of one plan, each with a place of its own."""
    spec = MixPE(rows=2, columns=2, lanes=2, group=4)
    component = build(spec, style=style)
    simulator = Simulator(component)
    simulator.add_clock(1e-6)
    results = []

    async def bench(context):
        record = {
            "a": [[-128, 127], [3, -5]],
            "w": [[15, 0], [7, 9]],
            "z": [8, 1],
            "last": 0,
        }
        for _ in range(4):
            context.set(component.i.payload, record)
            context.set(component.i.valid, 1)
            if context.get(component.o.valid):
                d = component.o.payload.d
                results.append([[context.get(d[r][c]) for c in range(2)] for r in range(2)])
            await context.tick()

    simulator.add_testbench(bench)
    simulator.run()
    rows = [[-128, 127], [3, -5]]
    columns = [([15, 0], 8), ([7, 9], 1)]
    expected = [
        [2 * sum((w - z) * a for w, a in zip(ws, row, strict=True)) for ws, z in columns]
        for row in rows
    ]
    assert results == [expected]


def test_wrong_specifications_are_refused():
    from multipede.hw.mixpe import MixPEUnit

    with pytest.raises(TypeError, match="spec must be a specification"):
        build("mixpe")
    with pytest.raises(TypeError, match="spec must be a MixPE"):
        MixPEUnit(IntegerMultiplier())
    with pytest.raises(TypeError, match="style must be a Style, not 'word'"):
        build(MixPE(), style="word")
