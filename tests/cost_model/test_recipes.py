"""`multipede recipes`: searches for given units on a target."""

import json

import pytest

from multipede.asic_flow.mapping.map_to_cells import Recipe
from multipede.asic_flow.recipes.space import RecipeSpace
from multipede.cli import main
from multipede.cost_model.recipes import recipes
from multipede.golden.formats import INT2, INT4
from multipede.golden.integer_multiplier import IntegerMultiplier

SMALL = IntegerMultiplier(a=INT2, b=INT4)
OTHER = IntegerMultiplier(a=INT4, b=INT4)
TINY = RecipeSpace(steps=("dc2",), length=1, choices=("", "dch"), mappers=("map -a -B 0.9", "amap"))


@pytest.fixture
def optuna():
    return pytest.importorskip("optuna", reason="tools/set_up installs it")


@pytest.mark.usefixtures("optuna")
class TestRecipes:
    def test_two_units(self):
        report = recipes([SMALL, OTHER], trials=6, space=TINY)
        assert [one.unit for one in report.found] == [str(SMALL), str(OTHER)]
        assert {one.library for one in report.found} == {"n28_tt_0p90v_25c.lib"}
        assert report.comparison.units == (str(SMALL), str(OTHER))
        described = json.loads(json.dumps(report.to_dict()))
        assert described["common"] in report.comparison.scripts
        assert [one["gain"] for one in described["searches"]] == [one.gain for one in report.found]
        # Both are of one family: there is nothing unseen to learn from.
        assert {one["script"] for one in described["unseen"]} == {Recipe.AREA.value}

    def test_one_unit_on_gates(self):
        report = recipes([SMALL], "gates", trials=6, space=TINY)
        assert report.comparison is None
        assert report.found[0].best.delay is None
        assert str(report) == str(report.found[0])

    def test_a_liberty_file(self, liberty_file):
        report = recipes(
            [SMALL], "gates", liberty=liberty_file("nangate45_typ.lib.gz"), trials=4, space=TINY
        )
        assert report.found[0].best.delay <= report.found[0].default.delay * (1 + 1e-9)
        assert report.found[0].library == "nangate45_typ.lib.gz"

    def test_command_line(self, capsys):
        unit = ("recipes", "integer_multiplier", "-p", "a=int2", "-p", "b=int4")
        assert main([*unit, "--trials", "2", "--json"]) == 0
        (search,) = json.loads(capsys.readouterr().out)["searches"]
        assert (search["unit"], search["trials"]) == (str(SMALL), 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--target", "ecp5"), "target = 'ecp5': recipes are for standard cells, n28 or gates"),
        (("--target", "n27"), "target = 'n27': allowed are gates, n28"),
        (("--trials", "0"), "trials = 0: allowed are 1 to 100000"),
        (("--target", "n28", "--liberty", "x.lib"), "liberty = x.lib: only 'gates' takes it"),
        (("--liberty", "missing.lib"), "missing.lib"),
    ],
)
def test_wrong_options(capsys, options, message):
    assert main(["recipes", "integer_multiplier", *options]) == 2
    assert message in capsys.readouterr().err


def test_wrong_specs():
    with pytest.raises(ValueError, match="specs: one unit or more is needed"):
        recipes([])
    with pytest.raises(TypeError, match="specs must be Spec, not str: 'mixpe'"):
        recipes(["mixpe"])
