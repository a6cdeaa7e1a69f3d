"""A function as polynomials on segments of its domain: tables and the arithmetic behind them.

The address k of a folded argument (:mod:`.function_folds`) names a segment and a place z in it, of
``segment_bits`` bits; the place in a shorter segment is shifted to the same top. With the place
counted from the middle, zeta = z - 2**(segment_bits - 1), and a carry c the polynomial is evaluated
in Horner's scheme, in integers::

    s_d = a_d
    s_i = a_i + product(s_(i+1), zeta >> dropped_i)         i = d - 1, ..., 1
    v   = a_0 + product(s_1, zeta) + c * (s_1 >> cut_0)

where a_i are the segment's coefficients and ``product`` leaves out the lowest columns
(:func:`truncated_product`). v counts 2**-guard units in the last place of the result; the floor of
v, and of v plus what the fold adds, is the result or what the fold negates.
"""

import json
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np

from multipede.golden.function_folds import Fold, fold_codes

__all__ = ["PolynomialDesign", "Region", "truncated_product"]

_WORD = 64
"""bits that everything is computed in"""


def truncated_product(a: np.ndarray, zeta: np.ndarray, bits: int, cut: int) -> np.ndarray:
    """About a zeta / 2**cut: the sum of a's multiples by the bits of zeta, each cut off.

    ``zeta`` has ``bits`` bits in two's complement; all arrays are int64.
    """
    total = np.zeros(np.broadcast_shapes(a.shape, zeta.shape), np.int64)
    for place in range(bits):
        row = a >> (cut - place) if place < cut else a << (place - cut)
        row = row * (zeta >> place & 1)
        total = total - row if place == bits - 1 else total + row
    return total


@dataclass(frozen=True)
class Region:
    """Addresses from ``first`` on, 2**bits of them, in segments of 2**segment_bits."""

    first: int
    bits: int
    segment_bits: int

    @property
    def segments(self) -> int:
        """How many there are."""
        return 1 << (self.bits - self.segment_bits)


