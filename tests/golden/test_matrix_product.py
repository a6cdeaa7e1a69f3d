"""Whole products against Python integers and rationals: the identities of a MixPE-style unit."""

import itertools
import time
from dataclasses import replace
from fractions import Fraction
from functools import partial

import pytest
import torch

from multipede.golden import matrix_product
from multipede.golden.folded_weights import fold_weights
from multipede.golden.formats import (
    BF16,
    E2M1,
    E4M3,
    E5M2,
    FP16,
    FP32,
    INT4,
    INT8,
    INT16,
    UINT4,
    UINT8,
    Integer,
    parse_format,
)
from multipede.golden.integer_tile import TileOutput
from multipede.golden.matrix_product import (
    dequantised_product,
    exact_dtype,
    group_sums,
    sum_port,
    tile_results,
)
from multipede.golden.matrix_tiling import MatrixTiling
from multipede.golden.mixed_tile import Accumulation
from multipede.golden.mixpe import MixPE
from multipede.golden.quantisation import (
    QuantisedActivations,
    QuantisedWeights,
    quantise_activations,
    quantise_weights,
)
from tests.golden.float_tile_oracle import float_code_of
from tests.golden.rational_oracle import Number


def test_exact_dtype_at_its_borders():
    assert exact_dtype((1 << 53) - 1) is torch.float64
    assert exact_dtype(1 << 53) is torch.int64
    assert exact_dtype((1 << 63) - 1) is torch.int64
    with pytest.raises(ValueError, match="exact below"):
        exact_dtype(1 << 63)


