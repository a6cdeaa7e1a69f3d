"""Headline figures: all that are published stand there, ours beside them or "missing"."""

import json
import tomllib
from pathlib import Path

import pytest

from multipede import cli
from multipede.cost_model.reproduction import headlines as module
from multipede.cost_model.reproduction import quadinr_costs, quadinr_images
from multipede.cost_model.reproduction.headlines import PAPERS, headlines, published_headlines
from multipede.cost_model.reproduction.pipelined import Pipelined
from multipede.cost_model.reproduction.quadinr_costs import QuadINRCosts

KEYS = {"what", "published", "unit", "source", "differs"}


@pytest.mark.parametrize("paper", PAPERS)
def test_published_figures_have_sources(paper):
    rows = published_headlines(paper)
    assert len(rows) >= 2
    for row in rows:
        assert set(row) - {"ours"} == KEYS
        assert row["published"] > 0
        assert "arXiv" in row["source"] or "/" in row["source"]
        assert row["differs"].endswith(".")
    assert len({row["what"] for row in rows}) == len(rows)


def test_they_are_those_of_the_papers_own_tables():
    """What is also in the table of an experiment is the same there."""

    def table(paper):
        return tomllib.loads((Path(module.__file__).with_name(f"{paper}.toml")).read_text())

    found = {
        (paper, row["ours"]): row["published"]
        for paper in PAPERS
        for row in published_headlines(paper)
        if "ours" in row
    }
    claim, steps = table("mixpe")["claim"], table("lut_tensor_core")["ablation"]
    quadinr, lmul, bitmod = table("quadinr"), table("lmul"), table("bitmod")
    lossless, lossy, *_ = bitmod["published"].values()
    over = f"{bitmod['over']['array']}, mean of both, over "
    wanted = {
        ("mixpe", "speed"): claim["speed"],
        ("mixpe", "energy"): claim["energy"],
        ("lut_tensor_core", "intensity"): steps[0]["area"] / steps[-1]["area"],
        ("lut_tensor_core", "power"): steps[0]["power"] / steps[-1]["power"],
        ("quadinr", "area"): quadinr["area"],
        ("quadinr", "power"): quadinr["dynamic_power"],
        ("quadinr", "saving"): quadinr["saving"],
        ("quadinr", "latency_saving"): quadinr["latency_saving"],
        ("quadinr", "gain"): quadinr["psnr_gain"],
        ("lmul", "multiplier"): lmul["element_wise"]["saving"],
        ("lmul", "dot_product"): lmul["dot_product"]["saving"],
        **{("bitmod", over + rival): speed for rival, speed in bitmod["over"]["speed"].items()},
    }
    for key, figure in wanted.items():
        assert found[key] == pytest.approx(figure, abs=0.0006), key
    shares = [row["published"] for row in published_headlines("bitmod")[:3]]
    assert shares == [
        lossless["generation"]["speed"],
        lossy["generation"]["speed"],
        lossy["generation"]["energy"],
    ]


@pytest.fixture
def quick(monkeypatch):
    """Experiments that take no time and give twice what is published, but for one."""

    def doubled(paper):
        rows = [row for row in published_headlines(paper) if "ours" in row]
        return {row["ours"]: 2 * row["published"] for row in rows[1:]}

    found = {paper: lambda paper=paper: doubled(paper) for paper in PAPERS}
    monkeypatch.setattr(module, "_EXPERIMENTS", found)


def test_side_by_side(quick, monkeypatch):
    rows = published_headlines("bitmod")
    without = {**rows[-1], "what": "a speed", "differs": "We have no such unit."}
    del without["ours"]
    monkeypatch.setattr(module, "published_headlines", lambda _: [*rows, without])
    found = headlines("bitmod")
    first, second, *_, last = found.rows
    # The first has no figure this time, the last no experiment at all.
    assert first.ours is None
    assert second.ratio == pytest.approx(2.0)
    assert last.ours is None
    missing = [error for error in found.errors if error.startswith("missing: ")]
    assert missing == [f"missing: {first.what}", f"missing: {last.what}"]
    assert "missing" in str(found)
    assert f"{last.what}: {last.differs}" in str(found)


@pytest.mark.parametrize("failed", [("QuadINR, faithful",), ("SIREN sine", "FINER"), ()])
def test_a_rival_never_stands_for_quadinr(monkeypatch, failed):
    """What failed is missing."""
    rows = [
        Pipelined(
            label, stages=2, area=area, delay=1.0, holds_clock=True, energy=3.0,
            error="it crashed" if label in failed else None,
        )
        for label, area in (("QuadINR, faithful", 100.0), ("SIREN sine", 400.0), ("FINER", 200.0))
    ]  # fmt: skip

    class Pictures:
        rows = ()

    monkeypatch.setattr(
        quadinr_costs, "quadinr_costs", lambda *a, **o: QuadINRCosts("", 1.5, {16: tuple(rows)}, ())
    )
    monkeypatch.setattr(quadinr_images, "images", Pictures)
    found = {row.what: row.ours for row in headlines("quadinr").rows}
    area, _, saving, *_ = found.values()
    assert area == (None if "QuadINR, faithful" in failed else 100.0)
    assert saving == (None if failed else 0.75)


def test_from_the_command_line(quick, capsys):
    assert cli.main(["reproduce"]) == 0
    out = capsys.readouterr().out
    for paper in PAPERS:
        assert f"headline figures of {paper}\n" in out
    assert cli.main(["reproduce", "mixpe", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["title"] == "headline figures of mixpe"
    assert document["rows"][1]["ratio"] == pytest.approx(2.0)
    assert cli.main(["reproduce", "mixpe", "--batch", "2"]) == 2
    assert "--batch has a meaning for workloads only" in capsys.readouterr().err


def test_other_papers():
    with pytest.raises(ValueError, match="paper = 'bitfusion': allowed are mixpe, "):
        headlines("bitfusion")


@pytest.mark.regress
@pytest.mark.parametrize("paper", PAPERS)
def test_experiments_have_what_they_are_asked_for(paper):
    found = headlines(paper)
    wanted = [row["what"] for row in published_headlines(paper) if "ours" in row]
    assert [row.what for row in found.rows if row.ours is not None] == wanted
