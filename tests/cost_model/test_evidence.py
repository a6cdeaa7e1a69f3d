"""What is known of units: taken down by commands, shown by list, and never more than was found."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from multipede.cli import main
from multipede.cost_model import evidence
from multipede.cost_model.evidence import Kind, bundled, keep, kept, standing, summaries
from multipede.cost_model.findings import of_report, of_synthesis
from multipede.golden.catalogue import UNITS, unit_names
from multipede.golden.formats import INT4
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.golden.mixpe import MixPE
from multipede.golden.stallable import Stallable
from multipede.hw import Style
from multipede.sim.cocotb_bench import Simulator, verify_cocotb
from multipede.sim.formal import prove
from multipede.sim.formal_report import ProofOutcome
from multipede.sim.mutation import mutate
from multipede.sim.mutation_report import MutantOutcome
from multipede.sim.verify import verify

pytestmark = pytest.mark.evidence
SPEC = IntegerMultiplier()


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """A directory for what is taken down."""
    monkeypatch.setattr(evidence, "_directory", lambda: tmp_path)
    monkeypatch.setattr(evidence, "BUNDLED", tmp_path / "bundled" / "none.json")
    return tmp_path


def finding(
    kind=Kind.SAMPLED, *, spec=SPEC, passed=True, summary="12 records", strength=12, method="word"
):
    return evidence.evidence(
        spec, kind, passed=passed, summary=summary, method=method, strength=strength
    )


def test_a_verification_says_what_was_sampled_and_what_was_exhaustive():
    report = verify(SPEC, styles=[Style.WORD, Style.CELLS], records=100)
    sampled, exhaustive = of_report(report)
    assert (sampled.kind, exhaustive.kind) == ("sampled", "exhaustive")
    assert sampled.summary == f"{report.records - 2 * 65536:,} records, word, cells"
    assert (sampled.method, sampled.strength) == ("word, cells", 200)
    assert exhaustive.summary == "65,536 combinations, cells, word"
    assert sampled.passed
    assert sampled.is_current


def test_a_failed_verification_is_taken_down_as_failed():
    report = verify(SPEC, styles=[Style.WORD], records=100)
    few = replace(report, checks=tuple(replace(c, results=0) for c in report.checks))
    assert not any(found.passed for found in of_report(few))


def test_a_proof_says_what_is_bounded_and_what_was_left_out():
    spec = IntegerMultiplier(a=INT4, b=INT4, stages=1)
    (proved,) = of_report(prove(Stallable(inside=spec), styles=[Style.WORD]))
    assert proved.passed
    assert "of them for a bounded number of clocks" in proved.summary
    assert (proved.unit, proved.strength > 1) == ("stallable", True)
    assert {"yosys"} <= set(proved.tools)
    limited = replace(proved, limits=("one", "two"))
    assert summaries("stallable", [limited]) == [
        "inside=integer_multiplier(a=int4, b=int4):",
        f"  proved: {proved.summary}; 2 left out",
    ]


def test_what_is_undecided_is_told_from_what_is_refuted():
    report = prove(IntegerMultiplier(a=INT4, b=INT4), styles=[Style.WORD])
    first, second, *rest = report.proofs
    open_ = replace(first, outcome=ProofOutcome.NOT_PROVED)
    (found,) = of_report(replace(report, proofs=(open_, second, *rest)))
    assert found.summary.startswith(f"{len(rest) + 1} of {len(rest) + 2} claims, 1 undecided")
    wrong = replace(second, outcome=ProofOutcome.REFUTED)
    (found,) = of_report(replace(report, proofs=(open_, wrong, *rest)))
    assert found.summary.startswith(
        f"{len(rest)} of {len(rest) + 2} claims, 1 REFUTED, 1 undecided"
    )
    assert not found.passed


def test_a_synthesis_names_its_targets():
    (made,) = of_synthesis(MixPE(), ["gates", "ecp5"])
    assert (made.unit, made.summary, made.strength) == ("mixpe", "gates, ecp5", 2)
    assert made.has_current_checks
    assert made.checks != finding().checks  # the code that synthesises counts, too


def test_it_is_kept_once_for_each_specification_and_kind():
    keep([finding(summary="old"), finding(Kind.PROVED), finding(spec=MixPE())])
    keep([finding(summary="new")])
    found = {(f.unit, f.kind): f.summary for f in kept()}
    assert found == {
        ("integer_multiplier", "sampled"): "new",
        ("integer_multiplier", "proved"): "12 records",
        ("mixpe", "sampled"): "12 records",
    }


def test_less_does_not_replace_more_and_hides_no_failure():
    keep([finding(strength=100, summary="more")])
    keep([finding(strength=99, summary="less")])
    assert [f.summary for f in kept()] == ["more"]
    keep([finding(strength=5, summary="wrong", passed=False)])
    keep([finding(strength=4, summary="lucky")])
    assert [f.summary for f in kept()] == ["wrong"]
    keep([finding(strength=5, summary="mended")])
    assert [f.summary for f in kept()] == ["mended"]
    keep([replace(finding(strength=1, summary="other code"), identity="other")])
    assert [f.summary for f in kept()] == ["other code"]
    keep([replace(finding(strength=0, summary="other checks"), identity="other", checks="x")])
    assert [f.summary for f in kept()] == ["other checks"]


def test_what_was_tried_otherwise_hides_no_failure():
    keep([finding(method="cells", passed=False, summary="wrong", strength=1)])
    keep([finding(method="word", strength=100)])
    assert standing("integer_multiplier", kept())["sampled"].summary == "wrong"
    report = verify_cocotb(
        IntegerMultiplier(a=INT4, b=INT4), records=20, simulator=Simulator.ICARUS
    )
    (found,) = of_report(report)
    assert (found.kind, found.method) == ("cocotb", "word, icarus")


ODD = {
    "null parameters": {"specification": {"unit": "mixpe", "parameters": None}},
    "no parameters": {"specification": {"unit": "mixpe"}},
    "time": {"time": None},
    "strength": {"strength": "12"},
    "kind": {"kind": []},
    "passed": {"passed": "no"},
    "limits": {"limits": "ab"},
}


@pytest.mark.parametrize("odd", ODD)
def test_odd_files_do_not_end_list(odd, place, capsys):
    keep([finding(), finding(Kind.PROVED)])
    entry = asdict(finding()) | ODD[odd]
    (place / "mixpe-odd.json").write_text(json.dumps(entry))
    (place / "mixpe-deep.json").write_text("[" * 100_000)
    assert main(["list"]) == 0
    assert "sampled: 12 records" in capsys.readouterr().out


def test_damaged_files_count_for_nothing(place):
    keep([finding()])
    (place / "integer_multiplier-broken.json").write_text("{")
    (place / "integer_multiplier-other.json").write_text('{"unit": "x"}')
    assert len(kept()) == 1


def test_evidence_of_other_code_says_so():
    old = replace(finding(), identity="of other code", time="2025-01-01T12:00:00Z")
    assert not old.is_current
    note = "older code, 2025-01-01T12:00:00Z"
    lines = summaries("integer_multiplier", [old])
    assert lines == ["default parameters:", f"  sampled: 12 records; {note}"]
    checks = replace(finding(), checks="others", time="2025-01-01T12:00:00Z")
    assert (checks.is_current, checks.has_current_checks) == (True, False)
    assert "older checks, 2025" in summaries("integer_multiplier", [checks])[1]
    unknown = replace(finding(), specification={"unit": "gone", "parameters": {}})
    assert not unknown.is_current
    assert summaries("integer_multiplier", [unknown])[0] == "parameters of other code:"


def test_present_code_counts_before_older_and_failures_before_passes():
    old = replace(finding(summary="old"), identity="other", time="2099-01-01T00:00:00Z")
    now = finding(summary="now")
    wrong = finding(passed=False, summary="wrong")
    assert standing("integer_multiplier", [old, now])["sampled"].summary == "now"
    assert standing("integer_multiplier", [wrong, now, old])["sampled"].summary == "wrong"
    assert summaries("integer_multiplier", [wrong])[1] == "  sampled: wrong, NOT PASSED"
    assert standing("mixpe", [now]) == {}
    later = replace(now, summary="later", time="2099-01-01T00:00:00Z", strength=1)
    more = replace(later, summary="more", strength=2)
    for findings in ([now, later, more], [more, later, now]):
        assert standing("integer_multiplier", findings)["sampled"].summary == "more"


def test_configurations_stand_apart():
    small = MixPE(rows=1, zero_point=False)
    lines = summaries("mixpe", [finding(spec=small), finding(Kind.PROVED, spec=MixPE())])
    assert lines == [
        "default parameters:",
        "  proved: 12 records",
        "zero_point=false, rows=1:",
        "  sampled: 12 records",
    ]


def test_kinds_are_shown_in_order():
    findings = [finding(kind) for kind in reversed(Kind)]
    assert list(standing("integer_multiplier", findings)) == [kind.value for kind in Kind]


def test_commands_take_it_down_and_list_shows_it(capsys):
    assert main(["verify", "integer_multiplier", "--records", "50", "--style", "word"]) == 0
    assert main(["list"]) == 0
    shown = capsys.readouterr().out
    assert "exhaustive: 65,536 combinations, word" in shown
    assert main(["list", "--json"]) == 0
    rows = {row["unit"]: row for row in json.loads(capsys.readouterr().out)}
    assert set(rows) == set(unit_names())
    assert rows["integer_multiplier"]["evidence"]["sampled"]["passed"] is True
    assert rows["mixpe"]["evidence"] == {}


def test_what_comes_with_the_package_is_read(place, monkeypatch):
    file = place / "evidence.json"
    made = finding()
    file.write_text(json.dumps([asdict(made)]))
    monkeypatch.setattr(evidence, "BUNDLED", file)
    assert bundled() == [made]


def test_survivors_are_told_from_mutants_that_are_undecided():
    report = mutate(IntegerMultiplier(a=INT4, b=INT4), count=20, style=Style.WORD)
    (found,) = of_report(report)
    assert "wanted" not in found.summary
    first, second, *rest = report.mutants
    changed = (
        replace(first, outcome=MutantOutcome.SURVIVED),
        replace(second, outcome=MutantOutcome.UNDECIDED),
    )
    (found,) = of_report(replace(report, mutants=(*changed, *rest)))
    assert not found.passed
    assert found.summary.endswith("word, 99 % wanted: 1 survived, 1 undecided")


def test_the_package_brings_evidence_of_each_of_its_units():
    """Of which code it is, `list` says; a unit that is new needs a run of `make status`."""
    path = Path(evidence.__file__).with_name("evidence.json")
    known = {(entry["unit"], entry["kind"]) for entry in json.loads(path.read_text())}
    done = (Kind.PROVED, Kind.SAMPLED, Kind.COCOTB, Kind.COVERED, Kind.MUTATED, Kind.SYNTHESISED)
    assert {(unit, kind.value) for unit in UNITS for kind in done} <= known


def test_unknown_reports_are_refused():
    with pytest.raises(TypeError, match="no evidence is known to follow from str"):
        of_report("a report")
