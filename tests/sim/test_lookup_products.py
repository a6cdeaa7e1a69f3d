"""Whole products in the RTL of lookup and bit-serial tiles."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from multipede.golden.bit_serial_tile import BitSerialTile
from multipede.golden.codebook import ODD
from multipede.golden.float_lut_tensor_core import FloatLutTensorCore
from multipede.golden.folded_weights import fold_weights
from multipede.golden.formats import BINARY, FP16, FP32, INT4, INT8, UINT2, UINT4, UINT8
from multipede.golden.integer_tile import TileOutput
from multipede.golden.lut_tensor_core import LutTensorCore, Tables
from multipede.golden.matrix_product import group_sums, tile_results
from multipede.golden.quantisation import quantise_activations
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


def require_folded_products(spec, activations, weights) -> None:
    """The same as of plain weights, in the RTL."""
    shape = {"table_inputs": spec.table_inputs, "lanes": spec.lanes, "columns": spec.columns}
    model, folded = compile_model(spec), fold_weights(weights, **shape)
    plain = run_matrix_product(spec, activations, weights, model=model)
    run = run_matrix_product(spec, activations, folded, model=model)
    assert run.records == plain.records
    assert run.results.keys() == plain.results.keys()
    for name, expected in tile_results(spec, activations, weights).items():
        assert require_equal(run.results[name], expected, unit=spec.unit) >= 35
        assert np.array_equal(run.results[name], plain.results[name])


@pytest.mark.parametrize("weight", [UINT4, UINT2], ids=str)
def test_folded_weights_in_rtl(weight):
    require_folded_products(QUICK, *lookup_operands(weight, zero_point=True, inner=42))


@pytest.mark.regress
def test_folded_weights_in_rtl_of_float_tables():
    spec = FloatLutTensorCore(weight=ODD[2], rows=2, columns=3)
    generator = torch.Generator().manual_seed(1)
    activations = quantise_activations(torch.randn(5, 42, generator=generator), format=FP16)
    _, weights = lookup_operands(spec.weight, inner=42, group=44)
    require_folded_products(spec, activations, weights)


def test_folded_weights_for_other_tiles_are_named():
    a, w = lookup_operands(UINT4, zero_point=True, inner=42)
    folded = fold_weights(w, columns=3)
    for spec, error, message in [
        (replace(QUICK, columns=4), ValueError, "columns = 4 in the lut_tensor_core, but 3 in the"),
        (
            replace(QUICK, lanes=8),
            ValueError,
            "lanes = 8 in the lut_tensor_core, but 4 in the f",
        ),
        (replace(QUICK, group=32), ValueError, "group = 32 in the lut_tensor_core, but 16 in the"),
        (replace(QUICK, folded=False), ValueError, "folded = false: this lut_tensor_core takes"),
        (OTHERS[6], TypeError, "spec must be LutTensorCore or FloatLutTensorCore, not BitSerial"),
    ]:
        with pytest.raises(error, match=message):
            run_matrix_product(spec, a, folded)
    folded.zeros[0, 0] ^= 1
    with pytest.raises(ValueError, match="no weights that were folded"):
        run_matrix_product(QUICK, a, folded)


@pytest.mark.regress
@pytest.mark.parametrize("spec", OTHERS, ids=str)
def test_products_in_rtl_of_other_tiles(spec):
    require_products(spec)
