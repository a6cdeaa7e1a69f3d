"""Two parts of BitMoD with the defects of the RTL that its authors released.

Published areas are those of that RTL, so these are synthesised beside the mended units. They are
in no catalogue: where a defect shows, their results are not those of the reference.
"""

from collections.abc import Mapping

from multipede.golden.bitmod_dequantiser import BitModDequantiser
from multipede.golden.bitmod_formats import DEQUANTISED
from multipede.golden.bitmod_group_accumulator import BitModGroupAccumulator
from multipede.hw.arithmetic.circuit import Bit, Circuit, Word, inverted
from multipede.hw.arithmetic.recurrent_unit import RecurrentUnit
from multipede.hw.arithmetic.shifters import shift_right
from multipede.hw.bitmod_dequantiser import BitModDequantiserPlan
from multipede.hw.bitmod_group_accumulator import BitModGroupAccumulatorPlan

__all__ = ["ReleasedDequantiserUnit", "ReleasedGroupAccumulatorUnit"]


class ReleasedGroupAccumulatorPlan(BitModGroupAccumulatorPlan):
    """The product is never shifted for its exponent, and the sum has no bit more than it.

    Groups begin with a reset.
    """

    restarts = False

    @property
    def sum_bits(self) -> int:
        """Of a product."""
        return self.spec.product.bits

    def product(self, c: Circuit, codes: Mapping[str, Word], exponent: Word, behind: Word) -> Word:
        """The dot product shifted for its significance alone: from the top to the right."""
        # From one place above the top, so that the shift is the significance inverted.
        level = inverted(codes["significance"])
        bits = self.spec.product.bits
        shifted, _ = shift_right(c, codes["dot"], level, bits + 1, "product", signed=True)
        return shifted[:bits]


class ReleasedGroupAccumulatorUnit(RecurrentUnit):
    """Mixes exponents where the sum so far has the larger one."""

    specification = BitModGroupAccumulator
    planning = ReleasedGroupAccumulatorPlan


class ReleasedDequantiserPlan(BitModDequantiserPlan):
    """The start does not clear the product, which has two bits less; a reset does."""

    restarts = False

    @property
    def product_bits(self) -> int:
        """Two less than large scales need."""
        return DEQUANTISED.bits - 2

    def kept(self, c: Circuit, product: Word, start: Bit) -> Word:
        """All of the product before."""
        return product

    def following(
        self, c: Circuit, codes: Mapping[str, Word], before: Mapping[str, Word], start: Bit
    ) -> Mapping[str, Word]:
        """Of a start only the exponent and the sign know."""
        return super().following(c, codes, before, codes["start"][0])


class ReleasedDequantiserUnit(RecurrentUnit):
    """Adds to what is there, modulo 2^21."""

    specification = BitModDequantiser
    planning = ReleasedDequantiserPlan
