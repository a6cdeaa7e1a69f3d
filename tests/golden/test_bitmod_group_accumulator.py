"""BitMoD's accumulator against exact rationals, and how far its sums are from exact ones."""

from fractions import Fraction
from math import floor

import numpy as np
import pytest
import torch

from multipede.golden.bitmod_group_accumulator import BitModGroupAccumulator, GroupSum


def _records(**inputs) -> dict[str, torch.Tensor]:
    return {name: torch.as_tensor(values, dtype=torch.int64) for name, values in inputs.items()}


def _values(outputs: dict[str, torch.Tensor]) -> list[Fraction]:
    pairs = zip(outputs["mantissa"].tolist(), outputs["exponent"].tolist(), strict=True)
    return [mantissa * Fraction(2) ** exponent for mantissa, exponent in pairs]


def _in_units(value: Fraction, unit: int, below: int, furthest: int) -> int:
    """A value in units of 2^unit; 0 if its own unit is further below than that."""
    return floor(value / Fraction(2) ** unit) if below <= furthest else 0


def _step(spec: BitModGroupAccumulator, before: GroupSum, product: int, exponent: int) -> GroupSum:
    unit = max(before.exponent, exponent)
    total = _in_units(
        before.mantissa * Fraction(2) ** before.exponent, unit, unit - before.exponent, 13
    )
    value = product * Fraction(2) ** exponent
    total += _in_units(value, unit, unit - exponent, spec.product.bits - 2)
    # Of a negative number the magnitude of its inverse tells how many bits it needs.
    grown = max(0, (total if total >= 0 else -1 - total).bit_length() - 14)
    return GroupSum(floor(Fraction(total, 2**grown)), (unit + grown) % 64)


@pytest.mark.parametrize("lanes", [1, 4, 16])
def test_sums_step_by_step(lanes):
    spec = BitModGroupAccumulator(lanes=lanes)
    generator = np.random.default_rng(11)
    inputs = dict(spec.related_records(generator, 4000))
    inputs["start"] = (generator.random(4000) < 0.02).astype(np.int64)
    inputs["exponent"][::9] = generator.integers(0, 64, len(inputs["exponent"][::9]))
    inputs["significance"][::7] = 7
    outputs, state = spec.reference(**_records(**inputs))
    before, wanted = GroupSum(0, 0), []
    for dot, exponent, significance, start in zip(
        *map(np.ndarray.tolist, inputs.values()), strict=True
    ):
        before = GroupSum(0, 0) if start else before
        before = _step(spec, before, dot * 2 ** min(significance, 6), exponent)
        wanted.append(before)
    assert list(zip(*(outputs[n].tolist() for n in outputs), strict=True)) == wanted
    assert state == wanted[-1]


def test_both_orders_of_a_huge_and_a_tiny_value():
    """The RTL as released gives 2.097e9 for the first."""
    spec = BitModGroupAccumulator()
    for exponents in ([20, 10], [10, 20]):
        inputs = _records(dot=[1000, 1000], exponent=exponents, significance=[0, 0], start=[1, 0])
        outputs, _ = spec.reference(**inputs)
        exact = 1000 * 2**20 + 1000 * 2**10
        assert abs(_values(outputs)[-1] - exact) < 2**20


@pytest.mark.parametrize("sign", [-1, 1])
def test_the_largest_operands_fit(sign):
    """Four products of the largest significand, shifted by six, on the largest sum."""
    spec = BitModGroupAccumulator()
    state = GroupSum(-(1 << 14) if sign < 0 else (1 << 14) - 1, 20)
    inputs = _records(dot=[sign * 4 * 2047 * 8], exponent=[20], significance=[6], start=[0])
    outputs, _ = spec.reference(state, **inputs)
    exact = (sign * 4 * 2047 * 8 * 64 + state.mantissa) * 2**20
    assert abs(exact) > 2 ** (22 + 20)  # which 23 bits do not hold
    assert 0 <= exact - _values(outputs)[0] < Fraction(2) ** int(outputs["exponent"][0])


def test_errors_of_groups_are_bounded():
    """Each record loses less than a unit of the result in each of two alignments and in fitting."""
    spec = BitModGroupAccumulator()
    generator = np.random.default_rng(13)
    for _ in range(50):
        inputs = dict(spec.related_records(generator, 64))
        inputs["start"][0] = 1
        outputs, _ = spec.reference(**_records(**inputs))
        exact = sum(
            int(dot) * Fraction(2) ** int(exponent + significance)
            for dot, exponent, significance, _ in zip(*inputs.values(), strict=True)
        )
        bound = 3 * 64 * Fraction(2) ** int(outputs["exponent"][-1])
        assert abs(_values(outputs)[-1] - exact) < bound


@pytest.mark.parametrize("lanes", range(1, 17))
@pytest.mark.parametrize("dot", [-1, 1])
def test_sums_of_fp16_products_stay_below_an_exponent_of_59(lanes, dot):
    """What is added to a sum with 58 counts as 0; with less, one step comes no further."""
    spec = BitModGroupAccumulator(lanes=lanes)
    largest = dot * lanes * 2047 * 8
    for exponent in (56, 57, 58):
        state = GroupSum(-(1 << 14) if dot < 0 else (1 << 14) - 1, exponent)
        inputs = _records(dot=[largest], exponent=[34], significance=[6], start=[0])
        _, after = spec.reference(state, **inputs)
        assert after.exponent <= 58
        assert exponent < 58 or after == state


def test_in_parts_and_after_reset():
    spec = BitModGroupAccumulator()
    inputs = _records(dot=[5, 7, -3], exponent=[9, 9, 9], significance=[0, 1, 2], start=[0, 0, 0])
    whole, last = spec.reference(**inputs)
    assert whole["mantissa"].tolist() == [5, 19, 7]
    assert spec.results_by_record(**inputs).tolist() == [1, 1, 1]
    _, state = spec.reference(**{name: x[:2] for name, x in inputs.items()})
    rest, after = spec.reference(state, **{name: x[2:] for name, x in inputs.items()})
    assert rest["mantissa"].tolist() == [7]
    assert after == last
    nothing, kept = spec.reference(state, **{name: x[:0] for name, x in inputs.items()})
    assert nothing["mantissa"].shape == (0,)
    assert kept == state


def test_wrong_parameters_are_refused():
    with pytest.raises(ValueError, match="lanes = 17: allowed are 1 to 16"):
        BitModGroupAccumulator(lanes=17)
    with pytest.raises(TypeError, match="lanes must be"):
        BitModGroupAccumulator(lanes=4.0)
