"""Tensor products by adding codes: the bits of the tile, whatever the operands."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from multipede.golden import lmul_matmul as module
from multipede.golden.float_tile import SumOrder
from multipede.golden.formats import BF16, E2M1, E4M3, E5M2, FP16, FP32, Float
from multipede.golden.lmul_matmul import lmul_matmul, rounded
from multipede.golden.lmul_tile import LMulTile
from multipede.golden.logarithmic_factors import Correction
from multipede.golden.logarithmic_policies import Preset

SEED = 20261127
SEQUENTIAL, TREE = SumOrder.SEQUENTIAL, SumOrder.TREE
TILES = [
    LMulTile(order=SEQUENTIAL),
    LMulTile(lanes=8),
    LMulTile(lanes=5, accumulator=BF16),
    LMulTile(lanes=1, accumulator=FP16, correction=Correction.NONE),
    LMulTile(lanes=13, correction=Correction.TABLE),
    LMulTile(order=SEQUENTIAL, correction=Correction.TABLE, accumulator=BF16),
    LMulTile(activation=E4M3, weight=E4M3, lanes=4),
    LMulTile(activation=E4M3, weight=E4M3, product=E4M3, lanes=4),
    LMulTile(activation=FP16, weight=E2M1, lanes=6, offset=0),
    LMulTile(activation=FP16, weight=FP16, product=FP16, lanes=3, preset=Preset.AXCORE),
    LMulTile(activation=E5M2, weight=E5M2, product=E5M2, preset=Preset.UCSD_2025_PIPELINED),
    LMulTile(activation=E5M2, weight=E5M2, product=Float(9, 4), lanes=4),
]


def wanted(x: torch.Tensor, w: torch.Tensor, tile: LMulTile) -> np.ndarray:
    """Codes [M, N] by the tile's reference."""
    records = -(-x.shape[1] // tile.lanes)
    padded = records * tile.lanes

    def codes(values: torch.Tensor, number_format: Float) -> torch.Tensor:
        full = np.zeros((len(values), padded))
        full[:, : values.shape[1]] = values.numpy()
        cut = number_format.encode(full).reshape(len(values), records, tile.lanes)
        return torch.from_numpy(cut.transpose(1, 0, 2).copy())

    last = torch.zeros(records, dtype=torch.int64)
    last[-1] = 1
    whole = replace(tile, rows=len(x), columns=w.shape[1])
    a, b = codes(x, tile.activation), codes(w.T.contiguous(), tile.weight)
    return whole.reference(a=a, w=b, last=last)[0]["y"][0].numpy()


def assert_same_bits(x: torch.Tensor, w: torch.Tensor, tile: LMulTile) -> np.ndarray:
    found = tile.accumulator.encode(lmul_matmul(x, w, tile).numpy())
    expected = wanted(x, w, tile)
    assert np.array_equal(found, expected)
    return expected


def operands(tile: LMulTile, generator: torch.Generator, wild: float) -> tuple[torch.Tensor, ...]:
    """Of the tile's formats; a share of any codes, zeros of both signs among them."""
    made = []
    for number_format, shape in ((tile.activation, (7, 37)), (tile.weight, (37, 11))):
        values = rounded(torch.randn(shape, generator=generator), number_format)
        any_code = torch.randint(0, 1 << number_format.bits, shape, generator=generator)
        corners = torch.tensor(number_format.corners())
        corner = corners[torch.randint(0, len(corners), shape, generator=generator)]
        odd = torch.where(torch.rand(shape, generator=generator) < 0.5, any_code, corner)
        is_odd = torch.rand(shape, generator=generator) < wild
        made.append(torch.where(is_odd, number_format.decode(odd).float(), values))
    return tuple(made)


@pytest.mark.parametrize("wild", [0.0, 0.01, 0.5])
@pytest.mark.parametrize("tile", TILES, ids=str)
def test_bits_of_the_tile(tile, wild):
    print(f"seed {SEED}")
    generator = torch.Generator().manual_seed(SEED)
    codes = np.concatenate(
        [assert_same_bits(*operands(tile, generator, wild), tile).ravel() for _ in range(4)]
    )
    assert len(codes) == 4 * 7 * 11
    if wild < 0.5:
        assert len(np.unique(codes)) > 20


def test_all_of_it_is_fast_where_nothing_is_special():
    """Else the tests above might never have met the addition of patterns."""
    generator = torch.Generator().manual_seed(SEED)
    for tile in TILES[:7]:
        x, w = operands(tile, generator, 0)
        assert all(module._Products(tile, x[None], w[None]).fast)
    x[0, 3] = torch.inf
    products = module._Products(tile, x[None], w[None])
    assert products.fast == [k != 3 for k in range(37)]


@pytest.mark.parametrize("tile", TILES[:6], ids=str)
def test_zeros(tile):
    """Half of the operands are zero, of both signs."""
    generator = torch.Generator().manual_seed(SEED)
    x, w = (
        operand * torch.randint(0, 2, operand.shape, generator=generator)
        for operand in operands(tile, generator, 0)
    )
    assert ((x == 0) & torch.signbit(x)).any()
    assert all(module._Products(tile, x[None], w[None]).fast)
    assert_same_bits(x, w, tile)


@pytest.mark.parametrize("exponent", [-70, -63, -62, 62, 63, 64])
def test_ends_of_the_range(exponent):
    """Products near the smallest normal number, and near the largest."""
    generator = torch.Generator().manual_seed(SEED)
    x, w = (
        rounded(torch.randn(shape, generator=generator) * 2.0**exponent, BF16)
        for shape in ((5, 16), (16, 6))
    )
    for tile in (LMulTile(lanes=4), LMulTile(lanes=4, correction=Correction.TABLE)):
        assert_same_bits(x, w, tile)


def test_blocks(monkeypatch):
    generator = torch.Generator().manual_seed(SEED)
    x = rounded(torch.randn(3, 9, 20, generator=generator), BF16)
    w = rounded(torch.randn(3, 20, 10, generator=generator), BF16)
    for tile in (LMulTile(), LMulTile(correction=Correction.TABLE, order=SEQUENTIAL)):
        whole = lmul_matmul(x, w, tile)
        for size in (1, 7, 10, 33, 200):
            monkeypatch.setitem(module.BLOCK, "cpu", size)
            assert torch.equal(lmul_matmul(x, w, tile), whole)
            monkeypatch.undo()


@pytest.mark.parametrize(
    ("x_shape", "w_shape", "shape"),
    [
        ((4, 6), (6, 5), (4, 5)),
        ((2, 3, 4, 6), (6, 5), (2, 3, 4, 5)),
        ((2, 3, 4, 6), (2, 3, 6, 5), (2, 3, 4, 5)),
        ((2, 1, 4, 6), (3, 6, 5), (2, 3, 4, 5)),
        ((4, 6), (2, 6, 5), (2, 4, 5)),
        ((0, 6), (6, 5), (0, 5)),
        ((4, 0), (0, 5), (4, 5)),
    ],
)
def test_shapes(x_shape, w_shape, shape):
    generator = torch.Generator().manual_seed(SEED)
    x, w = (rounded(torch.randn(s, generator=generator), BF16) for s in (x_shape, w_shape))
    found = lmul_matmul(x, w)
    assert found.shape == shape
    leading = shape[:-2]
    whole_x, whole_w = x.expand(*leading, *x.shape[-2:]), w.expand(*leading, *w.shape[-2:])
    for index in np.ndindex(*leading):
        assert torch.equal(found[index], lmul_matmul(whole_x[index], whole_w[index]))


def test_it_is_near_the_product():
    generator = torch.Generator().manual_seed(SEED)
    x = rounded(torch.randn(32, 64, generator=generator), BF16)
    w = rounded(torch.randn(64, 32, generator=generator), BF16)
    exact = x.double() @ w.double()
    errors = {
        correction: float((lmul_matmul(x, w, LMulTile(correction=correction)) - exact).abs().mean())
        for correction in Correction
    }
    assert errors[Correction.TABLE] < errors[Correction.OFFSET] < 0.05 * float(exact.abs().mean())
    assert errors[Correction.OFFSET] < errors[Correction.NONE]


def test_no_gradient_and_operands_stay():
    x = torch.ones(2, 3, requires_grad=True)
    w = torch.ones(3, 2)
    assert not lmul_matmul(x, w).requires_grad
    assert torch.equal(x, torch.ones(2, 3))
    assert torch.equal(w, torch.ones(3, 2))


@pytest.mark.parametrize(
    ("x", "w", "tile", "error", "message"),
    [
        (torch.ones(2, 3), torch.ones(2, 3), None, ValueError, "x has 3 columns and w has 2 rows"),
        (torch.ones(3), torch.ones(3, 3), None, ValueError, r"x has shape \(3,\): a matrix"),
        (torch.ones(2, 3).double(), torch.ones(3, 3), None, TypeError, "x must be float32, not"),
        ([[1.0]], torch.ones(1, 1), None, TypeError, "x must be Tensor"),
        (torch.ones(1, 1), torch.ones(1, 1), "lmul", TypeError, "tile must be LMulTile"),
        (
            torch.full((1, 1), 0.1),
            torch.ones(1, 1),
            None,
            ValueError,
            r"x holds 0\.1\d+, which is no number of bf16: round it before, with rounded\(x",
        ),
        (
            torch.ones(1, 1),
            torch.full((1, 1), 1.1),
            LMulTile(weight=E4M3),
            ValueError,
            "w holds .* no number of e4m3",
        ),
        (
            torch.ones(1, 1),
            torch.ones(1, 1),
            LMulTile(accumulator=Float(6, 9)),
            ValueError,
            "accumulator = e6m9-ieee: allowed are fp32, fp16 and bf16",
        ),
        (torch.ones(2, 1, 1), torch.ones(3, 1, 1), None, ValueError, "leading axes do not go"),
    ],
)
def test_bad_arguments(x, w, tile, error, message):
    with pytest.raises(error, match=message):
        lmul_matmul(x, w, tile)


def test_rounded():
    values = torch.tensor([0.1, 1.06, -3.3, 1e-9, 500.0, torch.nan])
    for number_format in (FP32, BF16, FP16, E4M3):
        expected = number_format.decode(number_format.encode(values.double())).float()
        found = rounded(values, number_format)
        assert found.dtype == torch.float32
        assert torch.equal(found.nan_to_num(7), expected.nan_to_num(7))
