"""What `generate` writes, what it refuses, and that nothing is lost when it fails."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from multipede.golden.formats import INT4, UINT2
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.golden.mixpe import MixPE
from multipede.golden.spec import Spec
from multipede.hw import Style
from multipede.sim import generate as module
from multipede.sim.generate import Bus, generate
from multipede.sim.verilog import verilog_of
from multipede.toolchain import run
from tests.sim.bench_runs import SIMULATORS, verdict

SEED = 20261122
TILE = MixPE(rows=2, columns=2, lanes=2, group=4, weight=UINT2, activation=INT4)
SMALL = IntegerMultiplier(a=INT4, b=INT4)
PLAIN_FILES = {"ports.json", "{}.v", "{}.core", "{}_tb.v", "{}_inputs.hex", "{}_outputs.hex"}
ADDER_FILES = {"multipede_adders.v", "multipede_adders.core"}


def content(directory):
    return {path.name: path.read_bytes() for path in sorted(directory.iterdir())}


@pytest.mark.parametrize("style", Style)
def test_writes_these_files_and_no_others(tmp_path, style):
    paths = generate(SMALL, tmp_path / "new" / "place", style=style, name="dut", vectors=10)
    expected = {name.format("dut") for name in PLAIN_FILES}
    expected |= ADDER_FILES if style is not Style.WORD else set()
    assert {path.name for path in paths} == expected
    assert {path.name for path in (tmp_path / "new" / "place").iterdir()} == expected
    assert all(path.read_text().endswith("\n") for path in paths)


def test_default_name_is_the_units(tmp_path):
    generate(SMALL, str(tmp_path), vectors=10)
    assert "module integer_multiplier(" in (tmp_path / "integer_multiplier.v").read_text()


PROGRAM = """
import sys
from multipede.golden.formats import INT4
from multipede.golden.mixpe import MixPE
from multipede.hw import Style
from multipede.sim.generate import generate
spec = MixPE(rows=2, columns=1, lanes=4, group=8, weight=INT4, stages=3)
for style in Style:
    generate(spec, sys.argv[1] + style.value, style=style, vectors=50, seed=3)
