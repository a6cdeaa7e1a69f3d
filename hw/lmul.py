"""L-Mul: the codes, the bias and the offset in one addition."""

from multipede.golden.lmul import LMul
from multipede.hw.arithmetic.circuit import Circuit, Word
from multipede.hw.arithmetic.circuit_unit import CircuitUnit
from multipede.hw.logarithmic_multiplier import Correction, LogarithmicMultiplierPlan

__all__ = ["LMulPlan", "LMulUnit"]


class LMulPlan(LogarithmicMultiplierPlan):
    """The offset costs nothing: it is part of the constant that takes the bias away."""

    spec: LMul

    def correction(self, c: Circuit, a: Word, b: Word) -> Correction:
        return Correction(plus=self.spec.correction)


class LMulUnit(CircuitUnit):
    """p = a b, nearly."""

    specification = LMul
    planning = LMulPlan
