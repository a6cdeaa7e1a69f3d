"""A product that is made of one bit of a factor in each clock."""

from collections.abc import Mapping

from multipede.golden.bitmod_dequantiser import BitModDequantiser
from multipede.golden.bitmod_formats import DEQUANTISED
from multipede.hw.arithmetic.circuit import Bit, Circuit, Term, Word, opposite, padded
from multipede.hw.arithmetic.recurrent_unit import RecurrentUnit, RecurrentUnitPlan

__all__ = ["BitModDequantiserPlan", "BitModDequantiserUnit"]


class BitModDequantiserPlan(RecurrentUnitPlan):
    """One adder; what was taken with the start is held."""

    spec: BitModDequantiser

    @property
    def product_bits(self) -> int:
        """Of the product that is held."""
        return DEQUANTISED.bits

    def kept(self, c: Circuit, product: Word, start: Bit) -> Word:
        """What is added to of the product before."""
        return c.both(product, (opposite(start),), "kept")

    def following(
        self, c: Circuit, codes: Mapping[str, Word], before: Mapping[str, Word], start: Bit
    ) -> Mapping[str, Word]:
        kept = self.kept(c, before["product"][: self.product_bits - 1], start)
        addend = c.both(codes["mantissa"], codes["scale_bit"], "addend")
        terms = [Term(kept, 1, name="kept"), Term(addend, signed=True, name="addend")]
        product = c.sum(self.product_bits, terms, "product")
        return {
            "product": padded(product, DEQUANTISED.bits, product[-1]),
            "exponent": c.choose(start, codes["exponent"], before["exponent"], "exponent"),
            "sign": c.choose(start, codes["scale_sign"], before["sign"], "sign"),
        }


class BitModDequantiserUnit(RecurrentUnit):
    """product = 2 before + bit mantissa."""

    specification = BitModDequantiser
    planning = BitModDequantiserPlan
