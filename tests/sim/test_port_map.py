"""`ports.json` and the golden vectors: what they say is so."""

import json
import re
from itertools import pairwise

import numpy as np
import pytest
import torch

from multipede.golden.catalogue import unit, unit_names
from multipede.golden.formats import INT4, UINT2, Integer, format_from_dict, parse_format
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.golden.integer_tile import TileOutput
from multipede.golden.mixpe import MixPE
from multipede.golden.spec import Port
from multipede.sim.compiled import compile_verilog
from multipede.sim.generate import generate
from multipede.sim.stimulus import random_records
from multipede.sim.vectors import golden_records, golden_vectors, payload_hex
from tests.sim.slow_unit import SlowSpec

SEED = 20261122
TILE = MixPE(rows=2, columns=2, lanes=2, group=4, weight=UINT2, activation=INT4)


def reference(spec, inputs):
    tensors = {name: torch.from_numpy(array) for name, array in inputs.items()}
    return {name: value.numpy() for name, value in spec.reference(**tensors)[0].items()}


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
    # One clock is enough: tests/sim/test_verify.py.
    reset = {"port": "rst", "active": "high", "synchronous": True, "clocks": 1}
    assert described["reset"] == reset


def test_port_map_describes_the_specification(tile):
    described = json.loads((tile / "ports.json").read_text())
    assert described["specification"] == TILE.to_dict()
    assert described["fingerprint"] == TILE.fingerprint
    assert described["style"] == "word"
    assert described["operations"] == {"multiply_accumulate": 8}
    assert (described["latency"], described["initiation_interval"]) == (1, 1)
    assert described["always_ready"] is True
    assert described["latency_is"] == "exact"
    assert set(described["tools"]) == {"multipede", "amaranth", "yosys"}
    assert {f for files in described["files"].values() for f in files} | {
        "ports.json",
        "dut.core",
    } == {path.name for path in tile.iterdir()}
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
    records = golden_records(TILE, 40, seed=SEED)
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


@pytest.mark.parametrize("name", unit_names())
def test_every_port_says_what_it_is(name):
    spec = unit(name)()
    for ports in (spec.inputs, spec.outputs):
        for port_name, port in ports.items():
            assert port.meaning, port_name


def test_port_map_says_when_scales_count_and_latency_is_least(tmp_path):
    spec = MixPE(rows=1, columns=2, lanes=2, group=4, output=TileOutput.DEQUANTISED)
    generate(spec, tmp_path, vectors=10)
    described = json.loads((tmp_path / "ports.json").read_text())
    assert described["latency_is"] == "least"
    scale = described["input"]["operands"]["scale"]
    assert scale["meaning"] == "scale of each column; the one with the group's final record counts"


def test_vectors_are_those_of_the_reference(tile):
    records = golden_records(TILE, 40, seed=SEED)
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
    lengths = {later - earlier for earlier, later in pairwise(ends)}
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
