"""Whole products through lookup and bit-serial tiles against exact ones and a MixPE's."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from multipede.golden import matrix_product, matrix_tiling
from multipede.golden.bit_serial_tile import BitSerialTile
from multipede.golden.formats import (
    BF16,
    BINARY,
    FP16,
    FP32,
    INT2,
    INT4,
    INT8,
    INT16,
    ODD2,
    ODD3,
    ODD4,
    ODD8,
    UINT2,
    UINT4,
    UINT8,
    Codebook,
    parse_format,
)
from multipede.golden.integer_tile import TileOutput
from multipede.golden.lut_tensor_core import LutTensorCore, Tables
from multipede.golden.matrix_product import group_sums, tile_results
from multipede.golden.matrix_tiling import MatrixTiling
from multipede.golden.mixed_tile import Accumulation
from multipede.golden.mixpe import MixPE
from multipede.golden.quantisation import quantise_activations, quantise_weights
from multipede.golden.ternary_quantisation import quantise_ternary
from tests.golden.lookup_operands import lookup_operands

FORMATS = [
    parse_format(f"{kind}{bits}")
    for bits, kind in itertools.product(range(1, 9), ("uint", "int", "odd"))
    if (kind, bits) != ("odd", 1)
] + [BINARY]
SHAPE = {"rows": 2, "columns": 3, "lanes": 8, "group": 16}


def in_integers(a, w) -> np.ndarray:
    """D by numpy from what the codes stand for, group by group, without the code under test."""
    values = w.format.decode(w.codes).numpy().astype(np.int64)
    d = np.zeros((len(a.codes), len(values), w.groups), np.int64)
    for g in range(w.groups):
        k = slice(g * w.group, (g + 1) * w.group)
        zero = 0 if w.zeros is None else w.zeros.numpy()[:, g : g + 1]
        d[:, :, g] = a.codes.numpy()[:, k] @ (values[:, k] - zero).T
    return d


@pytest.mark.parametrize("weight", FORMATS, ids=str)
def test_products_of_every_weight_width(weight):
    """K = 45 ends inside a record, a table and a group; zero points are at their extremes too."""
    compared = 0
    for zero_point, tables in itertools.product((False, True), Tables):
        if zero_point and isinstance(weight, Codebook):
            continue
        a, w = lookup_operands(weight, zero_point=zero_point)
        expected = in_integers(a, w)
        assert np.array_equal(group_sums(a, w).numpy(), expected)
        specs = [LutTensorCore(weight=weight, zero_point=zero_point, tables=tables, **SHAPE)]
        if not isinstance(weight, Codebook):
            specs.append(replace(specs[0], reinterpreted=False, folded=False))
            specs.append(BitSerialTile(weight=weight, zero_point=zero_point, **SHAPE))
        specs.append(replace(specs[0], folded=False))
        for spec in specs:
            assert np.array_equal(tile_results(spec, a, w)["d"], expected)
            compared += expected.size
    assert compared >= 4 * 105


@pytest.mark.parametrize("built", [UINT8, INT8, ODD8, UINT4], ids=str)
def test_weights_of_fewer_bits_at_run_time(built):
    zero_point = not isinstance(built, Codebook)
    compared = 0
    for bits in range(1, built.bits + 1):
        narrow = LutTensorCore(weight=built, zero_point=zero_point, run_time_bits=True, **SHAPE)
        weight = narrow.with_bits(bits)
        a, w = lookup_operands(weight, zero_point=zero_point)
        specs = [narrow, replace(narrow, tables=Tables.EXTERNAL), replace(narrow, folded=False)]
        if zero_point:
            serial = BitSerialTile(weight=built, run_time_bits=True, **SHAPE)
            specs += [replace(narrow, reinterpreted=False, folded=False), serial]
        for spec in specs:
            assert np.array_equal(tile_results(spec, a, w)["d"], in_integers(a, w))
            compared += 1
        plain = replace(narrow, run_time_bits=False)
        if bits < built.bits:
            with pytest.raises(ValueError, match=f"weight = {built} in the .*, but {weight} in"):
                tile_results(plain, a, w)
    assert compared >= 3 * built.bits


def test_weights_of_more_bits_or_another_kind_are_named():
    spec = LutTensorCore(weight=UINT4, run_time_bits=True, **SHAPE)
    for weight in (UINT8, INT4, INT2):
        a, w = lookup_operands(weight, zero_point=True)
        with pytest.raises(ValueError, match=f"weight = uint4 in the .*, but {weight} in the"):
            MatrixTiling(spec, a, w)
    a, w = lookup_operands(ODD4)
    with pytest.raises(ValueError, match="weight = uint4 in the lut_tensor_core, but odd4 in"):
        MatrixTiling(replace(spec, zero_point=False), a, w)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"tables": Tables.EXTERNAL},
        {"activation": FP16},
        {"activation": FP16, "folded": False, "reinterpreted": False},
        {"scale": INT8},
        {"activation": FP16, "scale": INT8},
        {"activation": INT16, "table_inputs": 2},
    ],
    ids=str,
)
@pytest.mark.parametrize("weight", [UINT4, UINT2, INT4], ids=str)
def test_dequantised_products_are_those_of_a_mixpe(weight, change):
    """The same values, so that Y is the same in every bit."""
    spec = LutTensorCore(weight=weight, output=TileOutput.DEQUANTISED, **SHAPE, **change)
    generator = torch.Generator().manual_seed(4)
    a = quantise_activations(torch.randn(5, 45, generator=generator), format=spec.activation)
    values = torch.randn(7, 45, generator=generator)
    level = spec.scale if spec.second_level else None
    w = quantise_weights(values, format=weight, group=16, zero_point=True, scale=level)
    mixpe = MixPE(
        weight=weight,
        activation=spec.activation,
        scale=spec.scale,
        output=TileOutput.DEQUANTISED,
        **SHAPE,
    )
    y = tile_results(spec, a, w)["y"]
    assert np.array_equal(y, tile_results(mixpe, a, w)["y"])
    serial = BitSerialTile(
        weight=weight,
        activation=spec.activation,
        scale=spec.scale,
        output=TileOutput.DEQUANTISED,
        **SHAPE,
    )
    assert np.array_equal(y, tile_results(serial, a, w)["y"])
    values = FP32.decode(y[:, :, 0]) * a.scales.double().numpy()[:, None]
    exact = (a.dequantised() @ w.dequantised().T).numpy()
    assert np.abs(values - exact).max() < 2e-3 * np.abs(exact).max()  # scales are rounded to FP16


@pytest.mark.parametrize("activation", [INT8, FP16], ids=str)
@pytest.mark.parametrize("weight", ["ternary", BINARY, ODD2, ODD3], ids=str)
def test_quantised_layers_of_odd_and_ternary_weights(weight, activation):
    generator = torch.Generator().manual_seed(5)
    a = quantise_activations(torch.randn(5, 45, generator=generator), format=activation)
    values = torch.randn(7, 45, generator=generator)
    if weight == "ternary":
        w = quantise_ternary(values, group=16)
    else:
        w = quantise_weights(values, format=weight, group=16)
    spec = LutTensorCore(
        weight=w.format, activation=activation, zero_point=w.zeros is not None, scale=FP32, **SHAPE
    )
    d = tile_results(spec, a, w)["d"]
    assert np.array_equal(d, group_sums(a, w).numpy())
    y = tile_results(replace(spec, output=TileOutput.DEQUANTISED), a, w)["y"]
    found = FP32.decode(y[:, :, 0]) * a.scales.double().numpy()[:, None]
    exact = (a.dequantised() @ w.dequantised().T).numpy()
    assert np.abs(found - exact).max() < 1e-6 * np.abs(exact).max()


@pytest.mark.parametrize("weight", [UINT2, INT4, BINARY, ODD3], ids=str)
@pytest.mark.parametrize("end", [33, 36, 39, 45, 48])
def test_what_fills_up_along_k_contributes_nothing(weight, end):
    """Products of the first ``end`` values of k are those of all if the others are zeros there."""
    zero_point = not isinstance(weight, Codebook)
    a, w = lookup_operands(weight, zero_point=zero_point, inner=48)
    silent = replace(a, codes=torch.where(torch.arange(48) < end, a.codes, 0))
    cut = replace(a, codes=a.codes[:, :end]), replace(w, codes=w.codes[:, :end])
    for tables in Tables:
        spec = LutTensorCore(weight=weight, zero_point=zero_point, tables=tables, **SHAPE)
        whole = tile_results(spec, silent, w)["d"]
        assert np.array_equal(tile_results(spec, *cut)["d"], whole)
        assert np.array_equal(in_integers(*cut), whole)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"tables": Tables.EXTERNAL, "table_inputs": 2},
        {"activation": BF16},
        {"activation": FP16, "accumulation": Accumulation.ALIGNED},
        {"output": TileOutput.DEQUANTISED, "tables": Tables.EXTERNAL},
    ],
    ids=str,
)
@pytest.mark.parametrize("block", [256, 3])
def test_blocks_do_not_matter(change, block, monkeypatch):
    spec = LutTensorCore(weight=UINT4, **SHAPE, **change)
    generator = torch.Generator().manual_seed(6)
    a = quantise_activations(torch.randn(7, 150, generator=generator), format=spec.activation)
    w = quantise_weights(torch.randn(8, 150, generator=generator), format=UINT4, group=16)
    monkeypatch.setattr(matrix_product, "LARGEST_BLOCK", block)
    monkeypatch.setattr(matrix_product, "BLOCK_RECORDS", 5)
    results = tile_results(spec, a, w)
    tiling = MatrixTiling(spec, a, w)
    target, filled, state = tiling.empty(), 0, None
    monkeypatch.setattr(matrix_tiling, "CHUNK_RECORDS", 50)
    for first, stop in tiling.chunks():
        records = tiling.inputs(first, stop)
        tensors = {name: torch.from_numpy(x).long() for name, x in records.items()}
        outputs, state = spec.reference(state, **tensors)
        filled = tiling.store(target, filled, {name: x.numpy() for name, x in outputs.items()})
    assert filled == tiling.tiles * tiling.results_per_tile
    for name, expected in tiling.whole(target).items():
        assert np.array_equal(results[name], expected)


def test_records_are_those_of_the_ports():
    """In wire order, in the smallest integers; parts of a tile are parts of its records."""
    a, w = lookup_operands(UINT4, zero_point=True)
    spec = LutTensorCore(weight=UINT8, run_time_bits=True, tables=Tables.EXTERNAL, **SHAPE)
    with pytest.raises(ValueError, match=r"activation = int8 in the .*, but int16"):
        MatrixTiling(spec, replace(a, format=INT16), w)
    tiling = MatrixTiling(spec, a, w)
    records = tiling.inputs(1, 2)
    assert list(records) == list(spec.inputs) == ["t", "w", "z", "bits", "last"]
    assert {x.dtype.itemsize for x in records.values()} == {1, 2}
    assert spec.check_inputs(records) == tiling.records_per_tile == 6
    assert (records["bits"] == 3).all()
    for name, part in tiling.inputs(1, 2, slice(2, 5)).items():
        assert np.array_equal(part, records[name][2:5])


def test_chunks_of_tables_are_bounded(monkeypatch):
    """Tables of 32 sums for six activations, made as int64."""
    spec = LutTensorCore(
        weight=UINT4, tables=Tables.EXTERNAL, table_inputs=6, lanes=12, group=24, rows=4, columns=2
    )
    a, w = lookup_operands(UINT4, zero_point=True, inner=96, group=24, tokens=40, outputs=40)
    tiling = MatrixTiling(spec, a, w)
    table_bytes = 8 * 4 * 2 * 32 * tiling.records_per_tile
    monkeypatch.setattr(matrix_tiling, "CHUNK_BYTES", 10 * table_bytes)
    chunks = list(tiling.chunks())
    assert [first for first, _ in chunks[1:]] == [stop for _, stop in chunks[:-1]]
    assert chunks[-1][1] == tiling.tiles == 200
    assert {stop - first for first, stop in chunks[:-1]} == {9}
    internal = MatrixTiling(replace(spec, tables=Tables.INTERNAL), a, w)
    assert len(list(internal.chunks())) < 5
