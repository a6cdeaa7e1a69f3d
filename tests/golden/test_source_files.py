"""The files that a process runs are those that keys tell of, or it is refused."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from multipede.golden import source_files
from multipede.golden.source_files import (
    OWN,
    SourceChangedError,
    remember,
    require_unchanged,
    source_digest,
)

FILES = {
    "__init__.py": "",
    "one.py": "VALUE = 1",
    "inner/__init__.py": "",
    "inner/two.py": "VALUE = 2",
    "table.v": "// a table",
    "notes.txt": "do not count",
    ".hidden.py": "does not count",
}
COUNTING = {"__init__.py", "one.py", "inner/__init__.py", "inner/two.py", "table.v"}


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that can be imported, in a process that remembers no other."""
    place = tmp_path / "planted"
    for name, text in FILES.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    for state in ("_packages", "_settled"):
        monkeypatch.setattr(source_files, state, {})
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.syspath_prepend(tmp_path)
    yield place
    for name in [name for name in sys.modules if name.partition(".")[0] == "planted"]:
        del sys.modules[name]


def test_python_and_verilog_files_count(planted: Path) -> None:
    assert {name for name, _ in remember("planted.inner.two").values()} == COUNTING
    assert "planted" not in sys.modules


def test_links_count_and_may_lead_back(planted: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/three.py").write_text("VALUE = 3")
    (planted / "room").symlink_to(tmp_path / "elsewhere")
    (planted / "inner/back").symlink_to(planted)
    names = {name for name, _ in remember("planted").values()}
    assert names == COUNTING | {"room/three.py"}
    importlib.import_module("planted.room.three")
    require_unchanged()


def test_a_module_in_no_package_counts_alone(planted: Path, tmp_path: Path) -> None:
    (tmp_path / "planted").rename(tmp_path / "other")
    (tmp_path / "planted.py").write_text("VALUE = 4")
    (tmp_path / "beside.py").write_text("")
    assert {name for name, _ in remember("planted").values()} == {"planted.py"}
    importlib.import_module("planted")
    require_unchanged()


def test_a_package_without_init_counts(planted: Path) -> None:
    (planted / "__init__.py").unlink()
    assert {name for name, _ in remember("planted").values()} == COUNTING - {"__init__.py"}
    importlib.import_module("planted.one")
    require_unchanged()


def test_digests_tell_names_contents_and_parts_apart(
    planted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def digests() -> list[str]:
        monkeypatch.setattr(source_files, "_packages", {})
        parts = [(), ("one.py",), ("inner",), ("table.v", "one.py")]
        return [source_digest("planted", *part) for part in parts]

    first = digests()
    assert len(set(first)) == 4
    (planted / "notes.txt").write_text("new")
    assert digests() == first
    (planted / "inner/two.py").write_text("VALUE = 3")
    assert [new == old for new, old in zip(digests(), first, strict=True)] == [0, 1, 0, 1]
    (planted / "inner/two.py").write_text(FILES["inner/two.py"])
    (planted / "table.v").rename(planted / "tables.v")
    monkeypatch.setattr(source_files, "_packages", {})
    assert source_digest("planted") != first[0]


def test_digests_stay_those_of_the_first_time(planted: Path) -> None:
    first = source_digest("planted")
    (planted / "one.py").write_text("VALUE = 5")
    assert source_digest("planted.one") == first


def test_what_has_no_file_is_refused(planted: Path) -> None:
    with pytest.raises(ValueError, match="nosuchmodule has no source file: define the unit in a"):
        source_digest("nosuchmodule")
    with pytest.raises(ValueError, match=r"planted has no source file 'one\.p'"):
        source_digest("planted", "one.p")


def test_a_module_loaded_after_a_change_is_refused(planted: Path) -> None:
    remember("planted")
    (planted / "one.py").write_text("VALUE = 5")
    require_unchanged()
    importlib.import_module("planted.one")
    with pytest.raises(SourceChangedError) as caught:
        require_unchanged()
    path = planted / "one.py"
    assert str(caught.value) == f"{path} was changed while this process was running: start it anew"


def test_a_module_that_may_have_been_loaded_after_a_change_is_refused(planted: Path) -> None:
    remember("planted")
    importlib.import_module("planted.one")
    (planted / "one.py").write_text("VALUE = 5")
    with pytest.raises(SourceChangedError):
        require_unchanged()


def test_a_module_loaded_before_a_change_serves_until_it_is_reloaded(planted: Path) -> None:
    remember("planted")
    module = importlib.import_module("planted.one")
    require_unchanged()
    (planted / "one.py").write_text("VALUE = 5")
    require_unchanged()
    assert importlib.reload(module).VALUE == 5
    with pytest.raises(SourceChangedError):
        require_unchanged()


def test_a_new_module_is_refused(planted: Path) -> None:
    remember("planted")
    (planted / "new.py").write_text("")
    importlib.import_module("planted.new")
    with pytest.raises(SourceChangedError, match=r"new\.py was added while this process was runn"):
        require_unchanged()


@pytest.mark.parametrize("change", [lambda path: path.write_text("// new"), Path.unlink])
def test_what_is_read_when_needed_must_not_change(planted: Path, change) -> None:
    remember("planted")
    require_unchanged()
    change(planted / "table.v")
    with pytest.raises(SourceChangedError, match=r"table\.v was changed"):
        require_unchanged()


def test_a_program_run_with_m_belongs_to_its_package(planted: Path, tmp_path: Path) -> None:
    (planted / "program.py").write_text(
        "from multipede.golden.source_files import *\n"
        "print(source_digest('__main__') == source_digest('planted') != '')\n"
        "open(__file__, 'a').write('# more')\n"
        "require_unchanged()\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "planted.program"],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "True\n"
    assert "program.py was changed while this process was running" in done.stderr


def test_ours_are_remembered_before_they_are_loaded() -> None:
    code = "import sys, multipede; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    ours = {name for name in done.stdout.split() if name.partition(".")[0] == OWN}
    assert ours == {OWN, f"{OWN}.golden", source_files.__name__}


def test_all_rooms_are_remembered() -> None:
    for room in ("golden", "hw", "sim", "toolchain", "asic_flow", "fpga", "cost_model"):
        assert source_digest(OWN, room) != source_digest(OWN)
    for file in ("hw/arithmetic/adders.v", "sim/harness.cpp", "toolchain/pyosys_runner.py"):
        assert source_digest(OWN, file) != source_digest(OWN)
