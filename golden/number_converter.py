"""A number from one format to another, rounded once."""

from dataclasses import dataclass
from typing import ClassVar

from multipede.golden.exact_arithmetic import Exact
from multipede.golden.formats import (
    FP16,
    FP32,
    FixedPoint,
    Float,
    Format,
    Integer,
    Overflow,
    Rounding,
)
from multipede.golden.rounded_operation import NanResult, RoundedOperation
from multipede.golden.spec import Kind


@dataclass(frozen=True, kw_only=True)
class NumberConverter(RoundedOperation):
    """y = round(x), between any two of floats, integers and fixed point.

    See :class:`RoundedOperation` for zeros, infinities, NaN and the other parameters.

    Parameters
    ----------
    x : format of the number: a float of at most 32 bits, an integer or fixed point of at most
        63 bits.
    result : format that it is converted to, likewise.
    overflow : what a number out of range becomes, a policy that ``result`` can serve, except
        RAISE; None for INFINITY if ``result`` can serve it, else SATURATE. Under WRAP (integers
        and fixed point) an infinity counts as NaN.
    """

    unit: ClassVar[str] = "number_converter"
    title: ClassVar[str] = "a number from one format to another, rounded once"
    kind: ClassVar[Kind] = Kind.PART
    source: ClassVar[str] = (
        "IEEE 754-2019, 5.4.1 convertFromInt, 5.4.2 convertFormat, 5.8 conversion to integers"
    )
    operands: ClassVar[tuple[str, ...]] = ("x",)
    result_port: ClassVar[str] = "y"
    result_kinds: ClassVar[tuple[type[Format], ...]] = (Float, Integer, FixedPoint)
    operation: ClassVar[str] = "convert"

    x: Format = FP32
    result: Format = FP16
    rounding: Rounding = Rounding.NEAREST_EVEN
    overflow: Overflow | None = None
    nan: NanResult = NanResult.MAXIMUM
    stages: int = 1

    def exactly(self, x: Exact) -> Exact:
        """The number itself."""
        return x
