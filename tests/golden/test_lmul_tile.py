"""Golden L-Mul tiles against rationals, one number at a time."""

import itertools
from functools import reduce

import numpy as np
import pytest
import torch

from multipede.golden.float_multiplier_tile import FloatMultiplierTile
from multipede.golden.float_tile import SumOrder
from multipede.golden.formats import (
    BF16,
    E2M1,
    E3M2,
    E4M3,
    E5M2,
    FP16,
    FP32,
    TF32,
    UE4M3,
    Float,
    Specials,
    parse_format,
)
from multipede.golden.lmul_tile import LMulTile
from multipede.golden.logarithmic_factors import Correction, product_format
from multipede.golden.logarithmic_policies import Preset
from multipede.golden.matrix_product import tile_results
from multipede.golden.quantisation import quantise_activations, quantise_weights
from tests.golden.float_tile_oracle import NEAREST, float_code_of, records, sums_of, tree
from tests.golden.logarithmic_tile_oracle import lane_product
from tests.golden.pieces import check_in_pieces
from tests.golden.rational_oracle import number, total

SHAPE = {"rows": 2, "columns": 2, "lanes": 3}
SPECS = [
    LMulTile(weight=weight, activation=activation, order=order, correction=which, **SHAPE)
    for (weight, activation), which in zip(
        ((BF16, BF16), (E4M3, E4M3), (E2M1, BF16), (E4M3, E5M2), (FP16, FP16), (E2M1, E2M1)),
        itertools.cycle(Correction),
        strict=False,
    )
    for order in SumOrder
] + [
    LMulTile(rows=1, columns=2, lanes=7, accumulator=BF16, offset=0),
    LMulTile(rows=1, columns=1, lanes=1, accumulator=FP16, preset=Preset.AXCORE),
    LMulTile(rows=1, columns=1, lanes=2, weight=FP32, activation=FP32),
    LMulTile(weight=UE4M3, activation=UE4M3, accumulator=BF16, preset=Preset.UCSD_2025, **SHAPE),
    LMulTile(weight=E3M2, activation=E4M3, product=TF32, order=SumOrder.SEQUENTIAL, **SHAPE),
]


def oracle(spec: LMulTile, inputs: dict[str, torch.Tensor]) -> list[list[int]]:
    """Codes of each result, by the definition."""

    def rounded(exact):
        return number(spec.accumulator, float_code_of(spec.accumulator, exact))

    def term(record: int, row: int, column: int, lane: int):
        return rounded(lane_product(spec, inputs, record, row, column, lane))

    def result(members: range, row: int, column: int) -> int:
        y = number(spec.accumulator, 0)
        for record in members:
            terms = [term(record, row, column, lane) for lane in range(spec.lanes)]
            joined = terms if spec.order is SumOrder.SEQUENTIAL else [tree(terms, rounded)]
            y = reduce(lambda y, t: rounded(total(t, y, NEAREST)), joined, y)
        return float_code_of(spec.accumulator, y)

    places = list(itertools.product(range(spec.rows), range(spec.columns)))
    return [[result(members, *place) for place in places] for members in sums_of(inputs)]


@pytest.mark.parametrize("wild", [0.0, 0.02, 0.5])
@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_every_product_and_sum(spec, wild):
    inputs = records(spec, 60, wild=wild)
    outputs, _ = spec.reference(**inputs)
    expected = oracle(spec, inputs)
    assert len(expected) >= 8
    assert outputs["y"].reshape(len(expected), -1).tolist() == expected
    if wild < 0.5:
        assert len({code for codes in expected for code in codes}) > 7


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_in_pieces_it_gives_the_same(spec):
    check_in_pieces(spec, records(spec, 100))


