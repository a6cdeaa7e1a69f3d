"""The integer product against Python's integers: the identities of a MixPE-style unit."""

from fractions import Fraction

import pytest
import torch

from multipede.golden.formats import INT8, INT16, UINT4
from multipede.golden.mixpe import MixPE
from multipede.golden.quantisation import (
    QuantisedActivations,
    QuantisedWeights,
    dequantised_product,
    exact_dtype,
    integer_product,
    quantise_activations,
    quantise_weights,
)


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
def test_integer_product_by_both_forms_of_the_definition(group, extreme):
    """sum (q - z) a = sum q a - z sum a, in Python's integers."""
    a, w = random_operands(group, tokens=3, outputs=4, inner=150, group=group, extreme=extreme)
    d = integer_product(a, w)
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
    assert integer_product(a, w).tolist() == [[[expected]]]
    assert expected in MixPE().result_range or -expected in MixPE().result_range


def test_order_inside_a_group_does_not_matter():
    a, w = random_operands(7, tokens=5, outputs=6, inner=64, group=32)
    order = torch.randperm(32, generator=torch.Generator().manual_seed(2))
    order = torch.cat([order, order + 32])
    shuffled = integer_product(
        QuantisedActivations(INT8, a.codes[:, order], a.scales),
        QuantisedWeights(UINT4, 32, w.codes[:, order], w.zeros, w.scales),
    )
    assert torch.equal(integer_product(a, w), shuffled)


def test_group_then_scale_equals_scale_then_sum():
    """Exactly in rationals, and to float64's rounding by `dequantised_product`."""
    a, w = random_operands(11, tokens=3, outputs=4, inner=20, group=8)
    d = integer_product(a, w)
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
    assert (integer_product(a, w) == 1024 << 22).all()


def test_operands_of_unequal_k_are_refused():
    a = quantise_activations(torch.ones(2, 5), format=INT8)
    w = quantise_weights(torch.ones(2, 6), format=UINT4, group=2)
    with pytest.raises(ValueError, match="activations have k = 5, weights k = 6"):
        integer_product(a, w)
