"""QuadINR's activation: RTL equals golden; every path of the plan, on all codes where few."""

from itertools import product

import numpy as np
import pytest

from multipede.golden.formats import BF16, E4M3, E5M2, FP16, FP32, FixedPoint, Overflow, Rounding
from multipede.golden.quadinr import Extension, QuadINR
from multipede.hw import Style, planned
from multipede.sim.verify import verify
from tests.hw.equality import check_equal, in_turn
from tests.hw.plan_equality import assert_plan_equals_reference
from tests.hw.planted import check_found, replaced

PAIRS = [
    (FixedPoint(8, 5), FixedPoint(8, 6)),
    (FixedPoint(9, 7), FixedPoint(7, 6)),
    (FixedPoint(6, 2), FixedPoint(8, 6)),
    (FixedPoint(7, 7), FixedPoint(12, 8)),
    (FixedPoint(8, 1), FixedPoint(6, 4)),
    (FixedPoint(8, 6, signed=False), FixedPoint(6, 6, signed=False)),
    (FixedPoint(8, 6), FixedPoint(5, 6)),
    (FixedPoint(8, 5), E4M3),
    (E4M3, E5M2),
    (E5M2, E4M3),
]
CASES = [
    (x, result, extension)
    for (x, result), extension in product(PAIRS, Extension)
    if isinstance(x, FixedPoint) or extension is not Extension.SIGMOID
]
SPECS = [
    QuadINR(),
    QuadINR(faithful=True, stages=3),
    QuadINR(x=FP16, result=FP16),
    QuadINR(x=BF16, result=BF16, extension=Extension.CLAMPED, stages=12),
    QuadINR(x=FP32, result=FP32, rounding=Rounding.NEAREST_EVEN, stages=4),
    QuadINR(extension=Extension.CLAMPED, stages=0),
    QuadINR(
        extension=Extension.SIGMOID, x=FixedPoint(12, 8), result=FixedPoint(12, 12, signed=False)
    ),
    QuadINR(x=FP16, result=BF16, extension=Extension.CLAMPED, rounding=Rounding.UP),
    QuadINR(x=FixedPoint(24, 20), result=FixedPoint(24, 22), faithful=True, stages=5),
]


@pytest.mark.few(14)
@pytest.mark.parametrize(("x", "result", "extension"), CASES, ids=str)
def test_plan_equals_golden_on_all_codes(x, result, extension):
    codes = np.asarray(x.from_bits(np.arange(1 << x.bits)))
    fixed = isinstance(result, FixedPoint)
    choices = [(rounding, False) for rounding in Rounding]
    if fixed and extension is not Extension.SIGMOID and x.signed and result.minimum <= -1:
        choices.append((Rounding.NEAREST_AWAY, True))
    for rounding, faithful in choices:
        for overflow in (Overflow.SATURATE, *([Overflow.WRAP] * fixed)):
            spec = QuadINR(
                x=x,
                result=result,
                extension=extension,
                rounding=rounding,
                overflow=overflow,
                faithful=faithful,
            )
            assert_plan_equals_reference(spec, {"x": codes})


@in_turn(SPECS)
def test_rtl_equals_golden(spec, styles):
    check_equal(spec, styles, records=20_000)


@pytest.mark.parametrize("number_format", [FP16, BF16])
@pytest.mark.parametrize("extension", [Extension.PERIODIC, Extension.CLAMPED])
def test_all_codes_of_sixteen_bits(number_format, extension):
    spec = QuadINR(x=number_format, result=number_format, extension=extension)
    assert_plan_equals_reference(spec, {"x": np.arange(1 << 16)})


@pytest.mark.regress
@pytest.mark.parametrize("faithful", [False, True])
@pytest.mark.parametrize("bits", range(6, 25, 2))
def test_every_width(bits, faithful):
    """Exhaustive up to 20 bits."""
    spec = QuadINR(
        x=FixedPoint(bits, bits - 4), result=FixedPoint(bits, bits - 2), faithful=faithful
    )
    report = verify(spec, styles=[Style.WORD, Style.CELLS])
    report.raise_on_failure()
    assert report.records >= 2 << min(bits, 20)


def test_the_period_costs_nothing():
    """Bits of the argument above a period are not connected."""
    for extension, connected in ((Extension.PERIODIC, 10), (Extension.CLAMPED, 24)):
        spec = QuadINR(x=FixedPoint(24, 8), result=FixedPoint(12, 10), extension=extension)
        circuit = planned(spec, style=Style.WORD).circuit
        (placed,) = [p for p in circuit.placed.values() if p.node.name == "x"]
        assert len(placed.live) == connected


def test_a_faithful_square_takes_less():
    sizes = [
        planned(QuadINR(faithful=faithful), style=Style.CELLS).inventory()["full_adder"]
        for faithful in (False, True)
    ]
    assert sizes[1] < 0.9 * sizes[0]


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("spec", "plant"),
    [
        (QuadINR(), replaced(r"~ \{12\{i_payload\[12\]\}\}", "{12{i_payload[12]}}")),
        (QuadINR(), replaced(r"o_payload = \{ sign_q2", "o_payload = { whole_or_sign_q2")),
        (QuadINR(faithful=True), replaced(r"\.negative\(.*\)", ".negative(1'h0)")),
        (QuadINR(x=FP16, result=FP16), replaced(r"\bt_sign = ", "t_sign = ~ ")),
    ],
    ids=["inverse", "sign", "rounding", "float sign"],
)
def test_planted_bugs_are_found(spec, plant):
    check_found(spec, plant)
