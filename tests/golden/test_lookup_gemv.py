"""Products by lookup in software against exact products, bit for bit."""

import itertools
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import torch

from multipede.golden import folded_weights
from multipede.golden import lookup_gemv as lookup_module
from multipede.golden.folded_weights import fold_weights
from multipede.golden.formats import (
    BF16,
    BINARY,
    FP16,
    INT2,
    INT4,
    INT8,
    INT16,
    ODD3,
    UINT2,
    UINT4,
    UINT8,
    Codebook,
    parse_format,
)
from multipede.golden.lookup_gemv import lookup_gemv, lookup_group_sums
from multipede.golden.matrix_product import dequantised_product, group_sums
from multipede.golden.quantisation import (
    QuantisedActivations,
    quantise_activations,
    quantise_weights,
)
from multipede.golden.ternary_quantisation import quantise_ternary
from tests.golden.lookup_operands import lookup_operands

FORMATS = [
    parse_format(f"{kind}{bits}")
    for bits, kind in itertools.product(range(1, 9), ("uint", "int", "odd"))
    if (kind, bits) != ("odd", 1)
] + [BINARY]


@pytest.mark.parametrize("weight", FORMATS, ids=str)
def test_group_sums_are_exact(weight):
    """Against Python's integers, and the same as by multiplication; y as well."""
    compared = 0
    for zero_point, (inputs, lanes) in itertools.product((False, True), ((4, 8), (2, 2), (4, 16))):
        if zero_point and isinstance(weight, Codebook):
            continue
        a, w = lookup_operands(weight, zero_point=zero_point)
        folded = fold_weights(w, table_inputs=inputs, lanes=lanes, columns=3)
        d = lookup_group_sums(a, folded)
        assert d.dtype == torch.int64
        assert torch.equal(d, group_sums(a, w))
        values = w.format.decode(w.codes).long()
        for token, output, group in ((0, 0, 0), (4, 6, 2), (0, 3, 1), (2, 0, 2)):
            z = int(w.zeros[output, group]) if zero_point else 0
            k = slice(16 * group, 16 * group + 16)
            pairs = zip(a.codes[token, k].tolist(), values[output, k].tolist(), strict=True)
            assert int(d[token, output, group]) == sum(x * (q - z) for x, q in pairs)
        y = lookup_gemv(a, folded)
        assert torch.equal(y, dequantised_product(d, a, w))
        compared += d.numel()
    assert compared >= 3 * 5 * 7 * 3


@pytest.mark.parametrize(("inputs", "lanes", "group"), [(3, 6, 12), (5, 5, 15), (6, 12, 24)])
def test_other_table_inputs_and_wide_activations(inputs, lanes, group):
    a, w = lookup_operands(UINT8, zero_point=True, activation=INT16, group=group)
    folded = fold_weights(w, table_inputs=inputs, lanes=lanes, columns=16)
    assert torch.equal(lookup_group_sums(a, folded), group_sums(a, w))


def test_ternary_and_two_level_scales():
    generator = torch.Generator().manual_seed(2)
    a = quantise_activations(torch.randn(3, 50, generator=generator), format=INT8)
    values = torch.randn(6, 50, generator=generator)
    for w in (
        quantise_ternary(values, group=16),
        quantise_ternary(values, group=16, scale=INT8),
        quantise_weights(values, format=BINARY, group=8),
        quantise_weights(values, format=INT4, group=32, scale=INT4),
    ):
        folded = fold_weights(w)
        d = group_sums(a, w)
        assert torch.equal(lookup_group_sums(a, folded), d)
        assert torch.equal(lookup_gemv(a, folded), dequantised_product(d, a, w))


@pytest.mark.parametrize("weight", [UINT2, INT4, UINT8, BINARY, ODD3], ids=str)
def test_scaled_tables_are_within_their_bound(weight):
    """(2**b - 1) scale / 2 for each table, times s' of the group and the scale of the token."""
    a, w = lookup_operands(weight, zero_point=weight in (UINT2, UINT8))
    folded = fold_weights(w)
    exact = lookup_gemv(a, folded)
    y = lookup_gemv(a, folded, table_format=INT8)
    padded = torch.nn.functional.pad(a.codes, (0, 3)).abs()
    scales = padded.unflatten(1, (-1, 4, 4)).sum(-1).double() / 127
    of_groups = scales.sum(-1) * ((1 << weight.bits) - 1) / 2
    factors = w.scales.double() / (1 if isinstance(weight, Codebook) else 2)
    bound = (of_groups @ factors.T) * a.scales.double()[:, None]
    error = (y - exact).abs()
    assert (error <= bound * (1 + 1e-9)).all()
    assert (error > bound / 1000).any()
    finer = (lookup_gemv(a, folded, table_format=INT16) - exact).abs()
    assert finer.max() < error.max() / 50


