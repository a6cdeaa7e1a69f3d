"""The MixPE tile: products by shift and add of gated copies, no multiplier anywhere."""

from multipede.golden.mixpe import MixPE
from multipede.hw.mixed_tile import MixedTileUnit

__all__ = ["MixPEUnit"]


class MixPEUnit(MixedTileUnit):
    """Each weight bit gates a copy of the activation; all copies meet on one bit heap."""

    specification = MixPE
