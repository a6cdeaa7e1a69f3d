"""Sweeps that predict: all points, or first, to synthesise only those that may be best."""

import json
import os
import random

import numpy as np
import pandas
import pytest

from multipede import cli
from multipede.asic_flow import Constraints
from multipede.cost_model.sweeps import predicted as predicted_module
from multipede.cost_model.sweeps.frame import near_pareto, pareto
from multipede.cost_model.sweeps.predicted import Predicted
from multipede.cost_model.sweeps.question import Question
from multipede.cost_model.sweeps.space import Space
from multipede.cost_model.sweeps.store import Store
from multipede.cost_model.sweeps.sweep import sweep
from multipede.cost_model.targets import synthesize
from multipede.golden.catalogue import spec_from_dict
from multipede.golden.lmul import LMul
from tests.cost_model.prediction.made_up import calibration
from tests.cost_model.sweeps.test_sweep import _Nobody

FORMATS = ["int4", "int5", "int6", "int8"]
PRODUCTS = Space("integer_multiplier", {"a": FORMATS, "b": FORMATS, "stages": [0, 1, 2]})
AREA, RATE = "n28.area_per_multiply", "n28.multiply_per_second"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The file of a calibration for n28, as far as names go."""
    path = tmp_path_factory.mktemp("made") / "made.json"
    description = calibration().to_dict() | {"target": "n28"}
    for model in description["figures"].values():
        for errors in (*model["units"].values(), *model["families"].values()):
            errors["two_thirds"] = 0.05
    path.write_text(json.dumps(description))
    return path


def test_all_points_predicted(made, tmp_path):
    given = {"calibration": made, "measure": "none", "store": tmp_path / "r.sqlite"}
    found = sweep(PRODUCTS, workers=2, **given)
    assert len(found) == 48
    predicted = Predicted("n28", calibration=made)
    spec = next(iter(PRODUCTS.grid()))
    wanted = {cost.quantity: cost for cost in predicted.costs(spec)}
    row = found.iloc[0]
    assert row["n28.predicted.area"] == wanted["area"].value
    assert row["n28.predicted.area.error_bar"] == 0.05
    assert row["n28.predicted.area_per_multiply.error_bar"] == 0.05
    assert row["n28.predicted.multiply_per_second"] == pytest.approx(1e12 / wanted["delay"].value)
    assert found.attrs["units"]["n28.predicted.area"] == "um2"
    assert found.attrs["methods"]["n28.predicted.area"] == "predicted"
    assert "n28.area" not in found
    again = sweep(PRODUCTS, executor=_Nobody(), **given)
    pandas.testing.assert_frame_equal(again, found)


def test_only_the_points_that_may_be_best_are_synthesised(made):
    goals = {"minimise": [AREA], "maximise": [RATE]}
    found = sweep(PRODUCTS, workers=2, calibration=made, **goals)
    measured = found[found["n28.area"].notna()]
    assert 2 <= len(measured) < len(found) / 2
    near = near_pareto(found, **goals)
    assert measured.index.tolist() == near.index.tolist()
    first = measured.iloc[0]
    spec = spec_from_dict(
        {"unit": "integer_multiplier", "parameters": {n: first[n] for n in ("a", "b")}}
    )
    spec = type(spec)(a=spec.a, b=spec.b, stages=int(first["stages"]))
    assert first["n28.area"] == synthesize(spec, "n28").total
    # All that the predictions themselves have as best are among them.
    best = pareto(
        found,
        minimise=["n28.predicted.area_per_multiply"],
        maximise=["n28.predicted.multiply_per_second"],
    )
    assert set(best.index) <= set(measured.index)


def test_parameters_may_be_goals(made):
    """They are known without error."""
    goals = {"minimise": ["stages", "n28.area"]}
    found = sweep(PRODUCTS, workers=2, calibration=made, measure="pareto", **goals)
    measured = found[found["n28.area"].notna()]
    assert set(measured["stages"]) == {0}
    assert len(measured) < 16


def test_a_search_by_predictions(made):
    goals = {"minimise": [AREA], "maximise": [RATE]}
    given = {"search": "nsga2", "points": 12, "seed": 3, "workers": 2, "calibration": made}
    found = sweep(PRODUCTS, measure="none", **goals, **given)
    assert len(found) == 12
    assert found["n28.predicted.area"].notna().all()
    assert "n28.area" not in found
    some = sweep(PRODUCTS, **goals, **given)
    assert 1 <= some["n28.area"].notna().sum() < 12
    assert some["n28.predicted.area"].tolist() == found["n28.predicted.area"].tolist()


def test_near_the_front_is_all_that_may_be_on_it():
    """Whatever the figures turn out to be within the error bars, the front of them is among it."""
    generator = random.Random(5)
    rows = []
    for _ in range(120):
        row = {}
        for name in ("area", "rate"):
            row[f"t.predicted.{name}"] = generator.uniform(1, 10)
            row[f"t.predicted.{name}.error_bar"] = generator.choice([0.02, 0.1, 0.3])
        rows.append(row)
    found = pandas.DataFrame(rows)
    near = near_pareto(found, minimise=["t.area"], maximise=["t.rate"])
    assert len(near) < 80
    spread = np.random.default_rng(1)
    seen = set()
    for _ in range(300):
        real = pandas.DataFrame(
            {
                name: found[f"t.predicted.{name}"]
                * (1 + found[f"t.predicted.{name}.error_bar"]) ** spread.choice([-1, 1], 120)
                for name in ("area", "rate")
            }
        )
        seen |= set(pareto(real, minimise=["area"], maximise=["rate"]).index)
    assert seen <= set(near.index)
    assert len(seen) > len(near) / 2


def test_what_is_stale_is_not_taken(made, tmp_path, monkeypatch):
    """A prediction's key changes with the calibration, and with the code."""
    spec, one = LMul(), Predicted("n28", calibration=made)
    other = tmp_path / "other.json"
    other.write_text(made.read_text().replace("a law", "another law"))
    keys = {one.key(spec), Predicted("n28", calibration=other).key(spec), Question("n28").key(spec)}
    assert len(keys) == 3
    other.write_text(made.read_text().replace("a law", "a third law"))
    os.utime(other, ns=(1, 1))
    assert Predicted("n28", calibration=other).key(spec) not in keys
    predicted_module._made_by.cache_clear()
    monkeypatch.setattr(predicted_module, "source_digest", lambda *parts: "other sources")
    assert one.key(spec) not in keys
    predicted_module._made_by.cache_clear()


