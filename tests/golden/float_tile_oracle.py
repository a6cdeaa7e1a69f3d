"""Float tiles by their definition: one number at a time in rationals, or all at once in numpy."""

import itertools
from collections.abc import Callable, Iterator
from functools import reduce

import numpy as np
import torch

from multipede.golden.float_tile import FloatTile, SumOrder
from multipede.golden.formats import FP16, FP32, Float, Overflow, Rounding
from tests.golden.float64_oracle import decoded, encoded, odd_sum
from tests.golden.rational_oracle import Number, float_code, number, product, total

SEED = 20261123
NEAREST = Rounding.NEAREST_EVEN

Inputs = dict[str, torch.Tensor]


def records(spec: FloatTile, count: int, *, wild: float = 0.02, seed: int = SEED) -> Inputs:
    """Numbers near each other, many of few bits, so that sums tie and cancel; some corners.

    ``wild`` is the share of any codes and corners, infinities and NaN among them.
    """
    print(f"seed {seed}")
    generator = np.random.default_rng(seed)
    inputs = {}
    for name, port in spec.inputs.items():
        shape = (count, *port.shape)
        patterns = generator.integers(0, 1 << port.format.bits, shape)
        codes = port.format.from_bits(patterns)
        if isinstance(port.format, Float):
            corners = generator.choice(port.format.corners(), shape)
            odd = np.where(generator.random(shape) < 0.5, codes, corners)
            codes = np.where(generator.random(shape) < wild, odd, ordinary(port, generator, count))
        inputs[name] = codes
    inputs["last"] = (generator.random(count) < 0.2).astype(np.int64)
    inputs["last"][-1] = 1
    return {name: torch.from_numpy(codes) for name, codes in inputs.items()}


def ordinary(port, generator: np.random.Generator, count: int) -> np.ndarray:
    shape = (count, *port.shape)
    spread = generator.choice([0, 3, 12], (count, *[1] * len(port.shape)))
    values = generator.normal(0, 1, shape) * 2.0 ** generator.integers(-spread, spread + 1, shape)
    codes = port.format.encode(values)
    few = codes >> (port.format.mantissa_bits // 2) << (port.format.mantissa_bits // 2)
    return np.where(generator.random(shape) < 0.5, codes, few)


def sums_of(inputs: Inputs) -> Iterator[range]:
    """The records of each sum."""
    first = 0
    for stop in (inputs["last"].nonzero()[:, 0] + 1).tolist():
        yield range(first, stop)
        first = stop


def rational_results(spec: FloatTile, inputs: Inputs, factor: Callable) -> list[list[int]]:
    """Codes of each result. ``factor`` gives the weight's number for record, column and lane."""
    return [
        [
            rational_result(spec, inputs, factor, members, row, column)
            for row, column in itertools.product(range(spec.rows), range(spec.columns))
        ]
        for members in sums_of(inputs)
    ]


def rational_result(spec, inputs, factor, members, row, column) -> int:
    accumulator = spec.accumulator

    def rounded(exact: Number) -> Number:
        return number(accumulator, float_code_of(accumulator, exact))

    y = number(accumulator, 0)
    for record in members:
        products = [
            product(
                number(spec.activation, int(inputs["a"][record, row, lane])),
                factor(record, column, lane),
            )
            for lane in range(spec.lanes)
        ]
        if spec.order is SumOrder.SEQUENTIAL:
            y = reduce(lambda y, p: rounded(total(p, y, NEAREST)), products, y)
        else:
            y = rounded(total(y, tree([rounded(p) for p in products], rounded), NEAREST))
    return float_code_of(accumulator, y)


def tree(terms: list[Number], rounded: Callable) -> Number:
    """The sum by halves: all but the last odd one are neighbours of a power of two."""
    if len(terms) == 1:
        return terms[0]
    half = 1 << (len(terms) - 1).bit_length() - 1
    return rounded(total(tree(terms[:half], rounded), tree(terms[half:], rounded), NEAREST))


def float_code_of(number_format: Float, exact: Number) -> int:
    nan = number_format.nan_code
    return float_code(number_format, exact, NEAREST, Overflow.INFINITY, nan)


def numpy_results(spec: FloatTile, inputs: Inputs, weights: np.ndarray) -> np.ndarray:
    """Codes of the results of FP16 activations and ``weights`` (float64) in FP32.

    Products of FP16 are exact in float32; numpy rounds each sum of float32 once. A fused sum goes
    through float64, rounded to odd.
    """
    assert (spec.activation, spec.accumulator) == (FP16, FP32)
    a = decoded(FP16, inputs["a"].numpy())
    results = []
    for members in sums_of(inputs):
        y = np.zeros((spec.rows, spec.columns), np.float32)
        for record in members:
            with np.errstate(invalid="ignore"):
                products = a[record][:, None, :] * weights[record][None, :, :]
            y = next_sums(spec, y, products)
        results.append(y)
    y = np.array(results)
    return np.where(np.isnan(y), FP32.nan_code, y.view(np.uint32).astype(np.int64))


def next_sums(spec: FloatTile, y: np.ndarray, products: np.ndarray) -> np.ndarray:
    """``y`` and ``products`` (rows, columns, lanes, float64) in float32."""
    if spec.order is SumOrder.SEQUENTIAL:
        for lane in range(spec.lanes):
            exact = odd_sum(products[:, :, lane], y.astype(np.float64), NEAREST)
            y = encoded(FP32, exact, NEAREST).astype(np.uint32).view(np.float32)
        return y
    with np.errstate(invalid="ignore", over="ignore"):
        terms = [products[:, :, lane].astype(np.float32) for lane in range(spec.lanes)]
        while len(terms) > 1:
            odd = terms[len(terms) // 2 * 2 :]
            pairs = zip(terms[0::2], terms[1::2], strict=False)
            terms = [x + other for x, other in pairs] + odd
        return y + terms[0]