def random_operands(
    seed: int, *, tokens: int, outputs: int, inner: int, group: int, extreme: bool = False
) -> tuple[QuantisedActivations, QuantisedWeights]:
    """All codes equally likely, or only the extremes."""
    generator = torch.Generator().manual_seed(seed)

    def codes(low: int, high: int, *shape: int) -> torch.Tensor:
        values = torch.randint(low, high + 1, shape, generator=generator)
        return torch.where(values > (low + high) // 2, high, low) if extreme else values

    groups = -(-inner // group)
    activations = QuantisedActivations(
        INT8, codes(-128, 127, tokens, inner), torch.rand(tokens, generator=generator)
    )
    weights = QuantisedWeights(
        UINT4,
        group,
        codes(0, 15, outputs, inner),
        codes(0, 15, outputs, groups),
        torch.rand(outputs, groups, generator=generator),
    )
    return activations, weights


@pytest.mark.parametrize("group", [1, 2, 32, 64, 128])
@pytest.mark.parametrize("extreme", [False, True])
def test_group_sums_by_both_forms_of_the_definition(group, extreme):
    """sum (q - z) a = sum q a - z sum a, in Python's integers."""
    a, w = random_operands(group, tokens=3, outputs=4, inner=150, group=group, extreme=extreme)
    d = group_sums(a, w)
    assert d.dtype == torch.int64
    compared = 0
    for token, output, index in torch.cartesian_prod(*map(torch.arange, d.shape)).tolist():
        k = slice(index * group, (index + 1) * group)
        activations, codes = a.codes[token, k].tolist(), w.codes[output, k].tolist()
        zero = int(w.zeros[output, index])
        pairs = list(zip(codes, activations, strict=True))
        together = sum((q - zero) * x for q, x in pairs)
        apart = sum(q * x for q, x in pairs) - zero * sum(activations)
        assert int(d[token, output, index]) == together == apart
        compared += 1
    assert compared >= 24


@pytest.mark.parametrize(("code", "zero", "expected"), [(15, 0, -245760), (0, 15, 245760)])
def test_the_extremes_of_a_group_of_128(code, zero, expected):
    a = QuantisedActivations(INT8, torch.full((1, 128), -128), torch.ones(1))
    w = QuantisedWeights(
        UINT4, 128, torch.full((1, 128), code), torch.full((1, 1), zero), torch.ones(1, 1)
    )
    assert group_sums(a, w).tolist() == [[[expected]]]
    assert expected in MixPE().result_range or -expected in MixPE().result_range


def test_order_inside_a_group_does_not_matter():
    a, w = random_operands(7, tokens=5, outputs=6, inner=64, group=32)
    order = torch.randperm(32, generator=torch.Generator().manual_seed(2))
    order = torch.cat([order, order + 32])
    shuffled = group_sums(
        QuantisedActivations(INT8, a.codes[:, order], a.scales),
        QuantisedWeights(UINT4, 32, w.codes[:, order], w.zeros, w.scales),
    )
    assert torch.equal(group_sums(a, w), shuffled)


def test_group_then_scale_equals_scale_then_sum():
    """Exactly in rationals, and to float64's rounding by `dequantised_product`."""
    a, w = random_operands(11, tokens=3, outputs=4, inner=20, group=8)
    d = group_sums(a, w)
    y = dequantised_product(d, a, w)
    for token in range(3):
        for output in range(4):
            scale_a = Fraction(a.scales[token].item())
            scales = [Fraction(value) for value in w.scales[output].tolist()]
            late = scale_a * sum(
                s * n for s, n in zip(scales, d[token, output].tolist(), strict=True)
            )
            early = sum(
                Fraction(x) * scale_a * scales[k // 8] * (q - int(w.zeros[output, k // 8]))
                for k, (x, q) in enumerate(
                    zip(a.codes[token].tolist(), w.codes[output].tolist(), strict=True)
                )
            )
            assert late == early
            assert float(y[token, output]) == pytest.approx(float(late), rel=1e-13, abs=1e-12)
    assert torch.allclose(y, a.dequantised() @ w.dequantised().T, rtol=1e-12, atol=1e-9)


def test_sixteen_bit_activations_and_long_groups_are_exact():
    a = QuantisedActivations(INT16, torch.full((2, 2048), -32768), torch.ones(2))
    w = QuantisedWeights(INT8, 1024, torch.full((3, 2048), -128), None, torch.ones(3, 2))
    assert (group_sums(a, w) == 1024 << 22).all()


FOLDED = (
    "weights must be QuantisedWeights, not FoldedWeights: lookup_group_sums and lookup_gemv take"
    " folded weights, unfold_weights makes plain ones"
)


def test_operands_of_other_kinds_are_refused():
    a, w = random_operands(3, tokens=2, outputs=3, inner=16, group=8)
    d, folded = group_sums(a, w), fold_weights(w)
    functions = [
        group_sums,
        sum_port,
        partial(dequantised_product, d),
        partial(tile_results, MixPE(group=8)),
        partial(MatrixTiling, MixPE(group=8)),
    ]
    for function in functions:
        with pytest.raises(TypeError, match=f"^{FOLDED}$"):
            function(a, folded)
        with pytest.raises(TypeError, match="weights must be QuantisedWeights, not Tensor"):
            function(a, w.codes)
        with pytest.raises(TypeError, match="activations must be QuantisedActivations, not Quant"):
            function(w, w)


def test_products_that_make_no_sense_are_refused():
    a, w = random_operands(3, tokens=2, outputs=3, inner=16, group=8)
    d = group_sums(a, w)
    with pytest.raises(TypeError, match="d must be a torch tensor, not ndarray"):
        dequantised_product(d.numpy(), a, w)
    with pytest.raises(ValueError, match=r"d has shape \(2, 3, 1\): \(2, 3, 2\) is needed"):
        dequantised_product(d[:, :, :1], a, w)
    with pytest.raises(ValueError, match="activation = int8: sums of floats only have such a port"):
        sum_port(a, w)
    floats = quantise_weights(torch.ones(3, 16), format=FP16, group=8)
    for function in (group_sums, partial(dequantised_product, d)):
        with pytest.raises(ValueError, match="weight = fp16: integer or odd weights are needed"):
            function(a, floats)


def test_operands_of_unequal_k_are_refused():
    a = quantise_activations(torch.ones(2, 5), format=INT8)
    w = quantise_weights(torch.ones(2, 6), format=UINT4, group=2)
    with pytest.raises(ValueError, match="activations have k = 5, weights k = 6"):
        group_sums(a, w)


@pytest.mark.parametrize("activation", [FP16, E4M3, E5M2, E2M1], ids=str)
@pytest.mark.parametrize("weight", [UINT4, INT4], ids=str)
def test_group_sums_of_floats_are_exact(activation, weight):
    generator = torch.Generator().manual_seed(7)
    a = quantise_activations(torch.randn(5, 40, generator=generator) * 10, format=activation)
    w = quantise_weights(torch.randn(6, 40, generator=generator), format=weight, group=16)
    d = group_sums(a, w)
    assert d.shape == (5, 6, 3)
    values = activation.decode(a.codes)
    compared = 0
    for token, output, group in itertools.product(range(5), range(6), range(3)):
        k = range(16 * group, min(40, 16 * group + 16))
        exact = sum(int(w.offsets[output, i]) * Fraction(float(values[token, i])) for i in k)
        assert int(d[token, output, group]) * Fraction(activation.smallest) == exact
        compared += 1
    assert compared == 90


@pytest.mark.parametrize("activation", [INT8, FP16], ids=str)
def test_the_tile_gives_the_same_group_sums(activation):
    generator = torch.Generator().manual_seed(8)
    a = quantise_activations(torch.randn(4, 64, generator=generator), format=activation)
    w = quantise_weights(torch.randn(3, 64, generator=generator), format=UINT4, group=16)
    spec = MixPE(activation=activation, rows=4, columns=3, lanes=8, group=16)
    outputs, _ = spec.reference(
        a=a.codes.reshape(4, 8, 8).permute(1, 0, 2),
        w=w.codes.reshape(3, 8, 8).permute(1, 0, 2),
        z=w.zeros.T.repeat_interleave(2, dim=0),
        last=torch.zeros(8, dtype=torch.int64),
    )
    assert torch.equal(outputs["d"].permute(1, 2, 0), group_sums(a, w))


def joined_limbs(limbs: list[int], bits: int) -> int:
    """Two's complement of so many bits from limbs of 32."""
    code = sum(limb << 32 * place for place, limb in enumerate(limbs))
    return code - (1 << bits) if code >> (bits - 1) else code


@pytest.mark.parametrize(
    ("weight", "zero_point", "bits"),
    [(UINT4, True, 270), (INT4, True, 270), (INT4, False, 269), (UINT8, True, 274)],
    ids=str,
)
def test_sums_beyond_int64_are_exact_in_limbs(weight, zero_point, bits):
    """BF16 over its whole range, and weights at both ends of theirs."""
    generator = torch.Generator().manual_seed(12)
    codes = torch.randint(0, 1 << 16, (4, 40), generator=generator)
    codes[0] = torch.where(codes[0] < 1 << 15, 0x7F7F, 0xFF7F)  # the largest, of either sign
    finite = BF16.decode(codes).abs() < float("inf")
    a = QuantisedActivations(BF16, torch.where(finite, codes, 1), torch.ones(4))
    values = torch.randn(3, 40, generator=generator)
    w = quantise_weights(values, format=weight, group=16, zero_point=zero_point)
    w.codes[0], w.codes[1] = weight.minimum_code, weight.maximum_code
    if zero_point:
        w.zeros[0], w.zeros[1] = weight.maximum_code, weight.minimum_code
    port, d = sum_port(a, w), group_sums(a, w)
    assert (port.format, port.limbs, d.shape) == (Integer(bits), 9, (4, 3, 3, 9))
    values, y = BF16.decode(a.codes), dequantised_product(d, a, w)
    for token, output in itertools.product(range(4), range(3)):
        exact = []
        for group in range(3):
            k = range(16 * group, min(40, 16 * group + 16))
            total = sum(int(w.offsets[output, i]) * Fraction(float(values[token, i])) for i in k)
            exact.append(total * Fraction(float(w.scales[output, group])))
            found = joined_limbs(d[token, output, group].tolist(), bits)
            assert found * Fraction(BF16.smallest) == total
        scale = max(map(abs, exact))
        assert abs(Fraction(float(y[token, output])) - sum(exact)) <= scale * Fraction(2) ** -49


def test_products_near_the_end_of_float64_are_finite():
    number_format = parse_format("e10m5-ieee")
    a = QuantisedActivations(
        number_format, torch.full((1, 2), number_format.maximum_code), torch.ones(1)
    )
    codes = torch.full((1, 2), 255)
    w = QuantisedWeights(UINT8, 2, codes, torch.zeros(1, 1, dtype=torch.int64), torch.ones(1, 1))
    expected = 2 * 255 * Fraction(number_format.maximum)
    y = Fraction(float(dequantised_product(group_sums(a, w), a, w)))
    assert abs(y - expected) <= expected / 2**48


def test_an_exact_tile_of_wide_sums_gives_them_too():
    spec = MixPE(
        activation=BF16, accumulation=Accumulation.EXACT, rows=2, columns=3, lanes=4, group=16
    )
    generator = torch.Generator().manual_seed(13)
    a = quantise_activations(torch.randn(5, 40, generator=generator), format=BF16)
    w = quantise_weights(torch.randn(7, 40, generator=generator), format=UINT4, group=16)
    d = tile_results(spec, a, w)["d"]
    assert d.shape == (5, 7, 3, 9)
    assert (d == group_sums(a, w).numpy()).all()


@pytest.mark.parametrize("activation", [INT8, FP16], ids=str)
def test_scales_of_two_levels(activation):
    """One rounding of channel scale times Z, a sum of integers."""
    shape = {"rows": 2, "columns": 3, "lanes": 4, "group": 16}
    spec = MixPE(activation=activation, output=TileOutput.DEQUANTISED, scale=INT8, **shape)
    generator = torch.Generator().manual_seed(14)
    a = quantise_activations(torch.randn(5, 40, generator=generator), format=activation)
    w = quantise_weights(
        torch.randn(7, 40, generator=generator), format=UINT4, group=16, scale=INT8
    )
    d = group_sums(a, w)
    z = (d * w.levels.codes).sum(dim=2)
    unit = Fraction(FP16.smallest) if activation is FP16 else 1
    y = tile_results(spec, a, w)["y"]
    for token, output in itertools.product(range(5), range(7)):
        scale = Fraction(float(w.levels.channel_scales[output]))
        exact = scale * int(z[token, output]) * unit
        assert y[token, output, 0] == float_code_of(FP32, Number(exact, exact < 0))
    values = torch.from_numpy(FP32.decode(y[:, :, 0])) * a.scales.double()[:, None]
    assert torch.allclose(values, dequantised_product(d, a, w), rtol=1e-6)
    with pytest.raises(ValueError, match="scale = int8 in the mixpe, but fp32 in the weights"):
        tile_results(spec, a, replace(w, scales=w.scales.float(), levels=None))
    with pytest.raises(ValueError, match="scale = fp16 in the mixpe, but int8 in the weights"):
        tile_results(replace(spec, scale=FP16), a, w)


def test_float_activations_are_rounded_or_scaled():
    values = torch.tensor([[1.0, 448.0, 1e-9, -3.14159], [0.0, 0.0, 0.0, 0.0]])
    wide = quantise_activations(values, format=FP16)
    assert wide.scales.tolist() == [1, 1]
    assert wide.dequantised().tolist() == values.half().double().tolist()
    narrow = quantise_activations(10 * values, format=E4M3)
    assert narrow.scales.tolist() == [10, 0]
    assert narrow.dequantised()[0, 1] == 4480
    assert narrow.codes[1].tolist() == [0, 0, 0, 0]
    with pytest.raises(ValueError, match=r"activations: values\[0, 1\] = .*fp16 holds"):
        quantise_activations(values * 1000, format=FP16)
    with pytest.raises(ValueError, match="format = fp32: signed floats of at most 16 bits"):
        quantise_activations(values, format=FP32)


@pytest.mark.regress
def test_a_large_product_takes_seconds():
    """[4096, 4096] x [4096, 64], W4A8; ``python -m benchmarks`` measures it."""
    generator = torch.Generator().manual_seed(9)
    a = quantise_activations(torch.randn(4096, 4096, generator=generator), format=INT8)
    w = quantise_weights(torch.randn(64, 4096, generator=generator), format=UINT4, group=128)
    began = time.perf_counter()
    assert group_sums(a, w).shape == (4096, 64, 32)
    assert time.perf_counter() - began < 10


TILES = [
    MixPE(rows=2, columns=3, lanes=4, group=16),
    MixPE(activation=FP16, rows=2, columns=3, lanes=4, group=16),
    MixPE(activation=BF16, rows=2, columns=3, lanes=4, group=16),
    MixPE(rows=2, columns=3, lanes=4, group=16, output=TileOutput.DEQUANTISED),
    MixPE(activation=BF16, rows=2, columns=3, lanes=4, group=16, output=TileOutput.DEQUANTISED),
]


@pytest.mark.parametrize("spec", TILES, ids=str)
@pytest.mark.parametrize("block", [256, 5])
def test_blocks_do_not_matter(spec, block, monkeypatch):
    """The same as by the tile's own shape, record by record; and D as by the definition."""
    generator = torch.Generator().manual_seed(10)
    a = quantise_activations(torch.randn(7, 150, generator=generator), format=spec.activation)
    w = quantise_weights(torch.randn(8, 150, generator=generator), format=UINT4, group=16)
    monkeypatch.setattr(matrix_product, "LARGEST_BLOCK", block)
    monkeypatch.setattr(matrix_product, "BLOCK_RECORDS", 9)
    results = tile_results(spec, a, w)
    tiling = MatrixTiling(spec, a, w)
    records = tiling.inputs(0, tiling.tiles)
    outputs, _ = spec.reference(
        **{name: torch.from_numpy(array).to(torch.int64) for name, array in records.items()}
    )
    target = tiling.empty()
    count = tiling.store(target, 0, {name: tensor.numpy() for name, tensor in outputs.items()})
    assert count == tiling.tiles * tiling.results_per_tile
    for name, expected in tiling.whole(target).items():
        assert expected.shape == (7, 8, 1 if spec.is_dequantised else 10)
        assert (results[name] == expected).all()
    if "d" in results and not spec.is_aligned:
        assert (results["d"] == group_sums(a, w).numpy()).all()
