"""AXI4-Stream wrappers between cocotbext-axi's source and sink, packed as ports.json says."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from multipede.golden.float_adder import FloatAdder
from multipede.golden.formats import E4M3, INT4, INT8, UINT2, UINT4, Integer
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.golden.integer_tile import TileOutput
from multipede.golden.mixpe import MixPE
from multipede.golden.small_units import small_unit
from multipede.hw import Style
from multipede.hw.axi4_stream import Axi4StreamLayout
from multipede.sim.generate import Bus, generate
from multipede.sim.stimulus import random_records
from multipede.toolchain import run
from tests.hw.planted import replaced
from tests.sim.slow_unit import SlowSpec

ROOT = Path(__file__).parents[2]
CASES = ("at_full_pace", "with_pauses", "with_a_slow_sink", "with_resets")
SMALL = {"weight": UINT2, "activation": INT4, "rows": 1, "columns": 2, "lanes": 3, "group": 6}
TILE = MixPE(**SMALL)
SPECS = {
    "tile": (TILE, None, Style.CELLS),
    "tile-8": (TILE, 8, Style.WORD),
    "dequantised-32": (MixPE(output=TileOutput.DEQUANTISED, **SMALL), 32, Style.WORD),
    "dequantised-cells-64": (
        MixPE(**{**SMALL, "weight": UINT4, "output": TileOutput.DEQUANTISED}),
        64,
        Style.CELLS,
    ),
    "combinational-16": (IntegerMultiplier(stages=0), 16, Style.WORD),
    "combinational-8": (IntegerMultiplier(stages=0), 8, Style.WORD),
    "multiplier-8": (IntegerMultiplier(stages=3), 8, Style.WORD),
    "network-32": (small_unit("inr_network"), 32, Style.WORD),
    "adder-64": (FloatAdder(a=E4M3, b=E4M3, result=E4M3, stages=2), 64, Style.WORD),
}


def packed(side: dict, records: dict, count: int) -> list[bytes]:
    """Bytes of each record, by what ports.json says of the places of operands."""
    result = []
    for record in range(count):
        word = 0
        for name, operand in side["operands"].items():
            mask = (1 << operand["element_bits"]) - 1
            codes = np.asarray(records[name][record])
            for index in np.ndindex(*operand["shape"]):
                place = operand["base"] + sum(
                    i * stride for i, stride in zip(index, operand["strides"], strict=True)
                )
                word |= (int(codes[index]) & mask) << place
        result.append(word.to_bytes(side["bytes"], "little"))
    return result


def joined(payloads: list[bytes], ends: list[int]) -> list[str]:
    """Packets as hexadecimal; the last one must be complete."""
    packets, current = [], b""
    for payload, end in zip(payloads, ends, strict=True):
        current += payload
        if end:
            packets.append(current.hex())
            current = b""
    assert not current
    return packets


def vectors(spec, bus: dict, count: int = 120) -> dict:
    """Packets of records, and those that must come back."""
    records = spec.ended(random_records(spec, count, seed=11))
    generator = np.random.default_rng(12)
    ends = records.get("last", (generator.random(count) < 0.3).astype(np.int64))
    ends[-1] = 1
    tensors = {name: torch.from_numpy(array) for name, array in records.items()}
    results = {name: t.numpy() for name, t in spec.reference(None, **tensors)[0].items()}
    number = len(next(iter(results.values())))
    if "last" not in spec.inputs:
        out_ends = ends.tolist()
    else:
        out_ends = results.get("last", np.ones(number)).tolist()
    sent = joined(packed(bus["input"], records, count), ends.tolist())
    return {
        "packets": [{"data": data, "keep": [1] * (len(data) // 2)} for data in sent],
        "expected": joined(packed(bus["output"], results, number), out_ends),
    }


def simulate(directory: Path, description: dict, content: dict, cases=CASES) -> str:
    """Run the cases in Icarus; the log."""
    top = description["bus"]["module"]
    names = description["files"]["bus"] + [
        name for name in description["files"]["rtl"] if "adders" in name
    ]
    build = directory / "build"
    build.mkdir()
    done = directory / "done"
    file = directory / "vectors.json"
    file.write_text(json.dumps(content | {"done": str(done)}))
    common = {"simulator": "icarus", "top": top, "waves": False}
    sources = [str(directory / name) for name in names]
    steps = {
        "build": common | {"sources": sources, "pins": [], "directory": str(build)},
        "run": common
        | {
            "build": str(build),
            "directory": str(directory),
            "cases": list(cases),
            "module": "tests.sim.axi4_stream_bench",
        },
    }
    log = ""
    for action, arguments in steps.items():
        settings = directory / f"{action}.json"
        settings.write_text(json.dumps(arguments))
        environment = {"AXI4_STREAM_VECTORS": str(file), "PYTHONPATH": str(ROOT)}
        completed = run(
            [sys.executable, "-m", "multipede.sim.cocotb_run"],
            [action, str(settings)],
            directory=directory,
            timeout=120,
            environment=environment,
            check=action == "build",
        )
        log = completed.stdout + completed.stderr
    if completed.returncode == 0:
        assert done.read_text() == str(len(content["expected"]))
    return log if completed.returncode else ""


def made(directory: Path, spec, data_bits, style=Style.WORD) -> dict:
    generate(
        spec,
        directory,
        style=style,
        name="dut",
        vectors=8,
        bus=Bus.AXI4_STREAM,
        data_bits=data_bits,
    )
    return json.loads((directory / "ports.json").read_text())


@pytest.mark.few(3)
@pytest.mark.parametrize("name", SPECS)
def test_packets_come_back_as_golden_says(name, tmp_path):
    spec, data_bits, style = SPECS[name]
    description = made(tmp_path, spec, data_bits, style)
    content = vectors(spec, description["bus"])
    assert len(content["expected"]) >= 5
    assert simulate(tmp_path, description, content) == ""


def test_bytes_left_out_and_records_cut_short_count_as_zeros(tmp_path):
    """One packet of a single beat with two of its four bytes, and one that is whole."""
    spec = IntegerMultiplier(a=INT4, b=INT4)
    description = made(tmp_path, spec, 8)
    beats = description["bus"]["input"]["beats"]
    assert (beats, description["bus"]["input"]["bytes"]) == (1, 1)
    wide = IntegerMultiplier(stages=1)
    (tmp_path / "wide").mkdir()
    description = made(tmp_path / "wide", wide, 8)
    assert description["bus"]["input"]["beats"] == 2
    packets = [
        {"data": "03", "keep": [1]},  # a = 3, b cut off
        {"data": "0305", "keep": [1, 0]},  # b left out
        {"data": "0305", "keep": [1, 1]},
    ]
    content = {"packets": packets * 4, "expected": ["0000", "0000", "0f00"] * 4}
    assert simulate(tmp_path / "wide", description, content) == ""


def test_what_a_record_cut_short_lacks_is_not_what_was_there_before(tmp_path):
    spec = IntegerMultiplier(a=INT8, b=Integer(16, signed=True), stages=1)
    description = made(tmp_path, spec, 8)
    assert description["bus"]["input"]["beats"] == 3
    products = {3: 0x03 * 0x1FF, 2: 0x03 * 0xFF, 1: 0}
    lengths = (3, 1, 3, 2, 3, 1, 2)
    content = {
        "packets": [{"data": "03ff01"[: 2 * n], "keep": [1] * n} for n in lengths],
        "expected": [products[n].to_bytes(3, "little").hex() for n in lengths],
    }
    assert simulate(tmp_path, description, content) == ""


class Thinned(SlowSpec):
    """Only odd numbers give a result."""

    def reference(self, state=None, **inputs):
        x = inputs["x"]
        return {"y": (x[x % 2 == 1] + 1) % 256}, None


def test_ends_of_packets_need_a_result_for_each_record(tmp_path):
    message = r"bus: of 8 records slow makes [1-7] results; units without 'last' must give one"
    with pytest.raises(ValueError, match=message):
        made(tmp_path / "none", Thinned(), 8)
    assert not (tmp_path / "none").exists()


BUGS = {
    "a reset that forgets the beat": replaced(r"aresetn \? (\w+) : 1'h0;", r"\1;"),
    "a beat that is stored wrongly": replaced(r"beat_0 <= ", "beat_0 <= ~"),
    "tkeep is ignored": replaced(r"s_axis_tkeep\[1\] \?", "1'b1 ?"),
    "tlast with every beat": replaced(r"assign m_axis_tlast = .*;", "assign m_axis_tlast = 1'b1;"),
    "a record is taken twice": replaced(
        r"assign s_axis_tready = .*;", "assign s_axis_tready = i_valid;"
    ),
    "a result leaves with its first beat": replaced(
        r"assign o_ready = .*;", "assign o_ready = m_axis_tready;"
    ),
}


@pytest.mark.few(3)
@pytest.mark.parametrize("bug", BUGS)
def test_planted_bugs_are_found(bug, tmp_path):
    spec = IntegerMultiplier(stages=2)
    description = made(tmp_path, spec, 16 if "tkeep" in bug else 8)
    content = vectors(spec, description["bus"], count=20)
    if "tkeep" in bug:
        content = {"packets": [{"data": "0305", "keep": [1, 0]}], "expected": ["0000"]}
    file = tmp_path / "dut_axi4_stream.v"
    text = file.read_text()
    broken = BUGS[bug](text)
    assert broken != text, text
    file.write_text(broken)
    case = "with_resets" if "reset" in bug else "with_pauses"
    assert simulate(tmp_path, description, content, cases=[case]) != ""


@pytest.mark.parametrize(
    ("data_bits", "error", "message"),
    [
        (12, ValueError, "data_bits = 12: allowed are 8, 16, 32, 64, 128, 256, 512, 1024"),
        ("32", TypeError, "data_bits must be int, not str"),
    ],
)
def test_bad_widths(data_bits, error, message):
    with pytest.raises(error, match=message):
        Axi4StreamLayout(TILE, data_bits)


def test_a_width_needs_a_bus(tmp_path):
    with pytest.raises(ValueError, match="data_bits = 32: only with a bus"):
        generate(TILE, tmp_path, data_bits=32)
    assert os.listdir(tmp_path) == []
