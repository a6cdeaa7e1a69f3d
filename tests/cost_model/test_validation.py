"""A library against published results: the real one at length, small ones at once."""

import json
import re

import pytest

from multipede import cli
from multipede.asic_flow.n28.corner import Corner
from multipede.asic_flow.n28.library import n28_library
from multipede.asic_flow.timing.conditions import FanoutOfFour
from multipede.cost_model import validation
from multipede.cost_model.block_area import BlockArea, block_area, register_area
from multipede.cost_model.published import WrapperRegister, published_points, read_points
from multipede.cost_model.validation import Row, Validation, validate_n28
from multipede.cost_model.validation_report import OUTLIER
from tests.asic_flow.hand_netlists import hand_library

TABLE = """
[origin.paper]
source = "somebody"
technology = "28 nm"
corner = "slow and cold"
n28 = "SS_0P90V_M40C"
clock = 1.0
tool = "some"

[origin.other]
source = "somebody else"
technology = "45 nm"
corner = "typical"
tool = "some"
nand2 = 0.798
library = "Nangate45"

[[point]]
number = 1
name = "multiplier"
kind = "block"
origin = "paper"
contains = "a multiplier of 3 bits"
area = 20.0
with_registers = 50.0
unit = "integer_multiplier"
parameters = { a = "int3", b = "int3", stages = 0 }
behind = true
register = "reset"
note = "smaller than real"

[[point]]
number = 2
name = "dequantiser"
kind = "block"
origin = "paper"
contains = "a product, bit by bit"
area = 100.0
with_registers = 150.0
unit = "bitmod_dequantiser"
behind = false
register = "enable and reset"
released = true
mends = "all"
mend_clock = 1.5

[[point]]
number = 3
name = "both"
kind = "sum"
origin = "paper"
contains = "the two above"
area = 120.0
with_registers = 200.0
blocks = ["multiplier", "dequantiser"]

[[point]]
number = 4
name = "another"
kind = "listed"
origin = "paper"
contains = "nothing known"
area = 1.0
reason = "nothing is known"

[[point]]
number = 5
name = "adder"
kind = "block"
origin = "other"
contains = "two words of 8 bits"
area = 36.0
adder_bits = 8
"""


@pytest.fixture
def small_table(monkeypatch):
    """Two blocks that take seconds."""
    points = read_points(TABLE)
    monkeypatch.setattr(validation, "published_points", lambda: points)
    return {point.name: point for point in points}


@pytest.mark.regress
def test_a_small_table(small_table):
    found = validate_n28()
    rows = {row.point.name: row for row in found.rows}
    multiplier, dequantiser, both = (rows[name] for name in ("multiplier", "dequantiser", "both"))
    assert found.blocks == (multiplier, dequantiser)
    assert both.ours == multiplier.ours + dequantiser.ours
    assert both.with_registers == multiplier.with_registers + dequantiser.with_registers
    assert all(row.block.holds for row in found.blocks)
    corner = n28_library(Corner.SS_0P90V_M40C)
    each = register_area(WrapperRegister.RESET, corner, 1.0)
    assert multiplier.with_registers - multiplier.ours == pytest.approx(12 * each)
    each = register_area(WrapperRegister.ENABLE_AND_RESET, corner, 1.0)
    # 15 + 6 + 1 + 1: start is no register of the authors' wrapper.
    assert dequantiser.with_registers - dequantiser.ours == pytest.approx(23 * each)
    assert multiplier.error == multiplier.ours / 20 - 1
    assert dequantiser.mended.area != dequantiser.ours
    assert [point.name for point in found.not_recreated] == ["another"]
    assert found.clock_scale == 1
    assert found.same_node == ()
    assert found.mended_errors.plain[1] == pytest.approx(dequantiser.mended.area / 100 - 1)
    assert found.mended_errors.plain[0] == found.errors.plain[0]
    json.dumps(found.to_dict())


def test_registers_around_are_not_counted():
    """Every flip-flop of a block without any is one of the wrapper."""
    point = {p.name: p for p in read_points(TABLE)}["multiplier"]
    found = block_area(
        point, n28_library(Corner.SS_0P90V_M40C), 1.0, released=False, done=lambda: None
    )
    # 9 ANDs, 3 full and 3 half adders at the most, and buffers: no room for 12 flip-flops more.
    assert 5 < found.area < 25
    assert found.style in ("word", "cells", "cells-prefix")


@pytest.mark.regress
def test_another_library_gets_clocks_of_its_own_speed(small_table, liberty_file):
    found = validate_n28(liberty=liberty_file("nangate45_typ.lib.gz"))
    assert found.target == "nangate45_typ.lib.gz"
    assert found.clock_scale == pytest.approx(22.0 / 19.8, rel=0.05)
    assert found.blocks[0].block.clock == pytest.approx(found.clock_scale)
    assert found.errors.factor < 0.7  # of areas in 45 nm
    (adder,) = found.same_node
    assert adder.ours == pytest.approx(7 * 4.256 + 2.66)  # full adders and a half one
    assert f"{adder.error:+7.1%}" in str(found)
    assert "off by more than" not in str(found)  # what explains n28's errors


