"""Folded weights: their layout bit by bit, the way back, and what the checksum tells."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from multipede.golden.float_lut_tensor_core import FloatLutTensorCore
from multipede.golden.folded_weights import (
    fold_weights,
    tile_weights,
    unfold_for_tile,
    unfold_weights,
)
from multipede.golden.formats import (
    BINARY,
    FP16,
    INT1,
    INT4,
    INT8,
    ODD3,
    ODD8,
    TERNARY,
    UINT1,
    UINT2,
    UINT4,
    UINT8,
    Codebook,
    Integer,
)
from multipede.golden.lut_tensor_core import LutTensorCore
from multipede.golden.matrix_tiling import MatrixTiling
from multipede.golden.mixpe import MixPE
from multipede.golden.quantisation import QuantisedWeights, quantise_activations, quantise_weights
from multipede.golden.ternary_quantisation import quantise_ternary
from tests.golden.lookup_operands import lookup_operands

FORMATS = [UINT1, INT1, UINT2, Integer(3, False), INT4, UINT8, INT8, BINARY, ODD3, ODD8]


def require_same(first: QuantisedWeights, second: QuantisedWeights) -> None:
    assert (first.format, first.group) == (second.format, second.group)
    pairs = [(first.codes, second.codes), (first.zeros, second.zeros)]
    pairs.append((first.scales, second.scales))
    if first.levels is not None:
        assert first.levels.format == second.levels.format
        pairs.append((first.levels.codes, second.levels.codes))
        pairs.append((first.levels.channel_scales, second.levels.channel_scales))
    for one, other in pairs:
        assert (one is None) == (other is None)
        if one is not None:
            assert one.dtype == other.dtype
            assert torch.equal(one, other)
    assert (first.levels is None) == (second.levels is None)


@pytest.mark.parametrize("weight", FORMATS, ids=str)
@pytest.mark.parametrize(("inputs", "lanes", "columns"), [(4, 4, 16), (2, 8, 3), (4, 16, 1)])
def test_every_bit_lies_where_the_layout_says(weight, inputs, lanes, columns):
    """Computed bit by bit from the plain codes, for all weights that there are."""
    zero_point = not isinstance(weight, Codebook)
    _, w = lookup_operands(weight, zero_point=zero_point)
    folded = fold_weights(w, table_inputs=inputs, lanes=lanes, columns=columns)
    bits = weight.bits
    assert folded.packed.shape == (
        -(-7 // columns),
        -(-45 // lanes),
        -(-columns * lanes * bits // 8),
    )
    assert folded.packed.dtype == np.uint8
    filling = w.zeros[:, -1].tolist() if zero_point else [0] * 7
    compared = 0
    for n in range(7):
        row = w.codes[n].tolist() + [filling[n]] * (-45 % lanes)
        for k, code in enumerate(row):
            last = row[k - k % inputs + inputs - 1]
            for plane in range(bits):
                place = ((n % columns) * lanes + k % lanes) * bits + plane
                piece = folded.packed[n // columns, k // lanes]
                found = int(piece[place // 8]) >> (place % 8) & 1
                own = code >> plane & 1
                assert found == (own if k % inputs == inputs - 1 else own ^ (last >> plane & 1))
                compared += 1
    assert compared >= 7 * 45 * bits


@pytest.mark.parametrize("weight", FORMATS, ids=str)
@pytest.mark.parametrize(("inputs", "lanes", "columns"), [(4, 4, 16), (2, 8, 3), (4, 16, 1)])
def test_pieces_are_the_port_of_the_tile(weight, inputs, lanes, columns):
    """As codes what MatrixTiling gives, as bits those of the port on the wires."""
    zero_point = not isinstance(weight, Codebook)
    a, w = lookup_operands(weight, zero_point=zero_point)
    folded = fold_weights(w, table_inputs=inputs, lanes=lanes, columns=columns)
    spec = LutTensorCore(
        weight=weight,
        zero_point=zero_point,
        table_inputs=inputs,
        lanes=lanes,
        columns=columns,
        rows=5,
        group=16,
    )
    tiling = MatrixTiling(spec, a, w)
    port = tiling.inputs(0, tiling.tiles)["w"]
    found = tile_weights(folded, spec)
    assert found.dtype == port.dtype
    assert np.array_equal(found, port)
    patterns = spec.inputs["w"].format.to_bits(port).reshape(len(port), -1)
    for record, piece in zip(patterns, folded.packed.reshape(len(port), -1), strict=True):
        wires = sum(int(code) << number * weight.bits for number, code in enumerate(record))
        assert wires.to_bytes(len(piece), "little") == piece.tobytes()


@pytest.mark.parametrize(("inputs", "lanes", "columns"), [(4, 4, 16), (2, 8, 3)])
def test_pieces_are_the_port_of_float_tiles(inputs, lanes, columns):
    """Whose sums end with ``last``, not with a group; fewer bits at run time among them."""
    shape = {"table_inputs": inputs, "lanes": lanes, "columns": columns}
    for spec in (
        FloatLutTensorCore(weight=ODD3, rows=5, **shape),
        FloatLutTensorCore(weight=ODD8, rows=5, run_time_bits=True, **shape),
    ):
        _, w = lookup_operands(ODD3, group=48)
        a = quantise_activations(torch.ones(5, 45), format=FP16)
        tiling = MatrixTiling(spec, a, w)
        folded = fold_weights(w, **shape)
        found, port = tile_weights(folded, spec), tiling.inputs(0, tiling.tiles)["w"]
        assert found.dtype == port.dtype
        assert np.array_equal(found, port)
        require_same(unfold_for_tile(folded, spec), w)


def test_weights_of_fewer_bits_are_records_of_a_wider_tile():
    a, w = lookup_operands(INT4, zero_point=True)
    spec = LutTensorCore(weight=INT8, run_time_bits=True, group=16, rows=5, columns=16)
    tiling = MatrixTiling(spec, a, w)
    assert np.array_equal(tile_weights(fold_weights(w), spec), tiling.inputs(0, tiling.tiles)["w"])


@pytest.mark.parametrize("weight", FORMATS, ids=str)
@pytest.mark.parametrize(("inputs", "lanes"), [(2, 4), (4, 16), (4, 8)])
def test_unfolding_gives_the_quantised_weights(weight, inputs, lanes):
    _, w = lookup_operands(weight, zero_point=not isinstance(weight, Codebook))
    require_same(unfold_weights(fold_weights(w, table_inputs=inputs, lanes=lanes)), w)


def test_unfolding_gives_scales_of_two_levels():
    values = torch.randn(5, 40, generator=torch.Generator().manual_seed(1))
    for w in (
        quantise_weights(values, format=UINT4, group=8, scale=INT8),
        quantise_ternary(values, group=8, scale=INT4),
    ):
        require_same(unfold_weights(fold_weights(w)), w)


def test_folding_takes_copies():
    _, w = lookup_operands(UINT4, zero_point=True)
    folded = fold_weights(w)
    before = folded.checksum
    w.scales.zero_()
    w.zeros.zero_()
    folded.require_intact()
    unfold_weights(folded).scales.zero_()
    folded.require_intact()
    assert before == folded.checksum
    assert (folded.scales != 0).any()


NOT_FOLDED = r"checksum = 0x[0-9a-f]{8}: the bytes have 0x[0-9a-f]{8}, so they are no weights that"


def test_every_flipped_bit_is_noticed():
    _, w = lookup_operands(UINT2, zero_point=True, outputs=3, inner=18, group=8)
    folded = fold_weights(w, columns=2)
    for place in range(folded.packed.size):
        packed = folded.packed.copy()
        packed.reshape(-1)[place] ^= 1 << place % 8
        with pytest.raises(ValueError, match=NOT_FOLDED):
            replace(folded, packed=packed)
    assert folded.packed.size >= 20
    with pytest.raises(ValueError, match="read-only"):
        folded.packed[0, 0, 0] = 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"table_inputs": 2}, NOT_FOLDED),
        ({"lanes": 8}, r"packed has shape \(1, 12, 32\): \(1, 6, 64\) is needed"),
        ({"columns": 8}, r"packed has shape \(1, 12, 32\): \(1, 12, 16\) is needed"),
        ({"group": 4}, r"zeros has shape \(7, 3\): \(7, 12\) is needed"),
        ({"group": 20}, NOT_FOLDED),
        ({"format": INT4}, r"zeros\[.*\] = \d+: codes of int4 are -8 to 7"),
        ({"outputs": 8}, r"zeros has shape \(7, 3\): \(8, 3\) is needed"),
        ({"inner": 46}, NOT_FOLDED),
        ({"zeros": None}, NOT_FOLDED),
        ({"scales": torch.ones(7, 3)}, NOT_FOLDED),
        ({"checksum": 0}, NOT_FOLDED),
    ],
    ids=str,
)
def test_other_attributes_are_noticed(change, message):
    _, w = lookup_operands(UINT4, zero_point=True)
    folded = fold_weights(w)
    with pytest.raises(ValueError, match=message):
        replace(folded, **change)


def test_plain_packed_weights_are_no_folded_ones():
    """Bytes of the same layout whose codes are not folded, or are for other tables."""
    _, w = lookup_operands(UINT4, zero_point=True)
    folded = fold_weights(w)
    spec = LutTensorCore(weight=UINT4, folded=False, group=16, rows=5)
    a, _ = lookup_operands(UINT4)
    plain = MatrixTiling(spec, a, w).inputs(0, 1)["w"].reshape(1, 12, -1).astype(np.uint8)
    packed = plain[..., 0::2] | plain[..., 1::2] << 4
    assert packed.shape == folded.packed.shape
    others = fold_weights(w, table_inputs=2).packed
    for wrong in (packed, others):
        with pytest.raises(ValueError, match=NOT_FOLDED):
            replace(folded, packed=wrong)


def test_folding_is_the_same_everywhere():
    """Bytes by hand, and a checksum that was written down once."""
    codes = torch.arange(3 * 8).reshape(3, 8) % 16
    w = QuantisedWeights(UINT4, 4, codes, codes[:, :2].clone(), torch.full((3, 2), 0.5))
    folded = fold_weights(w, columns=2)
    # 0 1 2 3 and 8 9 10 11, of which the first three are exclusive-ored with the fourth.
    assert folded.packed[0, 0].tolist() == [0x23, 0x31, 0x23, 0xB1]
    assert folded.packed.shape == (2, 2, 4)
    assert folded.checksum == 0x23454C64


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"table_inputs": 1}, ValueError, "table_inputs = 1: allowed are 2 to 6"),
        ({"table_inputs": 7, "lanes": 7}, ValueError, "table_inputs = 7: allowed are 2 to 6"),
        ({"lanes": 6}, ValueError, "lanes = 6: they must be a multiple of table_inputs = 4"),
        ({"lanes": 12}, ValueError, "lanes = 12: they must divide group = 16"),
        ({"lanes": 0}, ValueError, "lanes = 0: allowed are 2 to 256"),
        ({"lanes": 1}, ValueError, "lanes = 1: allowed are 2 to 256"),
        ({"columns": 0}, ValueError, "columns = 0: allowed are 1 to 256"),
        ({"columns": 257}, ValueError, "columns = 257: allowed are 1 to 256"),
        ({"columns": "3"}, TypeError, "columns must be int, not str"),
        ({"weights": torch.ones(2, 2)}, TypeError, "weights must be QuantisedWeights, not Tensor"),
    ],
)
def test_bad_arguments_are_named(change, error, message):
    _, w = lookup_operands(UINT4)
    arguments = {"weights": w} | change
    with pytest.raises(error, match=message):
        fold_weights(arguments.pop("weights"), **arguments)


def test_weights_that_cannot_be_folded_are_named():
    _, w = lookup_operands(UINT4, zero_point=True)
    wrong = w.codes.clone()
    wrong[2, 3] = 16
    for change, error, message in [
        ({"codes": wrong}, ValueError, r"codes\[2, 3\] = 16: codes of uint4 are 0 to 15"),
        ({"zeros": w.zeros + 16}, ValueError, r"zeros\[0, 0\] = 16: codes of uint4 are 0 to 15"),
        ({"format": ODD3}, ValueError, "zeros: odd3 weights have none"),
        ({"format": TERNARY}, ValueError, "only odd ones can be folded; ternary weights are uint2"),
        ({"format": Integer(9)}, ValueError, "format = int9: integers of 1 to 8 bits"),
        ({"format": FP16}, TypeError, "format must be an integer format or a codebook"),
        ({"codes": w.codes[0]}, ValueError, r"codes have shape \(45,\): \[N, K\] is needed"),
        ({"codes": w.codes[:, :0]}, ValueError, "inner = 0: at least 1 is needed"),
        ({"codes": w.codes.double()}, TypeError, "codes must be integers"),
        ({"codes": [[0]]}, TypeError, "codes must be a torch tensor, not list"),
        ({"zeros": w.zeros[:1]}, ValueError, r"zeros has shape \(1, 3\): \(7, 3\) is needed"),
        ({"scales": None}, TypeError, "scales must be a torch tensor, not NoneType"),
        ({"scales": w.scales.double()}, TypeError, "scales holds torch.float64: torch.float32 is"),
    ]:
        with pytest.raises(error, match=message):
            fold_weights(replace(w, **change))


def test_tiles_of_another_shape_are_named():
    _, w = lookup_operands(UINT4, zero_point=True)
    folded = fold_weights(w)
    spec = LutTensorCore(weight=UINT4, group=16)
    assert len(tile_weights(folded, spec)) == 12
    for change, message in [
        ({"columns": 8}, "columns = 8 in the lut_tensor_core, but 16 in the folded weights"),
        ({"lanes": 8}, "lanes = 8 in the lut_tensor_core, but 4 in the folded weights"),
        ({"group": 32}, "group = 32 in the lut_tensor_core, but 16 in the folded weights"),
        (
            {"table_inputs": 2},
            "table_inputs = 2 in the lut_tensor_core, but 4 in the folded weights",
        ),
        ({"weight": UINT8}, "weight = uint8 in the lut_tensor_core, but uint4 in the folded"),
        ({"folded": False}, "folded = false: this lut_tensor_core takes plain weights"),
    ]:
        for take in (tile_weights, unfold_for_tile):
            with pytest.raises(ValueError, match=message):
                take(folded, replace(spec, **change))
    floats = FloatLutTensorCore(weight=ODD3)
    with pytest.raises(ValueError, match="weight = odd3 in the float_lut_tensor_core, but uint4"):
        tile_weights(folded, floats)
    odd = fold_weights(lookup_operands(ODD3)[1])
    for change in ({"columns": 8}, {"lanes": 8}, {"table_inputs": 2}):
        ((name, value),) = change.items()
        with pytest.raises(ValueError, match=f"{name} = {value} in the float_lut_tensor_core, but"):
            tile_weights(odd, replace(floats, **change))
    with pytest.raises(TypeError, match="spec must be LutTensorCore or FloatLutTensorCore, not M"):
        tile_weights(folded, MixPE())
    with pytest.raises(TypeError, match="folded must be FoldedWeights, not QuantisedWeights"):
        tile_weights(w, spec)
    folded.zeros[0, 0] ^= 1
    with pytest.raises(ValueError, match=NOT_FOLDED):
        tile_weights(folded, spec)
    with pytest.raises(ValueError, match=NOT_FOLDED):
        unfold_weights(folded)
