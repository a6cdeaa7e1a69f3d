"""Tables in hardware: RTL equals golden in every style, and verification finds bugs."""

import itertools

import numpy as np
import pytest
import torch

from multipede.golden.formats import BF16, E2M1, E4M3, E5M2, FP16, INT8, INT16, Float, Overflow
from multipede.golden.table_precompute import TableFormat, TablePrecompute
from multipede.hw import Style
from multipede.hw.arithmetic.circuit import Circuit
from multipede.hw.arithmetic.circuit_plan import CircuitPlan
from multipede.hw.arithmetic.divider import divide
from multipede.hw.arithmetic.sharing_circuit import SharingCircuit
from multipede.sim.compiled import compile_model
from tests.hw.equality import check_equal, in_turn
from tests.hw.netlist import check_inventory, counted_operators
from tests.hw.planted import check_found, replaced

QUANTISED = TableFormat.INT8
ONE = {"rows": 1, "lanes": 4}
SPECS = [
    TablePrecompute(lanes=8),
    TablePrecompute(activation=E4M3, rows=1, lanes=3, table_inputs=3, stages=2),
    TablePrecompute(activation=FP16, table=QUANTISED, rows=1, lanes=2, table_inputs=2),
]
MORE_SPECS = [
    TablePrecompute(activation=FP16, **ONE),
    TablePrecompute(activation=FP16, table=QUANTISED, **ONE),
    TablePrecompute(activation=E4M3, rows=2, lanes=6, table_inputs=3, stages=3),
    TablePrecompute(
        activation=E4M3, table=QUANTISED, rows=1, lanes=2, table_inputs=2, reinterpreted=False
    ),
    TablePrecompute(activation=INT16, lanes=6, table_inputs=6, stages=0),
    TablePrecompute(activation=INT8, reinterpreted=False, stages=2),
    TablePrecompute(activation=BF16, **ONE),
    TablePrecompute(activation=E5M2, table_inputs=5, rows=1, lanes=5, stages=5),
    TablePrecompute(activation=E2M1, table_inputs=3, rows=1, lanes=3, stages=0),
    TablePrecompute(activation=E4M3, overflow=Overflow.SATURATE, **ONE),
    TablePrecompute(activation=Float(4, 3, subnormals=False), reinterpreted=False, **ONE),
    TablePrecompute(activation=BF16, table=QUANTISED, stages=7, **ONE),
    TablePrecompute(activation=FP16, table=QUANTISED, table_scale=BF16, **ONE),
    TablePrecompute(activation=FP16, table=QUANTISED, table_scale=E5M2, **ONE),
    TablePrecompute(activation=E5M2, table=QUANTISED, **ONE),
    TablePrecompute(activation=E2M1, table=QUANTISED, table_inputs=2, **ONE),
]


@in_turn(SPECS)
def test_rtl_equals_reference(spec, styles):
    check_equal(spec, styles, records=2000)


@pytest.mark.regress
@pytest.mark.parametrize("spec", [*SPECS, *MORE_SPECS], ids=str)
def test_rtl_equals_reference_at_length(spec):
    check_equal(spec, records=1_000_000 // len(Style) + 1)


@pytest.mark.few(8)
@pytest.mark.parametrize("style", list(Style))
@pytest.mark.parametrize("spec", [*SPECS, *MORE_SPECS[2:4]], ids=str)
def test_inventory_equals_the_netlist(spec, style):
    check_inventory(spec, style)


CORNERS = {
    FP16: (0x0000, 0x8000, 0x0001, 0x83FF, 0x3C00, 0x7BFF, 0xFC00, 0x7E00),
    E4M3: (0x00, 0x80, 0x01, 0x87, 0x38, 0x7E, 0xFE, 0x7F),
    INT8: (-128, -127, -1, 0, 1, 127),
}


@pytest.mark.few(3)
@pytest.mark.parametrize("table", [None, QUANTISED])
@pytest.mark.parametrize("activation", CORNERS)
def test_all_combinations_of_corners(activation, table):
    """Signed zeros, subnormals, the extremes, infinities and NaN in all lanes; -128 everywhere."""
    if table is QUANTISED and activation is INT8:
        table = TableFormat.EXACT
    spec = TablePrecompute(activation=activation, table=table, **ONE)
    a = np.array(list(itertools.product(CORNERS[activation], repeat=4)))[:, None, :]
    run = compile_model(spec, style=Style.WORD).run({"a": a})
    outputs, _ = spec.reference(a=torch.from_numpy(a))
    for name, expected in outputs.items():
        assert np.array_equal(run[name], expected.numpy())


def test_sums_and_differences_share_their_alignment():
    """Twelve float additions take much less than twelve times the operators of one."""
    wide = TablePrecompute(activation=FP16, **ONE)
    pair = TablePrecompute(activation=FP16, rows=1, lanes=2, table_inputs=2)
    of_pair = counted_operators(pair, Style.WORD)
    assert counted_operators(wide, Style.WORD)["multiplexer_bit"] < 6.1 * of_pair["multiplexer_bit"]


@pytest.mark.parametrize(("dividend", "divisor", "quotient"), [(9, 4, 6), (7, 4, 5), (5, 3, 7)])
def test_every_quotient(dividend, divisor, quotient):
    for kind in (Circuit, SharingCircuit):
        c = kind()
        x, y = c.input("x", dividend), c.input("y", divisor)
        word, inexact = divide(c, x, y, quotient, "divide")
        c.output("quotient", word)
        c.output("inexact", (inexact,))
        a, b = np.divmod(np.arange(1 << dividend + divisor), 1 << divisor)
        fits = (b > 0) & (a < b << quotient)
        a, b = a[fits], b[fits]
        found = CircuitPlan(c, Style.WORD, ranks=0).evaluate(x=a, y=b)
        assert (found["quotient"] == a // b).all()
        assert (found["inexact"] == (a % b != 0)).all()


BUGS = {
    "a scale that is never NaN": (FP16, replaced(r"assign special = .*;", "assign special = 0;")),
    "codes that are not clipped": (FP16, replaced(r"assign clips = .*;", "assign clips = 0;")),
    "a remainder that is forgotten": (
        FP16,
        replaced(r"assign by_127_inexact = .*;", "assign by_127_inexact = 0;"),
    ),
    "ones lost on the way to the dividend": (
        E5M2,
        replaced(r"assign dividend_inexact = .*;", "assign dividend_inexact = 0;"),
    ),
    "infinities that do not clash": (None, replaced(r"assign clash = .*;", "assign clash = 0;")),
}


@pytest.mark.few(2)
@pytest.mark.parametrize("bug", BUGS)
def test_planted_bugs_are_found(bug):
    scale, plant = BUGS[bug]
    table = TableFormat.ROUNDED if scale is None else QUANTISED
    shape = {"rows": 1, "lanes": 2, "table_inputs": 2}
    spec = TablePrecompute(activation=FP16, table=table, table_scale=scale, **shape)
    check_found(spec, plant)
