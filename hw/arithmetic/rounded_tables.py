"""Circuits that build tables of rounded float sums.

Halves are summed first, as :func:`multipede.golden.rounded_tables.rounded_tables` says. Both signs
of the lower half are wanted with each sum of the upper one; they share the alignment.
"""

from dataclasses import replace

from multipede.golden.float_adder import FloatAdder
from multipede.golden.formats import Float, Overflow
from multipede.hw.arithmetic.circuit import Circuit, Word, constant, opposite
from multipede.hw.arithmetic.operands import Number, unpack
from multipede.hw.arithmetic.sharing_circuit import SharingCircuit
from multipede.hw.float_adder import FloatAdderPlan
from multipede.hw.style import Style

__all__ = ["rounded_entries", "rounded_table_circuit"]


def rounded_table_circuit(
    number_format: Float, table_inputs: int, signed_sums: bool, overflow: Overflow
) -> Circuit:
    """``a0``.. -> ``t0``.., codes of one format."""
    c = SharingCircuit()
    lanes = [c.input(f"a{k}", number_format.bits) for k in range(table_inputs)]
    for index, word in enumerate(rounded_entries(c, number_format, lanes, signed_sums, overflow)):
        c.output(f"t{index}", word)
    return c


def rounded_entries(
    c: Circuit, number_format: Float, lanes: list[Word], signed_sums: bool, overflow: Overflow
) -> list[Word]:
    """The codes of the entries of U or F."""
    build = _Tables(c, number_format, overflow)
    if not signed_sums:
        return [constant(0, number_format.bits), *build.of_subsets(lanes)[1:]]
    return build.signed(lanes)


class _Tables:
    """Entries, by index, of lists of lanes."""

    def __init__(self, c: Circuit, number_format: Float, overflow: Overflow):
        self._c = c
        self._format = number_format
        formats = dict.fromkeys(("a", "b", "result"), number_format)
        self._adder = FloatAdderPlan(FloatAdder(**formats, overflow=overflow), Style.WORD)
        self._numbers: dict[Word, Number] = {}

    def signed(self, lanes: list[Word]) -> list[Word]:
        """U: the last lane is added, those before it are added or subtracted."""
        if len(lanes) == 1:
            return lanes
        middle = len(lanes) // 2
        lower, upper = self.signed(lanes[:middle]), self.signed(lanes[middle:])
        inner = (1 << (middle - 1)) - 1
        entries = []
        for index in range(1 << (len(lanes) - 1)):
            negative = bool(index >> (middle - 1) & 1)
            # With the last of the lower lanes subtracted, the others are the other way round.
            below = lower[(index & inner) ^ (inner if negative else 0)]
            entries.append(self._sum(upper[index >> middle], below, negative))
        return entries

    def of_subsets(self, lanes: list[Word]) -> list[Word | None]:
        """F; None of no lanes."""
        if len(lanes) == 1:
            return [None, lanes[0]]
        middle = len(lanes) // 2
        lower, upper = self.of_subsets(lanes[:middle]), self.of_subsets(lanes[middle:])
        entries = []
        for index in range(1 << len(lanes)):
            high, low = upper[index >> middle], lower[index & ((1 << middle) - 1)]
            whole = high is not None and low is not None
            entries.append(self._sum(high, low, False) if whole else high or low)
        return entries

    def _sum(self, upper: Word, lower: Word, negative: bool) -> Word:
        """upper + lower or upper - lower, rounded."""
        a, b = self._number(upper), self._number(lower)
        if negative:
            b = replace(b, sign=opposite(b.sign))
        return self._adder.result(self._c, a, b)

    def _number(self, code: Word) -> Number:
        """A code taken apart, once."""
        if code not in self._numbers:
            self._numbers[code] = unpack(self._c, self._format, code, "addend")
        return self._numbers[code]
