"""Circuits from activations or tables to the terms that are looked up, and from terms to sums."""

from collections.abc import Sequence

from multipede.golden.formats import INT8, Float, Integer, Overflow
from multipede.hw.arithmetic.circuit import ZERO, Circuit, Term, Word, opposite
from multipede.hw.arithmetic.float_product import exact_product, product_specials
from multipede.hw.arithmetic.float_sum import sum_of_floats
from multipede.hw.arithmetic.operands import Number, shape_of, unpack
from multipede.hw.arithmetic.quantised_tables import quantised_entries
from multipede.hw.arithmetic.rounded_tables import rounded_entries
from multipede.hw.arithmetic.sharing_circuit import SharingCircuit
from multipede.hw.arithmetic.term_words import CodeWord, Scaling, TermWord, rounded_code

__all__ = [
    "code_table",
    "quantised_term",
    "scaled_entry",
    "sum_of_terms",
    "term_table",
]


def _cycle(c: Circuit, scaling: Scaling) -> Word:
    """The number of the clock, if there are more than one."""
    count = len(scaling.shifts)
    return c.input("cycle", (count - 1).bit_length()) if count > 1 else ()


def term_table(
    number_format: Float, table_inputs: int, overflow: Overflow, scalings: Sequence[Scaling]
) -> Circuit:
    """``a0``.., ``cycle`` -> ``t0_0``.., the words of entry e at plane p of the clock."""
    c = SharingCircuit()
    lanes = [c.input(f"a{k}", number_format.bits) for k in range(table_inputs)]
    cycle = _cycle(c, scalings[0])
    for index, code in enumerate(rounded_entries(c, number_format, lanes, True, overflow)):
        number = unpack(c, number_format, code, "entry")
        for plane, scaling in enumerate(scalings):
            c.output(f"t{index}_{plane}", scaling.apply(c, number, cycle))
    return c


def code_table(
    number_format: Float,
    table_inputs: int,
    overflow: Overflow,
    scale: Float,
    scaling: Scaling,
) -> Circuit:
    """``a0``.., ``cycle`` -> ``t0``.., codes, and ``scale``, the word of their scale."""
    c = SharingCircuit()
    lanes = [c.input(f"a{k}", number_format.bits) for k in range(table_inputs)]
    cycle = _cycle(c, scaling)
    codes, code = quantised_entries(c, number_format, lanes, True, overflow, scale)
    for index, word in enumerate(codes):
        c.output(f"t{index}", word)
    c.output("scale", scaling.apply(c, unpack(c, scale, code, "scale"), cycle))
    return c


def scaled_entry(scalings: Sequence[Scaling]) -> Circuit:
    """``entry``, a code from outside, ``cycle`` -> ``t_0``.., its words at the planes."""
    c = SharingCircuit()
    source = scalings[0].source
    number = unpack(c, source, c.input("entry", source.bits), "entry")
    cycle = _cycle(c, scalings[0])
    for plane, scaling in enumerate(scalings):
        c.output(f"t_{plane}", scaling.apply(c, number, cycle))
    return c


_Kind = TermWord | CodeWord | Float
"""what a word is: of terms or a code"""


def _operand(c: Circuit, kind: _Kind, name: str) -> Number:
    word = c.input(name, kind.bits)
    return unpack(c, kind, word, name) if isinstance(kind, Float) else kind.unpack(c, word, name)


def sum_of_terms(a: _Kind, b: _Kind, result: Float) -> Circuit:
    """``a``, ``b``, words or codes -> ``total``, the code of their rounded sum."""
    c = Circuit()
    x, y = _operand(c, a, "a"), _operand(c, b, "b")
    exact = sum_of_floats(c, x, y, result)
    clash = c.all_of((x.infinite, y.infinite, exact.cancels), "clash")
    (infinite,) = c.either((x.infinite,), (y.infinite,), "infinite")
    (sign,) = c.choose(x.infinite, (x.sign,), (y.sign,), "infinite_sign")
    nan = c.any_of((x.nan, y.nan, clash), "nan")
    c.output("total", rounded_code(c, exact, result, infinite, sign, nan))
    return c


def quantised_term(scale: TermWord, planes: int, result: Float) -> Circuit:
    """``code0``.. of the planes, ``negate0``.. and ``scale``, a word -> ``total``, the code of
    round(scale L); L is the sum of the codes times powers of two, negated where that is 1."""
    c = Circuit()
    width = (-INT8.minimum * ((1 << planes) - 1)).bit_length() + 1
    terms: list[Term] = []
    for plane in range(planes):
        code, negate = c.input(f"code{plane}", INT8.bits), c.input(f"negate{plane}", 1)
        row = c.exclusive(code, negate, f"code{plane}_with_sign")
        terms.append(Term(row, plane, signed=True, name=f"code{plane}"))
        terms.append(Term(negate, plane, name=f"negate{plane}"))
    word = c.sum(width, terms, "codes")
    zero = opposite(c.any_of(word, "codes_nonzero"))
    codes = Number(shape_of(Integer(width)), word[-1], (), word, zero, ZERO, ZERO)
    factor = scale.unpack(c, c.input("scale", scale.bits), "scale")
    infinite, nan = product_specials(c, codes, factor)
    exact = exact_product(c, codes, factor)
    c.output("total", rounded_code(c, exact, result, infinite, None, nan))
    return c
