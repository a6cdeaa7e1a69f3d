"""Factors of tiles whose multipliers add codes: each is converted once, then multiplied.

Activations are converted once per row and lane, weights once per column and lane.
"""

from collections import Counter
from dataclasses import replace
from functools import cached_property

from amaranth.hdl import Module, Signal, Value

from multipede.golden.compensated_lmul import CompensatedLMul
from multipede.golden.formats import Float, Specials
from multipede.golden.lmul import LMul
from multipede.golden.logarithmic_factors import LogarithmicFactors
from multipede.golden.logarithmic_multiplier import LogarithmicMultiplier
from multipede.golden.logarithmic_policies import SumOverflow, SumUnderflow
from multipede.golden.mitchell import Mitchell
from multipede.hw.arithmetic.circuit import Circuit, Word
from multipede.hw.arithmetic.circuit_component import CircuitComponent, CircuitDesign
from multipede.hw.arithmetic.conversion import conversion
from multipede.hw.compensated_lmul import CompensatedLMulPlan
from multipede.hw.hierarchy import shared
from multipede.hw.integer_tile import times
from multipede.hw.lmul import LMulPlan
from multipede.hw.mitchell import MitchellPlan
from multipede.hw.style import Style
from multipede.hw.ungrouped_tile import UngroupedTilePlan, UngroupedTileUnit
from multipede.hw.unit import delayed

__all__ = [
    "LogarithmicFactorsPlan",
    "LogarithmicFactorsUnit",
    "multiplied",
]

_PLANS = {LMul: LMulPlan, Mitchell: MitchellPlan, CompensatedLMul: CompensatedLMulPlan}


def multiplied(c: Circuit, multiplier: LogarithmicMultiplier) -> Word:
    """The product of ``a`` and ``b``."""
    a, b = (c.input(name, multiplier.format.bits) for name in "ab")
    return _PLANS[type(multiplier)](multiplier, Style.WORD).product(c, a, b)


class LogarithmicFactorsPlan(UngroupedTilePlan):
    """Codes are converted in front of the register ranks of the factors.

    Attributes
    ----------
    factor_ranks : register ranks in front of the products.
    """

    spec: LogarithmicFactors
    factor_ranks: int

    @cached_property
    def multiplier(self) -> LogarithmicMultiplier:
        """The multiplier without what operands of these formats never need."""
        multiplier, number_format = self.spec.multiplier, self.spec.multiplier.format
        low, high = self.spec.sum_range
        if low >= 1 << number_format.mantissa_bits:
            multiplier = replace(multiplier, underflow=SumUnderflow.WRAP)
        if high <= number_format.maximum_code:
            multiplier = replace(multiplier, overflow=SumOverflow.WRAP)
            if not self.spec.has_special_products:
                finite = replace(number_format, specials=Specials.FINITE)
                multiplier = replace(multiplier, format=finite)
        return multiplier

    @cached_property
    def kept_format(self) -> Float:
        """How products are read: where none is subnormal, whoever takes it for zero flushes it."""
        number_format = self.multiplier.format
        flushes = self.spec.multiplier.policies.underflow is SumUnderflow.FLUSH
        normal = self.spec.sum_range[0] >= 1 << number_format.mantissa_bits
        if self.spec.wraps or not (flushes or normal):
            return number_format
        return replace(number_format, subnormals=False)

    def conversion(self, number_format: Float) -> CircuitDesign:
        """What makes codes of this format the multipliers'."""
        return CircuitDesign(
            conversion, (number_format, self.multiplier.format), self.style, self.factor_ranks
        )

    @cached_property
    def activation_inventory(self) -> Counter:
        spec = self.spec
        return times(self._inventory(spec.activation), spec.rows * spec.lanes)

    @cached_property
    def weight_inventory(self) -> Counter:
        spec = self.spec
        return times(self._inventory(spec.weight), spec.columns * spec.lanes)

    def is_multiplied(self, number_format: Float) -> bool:
        """Whether codes of an operand are multiplied as they are."""
        return number_format == self.spec.multiplier.format

    def _inventory(self, number_format: Float) -> Counter:
        if self.is_multiplied(number_format):
            return Counter(register=number_format.bits * self.factor_ranks)
        return self.conversion(number_format).plan.inventory()


class LogarithmicFactorsUnit(UngroupedTileUnit):
    """Any tile of such factors."""

    def _activations(self, m: Module, platform) -> list[list[Value]]:
        return self._factors(m, platform, "activation", self.i.payload.a, self.spec.rows)

    def _weights(self, m: Module, platform) -> list[list[Value]]:
        return self._factors(m, platform, "weight", self.i.payload.w, self.spec.columns)

    def _factors(
        self, m: Module, platform, operand: str, codes: Value, count: int
    ) -> list[list[Value]]:
        """Codes of the multipliers' format behind their ranks, [row or column][lane]."""
        number_format = getattr(self.spec, operand)
        if self.plan.is_multiplied(number_format):
            return [
                [
                    delayed(m, code, self.plan.factor_ranks, name=f"{operand}_{outer}_{lane}")
                    for lane, code in enumerate(self._lanes(codes[outer]))
                ]
                for outer in range(count)
            ]
        component = CircuitComponent(self.plan.conversion(number_format))
        return [
            [
                self._converted(m, platform, component, f"{operand}_{outer}_{lane}", code)
                for lane, code in enumerate(self._lanes(codes[outer]))
            ]
            for outer in range(count)
        ]

    def _converted(
        self, m: Module, platform, component: CircuitComponent, name: str, code: Value
    ) -> Value:
        made = Signal(self.spec.multiplier.format.bits, name=f"converted_{name}")
        module = f"convert_{name.partition('_')[0]}"
        instance = f"convert_{name}"
        shared(m, platform, module, component, instance=instance, code=code, converted=made)
        return made
