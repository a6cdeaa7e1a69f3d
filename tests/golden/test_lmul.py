"""L-Mul: its offset, its published vectors, and the paper's formula on real numbers."""

from fractions import Fraction

import numpy as np
import pytest

from multipede.golden.formats import BF16, E4M3, E5M2, FP16, FP32, TF32, Float
from multipede.golden.lmul import LMul, formula_products, offset_exponent, published_offset
from multipede.golden.logarithmic_policies import Preset
from multipede.golden.mitchell import Mitchell

BF16_VECTORS = (
    "3F80*3F80->3F88 3FC0*3FC0->4008 3FA0*3FA0->3FC8 3FFF*3FFF->4086 C000*4040->C0C8"
    " 3DCC*3DCC->3C20 4049*402E->40FF 3F80*3FC0->3FC8 7149*60AD->7FFF 0000*40A0->0000"
)
E4M3_VECTORS = (
    "38*38->39 3C*3C->41 3F*3F->47 44*BD->CA 08*38->09 7E*40->7F 50*58->71 07*70->00 18*18->00"
)
MITCHELL = ["3F80", "4000", "3FC0", "407E", "C0C0", "3C18", "40F7", "3FC0"]
VECTORS = {BF16: BF16_VECTORS, E4M3: E4M3_VECTORS}
"""of public implementations where they agree, with fields of 0 as zero and overflow to all ones"""


def vectors(number_format: Float) -> np.ndarray:
    texts = VECTORS[number_format].replace("*", " ").replace("->", " ").split()
    return np.array([int(text, 16) for text in texts]).reshape(-1, 3).T


@pytest.mark.parametrize("number_format", [BF16, E4M3], ids=str)
def test_vectors(number_format):
    a, b, p = vectors(number_format)
    spec = LMul(format=number_format, preset=Preset.UCSD_2026)
    assert spec.products(a, b).tolist() == p.tolist()


@pytest.mark.parametrize(
    ("preset", "differences"),
    [
        (Preset.STANDARD, {"7149*60AD": 0x7F80}),
        (Preset.UCSD_2025, {"7149*60AD": 0x7F7F}),
        (Preset.UCSD_2025_PIPELINED, {"0000*40A0": 0x0128}),  # no test for zero
        (Preset.UCSD_2026, {}),
        (Preset.AXCORE, {"7149*60AD": 0x127E}),
    ],
)
def test_presets_differ_where_they_are_said_to(preset, differences):
    a, b, p = vectors(BF16)
    found = LMul(preset=preset).products(a, b).tolist()
    names = [f"{x:04X}*{y:04X}" for x, y in zip(a.tolist(), b.tolist(), strict=True)]
    wanted = [differences.get(n, value) for n, value in zip(names, p.tolist(), strict=True)]
    assert found == wanted


def test_pipelined_preset_has_no_test_for_zero():
    spec = LMul(format=E4M3, preset=Preset.UCSD_2025_PIPELINED)
    assert spec.products(np.array([0]), np.array([0x38])).tolist() == [0x01]


def test_axcore_adds_subnormal_codes():
    code = np.array([0x0040])  # a subnormal number
    one = np.array([0x3F80])
    assert LMul(preset=Preset.AXCORE).products(code, one).tolist() == [0x0048]
    assert LMul().products(code, one).tolist() == [0]


def test_mitchell_vectors():
    a, b, _ = vectors(BF16)
    found = Mitchell().products(a, b)[: len(MITCHELL)]
    assert [f"{code:04X}" for code in found.tolist()] == MITCHELL


@pytest.mark.parametrize(
    ("number_format", "subtracted"),
    [
        (E5M2, 0x3B),
        (E4M3, 0x37),
        (FP16, 0x3BC0),
        (BF16, 0x3F78),
        (TF32, 0x1FBC0),
        (FP32, 0x3F780000),
    ],
)
def test_published_constants(number_format, subtracted):
    bias = number_format.bias << number_format.mantissa_bits
    assert bias - LMul(format=number_format).correction == subtracted


def test_offsets():
    assert [offset_exponent(m) for m in range(1, 8)] == [1, 2, 3, 3, 4, 4, 4]
    assert [published_offset(m) for m in range(1, 8)] == [1, 1, 1, 2, 2, 4, 8]


@pytest.mark.parametrize("offset", [-1, 128])
def test_offset_outside_the_mantissa(offset):
    with pytest.raises(ValueError, match=f"offset = {offset}: allowed are 0 to 127"):
        LMul(offset=offset)
    with pytest.raises(TypeError, match="offset must be int"):
        LMul(offset=0.5)


@pytest.mark.parametrize("number_format", [E5M2, E4M3, Float(4, 4), BF16], ids=str)
def test_formula(number_format):
    """(1 + x + y + 2**-l) 2**e, from the values; the integer form is that below a carry."""
    bits = number_format.mantissa_bits
    one = number_format.bias << bits
    codes = one + np.arange(1 << bits, dtype=np.int64)
    a, b = np.repeat(codes, len(codes)), np.tile(codes, len(codes)) + (1 << bits)
    formula = formula_products(number_format, a, b)
    integer = number_format.decode(LMul(format=number_format).products(a, b))
    for x, y, real, added in zip(a.tolist(), b.tolist(), formula, integer, strict=True):
        fractions = [Fraction(code % (1 << bits), 1 << bits) for code in (x, y)]
        s = sum(fractions) + Fraction(1, 1 << offset_exponent(bits))
        assert Fraction(real) == 2 * (1 + s)
        carry = s.numerator // s.denominator
        assert Fraction(added) == 2 * 2**carry * (1 + s - carry)


def test_formula_signs_and_errors():
    two = 0x4000
    assert formula_products(BF16, np.array([two]), np.array([two | 0x8000]))[0] == -4 * (1 + 2**-4)
    for code in (0, 1, 0x7F80, 0x7FC0):
        with pytest.raises(ValueError, match=f"b holds {code}: codes of normal numbers"):
            formula_products(BF16, np.array([two]), np.array([code]))
    with pytest.raises(TypeError, match="number_format must be"):
        formula_products("bf16", np.array([two]), np.array([two]))
