"""The calibrations that come with the package: what they are made from is what synthesis says, and
their errors are within what was promised."""

import random

import pytest

from multipede.cost_model.predict import predict
from multipede.cost_model.prediction.calibrate import refit
from multipede.cost_model.prediction.calibration import calibration_file, read_calibration
from multipede.cost_model.prediction.families import read_families
from multipede.cost_model.prediction.points import read_points
from multipede.cost_model.targets import synthesize
from multipede.golden.catalogue import unit
from multipede.golden.mixpe import MixPE

TARGETS = sorted(path.stem for path in calibration_file("n28").parent.glob("*.json"))
SEED = 7
MOST = {"area": (0.10, 0.25), "lut": (0.10, 0.25), "ff": (0.02, 0.25)}
"""median and 95 % of the errors of points of units that were seen"""
SHIFTED = {"xc7": {"ff": (0.04, 0.30)}, "xcup": {"ff": (0.04, 0.30)}}
"""where delays of several clocks are made of look-up tables, which no operator tells of"""
MEDIAN = {"delay": 0.15, "energy_per_record": 0.20}
UNSEEN = {"area": 0.20, "lut": 0.20, "ff": 0.10}
"""median of a family of which nothing was seen"""


def points_of(target):
    return read_points(calibration_file(target).with_suffix(".csv"))


@pytest.mark.parametrize("target", TARGETS)
def test_errors_are_as_promised(target):
    models = read_calibration(calibration_file(target)).models
    assert set(models) & {"area", "lut"}
    for name, (median, most) in (MOST | SHIFTED.get(target, {})).items():
        if name in models:
            assert models[name].all_within.median <= median
            assert models[name].all_within.most <= most
    for name, median in MEDIAN.items():
        if name in models:
            assert models[name].all_within.median <= median
    for name, median in UNSEEN.items():
        if name in models:
            for family, errors in models[name].left_out.items():
                assert errors.median <= median, family


@pytest.mark.parametrize("target", TARGETS)
def test_all_families_are_in_it(target):
    calibration, points = read_calibration(calibration_file(target)), points_of(target)
    families = read_families()
    held = {space.unit for spaces in families.values() for space in spaces}
    assert set(calibration.units) == held
    assert {known.family for known in calibration.units.values()} == set(families)
    assert sum(known.points for known in calibration.units.values()) == len(points)
    for name in held:
        at_least = 1 if name == "bitmod_dequantiser" else 10
        assert calibration.units[name].points >= at_least


def _same_as_synthesis(target, number, units):
    print(f"seed = {SEED}")
    chosen = [point for point in points_of(target) if units is None or point.unit in units]
    for point in random.Random(SEED).sample(chosen, number):
        found = {cost.quantity: cost for cost in synthesize(point.read(), target).costs}
        for name in ("area", "delay", "lut", "ff"):
            if name in point.figures and name in found:
                assert point.figures[name] == found[name].value, point
        assert point.rtlil == next(iter(found.values())).rtlil_digest


@pytest.mark.few(2)
@pytest.mark.parametrize("target", TARGETS)
def test_points_are_what_synthesis_says(target):
    _same_as_synthesis(target, 4, ("lmul", "integer_multiplier", "second_level_dequantiser"))


@pytest.mark.regress
@pytest.mark.parametrize("target", TARGETS)
def test_more_points_are_what_synthesis_says(target):
    _same_as_synthesis(target, 20, None)


@pytest.mark.regress
@pytest.mark.parametrize("target", TARGETS)
def test_the_coefficients_are_those_of_the_points(target):
    path = calibration_file(target)
    assert refit(path).calibration.to_dict() == read_calibration(path).to_dict()


@pytest.mark.few(2)
@pytest.mark.parametrize("target", TARGETS)
def test_a_tile_that_was_among_the_points(target):
    """And one between them, against its synthesis."""
    for spec in (unit("mixpe")(), MixPE(rows=2, columns=3, lanes=4)):
        told = predict(spec, target)
        assert told.outside == []
        assert told.seen >= 10
    name = "area" if target == "n28" else "lut"
    found = next(cost for cost in told.costs if cost.quantity == name)
    real = {c.quantity: c.value for c in synthesize(spec, target).costs}[name]
    assert abs(found.value / real - 1) < 0.15