@pytest.mark.parametrize(
    ("activation", "weight", "found"),
    [
        (BF16, BF16, "bf16"),
        (BF16, E2M1, "bf16"),
        (FP16, FP16, "e7m10-ieee"),
        (E4M3, E4M3, "e6m3-ieee"),
        (E4M3, E5M2, "e6m3-ieee"),
        (E2M1, E2M1, "e4m1-ieee"),
        (UE4M3, UE4M3, "ue6m3-ieee"),
    ],
)
def test_product_format(activation, weight, found):
    assert product_format(activation, weight) == parse_format(found)
    assert LMulTile(activation=activation, weight=weight).multiplier.format.name == found


@pytest.mark.parametrize("number_format", [E2M1, E3M2, E4M3, E5M2, UE4M3], ids=str)
def test_no_operand_and_no_product_leaves_the_range(number_format):
    """With the format found, zeros alone give zeros, and infinities and NaN alone give any."""
    made = product_format(number_format, number_format)
    spec = LMulTile(weight=number_format, activation=number_format, rows=1, columns=1, lanes=1)
    codes = number_format.codes()
    a, w = np.repeat(codes, len(codes)), np.tile(codes, len(codes))
    products = made.decode(
        spec.multiplier.products(
            *(made.encode(number_format.decode(operand)) for operand in (a, w))
        )
    )
    with np.errstate(invalid="ignore"):
        exact = number_format.decode(a) * number_format.decode(w)
    assert ((products == 0) == (exact == 0)).all()
    assert (np.isfinite(products) == np.isfinite(exact)).all()


def test_it_works_in_a_matrix_product():
    """As a whole product of float weights, near the exact one."""
    generator = np.random.default_rng(5)
    a = torch.from_numpy(generator.normal(size=(5, 24)))
    w = torch.from_numpy(generator.normal(size=(7, 24)))
    activations = quantise_activations(a, format=BF16)
    weights = quantise_weights(w, format=BF16, group=24)
    found = {}
    for kind in (LMulTile, FloatMultiplierTile):
        shape = {"rows": 2, "columns": 3, "lanes": 4}
        spec = kind(weight=BF16, activation=BF16, **shape)
        found[kind] = FP32.decode(tile_results(spec, activations, weights)["y"])[..., 0]
    exact = found[FloatMultiplierTile]
    error = np.abs(found[LMulTile] - exact).max() / np.abs(exact).max()
    assert 0.001 < error < 0.1


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"weight": Float(8, 24)}, ValueError, "weight = .*: lmul_tile takes floats of at most 32"),
        ({"product": "bf16"}, TypeError, "product must be a float format"),
        ({"product": parse_format("e3m0")}, ValueError, "product = e3m0: .* with a mantissa"),
        ({"product": Float(8, 24)}, ValueError, "product = .*: .* at most 32 bits"),
        (
            {"product": FP16},
            ValueError,
            "product = fp16: it has no number 3.*e.38, which act",
        ),
        ({"product": Float(9, 6)}, ValueError, "it has no mantissa of 7 bits, which activation"),
        ({"product": Float(8, 8, bias=100)}, ValueError, "it has no number .*e-41, which act"),
        ({"product": Float(8, 8, signed=False)}, ValueError, "it has no sign, which activation"),
        (
            {"weight": E5M2, "activation": E5M2, "product": Float(7, 2, specials=Specials.FN)},
            ValueError,
            "it has no infinity, which activation = e5m2 has",
        ),
        (
            {"weight": E4M3, "activation": E4M3, "product": Float(7, 3, specials=Specials.FINITE)},
            ValueError,
            "it has no NaN, which activation = e4m3 has",
        ),
        ({"offset": 128}, ValueError, "offset = 128: allowed are 0 to 127"),
        ({"offset": 1, "correction": Correction.NONE}, ValueError, "only with correction = offset"),
        ({"correction": "table"}, TypeError, "correction must be Correction"),
        ({"accumulator": E4M3}, ValueError, "accumulator = e4m3: allowed are"),
    ],
)
def test_bad_parameters(parameters, error, message):
    with pytest.raises(error, match=message):
        LMulTile(**parameters)
