"""Golden tables against brute force, rationals and the arithmetic of torch."""

import itertools

import numpy as np
import pytest
import torch

from multipede.golden.formats import (
    BF16,
    E2M1,
    E4M3,
    E5M2,
    FP16,
    INT2,
    INT8,
    INT16,
    Float,
    Integer,
    Overflow,
)
from multipede.golden.lut_tensor_core import LutTensorCore
from multipede.golden.table_precompute import TableFormat, TablePrecompute
from tests.golden.rational_oracle import number
from tests.golden.table_oracle import RationalTables, index_signs, quantised

SEED = 20261127
FLUSHED = Float(4, 3, subnormals=False)
QUANTISED = TableFormat.INT8


def tables(spec: TablePrecompute, a: np.ndarray) -> dict[str, np.ndarray]:
    outputs, state = spec.reference(a=torch.from_numpy(a))
    assert state is None
    return {name: tensor.numpy() for name, tensor in outputs.items()}


def floats(spec: TablePrecompute, count: int) -> np.ndarray:
    """Related lanes, and corners in some."""
    print(f"seed {SEED}")
    generator = np.random.default_rng(SEED)
    a = spec.related_records(generator, count)["a"]
    corners = generator.choice(spec.activation.corners(), a.shape)
    return np.where(generator.random(a.shape) < 0.05, corners, a)


def corner_records(number_format: Float, values: list[float], lanes: int) -> np.ndarray:
    """All combinations of values, of infinities and NaN if there are any, and of the extremes."""
    codes = [number_format.minimum_code, number_format.maximum_code, 1]
    codes += [c for c in (number_format.infinity_code, number_format.nan_code) if c is not None]
    codes += number_format.encode(np.array(values)).tolist()
    return np.array(list(itertools.product(dict.fromkeys(codes), repeat=lanes)))[:, None, :]


@pytest.mark.parametrize("table_inputs", range(2, 7))
@pytest.mark.parametrize("activation", [INT2, INT8, INT16])
def test_exact_tables_are_all_signed_sums(activation, table_inputs):
    corners = (activation.minimum, activation.minimum + 1, 0, 1, activation.maximum)
    corners = corners if table_inputs < 6 else corners[:1] + corners[2:]
    lanes = np.array(list(itertools.product(corners, repeat=table_inputs)))
    signs = np.array([index_signs(i, table_inputs) for i in range(1 << (table_inputs - 1))])
    shape = {"rows": 1, "lanes": table_inputs, "table_inputs": table_inputs}
    spec = TablePrecompute(activation=activation, **shape)
    t = tables(spec, lanes[:, None, :])["t"][:, 0, 0]
    assert (t == lanes @ signs.T).all()
    assert t.min() == table_inputs * activation.minimum
    assert Integer.spanning(int(t.min()), int(t.max())) == spec.entry
    whole = TablePrecompute(activation=activation, reinterpreted=False, **shape)
    chosen = np.arange(1 << table_inputs)[:, None] >> np.arange(table_inputs) & 1
    assert (tables(whole, lanes[:, None, :])["t"][:, 0, 0] == lanes @ chosen.T).all()


@pytest.mark.parametrize("reinterpreted", [True, False])
@pytest.mark.parametrize("table_inputs", [2, 3, 4, 6])
def test_exact_tables_are_those_that_the_tile_takes(table_inputs, reinterpreted):
    for bits in range(2, 17):
        shape = {"activation": Integer(bits), "lanes": 12, "table_inputs": table_inputs}
        shape |= {"reinterpreted": reinterpreted}
        tile = LutTensorCore(folded=reinterpreted, zero_point=False, group=12, **shape)
        spec = TablePrecompute(**shape)
        assert spec.entry == tile.entry
        a = np.full((1, 2, 12), Integer(bits).minimum)
        assert (tables(spec, a)["t"] == tile.tables_of(torch.from_numpy(a)).numpy()).all()


