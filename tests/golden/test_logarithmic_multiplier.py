"""Multipliers that add codes, against Mitchell's logarithm on rationals."""

from dataclasses import fields, replace
from itertools import product

import numpy as np
import pytest
import torch

from multipede.golden.compensated_lmul import CompensatedLMul
from multipede.golden.formats import (
    BF16,
    E2M1,
    E3M0,
    E4M3,
    E5M2,
    E8M0,
    FP16,
    FP32,
    INT8,
    UE4M3,
    Float,
    Specials,
)
from multipede.golden.lmul import LMul
from multipede.golden.logarithmic_multiplier import LogarithmicMultiplier
from multipede.golden.logarithmic_policies import PRESETS, Policies, Preset, SumOverflow
from multipede.golden.mitchell import Mitchell
from tests.golden.logarithmic_oracle import product_code

SEED = 20261127
UNITS = (LMul, Mitchell, CompensatedLMul)
SMALL = (
    Float(3, 2),
    Float(3, 2, specials=Specials.FN),
    Float(3, 2, specials=Specials.FINITE),
    Float(3, 1, signed=False),
    Float(3, 2, subnormals=False, bias=5),
    Float(2, 2, specials=Specials.FN, bias=-3),
    E2M1,
)


def correction(spec: LogarithmicMultiplier, a: int, b: int) -> int:
    """From the specification's own constants, but looked up here."""
    bits = spec.format.mantissa_bits
    x, y = (format(code % (1 << bits), f"0{bits}b") for code in (a, b))
    match spec:
        case LMul():
            return spec.correction
        case Mitchell():
            return 0
        case CompensatedLMul():
            return spec.table[int(x[: spec.index_bits], 2)][int(y[: spec.index_bits], 2)]


def assert_equals_oracle(spec: LogarithmicMultiplier, a: np.ndarray, b: np.ndarray) -> None:
    found = spec.reference(a=torch.from_numpy(a), b=torch.from_numpy(b))[0]["p"]
    wanted = [
        product_code(spec.format, spec.policies, x, y, correction(spec, x, y))
        for x, y in zip(a.tolist(), b.tolist(), strict=True)
    ]
    wrong = np.flatnonzero(found.numpy() != np.array(wanted))
    assert not wrong.size, (spec, a[wrong[0]], b[wrong[0]], found[wrong[0]], wanted[wrong[0]])


def every_pair(number_format: Float) -> tuple[np.ndarray, np.ndarray]:
    codes = np.arange(1 << number_format.bits, dtype=np.int64)
    return np.repeat(codes, len(codes)), np.tile(codes, len(codes))


@pytest.mark.parametrize("preset", Preset)
@pytest.mark.parametrize("unit", UNITS)
def test_every_pair_of_few_bits(unit, preset):
    compared = 0
    for number_format in SMALL:
        a, b = every_pair(number_format)
        assert_equals_oracle(unit(format=number_format, preset=preset), a, b)
        compared += len(a)
    assert compared == sum(4**number_format.bits for number_format in SMALL)


@pytest.mark.parametrize("number_format", SMALL[1:4], ids=str)
def test_every_choice(number_format):
    a, b = every_pair(number_format)
    tried = set()
    for field in fields(Policies):
        for choice, preset in product(field.type, (Preset.STANDARD, Preset.AXCORE)):
            spec = LMul(format=number_format, preset=preset, **{field.name: choice})
            assert getattr(spec.policies, field.name) is choice
            assert spec.policies == replace(PRESETS[preset], **{field.name: choice})
            assert_equals_oracle(spec, a, b)
            tried.add((field.name, choice, preset))
    assert len(tried) == 2 * sum(len(field.type) for field in fields(Policies))


@pytest.mark.parametrize(
    ("unit", "number_format"), [*((unit, E4M3) for unit in UNITS), (LMul, E5M2), (LMul, UE4M3)]
)
def test_every_pair_of_eight_bits(unit, number_format):
    a, b = every_pair(number_format)
    assert_equals_oracle(unit(format=number_format), a, b)


@pytest.mark.parametrize("number_format", [BF16, FP16, FP32], ids=str)
@pytest.mark.parametrize("unit", UNITS)
def test_random_pairs(unit, number_format):
    print(f"seed {SEED}")
    generator = np.random.default_rng(SEED)
    spec = unit(format=number_format)
    random = generator.integers(0, 1 << number_format.bits, (2, 3000), np.int64)
    related = spec.related_records(generator, 3000)
    corners = np.array(list(product(number_format.corners(), repeat=2)), np.int64).T
    a, b = np.concatenate([random, [related["a"], related["b"]], corners], axis=1)
    assert_equals_oracle(spec, a, b)


def test_oracle_finds_a_planted_bug(monkeypatch):
    wrong = LMul(format=E2M1, overflow=SumOverflow.ALL_ONES)
    monkeypatch.setattr(LMul, "correction", 0)
    monkeypatch.setattr(LMul, "corrections", lambda self, a, b: np.int64(1))
    with pytest.raises(AssertionError):
        assert_equals_oracle(wrong, *every_pair(E2M1))


def test_identities():
    """Commutative, monotone in each magnitude, and exact in powers of two, away from the ends."""
    one, half = BF16.bias << 7, 1 << 6
    codes = np.arange(one - half, one + 2 * half, dtype=np.int64)
    for unit in (LMul(), Mitchell()):
        table = unit.products(codes[:, None], codes[None, :])
        assert (table == table.T).all()
        assert (np.diff(table, axis=0) > 0).all()
        shifted = unit.products(codes[:, None], codes[None, :] + (3 << 7))
        assert (BF16.decode(shifted) == 8 * BF16.decode(table)).all()
    assert BF16.decode(LMul().products(np.array(one), np.array(one))) == 1 + 2**-4
    assert BF16.decode(Mitchell().products(np.array(one), np.array(one))) == 1


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"format": E3M0}, ValueError, "format = e3m0: .* with a mantissa"),
        ({"format": E8M0}, ValueError, "with a mantissa"),
        ({"format": Float(8, 24)}, ValueError, "at most 32 bits"),
        (
            {"format": Float(3, 3, signed=False, subnormals=False, zero=False)},
            ValueError,
            "with a zero",
        ),
        ({"format": INT8}, TypeError, "format must be a float format"),
        ({"preset": "axcore"}, TypeError, "preset must be Preset"),
        ({"overflow": Preset.AXCORE}, TypeError, "overflow must be SumOverflow"),
        ({"stages": 13}, ValueError, "stages = 13: allowed are 0 to 12"),
    ],
)
@pytest.mark.parametrize("unit", UNITS)
def test_bad_parameters(unit, parameters, error, message):
    with pytest.raises(error, match=message):
        unit(**parameters)


def test_inputs_must_be_codes_of_one_shape():
    with pytest.raises(TypeError, match="which its encode makes of numbers"):
        LMul().reference(a=torch.tensor([1.0]), b=torch.tensor([1]))
    with pytest.raises(ValueError, match="differ in their number of records"):
        LMul().reference(a=torch.tensor([1, 2]), b=torch.tensor([1]))
