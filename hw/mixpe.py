"""The MixPE tile: products by shift and add of gated copies, no multiplier anywhere."""

from multipede.golden.mixpe import MixPE
from multipede.hw.integer_tile import IntegerTileUnit

__all__ = ["MixPEUnit"]


class MixPEUnit(IntegerTileUnit):
    """Each weight bit gates a copy of the activation; all copies meet on one bit heap."""

    specification = MixPE
