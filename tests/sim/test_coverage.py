"""Coverage: everything is counted, what is missed is named, nothing is excused without proof."""

import json
from itertools import islice

import numpy as np
import pytest

from multipede.golden.catalogue import unit
from multipede.golden.formats import INT4, INT8
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.golden.mixpe import MixPE
from multipede.golden.number_converter import NumberConverter
from multipede.golden.stallable import Stallable
from multipede.hw import Style
from multipede.sim import coverage as coverage_module
from multipede.sim.compiled import compile_model
from multipede.sim.coverage import measure_coverage
from multipede.sim.coverage_constants import Reason, constant_bits
from multipede.sim.coverage_data import CoverageKind, read_points
from multipede.sim.coverage_report import CoverageReport, StyleCoverage, Uncovered, ranges
from multipede.sim.netlist import netlist_of
from multipede.sim.stimulus import Stimulus, random_records, stimuli
from multipede.toolchain import ToolError

TILE = MixPE(rows=1, columns=2, lanes=2, group=8)


def test_a_tile_is_covered_and_what_is_not_is_proved_constant():
    report = measure_coverage(TILE, styles=[Style.WORD, Style.CELLS], records=4000)
    assert report.passed, str(report)
    word, cells = report.styles
    for style in report.styles:
        assert style.share(CoverageKind.LINE) == 1
        assert style.share(CoverageKind.BRANCH) == 1
        assert style.reachable_share(CoverageKind.TOGGLE) == 1
        assert style.points[CoverageKind.TOGGLE] > 1000
    assert {u.reason for u in word.uncovered} == {Reason.WIRED, Reason.PROVED}
    instances = {u.path for u in word.uncovered}
    assert {"p_0_0_dot_product", "p_0_1_dot_product"} <= instances  # each for itself
    assert (
        word.explained(CoverageKind.TOGGLE)
        == word.points[CoverageKind.TOGGLE] - word.covered[CoverageKind.TOGGLE]
    )
    assert (
        cells.points[CoverageKind.TOGGLE] > word.points[CoverageKind.TOGGLE]
    )  # the adders' pins are counted
    document = json.loads(json.dumps(report.to_dict()))
    assert document["passed"] is True
    assert document["styles"][0]["toggle"]["points"] == word.points[CoverageKind.TOGGLE]
    assert "a0_x_w0_3[2:0] in p_0_0_dot_product (mixpe_dot_product)" in str(report)
    assert Reason.WIRED.value in str(report)
    reached = "lowest coverage of what is within reach 100.00 %, threshold 95 % reached, seed 1"
    assert reached in str(report)


def without(field: str):
    """The random stimuli with zeros in a field."""

    def weak(spec, *, records, seed):
        def chunks():
            chunk = random_records(spec, records, seed=seed)
            yield chunk | {field: np.zeros_like(chunk[field])}

        return [Stimulus("weak", "", records, chunks, gaps=0.3)]

    return weak


def test_a_field_that_never_toggles_is_named_and_not_excused(monkeypatch):
    """Neither the noise in front of resets nor that in gaps may hide it: nobody compares that."""
    monkeypatch.setattr(coverage_module, "stimuli", without("z"))
    report = measure_coverage(TILE, styles=[Style.WORD], records=4000, budget=4)
    assert not report.passed
    open_places = [u for u in report.styles[0].uncovered if u.reason is None]
    fields = {u.field for u in open_places if u.signal == "i_payload"}
    assert fields == {"z_0", "z_1"}
    named = next(u for u in open_places if u.field == "z_0")
    assert (named.high, named.low, named.what) == (35, 32, "0->1 1->0")
    assert "i_payload[35:32], z_0 in mixpe" in str(report)
    assert ", threshold 95 % NOT REACHED, seed " in str(report)


