"""Whole products in the RTL of lookup and bit-serial tiles."""

import numpy as np
import pytest

from multipede.golden.bit_serial_tile import BitSerialTile
from multipede.golden.codebook import ODD
from multipede.golden.formats import BINARY, FP32, INT4, INT8, UINT2, UINT4, UINT8
from multipede.golden.integer_tile import TileOutput
from multipede.golden.lut_tensor_core import LutTensorCore, Tables
from multipede.golden.matrix_product import group_sums, tile_results
from multipede.sim.compiled import compile_model
from multipede.sim.matrix_product import require_equal, run_matrix_product
from tests.golden.lookup_operands import lookup_operands

SHAPE = {"rows": 2, "columns": 3, "lanes": 4, "group": 16}
QUICK = LutTensorCore(weight=UINT4, run_time_bits=True, tables=Tables.EXTERNAL, **SHAPE)
OTHERS = [
    LutTensorCore(weight=UINT2, **SHAPE),
    LutTensorCore(weight=BINARY, zero_point=False, **SHAPE),
    LutTensorCore(weight=ODD[7], zero_point=False, run_time_bits=True, planes_per_cycle=1, **SHAPE),
    LutTensorCore(weight=INT4, reinterpreted=False, folded=False, table_inputs=2, **SHAPE),
    LutTensorCore(weight=UINT4, output=TileOutput.DEQUANTISED, scale=FP32, **SHAPE),
    LutTensorCore(weight=UINT8, planes_per_cycle=4, run_time_bits=True, **SHAPE),
    BitSerialTile(weight=INT8, run_time_bits=True, planes_per_cycle=4, **SHAPE),
    BitSerialTile(weight=UINT2, output=TileOutput.DEQUANTISED, scale=FP32, **SHAPE),
]


def require_products(spec) -> None:
    """Of all weight widths that the tile takes; edges of the matrix are cut in all directions."""
    model, compared = compile_model(spec), 0
    widths = range(1, spec.weight.bits + 1) if spec.run_time_bits else [spec.weight.bits]
    for bits in widths:
        weight = spec.with_bits(bits)
        a, w = lookup_operands(weight, zero_point=spec.zero_point, inner=42)
        run = run_matrix_product(spec, a, w, model=model)
        for name, expected in tile_results(spec, a, w).items():
            compared += require_equal(run.results[name], expected, unit=spec.unit)
        if not spec.is_dequantised:
            assert np.array_equal(run.results["d"], group_sums(a, w).numpy())
        assert run.records == 3 * 3 * 11
    assert compared >= 35 * len(widths)


def test_products_in_rtl():
    require_products(QUICK)


@pytest.mark.regress
@pytest.mark.parametrize("spec", OTHERS, ids=str)
def test_products_in_rtl_of_other_tiles(spec):
    require_products(spec)
