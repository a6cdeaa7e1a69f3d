"""The processor's binary32 against the tiles' own exact arithmetic, bit for bit."""

import pytest
import torch

from multipede.golden import matrix_product, native_float
from multipede.golden.dequantise_first_tile import DequantiseFirstTile
from multipede.golden.float_multiplier_tile import FloatMultiplierTile
from multipede.golden.float_tile import FloatTile, SumOrder
from multipede.golden.formats import BF16, E4M3, E5M2, FP16, FP32, UINT4, parse_format
from multipede.golden.integer_tile import TileOutput
from multipede.golden.matrix_product import tile_results
from multipede.golden.matrix_tiling import MatrixTiling
from multipede.golden.mixpe import MixPE
from multipede.golden.native_float import native_results
from multipede.golden.quantisation import QuantisedActivations, QuantisedWeights

SHAPE = {"rows": 2, "columns": 3}
DEQUANTISED = {"output": TileOutput.DEQUANTISED}
NATIVE = [
    FloatMultiplierTile(lanes=8, **SHAPE),
    FloatMultiplierTile(lanes=5, **SHAPE),
    FloatMultiplierTile(lanes=1, **SHAPE),
    FloatMultiplierTile(lanes=4, order=SumOrder.SEQUENTIAL, **SHAPE),
    FloatMultiplierTile(weight=BF16, activation=BF16, lanes=4, **SHAPE),
    FloatMultiplierTile(weight=E4M3, activation=E5M2, lanes=4, order=SumOrder.SEQUENTIAL, **SHAPE),
    DequantiseFirstTile(lanes=8, group=16, **SHAPE),
    DequantiseFirstTile(lanes=4, group=12, order=SumOrder.SEQUENTIAL, **SHAPE),
    DequantiseFirstTile(lanes=4, group=4, activation=BF16, dequantised=BF16, scale=BF16, **SHAPE),
]


