"""Predictions: figures with error bars, and word of what the calibration has not seen."""

import json
from dataclasses import replace

import pytest

from multipede.cost_model.predict import predict
from multipede.cost_model.prediction.calibration import Calibration, read_calibration
from multipede.cost_model.prediction.measures import measures
from multipede.golden.formats import BF16, FP16
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.golden.lmul import LMul
from multipede.golden.mixpe import MixPE
from multipede.hw import Style
from multipede.toolchain.cost import CostMethod
from tests.cost_model.prediction.made_up import calibration, law


@pytest.fixture(scope="module")
def exact():
    return calibration()


def by_quantity(found):
    return {cost.quantity: cost for cost in found.costs}


def test_a_unit_that_was_seen(exact):
    found = predict(LMul(format=BF16), calibration=exact)
    costs = by_quantity(found)
    assert list(costs) == ["area", "delay", "energy_per_record", "energy_per_multiply"]
    wanted = law(measures(LMul(format=BF16), Style.CELLS))
    assert costs["area"].value == pytest.approx(wanted["area"], rel=0.01)
    assert costs["area"].unit == "um2"
    assert costs["area"].method is CostMethod.PREDICTED
    assert costs["area"].relative_error == exact.models["area"].within["lmul"].two_thirds
    assert costs["area"].source.startswith(f"by a model fitted to {found.seen} points of this unit")
    assert costs["area"].tools == {"law": "1"}
    assert found.outside == []


def test_a_unit_outside_of_what_was_seen(exact):
    """It says so, and the error is that of a family of which nothing was seen."""
    rough = _with_errors(exact, left_out=0.4)
    found = predict(IntegerMultiplier(stages=9), calibration=rough)
    assert found.outside[0] == "latency 9 (0 to 3)"
    cost = by_quantity(found)["area"]
    assert cost.relative_error == 0.4
    assert "outside of them" in cost.source
    assert "with errors of what was left out of it: latency 9 (0 to 3), " in str(found)
    rougher = _with_errors(exact, left_out=0.4, larger=0.5)
    found = predict(IntegerMultiplier(stages=9), calibration=rougher)
    assert by_quantity(found)["area"].relative_error == 0.5
    assert by_quantity(predict(LMul(), calibration=rougher))["area"].relative_error < 0.4


def test_a_unit_of_which_little_was_seen(exact):
    """Its own errors tell nothing then: those of a family of which nothing was seen may be."""
    rough = _with_errors(exact, left_out=0.4, larger=0.5)
    assert rough.models["area"].within["lmul"].points >= 10
    errors = replace(rough.models["area"].within["lmul"], points=9)
    model = replace(rough.models["area"], within={**rough.models["area"].within, "lmul": errors})
    few = replace(rough, models={**rough.models, "area": model})
    assert by_quantity(predict(LMul(), calibration=rough))["area"].relative_error < 0.4
    assert by_quantity(predict(LMul(), calibration=few))["area"].relative_error == 0.4


def test_what_95_percent_are_within(exact):
    found = predict(LMul(), calibration=exact)
    assert found.most["area"] == exact.models["area"].within["lmul"].most
    assert found.most["energy_per_multiply"] == found.most["energy_per_record"]
    assert f"%, {100 * found.most['area']:.0f} %" in str(found)
    assert found.to_dict()["most"] == found.most


def test_a_unit_that_was_never_seen(exact):
    rough = _with_errors(exact, left_out=0.4)
    found = predict(MixPE(rows=1, columns=1, lanes=4), calibration=rough)
    assert found.seen == 0
    wanted = law(measures(MixPE(rows=1, columns=1, lanes=4), Style.CELLS))
    assert by_quantity(found)["area"].value == pytest.approx(wanted["area"], rel=0.05)
    assert by_quantity(found)["area"].relative_error == 0.4
    assert "has seen no unit of this kind" in str(found)


@pytest.mark.parametrize("which", ["within", "left_out", "all_larger", "larger"])
def test_an_error_bar_outside_is_the_largest_of_four(exact, which):
    errors = dict.fromkeys(["within", "left_out", "all_larger", "larger"], 0.1)
    rough = _with_errors(exact, **{**errors, which: 0.5})
    assert rough.error("area", "integer_multiplier", outside=True) == 0.5
    inside = rough.error("area", "lmul", outside=False)
    assert inside == (0.5 if which == "within" else 0.1)
    unseen = rough.error("area", "mixpe", outside=False)
    assert unseen == (0.5 if which in ("left_out", "all_larger") else 0.1)


def _with_errors(made, left_out, larger=0.0, all_larger=None, within=None):
    """What two thirds of points are within, of all units the same; of those within their own, left
    as it is if not given."""

    def each(errors, two_thirds):
        return {name: replace(one, two_thirds=two_thirds) for name, one in errors.items()}

    whole = larger if all_larger is None else all_larger
    models = {
        name: replace(
            model,
            within=model.within if within is None else each(model.within, within),
            left_out=each(model.left_out, left_out),
            larger=each(model.larger, larger),
            all_left_out=replace(model.all_left_out, two_thirds=left_out),
            all_larger=replace(model.all_larger, two_thirds=whole),
        )
        for name, model in made.models.items()
    }
    return replace(made, models=models)


def test_energies_of_what_a_record_is_worth(exact):
    tile = MixPE(rows=2, columns=2, lanes=4)
    costs = by_quantity(predict(tile, calibration=exact))
    per_record = costs["energy_per_record"].value
    assert costs["energy_per_multiply_accumulate"].value == pytest.approx(per_record / 16)


def test_through_a_file(exact, tmp_path):
    path = tmp_path / "made.json"
    path.write_text(json.dumps(exact.to_dict()))
    read = read_calibration(path)
    assert read.to_dict() == exact.to_dict()
    spec = LMul(format=FP16)
    for one, other in zip(
        predict(spec, calibration=read).costs, predict(spec, calibration=exact).costs, strict=True
    ):
        assert one.value == pytest.approx(other.value, rel=1e-4)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 9}, "its version is 9, ours 2: 'multipede calibrate made up --refit -o FILE'"),
        ({"figures": {"area": {}}}, "it lacks 'coefficients'"),
        ({"units": []}, "items"),
    ],
)
def test_files_that_are_none(exact, tmp_path, change, said):
    path = tmp_path / "made.json"
    path.write_text(json.dumps(exact.to_dict() | change))
    with pytest.raises(ValueError, match=rf"made\.json is no calibration: .*{said}"):
        read_calibration(path)
    path.write_text("{")
    with pytest.raises(ValueError, match="is no calibration"):
        read_calibration(path)


def test_features_of_another_version(exact):
    description = exact.to_dict()
    description["figures"]["area"]["features"][0] = "magic"
    with pytest.raises(ValueError, match="its features magic are not known"):
        Calibration.from_dict(description)


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ((LMul(), "n27"), ValueError, r"target = 'n27': predictions are for .*multipede calibrate"),
        ((LMul(), 3), TypeError, "target"),
        (("lmul",), TypeError, "spec"),
    ],
)
def test_bad_input(given, error, said):
    with pytest.raises(error, match=said):
        predict(*given)
