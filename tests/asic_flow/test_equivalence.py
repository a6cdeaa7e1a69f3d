"""Mapped netlists are proved equal to their RTL, and a wrong gate is found out."""

import copy
from dataclasses import replace

import pytest

from multipede.asic_flow.equivalence import prove_netlist
from multipede.asic_flow.liberty.gate_table import gate_library
from multipede.asic_flow.n28 import n28_library
from multipede.asic_flow.synthesize import Constraints, synthesize
from multipede.golden.float_adder import FloatAdder
from multipede.golden.formats import E4M3, FP16, INT5, UINT3
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.golden.mixpe import MixPE
from multipede.golden.multiplier_tile import PartialProducts
from multipede.golden.number_converter import NumberConverter
from multipede.golden.stallable import Stallable
from multipede.hw import Style
from multipede.sim.solver import Answer
from multipede.sim.verilog import rtlil_of

TILE = MixPE(weight=UINT3, activation=INT5, group=8, rows=1, columns=2, lanes=2)
SPECS = [
    IntegerMultiplier(),
    IntegerMultiplier(partial_products=PartialProducts.BOOTH, stages=2),
    TILE,
    Stallable(inside=IntegerMultiplier(a=INT5, b=UINT3)),
    FloatAdder(a=E4M3, b=E4M3, result=E4M3),
    NumberConverter(x=E4M3, result=FP16),
]


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_buffered_and_sized_for_a_clock(spec):
    library = n28_library()
    found = synthesize(spec, liberty=library, constraints=Constraints(clock_period=1.5))
    assert prove_netlist(rtlil_of(spec, Style.CELLS), found, library) is Answer.PROVED


@pytest.mark.parametrize("style", [Style.CELLS, Style.CELLS_PREFIX])
def test_by_the_table_of_gates(style):
    found = synthesize(TILE, style)
    assert prove_netlist(rtlil_of(TILE, style), found, gate_library()) is Answer.PROVED


def damaged(found, kind: str, other: str):
    """With the first cell of a type exchanged for another of the same pins."""
    netlist = copy.deepcopy(dict(found.netlist))
    cell = next(cell for cell in netlist["cells"].values() if cell["type"] == kind)
    cell["type"] = other
    return replace(found, netlist=netlist)


@pytest.mark.parametrize(("kind", "other"), [("NAND2_X1", "NOR2_X1"), ("INV_X1", "BUF_X1")])
def test_a_wrong_gate_is_refuted(kind, other):
    library = n28_library()
    found = damaged(synthesize(TILE, liberty=library), kind, other)
    assert prove_netlist(rtlil_of(TILE, Style.CELLS), found, library) is Answer.REFUTED


def test_registers_that_are_not_the_units_are_refused():
    library = n28_library()
    found = synthesize(TILE, liberty=library)
    other = rtlil_of(replace(TILE, group=16), Style.CELLS)
    with pytest.raises(ValueError, match="has no like in the RTL"):
        prove_netlist(other, found, library)


def test_too_small_a_budget_proves_nothing():
    library = n28_library()
    found = synthesize(IntegerMultiplier(), liberty=library)
    rtlil = rtlil_of(IntegerMultiplier(), Style.CELLS)
    assert prove_netlist(rtlil, found, library, budget=0.001) is Answer.UNKNOWN
