"""The exact product of two integers, one per record: the plainest unit and a baseline."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from multipede.golden.formats import INT8, Integer
from multipede.golden.multiplier_tile import PartialProducts
from multipede.golden.number_format import require_range, require_type
from multipede.golden.spec import Kind, Port, Spec

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class IntegerMultiplier(Spec):
    """p = a b.

    Parameters
    ----------
    a, b : integer formats of 1 to 31 bits.
    partial_products : how the rows of the product are made, from the bits of ``b``; ``inferred``
        leaves it to synthesis: DSP blocks on FPGAs.
    stages : register ranks between input and output, 0 to 16; the last one is the output's.

    Raises
    ------
    TypeError, ValueError
        Naming the parameter, the value and what is allowed.
    """

    unit: ClassVar[str] = "integer_multiplier"
    title: ClassVar[str] = "exact product of two integers"
    kind: ClassVar[Kind] = Kind.MULTIPLIER
    source: ClassVar[str] = (
        "Baugh and Wooley, IEEE Trans. Computers C-22 (1973);"
        " MacSorley, High-Speed Arithmetic in Binary Computers, Proc. IRE 49 (1961)"
    )

    a: Integer = INT8
    b: Integer = INT8
    partial_products: PartialProducts = PartialProducts.BAUGH_WOOLEY
    stages: int = 1

    def __post_init__(self):
        for name in ("a", "b"):
            require_type(name, getattr(self, name), Integer)
            if getattr(self, name).bits > 31:
                raise ValueError(f"{name} = {getattr(self, name)}: at most 31 bits")
        require_type("partial_products", self.partial_products, PartialProducts)
        require_range("stages", self.stages, 0, 16)

    @property
    def product(self) -> Integer:
        """The format of the product: as many bits as both factors have."""
        return Integer(self.a.bits + self.b.bits, signed=self.a.signed or self.b.signed)

    @property
    def inputs(self) -> Mapping[str, Port]:
        """The factors ``a`` () and ``b`` ()."""
        return {"a": Port(self.a, meaning="factor"), "b": Port(self.b, meaning="factor")}

    @property
    def outputs(self) -> Mapping[str, Port]:
        """The product ``p`` ()."""
        return {"p": Port(self.product, meaning="a b, exactly")}

    @property
    def operations(self) -> Mapping[str, int]:
        """One multiplication."""
        return {"multiply": 1}

    @property
    def latency(self) -> int:
        """As many clocks as there are register ranks."""
        return self.stages

    def reference(self, state: Any = None, **inputs: "Tensor") -> "tuple[dict[str, Tensor], None]":
        """The product, exactly; there is no state."""
        import torch

        self.check_tensors(inputs)
        return {"p": inputs["a"].to(torch.int64) * inputs["b"].to(torch.int64)}, None
