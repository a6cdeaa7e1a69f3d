"""Exponents of products, their maximum and the distances from it."""

from collections.abc import Mapping
from functools import reduce

from multipede.golden.bitmod_exponent_match import BitModExponentMatch
from multipede.golden.bitmod_formats import ACTIVATION_EXPONENT, EXPONENT, TERM_EXPONENT
from multipede.hw.arithmetic.circuit import Circuit, Term, Word
from multipede.hw.arithmetic.circuit_unit import CircuitUnit, CircuitUnitPlan

__all__ = ["BitModExponentMatchPlan", "BitModExponentMatchUnit", "larger"]


class BitModExponentMatchPlan(CircuitUnitPlan):
    """An adder and a subtractor for each lane, and a tree of comparators between them."""

    spec: BitModExponentMatch

    def results(self, c: Circuit, codes: Mapping[str, Word]) -> Mapping[str, Word]:
        activations = _parts(codes["activation"], ACTIVATION_EXPONENT.bits)
        terms = _parts(codes["term"], TERM_EXPONENT.bits)
        exponents = [
            c.sum(EXPONENT.bits, [Term(activation), Term(term)], "exponent")
            for activation, term in zip(activations, terms, strict=True)
        ]
        maximum = _maximum(c, exponents)
        deltas = [
            c.sum(EXPONENT.bits, [Term(maximum), Term(exponent, negative=True)], "delta")
            for exponent in exponents
        ]
        return {
            "maximum": maximum,
            "delta": tuple(bit for delta in deltas for bit in delta),
            "sign": c.exclusive(codes["activation_sign"], codes["term_sign"], "sign"),
        }


def larger(c: Circuit, a: Word, b: Word, name: str) -> Word:
    """The larger of two unsigned words of one width."""
    difference = c.sum(len(a) + 1, [Term(a), Term(b, negative=True)], f"{name}_difference")
    return c.choose(difference[-1], b, a, name)


def _maximum(c: Circuit, words: list[Word]) -> Word:
    while len(words) > 1:
        pairs = [words[index : index + 2] for index in range(0, len(words), 2)]
        words = [reduce(lambda a, b: larger(c, a, b, "larger"), pair) for pair in pairs]
    return words[0]


def _parts(word: Word, bits: int) -> list[Word]:
    return [word[place : place + bits] for place in range(0, len(word), bits)]


class BitModExponentMatchUnit(CircuitUnit):
    """Maximum, distances and signs."""

    specification = BitModExponentMatch
    planning = BitModExponentMatchPlan
