"""Golden vectors: whole groups at the extremes lead them, as the ports of each tile take them."""

import numpy as np
import pytest
import torch

from multipede.golden.codebook import BINARY, ODD2
from multipede.golden.formats import FP16, INT4, UINT2
from multipede.golden.lut_tensor_core import LutTensorCore, Tables
from multipede.golden.mixpe import MixPE
from multipede.golden.stallable import Stallable
from multipede.sim.vectors import golden_records, golden_vectors

SIZE = {"rows": 1, "columns": 2, "lanes": 4, "group": 8}
ODD = {"zero_point": False, **SIZE}
EXTERNAL = {"tables": Tables.EXTERNAL}
TILES = [
    MixPE(**SIZE),
    MixPE(weight=INT4, zero_point=False, **SIZE),
    LutTensorCore(weight=UINT2, **SIZE),
    LutTensorCore(weight=UINT2, reinterpreted=False, folded=False, run_time_bits=True, **SIZE),
    LutTensorCore(weight=ODD2, run_time_bits=True, **EXTERNAL, **ODD),
    LutTensorCore(weight=BINARY, **ODD),
]


@pytest.mark.parametrize("spec", TILES, ids=str)
def test_first_groups_reach_the_ends_of_the_results(spec):
    records = golden_records(spec, 12 * spec.records_per_group, seed=1)
    inputs = {name: torch.from_numpy(codes) for name, codes in records.items()}
    (results, _) = spec.reference(**inputs)
    d = results["d"][:4].numpy()
    assert (d.min(), d.max()) == spec.result_range


def test_a_tile_inside_another_unit_is_led_by_them_too():
    spec = TILES[0]
    plain, inside = (golden_records(s, 40, seed=1) for s in (spec, Stallable(inside=spec)))
    assert all(np.array_equal(plain[name][:6], inside[name][:6]) for name in plain)


def test_float_activations_are_led_by_their_largest():
    spec = LutTensorCore(weight=ODD2, activation=FP16, **ODD)
    records = golden_records(spec, 40, seed=1)
    hold = spec.records_per_group
    found = [set(records["a"][i * hold : (i + 1) * hold].ravel().tolist()) for i in range(4)]
    assert found == [{FP16.minimum_code}, {FP16.maximum_code}] * 2
    vectors = golden_vectors(spec, 40, seed=1)
    assert vectors.inputs.count("\n") == vectors.records + 1 == 41
    assert vectors.outputs.count("\n") == vectors.results + 1
