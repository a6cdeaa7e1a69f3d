"""Products with one bit of the weight, aligned, and summed on one bit heap."""

from collections.abc import Mapping

from multipede.golden.bitmod_bit_serial_multiplier import BitModBitSerialMultiplier
from multipede.golden.bitmod_formats import ALIGNED_BITS, EXPONENT, SIGNIFICAND, dot_product
from multipede.hw.arithmetic.circuit import Circuit, Term, Word, opposite
from multipede.hw.arithmetic.circuit_unit import CircuitUnit, CircuitUnitPlan
from multipede.hw.arithmetic.shifters import shift_right

__all__ = ["BitModBitSerialMultiplierPlan", "BitModBitSerialMultiplierUnit"]

_SHIFT_DIGITS = (ALIGNED_BITS - 1).bit_length()


class BitModBitSerialMultiplierPlan(CircuitUnitPlan):
    """A gate and a shifter for each lane; a product is negated as it is added."""

    spec: BitModBitSerialMultiplier

    def results(self, c: Circuit, codes: Mapping[str, Word]) -> Mapping[str, Word]:
        terms: list[Term] = []
        for lane in range(self.spec.lanes):
            sign = codes["sign"][lane]
            product = c.exclusive(self._aligned(c, codes, lane), (sign,), "product")
            terms += [
                Term((*product, sign), signed=True, name="product"),
                Term((sign,), name="sign"),
            ]
        return {"dot": c.sum(dot_product(self.spec.lanes).bits, terms, "dot")}

    def _aligned(self, c: Circuit, codes: Mapping[str, Word], lane: int) -> Word:
        """The magnitude of a lane's product."""
        first = lane * SIGNIFICAND.bits
        significand = codes["significand"][first : first + SIGNIFICAND.bits]
        first = lane * EXPONENT.bits
        delta = codes["delta"][first : first + EXPONENT.bits]
        # Shifts that the digits below cannot tell lose everything, as others of so many places do.
        far = c.any_of(delta[_SHIFT_DIGITS:], "far")
        counts = c.both((codes["mantissa"][lane],), (opposite(far),), "counts")
        gated = c.both(significand, counts, "gated")
        shifted, _ = shift_right(c, gated, delta[:_SHIFT_DIGITS], ALIGNED_BITS, "aligned")
        return shifted


class BitModBitSerialMultiplierUnit(CircuitUnit):
    """The sum of the aligned products."""

    specification = BitModBitSerialMultiplier
    planning = BitModBitSerialMultiplierPlan
