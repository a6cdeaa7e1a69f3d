"""The baseline tile of float multipliers and adders."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from multipede.golden.float_tile import FloatProductTile
from multipede.golden.formats import FP16, Float


@dataclass(frozen=True, kw_only=True)
class FloatMultiplierTile(FloatProductTile):
    """Tile of float multipliers with float accumulators, FP16 x FP16 + FP32 by default.

    Parameters not named here are those of :class:`~multipede.golden.float_tile.FloatTile`.

    Parameters
    ----------
    weight, activation : floats of at most 32 bits.

    Raises TypeError or ValueError, naming the parameter, for anything else.
    """

    unit: ClassVar[str] = "float_multiplier_tile"
    title: ClassVar[str] = "tile of float multipliers and adders, a baseline"
    source: ClassVar[str] = "IEEE 754-2019, 5.4.1 multiplication, addition and fusedMultiplyAdd"

    weight: Float = FP16

    def __post_init__(self):
        self._check_factor("weight")
        super().__post_init__()

    @property
    def factor(self) -> Float:
        return self.weight

    def factors(self, codes: Mapping[str, np.ndarray]) -> np.ndarray:
        return codes["w"]
