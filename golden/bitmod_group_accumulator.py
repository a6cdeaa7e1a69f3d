"""The third step of BitMoD's processing element: the dot products of a group, accumulated."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np

from multipede.golden.bitmod_formats import (
    EXPONENT,
    GROUP_MANTISSA,
    MAXIMUM_SIGNIFICANCE,
    SIGNIFICANCE,
    SOURCE,
    dot_product,
    require_lanes,
)
from multipede.golden.formats import UINT1, Integer
from multipede.golden.spec import Kind, Port, Spec

if TYPE_CHECKING:
    from torch import Tensor


class GroupSum(NamedTuple):
    """mantissa 2^exponent."""

    mantissa: int
    exponent: int


@dataclass(frozen=True, kw_only=True)
class BitModGroupAccumulator(Spec):
    """A floating-point accumulator that is never shifted to the left.

    A record adds dot 2^significance 2^exponent to mantissa 2^exponent of the sum so far. Both are
    shifted right to the larger exponent (floor; what is shifted by more than its bits without the
    sign, less one, counts as 0) and added; the sum is shifted right by as little as makes it fit
    15 bits (floor), and its exponent grows by that.

    The RTL that the authors released shifts the sum so far alone, so that exponents are mixed where
    that sum has the larger one, and adds in 23 bits, which the largest operands exceed. Here both
    are mended.

    Exponents are modulo 64. Those of FP16's products are at most 34, and then no sum comes beyond
    58: what is added to one so large counts as 0.

    Parameters
    ----------
    lanes : of the dot product, 1 to 16, which gives its width: 17 bits for 4.

    Raises
    ------
    TypeError, ValueError
        Naming the parameter, the value and what is allowed.
    """

    unit: ClassVar[str] = "bitmod_group_accumulator"
    title: ClassVar[str] = "BitMoD: dot products of a group accumulated in floating point"
    kind: ClassVar[Kind] = Kind.PART
    source: ClassVar[str] = f"{SOURCE}: processing element, step 3"

    lanes: int = 4

    def __post_init__(self):
        require_lanes(self.lanes)

    @property
    def product(self) -> Integer:
        """A dot product shifted by its significance: 23 bits for four lanes."""
        return Integer(dot_product(self.lanes).bits + MAXIMUM_SIGNIFICANCE)

    @property
    def sum(self) -> Integer:
        """A product and the sum so far, before it is shifted."""
        return Integer(self.product.bits + 1)

    @property
    def inputs(self) -> Mapping[str, Port]:
        """All ()."""
        return {
            "dot": Port(dot_product(self.lanes), meaning="a dot product"),
            "exponent": Port(EXPONENT, meaning="its exponent"),
            "significance": Port(
                SIGNIFICANCE, meaning="of the weights' terms, 0 to 6; 7 counts as 6"
            ),
            "start": Port(UINT1, meaning="1 for the first record of a group"),
        }

    @property
    def outputs(self) -> Mapping[str, Port]:
        """``mantissa`` () and ``exponent`` () of the sum so far, with every record."""
        return {
            "mantissa": Port(GROUP_MANTISSA, meaning="of the sum up to this record"),
            "exponent": Port(EXPONENT, meaning="of the sum up to this record"),
        }

    @property
    def operations(self) -> Mapping[str, int]:
        """One dot product accumulated."""
        return {"accumulate": 1}

    @property
    def latency(self) -> int:
        """One clock: the accumulator is the only register."""
        return 1

    def related_records(
        self, generator: np.random.Generator, count: int
    ) -> Mapping[str, np.ndarray]:
        """Records that add to sums whose exponents are near theirs."""
        dot = dot_product(self.lanes)
        return {
            "dot": generator.integers(dot.minimum, dot.maximum, count, endpoint=True),
            "exponent": generator.integers(8, 40, count),
            "significance": generator.integers(0, MAXIMUM_SIGNIFICANCE, count, endpoint=True),
            "start": np.zeros(count, np.int64),
        }

    def results_by_record(self, state: GroupSum | None = None, **inputs: "Tensor") -> "Tensor":
        """One with each record."""
        import torch

        return torch.ones(self.check_tensors(inputs), dtype=torch.int64)

    def reference(
        self, state: GroupSum | None = None, **inputs: "Tensor"
    ) -> "tuple[dict[str, Tensor], GroupSum | None]":
        """The sums, record by record; the first record after reset begins a group, too."""
        import torch

        self.check_tensors(inputs)
        sums = []
        records = zip(*(inputs[name].tolist() for name in self.inputs), strict=True)
        for dot, exponent, significance, start in records:
            before = GroupSum(0, 0) if start or state is None else state
            product = dot << min(significance, MAXIMUM_SIGNIFICANCE)
            state = self._sum(before, product, exponent)
            sums.append(state)
        mantissas, exponents = torch.tensor(sums, dtype=torch.int64).reshape(-1, 2).unbind(1)
        return {"mantissa": mantissas, "exponent": exponents}, state

    def _sum(self, before: GroupSum, product: int, exponent: int) -> GroupSum:
        larger = max(before.exponent, exponent)
        total = _aligned(before.mantissa, larger - before.exponent, GROUP_MANTISSA)
        total += _aligned(product, larger - exponent, self.product)
        shift = 0
        while not GROUP_MANTISSA.minimum <= total >> shift <= GROUP_MANTISSA.maximum:
            shift += 1
        return GroupSum(total >> shift, (larger + shift) % (1 << EXPONENT.bits))


def _aligned(value: int, amount: int, form: Integer) -> int:
    return 0 if amount > form.bits - 2 else value >> amount
