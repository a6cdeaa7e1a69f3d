"""The mapped netlist computes what the specification says, and a damaged one does not."""

import re

import numpy as np
import pytest
import torch

from multipede.asic_flow.liberty.gate_table import cell_models
from multipede.asic_flow.synthesize import synthesize
from multipede.golden.formats import INT4, INT5, UINT3, parse_format
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.golden.mixpe import MixPE
from multipede.hw import Style
from multipede.hw.arithmetic.cell_plan import AdderKind
from multipede.hw.mixpe import MixPEUnit
from multipede.sim.compiled import compile_verilog

MIXPE = MixPE(weight=UINT3, activation=INT5, group=8, rows=1, columns=2, lanes=2)
INT20 = parse_format("int20")
WIDE = MixPE(
    weight=UINT3,
    activation=INT5,
    group=16,
    zero_point=False,
    rows=1,
    columns=1,
    lanes=8,
    accumulator=INT20,
)
MULTIPLIER = IntegerMultiplier(a=INT5, b=INT4, stages=1)


def stimulus(spec, records: int) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(20261122)
    return {
        name: generator.integers(
            port.format.minimum, port.format.maximum, (records, *port.shape), endpoint=True
        )
        for name, port in spec.inputs.items()
    }


def mismatches(spec, netlist: str, records: int = 20_000) -> int:
    """How many results of the netlist are not those of the reference; at least one is compared."""
    inputs = stimulus(spec, records)
    expected, _ = spec.reference(**{n: torch.from_numpy(v) for n, v in inputs.items()})
    got = compile_verilog(cell_models() + netlist, spec).run(inputs)
    wrong = 0
    for name, values in expected.items():
        assert values.numel() > 0
        if got[name].shape != tuple(values.shape):
            return values.numel()
        wrong += int((got[name] != values.numpy()).sum())
    return wrong


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("spec", "style"),
    [
        (MIXPE, Style.CELLS),
        (WIDE, Style.CELLS_PREFIX),
        (MULTIPLIER, Style.CELLS_PREFIX),
        pytest.param(MIXPE, Style.CELLS_PREFIX, marks=pytest.mark.regress),
        pytest.param(WIDE, Style.CELLS, marks=pytest.mark.regress),
        pytest.param(MULTIPLIER, Style.CELLS, marks=pytest.mark.regress),
    ],
    ids=str,
)
def test_computes_the_reference(spec, style):
    assert mismatches(spec, synthesize(spec, style).verilog) == 0


def test_of_the_wide_accumulator_ones_meet_single_bits():
    kinds = {adder.kind for adder in MixPEUnit.planned(WIDE, Style.CELLS).dot_product.sum.adders}
    assert kinds == {AdderKind.FULL, AdderKind.HALF_PLUS_ONE, AdderKind.INCREMENT}


def without_first(cell: str, netlist: str) -> str:
    """The netlist without the first cell of this type; its outputs float."""
    damaged, removed = re.subn(rf"^  {cell} .*?\);\n", "", netlist, count=1, flags=re.S | re.M)
    assert removed == 1
    return damaged


@pytest.mark.parametrize("cell", ["FULL_ADDER", "NAND2", "DFF"])
def test_a_dropped_cell_is_noticed(cell):
    netlist = synthesize(MIXPE).verilog
    assert mismatches(MIXPE, without_first(cell, netlist)) > 0


def test_an_exchanged_gate_is_noticed():
    netlist = synthesize(MULTIPLIER).verilog
    assert mismatches(MULTIPLIER, netlist.replace("  NAND2 ", "  NOR2 ", 1)) > 0
