"""Headline figures: all that are published stand there, ours beside them or "missing"."""

import json

import pytest

from multipede import cli
from multipede.cost_model.reproduction import headlines as module
from multipede.cost_model.reproduction.headlines import PAPERS, headlines, published_headlines

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


@pytest.fixture
def quick(monkeypatch):
    """Experiments that take no time and give twice what is published, but for one."""

    def doubled(paper):
        rows = [row for row in published_headlines(paper) if "ours" in row]
        return {row["ours"]: 2 * row["published"] for row in rows[1:]}

    found = {paper: lambda paper=paper: doubled(paper) for paper in PAPERS}
    monkeypatch.setattr(module, "_EXPERIMENTS", found)


def test_side_by_side(quick):
    found = headlines("lut_tensor_core")
    first, second, *_, last = found.rows
    # The first has no figure this time, the last no experiment at all.
    assert first.ours is None
    assert second.ratio == pytest.approx(2.0)
    assert last.ours is None
    missing = [error for error in found.errors if error.startswith("missing: ")]
    assert missing == [f"missing: {first.what}", f"missing: {last.what}"]
    assert "missing" in str(found)
    assert f"{last.what}: {last.differs}" in str(found)


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
