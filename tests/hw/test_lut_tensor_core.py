"""The lookup tile: RTL equals golden in every way of taking weights; planted bugs are found."""

import itertools
import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from multipede.golden.codebook import BINARY, ODD, ODD2, ODD4
from multipede.golden.formats import (
    BF16,
    E2M1,
    FP16,
    INT2,
    INT3,
    INT4,
    INT8,
    UINT1,
    UINT3,
    UINT4,
    UINT8,
    Integer,
)
from multipede.golden.integer_tile import TileOutput
from multipede.golden.lookup_table import fold
from multipede.golden.lut_tensor_core import LutTensorCore, Tables
from multipede.golden.mixed_tile import Accumulation
from multipede.hw import Style
from multipede.sim.compiled import compile_model
from multipede.sim.verify import verify
from multipede.sim.verilog import rtlil_of, verilog_of
from tests.hw.equality import check_equal, in_turn
from tests.hw.netlist import check_inventory

SMALL = {"rows": 2, "columns": 2, "lanes": 4, "group": 8}
ODD_2 = {"weight": ODD2, "zero_point": False}
WHOLE = {"reinterpreted": False, "folded": False}
EXTERNAL = {"tables": Tables.EXTERNAL}
SPECS = [
    LutTensorCore(**SMALL, **ODD_2, planes_per_cycle=1),
    LutTensorCore(**SMALL, weight=UINT4, planes_per_cycle=3, stages=2),
    LutTensorCore(**SMALL, weight=UINT8, run_time_bits=True, planes_per_cycle=2, stages=4),
    LutTensorCore(
        **SMALL, weight=INT3, zero_point=False, run_time_bits=True, planes_per_cycle=2, **WHOLE
    ),
    LutTensorCore(**SMALL, folded=False, planes_per_cycle=1),
    LutTensorCore(**SMALL, weight=INT3, planes_per_cycle=2, stages=3, **EXTERNAL),
    LutTensorCore(**SMALL, **EXTERNAL, run_time_bits=True),
    LutTensorCore(**SMALL, output=TileOutput.DEQUANTISED, run_time_bits=True, planes_per_cycle=1),
    LutTensorCore(table_inputs=3, lanes=6, group=6, rows=1, columns=2, activation=FP16),
]
MORE_SPECS = [
    LutTensorCore(**SMALL, activation=BF16, weight=INT2, planes_per_cycle=1, stages=3),
    LutTensorCore(**SMALL),
    LutTensorCore(**SMALL, weight=UINT1, accumulator=Integer(32)),
    LutTensorCore(**SMALL, weight=BINARY, zero_point=False),
    LutTensorCore(
        **SMALL,
        weight=ODD4,
        zero_point=False,
        run_time_bits=True,
        planes_per_cycle=1,
        accumulator=Integer(32),
    ),
    LutTensorCore(**SMALL, weight=INT4, zero_point=False, planes_per_cycle=1),
    LutTensorCore(**SMALL, weight=INT3, run_time_bits=True, planes_per_cycle=1, table_inputs=2),
    LutTensorCore(**SMALL, **EXTERNAL, **WHOLE, planes_per_cycle=1),
    LutTensorCore(**SMALL, activation=BF16, weight=UINT3, guard=0, planes_per_cycle=1, stages=2),
    LutTensorCore(
        **SMALL, activation=BF16, weight=INT3, guard=1, run_time_bits=True, planes_per_cycle=1
    ),
    LutTensorCore(
        **SMALL,
        activation=E2M1,
        accumulation=Accumulation.ALIGNED,
        guard=0,
        weight=UINT1,
    ),
    LutTensorCore(table_inputs=6, rows=1, columns=1, lanes=12, group=24, planes_per_cycle=1),
    LutTensorCore(table_inputs=5, rows=1, columns=1, lanes=5, group=10, stages=5, **WHOLE),
    LutTensorCore(activation=Integer(16), **ODD_2, rows=1, columns=3, lanes=4, group=4, stages=3),
    LutTensorCore(
        **SMALL, weight=UINT4, output=TileOutput.DEQUANTISED, scale=INT8, planes_per_cycle=1
    ),
    LutTensorCore(**ODD_2, rows=2, columns=64, lanes=4, planes_per_cycle=1),
]


@in_turn(SPECS)
def test_rtl_equals_reference(spec, styles):
    check_equal(spec, styles, records=2000)


