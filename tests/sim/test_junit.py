"""JUnit XML: one test case per check, failures with their reason, and nothing is not a pass."""

from dataclasses import replace
from xml.etree import ElementTree

from multipede.cli import main
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.hw import Style
from multipede.sim.junit import Case, junit_xml
from multipede.sim.verify import verify
from multipede.sim.verilog import verilog_of
from multipede.toolchain import ToolError

SPEC = IntegerMultiplier()


def parsed(text: str) -> ElementTree.Element:
    (suite,) = ElementTree.fromstring(text)
    assert int(suite.get("tests")) == len(suite)
    assert int(suite.get("failures")) == len(suite.findall("testcase/failure"))
    return suite


def test_each_check_is_a_case():
    report = verify(SPEC, styles=[Style.WORD, Style.CELLS], records=100)
    suite = parsed(junit_xml("multiplier", report.cases))
    names = [case.get("name") for case in suite]
    assert names == [f"{check.style}: {check.stimulus}" for check in report.checks]
    assert len(names) >= 8
    assert {case.get("classname") for case in suite} == {"integer_multiplier"}
    assert suite.get("failures") == "0"


def test_a_difference_is_a_failure_with_its_values():
    text = verilog_of(SPEC, Style.WORD)
    broken = text.replace(" + ", " - ", 1)
    assert broken != text
    report = verify(SPEC, verilog={"broken": broken}, records=100, waveform=False)
    suite = parsed(junit_xml("multiplier", report.cases))
    failures = suite.findall("testcase/failure")
    assert failures
    assert "expected code" in failures[0].get("message")


def test_too_few_results_are_a_failure():
    check = verify(SPEC, styles=[Style.WORD], records=100).checks[0]
    few = replace(check, records=3)
    assert few.failure.startswith("too few: 3 of ")
    assert check.failure is None


def test_no_cases_are_a_failure():
    suite = parsed(junit_xml("empty", []))
    assert suite.get("failures") == "1"


def test_special_characters_survive():
    case = Case("a<b", 'n"&', 0.5, "x < y & z\nsecond line")
    failure = parsed(junit_xml("s", [case])).find("testcase/failure")
    assert failure.text == "x < y & z\nsecond line"
    assert failure.get("message") == "x < y & z"


def test_control_characters_leave_it_well_formed():
    case = Case("group", "na\x00me", 0.5, "\x1b[31mred\x1b[0m\ud800")
    failure = parsed(junit_xml("s", [case])).find("testcase/failure")
    assert failure.text == "?[31mred?[0m?"


def test_a_run_that_fails_leaves_no_pass_behind(tmp_path, monkeypatch, capsys):
    file = tmp_path / "results.xml"
    arguments = ["verify", "integer_multiplier", "--records", "50", "--style", "word"]
    assert main([*arguments, "--junit", str(file)]) == 0

    def broken(*_, **__):
        raise ToolError("there is no verilator")

    monkeypatch.setattr("multipede.sim.verify.verify", broken)
    assert main([*arguments, "--junit", str(file)]) == 2
    suite = parsed(file.read_text())
    assert suite.get("failures") == "1"
    assert "did not come to its end" in suite.find("testcase/failure").get("message")


def test_the_command_line_writes_it(tmp_path, capsys):
    file = tmp_path / "results.xml"
    arguments = ["verify", "integer_multiplier", "--records", "50", "--style", "word"]
    assert main([*arguments, "--junit", str(file)]) == 0
    assert len(parsed(file.read_text())) >= 4
    missing = tmp_path / "none" / "results.xml"
    assert main([*arguments, "--junit", str(missing)]) == 2
    assert "none" in capsys.readouterr().err
