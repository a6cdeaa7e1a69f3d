"""Golden table-lookup tiles with float tables against rationals and numpy's floats."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from multipede.golden.codebook import BINARY, ODD, ODD2, ODD3, ODD4, ODD8
from multipede.golden.float_lut_tensor_core import FloatLutTensorCore
from multipede.golden.float_tile import SumOrder
from multipede.golden.formats import BF16, E4M3, E5M2, FP16, FP32, Float, Overflow
from multipede.golden.lut_tensor_core import Tables
from multipede.golden.matrix_product import tile_results
from multipede.golden.quantisation import quantise_activations, quantise_weights
from multipede.golden.table_precompute import TableFormat
from tests.golden.float_lut_oracle import (
    numpy_results,
    of_ports,
    plain_records,
    rational_results,
)
from tests.golden.pieces import check_in_pieces

EXTERNAL, CODES = Tables.EXTERNAL, TableFormat.INT8
SEQUENTIAL, TREE = SumOrder.SEQUENTIAL, SumOrder.TREE
SHAPE = {"rows": 2, "columns": 2}
ROW = {"rows": 1, "columns": 2}
SPECS = [
    FloatLutTensorCore(**SHAPE),
    FloatLutTensorCore(weight=BINARY, lanes=12, **ROW),
    FloatLutTensorCore(weight=ODD4, planes_per_cycle=1, run_time_bits=True, **SHAPE),
    FloatLutTensorCore(weight=ODD8, planes_per_cycle=3, run_time_bits=True, lanes=8, **ROW),
    FloatLutTensorCore(weight=ODD3, planes_per_cycle=2, activation=BF16, **SHAPE),
    FloatLutTensorCore(activation=E4M3, accumulator=FP16, order=SEQUENTIAL, lanes=8, **ROW),
    FloatLutTensorCore(
        activation=E4M3, overflow=Overflow.SATURATE, accumulator=BF16, table_inputs=2, **SHAPE
    ),
    FloatLutTensorCore(weight=ODD4, accumulator=FP16, table_inputs=3, lanes=6, **ROW),
    FloatLutTensorCore(accumulator=Float(6, 7, subnormals=False), table_inputs=2, **ROW),
    FloatLutTensorCore(tables=EXTERNAL, activation=E5M2, order=SEQUENTIAL, **SHAPE),
    FloatLutTensorCore(table=CODES, **SHAPE),
    FloatLutTensorCore(table=CODES, weight=ODD4, planes_per_cycle=3, run_time_bits=True, **ROW),
    FloatLutTensorCore(
        table=CODES, weight=ODD3, planes_per_cycle=1, activation=BF16, order=SEQUENTIAL, **ROW
    ),
    FloatLutTensorCore(
        table=CODES, tables=EXTERNAL, activation=E4M3, accumulator=FP16, lanes=8, **ROW
    ),
]


@pytest.mark.parametrize("wild", [0.0, 0.05])
@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_every_step_is_rounded_once(spec, wild):
    plain = plain_records(spec, 40, wild=wild)
    outputs, _ = spec.reference(**of_ports(spec, plain))
    expected = rational_results(spec, plain)
    assert len(expected) >= 5
    assert outputs["y"].reshape(len(expected), -1).tolist() == expected
    assert len({code for codes in expected for code in codes}) > 5


@pytest.mark.parametrize("order", SumOrder)
@pytest.mark.parametrize(("bits", "planes", "lanes"), [(1, 1, 4), (2, 2, 8), (4, 3, 4), (8, 1, 8)])
def test_numpy_gives_the_same(order, bits, planes, lanes):
    shape = {"lanes": lanes, "planes_per_cycle": planes, "run_time_bits": bits > 1}
    spec = FloatLutTensorCore(weight=ODD[bits - 1], order=order, **shape)
    plain = plain_records(spec, 1000, wild=0.01)
    plain["last"][:] = 1
    outputs, _ = spec.reference(**of_ports(spec, plain))
    expected = numpy_results(spec, plain)
    assert np.array_equal(outputs["y"].numpy(), expected)
    assert (expected == FP32.nan_code).mean() < 0.5 < len(np.unique(expected)) / 1000


CORNERS = (0x0000, 0x8000, 0x0001, 0x83FF, 0x3C00, 0x7BFF, 0xFC00, 0x7E00)
"""FP16: zeros, subnormal numbers, one, the largest, minus infinity, NaN"""


def corner_lookups(spec: FloatLutTensorCore) -> dict[str, torch.Tensor]:
    """Four lanes of all combinations of corners; in each plane of the columns all 16 lookups."""
    a = np.array(list(itertools.product(CORNERS, repeat=4)))[:, None]
    pattern = np.arange(16)[:, None] + 5 * np.arange(spec.weight.bits)
    lanes = pattern[:, None, :] >> np.arange(4)[:, None] & 1
    w = (lanes << np.arange(spec.weight.bits)).sum(axis=-1)
    count = len(a)
    return {
        "a": torch.from_numpy(a),
        "w": torch.from_numpy(w).expand(count, 16, 4).contiguous(),
        "last": torch.ones(count, dtype=torch.int64),
        "bits": torch.full((count,), spec.weight.bits - 1),
    }


@pytest.mark.parametrize("bits", range(1, 9))
def test_all_lookups_of_corners_in_all_planes(bits):
    spec = FloatLutTensorCore(weight=ODD[bits - 1], planes_per_cycle=1, rows=1)
    plain = corner_lookups(spec)
    outputs, _ = spec.reference(**of_ports(spec, plain))
    assert np.array_equal(outputs["y"].numpy(), numpy_results(spec, plain))


def product_of(
    a: float, weight: int, *, bits: int, accumulator: Float = FP32, **parameters
) -> float:
    """``a`` times an odd weight, from a table of two lanes of which the other is zero."""
    spec = FloatLutTensorCore(
        weight=ODD[bits - 1],
        accumulator=accumulator,
        rows=1,
        columns=1,
        lanes=2,
        table_inputs=2,
        **parameters,
    )
    code = (weight + (1 << bits) - 1) // 2
    plain = {
        "a": torch.from_numpy(FP16.encode(np.array([[[a, 0.0]]]), overflow=Overflow.INFINITY)),
        "w": torch.tensor([[[code, code]]]),
        "last": torch.tensor([1]),
    }
    outputs, _ = spec.reference(**spec.port_records(plain, spec.weight))
    return accumulator.decode(outputs["y"].numpy()).item()


WEIGHTS = [(bits, w) for bits in range(1, 9) for w in ((1 << bits) - 1, -1, 1, 1 - (1 << bits))]


@pytest.mark.parametrize("planes", [1, None])
def test_zero_gives_exactly_zero_in_every_plane(planes):
    for (bits, weight), a in itertools.product(WEIGHTS, (0.0, -0.0)):
        y = product_of(a, weight, bits=bits, planes_per_cycle=planes)
        assert y == 0
        assert not np.signbit(y)


@pytest.mark.parametrize("planes", [1, None])
@pytest.mark.parametrize("a", [2.0**-24, 3 * 2.0**-24, 1023 * 2.0**-24, 2.0**-14, 40000.0, 65504.0])
def test_subnormal_and_large_numbers_are_exact_in_every_plane(a, planes):
    for bits, weight in WEIGHTS:
        assert product_of(a, weight, bits=bits, planes_per_cycle=planes) == a * weight


def test_what_is_out_of_the_accumulators_range_becomes_infinite():
    assert product_of(40000.0, 1, bits=1, accumulator=FP16) == 40000.0
    assert product_of(40000.0, 3, bits=2, accumulator=FP16) == np.inf
    assert product_of(40000.0, -3, bits=2, accumulator=FP16, planes_per_cycle=1) == -np.inf
    # 2 a - a, of which 2 a alone is out of range
    assert product_of(40000.0, 1, bits=2, accumulator=FP16) == np.inf
    assert product_of(2.0**-24, 1, bits=2, accumulator=FP16) == 2.0**-24


@pytest.mark.parametrize("planes", [1, None])
def test_infinities_and_nan_stay_what_they_are(planes):
    for bits, weight in WEIGHTS:
        y = product_of(np.inf, weight, bits=bits, planes_per_cycle=planes)
        # Bits of both signs give infinities of both signs.
        same = abs(weight) == (1 << bits) - 1
        assert y == np.sign(weight) * np.inf if same else np.isnan(y)
        assert np.isnan(product_of(np.nan, weight, bits=bits, planes_per_cycle=planes))


def test_a_table_of_codes_with_nan_gives_nan_and_no_other():
    spec = FloatLutTensorCore(table=CODES, rows=2, columns=1)
    a = FP16.encode(np.array([[[1.0, np.nan, 2, 3], [1, 2, 3, 4]]]))
    w = torch.full((1, 1, 4), 3)
    plain = {"a": torch.from_numpy(a), "w": w, "last": torch.tensor([1])}
    outputs, _ = spec.reference(**spec.port_records(plain, ODD2))
    y = FP32.decode(outputs["y"].numpy())[0, :, 0]
    assert np.isnan(y[0])
    assert abs(y[1] - 30) < 0.02


@pytest.mark.parametrize("spec", [SPECS[0], SPECS[3], SPECS[12], SPECS[13]], ids=str)
def test_in_pieces_it_gives_the_same(spec):
    plain = plain_records(spec, 100, wild=0.02)
    check_in_pieces(spec, of_ports(spec, plain))


@pytest.mark.parametrize("table", [TableFormat.ROUNDED, CODES])
def test_tables_from_outside_are_those_made_inside(table):
    inside = FloatLutTensorCore(table=table, weight=ODD3, rows=2, columns=3)
    outside = replace(inside, tables=EXTERNAL)
    plain = plain_records(inside, 100, wild=0.02)
    made, _ = inside.precompute.reference(a=plain["a"])
    given = {name: t for name, t in of_ports(inside, plain).items() if name != "a"}
    expected, _ = inside.reference(**of_ports(inside, plain))
    assert torch.equal(outside.reference(**made, **given)[0]["y"], expected["y"])
    assert torch.equal(outside.reference(**of_ports(outside, plain))[0]["y"], expected["y"])


def test_clocks_of_a_record():
    spec = FloatLutTensorCore(weight=ODD8, planes_per_cycle=3, run_time_bits=True)
    assert (spec.cycles, spec.initiation_interval, spec.always_ready) == (3, 3, False)
    assert not spec.stallable
    assert spec.keeps_pace
    bits = {"bits": np.arange(8), "last": np.zeros(8)}
    assert spec.record_clocks(bits).tolist() == [1, 1, 1, 2, 2, 2, 3, 3]
    assert spec.takes_weights(ODD3)
    assert spec.takes_weights(BINARY)
    assert not replace(spec, run_time_bits=False).takes_weights(ODD3)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"weight": "uint2"}, TypeError, "weight = uint2: allowed are binary, odd2, .* odd8"),
        ({"weight": "ternary"}, ValueError, "weight = ternary: allowed are binary, odd2, .* odd8"),
        (
            {"activation": "int8"},
            TypeError,
            "activation = int8: .* takes floats of at most 16 bits",
        ),
        ({"activation": "fp32"}, ValueError, "activation = fp32: .* at most 16 bits"),
        ({"activation": "ue4m3"}, ValueError, "activation = ue4m3: .* takes signed floats"),
        ({"accumulator": "e4m3"}, ValueError, "accumulator = e4m3: allowed are signed floats"),
        ({"table": "exact"}, ValueError, "table = exact: allowed .* is activation or int8"),
        ({"table_scale": "fp16"}, ValueError, "table_scale = fp16: only with table = int8"),
        ({"lanes": "6"}, ValueError, "lanes = 6: they must be a multiple of table_inputs = 4"),
        ({"planes_per_cycle": "3"}, ValueError, "planes_per_cycle = 3: allowed are 1 to 2"),
        ({"weight": "binary", "run_time_bits": "true"}, ValueError, "run_time_bits: weight ="),
        ({"stages": "17"}, ValueError, "stages = 17: allowed are 1 to 16"),
    ],
)
def test_bad_parameters(change, error, message):
    with pytest.raises(error, match=message):
        FloatLutTensorCore.from_parameters(change)


def test_clocks_without_planes_leave_infinite_scales_alone():
    """A record's clocks end with its planes: infinity times the 0 of another would be NaN."""
    spec = FloatLutTensorCore(
        table=CODES,
        tables=EXTERNAL,
        weight=ODD3,
        planes_per_cycle=1,
        run_time_bits=True,
        rows=2,
        columns=2,
    )
    entries = torch.arange(1, 9)
    scales = FP16.encode(np.array([np.inf, 0.5]))
    # Every plane selects entry 0, which is 1, with the sign that the last lane's bit says.
    w = torch.tensor([[0, 0, 0, 3], [0, 0, 0, 0]])
    records = {
        "t": entries.expand(3, 2, 1, 8),
        "table_scale": torch.from_numpy(scales)[:, None].expand(3, 2, 1),
        "w": w.expand(3, 2, 4),
        "last": torch.ones(3, dtype=torch.int64),
    }
    outputs, _ = spec.reference(**records | {"bits": torch.tensor([0, 1, 2])})
    found = FP32.decode(outputs["y"].numpy())
    assert found[0].tolist() == [[np.inf, -np.inf], [0.5, -0.5]]
    assert found[1].tolist() == [[np.inf, -np.inf], [1.5, -1.5]]
    # The third plane of the first column has the other sign, which gives NaN of infinities.
    assert np.isnan(found[2, 0, 0])
    assert found[2, 0, 1] == -np.inf
    assert found[2, 1].tolist() == [0.5 + 1 - 2, -3.5]


