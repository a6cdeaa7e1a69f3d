"""What is known of units: taken down by commands, shown by list, and never more than was found."""

import json
from dataclasses import replace

import pytest

from multipede.cli import main
from multipede.cost_model import evidence
from multipede.cost_model.evidence import (
    Kind,
    bundled,
    keep,
    kept,
    of_report,
    of_synthesis,
    standing,
    summaries,
)
from multipede.golden.catalogue import unit_names
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.golden.mixpe import MixPE
from multipede.golden.stallable import Stallable
from multipede.hw import Style
from multipede.sim.verify import verify

pytestmark = pytest.mark.evidence
SPEC = IntegerMultiplier()


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """A directory for what is taken down."""
    monkeypatch.setattr(evidence, "_directory", lambda: tmp_path)
    monkeypatch.setattr(evidence, "BUNDLED", tmp_path / "bundled" / "none.json")
    return tmp_path


def finding(kind=Kind.SAMPLED, *, spec=SPEC, passed=True, summary="12 records"):
    return evidence.evidence(spec, kind, passed=passed, summary=summary)


def test_a_verification_says_what_was_sampled_and_what_was_exhaustive():
    report = verify(SPEC, styles=[Style.WORD, Style.CELLS], records=100)
    sampled, exhaustive = of_report(report)
    assert (sampled.kind, exhaustive.kind) == ("sampled", "exhaustive")
    assert sampled.summary == f"{report.records:,} records, 2 styles"
    assert exhaustive.summary == "65,536 combinations"
    assert sampled.passed
    assert sampled.is_current


def test_a_failed_verification_is_taken_down_as_failed():
    report = verify(SPEC, styles=[Style.WORD], records=100)
    few = replace(report, checks=tuple(replace(c, results=0) for c in report.checks))
    assert not any(found.passed for found in of_report(few))


def test_what_a_unit_with_ready_shows_belongs_to_the_unit_inside():
    assert finding(spec=Stallable(inside=SPEC)).unit == "integer_multiplier"
    (made,) = of_synthesis(MixPE(), ["gates", "ecp5"])
    assert (made.unit, made.summary) == ("mixpe", "gates, ecp5")


def test_it_is_kept_once_for_each_specification_and_kind():
    keep([finding(summary="old"), finding(Kind.PROVED), finding(spec=MixPE())])
    keep([finding(summary="new")])
    found = {(f.unit, f.kind): f.summary for f in kept()}
    assert found == {
        ("integer_multiplier", "sampled"): "new",
        ("integer_multiplier", "proved"): "12 records",
        ("mixpe", "sampled"): "12 records",
    }


def test_damaged_files_count_for_nothing(place):
    keep([finding()])
    (place / "integer_multiplier-broken.json").write_text("{")
    (place / "integer_multiplier-other.json").write_text('{"unit": "x"}')
    assert len(kept()) == 1


def test_evidence_of_other_code_says_so():
    old = replace(finding(), identity="of other code", date="2025-01-01")
    assert not old.is_current
    assert summaries("integer_multiplier", [old]) == ["sampled: 12 records, older code, 2025-01-01"]
    unknown = replace(finding(), specification={"unit": "gone", "parameters": {}})
    assert not unknown.is_current


def test_present_code_counts_before_older_and_failures_before_passes():
    old = replace(finding(summary="old"), identity="of other code", date="2099-01-01")
    now = finding(summary="now")
    wrong = finding(passed=False, summary="wrong")
    assert standing("integer_multiplier", [old, now])["sampled"].summary == "now"
    assert standing("integer_multiplier", [wrong, now, old])["sampled"].summary == "wrong"
    assert summaries("integer_multiplier", [wrong]) == ["sampled: wrong, FAILED"]
    assert standing("mixpe", [now]) == {}


def test_kinds_are_shown_in_order():
    findings = [finding(kind) for kind in reversed(Kind)]
    assert list(standing("integer_multiplier", findings)) == [kind.value for kind in Kind]


def test_commands_take_it_down_and_list_shows_it(capsys):
    assert main(["verify", "integer_multiplier", "--records", "50", "--style", "word"]) == 0
    assert main(["list"]) == 0
    shown = capsys.readouterr().out
    assert "exhaustive: 65,536 combinations" in shown
    assert main(["list", "--json"]) == 0
    rows = {row["unit"]: row for row in json.loads(capsys.readouterr().out)}
    assert set(rows) == set(unit_names())
    assert rows["integer_multiplier"]["evidence"]["sampled"]["passed"] is True
    assert rows["mixpe"]["evidence"] == {}


def test_what_comes_with_the_package_is_read(place, monkeypatch):
    file = place / "evidence.json"
    file.write_text(json.dumps([vars(finding())]))
    monkeypatch.setattr(evidence, "BUNDLED", file)
    assert bundled() == [finding()]


def test_unknown_reports_are_refused():
    with pytest.raises(TypeError, match="no evidence is known to follow from str"):
        of_report("a report")
