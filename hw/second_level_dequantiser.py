"""The lower of two levels of dequantisation as a unit of its own."""

from collections.abc import Mapping

from multipede.golden.second_level_dequantiser import SecondLevelDequantiser
from multipede.hw.arithmetic.circuit import Circuit, Word
from multipede.hw.arithmetic.circuit_unit import CircuitUnit, CircuitUnitPlan
from multipede.hw.arithmetic.dequantise import scaled_sum

__all__ = ["SecondLevelDequantiserPlan", "SecondLevelDequantiserUnit"]


class SecondLevelDequantiserPlan(CircuitUnitPlan):
    """Product and sum on one bit heap, as in the tiles."""

    spec: SecondLevelDequantiser

    def results(self, c: Circuit, codes: Mapping[str, Word]) -> Mapping[str, Word]:
        spec = self.spec
        return {
            "z": scaled_sum(c, (spec.d, codes["d"]), (spec.scale, codes["scale"]), codes["sum"])
        }


class SecondLevelDequantiserUnit(CircuitUnit):
    """z = sum + scale d."""

    specification = SecondLevelDequantiser
    planning = SecondLevelDequantiserPlan
