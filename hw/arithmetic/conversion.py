"""Codes of one format as those of another, rounded to nearest even where they must be."""

from multipede.golden.formats import Float
from multipede.golden.number_converter import NumberConverter
from multipede.hw.arithmetic.circuit import Circuit, Word
from multipede.hw.number_converter import NumberConverterPlan
from multipede.hw.style import Style

__all__ = ["conversion", "converted"]


def converted(c: Circuit, code: Word, number_format: Float, result: Float) -> Word:
    """The number in the format ``result``."""
    if number_format == result:
        return code
    spec = NumberConverter(x=number_format, result=result)
    return NumberConverterPlan(spec, Style.WORD).results(c, {"x": code})[spec.result_port]


def conversion(number_format: Float, result: Float) -> Circuit:
    """``code`` -> ``converted``, the number."""
    c = Circuit()
    code = c.input("code", number_format.bits)
    c.output("converted", converted(c, code, number_format, result))
    return c
