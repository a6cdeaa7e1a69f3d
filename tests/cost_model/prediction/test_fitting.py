"""Models find a law that is there, and their errors are those of points that they never saw."""

from dataclasses import replace

import numpy as np
import pytest

from multipede.cost_model.prediction.fitting import calibrated, fitted
from multipede.cost_model.prediction.models import quantities
from tests.cost_model.prediction.made_up import ORIGIN, calibration, law, samples


@pytest.fixture(scope="module")
def exact():
    return calibration()


def test_a_law_is_found(exact):
    area, delay = exact.models["area"], exact.models["delay"]
    assert area.all_within.most < 0.005
    assert area.all_left_out.most < 0.02
    assert delay.all_within.median < 0.02
    for sample in samples()[::7]:
        told = area.told(sample.measures, sample.group)
        assert told == pytest.approx(law(sample.measures)["area"], rel=0.01)


def test_errors_are_those_of_what_was_not_seen():
    """Figures that follow no law are told wrongly by just as much as they are off."""
    noise = 0.2
    found = calibration(noise).models["area"]
    # Two thirds of normal deviates are within about one deviation, 95 % within two.
    assert 0.7 * noise < found.all_within.two_thirds < 1.7 * noise
    assert 1.5 * noise < found.all_within.most < 3.5 * noise
    assert found.all_within.points == len(samples())


def test_a_family_that_is_unlike_all_others_shows():
    """Its errors with all of it left out, not those within it."""
    unlike = [
        replace(s, figures={"area": s.figures["area"] * (3 if s.group[0] == "bitmod" else 1)})
        for s in samples()
    ]
    (area, *_) = quantities("n28")
    found = fitted(unlike, area, "um2")
    assert found.left_out["bitmod"].median > 0.4
    assert found.within["bitmod_exponent_match"].median < 0.07
    assert found.left_out["lmul"].points == sum(s.group[0] == "lmul" for s in samples())


def test_a_law_that_breaks_beyond_a_size_shows(exact):
    """In the errors of larger points, of which the model has seen smaller ones only."""
    (area, *_) = quantities("n28")
    given = samples()
    gates = {s.group: [] for s in given}
    for sample in given:
        gates[sample.group].append(sample.measures.gates)
    middle = {group: np.median(each) for group, each in gates.items()}

    def broken(sample):
        factor = 1.5 if sample.measures.gates > middle[sample.group] else 1.0
        return replace(sample, figures={"area": factor * sample.figures["area"]})

    model = fitted([broken(sample) for sample in given], area, "um2")
    assert {name: one.points for name, one in model.larger.items()} == {
        group[1]: len(each) // 2 for group, each in gates.items() if len(each) > 1
    }
    assert all(0.25 < one.median < 0.4 for one in model.larger.values())
    found = model.all_larger
    assert found.points == sum(len(each) // 2 for each in gates.values())
    # What is half as much again is told a third too low.
    assert 0.3 < found.median < 0.35
    assert exact.models["area"].all_larger.most < 0.02


def test_larger_points_where_each_unit_has_one():
    """Half of all of them."""
    (area, *_) = quantities("n28")
    seen = {}
    for sample in samples():
        seen.setdefault(sample.group, sample)
    found = fitted(list(seen.values()), area, "um2")
    assert found.all_larger.points == len(seen) // 2


def test_what_was_seen_of_a_unit(exact):
    known = exact.units["lmul"]
    mine = [s.measures for s in samples() if s.group == ("lmul", "lmul")]
    assert (known.family, known.points) == ("lmul", len(mine))
    widest = max(measured.shape["output bits"] for measured in mine)
    assert known.ranges["output bits"][1] == widest
    assert known.outside(mine[0]) == []
    larger = replace(mine[0], shape={**mine[0].shape, "output bits": widest + 1})
    assert known.outside(larger) == [f"output bits {widest + 1:g} (4 to {widest:g})"]


def test_the_same_from_the_same(exact):
    again = calibration()
    assert again.to_dict() == exact.to_dict()


def test_too_few_points():
    one = [s for s in samples() if s.group[0] == "lmul"]
    with pytest.raises(ValueError, match="of 1 families: at least 10 of two are needed"):
        calibrated(one, quantities("n28"), ORIGIN)


def test_a_figure_that_some_points_lack():
    """As look-up tables of what is wires: it is no error."""
    (area, *_) = quantities("n28")
    given = samples()
    lacking = [replace(s, figures={"area": 0.0}) if i % 5 == 0 else s for i, s in enumerate(given)]
    found = fitted(lacking, area, "um2")
    assert found.all_within.points == len(given) - len(given[::5])
    assert np.isfinite(found.all_within.worst)


def test_a_figure_of_one_family():
    """As DSP blocks: units of it are left out in turn, and other units have none."""
    area, *_ = quantities("n28")
    some = [
        replace(s, figures={**s.figures, "area": s.figures["area"] * (s.group[0] == "bitmod")})
        for s in samples()
    ]
    found = calibrated(some, [area], ORIGIN)
    names = {s.group[1] for s in some if s.group[0] == "bitmod"}
    assert set(found.models["area"].left_out) == names
    assert found.error("area", "bitmod_exponent_match", outside=True) > 0
    assert (
        found.error("area", "lmul", outside=False) == found.models["area"].all_left_out.two_thirds
    )
    alone = [
        replace(s, figures={**s.figures, "area": s.figures["area"] * (s.group[1] == "lmul")})
        for s in samples()
    ]
    assert calibrated(alone, [area], ORIGIN).models == {}
