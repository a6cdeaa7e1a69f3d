"""The command line: its exit statuses, its JSON, and one clear line for each wrong input."""

import json
import os
import signal
import subprocess
import sys
import time
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from multipede import cli
from multipede.cost_model.demonstration import first_costs

SMALL = ["-p", "rows=1", "-p", "columns=1", "-p", "lanes=2", "-p", "group=4"]


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    status = cli.main(list(arguments))
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_list_and_show(capsys):
    status, out, _ = run(capsys, "list", "--json")
    assert status == 0
    assert {"mixpe", "multiplier_tile", "integer_multiplier"} <= {
        u["unit"] for u in json.loads(out)
    }
    status, out, _ = run(capsys, "show", "mixpe", "-p", "weight=int2", "--json")
    document = json.loads(out)
    assert status == 0
    assert document["parameters"]["weight"] == "int2"
    w = {"format": "int2", "shape": [4, 8], "bits": 64, "meaning": "weights of each column"}
    assert document["inputs"]["w"] == w
    status, out, _ = run(capsys, "show", "mixpe", "-p", "rows=2")
    assert "  rows                2      activation rows in a record, 1 to 256.\n" in out
    assert "  w     uint4  4 x 8  128 bits  weights of each column\n" in out
    assert "latency 1 clock, one record every clock\n" in out
    status, out, _ = run(capsys, "show", "mixpe", "-p", "output=dequantised")
    assert "latency at least 19 clocks" in out
    assert "  dequantiser_stages  1 " in out


def test_verify_works_as_it_stands(capsys):
    status, out, _ = run(capsys, "verify", "mixpe", *SMALL, "--records", "500", "--json")
    document = json.loads(out)
    assert (status, document["passed"]) == (0, True)
    assert document["records"] > 3 * 500


def test_verify_of_one_style(capsys):
    arguments = ("verify", "mixpe", *SMALL, "--records", "500", "--style", "cells", "--json")
    document = json.loads(run(capsys, *arguments)[1])
    assert {check["style"] for check in document["checks"]} == {"cells"}


