"""Mitchell's multiplier on floats: the sum of the codes as it is."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from multipede.golden.logarithmic_multiplier import LogarithmicMultiplier

__all__ = ["Mitchell"]


@dataclass(frozen=True, kw_only=True)
class Mitchell(LogarithmicMultiplier):
    """Mitchell's approximation log2(1 + x) = x: no correction.

    Products are never too large and those of powers of two are exact. Parameters are those of
    :class:`~multipede.golden.logarithmic_multiplier.LogarithmicMultiplier`.
    """

    unit: ClassVar[str] = "mitchell"
    title: ClassVar[str] = "Mitchell: product of floats by adding their codes"
    source: ClassVar[str] = (
        "Mitchell, Computer Multiplication and Division Using Binary Logarithms, IRE Trans."
        " Electronic Computers EC-11 (1962)"
    )

    @property
    def correction_range(self) -> tuple[int, int]:
        """0 twice."""
        return 0, 0

    def corrections(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """0, whatever the mantissas."""
        return np.int64(0)
