"""Tables of float sums: in which order they are added, and how they become codes with a scale."""

import numpy as np

from multipede.golden.exact_arithmetic import add, round_to, unpack
from multipede.golden.formats import Float, Overflow, Rounding

__all__ = ["quantised_tables", "rounded_tables"]

_NEAREST = Rounding.NEAREST_EVEN
_LARGEST_CODE = 127


def rounded_tables(
    number_format: Float,
    activations: np.ndarray,
    table_inputs: int,
    *,
    signed_sums: bool,
    overflow: Overflow,
) -> np.ndarray:
    """Codes (..., tables, entries) of U or F of codes (..., lanes), int64, sums by halves.

    The sum of n > 1 lanes is round(upper + lower), to nearest even in their own format, where
    ``lower`` is the sum of the first n // 2 of them, and ``upper`` that of the others, each
    rounded likewise. The sum of one lane is that lane.

    - Signed sums U: the last lane of each half counts positively, the others as their bits say.
      Where the last lane of the lower half is subtracted, it is round(upper - lower), with the
      signs in the lower half the other way round.
    - Sums F of the lanes whose bits are 1: of two halves one of which has no lanes, the other is
      the sum as it is. An entry without lanes is +0.

    Zeros, infinities and NaN are those of IEEE 754-2019; a sum that is no number is the format's
    ``nan_code`` or, where it has infinities but no NaN, its maximum.
    """
    *outer, count = activations.shape
    tables = activations.reshape(*outer, count // table_inputs, table_inputs)
    lanes = [tables[..., lane] for lane in range(table_inputs)]
    sums = _Sums(number_format, overflow)
    return np.stack((sums.signed if signed_sums else sums.of_subsets)(lanes), axis=-1)


class _Sums:
    """Entries by index of lists of lanes."""

    def __init__(self, number_format: Float, overflow: Overflow):
        self._format = number_format
        self._overflow = overflow
        nan_code = number_format.nan_code
        self._nan_code = number_format.maximum_code if nan_code is None else nan_code

    def signed(self, lanes: list[np.ndarray]) -> list[np.ndarray]:
        """U."""
        if len(lanes) == 1:
            return lanes
        middle = len(lanes) // 2
        lower, upper = self.signed(lanes[:middle]), self.signed(lanes[middle:])
        entries = []
        for index in range(1 << (len(lanes) - 1)):
            bits, negative = index & ((1 << (middle - 1)) - 1), index >> (middle - 1) & 1
            if negative:
                bits ^= (1 << (middle - 1)) - 1
            addend = lower[bits] ^ (negative << (self._format.bits - 1))
            entries.append(self._added(upper[index >> middle], addend))
        return entries

    def of_subsets(self, lanes: list[np.ndarray]) -> list[np.ndarray]:
        """F."""
        if len(lanes) == 1:
            return [np.zeros_like(lanes[0]), lanes[0]]
        middle = len(lanes) // 2
        lower, upper = self.of_subsets(lanes[:middle]), self.of_subsets(lanes[middle:])
        entries = []
        for index in range(1 << len(lanes)):
            high, low = index >> middle, index & ((1 << middle) - 1)
            if high and low:
                entries.append(self._added(upper[high], lower[low]))
            else:
                entries.append(upper[high] if high else lower[low])
        return entries

    def _added(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        total = add(unpack(self._format, a), unpack(self._format, b), _NEAREST)
        return round_to(self._format, total, _NEAREST, self._overflow, self._nan_code)


def quantised_tables(
    number_format: Float, entries: np.ndarray, scale_format: Float
) -> tuple[np.ndarray, np.ndarray]:
    """Codes (..., tables, entries) of -127 to 127 and codes (..., tables) of their scales.

    See :class:`~multipede.golden.table_precompute.TablePrecompute`. float64 does: it holds numbers
    of at most 16 bits exactly, and a quotient of two of them that is no tie lies further from one
    than the 2**-53 of itself that it is rounded by.
    """
    values = number_format.decode(entries)
    no_number = ~np.isfinite(values).all(axis=-1)
    finite = np.where(no_number[..., None], 0.0, values)
    scales = scale_format.encode(np.abs(finite).max(axis=-1) / _LARGEST_CODE)
    divisors = scale_format.decode(scales)[..., None]
    quotients = np.divide(finite, divisors, out=np.zeros_like(finite), where=divisors != 0)
    codes = np.clip(np.rint(quotients), -_LARGEST_CODE, _LARGEST_CODE).astype(np.int64)
    return codes, np.where(no_number, scale_format.nan_code, scales)
