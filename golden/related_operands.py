"""Operands that matter together: for results near each other, near zero, near a tie, near a limit.

Independent random operands seldom cancel, seldom meet a tie and never come to lie one unit beside
it. Here all operands but the last are random, a result is wished for, and the last operand is what
float64 says would give it, or a code or two beside that.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from multipede.golden.formats import Float, Format, Overflow

__all__ = ["related_operands"]

_SOLVED: dict[str, Callable[..., np.ndarray]] = {
    "add": lambda wished, a: wished - a,
    "multiply": lambda wished, a: wished / a,
    "multiply_accumulate": lambda wished, a, b: wished - a * b,
    "convert": lambda wished: wished,
}
"""operation -> the last operand that gives what is wished for"""

_ADDED_TO: dict[str, Callable[..., np.ndarray]] = {
    "add": lambda a: a,
    "multiply_accumulate": lambda a, b: a * b,
}
"""operation -> what its last operand is added to"""


def related_operands(
    operation: str,
    operands: Mapping[str, Format],
    result: Format,
    generator: np.random.Generator,
    count: int,
) -> dict[str, np.ndarray]:
    """``count`` records of codes for an operation on ``operands`` that is rounded to ``result``."""
    *others, last = operands
    codes = {name: _codes(operands[name], generator, count) for name in others}
    with np.errstate(all="ignore"):
        values = [_values(operands[name], codes[name]) for name in others]
        wished = _wished(operation, values, result, generator, count)
        solved = _SOLVED[operation](wished, *values)
        codes[last] = _beside(operands[last], np.nan_to_num(solved), generator)
    return _exchanged(operands, codes, generator)


def _codes(number_format: Format, generator: np.random.Generator, count: int) -> np.ndarray:
    """Random codes, some of them corners, about half of the others with few significant bits, as
    ties of products need."""
    patterns = generator.integers(0, 1 << number_format.bits, count, dtype=np.int64)
    corners = generator.choice(np.array(number_format.corners(), np.int64), count)
    if isinstance(number_format, Float):
        cleared = generator.integers(0, 2 * number_format.mantissa_bits + 2, count)
        cleared = np.where(cleared > number_format.mantissa_bits, 0, cleared)
        patterns &= -(np.int64(1) << cleared)
    codes = np.asarray(number_format.from_bits(patterns))
    return np.where(generator.random(count) < 0.2, corners, codes)


def _values(number_format: Format, codes: np.ndarray) -> np.ndarray:
    """About what the codes stand for; integers may be too wide for float64."""
    if isinstance(number_format, Float):
        return number_format.decode(codes)
    return np.ldexp(codes.astype(np.float64), -number_format.fraction_bits)


def _wished(
    operation: str,
    values: Sequence[np.ndarray],
    result: Format,
    generator: np.random.Generator,
    count: int,
) -> np.ndarray:
    """Results: any, halfway between neighbours, at limits, or close to what is added to."""
    codes = _codes(result, generator, count)
    limits = np.array(result.corners(), np.int64)
    codes = np.where(generator.random(count) < 0.5, codes, generator.choice(limits, count))
    low = _values(result, codes)
    high = _values(result, np.minimum(codes + 1, _maximum_pattern(result)))
    part = generator.choice([0.0, 0.25, 0.5, 0.5, 0.75, 1.0], count)
    found = low + part * (np.nan_to_num(high) - low)
    if operation not in _ADDED_TO:
        return found
    base = _ADDED_TO[operation](*values)
    width = 4 + (result.mantissa_bits if isinstance(result, Float) else result.bits)
    scale = np.ldexp(1.0, -generator.integers(0, 2 * width, count))
    scale *= generator.choice([0.0, 1.0, 1.0, 1.5, -1.0], count)
    # Close to zero, and close to the addend itself.
    close = base * np.where(generator.random(count) < 0.5, scale, 1 + scale)
    return np.where(generator.random(count) < 0.4, found, close)


def _maximum_pattern(number_format: Format) -> int:
    if isinstance(number_format, Float):
        return (1 << number_format.bits) - 1
    return number_format.maximum_code


def _beside(
    number_format: Format, values: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    """The codes of ``values``, or a few beside them."""
    codes = np.asarray(number_format.encode(values, overflow=Overflow.SATURATE))
    codes = codes + generator.choice([-2, -1, -1, 0, 0, 0, 1, 1, 2], len(codes))
    low = 0 if isinstance(number_format, Float) else number_format.minimum_code
    return np.clip(codes, low, _maximum_pattern(number_format))


def _exchanged(
    operands: Mapping[str, Format], codes: dict[str, np.ndarray], generator: np.random.Generator
) -> dict[str, np.ndarray]:
    """Two operands of one format exchanged in every other record, so that either is solved for."""
    if len(operands) == 2 and len(set(operands.values())) == 1:
        swap = generator.random(len(next(iter(codes.values())))) < 0.5
        (a, first), (b, last) = codes.items()
        codes = {a: np.where(swap, last, first), b: np.where(swap, first, last)}
    return {name: codes[name].astype(np.int64) for name in operands}
