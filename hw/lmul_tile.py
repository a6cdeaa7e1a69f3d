"""The matrix tile whose multipliers add codes.

Activations are converted once per row and lane, weights once per column and lane.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

from amaranth.hdl import Module, Signal, Value

from multipede.golden.compensated_lmul import CompensatedLMul
from multipede.golden.float_adder import FloatAdder
from multipede.golden.formats import Float
from multipede.golden.lmul import LMul
from multipede.golden.lmul_tile import LMulTile
from multipede.golden.logarithmic_multiplier import LogarithmicMultiplier
from multipede.golden.logarithmic_policies import SumUnderflow, ZeroSign
from multipede.golden.mitchell import Mitchell
from multipede.golden.number_converter import NumberConverter
from multipede.hw.arithmetic.circuit import Circuit, Word
from multipede.hw.arithmetic.circuit_component import CircuitComponent, CircuitDesign
from multipede.hw.compensated_lmul import CompensatedLMulPlan
from multipede.hw.float_adder import FloatAdderPlan
from multipede.hw.float_tile import FloatProductPlan, FloatProductUnit
from multipede.hw.hierarchy import shared
from multipede.hw.integer_tile import times
from multipede.hw.lmul import LMulPlan
from multipede.hw.mitchell import MitchellPlan
from multipede.hw.number_converter import NumberConverterPlan
from multipede.hw.style import Style
from multipede.hw.unit import delayed

__all__ = ["LMulTilePlan", "LMulTileUnit"]

_PLANS = {LMul: LMulPlan, Mitchell: MitchellPlan, CompensatedLMul: CompensatedLMulPlan}


def _converted(c: Circuit, code: Word, number_format: Float, result: Float) -> Word:
    if number_format == result:
        return code
    spec = NumberConverter(x=number_format, result=result)
    return NumberConverterPlan(spec, Style.WORD).results(c, {"x": code})[spec.result_port]


def _product(c: Circuit, multiplier: LogarithmicMultiplier, accumulator: Float) -> Word:
    """The product of ``a`` and ``b`` in the accumulator's format."""
    number_format, policies = multiplier.format, multiplier.policies
    a, b = (c.input(name, number_format.bits) for name in "ab")
    if policies.underflow is SumUnderflow.FLUSH:
        # No product is subnormal, so that whoever takes it for zero has flushed it.
        number_format = replace(number_format, subnormals=False)
        if policies.zero_sign is not ZeroSign.POSITIVE and number_format != accumulator:
            multiplier = replace(multiplier, underflow=SumUnderflow.NEGATIVE)
    code = _PLANS[type(multiplier)](multiplier, Style.WORD).product(c, a, b)
    return _converted(c, code, number_format, accumulator)


def added_product(multiplier: LogarithmicMultiplier, accumulator: Float) -> Circuit:
    """``a``, ``b`` -> ``product``."""
    c = Circuit()
    c.output("product", _product(c, multiplier, accumulator))
    return c


def added_step(multiplier: LogarithmicMultiplier, accumulator: Float) -> Circuit:
    """``a``, ``b``, ``c`` -> ``total``, which is c plus the product, rounded to nearest even."""
    c = Circuit()
    product = _product(c, multiplier, accumulator)
    codes = {"a": product, "b": c.input("c", accumulator.bits)}
    spec = FloatAdder(a=accumulator, b=accumulator, result=accumulator)
    c.output("total", FloatAdderPlan(spec, Style.WORD).results(c, codes)[spec.result_port])
    return c


def conversion(number_format: Float, result: Float) -> Circuit:
    """``code`` -> ``converted``, the same number."""
    c = Circuit()
    c.output("converted", _converted(c, c.input("code", number_format.bits), number_format, result))
    return c


class LMulTilePlan(FloatProductPlan):
    """Codes are converted in front of the register ranks of the factors."""

    spec: LMulTile

    @property
    def multiply(self) -> tuple[Callable[..., Circuit], tuple]:
        return added_product, (self.spec.multiplier, self.spec.accumulator)

    @property
    def multiply_add(self) -> tuple[Callable[..., Circuit], tuple]:
        return added_step, (self.spec.multiplier, self.spec.accumulator)

    def conversion(self, number_format: Float) -> CircuitDesign:
        """What makes codes of this format the multipliers'."""
        return CircuitDesign(
            conversion, (number_format, self.spec.multiplier.format), self.style, self.factor_ranks
        )

    @cached_property
    def activation_inventory(self) -> Counter:
        spec = self.spec
        return times(self._inventory(spec.activation), spec.rows * spec.lanes)

    @cached_property
    def weight_inventory(self) -> Counter:
        spec = self.spec
        return times(self._inventory(spec.weight), spec.columns * spec.lanes)

    def _inventory(self, number_format: Float) -> Counter:
        if number_format == self.spec.multiplier.format:
            return Counter(register=number_format.bits * self.factor_ranks)
        return self.conversion(number_format).plan.inventory()


class LMulTileUnit(FloatProductUnit):
    """Multipliers that add codes, and float adders."""

    specification = LMulTile
    planning = LMulTilePlan

    def _activations(self, m: Module, platform) -> list[list[Value]]:
        return self._factors(m, platform, "activation", self.i.payload.a, self.spec.rows)

    def _weights(self, m: Module, platform) -> list[list[Value]]:
        return self._factors(m, platform, "weight", self.i.payload.w, self.spec.columns)

    def _factors(
        self, m: Module, platform, operand: str, codes: Value, count: int
    ) -> list[list[Value]]:
        """Codes of the multipliers' format behind their ranks, [row or column][lane]."""
        number_format = getattr(self.spec, operand)
        if number_format == self.spec.multiplier.format:
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
