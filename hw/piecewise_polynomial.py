"""Functions by tables and polynomials."""

from collections.abc import Mapping

from multipede.golden.piecewise_polynomial import PiecewisePolynomial
from multipede.hw.arithmetic.circuit import Circuit, Term, Word, constant
from multipede.hw.arithmetic.circuit_unit import CircuitUnit, CircuitUnitPlan
from multipede.hw.arithmetic.polynomial import polynomial

__all__ = ["PiecewisePolynomialPlan", "PiecewisePolynomialUnit"]


class PiecewisePolynomialPlan(CircuitUnitPlan):
    """Clamp, fold, look up, multiply and add."""

    spec: PiecewisePolynomial
    divides = True

    def results(self, c: Circuit, codes: Mapping[str, Word]) -> Mapping[str, Word]:
        spec = self.spec
        x = _clamped(c, codes["x"], spec)
        places = spec.result.fraction_bits - spec.x.fraction_bits
        return {"y": polynomial(c, x, spec.design, places, spec.result.bits)}


def _clamped(c: Circuit, x: Word, spec: PiecewisePolynomial) -> Word:
    """The nearest code that counts."""
    first, last = spec.codes
    signed = spec.x.signed
    width = len(x) + 1
    if first > spec.x.minimum_code:
        below = c.sum(width, (Term(x, signed=signed),), "above_first", plus=-first)[-1]
        x = c.choose(below, constant(first, len(x)), x, "at_first")
    if last < spec.x.maximum_code:
        terms = (Term(x, negative=True, signed=signed),)
        above = c.sum(width, terms, "below_last", plus=last)[-1]
        x = c.choose(above, constant(last, len(x)), x, "at_last")
    return x


class PiecewisePolynomialUnit(CircuitUnit):
    """y = f(x), nearly."""

    specification = PiecewisePolynomial
    planning = PiecewisePolynomialPlan
