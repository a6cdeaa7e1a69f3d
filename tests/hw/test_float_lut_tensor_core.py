"""Table-lookup tiles with float tables: RTL equals golden, and verification finds bugs."""

import numpy as np
import pytest
import torch

from multipede.golden.codebook import BINARY, ODD3, ODD4, ODD8
from multipede.golden.float_lut_tensor_core import FloatLutTensorCore
from multipede.golden.float_tile import SumOrder
from multipede.golden.formats import BF16, E2M1, E4M3, E5M2, FP16, Float, Overflow
from multipede.golden.lut_tensor_core import Tables
from multipede.golden.table_precompute import TableFormat
from multipede.hw import Style
from multipede.hw.arithmetic.circuit import Circuit
from multipede.hw.arithmetic.operands import unpack
from multipede.hw.arithmetic.term_words import Scaling
from multipede.hw.float_lut_tensor_core import FloatLutTensorCorePlan
from multipede.sim.compiled import compile_model
from tests.golden.test_float_lut_tensor_core import corner_lookups
from tests.hw.equality import check_equal, in_turn
from tests.hw.netlist import check_inventory
from tests.hw.planted import check_found, replaced

EXTERNAL, CODES = Tables.EXTERNAL, TableFormat.INT8
SEQUENTIAL = SumOrder.SEQUENTIAL
ROW = {"rows": 1, "columns": 2}
SPECS = [
    FloatLutTensorCore(stages=2, **ROW),
    FloatLutTensorCore(
        weight=ODD3, planes_per_cycle=1, run_time_bits=True, table_inputs=2, activation=E4M3, **ROW
    ),
    FloatLutTensorCore(table=CODES, tables=EXTERNAL, weight=ODD3, planes_per_cycle=2, **ROW),
]
MORE_SPECS = [
    FloatLutTensorCore(
        activation=Float(6, 2, bias=20), accumulator=FP16, weight=BINARY, table_inputs=2, **ROW
    ),
    FloatLutTensorCore(weight=BINARY, rows=2, columns=3),
    FloatLutTensorCore(weight=ODD4, planes_per_cycle=1, run_time_bits=True, stages=3, **ROW),
    FloatLutTensorCore(weight=ODD3, planes_per_cycle=2, activation=BF16, lanes=8, stages=4, **ROW),
    FloatLutTensorCore(
        order=SEQUENTIAL, activation=E4M3, accumulator=FP16, lanes=8, stages=3, **ROW
    ),
    FloatLutTensorCore(accumulator=BF16, lanes=2, table_inputs=2, weight=ODD8, **ROW),
    FloatLutTensorCore(accumulator=Float(6, 7, subnormals=False), table_inputs=2, **ROW),
    FloatLutTensorCore(
        activation=E2M1, accumulator=Float(8, 15, subnormals=False), weight=ODD4, **ROW
    ),
    FloatLutTensorCore(activation=E4M3, overflow=Overflow.SATURATE, table_inputs=2, **ROW),
    FloatLutTensorCore(
        tables=EXTERNAL,
        weight=ODD3,
        planes_per_cycle=2,
        run_time_bits=True,
        activation=E5M2,
        accumulator=FP16,
        lanes=6,
        table_inputs=2,
        stages=2,
        **ROW,
    ),
    FloatLutTensorCore(table=CODES, stages=6, lanes=8, **ROW),
    FloatLutTensorCore(
        table=CODES, weight=ODD8, planes_per_cycle=3, run_time_bits=True, order=SEQUENTIAL, **ROW
    ),
    FloatLutTensorCore(
        table=CODES,
        tables=EXTERNAL,
        weight=ODD3,
        planes_per_cycle=1,
        activation=BF16,
        lanes=9,
        table_inputs=3,
        stages=5,
        **ROW,
    ),
]


@in_turn(SPECS)
def test_rtl_equals_reference(spec, styles):
    check_equal(spec, styles, records=1500)