def operands(spec: FloatTile, seed: int) -> tuple[QuantisedActivations, QuantisedWeights]:
    """All codes alike: subnormal numbers, infinities and NaN among them."""
    generator = torch.Generator().manual_seed(seed)
    tokens, outputs, inner = 9, 10, 75

    def codes(number_format, *shape: int) -> torch.Tensor:
        return torch.randint(0, 1 << number_format.bits, shape, generator=generator)

    def finite(number_format, *shape: int) -> torch.Tensor:
        raw = codes(number_format, *shape)
        # Sums of larger numbers than these would all overflow, with BF16.
        return torch.where(number_format.decode(raw).abs() < 2.0**62, raw, 0)

    # A special number spoils its whole sum, so most sums get none.
    a = finite(spec.activation, tokens, inner)
    a[0, :] = codes(spec.activation, inner)
    group = getattr(spec, "group", 1024)
    if isinstance(spec, FloatMultiplierTile):
        weights = QuantisedWeights(
            spec.weight, group, finite(spec.weight, outputs, inner), None, None
        )
    else:
        groups = -(-inner // group)
        scales = torch.rand(outputs, groups, generator=generator) * 4 + 0.125
        scales[:, 0] *= 2.0**-10
        weights = QuantisedWeights(
            UINT4, group, codes(UINT4, outputs, inner), codes(UINT4, outputs, groups), scales
        )
    return QuantisedActivations(spec.activation, a, torch.ones(tokens)), weights


@pytest.mark.parametrize("spec", NATIVE, ids=str)
@pytest.mark.parametrize("block", [1 << 20, 20])
def test_it_equals_exact_arithmetic(spec, block, monkeypatch):
    a, w = operands(spec, seed=len(str(spec)))
    monkeypatch.setattr(native_float, "BLOCK", block)
    found = native_results(spec, a, w)
    assert (tile_results(spec, a, w)["y"] == found).all()
    monkeypatch.setattr(matrix_product, "native_results", lambda *_: None)
    expected = tile_results(spec, a, w)["y"]
    assert found.shape == expected.shape == (9, 10, 1)
    assert (found == expected).all()
    # Not only sums that were spoilt.
    assert (found != FP32.nan_code).sum() >= 60


def test_a_wrong_order_of_sums_would_be_seen(monkeypatch):
    spec = NATIVE[0]
    a, w = operands(spec, seed=4)
    found = native_results(spec, a, w)
    monkeypatch.setattr(native_float, "_tree", native_float._chain)
    assert (native_results(spec, a, w) != found).any()


CHAIN = FloatMultiplierTile(
    weight=BF16, activation=BF16, lanes=4, order=SumOrder.SEQUENTIAL, **SHAPE
)


def bf16_operands(a, w) -> tuple[QuantisedActivations, QuantisedWeights]:
    """Values that BF16 holds exactly."""
    a, w = (BF16.encode(torch.tensor(values, dtype=torch.float64)) for values in (a, w))
    return (
        QuantisedActivations(BF16, a, torch.ones(len(a))),
        QuantisedWeights(BF16, 1024, w, None, None),
    )


def test_fused_chains_are_native_where_the_products_at_hand_are_exact(monkeypatch):
    """A product of two BF16 may need 2**-280, but those of ordinary numbers do not."""
    generator = torch.Generator().manual_seed(6)
    a, w = torch.randn(5, 30, generator=generator), torch.randn(6, 30, generator=generator)
    a[0, 0], a[1, 1], a[2, 2] = float("inf"), float("nan"), 0
    a, w = bf16_operands(a.tolist(), w.tolist())
    found = native_results(CHAIN, a, w)
    monkeypatch.setattr(matrix_product, "native_results", lambda *_: None)
    assert (tile_results(CHAIN, a, w)["y"] == found).all()
    assert (found != FP32.nan_code).sum() >= 24


LAST = 1 + 2.0**-7
"""The last of eight digits counts."""


@pytest.mark.parametrize(
    ("a", "w", "native"),
    [
        (LAST * 2.0**-60, LAST * 2.0**-75, True),  # its last place is 2**-149
        (LAST * 2.0**-61, LAST * 2.0**-75, False),
        (2.0**-133, LAST * 2.0**-9, True),  # subnormal, its last place is 2**-133
        (2.0**-133, LAST * 2.0**-10, False),
        (LAST * 2.0**63, LAST * 2.0**63, True),
        (LAST * 2.0**63, LAST * 2.0**64, False),
        (0.0, 2.0**127, True),
    ],
)
def test_the_borders_of_exact_products(a, w, native, monkeypatch):
    """Where the processor would round a product first, golden's own arithmetic is taken."""
    exact = bf16_operands([[a]], [[w]])
    assert (native_results(CHAIN, *exact) is not None) == native
    result = tile_results(CHAIN, *exact)["y"]
    monkeypatch.setattr(matrix_product, "native_results", lambda *_: None)
    assert (tile_results(CHAIN, *exact)["y"] == result).all()


DIRECTED = [
    # Without a zero the lowest exponent field is as any other, and half the last place counts.
    ("ue8m0-fn-nozero", [2.0**-127], "bf16", [LAST * 2.0**-16], False),
    ("ue8m0-fn-nozero", [2.0**-126], "bf16", [LAST * 2.0**-16], True),
    ("e4m11-ieee", [1 + 2.0**-11], "e4m11-ieee", [1 + 2.0**-11], True),  # 24 digits
    ("e3m12-ieee", [1 + 2.0**-12], "e4m11-ieee", [1 + 2.0**-11], False),  # 25 digits
    # A factor beyond binary32, though the product is not.
    ("e10m5-ieee", [2.0**200], "bf16", [2.0**-100], False),
    ("bf16", [2.0**-100], "e10m5-ieee", [2.0**200], False),
]


@pytest.mark.parametrize(("a_format", "a", "w_format", "w", "native"), DIRECTED)
def test_formats_of_other_extents(a_format, a, w_format, w, native, monkeypatch):
    a_format, w_format = parse_format(a_format), parse_format(w_format)
    spec = FloatMultiplierTile(
        activation=a_format, weight=w_format, lanes=2, order=SumOrder.SEQUENTIAL, **SHAPE
    )
    codes = [
        f.encode(torch.tensor([v * 2], dtype=torch.float64))
        for f, v in ((a_format, a), (w_format, w))
    ]
    operands = (
        QuantisedActivations(a_format, codes[0], torch.ones(1)),
        QuantisedWeights(w_format, 1024, codes[1], None, None),
    )
    assert (native_results(spec, *operands) is not None) == native
    result = tile_results(spec, *operands)["y"]
    monkeypatch.setattr(matrix_product, "native_results", lambda *_: None)
    assert (tile_results(spec, *operands)["y"] == result).all()


@pytest.mark.parametrize(
    "spec",
    [
        FloatMultiplierTile(accumulator=FP16),
        FloatMultiplierTile(weight=parse_format("e10m2-ieee")),
        CHAIN,
    ],
    ids=str,
)
def test_other_tiles_are_not_native(spec):
    assert native_results(spec, *operands(spec, seed=1)) is None


def test_a_processor_without_subnormals_is_refused():
    spec = FloatMultiplierTile(**SHAPE)
    a, w = operands(spec, seed=1)
    if not torch.set_flush_denormal(True):
        pytest.skip("this processor cannot flush subnormal numbers")
    try:
        with pytest.raises(ValueError, match="flushes subnormal numbers to zero"):
            native_results(spec, a, w)
    finally:
        torch.set_flush_denormal(False)


def test_operands_must_be_the_tiles():
    spec = DequantiseFirstTile(lanes=4, group=16, **SHAPE)
    a, w = operands(spec, seed=2)
    unscaled = QuantisedWeights(UINT4, 16, w.codes, w.zeros, None)
    with pytest.raises(ValueError, match="scale: dequantise_first_tile needs scales, unlike uint4"):
        tile_results(spec, a, unscaled)
    floats = FloatMultiplierTile(**SHAPE)
    a, w = operands(floats, seed=2)
    scaled = QuantisedWeights(FP16, 1024, w.codes, None, torch.ones(10, 1))
    with pytest.raises(ValueError, match="float_multiplier_tile takes no scales, unlike fp16"):
        MatrixTiling(floats, a, scaled)


@pytest.mark.parametrize("scale", [float("nan"), float("inf"), -1.0])
def test_scales_that_are_no_scales_are_refused(scale):
    scales = torch.ones(2, 3)
    scales[1, 2] = scale
    codes = torch.zeros(2, 12, dtype=torch.int64)
    with pytest.raises(ValueError, match=r"scales of weights\[1, 2\] = .*: finite numbers"):
        QuantisedWeights(UINT4, 4, codes, torch.zeros(2, 3, dtype=torch.int64), scales)
    with pytest.raises(ValueError, match=r"scales of activations\[2\] = .*: finite numbers"):
        QuantisedActivations(FP16, codes, scales[1])


@pytest.mark.parametrize("scale", [70000.0, 1e-5, 1e-9])
@pytest.mark.parametrize(
    "spec", [DequantiseFirstTile(lanes=4, group=4), MixPE(lanes=4, group=4, **DEQUANTISED)], ids=str
)
def test_scales_that_the_tile_cannot_hold_are_refused(spec, scale):
    a = QuantisedActivations(spec.activation, torch.zeros(2, 12, dtype=torch.int64), torch.ones(2))
    scales = torch.ones(2, 3)
    scales[0, 1] = scale
    zeros = torch.zeros(2, 3, dtype=torch.int64)
    w = QuantisedWeights(UINT4, 4, torch.zeros(2, 12, dtype=torch.int64), zeros, scales)
    message = r"scales\[0, 1\] = .*: fp16 holds 0 and 6.1e-05 to 6.55e\+04 with all its bits"
    with pytest.raises(ValueError, match=message):
        tile_results(spec, a, w)
    scales[0, 1] = 0
    assert tile_results(spec, a, w)["y"].shape == (2, 2, 1)


def test_records_without_a_zero_cannot_be_filled_up():
    without = parse_format("ue4m3-finite-nozero")
    spec = FloatMultiplierTile(activation=without, lanes=4, **SHAPE)
    codes = torch.zeros(2, 5, dtype=torch.int64)
    a = QuantisedActivations(without, codes, torch.ones(2))
    w = QuantisedWeights(FP16, 1024, codes, None, None)
    with pytest.raises(ValueError, match="has no zero to fill up records with, so k = 5 must be"):
        tile_results(spec, a, w)
