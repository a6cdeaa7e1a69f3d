"""Calibrations made of real synthesis, on few points of small units."""

import csv
import json
import re

import pytest

from multipede import cli
from multipede.cost_model.predict import predict
from multipede.cost_model.prediction import calibrate as calibrate_module
from multipede.cost_model.prediction.calibrate import calibrate, refit
from multipede.cost_model.prediction.calibration import read_calibration
from multipede.cost_model.prediction.points import read_points
from multipede.cost_model.targets import synthesize
from multipede.golden.lmul import LMul


@pytest.fixture
def families(tmp_path):
    place = tmp_path / "families"
    place.mkdir()
    (place / "products.toml").write_text(
        "[[space]]\nunit = 'integer_multiplier'\n[space.parameters]\n"
        "a = ['int3', 'int4', 'int5']\nb = ['int3', 'int4']"
    )
    (place / "logarithms.toml").write_text(
        "[[space]]\nunit = 'lmul'\n[space.parameters]\n"
        "format = ['e2m1', 'e4m3', 'e5m2']\nstages = [0, 1]"
    )
    return place


def test_of_an_fpga(families, tmp_path):
    store = tmp_path / "made.sqlite"
    made = calibrate("ice40", families=families, points=6, store=store, workers=2)
    assert len(made.points) == 14  # six each, and the defaults
    assert made.failed == []
    for point in made.points:
        assert point.figures["lut"] == synthesize(point.read(), "ice40").lut
    calibration = made.calibration
    assert set(calibration.models) == {"lut", "ff"}
    found = {cost.quantity: cost for cost in predict(LMul(), calibration=calibration).costs}
    assert found["ff"].value == pytest.approx(synthesize(LMul(), "ice40").ff, rel=0.05)
    assert found["lut"].unit == "LUT4"
    assert "ice40" in found["lut"].source
    table = str(made)
    assert "ice40: 14 points of 2 units; calibrated on units synthesised by" in table
    assert "  the worst: " in table
    assert "  logarithms" in table
    # Of 7 points of each unit, 3.
    assert re.search(r"^larger half of each unit left out +6 ", table, re.MULTILINE)


def test_of_standard_cells_from_the_command_line(families, tmp_path, capsys):
    output, store = tmp_path / "cells.json", tmp_path / "made.sqlite"
    words = ["calibrate", "n28", "--families", families, "--points", "6", "-o", output]
    status = cli.main([str(word) for word in [*words, "--store", store, "--workers", "2"]])
    out = capsys.readouterr().out
    assert status == 0
    assert f"written: {output}" in out
    made = read_calibration(output)
    assert set(made.models) == {"area", "delay", "energy_per_record"}
    points = read_points(output.with_suffix(".csv"))
    assert len(points) == 14
    with output.with_suffix(".csv").open() as table:
        first = next(csv.DictReader(table))
    spec = points[0].read()
    assert float(first["area"]) == synthesize(spec, "n28").total
    assert len(first["rtlil"]) == 64
    # Fitted anew, from the points alone, it is the same.
    before = output.read_text()
    # As it was before, which is no longer read.
    older = json.loads(before)
    for figure in older["figures"].values():
        del figure["all"]["larger half left out"]
    output.write_text(json.dumps({**older, "version": 1}))
    assert cli.main(["predict", "lmul", "--calibration", str(output)]) == 2
    assert "version is 1, ours 2: 'multipede calibrate n28 --refit" in capsys.readouterr().err
    # It may lack figures, but not be another target's.
    older["figures"].pop("delay")
    output.write_text(json.dumps(older))
    assert cli.main(["calibrate", "ecp5", "--refit", "-o", str(output)]) == 2
    assert "cells.json is of n28, allowed is n28" in capsys.readouterr().err
    assert set(refit(output, "n28").calibration.models) == {"area", "energy_per_record"}
    for name, asked in (("n28-ss_0p81v_125c", "n28-ss_0p81v_125c"), ("mine.lib", "gates")):
        output.write_text(json.dumps({**older, "target": name}))
        assert refit(output, asked).calibration.target == name
        with pytest.raises(ValueError, match=f"is of {name}, allowed is {asked}"):
            refit(output, "n28")
    for wrong, said in (({"tools": 5}, "tools"), ({"style": "loud"}, "'loud' is not a valid")):
        output.write_text(json.dumps({**older, **wrong}))
        assert cli.main(["calibrate", "n28", "--refit", "-o", str(output)]) == 2
        assert f"cells.json is no calibration: {said}" in capsys.readouterr().err
    output.write_text(before)
    assert cli.main(["calibrate", "n28", "--refit", "-o", str(output)]) == 0
    assert output.read_text() == before
    capsys.readouterr()
    words = ["predict", "integer_multiplier", "-p", "a=int4", "-p", "b=int4"]
    assert cli.main([*words, "--calibration", str(output), "--json"]) == 0
    (document,) = json.loads(capsys.readouterr().out)
    (area, *_) = document["costs"]
    assert area["method"] == "predicted"
    assert area["relative_error"] == made.error("area", "integer_multiplier", outside=False)


def test_points_that_fail(families, monkeypatch):
    """They are told, and the others count."""
    right = calibrate_module.campaign

    def spoilt(jobs, **options):
        answers = right(jobs, **options)
        question = jobs[0][1]
        return [question.answer(jobs[0][0], error="broken"), *answers[1:]]

    monkeypatch.setattr(calibrate_module, "campaign", spoilt)
    made = calibrate("ice40", families=families, points=6, workers=2)
    assert len(made.points) == 13
    assert "1 points failed, as " in str(made)
    assert made.failed[0].endswith("broken")
    monkeypatch.setattr(
        calibrate_module,
        "campaign",
        lambda jobs, **options: [question.answer(spec, error="broken") for spec, question in jobs],
    )
    with pytest.raises(ValueError, match=r"no point could be synthesised: .*broken"):
        calibrate("ice40", families=families, points=6, workers=2)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["calibrate", "n27", "-o", "{}/a.json"], "target = 'n27'"),
        (["calibrate", "n28", "-o", "{}/a.txt"], "a name that ends in .json"),
        (["calibrate", "n28", "-o", "{}/no/a.json"], "there is no directory"),
        (["calibrate", "n28", "--refit", "-o", "{}/a.json"], "a.json is no calibration"),
        (["calibrate", "n28", "--points", "0", "-o", "{}/a.json"], "points = 0"),
        (["calibrate", "gates", "-o", "{}/a.json"], "energy on gates"),
        (["predict", "lmul", "--calibration", "{}/a.json"], "a.json is no calibration"),
        (["predict", "lmul", "--target", "n28", "--target", "n28"], "'n28' is given twice"),
        (["predict", "lmul", "--target", "gates"], "target = 'gates': predictions are for"),
        (
            ["predict", "lmul", "--target", "n28", "--calibration", "{}/a.json"],
            "do not go together",
        ),
    ],
)
def test_bad_input(words, said, tmp_path, capsys):
    assert cli.main([word.format(tmp_path) for word in words]) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_tables_of_points_that_are_none(tmp_path):
    path = tmp_path / "points.csv"
    for text in ("family,unit\na,b\n", "family,unit,parameters,rtlil,area\na,b,{},,much\n"):
        path.write_text(text)
        with pytest.raises(ValueError, match="is no table of calibration points"):
            read_points(path)
