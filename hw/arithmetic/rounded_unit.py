"""What the plans of the units that round once have in common."""

from abc import abstractmethod
from collections.abc import Mapping

from multipede.golden.rounded_operation import RoundedOperation
from multipede.hw.arithmetic.circuit import Bit, Circuit, Word
from multipede.hw.arithmetic.circuit_unit import CircuitUnitPlan
from multipede.hw.arithmetic.exact_result import Exact
from multipede.hw.arithmetic.operands import Number, unpack
from multipede.hw.arithmetic.round_pack import round_to_float
from multipede.hw.arithmetic.special_results import finish_float

__all__ = ["RoundedUnitPlan"]


class RoundedUnitPlan(CircuitUnitPlan):
    """Operands taken apart, an exact result, one rounding.

    Widths follow from the ranges of the operands' formats. Register ranks lie where estimated
    delays are equal, the last one at the output; see
    :class:`~multipede.hw.arithmetic.circuit_plan.CircuitPlan`.
    """

    spec: RoundedOperation

    @abstractmethod
    def result(self, c: Circuit, *operands: Number) -> Word:
        """The result's code."""

    def results(self, c: Circuit, codes: Mapping[str, Word]) -> Mapping[str, Word]:
        operands = [unpack(c, getattr(self.spec, name), codes[name], name) for name in codes]
        return {self.spec.result_port: self.result(c, *operands)}

    def rounded(
        self, c: Circuit, exact: Exact, *, infinite: Bit, nan: Bit, infinite_sign: Bit | None = None
    ) -> Word:
        """The code of an exact result, rounded to a float, or of what the flags say instead.

        An ``infinite_sign`` of None is the sign of the rounded number.
        """
        spec = self.spec
        return finish_float(
            c,
            round_to_float(c, exact, spec.result, spec.rounding),
            spec.result,
            spec.rounding,
            spec.overflow_policy,
            infinite=infinite,
            infinite_sign=infinite_sign,
            nan=nan,
            nan_code=spec.nan_code,
        )