def test_a_failed_check_is_status_1(capsys, monkeypatch):
    from multipede.sim.report import Check, VerifyReport

    def failing(spec, **options):
        check = Check(spec.unit, "word", "random", "", 5, 5, 0, 0.0)
        return VerifyReport(spec, 1, (check,), {}, 0.0)

    monkeypatch.setattr("multipede.sim.verify.verify", failing)
    status, out, _ = run(capsys, "verify", "mixpe")
    assert status == 1
    assert "DOES NOT EQUAL" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["verify", "mixp"], "there is no unit 'mixp'"),
        (["verify", "mixpe", "-p", "rows=0"], "rows = 0: allowed are 1 to 256"),
        (["verify", "mixpe", "-p", "rows"], "parameter 'rows': write it as NAME=VALUE"),
        (["verify", "mixpe", "-p", "weight=int4", "-p", "weight=int8"], "'weight' is given twice"),
        (["verify", "mixpe", "-p", "weight=int3000000"], "weight"),
        (["verify", "mixpe", "-p", "weight=blue"], "weight = 'blue': unknown format"),
        (["verify", "mixpe", "--style", "gates"], "style must be one of"),
        (["verify", "mixpe", "--records", "0"], "records = 0"),
        (["verify", "mixpe", "--records", "many"], "invalid int value: 'many'"),
        (["frobnicate"], "invalid choice: 'frobnicate'"),
        ([], "required"),
        (["generate", "mixpe"], "-o/--output"),
        (["generate", "mixpe", *SMALL, "-o", "/proc/here"], "/proc/here"),
        (["generate", "mixpe", "--name", "2x", "-o", "build/x"], "2x"),
        (["synthesize", "mixpe", "--target", "abacus"], "target = 'abacus'"),
        (["synthesize", "mixpe", "--target", "ecp5", "--liberty", "x.lib"], "liberty = x.lib"),
        (["synthesize", "mixpe", "--liberty", "nowhere.lib"], "nowhere.lib"),
        (
            ["synthesize", "mixpe", "--clock-period", "1"],
            "asic_flow/liberty/gate_equivalents.csv has no delays",
        ),
        (["power", "mixpe", "--target", "gates"], "target = 'gates': power needs energies"),
        (["power", "mixpe", "--target", "ecp5"], "target = 'ecp5': power needs energies"),
        (["power", "mixpe", *SMALL, "--records", "0"], "records = 0"),
        (["power", "mixpe", "--baselines"], "a clock period is needed, the same for all"),
        (["power", "mixpe", "--baselines", "--style", "word"], "neither --style nor --output"),
        (["power", "mixpe", "--liberty", "nowhere.lib"], "nowhere.lib: there is no such file"),
        (["synthesize", "mixpe", *SMALL, "--target", "ecp5", "--netlist", "x.v"], "--netlist"),
        (["synthesize", "mixpe", "--baselines", "--prove", "9"], "--prove needs one target, of st"),
        (["synthesize", "mixpe", "--target", "n28", "--paths", "-1"], "paths = -1"),
        (["synthesize", "mixpe", "--fastest"], "fastest = True: table asic_flow/liberty/gate"),
        (["synthesize", "mixpe", "--fastest", "--clock-period", "1"], "none is taken with fastest"),
        (["synthesize", "mixpe", "--output-load", "-1"], "output_load = -1.0: 0 fF or more"),
        (["synthesize", "mixpe", "--time-limit", "0"], "time_limit = 0.0: more than 0 s"),
        (["synthesize", "mixpe", "--clock-period", "fast"], "invalid float value: 'fast'"),
        (
            ["synthesize", "mixpe", "--target", "ecp5", "--clock-period", "1"],
            "clock_period = 1.0: only 'gates' and 'n28' of the targets take it",
        ),
        (["demo", "--weights", "nowhere.safetensors", "--tensor", "w"], "nowhere.safetensors"),
        (["demo", "--weights", "nowhere.safetensors"], "tensor"),
    ],
)
def test_wrong_input_is_one_line_and_status_2(capsys, arguments, message):
    status, out, err = run(capsys, *arguments)
    assert status == 2
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("multipede: ")
    assert message in err


@pytest.mark.parametrize(
    ("words", "lookups", "costs"),
    [([], True, first_costs), (["--no-lookups"], False, first_costs), (["--no-costs"], True, None)],
)
def test_the_demo_leaves_out_what_it_is_told_to(monkeypatch, capsys, words, lookups, costs):
    asked = {}

    def noted(**options):
        asked.update(options)
        raise ValueError("enough")

    monkeypatch.setattr("multipede.cost_model.demonstration.demonstrate", noted)
    assert run(capsys, "demo", *words)[0] == 2
    assert (asked["lookups"], asked["costs"]) == (lookups, costs)


def test_errors_in_json(capsys):
    status, out, _ = run(capsys, "show", "mixpe", "-p", "rows=0", "--json")
    assert status == 2
    assert json.loads(out) == {"error": "rows = 0: allowed are 1 to 256", "status": 2}


def _process(*arguments: str, **environment: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "multipede", *arguments],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_no_compiler(tmp_path):
    process = _process(
        *("verify", "mixpe", *SMALL, "--records", "10"),
        PATH=str(tmp_path),
        MULTIPEDE_CACHE=str(tmp_path / "cache"),
        CXX="",
    )
    out, err = process.communicate(timeout=100)
    assert process.returncode == 2
    assert out == ""
    assert err.count("\n") == 1
    assert "g++" in err
    assert "Traceback" not in err


