"""What `generate` writes, what it refuses, and that nothing is lost when it fails."""

import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch

from multipede.golden.formats import INT4, UINT2, Integer, format_from_dict, parse_format
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.golden.mixpe import MixPE
from multipede.golden.spec import Port
from multipede.hw import Style
from multipede.sim import generate as module
from multipede.sim.generate import generate
from multipede.sim.model import compile_verilog
from multipede.sim.stimulus import random_records
from multipede.sim.vectors import golden_vectors, payload_hex
from multipede.sim.verilog import verilog_of
from multipede.toolchain import run
from tests.sim.bench_runs import SIMULATORS, verdict
from tests.sim.slow_unit import SlowSpec

SEED = 20261122
TILE = MixPE(rows=2, columns=2, lanes=2, group=4, weight=UINT2, activation=INT4)
SMALL = IntegerMultiplier(a=INT4, b=INT4)
PLAIN_FILES = {"ports.json", "{}.v", "{}.core", "{}_tb.v", "{}_inputs.hex", "{}_outputs.hex"}
ADDER_FILES = {"multipede_adders.v", "multipede_adders.core"}


def content(directory):
    return {path.name: path.read_bytes() for path in sorted(directory.iterdir())}


def reference(spec, inputs):
    tensors = {name: torch.from_numpy(array) for name, array in inputs.items()}
    return {name: value.numpy() for name, value in spec.reference(**tensors)[0].items()}


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


# ports.json


@pytest.fixture(scope="module")
def tile(tmp_path_factory):
    directory = tmp_path_factory.mktemp("tile")
    generate(TILE, directory, name="dut", vectors=40, seed=SEED)
    return directory


def test_port_map_agrees_with_the_verilog(tile):
    described = json.loads((tile / "ports.json").read_text())
    header = (tile / "dut.v").read_text().split("\nmodule dut(\n")[1].split("\n);")[0]
    found = {}
    for line in header.splitlines():
        direction, width, name = re.fullmatch(
            r"  (input|output)(?: reg)? (?:\[(\d+):0\] )?(\w+)(?: = \S+?)?,?", line
        ).groups()
        found[name] = (direction, int(width or 0) + 1)
    assert {p["name"]: (p["direction"], p["width"]) for p in described["ports"]} == found
    assert len(found) == 6
    for side in ("input", "output"):
        stream = described[side]
        assert found[stream["payload"]] == (side, stream["width"])
        assert found[stream["valid"]] == (side, 1)
        assert stream["ready"] is None
    assert described["clock"]["port"] in found
    assert described["reset"] == {"port": "rst", "active": "high", "synchronous": True}


def test_port_map_describes_the_specification(tile):
    described = json.loads((tile / "ports.json").read_text())
    assert described["specification"] == TILE.to_dict()
    assert described["fingerprint"] == TILE.fingerprint
    assert described["style"] == "word"
    assert described["operations"] == {"multiply_accumulate": 8}
    assert (described["latency"], described["initiation_interval"]) == (1, 1)
    assert described["always_ready"] is True
    assert set(described["tools"]) == {"multipede", "amaranth", "yosys"}
    assert set(sum(described["files"].values(), [])) | {"ports.json", "dut.core"} == {
        path.name for path in tile.iterdir()
    }
    operands = described["input"]["operands"]
    assert list(operands) == ["a", "w", "z", "last"]
    for name, operand in operands.items():
        port = TILE.inputs[name]
        format_ = dict(operand["format"])
        assert parse_format(format_.pop("name")) == port.format == format_from_dict(format_)
        assert (operand["shape"], operand["bits"]) == (list(port.shape), port.bits)


def positions(operand):
    """Index of each element and its lowest bit, from base and strides."""
    for index in np.ndindex(*operand["shape"]):
        yield index, operand["base"] + sum(map(int.__mul__, index, operand["strides"]))


def test_port_map_finds_each_element_in_the_payload(tile):
    described = json.loads((tile / "ports.json").read_text())
    records = random_records(TILE, 40, seed=SEED)
    records["last"][-1] = 1
    payloads = [int(line, 16) for line in (tile / "dut_inputs.hex").read_text().split()[:-1]]
    assert len(payloads) == 40
    checked = 0
    for name, operand in described["input"]["operands"].items():
        for index, low in positions(operand):
            mask = (1 << operand["element_bits"]) - 1
            found = [payload >> low & mask for payload in payloads]
            wanted = TILE.inputs[name].format.to_bits(records[name][(slice(None), *index)])
            assert found == wanted.tolist(), (name, index)
            checked += 1
    assert checked == 4 + 4 + 2 + 1


