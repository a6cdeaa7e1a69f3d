"""The baseline tile that dequantises its weights before it multiplies."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from multipede.golden.exact_arithmetic import multiply, round_to, unpack
from multipede.golden.float_tile import FloatProductTile
from multipede.golden.formats import (
    BF16,
    FP16,
    FP32,
    UINT4,
    Float,
    Format,
    Integer,
    Overflow,
    Rounding,
)
from multipede.golden.number_format import require_kinds, require_type


@dataclass(frozen=True, kw_only=True)
class DequantiseFirstTile(FloatProductTile):
    """Tile of integer weights that become floats once per column and lane, and then are factors.

    The factor of weight q is w' = round((q - z) scale), to nearest even in the format
    ``dequantised``, from the exact product; what is out of range becomes infinite, or NaN where
    the format has no infinity. Zero points ``z`` and ``scale`` (columns) are used with every
    record, so every record must bring those of its group: ``group`` only says how many values of k
    share them. Sums end with ``last`` and not with a group.

    Parameters not named here are those of :class:`~multipede.golden.float_tile.FloatTile`.

    Parameters
    ----------
    weight : integer format of 1 to 8 bits, signed or unsigned.
    zero_point : whether there is a port ``z``; a zero point has the weight's format.
    scale : format of the scales: fp16, bf16 or fp32.
    dequantised : format of the factors: a signed float of at most 32 bits with NaN.
    group : values of k that share a zero point and a scale, 1 to 1024, a multiple of lanes.
    stages : register ranks between input and output, 1 to 16. One is the accumulator. Under
        ``tree`` the third holds the factors, and the others cut products and tree; under
        ``sequential`` the second holds the factors, and further ones cut the dequantisers.

    Raises TypeError or ValueError, naming the parameter, for anything else.
    """

    unit: ClassVar[str] = "dequantise_first_tile"
    title: ClassVar[str] = "tile that dequantises weights before float products, a baseline"
    source: ClassVar[str] = (
        "the order that Zhang et al., MixPE, arXiv 2411.16158, section 3.2, postpone;"
        " IEEE 754-2019, 5.4.1"
    )

    weight: Integer = UINT4
    zero_point: bool = True
    scale: Float = FP16
    dequantised: Float = FP16
    group: int = 128

    def __post_init__(self):
        self._check_integer("weight", (1, 8))
        require_type("zero_point", self.zero_point, bool)
        allowed = "allowed are fp16, bf16 and fp32"
        require_kinds("scale", self.scale, (Float,), allowed)
        if self.scale not in (FP16, BF16, FP32):
            raise ValueError(f"scale = {self.scale}: {allowed}")
        self._check_factor("dequantised")
        if not self.dequantised.signed or self.dequantised.nan_code is None:
            raise ValueError(f"dequantised = {self.dequantised}: a signed float with NaN is needed")
        super().__post_init__()
        self._check_group(self.group)

    @property
    def difference(self) -> Integer:
        """The narrowest format of q - z."""
        if not self.zero_point:
            return self.weight
        reach = self.weight.maximum - self.weight.minimum
        return Integer.spanning(-reach, reach)

    @property
    def of_columns(self) -> Mapping[str, tuple[Format, str]]:
        """``z``, if there are zero points, and ``scale``."""
        zero_points = {"z": (self.weight, "zero point")} if self.zero_point else {}
        return zero_points | {"scale": (self.scale, "scale")}

    @property
    def factor(self) -> Float:
        return self.dequantised

    def factors(self, codes: Mapping[str, np.ndarray]) -> np.ndarray:
        """The weights dequantised."""
        differences = codes["w"] - codes["z"][:, :, None] if self.zero_point else codes["w"]
        exact = multiply(
            unpack(self.difference, differences), unpack(self.scale, codes["scale"][:, :, None])
        )
        number_format = self.dequantised
        return round_to(
            number_format,
            exact,
            Rounding.NEAREST_EVEN,
            Overflow.INFINITY,
            number_format.nan_code,
        )
