"""A cosine and a bell side by side, and their product."""

from collections.abc import Mapping

from multipede.golden.formats import FixedPoint
from multipede.golden.gabor import Gabor
from multipede.golden.polynomial_design import PolynomialDesign
from multipede.hw.arithmetic.circuit import ZERO, Circuit, Word, padded
from multipede.hw.arithmetic.circuit_unit import CircuitUnit, CircuitUnitPlan
from multipede.hw.arithmetic.polynomial import polynomial, truncated_rows

__all__ = ["GaborPlan", "GaborUnit"]


class GaborPlan(CircuitUnitPlan):
    """One rounding, with the product."""

    spec: Gabor
    divides = True

    def results(self, c: Circuit, codes: Mapping[str, Word]) -> Mapping[str, Word]:
        spec = self.spec
        wave = self._factor(c, codes["u"], spec.u, spec.wave, spec.wave_format)
        bell = self._factor(c, codes["v"], spec.v, spec.bell, spec.bell_format)
        rows = truncated_rows(c, wave, True, (*bell, ZERO), spec.cut)
        drop = 2 * spec.places - spec.result.fraction_bits - spec.cut
        # From -1 to 1, both included.
        width = spec.result.fraction_bits + 2
        product = c.sum(width + drop, rows, "product", plus=1 << drop >> 1)[drop:]
        return {"y": padded(product, spec.result.bits, product[-1])}

    def _factor(
        self,
        c: Circuit,
        x: Word,
        x_format: FixedPoint,
        design: PolynomialDesign,
        result: FixedPoint,
    ) -> Word:
        places = result.fraction_bits - x_format.fraction_bits
        return polynomial(c, x, design, places, result.bits)


class GaborUnit(CircuitUnit):
    """y = cos(pi u / 2) exp(-v**2)."""

    specification = Gabor
    planning = GaborPlan
