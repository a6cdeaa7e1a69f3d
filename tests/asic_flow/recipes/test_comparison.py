"""Scripts on units that the search never saw."""

import json

import pytest

from multipede.asic_flow.mapping.map_to_cells import Recipe, Script
from multipede.asic_flow.n28 import n28_library
from multipede.asic_flow.recipes.comparison import RecipeComparison, compare_recipes
from multipede.asic_flow.recipes.outcome import Outcome, RecipeSubject
from multipede.asic_flow.recipes.search import FoundRecipe
from multipede.golden.formats import INT2, INT4
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.toolchain import ToolFailure

DEFAULT = Outcome(100.0, 1000.0)


def comparison(areas, finders, families=("a", "b", "c")):
    """By hand: areas of each script on each unit, the first the default's."""
    outcomes = tuple(tuple(Outcome(area, 1000.0) for area in row) for row in areas)
    return RecipeComparison(
        library="some.lib",
        units=tuple(f"{family}{number}" for number, family in enumerate(families)),
        families=families,
        defaults=(DEFAULT,) * len(families),
        scripts=tuple(f"script {number}" for number in range(len(areas))),
        finders=finders,
        outcomes=outcomes,
        worths=tuple(tuple(area / 100 for area in row) for row in areas),
    )


class TestByHand:
    AREAS = ((100, 100, 100), (60, 99, 98), (110, 80, 90), (105, 95, 70))
    FINDERS = ((), (0,), (1,), (2,))

    def test_common_has_the_least_mean(self):
        found = comparison(self.AREAS, self.FINDERS)
        assert found.common == "script 1"  # 257 against 280, 270 and 300
        assert found.gains("script 1") == pytest.approx((0.4, 0.01, 0.02))

    def test_unseen_is_chosen_without_the_unit(self):
        found = comparison(self.AREAS, self.FINDERS)
        # Without unit a script 3 (165) beats script 2 (170); without b and c it is script 1.
        assert [one.script for one in found.unseen] == ["script 3", "script 1", "script 1"]
        assert [one.gain for one in found.unseen] == pytest.approx([-0.05, 0.01, 0.02])
        assert [one.delay for one in found.unseen] == [1, 1, 1]

    def test_what_was_found_for_the_unit_alone_does_not_count(self):
        found = comparison(((100, 100, 100), (90, 10, 10)), ((), (0,)))
        assert [one.script for one in found.unseen] == ["script 0", "script 1", "script 1"]

    def test_units_of_one_family_are_left_out_together(self):
        areas = ((100, 100, 100), (50, 50, 101))
        found = comparison(areas, ((), (0,)), families=("a", "a", "c"))
        assert [one.script for one in found.unseen] == ["script 0", "script 0", "script 1"]

    def test_a_failure_saves_nothing(self):
        found = comparison(((100, 100), (90, 90)), ((), (0,)), families=("a", "b"))
        failed = ((DEFAULT, DEFAULT), (Outcome(90.0, 1000.0), Outcome(None, None, "crashed")))
        found = RecipeComparison(**(vars(found) | {"outcomes": failed}))
        assert found.gains("script 1") == (pytest.approx(0.1), float("-inf"))
        assert found.unseen[1].gain == float("-inf")

    def test_through_json_and_as_text(self):
        found = comparison(self.AREAS, self.FINDERS)
        assert RecipeComparison.from_dict(json.loads(json.dumps(found.to_dict()))) == found
        assert "chosen without a:  -5.00 % at 1.000 of the delay; a0" in str(found)
        assert "mean of the unseen: -0.67 %" in str(found)


class TestOnUnits:
    def found(self, subject, *scripts):
        best, *others = (Script("found", script) for script in scripts)
        return FoundRecipe("", "", *[subject.default] * 3, best, tuple(others), 1, 1, 0)

    def test_each_script_on_each_unit(self):
        units = [IntegerMultiplier(a=INT2, b=INT2), IntegerMultiplier(a=INT4, b=INT2)]
        subjects = [RecipeSubject(unit, n28_library()) for unit in units]
        one, two = "strash; dch; map; topo", "strash; dch; amap; topo"
        results = [self.found(subjects[0], one, two), self.found(subjects[1], two)]
        made = compare_recipes(subjects, results)
        assert made.scripts == (Recipe.AREA.value, one, two)
        assert made.finders == ((), (0,), (0, 1))
        assert made.units == tuple(map(str, units))
        for script, row, worths in zip(made.scripts, made.outcomes, made.worths, strict=True):
            expected = [subject.outcome(Script("again", script)) for subject in subjects]
            assert list(row) == expected
            assert list(worths) == [
                subject.worth(outcome) for subject, outcome in zip(subjects, row, strict=True)
            ]
        assert made.gains(Recipe.AREA.value) == (0, 0)

    def test_wrong_arguments(self):
        subject = RecipeSubject(IntegerMultiplier(a=INT2, b=INT2), n28_library())
        result = self.found(subject, "strash; map")
        with pytest.raises(ValueError, match="subjects: 1 given, two or more are needed"):
            compare_recipes([subject], [result])
        with pytest.raises(ValueError, match="found: 1 given for 2 subjects"):
            compare_recipes([subject, subject], [result])

    def test_a_default_that_fails(self, monkeypatch):
        subject = RecipeSubject(IntegerMultiplier(a=INT2, b=INT2), n28_library())
        monkeypatch.setattr(
            RecipeSubject, "_outcome", lambda *_: Outcome(None, None, "planted failure")
        )
        with pytest.raises(ToolFailure, match="integer_multiplier: planted failure"):
            _ = subject.default
