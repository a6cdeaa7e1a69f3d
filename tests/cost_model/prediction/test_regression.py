"""Regression in levels: it finds laws that are there, and stays near the level above."""

import numpy as np
import pytest

from multipede.cost_model.prediction.regression import LINEAR, LOGARITHMIC, Levels, fit

FREE = np.array([[-np.inf] * 3, [np.inf] * 3])


def points(seed, number=60):
    generator = np.random.default_rng(seed)
    features = generator.uniform(1, 50, (number, 3))
    groups = [("ab"[index % 2], f"unit{index % 4}") for index in range(number)]
    return features, groups


def levels(kind, features, figures, groups, worth=1e-6, bounds=FREE):
    start = np.ones(3) if kind is LINEAR else np.zeros(3)
    found = fit(kind, features, figures, groups, start=start, worth=worth)
    return Levels(kind, found, bounds)


@pytest.mark.parametrize("kind", [LINEAR, LOGARITHMIC])
def test_a_law_of_all_is_found(kind):
    features, groups = points(1)
    features = features if kind is LINEAR else np.log(features)
    law = np.array([2.0, 0.5, 0.0])
    figures = kind.told(features, law)
    found = levels(kind, features, figures, groups)
    assert set(found.coefficients) == {(), ("a",), ("b",), *groups}
    for coefficients in found.coefficients.values():
        assert coefficients == pytest.approx(law, abs=1e-3)
    assert found.told(features, groups) == pytest.approx(figures, rel=1e-3)


def test_groups_have_laws_of_their_own():
    features, groups = points(2)
    factor = np.array([{"unit0": 1.0, "unit1": 3.0}.get(unit, 2.0) for _, unit in groups])
    figures = factor * (features @ [2.0, 0.5, 1.0])
    found = levels(LINEAR, features, figures, groups)
    assert found.coefficients["b", "unit1"] == pytest.approx([6.0, 1.5, 3.0], rel=1e-3)
    assert found.coefficients["a", "unit0"] == pytest.approx([2.0, 0.5, 1.0], rel=1e-3)
    # Unknown units are told by their families, unknown families by all.
    assert found.level(("a", "other")) == ("a",)
    assert found.level(("c", "other")) == ()
    assert found.level(("a", "unit0")) == ("a", "unit0")


def test_few_points_stay_near_the_level_above():
    features, _ = points(3)
    groups = [("a", "many")] * 59 + [("a", "one")]
    figures = features @ [2.0, 0.5, 1.0]
    figures[-1] *= 2
    found = levels(LINEAR, features, figures, groups, worth=1.0)
    at = found.told(features[-1:], groups[-1:])[0] / figures[-1]
    assert 0.5 < at < 0.75


@pytest.mark.parametrize("factor", [0.01, 0.03, 0.1, 0.3, 3, 30])
def test_one_point_of_another_kind_draws_no_others(factor):
    """Least of all one of which nearly nothing is made, whose relative error is the largest."""
    generator = np.random.default_rng(4)
    features = generator.uniform(10, 100, (40, 3))
    figures = features @ [2.0, 0.5, 1.0] * np.exp(generator.normal(0, 0.03, 40))
    expected = features[1:] @ [2.0, 0.5, 1.0]
    figures[0] *= factor
    found = levels(LINEAR, features, figures, [("a",)] * 40)
    assert found.told(features[1:], [("a",)] * 39) == pytest.approx(expected, rel=0.05)


def test_coefficients_of_sizes_are_never_negative():
    features, groups = points(4)
    figures = features @ [2.0, 0.5, -0.02]
    for coefficients in levels(LINEAR, features, figures, groups).coefficients.values():
        assert (coefficients >= 0).all()


def test_families_weigh_the_same():
    """A family of many points does not outvote one of few."""
    features = np.ones((22, 3))
    groups = [("a", "u")] * 20 + [("b", "v")] * 2
    figures = np.array([100.0] * 20 + [400.0] * 2)
    found = levels(LOGARITHMIC, features, figures, groups)
    told = found.told(features[:1], [("c", "w")])[0]
    assert told == pytest.approx(200.0, rel=0.01)


def test_features_beyond_what_was_seen_count_as_no_further():
    found = Levels(LOGARITHMIC, {(): np.array([1.0, 0, 0])}, np.array([[0.0] * 3, [2.0] * 3]))
    told = found.told(np.array([[1.0, 0, 0], [2.0, 0, 0], [500.0, 0, 0]]), [()] * 3)
    assert told == pytest.approx(np.exp([1.0, 2.0, 2.0]))