@pytest.mark.regress
@pytest.mark.parametrize("spec", [*SPECS, *MORE_SPECS], ids=str)
def test_rtl_equals_reference_at_length(spec):
    check_equal(spec, records=1_000_000 // len(Style) + 1)


@pytest.mark.few(5)
@pytest.mark.parametrize("style", [Style.WORD, Style.CELLS])
@pytest.mark.parametrize("spec", [*SPECS, MORE_SPECS[4], MORE_SPECS[12]], ids=str)
def test_inventory_equals_the_netlist(spec, style):
    check_inventory(spec, style)


@pytest.mark.regress
@pytest.mark.parametrize("spec", MORE_SPECS, ids=str)
def test_inventory_equals_the_netlist_of_more(spec):
    check_inventory(spec, Style.CELLS_PREFIX)


def test_all_lookups_of_corners_in_all_planes_of_weights_of_1_to_8_bits():
    """Zeros, subnormal numbers, the largest, infinity and NaN in all four lanes."""
    spec = FloatLutTensorCore(weight=ODD8, planes_per_cycle=1, run_time_bits=True, rows=1)
    plain = corner_lookups(spec)
    given = spec.port_records({n: plain[n] for n in ("a", "w", "last")}, ODD8)
    model = compile_model(spec, style=Style.WORD)
    for bits in range(8):
        given["bits"] = torch.full_like(plain["last"], bits)
        run = model.run({name: tensor.numpy() for name, tensor in given.items()})
        expected, _ = spec.reference(**given)
        assert np.array_equal(run["y"], expected["y"].numpy())


def test_terms_are_exact_wherever_the_accumulator_holds_them():
    for source, accumulator, bits, rounded in (
        (FP16, FP16, 8, False),  # only beyond the range, where they become infinite
        (FP16, BF16, 1, True),
        (BF16, FP16, 1, True),
        (BF16, Float(8, 23), 8, False),
        (E4M3, FP16, 8, False),
        (E5M2, Float(5, 3, subnormals=False), 1, True),
    ):
        scaling = Scaling(source, accumulator, tuple(range(bits)))
        assert scaling.is_rounded == rounded
    # Two planes of FP16 in FP32 take the bits of FP16, its hidden one, and one of the exponent; as
    # codes they take all of FP32 but the mantissa bits that FP16 lacks.
    assert Scaling(FP16, Float(8, 23), (0,)).word.bits == 17
    assert Scaling(FP16, Float(8, 23), (1,)).word.bits == 18
    assert Scaling(FP16, Float(8, 23), (0,), as_codes=True).word.bits == 19
    # Float(6, 2) reaches below FP16's normal numbers, where all mantissa bits count.
    assert Scaling(Float(6, 2, bias=20), FP16, (0,), as_codes=True).word.bits > 10


def test_no_more_than_lookups_and_adders_are_in_a_column():
    """All that is done to entries is done once for a row: columns add no shifters of their own."""
    one, two = (
        FloatLutTensorCorePlan(FloatLutTensorCore(rows=1, columns=columns), Style.CELLS)
        for columns in (1, 2)
    )
    of_column = two.inventory() - one.inventory()
    expected = one.tree.inventory() + one.step.plan.inventory()
    expected["register"] += 32
    assert of_column == expected
    c = Circuit()
    one.scalings[1].apply(c, unpack(c, FP16, c.input("entry", 16), "entry"), ())
    assert sum(node.heap is not None for node in c.nodes) == 1


PAIR = {"rows": 1, "columns": 1, "lanes": 2, "table_inputs": 2}
SERIAL = FloatLutTensorCore(weight=ODD3, planes_per_cycle=1, run_time_bits=True, **PAIR)
PARALLEL = FloatLutTensorCore(**PAIR)
BUGS = {
    "an accumulator that does not start anew": (SERIAL, replaced(r"fresh \? 0 : ", "1'b0 ? 0 : ")),
    "a sum that ends before its last plane": (
        SERIAL,
        replaced(r"(assign \w+ = )i_last & i_ready;", r"\1 i_last;"),
    ),
    "planes that count no more than the lowest": (
        SERIAL,
        replaced(r"\.cycle\(cycle\)", ".cycle(2'h0)"),
    ),
    "entries that are not negated": (
        SERIAL,
        replaced(r"assign negate_0_0_0 = .*;", "assign negate_0_0_0 = 1'h0;"),
    ),
    "bits that are always all": (
        SERIAL,
        replaced(r"assign i_ready = .*;", "assign i_ready = cycle == 2'h2;"),
    ),
    "a higher plane that counts as the lower": (
        PARALLEL,
        replaced(r"\bscaled_exponent & ", "term_exponent_or_0 & "),
    ),
    "infinities that are large numbers": (
        PARALLEL,
        replaced(r"assign (a|b)_special = .*;", r"assign \1_special = 1'h0;"),
    ),
    "NaN that is infinite": (
        PARALLEL,
        replaced(r"assign (a|b)_nan = .*;", r"assign \1_nan = 1'h0;"),
    ),
}


@pytest.mark.few(3)
@pytest.mark.parametrize("bug", BUGS)
def test_planted_bugs_are_found(bug):
    check_found(*BUGS[bug])
