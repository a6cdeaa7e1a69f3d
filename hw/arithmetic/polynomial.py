"""A function as polynomials on segments: tables of constants and Horner's scheme on bit heaps.

See :mod:`multipede.golden.polynomial_design` for what is computed.
"""

from multipede.golden.formats import Integer
from multipede.golden.function_folds import Fold
from multipede.golden.polynomial_design import PolynomialDesign
from multipede.hw.arithmetic.circuit import (
    ZERO,
    Bit,
    Circuit,
    Term,
    Word,
    constant,
    opposite,
    padded,
)
from multipede.hw.arithmetic.constant_table import constant_table
from multipede.hw.arithmetic.quarter_wave import negated_sum

__all__ = ["polynomial", "truncated_rows"]


def polynomial(c: Circuit, x: Word, design: PolynomialDesign, places: int, bits: int) -> Word:
    """The result of the code ``x`` in ``bits`` bits, which has ``places`` more fraction bits."""
    address, carry, negative = _folded(c, x, design)
    zeta = _zeta(c, address, design)
    columns = [
        _coefficient(c, address, design, i, f"coefficient_{i}") for i in range(design.degree + 1)
    ]
    total, signed = columns[-1]
    for i in range(design.degree - 1, 0, -1):
        low, high = design.ranges[design.degree - i]
        rows = truncated_rows(c, total, signed, zeta[design.dropped[i] :], design.cuts[i])
        width = Integer.spanning(low, high).bits
        word, word_signed = columns[i]
        rows.append(Term(word, signed=word_signed, name=f"coefficient_{i}"))
        total, signed = c.sum(width, rows, f"sum_{i}"), low < 0
    rows = []
    if design.degree:
        rows = truncated_rows(c, total, signed, zeta, design.cuts[0])
        rows += _row(c, total, signed, carry, design.cuts[0], 0)
        word, word_signed = columns[0]
        rows.append(Term(word, signed=word_signed, name="coefficient_0"))
    else:
        rows.append(Term(total, signed=signed, name="coefficient_0"))
    if design.fold is Fold.RELU:
        rows += _positive(c, x, design, places)
    return negated_sum(c, rows, 0, design.guard, bits, negative)


def truncated_rows(c: Circuit, a: Word, signed: bool, b: Word, cut: int) -> list[Term]:
    """Rows of a b / 2**cut, each without what lies below; ``b`` is in two's complement."""
    rows = []
    for place, bit in enumerate(b):
        for row in _row(c, a, signed, bit, cut, place):
            rows.append(row._replace(negative=place == len(b) - 1))
    return rows


def _row(c: Circuit, a: Word, signed: bool, gate: Bit, cut: int, place: int) -> list[Term]:
    """floor(a 2**place / 2**cut) where ``gate`` holds."""
    lost = max(0, cut - place)
    # The floor of a negative number is never above -1.
    kept = a[min(lost, len(a) - 1) :] if signed else a[lost:]
    if not kept:
        return []
    shift, name = max(0, place - cut), f"row_{place}"
    if gate.node < 0 or any(bit.node < 0 for bit in kept):
        kept, gate = c.both(kept, (gate,), name), opposite(ZERO)
    return [Term(kept, shift, signed=signed, gate=gate, name=name)]


def _folded(c: Circuit, x: Word, design: PolynomialDesign) -> tuple[Word, Bit, Bit]:
    """Address, carry, and whether the result is negated."""
    bits = design.bits
    x = padded(x, max(len(x), bits + 2), x[-1] if design.signed else ZERO)
    if design.fold is Fold.NONE:
        if design.signed and bits:
            return (*x[: bits - 1], opposite(x[bits - 1])), ZERO, ZERO
        return x[:bits], ZERO, ZERO
    mirrored, negative = (x[bits], x[bits + 1]) if design.fold.periodic else (x[-1], x[-1])
    if design.fold is Fold.COSINE:
        (negative,) = c.exclusive((negative,), (mirrored,), "negative")
    elif design.fold in (Fold.EVEN, Fold.RELU):
        negative = ZERO
    address = c.exclusive(x[:bits], (mirrored,), "address")
    if design.centred:
        return address, ZERO, negative
    if not design.adds:
        return address, mirrored, negative
    terms = (Term(address, name="address"), Term((mirrored,), name="mirrored"))
    *added, beyond = c.sum(bits + 1, terms, "added_address")
    return c.either(tuple(added), (beyond,), "last_address"), ZERO, negative


def _coefficient(
    c: Circuit, address: Word, design: PolynomialDesign, number: int, name: str
) -> tuple[Word, bool]:
    """Coefficient ``number`` of the address's segment, and whether it is signed."""
    column = design.coefficients[number]
    low, high = min(column), max(column)
    width = Integer.spanning(low, high).bits
    start, word = 0, None
    for region in design.regions:
        entries = column[start : start + region.segments]
        start += region.segments
        index = address[region.segment_bits : region.bits]
        entries = tuple(entry & ((1 << width) - 1) for entry in entries)
        part = constant_table(c, index, entries, width, name)
        word = (
            part if word is None else c.choose(address[region.bits], part, word, f"{name}_region")
        )
    return word, low < 0


def _zeta(c: Circuit, address: Word, design: PolynomialDesign) -> Word:
    """The place in the segment, counted from its middle, in two's complement."""
    bits, word = design.segment_bits, None
    for region in design.regions:
        place = constant(0, bits - region.segment_bits) + address[: region.segment_bits]
        part = (*place[:-1], opposite(place[-1])) if place else ()
        word = part if word is None else c.choose(address[region.bits], part, word, "zeta")
    return word


def _positive(c: Circuit, x: Word, design: PolynomialDesign, places: int) -> list[Term]:
    """max(x, 0) in units of v's last place."""
    gate = opposite(x[-1])
    return [Term(x[: design.bits], places + design.guard, gate=gate, name="positive")]
