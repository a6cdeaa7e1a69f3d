"""Golden L-Mul tiles with exact sums against rationals, one number at a time."""

import dataclasses
import itertools
from fractions import Fraction

import numpy as np
import pytest
import torch

from multipede.golden.exact_lmul_tile import ExactLMulTile
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
    parse_format,
)
from multipede.golden.lmul_tile import LMulTile
from multipede.golden.logarithmic_factors import Correction
from multipede.golden.logarithmic_policies import Preset
from multipede.golden.matrix_product import tile_results
from multipede.golden.quantisation import quantise_activations, quantise_weights
from multipede.golden.spec import Port
from tests.golden.float_tile_oracle import records, sums_of
from tests.golden.logarithmic_tile_oracle import lane_product
from tests.golden.pieces import check_in_pieces

SHAPE = {"rows": 2, "columns": 2, "lanes": 3}
BFLOATS = {"weight": BF16, "activation": BF16}
BIASED = Float(4, 3, bias=-20)
ONE = {"rows": 1, "columns": 1, "lanes": 1}
SPECS = [
    ExactLMulTile(weight=weight, activation=activation, correction=which, preset=preset, **SHAPE)
    for (weight, activation), which, preset in zip(
        ((BF16, BF16), (E4M3, E4M3), (E2M1, BF16), (E4M3, E5M2), (FP16, FP16), (E2M1, E2M1)) * 2,
        [*Correction] * 4,
        (Preset.STANDARD,) * 6 + (*Preset, Preset.AXCORE),
        strict=True,
    )
] + [
    ExactLMulTile(**BFLOATS, rows=1, columns=2, lanes=7, offset=0, terms=1),
    ExactLMulTile(weight=FP32, activation=FP32, terms=3, rows=1, columns=1, lanes=2),
    ExactLMulTile(weight=UE4M3, activation=UE4M3, preset=Preset.UCSD_2025, terms=1, **SHAPE),
    ExactLMulTile(weight=E3M2, activation=E4M3, product=TF32, terms=2, **SHAPE),
    ExactLMulTile(weight=E5M2, activation=E5M2, product=E5M2, preset=Preset.AXCORE, **ONE),
    ExactLMulTile(weight=E3M2, activation=E3M2, product=Float(4, 2), terms=5, **ONE),
]
"""Formats in which products leave the range, and sums of more terms than fit, among them."""


def oracle(spec: ExactLMulTile, inputs: dict[str, torch.Tensor]) -> list[list[tuple[int, int]]]:
    """Code and flag of each sum, by the definition."""
    y = spec.outputs["y"].format

    def result(members: range, row: int, column: int) -> tuple[int, int]:
        places = itertools.product(members, range(spec.lanes))
        products = [
            lane_product(spec, inputs, record, row, column, lane) for record, lane in places
        ]
        finite = [p.value for p in products if not (p.nan or p.infinite)]
        code = sum(finite, Fraction(0)) * (1 << y.fraction_bits)
        assert code.denominator == 1
        half = 1 << (y.bits - 1)
        return (code.numerator + half) % (2 * half) - half, int(len(finite) < len(products))

    places = list(itertools.product(range(spec.rows), range(spec.columns)))
    return [[result(members, *place) for place in places] for members in sums_of(inputs)]


@pytest.mark.parametrize("wild", [0.0, 0.02, 0.5])
@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_every_product_and_sum(spec, wild):
    inputs = records(spec, 60, wild=wild)
    outputs, _ = spec.reference(**inputs)
    expected = oracle(spec, inputs)
    assert len(expected) >= 8
    codes = spec.outputs["y"].integers(outputs["y"].numpy()).reshape(len(expected), -1)
    assert codes.tolist() == [[code for code, _ in sums] for sums in expected]
    assert len({code for sums in expected for code, _ in sums}) > 7
    flags = [[flag for _, flag in sums] for sums in expected]
    if "nan" in spec.outputs:
        assert outputs["nan"].reshape(len(expected), -1).tolist() == flags
    else:
        assert not np.any(flags)


REACHING = [*SPECS, ExactLMulTile(preset=Preset.UCSD_2025_PIPELINED, product=E4M3, **SHAPE)]


@pytest.mark.parametrize("spec", REACHING, ids=str)
def test_extreme_operands_have_products_near_the_ends(spec):
    """Of one sign alone, where no operand has the other."""
    for (a, w), sign in zip(spec.extreme_operands, (1, -1), strict=True):
        inputs = {"a": [[[a]]], "w": [[[w]]], "last": [1]}
        alone = dataclasses.replace(spec, rows=1, columns=1, lanes=1)
        outputs, _ = alone.reference(**{n: torch.tensor(v) for n, v in inputs.items()})
        (code,) = alone.outputs["y"].integers(outputs["y"].numpy()).reshape(-1)
        signed = spec.activation.signed or spec.weight.signed
        if sign == 1 or signed:
            assert code * sign > spec.largest_product // 4