@pytest.mark.parametrize("activation", [FP16, BF16], ids=str)
def test_scaled_tables_of_floats(activation):
    generator = torch.Generator().manual_seed(3)
    a = quantise_activations(torch.randn(3, 40, generator=generator), format=activation)
    w = quantise_weights(torch.randn(6, 40, generator=generator), format=UINT4, group=8)
    exact = a.dequantised() @ w.dequantised().T
    y = lookup_gemv(a, fold_weights(w), table_format=INT8)
    scales = a.dequantised().abs().unflatten(1, (5, 2, 4)).sum(-1) / 127
    bound = scales.sum(-1) * 15 / 2 @ (w.scales.double() / 2).T
    assert ((y - exact).abs() <= bound * (1 + 1e-9)).all()
    with pytest.raises(ValueError, match=f"activation = {activation}: exact tables need integers"):
        lookup_gemv(a, fold_weights(w))
    infinite = replace(a, codes=torch.full((3, 40), activation.encode(float("inf"))))
    with pytest.raises(ValueError, match=r"activations\[0, 0\] = inf: finite numbers are needed"):
        lookup_gemv(infinite, fold_weights(w), table_format=INT8)


def test_zero_activations_give_exactly_zero():
    for weight in FORMATS:
        a, w = lookup_operands(weight, zero_point=not isinstance(weight, Codebook))
        zeros = QuantisedActivations(INT8, torch.zeros_like(a.codes), a.scales)
        folded = fold_weights(w)
        assert (lookup_group_sums(zeros, folded) == 0).all()
        assert (lookup_gemv(zeros, folded, table_format=INT8) == 0).all()


@pytest.mark.parametrize("values", [1, 40, 700])
def test_chunks_do_not_matter(values, monkeypatch):
    a, w = lookup_operands(UINT4, zero_point=True, tokens=9, outputs=20)
    folded = fold_weights(w, columns=3)
    monkeypatch.setattr(lookup_module, "CHUNK_VALUES", values)
    monkeypatch.setattr(folded_weights, "CHUNK_BITS", values)
    assert torch.equal(lookup_group_sums(a, folded), group_sums(a, w))
    assert np.array_equal(fold_weights(w, columns=3).packed, folded.packed)


def test_memory_of_what_is_unpacked_is_bounded(monkeypatch):
    """numpy's share, which is where weights are unpacked."""
    a, w = lookup_operands(UINT8, outputs=1024, inner=512, group=128, tokens=1)
    folded = fold_weights(w)
    monkeypatch.setattr(folded_weights, "CHUNK_BITS", 1 << 17)
    tracemalloc.start()
    lookup_group_sums(a, folded)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 << 17 < 1024 * 512 * 8


def test_bad_operands_are_named():
    a, w = lookup_operands(INT2)
    folded = fold_weights(w)
    with pytest.raises(TypeError, match=r"folded must be FoldedWeights, not QuantisedWeights$"):
        lookup_group_sums(a, w)
    with pytest.raises(TypeError, match="activations must be QuantisedActivations, not Tensor"):
        lookup_gemv(a.codes, folded)
    short = QuantisedActivations(INT8, a.codes[:, 1:], a.scales)
    with pytest.raises(ValueError, match="k = 44 in the activations, but 45 in the weights"):
        lookup_gemv(short, folded)
    with pytest.raises(ValueError, match="table_format = uint8: int2 to int16 are needed"):
        lookup_gemv(a, folded, table_format=UINT8)
    with pytest.raises(TypeError, match="table_format must be an integer format, not a float"):
        lookup_gemv(a, folded, table_format=FP16)
    folded.scales[0, 0] += 1
    with pytest.raises(ValueError, match=r"checksum = 0x.*no weights that were folded"):
        lookup_gemv(a, folded)
