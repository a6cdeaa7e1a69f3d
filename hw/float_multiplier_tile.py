"""The baseline tile of float multipliers and adders."""

from collections import Counter

from amaranth.hdl import Module, Value

from multipede.golden.float_multiplier_tile import FloatMultiplierTile
from multipede.hw.float_tile import FloatProductPlan, FloatProductUnit
from multipede.hw.unit import delayed

__all__ = ["FloatMultiplierTilePlan", "FloatMultiplierTileUnit"]


class FloatMultiplierTilePlan(FloatProductPlan):
    """The weights are the factors."""

    spec: FloatMultiplierTile

    @property
    def weight_inventory(self) -> Counter:
        spec = self.spec
        bits = spec.columns * spec.lanes * spec.weight.bits
        return Counter(register=bits * self.factor_ranks)


class FloatMultiplierTileUnit(FloatProductUnit):
    """Float multipliers of the weights as they come."""

    specification = FloatMultiplierTile
    planning = FloatMultiplierTilePlan

    def _weights(self, m: Module, platform) -> list[list[Value]]:
        return [
            [
                delayed(m, code, self.plan.factor_ranks, name=f"w_{column}_{lane}")
                for lane, code in enumerate(self._lanes(self.i.payload.w[column]))
            ]
            for column in range(self.spec.columns)
        ]