ROUNDED = [
    (FP16, 4, None),
    (BF16, 4, None),
    (E4M3, 4, None),
    (E4M3, 3, Overflow.SATURATE),
    (E5M2, 5, None),
    (E2M1, 6, None),
    (FP16, 2, Overflow.SATURATE),
    (Float(4, 0), 3, None),
    (FLUSHED, 3, Overflow.NAN),
]


def check_rounded(spec: TablePrecompute, a: np.ndarray) -> None:
    oracle = RationalTables(spec.activation, spec.overflow_policy)
    t = tables(spec, a)["t"].reshape(-1, spec.entries).tolist()
    lanes = a.reshape(-1, spec.table_inputs).tolist()
    wrong = [
        (codes, entries)
        for codes, entries in zip(lanes, t, strict=True)
        if entries != rational_entries(spec, oracle, codes)
    ]
    assert not wrong[:3]


def rational_numbers(spec, oracle, codes):
    lanes = [number(spec.activation, code) for code in codes]
    if spec.reinterpreted:
        signs = (index_signs(index, len(lanes)) for index in range(spec.entries))
        return [oracle.signed(lanes, s) for s in signs]
    bits = range(spec.table_inputs)
    chosen = ([bool(index >> k & 1) for k in bits] for index in range(spec.entries))
    return [oracle.of_subset(lanes, c) or number(spec.activation, 0) for c in chosen]


def rational_entries(spec, oracle, codes):
    return [oracle.code(entry) for entry in rational_numbers(spec, oracle, codes)]


@pytest.mark.parametrize(("activation", "table_inputs", "overflow"), ROUNDED)
def test_every_addition_is_rounded_once(activation, table_inputs, overflow):
    shape = {"rows": 1, "lanes": 2 * table_inputs, "table_inputs": table_inputs}
    spec = TablePrecompute(activation=activation, overflow=overflow, **shape)
    check_rounded(spec, floats(spec, 150))


@pytest.mark.parametrize("activation", [FP16, BF16, E4M3])
def test_all_combinations_of_corners(activation):
    spec = TablePrecompute(activation=activation, rows=1)
    check_rounded(spec, corner_records(activation, [0.0, -0.0, 1.0, -1.0], 4))


def test_whole_tables_of_corners():
    spec = TablePrecompute(activation=E5M2, rows=1, lanes=3, table_inputs=3, reinterpreted=False)
    check_rounded(spec, corner_records(E5M2, [0.0, -0.0, 1.0, -1.0], 3)[::3])


@pytest.mark.parametrize(("activation", "dtype"), [(FP16, torch.float16), (BF16, torch.bfloat16)])
def test_torch_gives_the_same_in_the_same_order(activation, dtype):
    spec = TablePrecompute(activation=activation)
    a = floats(spec, 5000)
    t = torch.from_numpy(tables(spec, a)["t"][:, :, 0]).to(torch.int16).view(dtype)
    a0, a1, a2, a3 = torch.from_numpy(a).to(torch.int16).view(dtype).unbind(-1)
    upper, lower = (a3 + a2, a3 - a2), (a1 + a0, a1 - a0)
    for index in range(8):
        u, negative = upper[index >> 2], index >> 1 & 1
        expected = u - lower[1 - index & 1] if negative else u + lower[index & 1]
        both_nan = expected.isnan() & t[..., index].isnan()
        same = expected.view(torch.int16) == t[..., index].view(torch.int16)
        assert (both_nan | same).all()
        assert expected.isfinite().float().mean() > 0.5


SCALED = [
    (FP16, 4, None, True),
    (BF16, 4, None, True),
    (E4M3, 4, None, True),
    (E5M2, 3, None, False),
    (E2M1, 4, None, True),
    (FP16, 3, E5M2, True),
    (FP16, 4, BF16, True),
    (E4M3, 3, Float(5, 1, signed=False, specials=E4M3.specials), True),
    (E5M2, 2, FP16, True),
    (FLUSHED, 3, Float(5, 6, subnormals=False), True),
]


