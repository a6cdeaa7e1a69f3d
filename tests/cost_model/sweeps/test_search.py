"""Searches: they find good points, ask for none twice, and end."""

import pytest

from multipede.cost_model.sweeps.search import SEARCHES, search
from multipede.cost_model.sweeps.space import Space

SPACE = Space(
    "mixpe",
    {
        "rows": range(1, 33),
        "columns": range(1, 33),
        "lanes": [1, 2, 4, 8, 16],
        "weight": ["uint2", "uint3", "uint4"],
    },
    ["rows * columns * lanes <= 512"],
)


class Asked:
    """Points that were asked for; more products at less area are better, here."""

    def __init__(self):
        self.points = []

    def __call__(self, specs):
        self.points += specs
        return [self.figures(spec) for spec in specs]

    @staticmethod
    def figures(spec):
        products = spec.rows * spec.columns * spec.lanes
        # Lanes are cheap, rows share less; some points have no figures at all.
        if spec.lanes == 2:
            return None
        return products * spec.weight.bits * (1 + 8 / spec.lanes) + 50 * spec.rows, products


@pytest.mark.parametrize(("method", "points"), [("nsga2", 300), ("tpe", 60)])
def test_it_finds_better_points_than_chance(method, points):
    asked = Asked()
    given = {"method": method, "points": points, "directions": ["minimize", "maximize"]}
    found = search(SPACE, asked, seed=4, at_once=4, **given)
    assert found == asked.points
    assert len({spec.fingerprint for spec in found}) == points
    assert all(spec.rows * spec.columns * spec.lanes <= 512 for spec in found)

    def best(specs):
        """The least area for each of many products."""
        figures = [f for f in map(Asked.figures, specs) if f and f[1] >= 256]
        return min((area / products for area, products in figures), default=99)

    chance = [best(SPACE.sample(points, seed=seed)) for seed in range(5)]
    assert best(found) < sorted(chance)[2], chance


@pytest.mark.parametrize("method", SEARCHES)
def test_it_ends_when_there_are_no_more(method):
    space = Space("mixpe", {"rows": [1, 2, 3], "columns": [1, 2]}, ["rows != 2"])
    asked = Asked()
    found = search(space, asked, method=method, points=50, directions=["minimize"] * 2)
    assert sorted((spec.rows, spec.columns) for spec in found) == [(1, 1), (1, 2), (3, 1), (3, 2)]
    assert len(asked.points) == 4


def test_the_same_seed_asks_the_same():
    given = {"method": "nsga2", "points": 30, "directions": ["minimize", "maximize"]}
    first, second = (search(SPACE, Asked(), seed=9, **given) for _ in range(2))
    assert first == second
    assert first != search(SPACE, Asked(), seed=10, **given)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"method": "annealing"}, "search = 'annealing': allowed are nsga2, tpe"),
        ({"points": 0}, "points = 0"),
        ({"seed": -1}, "seed = -1"),
    ],
)
def test_bad_input(options, said):
    given = {"method": "tpe", "points": 3, "directions": ["minimize"], **options}
    with pytest.raises(ValueError, match=said):
        search(SPACE, Asked(), **given)


def test_an_empty_space():
    space = Space("mixpe", {"rows": [1, 2]}, ["rows > 4"])
    with pytest.raises(ValueError, match="the space of mixpe is empty"):
        search(space, Asked(), method="tpe", points=3, directions=["minimize"])
