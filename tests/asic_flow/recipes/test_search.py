"""Search over synthesis scripts: what is tried, what is taken, and that it repeats itself."""

import sys
from itertools import product

import pytest

from multipede.asic_flow.liberty.gate_table import gate_library
from multipede.asic_flow.mapping.map_to_cells import (
    Recipe,
    Script,
    map_prepared,
    map_to_cells,
    prepare,
)
from multipede.asic_flow.n28 import n28_library
from multipede.asic_flow.recipes import outcome as recipe_outcome
from multipede.asic_flow.recipes.outcome import Outcome, RecipeSubject
from multipede.asic_flow.recipes.search import search_recipes
from multipede.asic_flow.recipes.space import SPACE, RecipeSpace
from multipede.golden.float_adder import FloatAdder
from multipede.golden.formats import E2M1
from multipede.hw import Style
from multipede.sim.report import MismatchError
from multipede.sim.verilog import rtlil_of
from multipede.toolchain import ToolError

ADDER = FloatAdder(a=E2M1, b=E2M1, result=E2M1)
TINY = RecipeSpace(
    steps=("dc2", "&get -n; &b; &put"),
    length=1,
    choices=("dch",),
    mappers=("map -a -B 0.9", "amap -m", "map"),
)


def points(space):
    """Every point of a space."""
    for commands in product(*space.places.values()):
        yield dict(zip(space.places, commands, strict=True))


@pytest.fixture(scope="module")
def subject():
    return RecipeSubject(ADDER, n28_library())


@pytest.fixture
def optuna():
    return pytest.importorskip("optuna", reason="tools/set_up installs it")


class TestSpace:
    def test_default_recipe_is_a_point(self):
        assert SPACE.script(SPACE.default).value == Recipe.AREA.value
        assert TINY.script(TINY.default).value == Recipe.AREA.value

    def test_without_its_commands_it_is_none(self):
        assert RecipeSpace(mappers=("amap",)).default is None
        assert RecipeSpace(steps=("balance",)).default is None

    def test_script(self):
        point = SPACE.point(["rewrite", "if -g -K 6"], "", "amap")
        expected = "strash; ifraig; scorr; rewrite; if -g -K 6; strash; amap; topo"
        assert SPACE.script(point, "mine") == Script("mine", expected)
        assert Script("mine", "strash; map -a").command.endswith(" -script +strash;,map,-a")

    def test_a_tiny_one_has_so_many_points(self):
        assert len({TINY.script(point).value for point in points(TINY)}) == 9

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"length": 0}, "length = 0: 1 or more is needed"),
            ({"steps": ()}, "steps: at least one command is needed"),
            ({"mappers": ()}, "mappers: at least one command is needed"),
        ],
    )
    def test_wrong_spaces(self, options, message):
        with pytest.raises(ValueError, match=message):
            RecipeSpace(**options)

    def test_wrong_points(self):
        with pytest.raises(ValueError, match=r"step 1 = 'mfs2': allowed are \('', 'dc2'"):
            TINY.script(TINY.point(["mfs2"], "dch", "map"))
        with pytest.raises(ValueError, match="point has mapper: needed are step 1, choices"):
            TINY.script({"mapper": "map"})


class TestOutcome:
    @pytest.mark.few(2)
    @pytest.mark.parametrize("recipe", [*Recipe, Script("other", "strash; dch; amap; topo")])
    def test_prepared_once_or_mapped_at_once_is_the_same(self, recipe):
        rtlil, library = rtlil_of(ADDER, Style.CELLS), n28_library()
        whole = map_to_cells(rtlil, ADDER.unit, library, recipe)
        parts = map_prepared(prepare(rtlil, ADDER.unit, library), library, recipe)
        assert (parts.cells, parts.mappings) == (whole.cells, whole.mappings)
        assert parts.recipe is recipe

    def test_sized_for_the_defaults_delay(self, subject):
        slow = Script("slow", "strash; dch; amap; topo")
        found = subject.outcome(slow)
        assert found.delay <= subject.default.delay
        assert subject.holds(found)
        assert subject.worth(found) == found.area / subject.default.area
        assert subject.outcome(Recipe.AREA) == subject.default

    def test_what_is_slower_or_failed_is_worth_less(self, subject):
        area, delay = subject.default.area, subject.default.delay
        slower = Outcome(0.9 * area, 1.1 * delay)
        assert not subject.holds(slower)
        assert subject.worth(slower) == pytest.approx(0.9 + 0.2 + 0.02)
        failed = subject.outcome(Script("none", "strash; nonsense"))
        assert (failed.area, failed.delay) == (None, None)
        assert failed.error
        assert not subject.holds(failed)
        assert subject.worth(failed) == 2

    def test_without_delays_area_is_all(self):
        gates = RecipeSubject(ADDER, gate_library())
        found = gates.outcome(Script("other", "strash; dch; map; topo"))
        assert found.delay is None
        assert gates.holds(found)
        assert gates.worth(found) == found.area / gates.default.area > 1

    def test_equality_is_proved(self, subject):
        subject.require_equal(Recipe.AREA)
        with pytest.raises(MismatchError, match="float_adder: ABC finds no equality after"):
            subject.require_equal(Script("wrong", "strash; zeropo -N 0; map; topo"))


