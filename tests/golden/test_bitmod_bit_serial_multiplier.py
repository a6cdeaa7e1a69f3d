"""BitMoD's aligned products against exact rationals."""

from fractions import Fraction

import numpy as np
import pytest
import torch

from multipede.golden.bitmod_bit_serial_multiplier import BitModBitSerialMultiplier


def _reference(spec: BitModBitSerialMultiplier, inputs: dict[str, np.ndarray]) -> list[int]:
    outputs, state = spec.reference(**{name: torch.from_numpy(x) for name, x in inputs.items()})
    assert state is None
    return outputs["dot"].tolist()


@pytest.mark.parametrize("lanes", [1, 3, 4, 16])
def test_sums_of_truncated_products(lanes):
    spec = BitModBitSerialMultiplier(lanes=lanes)
    generator = np.random.default_rng(7)
    inputs = {
        name: generator.integers(0, 1 << port.format.bits, (1000, lanes))
        for name, port in spec.inputs.items()
    }
    inputs["delta"][200:] %= 16
    truncated = 0
    for record, dot in enumerate(_reference(spec, inputs)):
        fields = [inputs[name][record].tolist() for name in spec.inputs]
        exact = [
            (-1) ** sign * Fraction(significand * mantissa * 8, 2**delta)
            for significand, mantissa, delta, sign in zip(*fields, strict=True)
        ]
        assert dot == sum(map(int, exact))  # int drops the fraction, towards zero
        assert abs(dot - sum(exact)) < lanes
        truncated += dot != sum(exact)
    assert truncated > 100


def test_every_shift_of_every_significand():
    codes = np.arange(1 << 17)
    inputs = {
        "significand": (codes & 2047)[:, None],
        "delta": (codes >> 11)[:, None],
        "mantissa": np.ones((len(codes), 1), np.int64),
        "sign": np.zeros((len(codes), 1), np.int64),
    }
    dots = np.array(_reference(BitModBitSerialMultiplier(lanes=1), inputs))
    wanted = np.floor((codes & 2047) * 8 / 2.0 ** (codes >> 11))  # exact in float64
    assert np.array_equal(dots, wanted)
    assert not dots[codes >> 11 > 13].any()


@pytest.mark.parametrize("lanes", [1, 2, 4, 5, 16])
@pytest.mark.parametrize("sign", [0, 1])
def test_the_largest_sums_fit(lanes, sign):
    spec = BitModBitSerialMultiplier(lanes=lanes)
    ones = np.ones((1, lanes), np.int64)
    inputs = {"significand": 2047 * ones, "mantissa": ones, "delta": 0 * ones, "sign": sign * ones}
    (dot,) = _reference(spec, inputs)
    assert dot == (-1) ** sign * lanes * 2047 * 8
    form = spec.outputs["dot"].format
    assert form.minimum <= dot <= form.maximum
    assert lanes != 4 or form.bits == 17


def test_wrong_parameters_are_refused():
    with pytest.raises(ValueError, match="lanes = 0: allowed are 1 to 16"):
        BitModBitSerialMultiplier(lanes=0)
    with pytest.raises(ValueError, match="stages = 13: allowed are 0 to 12"):
        BitModBitSerialMultiplier(stages=13)
