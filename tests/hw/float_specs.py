"""Specifications of floating-point units to try: all formats, roundings, policies and stages."""

import numpy as np

from multipede.golden.float_adder import FloatAdder
from multipede.golden.float_multiplier import FloatMultiplier
from multipede.golden.formats import (
    BF16,
    E2M1,
    E2M3,
    E3M0,
    E3M2,
    E4M3,
    E5M2,
    E8M0,
    FP16,
    FP32,
    INT8,
    INT16,
    UE4M3,
    UINT4,
    UINT8,
    FixedPoint,
    Float,
    Format,
    Integer,
    Overflow,
    Rounding,
    Specials,
)
from multipede.golden.fused_multiply_add import FusedMultiplyAdd
from multipede.golden.number_converter import NumberConverter
from multipede.golden.rounded_operation import NanResult, RoundedOperation

SMALL = (E4M3, E5M2, E3M2, E2M3, E2M1, E3M0, UE4M3)
FLUSHED = Float(4, 3, subnormals=False)


def of_one_format(unit: type[RoundedOperation], number_format: Format, **others):
    """A unit with all operands and the result in one format."""
    formats = dict.fromkeys((*unit.operands, "result"), number_format)
    return unit(**formats, **others)


EXHAUSTIVE = [
    of_one_format(unit, number_format, stages=stages, rounding=rounding)
    for (index, number_format) in enumerate(SMALL)
    for unit, stages, rounding in (
        (FloatAdder, index % 3, list(Rounding)[index % 5]),
        (FloatMultiplier, (index + 1) % 3, list(Rounding)[-index % 5]),
    )
]
"""every pair of codes"""

DEQUANTISER = FusedMultiplyAdd(a=Integer(19), b=FP16, c=FP32, result=FP32, stages=4)
WIDEST = FusedMultiplyAdd(a=Integer(63), b=FP32, c=FP32, result=FP32, stages=8)

MIXED = [
    DEQUANTISER,
    WIDEST,
    of_one_format(FusedMultiplyAdd, E2M1, stages=2, nan=NanResult.ZERO),
    of_one_format(FusedMultiplyAdd, FP32, stages=6, rounding=Rounding.DOWN),
    FusedMultiplyAdd(a=E4M3, b=E5M2, c=BF16, result=FP32, rounding=Rounding.UP),
    FusedMultiplyAdd(a=FP32, b=FP32, c=FP16, result=FP32, stages=0),
    FusedMultiplyAdd(a=UINT4, b=FP16, c=INT16, result=BF16, overflow=Overflow.SATURATE),
    FloatAdder(a=FP16, b=BF16, result=FP32, stages=3),
    FloatAdder(a=INT8, b=FP32, result=FP16, rounding=Rounding.NEAREST_AWAY, stages=5),
    FloatAdder(a=INT16, b=FixedPoint(20, 12), result=E5M2, rounding=Rounding.TOWARD_ZERO),
    FloatMultiplier(a=INT8, b=E8M0, result=BF16, stages=4),
    FloatMultiplier(a=UE4M3, b=FP32, result=E4M3, overflow=Overflow.NAN, rounding=Rounding.DOWN),
    of_one_format(FloatMultiplier, FLUSHED, stages=2),
    of_one_format(FloatAdder, E8M0),
    NumberConverter(stages=2),
    NumberConverter(x=FP16, result=FP32, stages=0),
    NumberConverter(x=Integer(40), result=FP32, rounding=Rounding.UP),
    NumberConverter(x=FP32, result=INT8, stages=3, nan=NanResult.ZERO),
    NumberConverter(x=FP16, result=UINT8, overflow=Overflow.WRAP, rounding=Rounding.DOWN),
    NumberConverter(x=FixedPoint(40, 30), result=FixedPoint(16, 8), overflow=Overflow.WRAP),
]


def random_specs(seed: int, count: int) -> list[RoundedOperation]:
    """Units of random formats with random roundings and policies."""
    generator = np.random.default_rng(seed)
    found: list[RoundedOperation] = []
    while len(found) < count:
        try:
            found.append(_random_spec(generator))
        except ValueError:  # impossible together
            continue
    return found


def _random_spec(generator: np.random.Generator) -> RoundedOperation:
    units = (FloatAdder, FloatMultiplier, FusedMultiplyAdd, NumberConverter)
    unit = units[generator.integers(len(units))]
    formats = {name: _random_format(generator) for name in unit.operands}
    names = list(formats)
    if generator.random() < 0.4:
        formats[names[-1]] = formats[names[0]]
    result = formats[names[0]] if generator.random() < 0.3 else _random_format(generator)
    if not isinstance(result, unit.result_kinds):
        result = _random_float(generator)
    policies = [None, *(p for p in result.overflows if p is not Overflow.RAISE)]
    return unit(
        **formats,
        result=result,
        rounding=list(Rounding)[generator.integers(5)],
        overflow=policies[generator.integers(len(policies))],
        nan=list(NanResult)[generator.integers(2)],
        stages=int(generator.integers(0, 9)),
    )


def _random_format(generator: np.random.Generator) -> Format:
    if generator.random() < 0.6:
        return _random_float(generator)
    widest = 64 if generator.random() < 0.2 else 13
    bits, signed = int(generator.integers(1, widest)), bool(generator.integers(2))
    if generator.integers(2):
        return Integer(bits, signed=signed)
    return FixedPoint(bits, int(generator.integers(0, 80)), signed=signed)


def _random_float(generator: np.random.Generator) -> Float:
    exponent_bits = int(generator.integers(1, 9))
    signed, subnormals, zero = (bool(flag) for flag in generator.integers(0, 2, 3))
    middle = (1 << (exponent_bits - 1)) - 1
    return Float(
        exponent_bits,
        int(generator.integers(0, 12)),
        bias=None if generator.integers(2) else middle + int(generator.integers(-40, 40)),
        signed=signed,
        subnormals=subnormals,
        zero=zero or signed or subnormals,
        specials=list(Specials)[generator.integers(3)],
    )
