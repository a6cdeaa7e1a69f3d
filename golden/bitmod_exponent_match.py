"""The first step of BitMoD's processing element: exponents of the products, and the largest."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from multipede.golden.bitmod_formats import (
    ACTIVATION_EXPONENT,
    EXPONENT,
    SOURCE,
    TERM_EXPONENT,
)
from multipede.golden.bitmod_step import BitModStep
from multipede.golden.formats import UINT1
from multipede.golden.spec import Port

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class BitModExponentMatch(BitModStep):
    """maximum = max over lanes of (activation + term), delta = maximum - (activation + term).

    The exponents are those of an activation (5 bits, biased) and of a weight's term (2 bits); the
    sign of a product is the exclusive or of both signs.

    Parameters and errors are those of :class:`~multipede.golden.bitmod_step.BitModStep`.
    """

    unit: ClassVar[str] = "bitmod_exponent_match"
    title: ClassVar[str] = "BitMoD: the largest exponent of the products and each one's distance"
    source: ClassVar[str] = f"{SOURCE}: processing element, step 1"

    @property
    def inputs(self) -> Mapping[str, Port]:
        """All (lanes)."""
        lanes = (self.lanes,)
        return {
            "activation": Port(ACTIVATION_EXPONENT, lanes, "biased exponents of activations"),
            "term": Port(TERM_EXPONENT, lanes, "exponents of the weights' terms"),
            "activation_sign": Port(UINT1, lanes, "1 for a negative activation"),
            "term_sign": Port(UINT1, lanes, "1 for a negative term"),
        }

    @property
    def outputs(self) -> Mapping[str, Port]:
        """``maximum`` (), ``delta`` (lanes), ``sign`` (lanes)."""
        lanes = (self.lanes,)
        return {
            "maximum": Port(EXPONENT, meaning="the largest exponent of a product"),
            "delta": Port(EXPONENT, lanes, "how far below it each product's exponent is"),
            "sign": Port(UINT1, lanes, "1 for a negative product"),
        }

    @property
    def operations(self) -> Mapping[str, int]:
        """One exponent of each lane matched."""
        return {"exponent_match": self.lanes}

    def reference(self, state: Any = None, **inputs: "Tensor") -> "tuple[dict[str, Tensor], None]":
        """The exponents, exactly; there is no state."""
        import torch

        self.check_tensors(inputs)
        codes = {name: tensor.to(torch.int64) for name, tensor in inputs.items()}
        exponents = codes["activation"] + codes["term"]
        maximum = exponents.amax(dim=1)
        return {
            "maximum": maximum,
            "delta": maximum[:, None] - exponents,
            "sign": codes["activation_sign"] ^ codes["term_sign"],
        }, None
