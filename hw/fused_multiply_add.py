"""A product plus a number, rounded once."""

from multipede.golden.fused_multiply_add import FusedMultiplyAdd
from multipede.golden.rounded_operation import RoundedOperation
from multipede.hw.arithmetic.circuit import Circuit, Word
from multipede.hw.arithmetic.circuit_unit import CircuitUnit
from multipede.hw.arithmetic.fused_sum import fused_sum
from multipede.hw.arithmetic.operands import Number
from multipede.hw.arithmetic.rounded_unit import RoundedUnitPlan

__all__ = ["FusedMultiplyAddPlan", "FusedMultiplyAddUnit"]


class FusedMultiplyAddPlan(RoundedUnitPlan):
    """Unpack, align the addend to the product, add both on one bit heap, normalise, round, pack."""

    spec: RoundedOperation

    def result(self, c: Circuit, a: Number, b: Number, addend: Number) -> Word:
        total = fused_sum(c, a, b, addend, self.spec.result)
        return self.rounded(
            c,
            total.exact,
            infinite=total.infinite,
            infinite_sign=total.infinite_sign,
            nan=total.nan,
        )


class FusedMultiplyAddUnit(CircuitUnit):
    """y = round(a b + c)."""

    specification = FusedMultiplyAdd
    planning = FusedMultiplyAddPlan
