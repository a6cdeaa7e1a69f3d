"""Multipliers that add codes: one sum, and what stands instead of it at the ends of the range."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from multipede.golden.logarithmic_multiplier import LogarithmicMultiplier
from multipede.golden.logarithmic_policies import SmallOperands, ZeroSign
from multipede.hw.arithmetic.circuit import ZERO, Bit, Circuit, Term, Word, opposite
from multipede.hw.arithmetic.circuit_unit import CircuitUnitPlan
from multipede.hw.arithmetic.operands import unpack
from multipede.hw.arithmetic.special_results import (
    Outcome,
    above_code,
    code_pattern,
    select_outcomes,
)

__all__ = ["Correction", "LogarithmicMultiplierPlan"]


@dataclass(frozen=True)
class Correction:
    """What is added to the sum of codes: terms and ``plus``."""

    terms: tuple[Term, ...] = ()
    plus: int = 0


@dataclass(frozen=True)
class _Sum:
    """s as far as operands count: its bits and, where it may be negative, its sign."""

    word: Word
    negative: Bit


class LogarithmicMultiplierPlan(CircuitUnitPlan):
    """One sum, just wide enough that its leading bits tell underflow from overflow."""

    spec: LogarithmicMultiplier

    @abstractmethod
    def correction(self, c: Circuit, a: Word, b: Word) -> Correction:
        """What is added for mantissa fields ``a`` and ``b``."""

    def results(self, c: Circuit, codes: Mapping[str, Word]) -> Mapping[str, Word]:
        return {"p": self.product(c, codes["a"], codes["b"])}

    def product(self, c: Circuit, a: Word, b: Word) -> Word:
        """The code of the product of codes."""
        number_format, policies = self.spec.format, self.spec.policies
        bits = number_format.bits - number_format.signed
        total = self._sum(c, a[:bits], b[:bits])
        small = self._small(c, a[:bits], b[:bits])
        outcomes = [
            *self._specials(c, a, b, small),
            Outcome(small, 0, policies.zero_sign is ZeroSign.PRODUCT),
            *self._ends(c, total),
        ]
        sign = c.exclusive(a[bits:], b[bits:], "sign")
        patterns = [(o.when, code_pattern(o, bits, number_format.signed)) for o in outcomes]
        return select_outcomes(c, total.word[:bits] + sign, patterns)

    def _sum(self, c: Circuit, a: Word, b: Word) -> _Sum:
        number_format = self.spec.format
        mantissa_bits = number_format.mantissa_bits
        correction = self.correction(c, a[:mantissa_bits], b[:mantissa_bits])
        bias = number_format.bias << mantissa_bits
        smallest, largest = self._counted
        least, most = (2 * end - bias for end in (smallest, largest))
        lowest, highest = self.spec.correction_range
        least, most = least + lowest, most + highest
        width = max(len(a), most.bit_length(), (~least).bit_length() if least < 0 else 0)
        is_signed = least < 0
        terms = (Term(a, name="a"), Term(b, name="b"), *correction.terms)
        word = c.sum(width + is_signed, terms, "sum", plus=correction.plus - bias)
        return _Sum(word[:width], word[-1] if is_signed else ZERO)

    @property
    def _counted(self) -> tuple[int, int]:
        """The smallest and the largest magnitude of operands whose sum is looked at."""
        number_format = self.spec.format
        smallest = {
            SmallOperands.FLUSH: 1 << number_format.mantissa_bits,
            SmallOperands.ZERO: 1,
            SmallOperands.ADD: 0,
        }[self.spec.policies.small_operands]
        checked = self.spec.checks_specials
        return smallest, number_format.maximum_code if checked else self.spec.modulus - 1

    def _small(self, c: Circuit, a: Word, b: Word) -> Bit:
        """Whether an operand makes the product zero."""
        policy = self.spec.policies.small_operands
        if policy is SmallOperands.ADD:
            return ZERO
        lowest = self.spec.format.mantissa_bits if policy is SmallOperands.FLUSH else 0
        counts = [c.any_of(x[lowest:], f"{name}_counts") for name, x in (("a", a), ("b", b))]
        return opposite(c.all_of(counts, "both_count"))

    def _specials(self, c: Circuit, a: Word, b: Word, small: Bit) -> list[Outcome]:
        """What infinite and NaN operands give."""
        if not self.spec.checks_specials:
            return []
        number_format = self.spec.format
        numbers = [unpack(c, number_format, code, name) for name, code in (("a", a), ("b", b))]
        infinite = c.any_of((number.infinite for number in numbers), "infinite")
        outcomes = []
        if number_format.nan_code is not None:
            (no_product,) = c.both((infinite,), (small,), "infinity_times_zero")
            nan = c.any_of((no_product, *(number.nan for number in numbers)), "nan")
            outcomes.append(Outcome(nan, number_format.nan_code, False))
        if number_format.infinity_code is not None:
            outcomes.append(Outcome(infinite, number_format.infinity_code, True))
        return outcomes

    def _ends(self, c: Circuit, total: _Sum) -> list[Outcome]:
        """What sums below and above those that are kept become."""
        spec, outcomes = self.spec, []
        if spec.smallest_kept is not None:
            below = total.negative
            if spec.smallest_kept:
                normal = c.any_of(total.word[spec.format.mantissa_bits :], "sum_normal")
                (below,) = c.either((below,), (opposite(normal),), "below")
            outcomes.append(Outcome(below, 0, spec.policies.zero_sign is not ZeroSign.POSITIVE))
        if spec.largest_kept is not None:
            bits = spec.format.bits - spec.format.signed
            above = above_code(c, total.word, bits, spec.largest_kept)
            (beyond,) = c.both((above,), (opposite(total.negative),), "beyond")
            outcomes.append(Outcome(beyond, spec.overflow_code, spec.overflow_has_sign))
        return outcomes
