"""What tiles compute that add float products in floating point, each addition rounded."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from multipede.golden.exact_arithmetic import Exact, add, multiply, round_to, unpack
from multipede.golden.formats import (
    FP16,
    FP32,
    Float,
    Integer,
    Overflow,
    Rounding,
    Specials,
)
from multipede.golden.number_format import require_type
from multipede.golden.segments import Segments
from multipede.golden.spec import Port
from multipede.golden.ungrouped_tile import UngroupedTile

if TYPE_CHECKING:
    from torch import Tensor

ACCUMULATOR_BITS = 32
CHUNK = 1 << 15
"""Products that are worked on at once."""

_NEAREST = Rounding.NEAREST_EVEN


class SumOrder(Enum):
    """In which order a record's products join the accumulator."""

    SEQUENTIAL = "sequential"
    """lane after lane, each by a fused multiply-add with one rounding"""
    TREE = "tree"
    """rounded products are added pairwise, and their sum is added to the accumulator"""

    def __repr__(self) -> str:
        return f"SumOrder.{self.name}"


@dataclass(frozen=True)
class FloatTileState:
    """An unfinished sum: codes (rows, columns), int64, of the accumulators."""

    sums: np.ndarray


@dataclass(frozen=True, kw_only=True)
class FloatTile(UngroupedTile):
    """Y[r, c] = sum over k of a[r, k] w[c, k], every step rounded to nearest even.

    Sums begin with +0 and end as :class:`~multipede.golden.ungrouped_tile.UngroupedTile` says. A
    record changes an accumulator Y according to ``order``:

    - ``sequential``: for l = 0, 1, ... Y = round(Y + a_l w_l), from the exact product;
    - ``tree``: p_l = round(a_l w_l), which is exact for FP16 in FP32. Then, until one is left, each
      pair of neighbours becomes one, p_0 and p_1 the new p_0 = round(p_0 + p_1), p_2 and p_3 the
      new p_1, and so on; of an odd number the last goes on to the next round as it is. At the
      end Y = round(Y + p_0).

    Zeros, infinities and NaN are those of IEEE 754-2019; any NaN result is the accumulator's
    ``nan_code``. What is out of range becomes infinite.

    Parameters
    ----------
    activation : float of at most 16 bits, or 32 where the tile says so.
    accumulator : format of sums and results: signed, of at most 32 bits, with infinity and NaN.
    order : ``tree`` or ``sequential``.
    stages : register ranks between input and output, 1 to 16. One is the accumulator. Under
        ``tree`` the others cut products and tree; under ``sequential``, where each lane waits for
        the one before it, they hold the factors in front of the chain.
    """

    factor_bits: ClassVar[int] = 16

    weight: Float | Integer = FP16
    activation: Float = FP16
    accumulator: Float = FP32
    order: SumOrder = SumOrder.TREE
    rows: int = 4
    columns: int = 4
    lanes: int = 8
    stages: int = 1

    def __post_init__(self):
        self._check_shape()
        self._check_factor("activation")
        require_type("order", self.order, SumOrder)
        require_type("accumulator", self.accumulator, Float)
        self._check_accumulator()

    def _check_accumulator(self) -> None:
        number_format = self.accumulator
        complete = number_format.specials is Specials.IEEE and number_format.nan_code is not None
        if not (complete and number_format.signed and number_format.bits <= ACCUMULATOR_BITS):
            raise ValueError(
                f"accumulator = {number_format}: allowed are signed floats of at most"
                f" {ACCUMULATOR_BITS} bits with infinity and NaN"
            )

    @property
    def outputs(self) -> Mapping[str, Port]:
        """``y`` (rows, columns), one record for each ``last``."""
        return {"y": Port(self.accumulator, (self.rows, self.columns), "Y, the sum")}

    def reference(
        self, state: FloatTileState | None = None, **inputs: "Tensor"
    ) -> "tuple[dict[str, Tensor], FloatTileState]":
        """Records of one sum follow one another, since each step is rounded; sums are worked on
        side by side.
        """
        import torch

        self.check_tensors(inputs)
        codes = {name: tensor.to(torch.int64).cpu().numpy() for name, tensor in inputs.items()}
        segments = Segments(inputs["last"].to(torch.int64))
        sums = np.zeros((segments.count, self.rows, self.columns), np.int64)
        if state is not None:
            sums[0] = state.sums
        following = self._following(codes)
        for running, records in ((r.numpy(), n.numpy()) for r, n in segments.steps()):
            sums[running] = following(sums[running], records)
        return {"y": torch.from_numpy(sums[:-1])}, FloatTileState(sums[-1].copy())

    @abstractmethod
    def _following(
        self, codes: Mapping[str, np.ndarray]
    ) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
        """What makes of sums and the records that they take the sums behind these, from the codes
        of all records."""

    def _tree(self, terms: np.ndarray) -> np.ndarray:
        """The sum of the last axis."""
        while terms.shape[-1] > 1:
            even = terms.shape[-1] // 2 * 2
            sums = self._added(terms[..., 0:even:2], terms[..., 1:even:2])
            terms = np.concatenate([sums, terms[..., even:]], axis=-1)
        return terms[..., 0]

    def _added(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        number_format = self.accumulator
        return self._rounded(add(unpack(number_format, a), unpack(number_format, b), _NEAREST))

    def _rounded(self, numbers: Exact) -> np.ndarray:
        number_format = self.accumulator
        return round_to(number_format, numbers, _NEAREST, Overflow.INFINITY, number_format.nan_code)


@dataclass(frozen=True, kw_only=True)
class FloatProductTile(FloatTile):
    """The float tiles whose terms are products of activations and factors, one for each lane.

    Parameters
    ----------
    activation : float of at most 32 bits.
    """

    factor_bits: ClassVar[int] = 32

    @property
    @abstractmethod
    def factor(self) -> Float:
        """Format of the weights that activations are multiplied by."""

    @abstractmethod
    def factors(self, codes: Mapping[str, np.ndarray]) -> np.ndarray:
        """Codes (T, columns, lanes) of these weights, from those of the input ports."""

    def _following(
        self, codes: Mapping[str, np.ndarray]
    ) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
        """A chain through all lanes, or one addition of what a tree makes of them."""
        activations = unpack(self.activation, codes["a"][:, :, None, :])
        weights = unpack(self.factor, self.factors(codes)[:, None, :, :])
        if self.order is SumOrder.SEQUENTIAL:
            return lambda sums, records: self._chain(
                sums, _taken(activations, records), _taken(weights, records)
            )
        totals = self._trees(activations, weights)
        return lambda sums, records: self._added(sums, totals[records])

    def _chain(self, sums: np.ndarray, a: Exact, w: Exact) -> np.ndarray:
        """The sums behind all lanes of a record."""
        for lane in range(self.lanes):
            product = multiply(_taken(a, (..., lane)), _taken(w, (..., lane)))
            total = add(product, unpack(self.accumulator, sums), _NEAREST)
            sums = self._rounded(total)
        return sums

    def _trees(self, a: Exact, w: Exact) -> np.ndarray:
        """What each record adds to the accumulators, (T, rows, columns)."""
        records = len(a.head)
        totals = np.empty((records, self.rows, self.columns), np.int64)
        size = max(1, CHUNK // (self.rows * self.columns * self.lanes))
        for start in range(0, records, size):
            part = slice(start, start + size)
            totals[part] = self._tree(self._rounded(multiply(_taken(a, part), _taken(w, part))))
        return totals


def _taken(numbers: Exact, index: Any) -> Exact:
    return Exact(*(array[index] for array in numbers))
