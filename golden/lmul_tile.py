"""The matrix tile whose multipliers add codes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from multipede.golden.exact_arithmetic import unpack
from multipede.golden.float_tile import FloatTile, SumOrder
from multipede.golden.formats import BF16, Float
from multipede.golden.logarithmic_factors import LogarithmicFactors

__all__ = ["LMulTile"]


@dataclass(frozen=True, kw_only=True)
class LMulTile(LogarithmicFactors, FloatTile):
    """Y[r, c] = sum over k of L(a[r, k], w[c, k]), where L adds codes instead of multiplying.

    Products are those of :class:`~multipede.golden.logarithmic_factors.LogarithmicFactors`, rounded
    to the accumulator's format. They are added as :class:`~multipede.golden.float_tile.FloatTile`
    says: under ``tree`` in pairs, and under ``sequential`` lane after lane, Y = round(Y + p), with
    p rounded before.

    Parameters are those of both.

    Raises TypeError or ValueError, naming the parameter, for anything else.
    """

    unit: ClassVar[str] = "lmul_tile"
    title: ClassVar[str] = "tile of L-Mul multipliers and float adders"
    source: ClassVar[str] = "L-Mul (arXiv 2410.00907): dot products, products by integer addition"

    factor_bits: ClassVar[int] = 32

    weight: Float = BF16
    activation: Float = BF16

    def __post_init__(self):
        super().__post_init__()
        self._check_factors()

    def _following(
        self, codes: Mapping[str, np.ndarray]
    ) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
        """Lane after lane, or one addition of what a tree makes of them."""
        terms = self._terms(codes)

        def following(sums: np.ndarray, records: np.ndarray) -> np.ndarray:
            for term in np.moveaxis(terms[records], -1, 0):
                sums = self._added(sums, term)
            return sums

        return following

    def _terms(self, codes: Mapping[str, np.ndarray]) -> np.ndarray:
        """What joins the accumulators, in order: (T, rows, columns, n), of which a tree leaves
        one."""
        found = []
        for products in self._products(codes):
            terms = self.terms_of(products)
            found.append(self._tree(terms)[..., None] if self.order is SumOrder.TREE else terms)
        return np.concatenate(found)

    def terms_of(self, products: np.ndarray) -> np.ndarray:
        """Codes of products in the accumulator's format, rounded to nearest even."""
        return self._rounded(unpack(self.multiplier.format, products))