"""


def test_same_bytes_in_other_processes_and_directories(tmp_path):
    results = []
    for number in range(2):
        place = tmp_path / f"place{'x' * 9 * number}"
        # A cache of its own, or the second process would be given what the first one made.
        environment = os.environ | {
            "PYTHONHASHSEED": str(number + 1),
            "MULTIPEDE_CACHE": str(tmp_path / f"cache{number}"),
        }
        place.mkdir()
        subprocess.run(
            [sys.executable, "-c", PROGRAM, f"{place}/"], env=environment, cwd=place, check=True
        )
        results.append({style.value: content(place / style.value) for style in Style})
    assert results[0] == results[1]
    assert {name: len(files) for name, files in results[0].items()} == {
        "word": 6,
        "cells": 8,
        "cells-prefix": 8,
    }
    for files in results[0].values():
        text = b"\n".join(files.values()).decode()
        assert str(tmp_path) not in text
        assert "multipede/" not in text
        assert not re.search(r"\b20\d\d-\d\d-\d\d\b", text)


def test_seed_and_vectors_change_the_vectors_alone(tmp_path):
    for name, options in {"a": {}, "b": {"seed": 2}, "c": {"vectors": 30}}.items():
        generate(SMALL, tmp_path / name, name="dut", **{"vectors": 20, "seed": 1} | options)
    first = content(tmp_path / "a")
    for other in ("b", "c"):
        differing = {
            name for name, data in content(tmp_path / other).items() if data != first[name]
        }
        assert differing == {"dut_tb.v", "dut_inputs.hex", "dut_outputs.hex"}


def test_two_units_live_in_one_directory(tmp_path):
    generate(SMALL, tmp_path, style=Style.CELLS, name="first", vectors=30)
    generate(TILE, tmp_path, style=Style.CELLS_PREFIX, name="second", vectors=100)
    modules = re.findall(
        r"^module (\w+)", "".join(p.read_text() for p in sorted(tmp_path.glob("*.v"))), re.M
    )
    assert len(modules) == len(set(modules)) >= 14
    for name in ("first", "second"):
        assert verdict(SIMULATORS["icarus"](tmp_path, name)).startswith("PASS")


def test_one_record_is_enough_for_a_tile_and_too_few_are_refused(tmp_path, monkeypatch):
    generate(TILE, tmp_path / "one", name="dut", vectors=1)
    assert verdict(SIMULATORS["icarus"](tmp_path / "one", "dut")) == "PASS 1 records, 1 results"
    silent = type(TILE).reference

    def no_results(self, state=None, **inputs):
        outputs, state = silent(self, state, **inputs)
        return {name: value[:0] for name, value in outputs.items()}, state

    monkeypatch.setattr(type(TILE), "reference", no_results)
    monkeypatch.setattr(type(TILE), "results_by_record", Spec.results_by_record)
    with pytest.raises(ValueError, match="vectors = 5: mixpe gives no result for so few records"):
        generate(TILE, tmp_path / "none", vectors=5)
    assert not (tmp_path / "none").exists()


# What is refused


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("2tile", "a Verilog identifier is needed"),
        ("my-tile", "a Verilog identifier is needed"),
        ("a b", "a Verilog identifier is needed"),
        ("", "a Verilog identifier is needed"),
        ("tile\n", "a Verilog identifier is needed"),
        ("../tile", "a Verilog identifier is needed"),
        ("Größe", "a Verilog identifier is needed"),
        ("module", "a keyword of Verilog or SystemVerilog"),
        ("logic", "a keyword of Verilog or SystemVerilog"),
        ("full_adders", "one of Multipede's adders"),
        ("multipede_adders", "one of Multipede's adders"),
        ("x" * 129, "at most 128 characters"),
    ],
)
def test_bad_names_are_refused(tmp_path, name, message):
    with pytest.raises(ValueError, match=message) as refused:
        generate(SMALL, tmp_path / "new", name=name)
    assert repr(name) in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"name": 3}, TypeError, "name must be str, not int: 3"),
        ({"style": "word"}, TypeError, "style must be Style, not str: 'word'"),
        ({"vectors": 0}, ValueError, "vectors = 0: allowed are 1 to 1000000"),
        ({"vectors": 1.5}, TypeError, "vectors must be int, not float: 1.5"),
        ({"seed": -1}, ValueError, "seed = -1: allowed are 0 to"),
    ],
)
def test_bad_arguments_are_refused(tmp_path, options, error, message):
    with pytest.raises(error, match=re.escape(message)):
        generate(SMALL, tmp_path / "new", **options)
    assert not (tmp_path / "new").exists()


def test_what_is_no_specification_is_refused(tmp_path):
    with pytest.raises(TypeError, match="spec must be a specification, not 'mixpe'"):
        generate("mixpe", tmp_path)


def test_a_file_in_the_directorys_place_is_refused_and_kept(tmp_path):
    (tmp_path / "taken").write_text("mine")
    for place in ("taken", "taken/below", "taken/far/below"):
        with pytest.raises(NotADirectoryError, match=r"Not a directory.*taken'"):
            generate(SMALL, tmp_path / place)
    assert (tmp_path / "taken").read_text() == "mine"


def test_a_directory_that_cannot_be_made_or_written(tmp_path):
    # Even root cannot write here.
    with pytest.raises(OSError, match=r"^\[Errno \d+\] [^\n]*/proc/"):
        generate(SMALL, "/proc/multipede-test/build", vectors=10)
    with pytest.raises(OSError, match=r"^\[Errno \d+\] [^\n]*/proc/self/fdinfo/"):
        generate(SMALL, "/proc/self/fdinfo", vectors=10)


def test_a_directory_in_a_files_place_leaves_all_as_it_was(tmp_path):
    generate(SMALL, tmp_path, vectors=10)
    (tmp_path / "integer_multiplier_tb.v").unlink()
    (tmp_path / "integer_multiplier_tb.v").mkdir()
    before = sorted((p.name, p.is_dir() or p.read_bytes()) for p in tmp_path.iterdir())
    with pytest.raises(IsADirectoryError, match=r"integer_multiplier_tb\.v"):
        generate(SMALL, tmp_path, vectors=20)
    after = sorted((p.name, p.is_dir() or p.read_bytes()) for p in tmp_path.iterdir())
    assert before == after


@pytest.mark.parametrize("step", ["unit_verilog", "golden_vectors", "bench_verilog", "_write_new"])
def test_a_failure_halfway_leaves_the_old_files(tmp_path, monkeypatch, step):
    generate(SMALL, tmp_path, vectors=10)
    before = content(tmp_path)
    working, calls = getattr(module, step), []

    def failing(*arguments, **options):
        calls.append(arguments)
        if step != "_write_new" or len(calls) == 4:
            raise OSError(28, "No space left on device", "x")
        return working(*arguments, **options)

    monkeypatch.setattr(module, step, failing)
    with pytest.raises(OSError, match="No space left"):
        generate(SMALL, tmp_path, vectors=20, seed=5)
    assert content(tmp_path) == before
    assert calls


def test_interruption_leaves_the_old_files(tmp_path, monkeypatch):
    generate(SMALL, tmp_path, vectors=10)
    before = content(tmp_path)

    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(module.os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        generate(SMALL, tmp_path, vectors=20)
    assert content(tmp_path) == before


def test_a_second_run_replaces_the_files(tmp_path):
    generate(SMALL, tmp_path, name="dut", vectors=10)
    generate(TILE, tmp_path, name="dut", vectors=50)
    assert verdict(SIMULATORS["icarus"](tmp_path, "dut")).startswith("PASS 50 records")
    assert "module dut_product(" not in (tmp_path / "dut.v").read_text()
    assert "module dut_product(" in verilog_of(SMALL, Style.WORD, name="dut")


# FuseSoC


def test_core_names_files_that_are_there(tmp_path):
    generate(TILE, tmp_path, style=Style.CELLS, name="dut", vectors=10)
    core = (tmp_path / "dut.core").read_text()
    assert core.startswith("CAPI=2:\nname: ")
    files = set(re.findall(r"\bdut\w*\.(?:v|hex)\b", core))
    assert files == {path.name for path in tmp_path.glob("dut*")} - {"dut.core"}
    assert 'depend: ["multipede:library:adders"]' in core
    assert core.count("    toplevel: dut\n") == 1
    for target in ("default", "sim", "lint"):
        assert re.search(rf"^  {target}:", core, re.M)
    adders = (tmp_path / "multipede_adders.core").read_text()
    assert 'name: "multipede:library:adders:' in adders
    assert "multipede_adders.v" in adders


def test_core_of_a_unit_on_a_bus_has_the_wrapper_on_top(tmp_path):
    generate(TILE, tmp_path, name="dut", vectors=10, bus=Bus.AXI4_STREAM)
    core = (tmp_path / "dut.core").read_text()
    assert "files: [dut.v, dut_axi4_stream.v]" in core
    assert re.findall(r"toplevel: (\w+)", core) == ["dut_axi4_stream", "dut_tb"]


@pytest.mark.parametrize("style", [Style.WORD, Style.CELLS])
def test_fusesoc_runs_the_bench(tmp_path, style):
    generate(TILE, tmp_path / "cores", style=style, name="dut", vectors=100)
    fusesoc = str(Path(sys.executable).with_name("fusesoc"))
    command = [fusesoc, "--cores-root", "cores", "run", "--target", "sim", "multipede:units:dut"]
    answer = run(command, directory=tmp_path, environment={"HOME": str(tmp_path)}, timeout=120)
    assert "PASS 100 records, " in answer.stdout + answer.stderr
