"""What the floating-point units share: an exact operation on mixed operands, rounded once."""

from abc import abstractmethod
from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from multipede.golden.exact_arithmetic import Exact, round_to, unpack
from multipede.golden.formats import FixedPoint, Float, Format, Integer, Overflow, Rounding
from multipede.golden.number_format import require_kinds, require_range, require_type
from multipede.golden.related_operands import related_operands
from multipede.golden.spec import Port, Spec

if TYPE_CHECKING:
    from torch import Tensor

MAXIMUM_FLOAT_BITS = 32
MAXIMUM_INTEGER_BITS = 63
MAXIMUM_STAGES = 12

CHUNK = 1 << 13
"""Records that are worked on at once, so that some thirty temporaries stay in the cache."""


class NanResult(Enum):
    """What a result that is no number becomes in a format without NaN.

    =======  ======================================================================
    MAXIMUM  the highest finite value, as RISC-V converts NaN to integers
    ZERO     zero, as CUDA and Rust convert NaN to integers
    =======  ======================================================================

    IEEE 754-2019 leaves the value open. For the small floats without NaN (E2M1, E2M3, E3M2) we
    know only from others' accounts that the OCP MX specification leaves it open and that NVIDIA's
    PTX takes the positive maximum. That MAXIMUM is the default everywhere is our choice.
    """

    MAXIMUM = "maximum"
    ZERO = "zero"

    def __repr__(self) -> str:
        return f"NanResult.{self.name}"


class RoundedOperation(Spec):
    """Base of the units that round the exact result of one operation, once.

    The meaning comes from the definition alone: the operation on the operands' exact values,
    then ``result.encode(exact value, rounding, overflow)`` as documented in
    :class:`multipede.golden.formats.Float`, where overflow is judged after a rounding in
    unbounded range. Besides,

    - a NaN operand, infinity minus infinity and zero times infinity give NaN, the ``nan_code``
      of the result's format or, where it has none, what ``nan`` says;
    - an exact zero has the sign of IEEE 754-2019, 6.3: of a product, the exclusive or of the
      factors' signs; of a sum, the sign that both addends share, or else that of +0, under
      ``Rounding.DOWN`` of -0. Integers and fixed point hold +0 only. What is no zero but rounds
      to zero keeps its sign.

    Subclasses are dataclasses that declare their operands, named as their ports, and these
    parameters.

    Parameters
    ----------
    result : format of the result, a float of at most 32 bits.
    rounding : which neighbour an in-between result becomes.
    overflow : what a result out of range becomes, a policy that ``result`` can serve, except
        RAISE; None for INFINITY if ``result`` can serve it, else SATURATE.
    nan : what a result that is no number becomes if ``result`` has no NaN.
    stages : register ranks between input and output, 0 to 12.

    Raises
    ------
    TypeError, ValueError
        Naming the parameter, the value and what is allowed.
    """

    operands: ClassVar[tuple[str, ...]]
    """parameters that are operand formats, and the ports of the same names"""
    result_port: ClassVar[str]
    result_kinds: ClassVar[tuple[type[Format], ...]] = (Float,)
    operation: ClassVar[str]

    result: Format
    rounding: Rounding
    overflow: Overflow | None
    nan: NanResult
    stages: int

    def __post_init__(self):
        for name in self.operands:
            _require_format(name, getattr(self, name), (Float, Integer, FixedPoint))
        _require_format("result", self.result, self.result_kinds)
        require_type("rounding", self.rounding, Rounding)
        require_type("nan", self.nan, NanResult)
        require_range("stages", self.stages, 0, MAXIMUM_STAGES)
        self._check_overflow()
        self._check_nan()

    def _check_overflow(self) -> None:
        if self.overflow is None:
            return
        require_type("overflow", self.overflow, Overflow)
        allowed = [policy for policy in self.result.overflows if policy is not Overflow.RAISE]
        if self.overflow not in allowed:
            raise ValueError(
                f"overflow = {self.overflow.value}: allowed with result = {self.result} are"
                f" {', '.join(policy.value for policy in allowed)}"
            )

    def _check_nan(self) -> None:
        result = self.result
        neither = isinstance(result, Float) and result.nan_code is None and not result.zero
        if neither and self.nan is NanResult.ZERO:
            raise ValueError(f"nan = zero: result = {result} has no zero; allowed is maximum")

    @property
    def overflow_policy(self) -> Overflow:
        """``overflow``, or for None the format's own: INFINITY if it can serve that, else
        SATURATE."""
        if self.overflow is not None:
            return self.overflow
        own = Overflow.INFINITY in self.result.overflows
        return Overflow.INFINITY if own else Overflow.SATURATE

    @property
    def nan_code(self) -> int:
        """The code of a result that is no number."""
        code = self.result.nan_code if isinstance(self.result, Float) else None
        if code is not None:
            return code
        return 0 if self.nan is NanResult.ZERO else self.result.maximum_code

    @property
    def inputs(self) -> Mapping[str, Port]:
        """One code of shape () per operand."""
        return {name: Port(getattr(self, name), meaning="operand") for name in self.operands}

    @property
    def outputs(self) -> Mapping[str, Port]:
        """The rounded result ()."""
        return {self.result_port: Port(self.result, meaning="the result, rounded once")}

    @property
    def operations(self) -> Mapping[str, int]:
        """One operation."""
        return {self.operation: 1}

    @property
    def latency(self) -> int:
        """As many clocks as there are register ranks."""
        return self.stages

    def related_records(
        self, generator: np.random.Generator, count: int
    ) -> Mapping[str, np.ndarray]:
        """Operands for cancellation, ties, neighbours of both, and the ends of the range."""
        operands = {name: getattr(self, name) for name in self.operands}
        return related_operands(self.operation, operands, self.result, generator, count)

    @abstractmethod
    def exactly(self, *operands: Exact) -> Exact:
        """The operation on exact numbers, in the order of ``operands``."""

    def reference(self, state: Any = None, **inputs: "Tensor") -> "tuple[dict[str, Tensor], None]":
        """The exact result rounded once; there is no state."""
        import torch

        records = self.check_tensors(inputs)
        codes = [inputs[name].to(torch.int64).cpu().numpy() for name in self.operands]
        results = np.empty(records, np.int64)
        for start in range(0, records, CHUNK):
            chunk = slice(start, start + CHUNK)
            results[chunk] = self._rounded_codes(*(array[chunk] for array in codes))
        return {self.result_port: torch.from_numpy(results)}, None

    def _rounded_codes(self, *codes: np.ndarray) -> np.ndarray:
        formats = (getattr(self, name) for name in self.operands)
        numbers = self.exactly(*map(unpack, formats, codes))
        return round_to(self.result, numbers, self.rounding, self.overflow_policy, self.nan_code)


def _require_format(name: str, value: object, kinds: tuple[type[Format], ...]) -> None:
    require_kinds(name, value, kinds)
    limit = MAXIMUM_FLOAT_BITS if isinstance(value, Float) else MAXIMUM_INTEGER_BITS
    if value.bits > limit:
        raise ValueError(
            f"{name} = {value}: allowed are floats of at most {MAXIMUM_FLOAT_BITS} bits,"
            f" integers and fixed point of at most {MAXIMUM_INTEGER_BITS}"
        )
