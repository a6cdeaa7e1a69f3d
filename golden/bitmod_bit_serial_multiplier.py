"""The second step of BitMoD's processing element: products with one bit, aligned and summed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from multipede.golden.bitmod_formats import (
    EXPONENT,
    GUARD_BITS,
    SIGNIFICAND,
    SOURCE,
    dot_product,
)
from multipede.golden.bitmod_step import BitModStep
from multipede.golden.formats import UINT1
from multipede.golden.spec import Port

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class BitModBitSerialMultiplier(BitModStep):
    """dot = sum over lanes of (-1)^sign floor(8 significand mantissa / 2^delta).

    Each product has three guard bits below the significand and loses what is shifted out of them:
    the authors' paper rounds to the nearest, their RTL truncates the magnitude, as here.

    Parameters and errors are those of :class:`~multipede.golden.bitmod_step.BitModStep`.
    """

    unit: ClassVar[str] = "bitmod_bit_serial_multiplier"
    title: ClassVar[str] = "BitMoD: significands times one bit of the weight, aligned and summed"
    source: ClassVar[str] = f"{SOURCE}: processing element, step 2"

    @property
    def inputs(self) -> Mapping[str, Port]:
        """All (lanes)."""
        lanes = (self.lanes,)
        return {
            "significand": Port(SIGNIFICAND, lanes, "of activations, with the hidden bit"),
            "mantissa": Port(UINT1, lanes, "of the weights' terms"),
            "delta": Port(EXPONENT, lanes, "by how much a product is shifted to the right"),
            "sign": Port(UINT1, lanes, "1 for a negative product"),
        }

    @property
    def outputs(self) -> Mapping[str, Port]:
        """``dot`` ()."""
        return {
            "dot": Port(dot_product(self.lanes), meaning="in eighths of the significand's unit")
        }

    @property
    def operations(self) -> Mapping[str, int]:
        """One term of each lane multiplied and accumulated."""
        return {"term_multiply_accumulate": self.lanes}

    def reference(self, state: Any = None, **inputs: "Tensor") -> "tuple[dict[str, Tensor], None]":
        """The sum of the truncated products; there is no state."""
        import torch

        self.check_tensors(inputs)
        codes = {name: tensor.to(torch.int64) for name, tensor in inputs.items()}
        aligned = (codes["significand"] * codes["mantissa"] << GUARD_BITS) >> codes["delta"]
        return {"dot": (aligned * (1 - 2 * codes["sign"])).sum(dim=1)}, None
