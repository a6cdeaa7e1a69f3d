"""A sine divided by its argument, a quotient bit at a time."""

from collections.abc import Mapping

from multipede.golden.sinc_divider import SincDivider
from multipede.hw.arithmetic.circuit import ZERO, Circuit, Term, Word, constant, padded
from multipede.hw.arithmetic.circuit_unit import CircuitUnit, CircuitUnitPlan
from multipede.hw.arithmetic.divider import divide
from multipede.hw.arithmetic.polynomial import polynomial
from multipede.hw.arithmetic.quarter_wave import negated_sum

__all__ = ["SincDividerPlan", "SincDividerUnit"]


class SincDividerPlan(CircuitUnitPlan):
    """The sine of the half period, which is positive; the sign is the half period's."""

    spec: SincDivider
    divides = True

    def results(self, c: Circuit, codes: Mapping[str, Word]) -> Mapping[str, Word]:
        spec, x = self.spec, codes["x"]
        bits, near = spec.x.fraction_bits, spec.near_bits
        terms = (Term(c.exclusive(x, x[-1:], "inverse"), name="inverse"), Term(x[-1:]))
        magnitude = c.sum(len(x), terms, "magnitude")
        half = (*magnitude[: bits + 1], ZERO)
        sine = polynomial(c, half, spec.design, spec.sine_places - bits, spec.sine_places + 1)
        scaled = constant(0, near - 1) + sine if near else sine[1:]
        places = spec.result.fraction_bits
        quotient, _ = divide(c, scaled, magnitude, places + 1, "quotient")
        far = c.any_of(magnitude[near:], "far")
        one = constant(1 << places, places + 1)
        quotient = c.choose(quotient[-1], one, quotient, "bounded")
        quotient = c.choose(far, quotient, one, "near_1")
        value = Term(padded(quotient, spec.result.bits)[: spec.result.bits], name="quotient")
        return {"y": negated_sum(c, [value], 0, 0, spec.result.bits, magnitude[bits + 1])}


class SincDividerUnit(CircuitUnit):
    """y = sin(pi x / 2) / (pi x / 2)."""

    specification = SincDivider
    planning = SincDividerPlan
