"""The baseline tile of integer multipliers."""

from multipede.golden.multiplier_tile import MultiplierTile, PartialProducts
from multipede.hw.integer_tile import IntegerTilePlan, IntegerTileUnit

__all__ = ["MultiplierTilePlan", "MultiplierTileUnit"]


class MultiplierTilePlan(IntegerTilePlan):
    """The tile with the specification's partial products."""

    spec: MultiplierTile

    @property
    def partial_products(self) -> PartialProducts:
        return self.spec.partial_products


class MultiplierTileUnit(IntegerTileUnit):
    """Multipliers with Baugh-Wooley or Booth rows, summed on the same bit heap as MixPE's."""

    specification = MultiplierTile
    planning = MultiplierTilePlan
