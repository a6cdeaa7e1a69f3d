"""Yosys scripts, each in a process and a directory of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from multipede.toolchain import ToolError, ToolFailure, ToolTimeout
from multipede.toolchain.yosys import YosysResult, run_yosys

ADDER = "module adder(input [3:0] a, b, output [4:0] s); assign s = a + b; endmodule\n"
LIBRARY = """\
library(tiny) {
  cell(NAND) {
    area : AREA;
    pin(A) { direction : input; }
    pin(B) { direction : input; }
    pin(Y) { direction : output; function : "!(A&B)"; }
  }
  cell(NOR) {
    area : 2;
    pin(A) { direction : input; }
    pin(B) { direction : input; }
    pin(Y) { direction : output; function : "!(A|B)"; }
  }
  cell(BUF) {
    area : 2;
    pin(A) { direction : input; }
    pin(Y) { direction : output; function : "A"; }
  }
  cell(INV) {
    area : 1;
    pin(A) { direction : input; }
    pin(Y) { direction : output; function : "!A"; }
  }
}
"""
MAP = (
    "read_verilog a.v; synth -top adder; abc -liberty l.lib; "
    "tee -o s.json stat -json -liberty l.lib"
)


def nands(result: YosysResult) -> int:
    """How often the mapper took the cell whose area the test sets."""
    return json.loads(result.outputs["s.json"])["design"]["num_cells_by_type"].get("NAND", 0)


class TestResult:
    def test_outputs_and_log(self) -> None:
        result = run_yosys(
            "read_verilog a.v\nhierarchy -top adder; proc\nwrite_json out.json; log hello there\n",
            files={"a.v": ADDER},
            outputs=["out.json"],
        )
        assert json.loads(result.outputs["out.json"])["modules"]["adder"]
        assert "hello there" in result.log
        assert result.seconds > 0
        assert result.peak_memory_bytes > 10 << 20
        assert "hello there" in result.log_path.read_text()
        assert result.tool.name == "yosys"

    def test_files_are_texts_bytes_and_paths_in_directories(self, tmp_path: Path) -> None:
        (tmp_path / "elsewhere.v").write_text("module c; endmodule")
        result = run_yosys(
            "read_verilog src/a.v b.v c.v; write_rtlil out/all.il",
            files={
                "src/a.v": ADDER,
                "b.v": b"module b; endmodule",
                "c.v": tmp_path / "elsewhere.v",
                "out/.keep": "",
            },
            outputs=["out/all.il"],
        )
        for name in ("adder", "b", "c"):
            assert f"module \\{name}\n" in result.outputs["out/all.il"]

    def test_abc_is_found_without_any_path(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "/nonexistent")
        result = run_yosys("read_verilog a.v; synth; abc -g AND", files={"a.v": ADDER})
        assert "ABC RESULTS" in result.log

    def test_designs_do_not_meet(self) -> None:
        run_yosys("read_verilog a.v", files={"a.v": ADDER})
        with pytest.raises(ToolFailure, match="Module `adder' not found"):
            run_yosys("hierarchy -top adder")

    def test_nothing_is_left_in_the_work_directory(self, private_cache: Path) -> None:
        run_yosys("read_verilog a.v", files={"a.v": ADDER})
        with pytest.raises(ToolFailure):
            run_yosys("no_such_command")
        assert list((private_cache / "work").iterdir()) == []


class TestFailures:
    def test_an_error_in_the_verilog(self) -> None:
        with pytest.raises(ToolFailure) as caught:
            run_yosys("read_verilog a.v", files={"a.v": "module a(;\nendmodule\n"})
        failure = caught.value
        assert failure.error_line.startswith("a.v:1: ERROR: syntax error, unexpected ';'")
        assert str(failure) == (
            f"yosys failed with exit status 1: {failure.error_line} (log: {failure.log_path})"
        )
        assert "ERROR: syntax error" in failure.log_path.read_text()

    def test_an_error_of_abc(self) -> None:
        script = "read_verilog a.v; synth; abc -script bad.abc"
        with pytest.raises(ToolFailure, match=r"ABC: \*\* cmd error: unknown command"):
            run_yosys(script, files={"a.v": ADDER, "bad.abc": "no_such_abc_command\n"})

    def test_an_output_that_is_not_written(self) -> None:
        with pytest.raises(ToolFailure, match=r"^yosys did not write b\.il, c\.il \(log: "):
            run_yosys("log hello", outputs=["b.il", "c.il"])

    @pytest.mark.parametrize("name", ["/tmp/x.v", "../x.v", "a/../../x.v", ""])
    def test_names_that_lead_out_of_the_directory(self, name: str) -> None:
        with pytest.raises(ValueError, match=r"it must be relative and without '\.\.'"):
            run_yosys("log hello", files={name: ""})
        with pytest.raises(ValueError, match=r"it must be relative and without '\.\.'"):
            run_yosys("log hello", outputs=[name])

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            run_yosys("log hello", files={"a.v": tmp_path / "nothing.v"})

    def test_too_long(self) -> None:
        start = time.monotonic()
        with pytest.raises(ToolTimeout, match=r"yosys was killed after 0\.5 s, its time limit"):
            run_yosys("exec -- sleep 60", timeout=0.5)
        assert time.monotonic() - start < 10

    def test_too_much_memory(self) -> None:
        with pytest.raises(ToolFailure, match=r"\(memory limit 30 MiB\)"):
            run_yosys("read_verilog a.v", files={"a.v": ADDER}, memory_limit=30 << 20)

    @pytest.mark.usefixtures("no_wheels", "fake_tool")
    def test_no_yosys(self) -> None:
        with pytest.raises(ToolError, match=r"yosys 0\.60 or newer is needed: no yosys on PATH"):
            run_yosys("log hello")


class TestFromPath:
    def test_a_binary_runs_the_same_script(self, fake_tool) -> None:
        fake_tool(
            "yosys",
            'if [ "$1" = -V ]; then echo "Yosys 0.66"; exit; fi\n'
            'read line < "$2"\n'
            'echo "got $1 $line"; echo written > out.v',
        )
        result = run_yosys("prep", outputs=["out.v"])
        assert (result.log, result.outputs) == ("got -s prep\n", {"out.v": "written\n"})
        assert result.tool.origin == "PATH"


class TestLibertyFiles:
    """Yosys keeps parsed Liberty files by path and age, which is wrong for files that move."""

    def files(self, area: str) -> dict[str, str | bytes | Path]:
        return {"a.v": ADDER, "l.lib": LIBRARY.replace("AREA", area)}

    def test_another_library_of_the_same_name_is_another_library(self) -> None:
        cheap, dear = (
            run_yosys(MAP, files=self.files(area), outputs=["s.json"]) for area in ("1", "200")
        )
        assert nands(cheap) > nands(dear)

    def test_many_at_once(self) -> None:
        code = (
            f"from multipede.toolchain.yosys import run_yosys\n"
            f"r = run_yosys({MAP!r}, files={self.files('2')!r}, outputs=['s.json'])\n"
            f"print(r.outputs['s.json'])"
        )
        others = [
            subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
            for _ in range(4)
        ]
        said = {other.communicate(timeout=60)[0] for other in others}
        assert [other.returncode for other in others] == [0] * 4
        assert len(said) == 1
        assert "NAND" in said.pop()
