"""What notebooks show of reports and costs: the figures, how they came about, and what failed."""

from dataclasses import replace

import pytest

from multipede.asic_flow import Constraints
from multipede.cost_model.comparison import compare
from multipede.cost_model.predict import predict
from multipede.cost_model.targets import power, synthesize
from multipede.cost_model.workload import compare_workload
from multipede.golden.formats import UINT2, UINT4
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.golden.mixpe import MixPE
from multipede.sim.verify import verify
from tests.golden.test_html_table import texts

UNIT = IntegerMultiplier(a=UINT4, b=UINT2)


@pytest.mark.parametrize(
    "found",
    [
        lambda: synthesize(UNIT, "gates"),
        lambda: synthesize(UNIT, "ecp5"),
        lambda: predict(UNIT),
        lambda: power(UNIT, records=50),
    ],
    ids=["cells", "fpga", "predicted", "power"],
)
def test_costs_stand_with_unit_method_and_source(found):
    found = found()
    html = found._repr_html_()
    cells = texts(html, "td")
    assert str(UNIT) in texts(html, "b")[0]
    for cost in found.costs:
        row = cells[cells.index(cost.quantity) :][:6]
        assert float(row[1].replace(",", "")) == pytest.approx(cost.value, rel=1e-4)
        assert (row[2], row[4], row[5]) == (cost.unit, cost.target, cost.method.value)
        assert any(note.endswith(cost.source) for note in texts(html, "small"))
    assert len(cells) == 6 * len(found.costs)


def test_predictions_tell_their_errors():
    html = predict(UNIT)._repr_html_()
    assert sum("±" in cell for cell in texts(html, "td")) == len(predict(UNIT).costs)


def test_reports_tell_what_held_and_what_did_not():
    report = verify(UNIT, records=100)
    html = report._repr_html_()
    assert texts(html, "b") == [f"{UNIT}: passed"]
    assert texts(html, "td").count("passed") == len(report.checks) > 0
    failed = replace(report.checks[0], error="it < broke")
    html = replace(report, checks=(failed, *report.checks[1:]))._repr_html_()
    assert texts(html, "b") == [f"{UNIT}: FAILED"]
    assert texts(html, "td").count("it < broke") == 1


def test_comparisons_stand_in_columns():
    found = compare({"one": UNIT, "other": replace(UNIT, stages=2)}, targets=["gates", "ecp5"])
    html = found._repr_html_()
    heads = ["gates, NAND2", "per op", "ratio", "ecp5, LUT4", "per op", "ratio"]
    assert texts(html, "th")[2:] == heads
    cells = texts(html, "td")
    assert cells[1] == "one"
    assert float(cells[2].replace(",", "")) == pytest.approx(found.rows[0]["gates"], rel=1e-4)
    assert texts(html, "small") == str(found).splitlines()[-3:]


def test_workloads_stand_in_columns_and_failures_are_told():
    tiles = {"small": MixPE(rows=1, columns=1, lanes=2), "large": MixPE(rows=2, columns=2, lanes=2)}
    few = compare_workload(
        tiles, "opt-1.3b", "decode", 16, area=0.001, constraints=Constraints(clock_period=2.0)
    )
    html = few._repr_html_()
    assert texts(html, "b") == [few.title]
    cells = texts(html, "td")
    assert cells[cells.index("small") + 1] == str(few.rows[0].tiles)
    assert cells[cells.index("large") + 1] == "failed"
    assert texts(html, "small")[-1] == few.errors[0]