def test_a_branch_that_is_never_taken_is_named(monkeypatch):
    """Without an accumulation that goes on, nothing is ever kept."""

    def weak(spec, *, records, seed):
        (stimulus,) = [s for s in stimuli(spec, records=records, seed=seed) if s.name == "random"]

        def chunks():
            for chunk in islice(stimulus.chunks(), 1):
                yield chunk | {"last": np.ones_like(chunk["last"])}

        return [Stimulus("weak", "", records, chunks)]

    monkeypatch.setattr(coverage_module, "stimuli", weak)
    report = measure_coverage(TILE, styles=[Style.WORD], records=1000, budget=4)
    assert not report.passed
    missed = [u for u in report.styles[0].uncovered if u.kind is CoverageKind.BRANCH]
    assert {(u.path, u.signal) for u in missed} >= {("p_0_0_dot_product", "cond_then")}
    assert all(u.reason is None and u.line for u in missed)


def test_a_constant_1_is_not_covered_by_the_rise_at_the_beginning():
    """Verilator takes all bits to be 0 before anything runs."""
    report = measure_coverage(NumberConverter(), styles=[Style.WORD], records=2000)
    (place,) = [u for u in report.styles[0].uncovered if u.signal == "nonzero"]
    assert (place.what, place.reason, place.points) == ("0->1 1->0", Reason.PROVED, 2)
    assert report.styles[0].reachable_share(CoverageKind.TOGGLE) == 1


def test_queues_and_ready_are_covered():
    spec = Stallable(inside=MixPE(rows=1, columns=1, lanes=1, group=2))
    report = measure_coverage(spec, styles=[Style.WORD], records=2000)
    assert report.passed, str(report)


PARTS = """
module parts(input clk, input rst, input [7:0] i_payload, input i_valid, output reg [7:0] count,
             output [9:0] tied, output [9:0] twice, output same, output reg wound,
             output reg twin);
  initial begin count = 0; wound = 0; twin = 0; end
  reg hidden = 0;
  always @(posedge clk) begin
    if (i_valid) count <= count + 1;
    if (count == 8'd200) wound <= 1;
    twin <= i_valid;
    hidden <= i_valid;
  end
  assign tied = {2'b00, i_payload};
  assign same = twin == hidden;
  assign twice = i_payload + i_payload + (twin ^ hidden);
endmodule
"""


def test_only_constants_are_excused():
    """What takes 200 clocks is not constant; what only a proof over two registers shows, is."""
    flat = netlist_of(PARTS, top="parts", flat=True)["modules"]["parts"]
    spec = IntegerMultiplier(a=INT4, b=INT4, stages=1)
    places = [("", "tied", 8), ("", "tied", 7), ("", "twice", 0), ("", "twice", 9)]
    places += [("", "twice", 8), ("", "wound", -1), ("", "count", 7), ("", "nowhere", 0)]
    places += [("", "same", -1)]
    found = constant_bits(flat, places, spec, budget=60)
    assert found == {
        ("", "tied", 8): Reason.WIRED,
        ("", "twice", 0): Reason.PROVED,
        ("", "twice", 9): Reason.PROVED,
        ("", "same", -1): Reason.PROVED,
    }


def test_no_time_excuses_nothing():
    flat = netlist_of(PARTS, top="parts", flat=True)["modules"]["parts"]
    assert (
        constant_bits(flat, [("", "twice", 0)], IntegerMultiplier(a=INT4, b=INT4), budget=0) == {}
    )


def test_verilators_file_is_read():
    text = (
        "# SystemC::Coverage-3\n"
        "C '\x01f\x02u.v\x01l\x0212\x01n\x025\x01t\x02toggle\x01page\x02v_toggle/adders__W8"
        "\x01o\x02sum[3]:1->0\x01h\x02TOP.u.tree.first' 7\n"
        "C '\x01f\x02u.v\x01l\x029\x01n\x025\x01t\x02branch\x01page\x02v_branch/u"
        "\x01o\x02else\x01S\x029\x01h\x02TOP.u' 0\n"
    )
    toggle, branch = read_points(text)
    assert (toggle.kind, toggle.module, toggle.path) == (
        CoverageKind.TOGGLE,
        "adders",
        "tree.first",
    )
    assert (toggle.signal, toggle.bit, toggle.rises, toggle.count) == ("sum", 3, False, 7)
    assert (branch.kind, branch.path, branch.signal, branch.count) == (
        CoverageKind.BRANCH,
        "",
        "else",
        0,
    )
    with pytest.raises(ValueError, match="no coverage of Verilator's"):
        read_points("nothing")


