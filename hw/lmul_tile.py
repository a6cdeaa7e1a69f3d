"""The matrix tile whose multipliers add codes, with float accumulators."""

from collections.abc import Callable
from dataclasses import replace

from multipede.golden.float_adder import FloatAdder
from multipede.golden.formats import Float
from multipede.golden.lmul_tile import LMulTile
from multipede.golden.logarithmic_factors import what_lacks
from multipede.golden.logarithmic_multiplier import LogarithmicMultiplier
from multipede.golden.logarithmic_policies import SumUnderflow, ZeroSign
from multipede.hw.arithmetic.circuit import Circuit, Word
from multipede.hw.arithmetic.conversion import converted
from multipede.hw.float_adder import FloatAdderPlan
from multipede.hw.float_tile import FloatProductPlan, FloatProductUnit
from multipede.hw.logarithmic_factors import (
    LogarithmicFactorsPlan,
    LogarithmicFactorsUnit,
    multiplied,
)
from multipede.hw.style import Style

__all__ = ["LMulTilePlan", "LMulTileUnit"]


def _product(c: Circuit, multiplier: LogarithmicMultiplier, kept: Float, term: Float) -> Word:
    """The product of ``a`` and ``b``, read as a number of ``kept``, in the format ``term``."""
    policies = multiplier.policies
    flushes = policies.underflow is SumUnderflow.FLUSH and not kept.subnormals
    if flushes and policies.zero_sign is not ZeroSign.POSITIVE:
        # Who reads the product does it, and keeps the sign.
        multiplier = replace(multiplier, underflow=SumUnderflow.NEGATIVE)
    return converted(c, multiplied(c, multiplier), kept, term)


def added_product(multiplier: LogarithmicMultiplier, kept: Float, term: Float) -> Circuit:
    """``a``, ``b`` -> ``product``."""
    c = Circuit()
    c.output("product", _product(c, multiplier, kept, term))
    return c


def added_step(multiplier: LogarithmicMultiplier, kept: Float, accumulator: Float) -> Circuit:
    """``a``, ``b``, ``c`` -> ``total``, which is c plus the product, rounded to nearest even."""
    c = Circuit()
    product = _product(c, multiplier, kept, accumulator)
    codes = {"a": product, "b": c.input("c", accumulator.bits)}
    spec = FloatAdder(a=accumulator, b=accumulator, result=accumulator)
    c.output("total", FloatAdderPlan(spec, Style.WORD).results(c, codes)[spec.result_port])
    return c


class LMulTilePlan(LogarithmicFactorsPlan, FloatProductPlan):
    """Ranks are those of float products."""

    spec: LMulTile

    @property
    def term(self) -> Float:
        """As of other products."""
        accumulator, kept = self.spec.accumulator, self.kept_format
        bits = min(kept.mantissa_bits, accumulator.mantissa_bits)
        subnormals = kept.subnormals and accumulator.subnormals
        term = replace(accumulator, mantissa_bits=bits, subnormals=subnormals)
        return accumulator if what_lacks(term, kept) else term

    @property
    def multiply(self) -> tuple[Callable[..., Circuit], tuple]:
        return added_product, (self.multiplier, self.kept_format, self.term)

    @property
    def multiply_add(self) -> tuple[Callable[..., Circuit], tuple]:
        return added_step, (self.multiplier, self.kept_format, self.spec.accumulator)


class LMulTileUnit(LogarithmicFactorsUnit, FloatProductUnit):
    """Multipliers that add codes, and float adders."""

    specification = LMulTile
    planning = LMulTilePlan
