"""L-Mul with a table: its entry joins the sum of the codes."""

from itertools import chain

from multipede.golden.compensated_lmul import CompensatedLMul
from multipede.hw.arithmetic.circuit import Circuit, Term, Word
from multipede.hw.arithmetic.circuit_unit import CircuitUnit
from multipede.hw.arithmetic.constant_table import constant_table
from multipede.hw.logarithmic_multiplier import Correction, LogarithmicMultiplierPlan

__all__ = ["CompensatedLMulPlan", "CompensatedLMulUnit"]


class CompensatedLMulPlan(LogarithmicMultiplierPlan):
    """Entries are found while the codes are added."""

    spec: CompensatedLMul

    def correction(self, c: Circuit, a: Word, b: Word) -> Correction:
        spec = self.spec
        rest = spec.format.mantissa_bits - spec.leading_bits
        entries = list(chain.from_iterable(spec.table))
        width = max(entries).bit_length()
        entry = constant_table(c, b[rest:] + a[rest:], entries, width, "entry")
        return Correction((Term(entry, late=True, name="entry"),))


class CompensatedLMulUnit(CircuitUnit):
    """p = a b, nearly."""

    specification = CompensatedLMul
    planning = CompensatedLMulPlan