def test_nothing_counted_is_no_pass():
    none = StyleCoverage(
        "word", 1, dict.fromkeys(CoverageKind, 0), dict.fromkeys(CoverageKind, 0), ()
    )
    assert not CoverageReport(TILE, 1, 0.95, (none,), {}, 0.0).passed
    assert not CoverageReport(TILE, 1, 0.95, (), {}, 0.0).passed
    lines = dict.fromkeys(CoverageKind, 0) | {CoverageKind.LINE: 5}
    assert not CoverageReport(
        TILE, 1, 0.95, (StyleCoverage("word", 1, lines, lines, ()),), {}, 0.0
    ).passed


def test_the_last_line_tells_what_was_reached_from_the_threshold():
    points = dict.fromkeys(CoverageKind, 1000)
    word = StyleCoverage("word", 1, points, points, ())
    cells = StyleCoverage("cells", 1, points, points | {CoverageKind.TOGGLE: 961}, ())
    for styles, target, words in [
        ((word,), 0.95, "100.00 %, threshold 95 % reached"),
        ((word, cells), 0.95, "96.10 %, threshold 95 % reached"),
        ((word, cells), 0.99, "96.10 %, threshold 99 % NOT REACHED"),
        ((), 0.95, "0.00 %, threshold 95 % NOT REACHED"),
    ]:
        *_, last = str(CoverageReport(TILE, 1, target, styles, {}, 0.0)).splitlines()
        assert last == f"mixpe: lowest coverage of what is within reach {words}, seed 1, 0.0 s"


def test_explained_points_are_counted_by_direction_and_bit():
    both = Uncovered(CoverageKind.TOGGLE, "m", "", 1, "x", 7, 4, "0->1 1->0", "", Reason.WIRED)
    one = Uncovered(CoverageKind.TOGGLE, "m", "", 1, "y", -1, -1, "1->0")
    assert (both.points, one.points) == (8, 1)
    assert str(both) == "toggle 0->1 1->0: x[7:4] in m, line 1: constant in the netlist"
    assert ranges([0, 1, 2, 5, 7, 8]) == [(8, 7), (5, 5), (2, 0)]
    assert ranges([-1]) == [(-1, -1)]


def test_a_model_without_coverage_says_so(tmp_path):
    model = compile_model(TILE)
    with pytest.raises(ToolError, match="compile with coverage"):
        model.write_coverage(tmp_path / "coverage.dat")


def test_wrong_arguments():
    with pytest.raises(TypeError, match="spec must be a specification"):
        measure_coverage("mixpe")
    with pytest.raises(TypeError, match="styles must be a sequence of Style"):
        measure_coverage(TILE, styles="word")
    for name, value in (("records", 0), ("seed", -1), ("budget", 0), ("target", 2)):
        with pytest.raises(ValueError, match=f"{name} = {value}"):
            measure_coverage(TILE, **{name: value})


@pytest.mark.regress
@pytest.mark.parametrize(
    ("spec", "styles"),
    [
        (MixPE(), [Style.WORD]),
        (MixPE(rows=2, columns=2, lanes=2, group=8), list(Style)),
        (IntegerMultiplier(a=INT8, b=INT8), list(Style)),
        *(
            (unit(name)(), [Style.WORD, Style.CELLS])
            for name in ("float_adder", "float_multiplier", "fused_multiply_add")
        ),
        *((unit(name)(), [Style.WORD]) for name in ("number_converter", "dequantiser")),
    ],
    ids=str,
)
def test_coverage_reaches_its_target(spec, styles):
    """95 % of what is not proved constant, in all styles; what is missing is in the message."""
    report = measure_coverage(spec, styles=styles)
    assert report.passed, str(report)