def test_a_tool_that_fails_is_status_3(tmp_path):
    bad = tmp_path / "g++"
    bad.write_text(
        '#!/bin/sh\ncase "$*" in *--version*|*dump*) exec /usr/bin/g++ "$@";; esac\n'
        "echo 'x.cpp:1: error: it is broken' >&2; exit 1\n"
    )
    bad.chmod(0o755)
    process = _process(
        *("verify", "mixpe", *SMALL, "--records", "10"),
        CXX=str(bad),
        MULTIPEDE_CACHE=str(tmp_path / "cache"),
    )
    _, err = process.communicate(timeout=100)
    assert process.returncode == 3, err
    assert err.count("\n") == 1
    assert ".log" in err


def test_interrupt_leaves_no_child_and_no_half_file(tmp_path):
    cache = tmp_path / "cache"
    process = _process(
        *("verify", "mixpe", "-p", "lanes=16", "-p", "stages=2", "--records", "100000"),
        MULTIPEDE_CACHE=str(cache),
    )
    deadline = time.monotonic() + 60
    while not list(cache.glob("logs/*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.strip().endswith("multipede: interrupted")
    assert "Traceback" not in err
    mentioned = subprocess.run(["ps", "axo", "args"], capture_output=True, text=True, check=True)
    assert str(cache) not in mentioned.stdout
    left = [path for path in cache.glob("model/*") if path.name.startswith(".")]
    assert not left


def test_broken_pipe_is_quiet():
    command = f"{sys.executable} -m multipede show mixpe --json | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert done.stdout == "{\n"
    assert done.stderr == ""


def test_second_verify_starts_within_two_seconds():
    """From the command to the first simulated record, of an unchanged unit."""
    code = """
import sys, time
from multipede import cli
from multipede.sim.model import Model
began = time.monotonic() - time.clock_gettime(time.CLOCK_PROCESS_CPUTIME_ID)
run = Model.run
def first(self, *arguments, **options):
    print(time.monotonic() - began, file=sys.stderr)
    Model.run = run
    return run(self, *arguments, **options)
Model.run = first
sys.exit(cli.main(sys.argv[1:]))
"""
    command = [sys.executable, "-c", code, "verify", "mixpe", *SMALL, "--records", "100"]
    starts = []
    for _ in range(2):
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        starts.append(float(done.stderr.split()[0]))
    assert min(starts[1:]) < 2.0


ONE_LANE = ["mixpe", "-p", "rows=1", "-p", "columns=1", "-p", "lanes=1", "-p", "group=2"]


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["--formal", "--style", "word"], "is proved as far as tried"),
        (["--coverage", "--style", "word", "--records", "2000"], ", threshold 95 % reached"),
        (["--mutate", "8", "--records", "500"], "8 mutants killed"),
    ],
)
def test_ways_of_verification(arguments, shown, capsys, tmp_path):
    file = tmp_path / "junit.xml"
    assert cli.main(["verify", *ONE_LANE, *arguments, "--junit", str(file)]) == 0
    assert shown in capsys.readouterr().out
    assert 'failures="0"' in file.read_text()
    assert cli.main(["verify", *ONE_LANE, *arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["passed"] is True


def test_a_budget_that_is_too_small_is_no_pass(capsys):
    arguments = ["--formal", "--style", "cells", "--budget", "0.01"]
    assert cli.main(["verify", *ONE_LANE, *arguments]) == 1
    assert "NOT PROVED" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--formal", "--cocotb"], "not allowed with argument"),
        (["--budget", "5"], "--budget has no meaning here"),
        (["--formal", "--records", "5"], "--records has no meaning here"),
        (["--simulator", "icarus"], "--simulator has no meaning here"),
        (["--cocotb", "--simulator", "vcs"], "simulator 'vcs': allowed are verilator, icarus"),
        (["--mutate", "5", "--style", "word", "--style", "cells"], "one style at a time"),
        (["--mutate", "0"], "count = 0: allowed are 1 to"),
    ],
)
def test_mistakes_in_ways_of_verification(arguments, message, capsys):
    assert cli.main(["verify", *ONE_LANE, *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_an_empty_name_of_a_directory_is_refused(capsys, tmp_path, monkeypatch):
    """As of a script's variable that was never set."""
    monkeypatch.chdir(tmp_path)
    assert cli.main(["generate", "mixpe", "-o", ""]) == 2
    assert "the name of a directory is needed, not an empty one" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_an_error_in_an_installed_plug_in_names_its_place(capsys, monkeypatch):
    """It lies among the packages that we use, whose errors are ours."""

    def broken(spec, **options):
        raise AttributeError("no field")

    monkeypatch.setattr("multipede.sim.verify.verify", broken)
    monkeypatch.setattr(sys, "prefix", str(Path(__file__).parent))
    assert cli.main(["verify", "mixpe", "--records", "10"]) == 3
    assert "multipede: internal error, AttributeError" in capsys.readouterr().err
    plug_in = EntryPoint("other", f"{__name__.partition('.')[0]}.other:Other", "multipede.units")
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [plug_in])
    assert cli.main(["verify", "mixpe", "--records", "10"]) == 3
    assert f"error in {__file__}, line " in capsys.readouterr().err


def test_an_error_in_somebody_elses_unit_names_its_place(capsys, monkeypatch):
    def broken(spec, **options):
        raise AttributeError("no field 'lost'")

    monkeypatch.setattr("multipede.sim.verify.verify", broken)
    assert cli.main(["verify", "mixpe", "--records", "10"]) == 3
    message = capsys.readouterr().err
    assert f"error in {__file__}, line " in message
    assert "AttributeError: no field 'lost'" in message


def test_a_netlist_is_proved_and_written(capsys, tmp_path):
    multiplier = ("integer_multiplier", "-p", "a=int4", "-p", "b=int4", "--target", "n28")
    file = tmp_path / "netlist.v"
    status, out, _ = run(capsys, "synthesize", *multiplier, "--prove", "60", "--netlist", str(file))
    assert status == 0
    assert "netlist equal to the RTL: proved" in out
    assert file.read_text().startswith("module integer_multiplier(")
    status, out, _ = run(capsys, "synthesize", *multiplier, "--prove", "0.001", "--json")
    assert status == 1
    assert json.loads(out)[0]["equal_to_rtl"] == "unknown"


def test_a_netlist_that_is_not_proved_is_not_written(capsys, tmp_path):
    multiplier = ("integer_multiplier", "-p", "a=int4", "-p", "b=int4", "--target", "n28")
    file = tmp_path / "netlist.v"
    file.write_text("mine")
    status, out, _ = run(
        capsys, "synthesize", *multiplier, "--prove", "0.001", "--netlist", str(file)
    )
    assert (status, file.read_text()) == (1, "mine")
    assert out.strip().endswith(f"{file} is not written")


def test_a_missed_clock_is_a_check_that_failed(capsys):
    multiplier = ("integer_multiplier", "-p", "a=int4", "-p", "b=int4", "--target", "n28")
    for clock, status in (("0.05", 1), ("50", 0)):
        found, out, _ = run(capsys, "synthesize", *multiplier, "--clock-period", clock)
        assert found == status
        assert ("MISSES" in out) == bool(status)


def test_power_as_text_json_and_files(capsys, tmp_path):
    multiplier = ("integer_multiplier", "-p", "a=int4", "-p", "b=int4", "--records", "50")
    status, out, _ = run(capsys, "power", *multiplier, "-o", str(tmp_path / "p"))
    assert status == 0
    assert "pJ per multiply" in out
    assert {file.name for file in (tmp_path / "p").iterdir()} == {
        *("activity.saif", "cells.v", "n28_tt_0p90v_25c.lib", "netlist.v", "waveform.vcd")
    }
    place = tmp_path / "file"
    place.write_text("mine")
    status, _, err = run(capsys, "power", *multiplier, "-o", str(place))
    assert (status, place.read_text()) == (2, "mine")
    assert "is a file: a directory is needed" in err
    status, out, _ = run(capsys, "power", *multiplier, "--json")
    assert status == 0
    assert json.loads(out)["power"]["total_mw"] > 0
