"""The fourth step of BitMoD's processing element: a group's sum times its scale, bit by bit."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np

from multipede.golden.bitmod_formats import DEQUANTISED, EXPONENT, GROUP_MANTISSA, SOURCE
from multipede.golden.formats import UINT1
from multipede.golden.spec import Kind, Port, Spec

if TYPE_CHECKING:
    from torch import Tensor


class Scaled(NamedTuple):
    """(-1)^sign product 2^exponent."""

    product: int
    exponent: int
    sign: int


@dataclass(frozen=True, kw_only=True)
class BitModDequantiser(Spec):
    """product = mantissa scale, one bit of the scale with each record, the highest first.

    A record gives product = 2 before + bit mantissa, where ``before`` is 0 on the first one; that
    also takes the exponent and the scale's sign. Eight records make the product of a group; it is
    modulo 2^23, which no more than eight can exceed.

    In the RTL that the authors released the start does not clear what is there, and the product
    has 21 bits, which large scales exceed. Here both are mended. Their second sign, that of the
    mantissa, is left out: the mantissa has it.
    """

    unit: ClassVar[str] = "bitmod_dequantiser"
    title: ClassVar[str] = "BitMoD: a group's sum times its 8-bit scale, one bit a clock"
    kind: ClassVar[Kind] = Kind.PART
    source: ClassVar[str] = f"{SOURCE}: processing element, step 4"

    @property
    def inputs(self) -> Mapping[str, Port]:
        """All ()."""
        return {
            "mantissa": Port(GROUP_MANTISSA, meaning="of the group's sum, the same in all records"),
            "exponent": Port(EXPONENT, meaning="of the group's sum, taken with start"),
            "scale_bit": Port(UINT1, meaning="of the scale's magnitude, the highest first"),
            "scale_sign": Port(UINT1, meaning="1 for a negative scale, taken with start"),
            "start": Port(UINT1, meaning="1 for the first bit of a scale"),
        }

    @property
    def outputs(self) -> Mapping[str, Port]:
        """All (), with every record."""
        return {
            "product": Port(DEQUANTISED, meaning="the mantissa times the bits so far"),
            "exponent": Port(EXPONENT, meaning="of the product"),
            "sign": Port(UINT1, meaning="1 if the scale is negative"),
        }

    @property
    def operations(self) -> Mapping[str, int]:
        """One bit of a scale."""
        return {"scale_bit": 1}

    @property
    def latency(self) -> int:
        """One clock: what is put out are the only registers."""
        return 1

    def related_records(
        self, generator: np.random.Generator, count: int
    ) -> Mapping[str, np.ndarray]:
        """The bits of a scale behind the first, of which most are 1."""
        low, high = GROUP_MANTISSA.minimum, GROUP_MANTISSA.maximum
        return {
            "mantissa": generator.integers(low, high, count, endpoint=True),
            "exponent": generator.integers(0, 1 << EXPONENT.bits, count),
            "scale_bit": (generator.random(count) < 0.7).astype(np.int64),
            "scale_sign": generator.integers(0, 2, count),
            "start": np.zeros(count, np.int64),
        }

    def results_by_record(self, state: Scaled | None = None, **inputs: "Tensor") -> "Tensor":
        """One with each record."""
        import torch

        return torch.ones(self.check_tensors(inputs), dtype=torch.int64)

    def reference(
        self, state: Scaled | None = None, **inputs: "Tensor"
    ) -> "tuple[dict[str, Tensor], Scaled | None]":
        """The products, record by record; the first record after reset is a start, too."""
        import torch

        self.check_tensors(inputs)
        found = []
        half = 1 << (DEQUANTISED.bits - 1)
        records = zip(*(inputs[name].tolist() for name in self.inputs), strict=True)
        for mantissa, exponent, bit, sign, start in records:
            before = Scaled(0, exponent, sign) if start or state is None else state
            product = 2 * before.product + bit * mantissa
            state = before._replace(product=(product + half) % (2 * half) - half)
            found.append(state)
        columns = torch.tensor(found, dtype=torch.int64).reshape(-1, 3).unbind(1)
        return dict(zip(self.outputs, columns, strict=True)), state
