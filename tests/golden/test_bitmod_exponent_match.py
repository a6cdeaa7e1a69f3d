"""BitMoD's exponents against the definition in exact rationals."""

from fractions import Fraction

import numpy as np
import pytest
import torch

from multipede.golden.bitmod_exponent_match import BitModExponentMatch


def _inputs(spec: BitModExponentMatch, records: int) -> dict[str, torch.Tensor]:
    generator = np.random.default_rng(5)
    return {
        name: torch.from_numpy(generator.integers(0, 1 << port.format.bits, (records, *port.shape)))
        for name, port in spec.inputs.items()
    }


@pytest.mark.parametrize("lanes", [1, 2, 3, 4, 16])
def test_products_keep_their_value(lanes):
    """2^maximum 2^-delta is the product of the two powers of two, and some delta is 0."""
    spec = BitModExponentMatch(lanes=lanes)
    inputs = _inputs(spec, 500)
    outputs, state = spec.reference(**inputs)
    assert state is None
    assert outputs["maximum"].shape == (500,)
    assert outputs["delta"].shape == outputs["sign"].shape == (500, lanes)
    for record in range(500):
        scale = Fraction(2) ** int(outputs["maximum"][record])
        deltas = outputs["delta"][record].tolist()
        assert min(deltas) == 0
        for lane, delta in enumerate(deltas):
            a, w = (int(inputs[name][record, lane]) for name in ("activation", "term"))
            assert scale / 2**delta == Fraction(2) ** a * Fraction(2) ** w
            signs = [
                (-1) ** int(inputs[f"{of}_sign"][record, lane]) for of in ("activation", "term")
            ]
            assert (-1) ** int(outputs["sign"][record, lane]) == signs[0] * signs[1]


def test_every_pair_of_exponents_in_two_lanes():
    codes = torch.arange(1 << 14)
    activation = torch.stack([codes & 31, codes >> 5 & 31], 1)
    term = torch.stack([codes >> 10 & 3, codes >> 12], 1)
    zero = torch.zeros_like(term)
    outputs, _ = BitModExponentMatch(lanes=2).reference(
        activation=activation, term=term, activation_sign=zero, term_sign=zero
    )
    first, second = (activation + term).unbind(1)
    assert torch.equal(outputs["maximum"], torch.where(first > second, first, second))
    assert torch.equal(outputs["delta"][:, 0], (second - first).clamp(min=0))
    assert torch.equal(outputs["delta"][:, 1], (first - second).clamp(min=0))
    assert outputs["maximum"].max() == 34


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"lanes": 0}, ValueError, "lanes = 0: allowed are 1 to 16"),
        ({"lanes": 17}, ValueError, "lanes = 17: allowed are 1 to 16"),
        ({"lanes": "4"}, TypeError, "lanes must be"),
        ({"stages": -1}, ValueError, "stages = -1: allowed are 0 to 12"),
    ],
)
def test_wrong_parameters_are_refused(parameters, error, message):
    with pytest.raises(error, match=message):
        BitModExponentMatch(**parameters)