@pytest.mark.regress
@pytest.mark.parametrize("spec", [*SPECS, *MORE_SPECS], ids=str)
def test_rtl_equals_reference_at_length(spec):
    check_equal(spec, records=1_000_000 // len(Style) + 1)


@pytest.mark.regress
@pytest.mark.parametrize("bits", range(1, 9))
@pytest.mark.parametrize("activation", [2, 8, 16])
@pytest.mark.parametrize("kind", ["unsigned", "signed", "odd"])
def test_every_weight_width(bits, activation, kind):
    weight = ODD[bits - 1] if kind == "odd" else Integer(bits, signed=kind == "signed")
    for planes in {1, bits}:
        spec = LutTensorCore(
            weight=weight,
            zero_point=kind == "unsigned",
            activation=Integer(activation),
            planes_per_cycle=planes,
            **SMALL,
        )
        verify(spec, records=20_000).raise_on_failure()


@pytest.mark.parametrize(
    "style", [Style.WORD, pytest.param(Style.CELLS, marks=pytest.mark.regress)]
)
def test_every_lookup_of_corners(style):
    """All 16 patterns of a plane's bits, one in each column, times activations of five corners,
    for each plane of weights of every width while the others are all 0 or all 1."""
    corners = (-128, -1, 0, 1, 127)
    a = np.array(list(itertools.product(corners, repeat=4)))
    spec = LutTensorCore(
        weight=ODD[7],
        zero_point=False,
        rows=1,
        columns=16,
        lanes=4,
        group=4,
        planes_per_cycle=1,
        run_time_bits=True,
    )
    model = compile_model(spec, style=style)
    pattern = np.arange(16)[:, None] >> np.arange(4) & 1
    widths = [(bits, plane) for bits in range(1, 9) for plane in range(bits)]
    for (bits, plane), others in itertools.product(widths, (0, 1)):
        rest = ((1 << bits) - 1 - (1 << plane)) * others
        codes = (pattern << plane) + rest
        w = np.broadcast_to(fold(torch.from_numpy(codes), 4).numpy(), (len(a), 16, 4))
        ones = np.ones(len(a), np.int64)
        run = model.run({"a": a[:, None], "w": w, "bits": (bits - 1) * ones, "last": ones})
        expected = a @ (2 * codes + 1 - (1 << bits)).T
        assert expected.shape == (625, 16)
        assert (run["d"][:, 0] == expected).all()


@pytest.mark.few(9)
@pytest.mark.parametrize("style", list(Style))
@pytest.mark.parametrize(
    "spec",
    [
        LutTensorCore(**SMALL, planes_per_cycle=1),
        LutTensorCore(**SMALL, weight=UINT4, planes_per_cycle=3, stages=4),
        LutTensorCore(**SMALL, weight=UINT3, run_time_bits=True, planes_per_cycle=1, stages=3),
        LutTensorCore(**SMALL, weight=INT3, planes_per_cycle=2, stages=3, **EXTERNAL),
        LutTensorCore(**SMALL, activation=BF16, planes_per_cycle=1, stages=3),
        LutTensorCore(**SMALL, activation=FP16, **WHOLE, stages=2),
    ],
    ids=str,
)
def test_inventory_equals_the_netlist(spec, style):
    check_inventory(spec, style)


def test_there_is_no_multiplier():
    for style in Style:
        assert "$mul" not in rtlil_of(LutTensorCore(weight=UINT4), style)


def test_tables_from_outside_are_those_made_inside():
    """The tile with tables from outside gives the results of the one that makes them."""
    generator = np.random.default_rng(5)
    inside = LutTensorCore(**SMALL, weight=UINT4, planes_per_cycle=2)
    plain = {
        "a": generator.integers(-128, 128, (200, 2, 4)),
        "w": generator.integers(0, 16, (200, 2, 4)),
        "z": generator.integers(0, 16, (200, 2)),
        "last": generator.integers(0, 2, 200),
    }
    plain["last"][-1] = 1
    runs = []
    for spec in (inside, replace(inside, **EXTERNAL)):
        records = spec.port_records(dict(plain), UINT4)
        runs.append(compile_model(spec).run({name: records[name] for name in spec.inputs}))
    assert len(runs[0]["d"]) > 100
    assert (runs[0]["d"] == runs[1]["d"]).all()
    # Weights that were not folded give something else.
    unfolded = compile_model(inside).run(plain)
    assert (unfolded["d"] != runs[0]["d"]).any()


def test_records_take_the_clocks_of_their_planes():
    spec = LutTensorCore(**SMALL, weight=UINT8, run_time_bits=True, planes_per_cycle=2)
    count = 8
    records = {name: np.zeros((count, *port.shape), np.int64) for name, port in spec.inputs.items()}
    records["bits"] = np.arange(count)
    clocks = spec.record_clocks(records)
    assert clocks.tolist() == [1, 1, 2, 2, 3, 3, 4, 4]
    assert compile_model(spec).run(records).cycles == clocks.sum() + spec.latency


BUGS = {
    "a lookup that is never negated": (r"assign negate_0_0_0 = ", "assign negate_0_0_0 = 1'h0 & "),
    "an accumulator that outlives its group": (r"assign keep = ", "assign keep = 1'h1 | "),
    "a sum of activations in every clock": (r"assign begins = ", "assign begins = 1'h1 | "),
    "planes at the wrong place": (r"\.cycle\(cycle\)", ".cycle('0)"),
    "a record taken too early": (r"assign i_ready = ", "assign i_ready = i_valid | "),
    "an offset that is lost": (r"\.offset\(offset_0\)", ".offset('0)"),
    "an index that is not decoded": (r"\.select0_0\([^)]*\)", ".select0_0('0)"),
}


@pytest.mark.few(3)
@pytest.mark.parametrize("bug", BUGS)
def test_planted_bugs_are_found(bug):
    spec = LutTensorCore(rows=1, columns=1, lanes=4, group=8, weight=UINT3, planes_per_cycle=1)
    text = verilog_of(spec, Style.WORD)
    pattern, wrong = BUGS[bug]
    broken, count = re.subn(pattern, wrong, text)
    assert count == 1
    sources = {"ours": text, "broken": broken}
    report = verify(spec, verilog=sources, records=2000, waveform=False)
    failed = {check.style for check in report.checks if not check.passed}
    assert failed == {"broken"}
