"""A floating-point accumulator: align both, add, shift right until the sum fits."""

from collections.abc import Mapping

from multipede.golden.bitmod_formats import EXPONENT, GROUP_MANTISSA, SIGNIFICANCE
from multipede.golden.bitmod_group_accumulator import BitModGroupAccumulator
from multipede.hw.arithmetic.circuit import (
    Bit,
    Circuit,
    Term,
    Word,
    constant,
    inverted,
    opposite,
    padded,
)
from multipede.hw.arithmetic.normaliser import normalise
from multipede.hw.arithmetic.recurrent_unit import RecurrentUnit, RecurrentUnitPlan
from multipede.hw.arithmetic.shifters import shift_right

__all__ = ["BitModGroupAccumulatorPlan", "BitModGroupAccumulatorUnit"]


class BitModGroupAccumulatorPlan(RecurrentUnitPlan):
    """The product is shifted once for its significance and its exponent together."""

    spec: BitModGroupAccumulator

    @property
    def sum_bits(self) -> int:
        """Of the sum before it is shifted."""
        return self.spec.sum.bits

    def following(
        self, c: Circuit, codes: Mapping[str, Word], before: Mapping[str, Word], start: Bit
    ) -> Mapping[str, Word]:
        mantissa = c.both(before["mantissa"], (opposite(start),), "mantissa_kept")
        exponent = c.both(before["exponent"], (opposite(start),), "exponent_kept")
        arriving = codes["exponent"]
        # The distance and its negative side by side, as whichever is positive is needed at once.
        behind = _difference(c, exponent, arriving, "product_behind")
        ahead = _difference(c, arriving, exponent, "product_ahead")
        larger = c.choose(behind[-1], arriving, exponent, "larger")
        kept = self._kept(c, mantissa, ahead, behind[-1])
        product = self.product(c, codes, exponent, behind)
        terms = [Term(product, signed=True, name="product"), Term(kept, signed=True, name="kept")]
        total = c.sum(self.sum_bits, terms, "total")
        return self._fitting(c, total, larger)

    def _kept(self, c: Circuit, mantissa: Word, ahead: Word, shifts: Bit) -> Word:
        """The sum so far, shifted right where the product is ahead."""
        amount = c.both(ahead[:-1], (shifts,), "kept_shift")
        bits = GROUP_MANTISSA.bits
        digits = (bits - 2).bit_length()
        shifted, _ = shift_right(c, mantissa, amount[:digits], bits, "kept_aligned", signed=True)
        lost = _more_than(c, amount, bits - 2, "kept_lost")
        return c.both(shifted, (opposite(lost),), "kept")

    def product(self, c: Circuit, codes: Mapping[str, Word], exponent: Word, behind: Word) -> Word:
        """The dot product at the top of its place, shifted right for both reasons.

        ``exponent`` is that of the sum so far, ``behind`` by how much that is larger.
        """
        bits, highest = self.spec.product.bits, (1 << SIGNIFICANCE.bits) - 1
        # From one place above the top, so that the shift is the significance inverted.
        level = inverted(_significance(c, codes["significance"]))
        digits = (bits - 2 + highest).bit_length()
        distance = [
            Term(exponent, name="exponent"),
            Term(codes["exponent"], negative=True, name="arriving"),
            Term(level, name="level"),
        ]
        behind_by = c.sum(digits, distance, "shift_behind")
        amount = c.choose(behind[-1], padded(level, digits), behind_by, "product_shift")
        shifted, _ = shift_right(c, codes["dot"], amount, bits + 1, "product_aligned", signed=True)
        positive = c.both(behind[:-1], (opposite(behind[-1]),), "product_distance")
        lost = _more_than(c, positive, bits - 2, "product_lost")
        return c.both(shifted[:bits], (opposite(lost),), "product")

    def _fitting(self, c: Circuit, total: Word, exponent: Word) -> Mapping[str, Word]:
        """The total shifted right until it fits, as a shift to the left from the furthest."""
        furthest = len(total) - GROUP_MANTISSA.bits
        found = normalise(
            c,
            total[:-1],
            sign=total[-1],
            kept=GROUP_MANTISSA.bits - 1,
            maximum=furthest,
            limit=constant(furthest, furthest.bit_length()),
            name="fitting",
        )
        terms = [Term(exponent, name="larger"), Term(found.shift, negative=True, name="shift")]
        return {
            "mantissa": (*found.word, total[-1]),
            "exponent": c.sum(EXPONENT.bits, terms, "exponent", plus=furthest),
        }


def _significance(c: Circuit, word: Word) -> Word:
    """The significance, of which the highest code counts as the one below."""
    highest = c.all_of(word, "significance_highest")
    return (*c.both(word[:1], (opposite(highest),), "significance_low"), *word[1:])


def _difference(c: Circuit, a: Word, b: Word, name: str) -> Word:
    """a - b with a sign bit."""
    return c.sum(len(a) + 1, [Term(a), Term(b, negative=True)], name)


def _more_than(c: Circuit, word: Word, limit: int, name: str) -> Bit:
    """Whether an unsigned word is larger than a constant: the bits where the two first differ."""
    more, above = [], ()
    for place in reversed(range(len(word))):
        if limit >> place & 1:
            above = (*above, word[place])
        else:
            more.append(c.all_of((*above, word[place]), f"{name}_{place}"))
    return c.any_of(more, name)


class BitModGroupAccumulatorUnit(RecurrentUnit):
    """mantissa 2^exponent, with each record."""

    specification = BitModGroupAccumulator
    planning = BitModGroupAccumulatorPlan
