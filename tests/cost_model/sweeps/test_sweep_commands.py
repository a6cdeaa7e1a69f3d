"""Sweeps from the command line."""

import json
from dataclasses import replace

import pandas
import pytest

from multipede import cli
from multipede.cost_model.sweeps.question import Question
from multipede.cost_model.sweeps.results import read_results
from multipede.cost_model.sweeps.store import Store
from multipede.toolchain import ToolError
from tests.cost_model.sweeps.test_store import answer


@pytest.fixture
def space(tmp_path):
    path = tmp_path / "space.toml"
    path.write_text(
        "[[space]]\nunit = 'integer_multiplier'\n[space.parameters]\na = ['int4', 'int5']"
    )
    return path


def run(capsys, *words):
    status = cli.main([str(word) for word in words])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_sweep_and_its_results(capsys, tmp_path, space, ending):
    table, store = tmp_path / f"table.{ending}", tmp_path / "r.sqlite"
    asked = ["sweep", space, "--target", "gates", "--store", store, "-o", table, "--workers", "1"]
    status, out, _ = run(capsys, *asked, "--minimise", "gates.area")
    assert status == 0
    assert out.startswith("2 points; none is better than these 1:\n")
    # The front, of one point here, its parameters that are the same for all left out.
    assert "int4" in out
    assert "int5" not in out
    assert "gates.area, NAND2" in out
    assert "partial_products" not in out
    read = pandas.read_csv if ending == "csv" else pandas.read_parquet
    assert read(table)["a"].tolist() == ["int4", "int5"]
    status, out, _ = run(capsys, "results", store, "--json")
    document = json.loads(out)
    assert [row["a"] for row in document["rows"]] in (["int4", "int5"], ["int5", "int4"])
    assert document["units"]["gates.area"] == "NAND2"
    status, out, err = run(capsys, "results", store, "--unit", "lmul")
    assert (status, out) == (2, "")
    assert "unit = 'lmul'" in err
    assert "has integer_multiplier" in err


def test_units_around_others(capsys, tmp_path):
    space, store = tmp_path / "space.toml", tmp_path / "r.sqlite"
    space.write_text("[[space]]\nunit = 'stallable'")
    table = tmp_path / "t.csv"
    asked = ["sweep", space, "--measure", "none", "--store", store, "-o", table]
    assert run(capsys, *asked, "--workers", "1")[0] == 0
    assert len(pandas.read_csv(table)) == 1
    assert run(capsys, "results", store, "--json")[0] == 0


def test_a_goal_that_is_no_figure_is_told_with_the_first_point(capsys, tmp_path, space):
    store, goal = tmp_path / "r.sqlite", "gates.aera"
    asked = ["sweep", space, "--target", "gates", "--store", store, "--workers", "1"]
    status, _, err = run(capsys, *asked, "--measure", "all", "--minimise", goal)
    assert status == 2
    assert "'gates.aera' is no figure: there are gates.area" in err
    with Store(store) as file:
        assert len(file.all()) == 1


def test_a_sweep_in_which_all_failed(capsys, space, monkeypatch):
    def fails(question, spec):
        raise ToolError("there is no tool")

    monkeypatch.setattr(Question, "costs", fails)  # in workers, too, which are forked
    asked = ["sweep", space, "--target", "gates", "--workers", "1"]
    status, out, _ = run(capsys, *asked)
    assert status == 3
    assert "2 points, 2 answers failed" in out


def test_points_that_were_only_predicted_have_not_failed(capsys, tmp_path, space):
    """A goal is told by the name that it was given, predicted or not."""
    store = tmp_path / "r.sqlite"
    asked = ["sweep", space, "--store", store, "--workers", "1", "--minimise"]
    status, out, _ = run(capsys, *asked, "n28.area")
    assert status == 0
    assert out.startswith("2 points; none is better than these 1:\n")
    assert "+-" in out
    assert ".error" not in out
    assert run(capsys, "results", store)[1].startswith("2 points\n")
    frame = read_results(store)
    assert frame["n28.area"].notna().sum() == 1
    assert frame["n28.predicted.outside"].notna().all()
    assert "'n28.aera' is no figure: there are n28.area" in run(capsys, *asked, "n28.aera")[2]


def test_combinations_that_are_no_points_are_counted(capsys, tmp_path):
    space = tmp_path / "space.toml"
    space.write_text("[[space]]\nunit = 'mixpe'\n[space.parameters]\nrows = [0, 1, 999]")
    status, out, _ = run(capsys, "sweep", space, "--measure", "none", "--workers", "1")
    assert status == 0
    assert out.startswith(
        "1 points of 3 combinations; the others are no points, the first of them: rows = 0: allowed"
    )
    status, out, _ = run(capsys, "sweep", space, "--measure", "none", "--points", "1")
    assert out.startswith("1 points of 3 combinations; the others are no points or were not asked")


def test_files_without_a_point_in_common(capsys, tmp_path):
    for name in ("one", "other"):
        with Store(tmp_path / f"{name}.sqlite") as store:
            store.add(replace(answer("k"), fingerprint=name))
    files = [tmp_path / "one.sqlite", "--compare", tmp_path / "other.sqlite"]
    status, _, err = run(capsys, "results", *files)
    assert status == 2
    assert "have no point in common" in err
    assert "--compare makes none" in run(capsys, "results", *files, "-o", tmp_path / "x.csv")[2]


def test_two_files_compared(capsys, tmp_path):
    for name, value in (("old", 12.5), ("new", 13.5)):
        with Store(tmp_path / f"{name}.sqlite") as store:
            store.add(answer("k", value))
    old, new = tmp_path / "old.sqlite", tmp_path / "new.sqlite"
    status, out, _ = run(capsys, "results", old, "--compare", new)
    assert status == 1
    assert "2 figures compared: 2 larger, 0 smaller" in out
    assert run(capsys, "results", new, "--compare", old)[0] == 0
    assert run(capsys, "results", old, "--compare", new, "--tolerance", "0.1")[0] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["sweep", "nowhere.toml"], "nowhere.toml is no design space"),
        (["sweep", "SPACE", "--target", "n27"], "n27"),
        (["sweep", "SPACE", "-o", "x.xls"], "a name that ends in .csv or .parquet"),
        (["sweep", "SPACE", "-o", "nowhere/x.csv"], "there is no directory nowhere"),
        (["sweep", "SPACE", "-o", "DIR.csv"], "DIR.csv: this is a directory"),
        (["sweep", "SPACE", "-o", "/proc/x.csv"], "--output /proc/x.csv: /proc: "),
        (["sweep", "SPACE", "--target", "gates", "--liberty", "SPACE"], "space.toml"),
        (["sweep", "SPACE", "--search", "tpe"], "points are needed"),
        (["sweep", "SPACE", "--scheduler", "nobody"], "no Dask scheduler answers there"),
        (["sweep", "SPACE", "--seconds", "0"], "seconds = 0"),
        (["sweep", "SPACE", "--store", "SPACE"], "it is no file of results, or damaged"),
        (["results", "nowhere.sqlite"], "nowhere.sqlite: there is no such file"),
        (["results", "SPACE"], "it is no file of results, or damaged"),
    ],
)
def test_bad_input(capsys, space, words, said):
    before = space.read_bytes()
    directory = space.with_name("DIR.csv")
    directory.mkdir()
    named = {"SPACE": space, "DIR.csv": directory}
    status, out, err = run(capsys, *(named.get(word, word) for word in words))
    assert (status, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) == 1
    assert space.read_bytes() == before