@dataclass(frozen=True)
class PolynomialDesign:
    """Everything that decides the bits of a piecewise polynomial.

    Parameters
    ----------
    fold : the symmetry.
    adds : whether the carry is added to the address.
    centred : whether codes of x stand for half a unit more than they say.
    bits : of the address.
    signed : whether codes of x are, where nothing is folded.
    guard : places of v below the result's last.
    regions : the addresses, from 0 on without a gap; one region, or regions between powers of two,
        and then no carry.
    cuts : columns that product i leaves out, i = 0, ..., degree - 1.
    dropped : places of zeta that product i leaves out; of product 0 none.
    coefficients : a_0, a_1, ... of all segments in order.
    """

    fold: Fold
    adds: bool
    centred: bool
    bits: int
    signed: bool
    guard: int
    regions: tuple[Region, ...]
    cuts: tuple[int, ...]
    dropped: tuple[int, ...]
    coefficients: tuple[tuple[int, ...], ...]

    @property
    def degree(self) -> int:
        """Of the polynomials."""
        return len(self.coefficients) - 1

    @property
    def carries(self) -> bool:
        """Whether there is a carry into v."""
        return self.fold.mirrors and not (self.adds or self.centred)

    @property
    def segment_bits(self) -> int:
        """Of the longest segments."""
        return max(region.segment_bits for region in self.regions)

    @property
    def segments(self) -> int:
        """How many there are."""
        return sum(region.segments for region in self.regions)

    @cached_property
    def _tables(self) -> list[np.ndarray]:
        return [np.array(column, np.int64) for column in self.coefficients]

    def places(self, address: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of addresses (int64) the segment's number and zeta."""
        segment, zeta = np.zeros_like(address), np.zeros_like(address)
        number, longest = 0, self.segment_bits
        for region in self.regions:
            inside = (address >= region.first) & (address - region.first < 1 << region.bits)
            offset = address - region.first
            place = (offset & ((1 << region.segment_bits) - 1)) << (longest - region.segment_bits)
            place = place - (1 << longest >> 1)
            segment = np.where(inside, number + (offset >> region.segment_bits), segment)
            zeta = np.where(inside, place, zeta)
            number += region.segments
        return segment, zeta

    def partial_sums(self, address: np.ndarray, carry: np.ndarray) -> list[np.ndarray]:
        """s_d, ..., s_1, v of addresses and carries (int64)."""
        segment, zeta = self.places(address)
        return horner([table[segment] for table in self._tables], zeta, carry, self)

    def results(self, codes: np.ndarray, places: int) -> np.ndarray:
        """f of codes of x (int64) in units in the last place of the result, which has ``places``
        fraction bits more than x (fewer if negative)."""
        folded = fold_codes(
            self.fold,
            codes,
            self.bits,
            signed=self.signed,
            adds=self.adds,
            centred=self.centred,
        )
        v = self.partial_sums(folded.address, folded.carry)[-1]
        if self.fold is Fold.RELU:
            v = v + (folded.added << (places + self.guard))
        whole = v >> self.guard
        return np.where(folded.negative == 1, -whole, whole)

    @cached_property
    def ranges(self) -> list[tuple[int, int]]:
        """The lowest and the highest s_d, ..., s_1 of all addresses."""
        carries = np.arange(1 + self.carries)
        sums = self.partial_sums(np.arange(1 << self.bits)[:, None], carries)
        return [(int(s.min()), int(s.max())) for s in sums[:-1]]

    def to_text(self) -> str:
        """Everything in a line of JSON."""
        fields = asdict(self) | {"fold": self.fold.value}
        fields["regions"] = [list(region.values()) for region in fields["regions"]]
        return json.dumps(fields, separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str) -> "PolynomialDesign":
        """What :meth:`to_text` wrote. Raises ValueError for anything else."""
        try:
            fields = json.loads(text)
        except ValueError:
            raise ValueError(
                "tables: no tables of a function: not as of_callable writes them"
            ) from None
        try:
            fields["fold"] = Fold(fields["fold"])
            fields["regions"] = tuple(Region(*region) for region in fields["regions"])
            for name in ("cuts", "dropped"):
                fields[name] = tuple(fields[name])
            fields["coefficients"] = tuple(map(tuple, fields["coefficients"]))
            design = cls(**fields)
            wrong = design._inconsistency()
        except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
            raise ValueError(f"tables: no tables of a function: {error}") from None
        if wrong:
            raise ValueError(f"tables: no tables of a function: {wrong}")
        return design

    def _inconsistency(self) -> str | None:
        """What does not go together; None for a design that can be built."""
        numbers = [self.bits, self.guard, *self.cuts, *self.dropped]
        numbers += [n for region in self.regions for n in (region.bits, region.segment_bits)]
        if any(type(number) is not int or not 0 <= number < _WORD for number in numbers):
            return f"widths and places are whole numbers, 0 to {_WORD - 1}"
        if len(self.coefficients) < 1 or {len(self.cuts), len(self.dropped)} != {self.degree}:
            return "for each product there is a cut and a number of dropped places"
        behind = 0
        for region in self.regions:
            if region.first != behind or region.segment_bits > region.bits:
                return "regions follow each other, segments within them"
            behind += 1 << region.bits
        if behind != 1 << self.bits:
            return "regions reach from the lowest address to the highest"
        for column in self.coefficients:
            if len(column) != self.segments or any(type(entry) is not int for entry in column):
                return "each segment has one of each coefficient"
        return None


def horner(
    coefficients: list[np.ndarray], zeta: np.ndarray, carry: np.ndarray, shape: "PolynomialDesign"
) -> list[np.ndarray]:
    """s_d, ..., s_1, v with each point's coefficients a_0, ..., a_d; of ``shape`` the cuts, the
    dropped places and the bits of segments count."""
    sums = [coefficients[-1]]
    for i in range(len(coefficients) - 2, -1, -1):
        drop, cut = shape.dropped[i], shape.cuts[i]
        bits = shape.segment_bits - drop
        total = coefficients[i] + truncated_product(sums[-1], zeta >> drop, bits, cut)
        sums.append(total + carry * (sums[-1] >> cut) if i == 0 else total)
    return sums
