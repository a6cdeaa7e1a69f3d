"""The doctor finds and tries everything, and says what to do about what is missing."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from pathlib import Path

import pytest

from multipede.toolchain import find, run
from multipede.toolchain.doctor import Check, diagnose, healthy, table
from multipede.toolchain.verilator import root


def by_name(checks: list[Check]) -> dict[str, Check]:
    return {check.name: check for check in checks}


def test_here_all_that_is_required_holds() -> None:
    checks = diagnose()
    assert healthy(checks), table(checks)
    named = by_name(checks)
    for name in ("c++", "verilator", "yosys", "yosys-abc"):
        check = named[name]
        assert (check.required, check.ok, check.remedy) == (True, True, "")
        assert check.identity == find(name).identity
        assert Path(check.path).is_file()
        assert check.version
    assert named["Verilator model of several files"].detail == "built and ran"
    assert named["Verilator with --timing"].detail == "built and ran"
    assert named["Yosys synthesis with ABC"].detail == "synthesised"
    assert not named["iverilog"].required
    assert ("Icarus simulation" in named) == (named["iverilog"].ok and named["vvp"].ok)
    text = table(checks)
    assert re.search(r"^c\+\+ +ok +\d+\.\d+", text, re.MULTILINE)
    assert text.endswith("all that is required holds")


@pytest.mark.usefixtures("fake_tool")
class TestWithoutACompiler:
    def test_it_is_said_and_nothing_is_raised(self) -> None:
        checks = diagnose()
        named = by_name(checks)
        assert not healthy(checks)
        assert (named["c++"].ok, named["c++"].remedy) == (False, "Get it: apt install g++")
        assert not named["Verilator model of several files"].ok
        assert not named["Verilator with --timing"].ok
        assert named["Yosys synthesis with ABC"].ok
        assert "Icarus simulation" not in named

    def test_the_table(self) -> None:
        text = table(diagnose())
        assert re.search(r"^c\+\+ +MISSING +10$", text, re.MULTILINE)
        assert re.search(r"^iverilog +absent +11$", text, re.MULTILINE)
        assert re.search(r"^Verilator with --timing +FAILED +a C\+\+ compiler", text, re.MULTILINE)
        assert (
            "\nc++: a C++ compiler (g++ 10 or clang++ 14, or newer) is needed: no g++ or clang++ "
            "or c++ on PATH. Get it: apt install g++\n"
        ) in text
        assert text.endswith("something required is missing")

    def test_as_json(self) -> None:
        checks = diagnose()
        assert json.loads(json.dumps([check.to_dict() for check in checks]))[1] == {
            "name": "c++",
            "ok": False,
            "required": True,
            "detail": "a C++ compiler (g++ 10 or clang++ 14, or newer) is needed: no g++ or "
            "clang++ or c++ on PATH. Get it: apt install g++",
            "remedy": "Get it: apt install g++",
            "path": "",
            "version": "",
            "needed": "10",
            "origin": "",
            "identity": "",
        }


def test_a_tool_that_is_found_but_does_not_work(fake_tool) -> None:
    fake_tool(
        "yosys",
        'if [ "$1" = -V ]; then echo "Yosys 0.66"; else echo "ERROR: no licence"; exit 1; fi',
    )
    named = by_name(diagnose())
    assert named["yosys"].ok
    check = named["Yosys synthesis with ABC"]
    assert not check.ok
    assert "yosys failed with exit status 1: ERROR: no licence" in check.detail
    assert check.remedy.startswith("Read the log: ")


def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("MULTIPEDE_CACHE", str(tmp_path / "file"))
    checks = diagnose()
    assert not healthy(checks)
    check = by_name(checks)["cache"]
    assert check.detail == (
        f"{tmp_path}/file/work cannot be written (File exists): "
        "set MULTIPEDE_CACHE to a directory that can"
    )
    assert check.remedy == "Set MULTIPEDE_CACHE to a directory that can be written"


BENCH = """\
module bench;
  reg [7:0] count = 0;
  always #5 count = count + 1;
  initial begin
    #102 $display("counted %0d", count);
    $finish;
  end
endmodule
"""
SHELL = f"""\
eval "$({shlex.quote(sys.executable)} -m multipede doctor --shell)"
printenv VERILATOR_ROOT
command -v verilator
verilator --version
verilator --binary --timing -CFLAGS -O0 bench.v >build.log
obj_dir/Vbench
"""


def test_the_exports_put_our_verilator_before_an_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "old" / "verilator"
    old.parent.mkdir()
    old.write_text('#!/bin/sh\necho "Verilator 5.006 2023-01-22 rev (Debian 5.006-3)"\n')
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{old.parent}:{os.environ['PATH']}")
    (tmp_path / "bench.v").write_text(BENCH)
    said = run(("bash", "-e"), ["-c", SHELL], directory=tmp_path).stdout.splitlines()
    version = run(find("verilator"), ["--version"]).stdout.rstrip("\n")
    assert said[:4] == [str(root()), f"{root()}/bin/verilator", version, "counted 20"]
