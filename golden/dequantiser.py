"""What a tile does with each group's result: scaled, added to the results so far, rounded once."""

from dataclasses import dataclass
from typing import ClassVar

from multipede.golden.exact_arithmetic import Exact, add, multiply
from multipede.golden.formats import FP16, FP32, Float, Format, Integer, Overflow, Rounding
from multipede.golden.rounded_operation import NanResult, RoundedOperation
from multipede.golden.spec import Kind

GROUP_RESULT = Integer(19)
"""of a MixPE tile with UINT4 x INT8 and groups of 128"""


@dataclass(frozen=True, kw_only=True)
class Dequantiser(RoundedOperation):
    """y = round(sum + scale d), with one rounding of the exact value.

    See :class:`RoundedOperation` for zeros, infinities, NaN and the other parameters. Below scales
    of two levels there is ``second_level_dequantiser``.

    Parameters
    ----------
    d : format of a group's result: integer or fixed point of at most 63 bits, or a float of at
        most 32 bits.
    scale : format of the scale, likewise.
    sum : format of the sum of the groups before, likewise.
    """

    unit: ClassVar[str] = "dequantiser"
    title: ClassVar[str] = "a group's result times its scale, added and rounded once"
    kind: ClassVar[Kind] = Kind.PART
    source: ClassVar[str] = (
        "Zhang et al., MixPE, arXiv 2411.16158, section 3.2; IEEE 754-2019, 5.4.1 and 4.3"
    )
    operands: ClassVar[tuple[str, ...]] = ("d", "scale", "sum")
    result_port: ClassVar[str] = "y"
    operation: ClassVar[str] = "multiply_accumulate"

    d: Format = GROUP_RESULT
    scale: Format = FP16
    sum: Format = FP32
    result: Float = FP32
    rounding: Rounding = Rounding.NEAREST_EVEN
    overflow: Overflow | None = None
    nan: NanResult = NanResult.MAXIMUM
    stages: int = 1

    def exactly(self, d: Exact, scale: Exact, sum: Exact) -> Exact:
        """The scaled result plus the sum."""
        return add(multiply(d, scale), sum, self.rounding)
