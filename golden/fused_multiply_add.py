"""The sum of a product and a number, rounded once to floating point."""

from dataclasses import dataclass
from typing import ClassVar

from multipede.golden.exact_arithmetic import Exact, add, multiply
from multipede.golden.formats import FP16, Float, Format, Overflow, Rounding
from multipede.golden.rounded_operation import NanResult, RoundedOperation
from multipede.golden.spec import Kind


@dataclass(frozen=True, kw_only=True)
class FusedMultiplyAdd(RoundedOperation):
    """y = round(a b + c), with one rounding; an integer times a scale plus a float is the
    dequantiser of a matrix unit.

    See :class:`RoundedOperation` for zeros, infinities, NaN and the other parameters.

    Parameters
    ----------
    a, b : formats of the factors: floats of at most 32 bits, integers or fixed point of at most
        63 bits, in any mixture.
    c : format of the addend, likewise.
    """

    unit: ClassVar[str] = "fused_multiply_add"
    title: ClassVar[str] = "product plus a number, rounded once to floating point"
    kind: ClassVar[Kind] = Kind.PART
    source: ClassVar[str] = "IEEE 754-2019, 5.4.1 fusedMultiplyAdd, 4.3 rounding, 6 and 7.4"
    operands: ClassVar[tuple[str, ...]] = ("a", "b", "c")
    result_port: ClassVar[str] = "y"
    operation: ClassVar[str] = "multiply_accumulate"

    a: Format = FP16
    b: Format = FP16
    c: Format = FP16
    result: Float = FP16
    rounding: Rounding = Rounding.NEAREST_EVEN
    overflow: Overflow | None = None
    nan: NanResult = NanResult.MAXIMUM
    stages: int = 1

    def exactly(self, a: Exact, b: Exact, c: Exact) -> Exact:
        """The product plus ``c``."""
        return add(multiply(a, b), c, self.rounding)
