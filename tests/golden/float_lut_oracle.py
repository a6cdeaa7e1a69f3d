"""Table-lookup tiles with float tables by their definition, from weights that are not folded."""

from dataclasses import replace
from fractions import Fraction
from functools import reduce

import numpy as np
import torch

from multipede.golden.float_lut_tensor_core import FloatLutTensorCore
from multipede.golden.float_tile import SumOrder
from multipede.golden.lut_tensor_core import Tables
from tests.golden.float_tile_oracle import NEAREST, float_code_of, records, sums_of, tree
from tests.golden.rational_oracle import Number, number, product, total
from tests.golden.table_oracle import RationalTables, index_signs, negated, quantised

Plain = dict[str, torch.Tensor]
"""``a``, ``w``, which is not folded, ``last``, and ``bits`` less one of each record"""


def plain_records(spec: FloatLutTensorCore, count: int, *, wild: float, seed: int = 1) -> Plain:
    """Records as of other float tiles; the weights have any number of bits that they may."""
    simple = replace(spec, run_time_bits=False, tables=Tables.INTERNAL)
    found = records(simple, count, wild=wild, seed=seed)
    generator = np.random.default_rng(seed)
    bits = np.full(count, spec.weight.bits - 1)
    if spec.run_time_bits:
        bits = generator.integers(0, spec.weight.bits, count)
    return found | {"bits": torch.from_numpy(bits)}


def of_ports(spec: FloatLutTensorCore, plain: Plain) -> Plain:
    """The records as the input ports take them."""
    given = {name: plain[name] for name in ("a", "w", "last")}
    given = spec.port_records(given, spec.weight)
    return given | ({"bits": plain["bits"]} if spec.run_time_bits else {})


def rational_results(spec: FloatLutTensorCore, plain: Plain) -> list[list[int]]:
    """Codes of each result, rows times columns."""
    oracle = _Oracle(spec)
    return [
        [
            oracle.result(plain, members, row, column)
            for row in range(spec.rows)
            for column in range(spec.columns)
        ]
        for members in sums_of(plain)
    ]


class _Oracle:
    def __init__(self, spec: FloatLutTensorCore):
        self.spec = spec
        self.tables = RationalTables(spec.activation, spec.precompute.overflow_policy)

    def rounded(self, exact: Number) -> Number:
        accumulator = self.spec.accumulator
        return number(accumulator, float_code_of(accumulator, exact))

    def result(self, plain: Plain, members: range, row: int, column: int) -> int:
        spec = self.spec
        y = number(spec.accumulator, 0)
        for record in members:
            a = [number(spec.activation, int(code)) for code in plain["a"][record, row]]
            w = plain["w"][record, column].tolist()
            bits = int(plain["bits"][record]) + 1
            for first in range(0, bits, spec.planes):
                terms = self.terms(a, w, range(first, first + spec.planes), bits)
                if spec.order is SumOrder.TREE:
                    terms = [tree(terms, self.rounded)]
                y = reduce(lambda y, p: self.rounded(total(y, p, NEAREST)), terms, y)
        return float_code_of(spec.accumulator, y)

    def terms(self, a: list[Number], w: list[int], planes: range, bits: int) -> list[Number]:
        """The terms of a clock."""
        size, found = self.spec.table_inputs, []
        for first in range(0, len(a), size):
            lanes, weights = a[first : first + size], w[first : first + size]
            make = self.of_codes if self.spec.is_quantised else self.of_floats
            found += make(lanes, weights, planes, bits)
        return found

    def of_floats(self, lanes, weights, planes, bits) -> list[Number]:
        found = []
        for plane in planes:
            signs = [1 if w >> plane & 1 else -1 for w in weights]
            entry = self.tables.signed(lanes, [s * signs[-1] for s in signs])
            entry = entry if signs[-1] > 0 else negated(entry)
            power = Number(Fraction(1 << plane), False)
            zero = Number(Fraction(0), False)
            found.append(self.rounded(product(entry, power)) if plane < bits else zero)
        return found

    def of_codes(self, lanes, weights, planes, bits) -> list[Number]:
        indices = range(1 << (len(lanes) - 1))
        every = [index_signs(index, len(lanes)) for index in indices]
        entries = [self.tables.signed(lanes, signs) for signs in every]
        codes, scale = quantised(entries, self.spec.precompute.scale_format)
        looked_up = 0
        for plane in (plane for plane in planes if plane < bits):
            signs = [1 if w >> plane & 1 else -1 for w in weights]
            code = codes[every.index([s * signs[-1] for s in signs])]
            looked_up += signs[-1] * code << plane
        factor = number(self.spec.precompute.scale_format, scale)
        return [self.rounded(product(Number(Fraction(looked_up), looked_up < 0), factor))]


def numpy_results(spec: FloatLutTensorCore, plain: Plain) -> np.ndarray:
    """Codes of records that are sums of their own, of FP16 in FP32, in numpy's float16 and float32.

    numpy rounds each sum once; entries times powers of two are exact in float32.
    """
    a = plain["a"].numpy().astype(np.uint16).view(np.float16)
    w, bits = plain["w"].numpy(), plain["bits"].numpy() + 1
    y = np.zeros((len(a), spec.rows, spec.columns), np.float32)
    with np.errstate(invalid="ignore", over="ignore"):
        for first in range(0, spec.weight.bits, spec.planes):
            terms = [
                np.where(
                    plane < bits[:, None, None],
                    _half_sum(a[..., lanes][:, :, None], (w[..., lanes] >> plane & 1)[:, None])
                    * np.float32(1 << plane),
                    np.float32(0),
                )
                for lanes in _tables(spec)
                for plane in range(first, first + spec.planes)
            ]
            if spec.order is SumOrder.TREE:
                while len(terms) > 1:
                    pairs = zip(terms[0::2], terms[1::2], strict=False)
                    terms = [p + q for p, q in pairs] + terms[len(terms) // 2 * 2 :]
            after = reduce(np.add, terms, y)
            y = np.where((first < bits)[:, None, None], after, y)
    return np.where(np.isnan(y), spec.accumulator.nan_code, y.view(np.uint32).astype(np.int64))


def _tables(spec: FloatLutTensorCore) -> list[slice]:
    size = spec.table_inputs
    return [slice(first, first + size) for first in range(0, spec.lanes, size)]


def _half_sum(a: np.ndarray, bits: np.ndarray) -> np.ndarray:
    """Float16 sums of the last axis with the signs of the bits, by halves, as float32."""
    lanes = [a[..., lane] for lane in range(a.shape[-1])]
    bits = [bits[..., lane] for lane in range(a.shape[-1])]
    return _by_halves(lanes, bits).astype(np.float32)


def _by_halves(lanes: list[np.ndarray], bits: list[np.ndarray]) -> np.ndarray:
    if len(lanes) == 1:
        return np.where(bits[0] == 1, lanes[0], -lanes[0])
    half = len(lanes) // 2
    lower, upper = _by_halves(lanes[:half], bits[:half]), _by_halves(lanes[half:], bits[half:])
    # A table's entry has its last lane positive: an exact zero of it is +0, of the negated one -0.
    sign = np.where(bits[-1] == 1, np.float16(1), np.float16(-1))
    return sign * (sign * upper + sign * lower)
