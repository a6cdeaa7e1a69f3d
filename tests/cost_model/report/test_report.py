"""The page of a file of results: whole in itself, and everything on it."""

import json
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from multipede import cli
from multipede.cost_model.report.report import report
from multipede.cost_model.reproduction.headlines import PAPERS, published_headlines
from multipede.cost_model.sweeps.store import Store, StoreError
from multipede.golden.catalogue import unit_names
from multipede.golden.lmul import LMul
from multipede.golden.mixpe import MixPE
from tests.cost_model.sweeps.test_frame import answer

VOID = {"meta", "br", "path", "use", "rect", "circle", "image"}


class Page(HTMLParser):
    """Tags that are open, texts by the tag around, and what refers to elsewhere."""

    def __init__(self, text):
        super().__init__()
        self.open, self.texts, self.outside, self.ids, self.links = [], {}, [], set(), set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name == "id":
                self.ids.add(value)
            if name in ("src", "href", "xlink:href") and value:
                if value.startswith("#"):
                    self.links.add(value[1:])
                else:
                    self.outside.append(value)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        if self.open and text.strip():
            self.texts.setdefault(self.open[-1], []).append(text.strip())


@pytest.fixture
def results(tmp_path):
    path = tmp_path / "r.sqlite"
    tiles = [MixPE(rows=1, columns=c, lanes=4) for c in (1, 2, 4)]
    answers = [
        answer(tile, "n28", area=100.0 * tile.columns + 50, delay=500.0 + 10 * tile.columns)
        for tile in tiles
    ]
    answers += [answer(LMul(), "ecp5", lut=48), answer(tiles[0], "ecp5", error="no <tool> for it")]
    with Store(path) as store:
        store.add_all(replace(one, key=f"k{n}") for n, one in enumerate(answers))
    return path


def test_everything_is_on_the_page(results):
    page = Page(report(results, title="Tiles & <more>"))
    assert page.open == []
    assert page.outside == []
    assert page.links <= page.ids
    assert page.texts["title"] == ["Tiles & <more>"]
    headings = page.texts["h3"]
    for heading in ("mixpe on n28", "lmul on ecp5", "mixpe on ecp5"):
        assert heading in headings
    texts = " ".join(text for found in page.texts.values() for text in found)
    assert "4 points of 2 units in r.sqlite" in texts
    assert "1 failed, as: no <tool> for it" in texts
    assert "a test" in page.texts["li"]
    # The three tiles, each of which is larger and slower than the one before and yet does more.
    assert "450" in page.texts["td"]
    for name in unit_names():
        assert name in page.texts["b"]
    for paper in PAPERS:
        for row in published_headlines(paper):
            assert row["what"] in page.texts["td"]
    assert "missing" in page.texts["td"]


def test_figures_of_ours_beside_the_published(results, tmp_path):
    row = {
        "what": "a speed", "published": 2.0, "ours": 3.0, "ratio": 1.5, "unit": "times",
        "differs": "All of it.", "source": "a paper",
    }  # fmt: skip
    file = tmp_path / "ours.json"
    file.write_text(json.dumps([{"title": "headline figures of it", "rows": [row]}]))
    page = Page(report(results, reproduction=file))
    for text in ("a speed", "2", "3", "1.5", "All of it.", "a paper"):
        assert text in page.texts["td"]
    assert "headline figures of it" in page.texts["h3"]
    wrongs = ("{", "3", '[{"title": "a", "rows": [{"what": 1}]}]', '{"rows": []}')
    for wrong in (*wrongs, '{"rows": [], "title": 3}'):
        file.write_text(wrong)
        with pytest.raises(ValueError, match="holds no headline figures of"):
            report(results, reproduction=file)


def test_the_best_come_first_and_what_is_the_same_is_told(tmp_path):
    points = [(1, 100.0, 500.0), (2, 300.0, 500.0), (4, 420.0, 500.0)]
    with Store(tmp_path / "r.sqlite") as store:
        for columns, area, delay in points:
            tile = MixPE(rows=3, columns=columns, lanes=4)
            one = answer(tile, "n28", area=area, delay=delay)
            store.add(replace(one, key=str(columns)))
        predicted = answer(MixPE(rows=3), "n28", area=777.0)
        costs = [replace(cost, relative_error=0.12) for cost in predicted.costs]
        options = {"predicted": "of a file"}
        store.add(replace(predicted, key="p", costs=tuple(costs), options=options))
    text = report(tmp_path / "r.sqlite")
    page = Page(text)
    assert any("rows 3, lanes 4" in told for told in page.texts["p"])
    assert text.count('<tr class="best">') == 2 + 1  # of what is measured, and what is predicted
    assert "777 ± 12 %" in page.texts["td"]
    # By another goal, which both have, the smallest alone is best.
    text = report(tmp_path / "r.sqlite", minimise=["n28.area"])
    assert text.count('<tr class="best">') == 1 + 1
    assert "None is better than 1 point of them in n28.area" in text
    with pytest.raises(ValueError, match=r"'n28.aera' is no figure: there are n28.area"):
        report(tmp_path / "r.sqlite", maximise=["n28.aera"])


def test_other_questions_stand_apart(tmp_path):
    """Of two clocks none is better than the other: each has its own front."""
    with Store(tmp_path / "r.sqlite") as store:
        for period, area in ((3.0, 5.0), (0.25, 9.0)):
            one = answer(LMul(), "n28", area=area, delay=1000 * period)
            options = {"constraints": {"clock_period": period}}
            store.add(replace(one, key=str(period), options=options))
    page = Page(report(tmp_path / "r.sqlite"))
    for period in ("3.0", "0.25"):
        assert any(f"clock period {period}" in heading for heading in page.texts["h3"])


def test_no_results(tmp_path):
    with Store(tmp_path / "r.sqlite"):
        pass
    page = Page(report(tmp_path / "r.sqlite"))
    assert "There are no results." in page.texts["p"]
    with pytest.raises(StoreError, match="no such file"):
        report(tmp_path / "none.sqlite")


def test_from_the_command_line(results, tmp_path, capsys):
    output = tmp_path / "page.html"
    assert cli.main(["report", str(results), "-o", str(output)]) == 0
    assert capsys.readouterr().out == f"written: {output}\n"
    assert output.read_text().startswith("<!doctype html>")
    before = output.read_text()
    bad = tmp_path / "bad.sqlite"
    bad.write_text("no results")
    assert cli.main(["report", str(bad), "-o", str(output)]) == 2
    assert "no file of results" in capsys.readouterr().err
    assert output.read_text() == before
    for words, said in (
        ([str(results), "-o", str(tmp_path / "a.pdf")], "ends in .html"),
        ([str(results), "-o", str(tmp_path / "no" / "a.html")], "there is no directory"),
    ):
        assert cli.main(["report", *words]) == 2
        assert said in capsys.readouterr().err
