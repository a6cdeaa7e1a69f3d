"""Mitchell's multiplier: the codes and the bias in one addition."""

from multipede.golden.mitchell import Mitchell
from multipede.hw.arithmetic.circuit import Circuit, Word
from multipede.hw.arithmetic.circuit_unit import CircuitUnit
from multipede.hw.logarithmic_multiplier import Correction, LogarithmicMultiplierPlan

__all__ = ["MitchellPlan", "MitchellUnit"]


class MitchellPlan(LogarithmicMultiplierPlan):
    """Nothing is added but the codes."""

    spec: Mitchell

    def correction(self, c: Circuit, a: Word, b: Word) -> Correction:
        return Correction()


class MitchellUnit(CircuitUnit):
    """p = a b, nearly."""

    specification = Mitchell
    planning = MitchellPlan
