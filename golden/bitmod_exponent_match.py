"""The first step of BitMoD's processing element: exponents of the products, and the largest."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from multipede.golden.bitmod_formats import (
    ACTIVATION_EXPONENT,
    EXPONENT,
    SOURCE,
    TERM_EXPONENT,
    require_lanes,
)
from multipede.golden.formats import UINT1
from multipede.golden.number_format import require_range
from multipede.golden.rounded_operation import MAXIMUM_STAGES
from multipede.golden.spec import Kind, Port, Spec

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class BitModExponentMatch(Spec):
    """maximum = max over lanes of (activation + term), delta = maximum - (activation + term).

    The exponents are those of an activation (5 bits, biased) and of a weight's term (2 bits); the
    sign of a product is the exclusive or of both signs.

    Parameters
    ----------
    lanes : products side by side, 1 to 16.
    stages : register ranks between input and output, 0 to 8; the last one is the output's.

    Raises
    ------
    TypeError, ValueError
        Naming the parameter, the value and what is allowed.
    """

    unit: ClassVar[str] = "bitmod_exponent_match"
    title: ClassVar[str] = "BitMoD: the largest exponent of the products and each one's distance"
    kind: ClassVar[Kind] = Kind.PART
    source: ClassVar[str] = f"{SOURCE}: processing element, step 1"

    lanes: int = 4
    stages: int = 1

    def __post_init__(self):
        require_lanes(self.lanes)
        require_range("stages", self.stages, 0, MAXIMUM_STAGES)

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

    @property
    def latency(self) -> int:
        """As many clocks as there are register ranks."""
        return self.stages

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
