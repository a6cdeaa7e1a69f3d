"""L-Mul with a small table in place of its offset."""

from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import ClassVar

import numpy as np

from multipede.golden.compensation_table import MAXIMUM_INDEX_BITS, compensation_table
from multipede.golden.logarithmic_multiplier import LogarithmicMultiplier
from multipede.golden.number_format import require_range

__all__ = ["CompensatedLMul"]


@dataclass(frozen=True, kw_only=True)
class CompensatedLMul(LogarithmicMultiplier):
    """The correction is an entry of a table, chosen by the leading mantissa bits of both operands.

    The entries are computed from the error itself, see
    :func:`~multipede.golden.compensation_table.compensation_table`. Parameters not named here are
    those of :class:`~multipede.golden.logarithmic_multiplier.LogarithmicMultiplier`.

    Parameters
    ----------
    index_bits : leading mantissa bits of each operand that choose the entry, 1 to 4; of shorter
        mantissas all.
    """

    unit: ClassVar[str] = "compensated_lmul"
    title: ClassVar[str] = "L-Mul with a table of corrections by the leading mantissa bits"
    source: ClassVar[str] = (
        "the tables of AxCore's baselines (MICRO 2025) in kind; the entries are computed here"
    )

    index_bits: int = 3

    def __post_init__(self):
        super().__post_init__()
        require_range("index_bits", self.index_bits, 1, MAXIMUM_INDEX_BITS)

    @property
    def leading_bits(self) -> int:
        """Mantissa bits of an operand that are looked at."""
        return min(self.index_bits, self.format.mantissa_bits)

    @cached_property
    def table(self) -> tuple[tuple[int, ...], ...]:
        """Corrections [leading bits of a][leading bits of b]."""
        return compensation_table(self.format.mantissa_bits, self.index_bits)

    @property
    def correction_range(self) -> tuple[int, int]:
        """The lowest and the highest entry."""
        entries = list(chain.from_iterable(self.table))
        return min(entries), max(entries)

    def corrections(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """The entries for the leading bits of the mantissas."""
        rest = self.format.mantissa_bits - self.leading_bits
        return np.array(self.table, np.int64)[a >> rest, b >> rest]
