"""The baseline tile that dequantises its weights before it multiplies.

One dequantiser for each column and lane makes the factor that all rows share.
"""

from collections import Counter
from functools import cached_property

from amaranth.hdl import Module, Signal, Value

from multipede.golden.dequantise_first_tile import DequantiseFirstTile
from multipede.golden.float_multiplier import FloatMultiplier
from multipede.golden.formats import Float, Integer
from multipede.hw.arithmetic.circuit import Circuit, Term
from multipede.hw.arithmetic.circuit_component import CircuitComponent, CircuitDesign
from multipede.hw.float_multiplier import FloatMultiplierPlan
from multipede.hw.float_tile import FloatProductPlan, FloatProductUnit
from multipede.hw.hierarchy import shared
from multipede.hw.integer_tile import times
from multipede.hw.style import Style

__all__ = ["DequantiseFirstTilePlan", "DequantiseFirstTileUnit"]


def dequantised_weight(
    weight: Integer, zero_point: bool, difference: Integer, scale: Float, result: Float
) -> Circuit:
    """``w``, ``z`` if there is a zero point, ``scale`` -> ``factor`` = round((w - z) scale)."""
    c = Circuit()
    word = c.input("w", weight.bits)
    if zero_point:
        terms = [Term(word, signed=weight.signed)]
        terms.append(Term(c.input("z", weight.bits), negative=True, signed=weight.signed))
        word = c.sum(difference.bits, terms, "difference")
    spec = FloatMultiplier(a=difference, b=scale, result=result)
    codes = {"a": word, "b": c.input("scale", scale.bits)}
    c.output("factor", FloatMultiplierPlan(spec, Style.WORD).results(c, codes)[spec.result_port])
    return c


class DequantiseFirstTilePlan(FloatProductPlan):
    """The factors come out of dequantisers, whose last register rank, if any, holds them."""

    spec: DequantiseFirstTile

    @property
    def factor_ranks(self) -> int:
        stages = self.spec.stages
        return int(stages > 2) if self.is_tree else stages - 1

    @cached_property
    def dequantiser(self) -> CircuitDesign:
        """What makes a weight a factor."""
        spec = self.spec
        return CircuitDesign(
            dequantised_weight,
            (spec.weight, spec.zero_point, spec.difference, spec.scale, spec.factor),
            self.style,
            self.factor_ranks,
        )

    @property
    def weight_inventory(self) -> Counter:
        return times(self.dequantiser.plan.inventory(), self.spec.columns * self.spec.lanes)


class DequantiseFirstTileUnit(FloatProductUnit):
    """Float multipliers of weights that are dequantised first."""

    specification = DequantiseFirstTile
    planning = DequantiseFirstTilePlan

    def _weights(self, m: Module, platform) -> list[list[Value]]:
        payload = self.i.payload
        component = CircuitComponent(self.plan.dequantiser)
        factors = []
        for column in range(self.spec.columns):
            pins = {name: payload[name][column] for name in self.spec.of_columns}
            factors.append(
                [
                    self._factor(m, platform, component, f"{column}_{lane}", pins | {"w": code})
                    for lane, code in enumerate(self._lanes(payload.w[column]))
                ]
            )
        return factors

    def _factor(
        self, m: Module, platform, component: CircuitComponent, name: str, pins: dict[str, Value]
    ) -> Value:
        factor = Signal(self.spec.factor.bits, name=f"factor_{name}")
        instance = f"dequantise_{name}"
        shared(m, platform, "dequantise", component, instance=instance, factor=factor, **pins)
        return factor
