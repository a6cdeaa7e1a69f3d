"""The sum of two numbers, rounded once to floating point."""

from dataclasses import dataclass
from typing import ClassVar

from multipede.golden.exact_arithmetic import Exact, add
from multipede.golden.formats import FP16, Float, Format, Overflow, Rounding
from multipede.golden.rounded_operation import NanResult, RoundedOperation
from multipede.golden.spec import Kind


@dataclass(frozen=True, kw_only=True)
class FloatAdder(RoundedOperation):
    """s = round(a + b); see :class:`RoundedOperation` for zeros, infinities, NaN and the
    other parameters.

    Parameters
    ----------
    a, b : formats of the addends: floats of at most 32 bits, integers or fixed point of at most
        63 bits, in any mixture.
    """

    unit: ClassVar[str] = "float_adder"
    title: ClassVar[str] = "sum of two numbers, rounded once to floating point"
    kind: ClassVar[Kind] = Kind.PART
    source: ClassVar[str] = "IEEE 754-2019, 5.4.1 addition, 4.3 rounding, 6 and 7.4"
    operands: ClassVar[tuple[str, ...]] = ("a", "b")
    result_port: ClassVar[str] = "s"
    operation: ClassVar[str] = "add"

    a: Format = FP16
    b: Format = FP16
    result: Float = FP16
    rounding: Rounding = Rounding.NEAREST_EVEN
    overflow: Overflow | None = None
    nan: NanResult = NanResult.MAXIMUM
    stages: int = 1

    def exactly(self, a: Exact, b: Exact) -> Exact:
        """The sum."""
        return add(a, b, self.rounding)