def test_another_library_gets_all_clocks_of_the_table_times_its_scale(small_table, monkeypatch):
    """Its inverters take 50 ps for n28's 20: 1 ns becomes 2.5, and the mend's 1.5 ns 3.75."""
    library = hand_library()
    asked, around = [], []

    def areas(point, liberty, clock, *, released, done):
        asked.append((point.name, liberty is library, clock, released))
        return BlockArea(clock + 10 * (not released), "cells", 900.0, clock)

    def each(kind, liberty, clock):
        around.append((kind, liberty is library, clock))
        return 2.0

    monkeypatch.setattr(
        validation,
        "fanout_of_four",
        lambda of: FanoutOfFour("INV", 50.0 if of is library else 20.0, 1.0, 1.0),
    )
    monkeypatch.setattr(validation, "block_area", areas)
    monkeypatch.setattr(validation, "register_area", each)
    found = validate_n28(liberty=library)
    assert found.clock_scale == 2.5
    assert asked == [
        ("multiplier", True, 2.5, False),
        ("dequantiser", True, 2.5, True),
        ("dequantiser", True, 2.5, False),
        ("dequantiser", True, 3.75, False),
        ("dequantiser", True, 3.75, True),
    ]
    kinds = WrapperRegister.RESET, WrapperRegister.ENABLE_AND_RESET
    assert around == [(kind, True, 2.5) for kind in kinds]
    multiplier, dequantiser = found.blocks
    assert (multiplier.ours, multiplier.mended, multiplier.mend) == (12.5, None, None)
    assert (dequantiser.ours, dequantiser.mended.area, dequantiser.mend) == (2.5, 12.5, 10)
    assert dequantiser.with_registers == 2.5 + 23 * 2


def _made_by_hand() -> Validation:
    points = {point.name: point for point in read_points(TABLE)}
    block = BlockArea(25.0, "cells", 1100.0, 1.0)
    other = BlockArea(110.0, "word", 900.0, 1.0)
    mended = BlockArea(121.0, "word", 950.0, 1.0)
    return Validation(
        target="n28",
        clock_scale=1.0,
        rows=(
            Row(points["multiplier"], 25.0, 55.0, block),
            Row(points["dequantiser"], 110.0, 160.0, other, mended, 8.5),
            Row(points["both"], 135.0, 215.0),
        ),
        same_node=(),
        not_recreated=(points["another"],),
    )


def test_the_command_prints_the_table(monkeypatch, capsys):
    asked = []
    monkeypatch.setattr(
        validation, "validate_n28", lambda *, liberty: asked.append(liberty) or _made_by_hand()
    )
    assert cli.main(["validate", "n28"]) == 0
    text = capsys.readouterr().out
    line = next(line for line in text.splitlines() if line.startswith("multiplier"))
    # The other's factor is 100/110, and 25 x 100/110 over 20 is 1.136.
    assert " ".join(line.split()[1:9]) == "20.0 25.0 +25.0% +13.6% 50.0 55.0 +10.0% 1.10"
    assert "MISSES 1 ns (cells)" in line
    assert re.search(r"^both +120.0 +135.0 +\+12.5% +200.0 +215.0 +\+7.5%$", text, re.MULTILINE)
    assert re.search(r"^  blocks +12.8% +17.5% +6.4%  0.853$", text, re.MULTILINE)
    assert "  multiplier: smaller than real" in text
    assert "dequantiser: all: +8.5 um2 at 1.5 ns; mended, at the table's clock 121.0 um2" in text
    assert "another: nothing is known" in text
    assert cli.main(["validate", "n28", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["rows"][0]["error"] == 0.25
    assert document["rows"][0]["block"]["holds"] is False
    assert document["errors"]["left_out"] == pytest.approx([25 / 22 - 1, -0.12])
    assert asked == [None, None]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["validate", "n65"], "invalid choice: 'n65'"),
        (["validate"], "required"),
        (["validate", "n28", "--liberty", "nowhere.lib"], "nowhere.lib"),
    ],
)
def test_wrong_input_is_one_line(arguments, message, capsys):
    assert cli.main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert captured.err.count("\n") == 1


@pytest.mark.regress
def test_n28_tells_blocks_that_it_was_not_fitted_to():
    """The issue's target, and an explanation for each block that is off."""
    found = validate_n28()
    assert len(found.blocks) == 7
    assert found.errors.medians["left_out"] <= 0.20
    assert found.mended_errors.medians["left_out"] <= 0.20
    left_out = dict(zip((r.point.name for r in found.blocks), found.errors.left_out, strict=True))
    for row in found.blocks:
        off = max(abs(row.error), abs(left_out[row.point.name])) > OUTLIER
        assert len(row.point.note) > 50 or not off, row.point.name
    assert {row.point.name for row in found.rows if row.mend is not None} == {
        point.name for point in published_points() if point.released
    }
    for row in found.rows:
        assert row.mend is None or 0 < row.mend < 0.3 * row.ours