def test_whole_products_are_those_of_codes():
    """Near the float64 product of what the codes stand for; the weights' scales stay outside."""
    generator = torch.Generator().manual_seed(11)
    w, a = torch.randn(10, 70, generator=generator), torch.randn(3, 70, generator=generator)
    spec = FloatLutTensorCore(rows=2, columns=4, planes_per_cycle=1)
    weights = quantise_weights(w, format=spec.weight, group=72)
    activations = quantise_activations(a, format=FP16)
    y = FP32.decode(tile_results(spec, activations, weights)["y"][:, :, 0])
    factors = spec.weight.decode(weights.codes.numpy())
    terms = np.abs(activations.dequantised().numpy()) @ np.abs(factors).T
    exact = activations.dequantised().numpy() @ factors.T
    # Three sums in FP16 for each entry, of which each is off by at most 2**-11 of its terms.
    assert np.abs(y - exact).max() <= 3 * 2.0**-11 * terms.max()
    assert y.shape == (3, 10)
    with pytest.raises(ValueError, match="one scale for each output only"):
        tile_results(spec, activations, quantise_weights(w, format=spec.weight, group=8))


def test_related_records_reach_subnormal_entries():
    """Random ones hardly do, and then a table that loses them would not be noticed."""
    spec = FloatLutTensorCore(rows=1, columns=2)
    records = spec.related_records(np.random.default_rng(5), 5000)
    assert set(records) == set(spec.inputs)
    assert spec.check_inputs(records) == 5000
    tables = spec.precompute.tables_of(torch.from_numpy(records["a"]))["t"].numpy()
    entries = np.abs(FP16.decode(tables))
    assert ((entries > 0) & (entries < FP16.smallest_normal)).sum() > 1000
    assert FloatLutTensorCore(tables=Tables.EXTERNAL).related_records(None, 1) is None
