"""The product of two numbers, rounded once."""

from multipede.golden.float_multiplier import FloatMultiplier
from multipede.hw.arithmetic.circuit import Circuit, Word
from multipede.hw.arithmetic.circuit_unit import CircuitUnit
from multipede.hw.arithmetic.float_product import exact_product, product_specials
from multipede.hw.arithmetic.operands import Number
from multipede.hw.arithmetic.rounded_unit import RoundedUnitPlan

__all__ = ["FloatMultiplierPlan", "FloatMultiplierUnit"]


class FloatMultiplierPlan(RoundedUnitPlan):
    """Unpack, multiply, normalise, round and pack.

    The product is exact. It has leading zeros where a factor is subnormal, which the normalising
    shift removes; a product that is subnormal itself is shifted by less, see
    :class:`~multipede.hw.arithmetic.exact_result.Frame`.
    """

    spec: FloatMultiplier

    def result(self, c: Circuit, a: Number, b: Number) -> Word:
        infinite, nan = product_specials(c, a, b)
        return self.rounded(c, exact_product(c, a, b), infinite=infinite, nan=nan)


class FloatMultiplierUnit(CircuitUnit):
    """p = round(a b)."""

    specification = FloatMultiplier
    planning = FloatMultiplierPlan
