"""What bit-serial tiles have in common: the weights that they take, and bits at run time."""

from dataclasses import replace

import pytest
import torch

from multipede.golden.bit_serial_tile import BitSerialTile
from multipede.golden.codebook import ODD, ODD3
from multipede.golden.float_lut_tensor_core import FloatLutTensorCore
from multipede.golden.formats import FP16, INT4, TERNARY, UINT4, Integer
from multipede.golden.lut_tensor_core import LutTensorCore

UNSIGNED = [Integer(bits, signed=False) for bits in range(1, 10)]
SIGNED = [Integer(bits) for bits in range(1, 10)]
OTHERS = [TERNARY, FP16]
SHAPE = {"rows": 1, "columns": 1, "run_time_bits": True}


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        (LutTensorCore(weight=UINT4, **SHAPE), UNSIGNED),
        (LutTensorCore(weight=INT4, **SHAPE), SIGNED),
        (LutTensorCore(weight=ODD[3], zero_point=False, **SHAPE), ODD),
        (BitSerialTile(weight=UINT4, **SHAPE), UNSIGNED),
        (BitSerialTile(weight=INT4, **SHAPE), SIGNED),
        (FloatLutTensorCore(weight=ODD[3], **SHAPE), ODD),
    ],
    ids=lambda part: part.unit if hasattr(part, "unit") else part[1].name,
)
def test_weights_of_the_same_kind_are_taken_and_no_others(spec, kind):
    """Of 1 to 4 bits at run time, otherwise of 4 only."""
    fixed, every = replace(spec, run_time_bits=False), [*UNSIGNED, *SIGNED, *ODD, *OTHERS]
    assert [w for w in every if spec.takes_weights(w)] == list(kind[:4])
    assert [w for w in every if fixed.takes_weights(w)] == [kind[3]]


@pytest.mark.parametrize(
    "spec",
    [
        LutTensorCore(weight=ODD3, zero_point=False, **SHAPE),
        BitSerialTile(weight=Integer(3), **SHAPE),
        FloatLutTensorCore(weight=ODD3, **SHAPE),
    ],
    ids=lambda spec: spec.unit,
)
def test_more_bits_than_the_tile_has_are_named(spec):
    """All codes 0 otherwise."""
    records = {
        name: torch.zeros((4, *port.shape), dtype=torch.int64) for name, port in spec.inputs.items()
    }
    assert spec.check_inputs(records | {"bits": torch.tensor([0, 1, 2, 0])}) == 4
    for code in (3, -1):
        message = rf"bits\[1\] = {code}: code n stands for n \+ 1 bits, and weight = \w+3 has 3"
        with pytest.raises(ValueError, match=message):
            spec.reference(**records | {"bits": torch.tensor([0, code, 2, 0])})
    with pytest.raises(TypeError, match="bits must be integers"):
        spec.check_inputs(records | {"bits": torch.zeros(4)})
    with pytest.raises(TypeError, match="inputs must be"):
        spec.check_inputs({"bits": records["bits"]})