class Planted(RecipeSubject):
    """One point of a space is better than all others; the one that is smallest is slower."""

    BEST = ("rewrite", "balance", "dch", "amap")
    SLOWER = ("rewrite", "rewrite", "dch", "amap")

    def __init__(self):
        super().__init__(ADDER, n28_library())
        self.asked = []

    default = Outcome(100.0, 1000.0)

    def outcome(self, script):
        self.asked.append(script.value)
        likeness = sum(f"; {command};" in f"; {script.value};" for command in self.BEST)
        if script.value == planted_script(self.BEST):
            return Outcome(80.0, 1000.0)
        if script.value == planted_script(self.SLOWER):
            return Outcome(70.0, 1200.0)
        if "nonsense" in script.value:
            return Outcome(None, None, "planted failure")
        return Outcome(104.0 - likeness, 990.0)


SEARCHED = RecipeSpace(
    steps=("dc2", "rewrite", "balance", "nonsense"),
    length=2,
    choices=("", "dch"),
    mappers=("map -a -B 0.9", "amap"),
)


def planted_script(commands):
    *steps, choices, mapper = commands
    return SEARCHED.script(SEARCHED.point(steps, choices, mapper)).value


@pytest.mark.usefixtures("optuna")
class TestSearch:
    @pytest.mark.parametrize("seed", [1, 2, 3])
    def test_a_planted_better_recipe_is_found(self, seed):
        found = search_recipes(Planted(), trials=150, seed=seed, space=SEARCHED)
        assert found.script.value == planted_script(Planted.BEST)
        assert (found.best, found.default) == (Outcome(80.0, 1000.0), Planted.default)
        assert found.gain == pytest.approx(0.2)
        assert found.trials == 150
        assert 10 < found.distinct <= 100
        assert found.failed > 0
        # The smallest is slower than the default, and what failed has no area.
        others = [script.value for script in found.runners_up]
        assert planted_script(Planted.SLOWER) not in others
        assert not any("nonsense" in script for script in others)
        assert found.synthesis.area == Planted.default.area
        assert found.gain_over_synthesis == pytest.approx(0.2)
        text = " ".join(str(found).split())
        assert "area 80.00 at 1,000 ps (map -a: 1,000)" in text
        assert "20.00 % less than synthesis takes, 100.00; 20.00 % less than map -a" in text

    def test_the_same_again_and_another_seed_differs(self):
        tried = []
        for seed in (7, 7, 8):
            subject = Planted()
            search_recipes(subject, trials=60, seed=seed, space=SEARCHED)
            tried.append(subject.asked)
        assert tried[0] == tried[1] != tried[2]
        assert tried[0][0] == tried[2][0] == Recipe.AREA.value

    def test_nothing_better_leaves_the_default(self):
        space = RecipeSpace(steps=("dc2",), length=1, choices=("dch",), mappers=("nonsense",))
        found = search_recipes(Planted(), trials=5, space=space)
        assert (found.script.value, found.best) == (Recipe.AREA.value, Planted.default)
        assert (found.gain, found.failed, found.runners_up) == (0, found.distinct, ())

    def test_finds_what_trying_all_finds_and_then_from_the_cache(self, subject, monkeypatch):
        every = [subject.outcome(TINY.script(point)) for point in points(TINY)]
        least = min(outcome.area for outcome in every if subject.holds(outcome))
        found = search_recipes(subject, trials=150, space=TINY)
        assert found.best.area == least
        assert found.distinct == 9
        subject.require_equal(found.script)
        monkeypatch.setattr(recipe_outcome, "map_prepared", None)
        again = RecipeSubject(ADDER, n28_library())
        assert search_recipes(again, trials=150, space=TINY) == found


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"trials": 0}, ValueError, "trials = 0: allowed are 1 to 100000"),
        ({"trials": 1.5}, TypeError, "trials must be int"),
        ({"seed": -1}, ValueError, "seed = -1: allowed are 0 to"),
        ({"space": "all"}, TypeError, "space must be RecipeSpace, not str: 'all'"),
        ({"subject": ADDER}, TypeError, "subject must be RecipeSubject"),
    ],
)
def test_wrong_arguments(subject, options, kind, message):
    with pytest.raises(kind, match=message):
        search_recipes(options.pop("subject", subject), **options)


def test_without_optuna(subject, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ToolError, match="the search for recipes needs Optuna: pip install optuna"):
        search_recipes(subject, trials=1)
