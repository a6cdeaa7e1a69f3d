"""Folded weights whose parts do not fit each other, though their checksum is right."""

from dataclasses import fields

import numpy as np
import pytest
import torch

from multipede.golden.folded_weights import FoldedWeights, fold_weights, sealed
from multipede.golden.formats import FP16, INT8, ODD3, TERNARY, UINT4, Integer
from multipede.golden.quantisation import quantise_weights
from multipede.golden.quantised_operands import ScaleLevels
from tests.golden.lookup_operands import lookup_operands

__all__ = ["unchecked"]


def parts(folded: FoldedWeights) -> dict:
    return {f.name: getattr(folded, f.name) for f in fields(folded) if f.name != "checksum"}


def unchecked(folded: FoldedWeights, **change) -> FoldedWeights:
    """With other attributes and their checksum, without any check."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FoldedWeights, "__post_init__", lambda self: None)
        made = sealed(**parts(folded) | change)
    made.require_intact()
    return made


SCALES = torch.ones(7, 3)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"table_inputs": 3}, ValueError, "lanes = 4: they must be a multiple of table_inputs = 3"),
        ({"table_inputs": 7}, ValueError, "table_inputs = 7: allowed are 2 to 6"),
        ({"table_inputs": "4"}, TypeError, "table_inputs must be int, not str: '4'"),
        ({"group": 9}, ValueError, "lanes = 4: they must divide group = 9"),
        ({"group": 0}, ValueError, "group = 0: at least 1 is needed"),
        ({"outputs": 0}, ValueError, "outputs = 0: at least 1 is needed"),
        ({"outputs": 7.0}, TypeError, "outputs must be int, not float: 7.0"),
        ({"inner": -1}, ValueError, "inner = -1: at least 1 is needed"),
        ({"lanes": 260, "group": 260}, ValueError, "lanes = 260: allowed are 2 to 256"),
        ({"columns": 257}, ValueError, "columns = 257: allowed are 1 to 256"),
        ({"format": FP16}, TypeError, "format must be an integer format or a codebook, not"),
        ({"format": TERNARY}, ValueError, "format = ternary: of codebooks only odd ones can be"),
        ({"format": Integer(9)}, ValueError, "format = int9: integers of 1 to 8 bits are needed"),
        ({"format": ODD3}, ValueError, r"packed has shape \(1, 12, 32\): \(1, 12, 24\) is needed"),
        ({"packed": np.zeros((1, 11, 32), np.uint8)}, ValueError, r"packed has .*: \(1, 12, 32\)"),
        ({"packed": np.zeros((1, 12, 32), np.int8)}, TypeError, "packed holds int8: uint8 is"),
        ({"zeros": SCALES.long()[:1]}, ValueError, r"zeros has shape \(1, 3\): \(7, 3\) is needed"),
        ({"zeros": SCALES}, TypeError, "zeros holds torch.float32: torch.int64 is needed"),
        ({"zeros": 16 * SCALES.long()}, ValueError, r"zeros\[0, 0\] = 16: codes of uint4 are 0 to"),
        ({"scales": SCALES[:, :1]}, ValueError, r"scales has shape \(7, 1\): \(7, 3\) is needed"),
        ({"scales": SCALES[0]}, ValueError, r"scales has shape \(3,\): \(7, 3\) is needed"),
        ({"scales": SCALES.half()}, TypeError, "scales holds torch.float16: torch.float32 is"),
        ({"scales": SCALES.long()}, TypeError, "scales holds torch.int64: torch.float32 is needed"),
        ({"scales": SCALES.double()}, TypeError, "scales holds torch.float64: torch.float32 is"),
        ({"scales": -SCALES}, ValueError, r"scales of weights\[0, 0\] = -1.0: finite numbers that"),
        ({"scales": SCALES / 0}, ValueError, r"scales of weights\[0, 0\] = inf: finite numbers"),
    ],
)
def test_parts_that_do_not_fit_are_named(change, error, message):
    folded = fold_weights(lookup_operands(UINT4, zero_point=True)[1])
    assert sealed(**parts(folded)).checksum == folded.checksum
    unchecked(folded, **change)
    with pytest.raises(error, match=f"^{message}"):
        sealed(**parts(folded) | change)


def test_odd_weights_have_no_zero_points():
    folded = fold_weights(lookup_operands(ODD3)[1])
    with pytest.raises(ValueError, match=r"^zeros: odd3 weights have none"):
        sealed(**parts(folded) | {"zeros": SCALES.long()})


def test_scales_of_two_levels_are_their_products():
    values = torch.randn(7, 45, generator=torch.Generator().manual_seed(1))
    folded = fold_weights(quantise_weights(values, format=UINT4, group=16, scale=INT8))
    levels = folded.levels
    others = ScaleLevels(INT8, levels.codes[:, :2], levels.channel_scales)
    floats = ScaleLevels(FP16, levels.codes, levels.channel_scales)
    halves = ScaleLevels(INT8, levels.codes, levels.channel_scales.half())
    short = ScaleLevels(INT8, levels.codes.int(), levels.channel_scales)
    for change, error, message in [
        ({"scales": 2 * folded.scales}, ValueError, "scales of weights are not the products"),
        ({"levels": None}, TypeError, "scales holds torch.float64: torch.float32 is needed"),
        ({"levels": others}, ValueError, r"levels.codes has shape \(7, 2\): \(7, 3\) is needed"),
        ({"levels": floats}, TypeError, "levels.format must be an integer format, not a float"),
        ({"levels": halves}, TypeError, "levels.channel_scales holds torch.float16: torch.float32"),
        ({"levels": short}, TypeError, "levels.codes holds torch.int32: torch.int64 is needed"),
    ]:
        unchecked(folded, **change)
        with pytest.raises(error, match=f"^{message}"):
            sealed(**parts(folded) | change)