@pytest.mark.parametrize(("row", "lane"), [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_port_map_names_the_wires_that_the_unit_reads(tile, row, lane):
    # The unit behind a mask that lets one element of `a` through.
    operands = json.loads((tile / "ports.json").read_text())["input"]["operands"]
    bits = dict(positions(operands["a"]))
    ones = (1 << operands["a"]["element_bits"]) - 1
    width = sum(operand["bits"] for operand in operands.values())
    mask = (1 << width) - (1 << operands["w"]["base"]) | ones << bits[row, lane]
    wrapper = f"""
module mixpe(input clk, input rst, input [{width - 1}:0] i_payload, input i_valid,
             output [{sum(p.bits for p in TILE.outputs.values()) - 1}:0] o_payload, output o_valid);
  dut inner(.clk(clk), .rst(rst), .i_payload(i_payload & {width}'h{mask:x}), .i_valid(i_valid),
            .o_payload(o_payload), .o_valid(o_valid));
endmodule
"""
    model = compile_verilog(wrapper + (tile / "dut.v").read_text(), TILE)
    inputs = random_records(TILE, 500, seed=SEED)
    got = model.run(inputs)
    alone = np.zeros_like(inputs["a"])
    alone[:, row, lane] = inputs["a"][:, row, lane]
    wanted = reference(TILE, inputs | {"a": alone})
    assert len(wanted["d"]) >= 50
    np.testing.assert_array_equal(got["d"], wanted["d"])
    assert (wanted["d"] != reference(TILE, inputs)["d"]).any()


def test_port_map_of_a_unit_with_ready_and_of_one_without_clock(tmp_path):
    generate(SlowSpec(), tmp_path / "slow", vectors=10)
    slow = json.loads((tmp_path / "slow" / "ports.json").read_text())
    assert (slow["input"]["ready"], slow["output"]["ready"]) == ("i_ready", "o_ready")
    assert slow["always_ready"] is False
    assert slow["initiation_interval"] == 4
    generate(IntegerMultiplier(stages=0), tmp_path / "plain", vectors=10)
    plain = json.loads((tmp_path / "plain" / "ports.json").read_text())
    assert (plain["clock"], plain["reset"], plain["latency"]) == (None, None, 0)


# Vectors


def test_vectors_are_those_of_the_reference(tile):
    records = random_records(TILE, 40, seed=SEED)
    records["last"][-1] = 1
    wanted = payload_hex(TILE.outputs, reference(TILE, records))
    *lines, count = (tile / "dut_outputs.hex").read_text().splitlines()
    assert [line.split()[1] for line in lines] == wanted
    assert int(count, 16) == len(wanted) >= 10
    ends = [int(line.split()[0], 16) for line in lines]
    assert ends == sorted(set(ends))
    assert ends[-1] == 39


def test_vectors_reach_whole_groups_and_broken_off_ones():
    spec = MixPE(rows=1, columns=1, lanes=2, group=8)
    lines = golden_vectors(spec, 1000, seed=SEED).outputs.splitlines()[:-1]
    ends = [-1] + [int(line.split()[0], 16) for line in lines]
    lengths = {later - earlier for earlier, later in zip(ends, ends[1:], strict=False)}
    assert lengths == {1, 2, 3, 4}


def test_wide_and_odd_ports_in_hexadecimal():
    ports = {"x": Port(Integer(70)), "y": Port(INT4, (3,)), "z": Port(Integer(1, signed=False))}
    records = {
        "x": np.array([[1, 2, 63], [0xFFFFFFFF, 0xFFFFFFFF, 0]]),
        "y": np.array([[1, -1, -8], [0, 7, 2]]),
        "z": np.array([1, 0]),
    }
    wanted = [
        1 | 2 << 32 | 63 << 64 | 1 << 70 | 0xF << 74 | 8 << 78 | 1 << 82,
        (1 << 64) - 1 | 7 << 74 | 2 << 78,
    ]
    lines = payload_hex(ports, records)
    assert [int(line, 16) for line in lines] == wanted
    assert {len(line) for line in lines} == {21}


def test_one_record_is_enough_for_a_tile_and_too_few_are_refused(tmp_path, monkeypatch):
    generate(TILE, tmp_path / "one", name="dut", vectors=1)
    assert verdict(SIMULATORS["icarus"](tmp_path / "one", "dut")) == "PASS 1 records, 1 results"
    silent = type(TILE).reference

    def no_results(self, state=None, **inputs):
        outputs, state = silent(self, state, **inputs)
        return {name: value[:0] for name, value in outputs.items()}, state

    monkeypatch.setattr(type(TILE), "reference", no_results)
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
        with pytest.raises(NotADirectoryError, match="Not a directory.*taken'"):
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
    with pytest.raises(IsADirectoryError, match="integer_multiplier_tb.v"):
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
    for target in ("default", "sim", "lint"):
        assert re.search(rf"^  {target}:", core, re.M)
    adders = (tmp_path / "multipede_adders.core").read_text()
    assert 'name: "multipede:library:adders:' in adders
    assert "multipede_adders.v" in adders


@pytest.mark.skipif(shutil.which("fusesoc") is None, reason="needs: pip install fusesoc")
@pytest.mark.parametrize("style", [Style.WORD, Style.CELLS])
def test_fusesoc_runs_the_bench(tmp_path, style):
    generate(TILE, tmp_path / "cores", style=style, name="dut", vectors=100)
    command = ["fusesoc", "--cores-root", "cores", "run", "--target", "sim", "multipede:units:dut"]
    answer = run(command, directory=tmp_path, environment={"HOME": str(tmp_path)}, timeout=120)
    assert "PASS 100 records, " in answer.stdout + answer.stderr
