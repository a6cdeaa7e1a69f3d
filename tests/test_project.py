"""The project's shape: layers, links, public names, and the wheel outside the repository."""

import ast
import os
import re
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

import multipede

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("golden", "hw", "toolchain", "sim", "asic_flow", "fpga", "cost_model")


def sources():
    for room in (*ROOMS, "multipede", "tests", "benchmarks"):
        for path in (ROOT / room).rglob("*.py"):
            if not any(part.is_symlink() for part in path.parents):
                yield path


def test_rooms_are_links_of_the_package():
    for room in ROOMS:
        assert (ROOT / "multipede" / room).is_symlink()
        assert (ROOT / "multipede" / room).resolve() == ROOT / room


def test_rooms_are_imported_through_the_package_only():
    seen = 0
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            seen += len(names)
            wrong = [name for name in names if name.split(".")[0] in ROOMS]
            assert not wrong, f"{path}: import multipede.{wrong[0]} instead"
    assert seen > 300


def test_layers_hold():
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
    assert "1 kept, 0 broken" in done.stdout


@pytest.mark.parametrize("name", multipede.__all__)
def test_public_names_exist(name):
    assert getattr(multipede, name) is not None


def test_unknown_public_name():
    with pytest.raises(AttributeError, match="has no attribute 'mixpee'"):
        _ = multipede.mixpee


def test_importing_the_package_is_quick():
    code = "import sys, multipede; sys.exit(any(n in sys.modules for n in ('torch', 'amaranth')))"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_no_file_names_a_place_of_this_machine():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    names = listed.stdout.split() or [str(p.relative_to(ROOT)) for p in sources()]
    for name in names:
        path = ROOT / name
        if path.suffix in (".py", ".md", ".toml", ".yml", ".v", ".cpp") and path.is_file():
            places = re.findall(r"/(?:home|root|work)/\w+", path.read_text())
            assert not places, f"{name}: {places}"


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    place = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(place), str(ROOT)]
    environment = os.environ | {"PIP_CONSTRAINT": str(ROOT / "constraints.txt")}
    subprocess.run(command, check=True, capture_output=True, env=environment)
    (path,) = place.glob("*.whl")
    return path


def test_wheel_holds_only_the_package(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"multipede"}
    for data in ("hw/arithmetic/adders.v", "sim/harness.cpp", "toolchain/include/zlib.h"):
        assert f"multipede/{data}" in names


def test_wheel_generates_and_verifies_outside_the_repository(wheel, tmp_path):
    """Its own environment sees this one's libraries, but not this checkout."""
    place = tmp_path / "venv"
    venv.create(place, with_pip=False)
    python = place / "bin" / "python"
    packages = next((place / "lib").glob("python3*/site-packages"))
    zipfile.ZipFile(wheel).extractall(packages)
    libraries = next(p for p in sys.path if p.endswith("site-packages"))
    search = "import sys; sys.path.append({!r}); import multipede; print(multipede.__file__)"
    (packages / "libraries.pth").write_text(libraries + "\n")
    shown = subprocess.run(
        [python, "-I", "-c", search.format(libraries)], capture_output=True, text=True, check=True
    )
    assert shown.stdout.startswith(str(place))
    command = [python, "-I", "-m", "multipede"]
    small = ["mixpe", "-p", "rows=1", "-p", "columns=1", "-p", "lanes=2", "-p", "group=4"]
    for arguments in (
        ["generate", *small, "--style", "cells", "-o", str(tmp_path / "out")],
        ["verify", *small, "--records", "100"],
    ):
        done = subprocess.run([*command, *arguments], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "mixpe.v").is_file()
    assert (tmp_path / "out" / "ports.json").is_file()
