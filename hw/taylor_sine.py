"""An odd polynomial: one square, Horner's scheme in it, and a last product."""

from collections.abc import Mapping

from multipede.golden.taylor_sine import TaylorDesign, TaylorSine
from multipede.hw.arithmetic.circuit import ZERO, Circuit, Term, Word, constant
from multipede.hw.arithmetic.circuit_unit import CircuitUnit, CircuitUnitPlan
from multipede.hw.arithmetic.polynomial import truncated_rows
from multipede.hw.arithmetic.quarter_wave import negated_sum, quarter_wave
from multipede.hw.arithmetic.squarer import square_terms

__all__ = ["TaylorSinePlan", "TaylorSineUnit"]


class TaylorSinePlan(CircuitUnitPlan):
    """All products without the columns that no result feels."""

    spec: TaylorSine
    divides = True

    def results(self, c: Circuit, codes: Mapping[str, Word]) -> Mapping[str, Word]:
        spec, design = self.spec, self.spec.design
        bits = spec.x.fraction_bits
        place, negative = quarter_wave(c, codes["x"], bits, signed=spec.x.signed)
        total = _sums(c, _square(c, place, design), design)
        rows = truncated_rows(c, total, False, (*place, ZERO), bits)
        word = negated_sum(c, rows, design.offset, design.guard, spec.result.bits, negative)
        return {"y": word}


def _square(c: Circuit, place: Word, design: TaylorDesign) -> Word:
    """u, of ``square_bits`` fraction bits and a bit for 1."""
    *v, one = place
    drop = 2 * len(v) - design.square_bits
    terms = square_terms(c, tuple(v), "square", cut=max(0, drop - 2))
    terms.append(Term((one,), 2 * len(v), name="one"))
    square = c.sum(2 * len(v) + 1, terms, "square")
    return square[drop:] if drop > 0 else constant(0, -drop) + square


def _sums(c: Circuit, u: Word, design: TaylorDesign) -> Word:
    """p_0, by Horner's scheme."""
    coefficients = design.coefficients
    total = constant(coefficients[-1], coefficients[-1].bit_length())
    for i in range(design.terms - 2, -1, -1):
        rows = truncated_rows(c, total, False, (*u, ZERO), design.square_bits)
        rows = [row._replace(negative=True) for row in rows]
        # Sums fall from a_i, where the square is 0, and stay above 0.
        a = coefficients[i]
        total = c.sum(a.bit_length(), rows, f"sum_{i}", plus=a)
    return total


class TaylorSineUnit(CircuitUnit):
    """y = sin(pi x / 2)."""

    specification = TaylorSine
    planning = TaylorSinePlan
