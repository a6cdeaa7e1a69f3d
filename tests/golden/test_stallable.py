"""Stallable specifications: the same as the unit inside, but for when records pass."""

import pytest
import torch

from multipede.golden.catalogue import spec_from_dict, unit
from multipede.golden.float_adder import FloatAdder
from multipede.golden.formats import UINT2
from multipede.golden.integer_tile import TileOutput
from multipede.golden.mixpe import MixPE
from multipede.golden.stallable import Stallable
from tests.golden.pieces import check_in_pieces
from tests.golden.test_mixed_tile import records

TILE = MixPE(weight=UINT2, rows=2, columns=1, lanes=2, group=4, stages=3)


def test_it_is_the_unit_inside_with_ready_on_both_sides():
    spec = Stallable(inside=TILE)
    for name in ("inputs", "outputs", "operations", "latency", "initiation_interval"):
        assert getattr(spec, name) == getattr(TILE, name)
    assert spec.computation is TILE
    assert (spec.always_ready, spec.stallable, spec.keeps_pace) == (False, True, True)
    assert spec.depth == 4
    dequantised = Stallable(inside=MixPE(output=TileOutput.DEQUANTISED))
    assert (dequantised.keeps_pace, dequantised.depth) == (False, dequantised.latency + 1)


def test_its_reference_is_that_of_the_unit_inside():
    inputs = records(TILE, 100)
    spec = Stallable(inside=TILE)
    outputs, _ = spec.reference(**inputs)
    for name, expected in TILE.reference(**inputs)[0].items():
        assert torch.equal(outputs[name], expected)
    check_in_pieces(spec, inputs)


def test_its_description_gives_it_back():
    spec = Stallable(inside=TILE)
    assert spec_from_dict(spec.to_dict()) == spec
    assert spec.fingerprint != TILE.fingerprint
    assert spec.fingerprint != Stallable(inside=MixPE()).fingerprint
    assert str(spec) == f"stallable({TILE})"
    assert unit("stallable").from_parameters({"inside": "float_adder"}).inside == FloatAdder()


def test_bad_parameters():
    with pytest.raises(TypeError, match="inside must be Spec, not str"):
        Stallable(inside="mixpe")
    with pytest.raises(ValueError, match="inside = stallable: its results may wait as it is"):
        Stallable(inside=Stallable())
    with pytest.raises(ValueError, match="there is no unit 'mixpi'"):
        Stallable.from_parameters({"inside": "mixpi"})
