"""The table of published areas: complete, consistent in itself, and read with clear errors."""

import pytest

from multipede.asic_flow.n28.corner import Corner
from multipede.cost_model.block_area import spec_of
from multipede.cost_model.published import (
    PointKind,
    WrapperRegister,
    published_points,
    read_points,
)

POINTS = {point.name: point for point in published_points()}
BLOCKS = [
    point
    for point in POINTS.values()
    if point.kind is PointKind.BLOCK and point.origin.nand2 is None
]


def test_all_points_of_the_project_are_there():
    assert {point.number for point in POINTS.values()} == set(range(1, 13))
    assert len(BLOCKS) == 7
    assert len(POINTS) == 20


@pytest.mark.parametrize("name", POINTS)
def test_each_says_where_it_is_from_and_what_it_is(name):
    point = POINTS[name]
    origin = point.origin
    assert min(map(len, (origin.source, origin.technology, origin.corner, origin.tool))) > 3
    assert len(point.contains) > 10
    assert bool(point.reason) == (point.kind is PointKind.LISTED)
    assert point.with_registers is None or point.with_registers > point.area
    assert point.power is None or 0 < point.power < 50


@pytest.mark.parametrize("point", BLOCKS, ids=lambda point: point.name)
def test_blocks_have_all_that_synthesis_needs(point):
    assert point.origin.n28 is Corner.SS_0P90V_M40C
    assert point.origin.clock == 1.0
    assert spec_of(point).unit == point.unit
    assert point.register is not None


@pytest.mark.parametrize("name", ["processing element", "FP16 multiply-accumulate"])
def test_sums_are_those_of_their_blocks(name):
    point = POINTS[name]
    parts = [POINTS[block] for block in point.blocks]
    for field in ("area", "with_registers", "power"):
        total = sum(getattr(part, field) for part in parts)
        assert getattr(point, field) == pytest.approx(total, abs=0.11)


@pytest.mark.parametrize(
    ("name", "registers"),
    [
        ("exponent match", 36 + 34),
        ("bit-serial multiply", 76 + 17),
        ("group accumulate", 26),
        ("dequantise", 24),
        ("FP16 x INT8 multiply-add", 40),
    ],
)
def test_registers_around_blocks_explain_both_areas(name, registers):
    """Each takes what a flip-flop of its kind takes in 28HPC+: 21.3 sites of 0.126 um2 with enable
    and synchronous reset, 19 with the reset alone."""
    point = POINTS[name]
    sites = 21.3 if point.register is WrapperRegister.ENABLE_AND_RESET else 19
    each = (point.with_registers - point.area) / registers
    assert each == pytest.approx(0.126 * sites, rel=0.01)


ORIGIN = """
[origin.paper]
source = "somebody"
technology = "28 nm"
corner = "TT"
tool = "some"
"""
POINT = ORIGIN + '[[point]]\nnumber = 1\nname = "x"\norigin = "paper"\ncontains = "something"\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (POINT + 'kind = "block"\narea = 1.0\n', "x: a block has a unit or adder_bits"),
        (POINT + 'kind = "listed"\narea = 1.0\n', "what is listed a reason"),
        (POINT + 'kind = "listed"\narea = 0.0\nreason = "r"\n', "area = 0.0: more than 0 um2"),
        (POINT + 'kind = "guess"\narea = 1.0\n', "x: 'guess': allowed are block, sum, listed"),
        (POINT + 'kind = "listed"\nreason = "r"\n', "x: .*area"),
        (POINT + 'kind = "listed"\narea = 1\nreason = "r"\nwidth = 3\n', "no field width"),
        (POINT + 'kind = "sum"\narea = 1.0\nblocks = ["y"]\n', "x: there is no block 'y'"),
        (POINT.replace('"paper"\nc', '"book"\nc'), "x: origin = 'book': known are paper"),
        (ORIGIN + 'n28 = "hot"\n[[point]]\n', "paper: n28 = 'hot': allowed are TT_0P90V_25C"),
        (
            POINT + 'kind = "block"\narea = 1.0\nunit = "mixpe"\nreleased = true\n',
            "mends and mend_clock are needed",
        ),
        (
            (POINT + 'kind = "listed"\narea = 1.0\nreason = "r"\n')
            + (POINT + 'kind = "listed"\narea = 1.0\nreason = "r"\n')[len(ORIGIN) :],
            "x: is there twice",
        ),
    ],
)
def test_wrong_tables_are_refused(text, message):
    with pytest.raises(ValueError, match=message):
        read_points(text)