@pytest.mark.parametrize(("activation", "table_inputs", "scale", "reinterpreted"), SCALED)
def test_codes_and_scales_by_their_rule(activation, table_inputs, scale, reinterpreted):
    spec = TablePrecompute(
        activation=activation,
        rows=1,
        lanes=table_inputs,
        table_inputs=table_inputs,
        reinterpreted=reinterpreted,
        table=QUANTISED,
        table_scale=scale,
    )
    oracle = RationalTables(activation, spec.overflow_policy)
    a = floats(spec, 300)
    found = tables(spec, a)
    scales = found["table_scale"].ravel().tolist()
    codes = found["t"].reshape(-1, spec.entries).tolist()
    for lanes, *result in zip(a[:, 0].tolist(), codes, scales, strict=True):
        entries = rational_numbers(spec, oracle, lanes)
        assert tuple(result) == quantised(entries, spec.scale_format), lanes
    assert len(set(scales)) > 5
    assert max(map(max, codes)) == 127


def test_an_entry_is_at_most_half_a_scale_from_its_code():
    """Unless it was clipped, as may be where scales are subnormal."""
    spec = TablePrecompute(activation=FP16, table=QUANTISED)
    a = FP16.encode(np.random.default_rng(SEED).normal(0, 1, (500, 2, 4)))
    rounded = FP16.decode(tables(TablePrecompute(activation=FP16), a)["t"])
    found = tables(spec, a)
    scale = FP16.decode(found["table_scale"])[..., None]
    assert (np.abs(found["t"] * scale - rounded) <= scale / 2 * (1 + 1e-2)).all()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"activation": "uint8"}, ValueError, "activation = uint8: table_precompute takes int2"),
        ({"activation": "int17"}, ValueError, "activation = int17: .* at most 16 bits"),
        ({"activation": "fp32"}, ValueError, "activation = fp32: .* at most 16 bits"),
        ({"activation": "ue4m3"}, ValueError, "activation = ue4m3: .* signed floats"),
        (
            {"activation": "binary"},
            TypeError,
            "activation = binary: table_precompute takes int2 to int16",
        ),
        ({"table": "int8"}, ValueError, "table = int8: .* activation = int8 is exact"),
        ({"table": "activation"}, ValueError, "table = activation: .* is exact"),
        (
            {"activation": "fp16", "table": "exact"},
            ValueError,
            "table = exact: .* fp16 is activation or int8",
        ),
        ({"table_inputs": "7"}, ValueError, "table_inputs = 7: allowed are 2 to 6"),
        ({"lanes": "6"}, ValueError, "lanes = 6: they must be a multiple of table_inputs = 4"),
        ({"overflow": "saturate"}, ValueError, "overflow = saturate: only with floats"),
        (
            {"activation": "e2m1", "overflow": "nan"},
            ValueError,
            "overflow = nan: allowed with activation = e2m1 are saturate",
        ),
        ({"activation": "fp16", "table_scale": "fp16"}, ValueError, "table_scale = fp16: only"),
        (
            {"activation": "bf16", "table": "int8", "table_scale": "fp16"},
            ValueError,
            "table_scale = fp16: allowed are floats of at most 16 bits with NaN and zero",
        ),
        (
            {"activation": "fp16", "table": "int8", "table_scale": "e2m1"},
            ValueError,
            "table_scale = e2m1: allowed are",
        ),
        ({"stages": "17"}, ValueError, "stages = 17: allowed are 0 to 16"),
        ({"rows": "0"}, ValueError, "rows = 0: allowed are 1 to 256"),
    ],
)
def test_bad_parameters(change, error, message):
    with pytest.raises(error, match=message):
        TablePrecompute.from_parameters(change)
