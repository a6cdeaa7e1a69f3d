"""The dequantiser as a unit of its own."""

from multipede.golden.dequantiser import Dequantiser
from multipede.hw.arithmetic.circuit_unit import CircuitUnit
from multipede.hw.fused_multiply_add import FusedMultiplyAddPlan

__all__ = ["DequantiserUnit"]


class DequantiserUnit(CircuitUnit):
    """y = round(sum + scale d)."""

    specification = Dequantiser
    planning = FusedMultiplyAddPlan