def test_longer_sums_wrap():
    """Of two of the largest products a sum for one wraps, and the sum of both signs does not."""
    spec = ExactLMulTile(weight=E4M3, activation=E4M3, terms=1, rows=1, columns=1, lanes=2)
    port, most = spec.outputs["y"], E4M3.maximum_code
    negative = most | 1 << 7
    inputs = {
        "a": torch.tensor([[[most, most]], [[most, negative]]]),
        "w": torch.full((2, 1, 2), most),
        "last": torch.tensor([1, 1]),
    }
    outputs, _ = spec.reference(**inputs)
    wrapped, zero = port.integers(outputs["y"].numpy()).reshape(-1).tolist()
    assert zero == 0
    wide = dataclasses.replace(spec, terms=2)
    exact = int(wide.reference(**inputs)[0]["y"][0])
    assert exact >= 1 << (port.format.bits - 1)
    assert wrapped == exact - (1 << port.format.bits)


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_in_pieces_it_gives_the_same(spec):
    check_in_pieces(spec, records(spec, 100))


@pytest.mark.parametrize("which", list(Correction))
@pytest.mark.parametrize("preset", list(Preset))
@pytest.mark.parametrize(
    ("number_format", "product"),
    [(E2M1, None), (E3M2, None), (E4M3, None), (E5M2, None), (E4M3, E4M3), (E3M2, Float(4, 2))],
    ids=str,
)
def test_products_reach_the_ends_of_their_range_and_not_beyond(
    number_format, product, preset, which
):
    """Of all pairs of codes."""
    spec = ExactLMulTile(
        weight=number_format,
        activation=number_format,
        product=product,
        preset=preset,
        correction=which,
        **ONE,
    )
    made, codes = spec.multiplier.format, number_format.codes()
    operands = [
        codes if made == number_format else made.encode(number_format.decode(codes)),
    ]
    products = spec.multiplier.products(operands[0][:, None], operands[0][None, :])
    values = np.abs(made.decode(products))
    finite = np.isfinite(values)
    assert spec.has_special_products == (not finite.all())
    fields = np.maximum(1, (products & (spec.multiplier.modulus - 1)) >> made.mantissa_bits)
    counted = fields[finite & (values > 0)]
    assert (counted.min(), counted.max()) == spec.product_exponents
    largest = values[finite].max() * 2.0**spec.accumulator.fraction_bits
    assert largest <= spec.largest_product < 4 * largest


@pytest.mark.parametrize(
    ("activation", "weight", "bits", "fraction_bits"),
    [
        (BF16, BF16, 274, 133),
        (E4M3, E4M3, 52, 21),
        (E2M1, E2M1, 22, 3),
    ],
)
def test_accumulator(activation, weight, bits, fraction_bits):
    spec = ExactLMulTile(activation=activation, weight=weight)
    assert (spec.accumulator.bits, spec.accumulator.fraction_bits) == (bits, fraction_bits)


def test_it_works_in_a_matrix_product():
    """As a whole product of float weights: what a float accumulator rounds, and nothing else."""
    generator = np.random.default_rng(5)
    a = torch.from_numpy(generator.normal(size=(5, 24)))
    w = torch.from_numpy(generator.normal(size=(7, 24)))
    activations = quantise_activations(a, format=BF16)
    weights = quantise_weights(w, format=BF16, group=24)
    shape = {"rows": 2, "columns": 3, "lanes": 4}
    spec = ExactLMulTile(**BFLOATS, **shape)
    y = tile_results(spec, activations, weights)["y"][None, ..., 0, :]
    codes = Port(spec.accumulator, (5, 7)).integers(y)[0]
    exact = (codes / (1 << spec.accumulator.fraction_bits)).astype(np.float64)
    near = FP32.decode(tile_results(LMulTile(**shape), activations, weights)["y"])[..., 0]
    assert 0 < np.abs(near - exact).max() < 1e-6 * np.abs(exact).max()
    short = dataclasses.replace(spec, terms=23)
    with pytest.raises(ValueError, match="k = 24: sums of exact_lmul_tile hold terms = 23"):
        tile_results(short, activations, weights)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"weight": Float(8, 24)}, ValueError, "weight = .*: exact_lmul_tile takes floats of at"),
        ({"activation": "bf16"}, TypeError, "activation must be"),
        (
            BFLOATS | {"product": FP16},
            ValueError,
            "product = fp16: it has no number 3.*e.38, which act",
        ),
        (
            {"weight": UE4M3, "activation": UE4M3, "product": parse_format("ue6m3-ieee")},
            ValueError,
            "product = ue6m3-ieee: exact sums take signed products",
        ),
        (BFLOATS | {"product": Float(8, 7, bias=-8)}, ValueError, "product = .*: it has no number"),
        (
            {"weight": BIASED, "activation": BIASED},
            ValueError,
            "product = .*: its smallest products must be fractions",
        ),
        ({"terms": 0}, ValueError, "terms = 0: allowed are 1 to 1048576"),
        ({"terms": 2.0}, TypeError, "terms must be"),
        ({"offset": 8}, ValueError, "offset = 8: allowed are 0 to 7"),
        ({"stages": 17}, ValueError, "stages = 17: allowed are 1 to 16"),
        ({"lanes": 0}, ValueError, "lanes = 0: allowed are 1 to 256"),
    ],
)
def test_bad_parameters(parameters, error, message):
    with pytest.raises(error, match=message):
        ExactLMulTile(**parameters)
