"""The lower of two levels of dequantisation: a group's result times an integer scale, added."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from multipede.golden.dequantiser import GROUP_RESULT
from multipede.golden.formats import INT8, FixedPoint, Integer
from multipede.golden.integer_tile import MAXIMUM_CODE_BITS, channel_sum_bits, scaled_bits
from multipede.golden.number_format import require_kinds, require_range, require_type
from multipede.golden.rounded_operation import MAXIMUM_STAGES
from multipede.golden.spec import Kind, Port, Spec

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class SecondLevelDequantiser(Spec):
    """z = sum + scale d, modulo 2**bits of ``sum``, without any rounding.

    ``d`` is free of its zero point, as tiles put it out. What follows at the end of a channel is
    ``float_multiplier``, with z and the channel's scale. A tile's dequantisers carry beside z
    whether a group met a NaN; this part does not.

    Parameters
    ----------
    d : format of a group's result: integer or fixed point, so wide that its product with the scale
        has at most 63 bits.
    scale : integer format of the group's scale, of 2 to 8 bits.
    sum : bits of ``sum`` and ``z``, up to 63, at least those of a product; None for ten more, which
        hold 1,024 groups of any values, or 63.
    stages : register ranks between input and output, 0 to 12.

    Raises
    ------
    TypeError, ValueError
        Naming the parameter, the value and what is allowed.
    """

    unit: ClassVar[str] = "second_level_dequantiser"
    title: ClassVar[str] = "a group's result times its integer scale, added exactly"
    kind: ClassVar[Kind] = Kind.PART
    source: ClassVar[str] = "Dai et al., VS-Quant, MLSys 2021: two levels of scales"

    d: Integer | FixedPoint = GROUP_RESULT
    scale: Integer = INT8
    sum: int | None = None
    stages: int = 1

    def __post_init__(self):
        require_kinds("d", self.d, (Integer, FixedPoint))
        require_type("scale", self.scale, Integer)
        if not 2 <= self.scale.bits <= 8:
            raise ValueError(f"scale = {self.scale}: integers of 2 to 8 bits are allowed")
        product = scaled_bits(self.d, self.scale)
        if product > MAXIMUM_CODE_BITS:
            raise ValueError(
                f"d = {self.d}: with scale = {self.scale} at most"
                f" {MAXIMUM_CODE_BITS - product + self.d.bits} bits are allowed"
            )
        if self.sum is not None:
            require_range("sum", self.sum, product, MAXIMUM_CODE_BITS)
        require_range("stages", self.stages, 0, MAXIMUM_STAGES)

    @property
    def total(self) -> Integer | FixedPoint:
        """Format of ``sum`` and ``z``, with the binary point of ``d``."""
        bits = channel_sum_bits(self.d, self.scale) if self.sum is None else self.sum
        if isinstance(self.d, FixedPoint):
            return FixedPoint(bits, self.d.fraction_bits)
        return Integer(bits)

    @property
    def inputs(self) -> Mapping[str, Port]:
        """``d`` (), ``scale`` () and ``sum`` ()."""
        return {
            "d": Port(self.d, meaning="the group's result"),
            "scale": Port(self.scale, meaning="the group's scale"),
            "sum": Port(self.total, meaning="the sum of the groups before"),
        }

    @property
    def outputs(self) -> Mapping[str, Port]:
        """``z`` ()."""
        return {"z": Port(self.total, meaning="sum + scale d")}

    @property
    def operations(self) -> Mapping[str, int]:
        """One multiply-accumulate."""
        return {"multiply_accumulate": 1}

    @property
    def latency(self) -> int:
        """As many clocks as there are register ranks."""
        return self.stages

    def reference(self, state: Any = None, **inputs: "Tensor") -> "tuple[dict[str, Tensor], None]":
        """The sum of the codes, wrapped; there is no state."""
        import torch

        self.check_tensors(inputs)
        d, scale, before = (inputs[name].to(torch.int64) for name in self.inputs)
        # int64 is modulo 2**64, so that nothing is lost that the shifts would keep.
        spare = 64 - self.total.bits
        return {"z": (before + scale * d) << spare >> spare}, None
