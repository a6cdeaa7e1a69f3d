"""Random operands where floating-point arithmetic goes wrong: corners and their neighbours,
subnormals, cancellation, ties, gaps between exponents, the edges of the range."""

import numpy as np

from multipede.golden.float_adder import FloatAdder
from multipede.golden.float_multiplier import FloatMultiplier
from multipede.golden.formats import Float, Format
from multipede.golden.fused_multiply_add import FusedMultiplyAdd
from multipede.golden.rounded_operation import RoundedOperation


def biased_codes(number_format: Format, rng: np.random.Generator, count: int) -> np.ndarray:
    """Uniform codes; corners, and what is next to them; small, and with few bits set."""
    bits = number_format.bits
    uniform = rng.integers(0, 1 << bits, count)
    corners = rng.choice(number_format.corners(), count)
    small = uniform >> rng.integers(0, bits, count)
    sparse = (1 << rng.integers(0, bits, count)) ^ (1 << rng.integers(0, bits, count))
    kinds = [uniform, corners, corners + rng.integers(-3, 4, count), small, sparse]
    if isinstance(number_format, Float):
        # Exponents around 1 and mantissas of few bits.
        exponents = number_format.bias + rng.integers(-3, 4, count) << number_format.mantissa_bits
        mantissas = sparse & (1 << number_format.mantissa_bits) - 1
        kinds += [uniform, exponents + mantissas | rng.integers(0, 2, count) << bits - 1]
    chosen = np.choose(rng.integers(0, len(kinds), count), kinds)
    return number_format.from_bits(chosen & (1 << bits) - 1)


def approximate_values(number_format: Format, codes: np.ndarray) -> np.ndarray:
    if isinstance(number_format, Float):
        return number_format.decode(codes)
    return np.ldexp(codes.astype(np.float64), -number_format.fraction_bits)


def near(
    number_format: Format, values: np.ndarray, rng: np.random.Generator, steps: int = 2
) -> np.ndarray:
    """Codes at most `steps` away from those of finite `values`; of 0 for others."""
    values = np.where(np.isfinite(values), values, 0.0)
    codes = number_format.encode(values) + rng.integers(-steps, steps + 1, len(values))
    if isinstance(number_format, Float):
        return codes & (1 << number_format.bits) - 1
    return np.clip(codes, number_format.minimum_code, number_format.maximum_code)


def counterparts(
    values: np.ndarray, number_format: Format, result: Float, rng: np.random.Generator
) -> np.ndarray:
    """Addends to `values`: equal but for the sign; of opposite sign and next to it; at any
    distance up to where they cannot matter, and farther; half a last place; random."""
    count = len(values)
    signs = rng.choice([-1.0, 1.0], count)
    reach = np.where(rng.integers(0, 2, count) == 0, 2 * result.mantissa_bits + 6, 140)
    finite = np.where(np.isfinite(values), values, 0.0)
    place = np.frexp(finite)[1] - result.mantissa_bits - rng.integers(1, 4, count)
    with np.errstate(over="ignore", invalid="ignore"):
        distant = np.ldexp(signs * values, rng.integers(-reach, reach))
        kinds = [
            near(number_format, signs * values, rng, steps=0),
            near(number_format, -values, rng),
            near(number_format, distant, rng, steps=1 << 4),
            near(number_format, np.ldexp(signs, place), rng),
            biased_codes(number_format, rng, count),
        ]
    return np.choose(rng.integers(0, len(kinds), count), kinds)


def cofactors(
    values: np.ndarray, number_format: Format, result: Float, rng: np.random.Generator
) -> np.ndarray:
    """Factors that take `values` to the edges of the range of `result`; random."""
    count = len(values)
    edges = np.array([result.maximum, result.smallest_normal, result.decode(1), 1.0])
    aims = rng.choice(edges, count) * rng.choice([-2, -1, -0.5, 0.5, 1, 2], count)
    with np.errstate(all="ignore"):
        aimed = near(number_format, aims / values, rng)
    random = biased_codes(number_format, rng, count)
    return np.where(rng.integers(0, 2, count) == 0, aimed, random)


def tying_factors(
    a: Format, b: Format, result: Float, rng: np.random.Generator, count: int
) -> list[np.ndarray]:
    """Odd significands whose product has one bit more than `result`, or two: mostly ties."""
    bits = result.mantissa_bits + 3
    a_bits = rng.integers(1, bits, count)
    codes = []
    for number_format, width in ((a, a_bits), (b, bits - a_bits)):
        odd = (1 << width - 1) | rng.integers(0, 1 << 62, count) & (1 << width - 1) - 1 | 1
        values = np.ldexp(odd * rng.choice([-1.0, 1.0], count), rng.integers(-20, 5, count))
        codes.append(near(number_format, values, rng, steps=0))
    return codes


def factors(
    a: Format, b: Format, result: Float, rng: np.random.Generator, count: int
) -> list[np.ndarray]:
    first = biased_codes(a, rng, count)
    second = cofactors(approximate_values(a, first), b, result, rng)
    tying = tying_factors(a, b, result, rng, count)
    choice = rng.integers(0, 4, count) == 0
    return [np.where(choice, t, x) for t, x in zip(tying, (first, second), strict=True)]


def biased_operands(
    spec: RoundedOperation, rng: np.random.Generator, count: int
) -> list[np.ndarray]:
    """Operands of `count` records."""
    formats = [getattr(spec, name) for name in spec.operands]
    match spec:
        case FloatMultiplier():
            return factors(*formats, spec.result, rng, count)
        case FloatAdder():
            a = biased_codes(spec.a, rng, count)
            return [a, counterparts(approximate_values(spec.a, a), spec.b, spec.result, rng)]
        case FusedMultiplyAdd():
            a, b = factors(spec.a, spec.b, spec.result, rng, count)
            with np.errstate(all="ignore"):
                products = approximate_values(spec.a, a) * approximate_values(spec.b, b)
            return [a, b, counterparts(products, spec.c, spec.result, rng)]
    return [biased_codes(formats[0], rng, count)]


def deep_cancellation(rng: np.random.Generator, count: int) -> list[np.ndarray]:
    """Operands of a fused sum in fixed point of 63 bits, all of them fraction: what the addend
    leaves of the product are bits that the addend has no place for, more or less two units."""
    a, b = rng.integers(1, 1 << 62, (2, count)) >> rng.integers(0, 30, (2, count))
    products = [x * y for x, y in zip(a.tolist(), b.tolist(), strict=True)]
    c = np.array([-(product >> 63) for product in products])
    return [a, b, c + rng.integers(-2, 3, count)]
