"""Sweeps as users make them: spaces in, a table out, nothing measured twice."""

from dataclasses import replace

import pandas
import pytest

from multipede.asic_flow import Constraints
from multipede.cost_model.sweeps.frame import numbers, pareto
from multipede.cost_model.sweeps.question import Question
from multipede.cost_model.sweeps.space import Space
from multipede.cost_model.sweeps.store import Store, StoreError
from multipede.cost_model.sweeps.sweep import sweep
from multipede.cost_model.targets import synthesize
from multipede.golden.formats import Integer
from multipede.golden.integer_multiplier import IntegerMultiplier

FORMATS = ["int4", "int5", "int6"]
PRODUCTS = Space("integer_multiplier", {"a": FORMATS, "b": FORMATS}, ["a.bits >= b.bits"])


def test_all_points_on_two_targets(tmp_path):
    found = sweep(PRODUCTS, ["gates", "ice40"], workers=2, store=tmp_path / "r.sqlite")
    assert list(zip(found["a"], found["b"], strict=True)) == [
        *[("int4", "int4"), ("int5", "int4"), ("int5", "int5")],
        *[("int6", "int4"), ("int6", "int5"), ("int6", "int6")],
    ]
    unit = IntegerMultiplier(a=Integer(6, True), b=Integer(5, True))
    row = found.iloc[4]
    assert row["gates.area"] == synthesize(unit, "gates").total
    assert row["ice40.lut"] == synthesize(unit, "ice40").lut
    assert found.attrs["units"]["gates.area"] == "NAND2"
    assert (found["gates.error"] == "").all()
    # And again, from the store alone.
    with Store(tmp_path / "r.sqlite") as store:
        assert len(store.all()) == 12
    again = sweep(PRODUCTS, ["gates", "ice40"], executor=_Nobody(), store=tmp_path / "r.sqlite")
    pandas.testing.assert_frame_equal(again, found)
    assert pareto(found, minimise=["gates.area"])["a"].tolist() == ["int4"]


class _Nobody:
    """An executor of a cluster on which nothing may run."""

    def nthreads(self):
        return {"nobody": 1}

    def get_executor(self, **options):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def submit(self, *work):
        raise AssertionError("nothing was to be asked for")


def test_random_points_of_a_file(tmp_path):
    path = tmp_path / "space.toml"
    path.write_text(
        "[[space]]\nunit = 'integer_multiplier'\n[space.parameters]\na = ['int4', 'int8']"
    )
    found = sweep(path, ["gates"], points=1, seed=3, workers=1)
    assert len(found) == 1


def test_a_clock_and_energy():
    space = Space("integer_multiplier", {"a": ["int4"], "b": ["int4"]})
    clock = Constraints(clock_period=2.0)
    found = sweep([space], ["n28", "ice40"], constraints=clock, energy=True, workers=1)
    row = found.iloc[0]
    assert row["n28.delay"] <= 2000
    assert 0 < row["n28.energy_per_multiply"] < 1
    assert "ice40.energy_per_multiply" not in found


@pytest.mark.parametrize("search", ["nsga2", "tpe"])
def test_a_search(tmp_path, search):
    goal = {"minimise": ["gates.area_per_multiply"], "maximise": ["gates.area_combinational"]}
    given = {"workers": 2, "store": tmp_path / "r.sqlite", "points": 5, "search": search}
    found = sweep(PRODUCTS, ["gates"], seed=2, **goal, **given)
    assert len(found) == 5
    assert found[["a", "b"]].drop_duplicates().shape == (5, 2)
    again = sweep(PRODUCTS, ["gates"], seed=2, **goal, **{**given, "executor": _Nobody()})
    pandas.testing.assert_frame_equal(again, found)


def test_figures_of_rows():
    found = pandas.DataFrame({"n28.area": [1.0, None], "n28.error": ["", "broken"]})
    assert numbers(found, ["n28.area"]) == [[1.0], None]
    with pytest.raises(ValueError, match=r"'n28\.power' is no figure: there are n28\.area"):
        numbers(found, ["n28.power"])
    assert numbers(found.iloc[1:], ["n28.power"]) == [None]


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"spaces": []}, ValueError, "spaces is empty"),
        ({"spaces": [3]}, TypeError, "spaces"),
        ({"spaces": "nowhere.toml"}, ValueError, "nowhere.toml is no design space"),
        ({"targets": []}, ValueError, "targets is empty"),
        ({"targets": ["n27"]}, ValueError, "n27"),
        ({"targets": "n28"}, TypeError, "targets"),
        ({"targets": ["ice40"], "energy": True}, ValueError, "energy = True: none of ice40 takes"),
        ({"minimise": "n28.area"}, TypeError, "minimise"),
        ({"maximise": [3]}, TypeError, "maximise"),
        ({"search": "tpe"}, ValueError, "points are needed"),
        ({"search": "tpe", "points": 3}, ValueError, "columns to minimise or maximise"),
        ({"search": "x", "points": 3, "minimise": ["n28.area"]}, ValueError, "search = 'x'"),
        ({"spaces": [PRODUCTS] * 2, "search": "tpe", "points": 3}, ValueError, "of one space"),
        ({"points": 0}, ValueError, "points = 0"),
        ({"workers": 0}, ValueError, "workers = 0"),
        ({"store": "/nowhere/r.sqlite"}, StoreError, "no such file or directory"),
    ],
)
def test_bad_input(options, error, said):
    given = {"spaces": PRODUCTS, **options}
    with pytest.raises(error, match=said):
        sweep(given.pop("spaces"), **given)


def test_all_that_is_asked_is_in_the_key():
    """Answers to other questions are never taken for one's own."""
    clock = Constraints(clock_period=2.0)
    questions = [
        Question("n28"),
        Question("gates"),
        Question("n28", constraints=clock),
        Question("n28", constraints=replace(clock, clock_period=1.0)),
        Question("n28", energy=True),
        Question("n28", energy=True, records=10),
    ]
    spec = next(PRODUCTS.grid())
    assert len({question.key(spec) for question in questions}) == len(questions)


def test_what_is_no_liberty_file_is_told_at_once(tmp_path):
    broken = tmp_path / "x.lib"
    broken.write_text("nothing")
    store = tmp_path / "r.sqlite"
    with pytest.raises(ValueError, match=r"x\.lib"):
        sweep(PRODUCTS, ["gates"], liberty=broken, store=store)
    assert not store.exists()
