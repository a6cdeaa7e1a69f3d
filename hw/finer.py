"""A square and an addition in front of a sine."""

from collections.abc import Mapping

from multipede.golden.finer import Finer
from multipede.hw.arithmetic.circuit import ZERO, Circuit, Term, Word, constant
from multipede.hw.arithmetic.circuit_unit import CircuitUnit, CircuitUnitPlan
from multipede.hw.arithmetic.polynomial import polynomial
from multipede.hw.arithmetic.squarer import square_terms

__all__ = ["FinerPlan", "FinerUnit"]


class FinerPlan(CircuitUnitPlan):
    """Where x is negative, the sine of abs(x) is taken half a period later."""

    spec: Finer
    divides = True

    def results(self, c: Circuit, codes: Mapping[str, Word]) -> Mapping[str, Word]:
        spec, x = self.spec, codes["x"]
        sign = x[-1] if spec.x.signed else ZERO
        terms = (Term(c.exclusive(x, (sign,), "inverse"), name="inverse"), Term((sign,)))
        magnitude = c.sum(len(x), terms, "magnitude")
        squares = square_terms(c, magnitude, "square", cut=spec.dropped_columns)
        linear = Term(magnitude, spec.x.fraction_bits + spec.shift, name="magnitude")
        total = c.sum(spec.exact_places + 2, [linear, *squares], "argument")
        drop = spec.exact_places - spec.argument.fraction_bits
        *argument, top = total[drop:] if drop > 0 else constant(0, -drop) + total
        argument = (*argument, *c.exclusive((top,), (sign,), "turned"))
        places = spec.result.fraction_bits - spec.argument.fraction_bits
        return {"y": polynomial(c, argument, spec.design, places, spec.result.bits)}


class FinerUnit(CircuitUnit):
    """y = sin(pi / 2 * (x + x abs(x) / 2**shift))."""

    specification = Finer
    planning = FinerPlan
