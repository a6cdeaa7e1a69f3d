"""asic_flow/recipes/found.json: every claim follows from the table of outcomes in the same file."""

import json
from importlib.resources import files
from pathlib import Path

import pytest

from multipede.asic_flow.mapping.map_to_cells import Recipe
from multipede.asic_flow.recipes.comparison import RecipeComparison
from multipede.asic_flow.recipes.space import SPACE

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def claims():
    return json.loads((files("multipede.asic_flow.recipes") / "found.json").read_text())


@pytest.fixture(scope="module")
def table(claims):
    return RecipeComparison.from_dict(claims["comparison"])


def test_searches(claims, table):
    assert len(claims["searches"]) == len(table.units) >= 8
    for number, search in enumerate(claims["searches"]):
        assert search["unit"] == table.units[number]
        assert search["trials"] >= 200
        assert search["failed"] < search["distinct"] <= search["trials"]
        script = table.scripts.index(search["script"])
        outcome, default = table.outcomes[script][number], table.defaults[number]
        assert (outcome.area, outcome.delay) == (search["area"], search["delay"])
        assert search["gain"] == pytest.approx(1 - outcome.area / default.area, abs=1e-12)
        assert search["gain"] >= 0
        assert outcome.delay <= default.delay * (1 + 1e-9)
        assert script == 0 or number in table.finders[script]
        # The search's choice is its unit's best of the whole table's that it found itself.
        own = [s for s, finders in enumerate(table.finders) if number in finders]
        assert all(table.worths[script][number] <= table.worths[s][number] for s in own)


def test_default_is_the_first_row(table):
    assert table.scripts[0] == Recipe.AREA.value
    assert table.outcomes[0] == table.defaults
    assert set(table.worths[0]) == {1.0}


def test_worths(table):
    for row, worths in zip(table.outcomes, table.worths, strict=True):
        for outcome, worth, default in zip(row, worths, table.defaults, strict=True):
            if outcome.error:
                assert worth == 2
                continue
            late = max(0.0, outcome.delay / default.delay - 1)
            penalty = 2 * late + 0.02 if late > 1e-9 else 0
            assert worth == pytest.approx(outcome.area / default.area + penalty, abs=1e-8)


def test_common_and_unseen(claims, table):
    means = [sum(worths) for worths in table.worths]
    assert claims["common"] == table.scripts[means.index(min(means))]
    for number, one in enumerate(claims["unseen"]):
        family = table.families[number]
        seen = [n for n, other in enumerate(table.families) if other != family]
        script = table.scripts.index(one["script"])
        assert script == 0 or set(table.finders[script]) & set(seen)
        outcome, default = table.outcomes[script][number], table.defaults[number]
        assert one["gain"] == pytest.approx(1 - outcome.area / default.area, abs=1e-12)
        assert one["delay"] == pytest.approx(outcome.delay / default.delay, abs=1e-12)


def test_means(claims):
    for name, part in (("mean_gain_of_searches", "searches"), ("mean_gain_unseen", "unseen")):
        gains = [one["gain"] for one in claims[part]]
        assert claims[name] == pytest.approx(sum(gains) / len(gains), abs=1e-12)
    amap = Recipe.AMAP.value
    gains = {one["unit"]: one["gain"] for one in claims["other_trials"] if one["script"] == amap}
    best = [max(0.0, gains[one["unit"]]) for one in claims["searches"]]
    assert claims["mean_gain_of_both_mappers"] == pytest.approx(sum(best) / len(best), abs=1e-12)


def test_the_readme_says_so(claims):
    text = " ".join((ROOT / "README.md").read_text().split())
    searched, unseen, both = (
        f"{claims[name]:.1%}".replace("%", " %")
        for name in ("mean_gain_of_searches", "mean_gain_unseen", "mean_gain_of_both_mappers")
    )
    assert f"saves {searched} on the mean" in text
    assert f"on units that no search saw {unseen}" in text
    assert f"takes {both} of it" in text


def test_other_trials(claims, table):
    default = SPACE.script(SPACE.default).value
    simple = {default.replace("map -a -B 0.9", mapper) for mapper in ("amap", "amap -m")}
    tried = {(one["unit"], one["script"]): one for one in claims["other_trials"]}
    assert len(tried) == len(claims["other_trials"])
    searched = set(table.units)
    never = {unit for unit, _ in tried} - searched
    assert len(never) >= 5
    expected = {(unit, script) for unit in searched | never for script in simple}
    assert set(tried) == expected | {(unit, claims["common"]) for unit in never}
    for one in tried.values():
        area = one["outcome"]["area"] / one["default"]["area"]
        assert one["gain"] == pytest.approx(1 - area, abs=1e-12)
        assert one["outcome"]["delay"] > 0