def test_from_the_command_line(made, tmp_path, capsys):
    space = tmp_path / "space.toml"
    space.write_text(
        "[[space]]\nunit = 'lmul'\n[space.parameters]\nformat = ['e4m3', 'e5m2', 'bf16']"
    )
    words = ["sweep", space, "--measure", "none", "--calibration", made, "--workers", "1"]
    assert cli.main([*map(str, words), "--minimise", "n28.area"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("3 points; none is better than these 1:\n")
    assert "n28.predicted.area, um2" in out
    assert "bf16" not in out
    file = tmp_path / "r.sqlite"
    words = ["sweep", space, "--calibration", made, "--store", file, "--workers", "1"]
    assert cli.main([*map(str, words), "--minimise", "n28.area"]) == 0
    assert "n28.area, um2" in capsys.readouterr().out
    with Store(file, read_only=True) as store:
        assert len(store.all()) > 3


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"measure": "some"}, ValueError, "measure = 'some': allowed are all, pareto, none"),
        ({"measure": 3}, TypeError, "measure"),
        ({"measure": "pareto"}, ValueError, "columns to minimise or maximise are needed"),
        ({"measure": "none", "targets": ["gates"]}, ValueError, "target = 'gates': predictions"),
        (
            {"measure": "none", "constraints": Constraints(clock_period=2.0)},
            ValueError,
            "predictions are of the smallest netlist",
        ),
        ({"measure": "none", "calibration": "nowhere.json"}, ValueError, "nowhere.json is no"),
        (
            {"measure": "none", "calibration": "m", "targets": ["n28", "ecp5"]},
            ValueError,
            "of one target, not of several",
        ),
    ],
)
def test_bad_input(options, error, said):
    with pytest.raises(error, match=said):
        sweep(PRODUCTS, **options)


def test_goals_that_are_no_figures(made):
    with pytest.raises(ValueError, match=r"'n28\.beauty' is no figure: there are n28\."):
        sweep(PRODUCTS, minimise=["n28.beauty"], calibration=made, workers=1)
