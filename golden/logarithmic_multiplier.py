"""Multipliers that add: the code of a float is nearly the logarithm of its number."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from multipede.golden.formats import BF16, Float
from multipede.golden.logarithmic_policies import (
    PRESETS,
    Policies,
    Preset,
    SmallOperands,
    SpecialOperands,
    SpecialSums,
    SumOverflow,
    SumUnderflow,
    ZeroSign,
)
from multipede.golden.number_format import require_range, require_type
from multipede.golden.related_operands import related_operands
from multipede.golden.rounded_operation import MAXIMUM_FLOAT_BITS, MAXIMUM_STAGES
from multipede.golden.spec import Kind, Port, Spec

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["LogarithmicMultiplier"]


@dataclass(frozen=True, kw_only=True)
class LogarithmicMultiplier(Spec):
    """p = a b, nearly: the sum of the codes' magnitudes, minus the bias, plus a correction.

    A magnitude is the code without its sign: the exponent field above the mantissa field. With m
    mantissa bits the sum is::

        s = |a| + |b| - bias 2**m + correction(mantissa of a, mantissa of b)

    and where 2**m <= s <= the highest finite code, the product has this magnitude and the exclusive
    or of the signs. A carry out of the mantissas so runs into the exponent, as in an integer adder,
    and nothing is shifted back. All other cases are a matter of choice: ``preset`` makes all
    choices, the others one each, where they are not none.

    Parameters
    ----------
    format : of a, b and p: a float of at most 32 bits with a mantissa and a zero.
    preset : whose choices are made.
    small_operands : which operands make the product zero.
    special_operands : what infinite and NaN operands give.
    underflow : which sums below the smallest normal number become zero.
    overflow : what sums beyond all magnitudes become.
    special_sums : what sums become that are the code of infinity or NaN.
    zero_sign : the sign of zero.
    stages : register ranks between input and output, 0 to 12.

    Raises
    ------
    TypeError, ValueError
        Naming the parameter, the value and what is allowed.
    """

    kind: ClassVar[Kind] = Kind.MULTIPLIER

    format: Float = BF16
    preset: Preset = Preset.STANDARD
    small_operands: SmallOperands | None = None
    special_operands: SpecialOperands | None = None
    underflow: SumUnderflow | None = None
    overflow: SumOverflow | None = None
    special_sums: SpecialSums | None = None
    zero_sign: ZeroSign | None = None
    stages: int = 1

    def __post_init__(self):
        require_type("format", self.format, Float)
        takes = f"{self.unit} takes floats of at most {MAXIMUM_FLOAT_BITS} bits"
        if self.format.bits > MAXIMUM_FLOAT_BITS:
            raise ValueError(f"format = {self.format}: {takes}")
        if not self.format.mantissa_bits:
            raise ValueError(f"format = {self.format}: {takes} with a mantissa")
        if not self.format.zero:
            raise ValueError(f"format = {self.format}: {takes} with a zero")
        require_type("preset", self.preset, Preset)
        for field in fields(Policies):
            if getattr(self, field.name) is not None:
                require_type(field.name, getattr(self, field.name), field.type)
        require_range("stages", self.stages, 0, MAXIMUM_STAGES)

    @abstractmethod
    def corrections(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """What is added for mantissa fields ``a`` and ``b``, in units of the last place, int64."""

    @property
    @abstractmethod
    def correction_range(self) -> tuple[int, int]:
        """The lowest and the highest of them."""

    @cached_property
    def policies(self) -> Policies:
        """The choices in force."""
        preset = PRESETS[self.preset]
        chosen = {field.name: getattr(self, field.name) for field in fields(Policies)}
        own = {name: value for name, value in chosen.items() if value is not None}
        return Policies(**(vars(preset) | own))

    @property
    def overflow_code(self) -> int | None:
        """The magnitude of sums beyond all others; None where they are wrapped."""
        number_format = self.format
        match self.policies.overflow:
            case SumOverflow.WRAP:
                return None
            case SumOverflow.ALL_ONES:
                return self.modulus - 1
            case SumOverflow.SATURATE:
                return number_format.maximum_code
            case SumOverflow.INFINITY:
                codes = number_format.infinity_code, number_format.nan_code
                found = (code for code in codes if code is not None)
                return next(found, number_format.maximum_code)

    @property
    def overflow_has_sign(self) -> bool:
        """False where NaN stands for infinity: it is the one NaN that the format encodes to."""
        number_format = self.format
        is_nan = number_format.infinity_code is None and number_format.nan_code is not None
        return not (self.policies.overflow is SumOverflow.INFINITY and is_nan)

    @property
    def modulus(self) -> int:
        """One more than the highest magnitude of a code."""
        return 1 << (self.format.exponent_bits + self.format.mantissa_bits)

    @property
    def smallest_kept(self) -> int | None:
        """The lowest sum that does not become zero; None where all are wrapped."""
        match self.policies.underflow:
            case SumUnderflow.WRAP:
                return None
            case SumUnderflow.NEGATIVE:
                return 0
            case SumUnderflow.FLUSH:
                return 1 << self.format.mantissa_bits

    @property
    def largest_kept(self) -> int | None:
        """The highest sum that stays as it is; None where all are wrapped."""
        if self.overflow_code is None:
            return None
        keeps = self.policies.special_sums is SpecialSums.KEEP
        return self.modulus - 1 if keeps else self.format.maximum_code

    @property
    def checks_specials(self) -> bool:
        """Whether infinite and NaN operands are looked for."""
        number_format = self.format
        has_specials = number_format.maximum_code < self.modulus - 1
        return has_specials and self.policies.special_operands is SpecialOperands.IEEE

    @property
    def inputs(self) -> Mapping[str, Port]:
        """The factors ``a`` () and ``b`` ()."""
        return {"a": Port(self.format, meaning="factor"), "b": Port(self.format, meaning="factor")}

    @property
    def outputs(self) -> Mapping[str, Port]:
        """The product ``p`` ()."""
        return {"p": Port(self.format, meaning="a b, nearly")}

    @property
    def operations(self) -> Mapping[str, int]:
        """One multiplication."""
        return {"multiply": 1}

    @property
    def latency(self) -> int:
        """As many clocks as there are register ranks."""
        return self.stages

    def related_records(
        self, generator: np.random.Generator, count: int
    ) -> Mapping[str, np.ndarray]:
        """Operands whose products lie near each other and near the ends of the range."""
        operands = {"a": self.format, "b": self.format}
        return related_operands("multiply", operands, self.format, generator, count)

    def reference(self, state: Any = None, **inputs: "Tensor") -> "tuple[dict[str, Tensor], None]":
        """The product; there is no state."""
        import torch

        self.check_tensors(inputs)
        a, b = (inputs[name].to(torch.int64).cpu().numpy() for name in "ab")
        return {"p": torch.from_numpy(self.products(a, b))}, None

    def products(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Codes (int64) of the products of codes (int64) of any shapes that go together."""
        magnitudes = a & (self.modulus - 1), b & (self.modulus - 1)
        negative = ((a ^ b) & self.modulus) * self.format.signed
        small = np.logical_or(*map(self._counts_as_zero, magnitudes))
        codes = self._of_sums(self.sums(*magnitudes), negative)
        signless = self.policies.zero_sign is not ZeroSign.PRODUCT
        codes = np.where(small, 0 if signless else negative, codes)
        return self._with_specials(codes, magnitudes, negative) if self.checks_specials else codes

    def sums(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """s of magnitudes (int64), as it is: negative or beyond the format's codes, too."""
        mantissa_bits = self.format.mantissa_bits
        fraction = (1 << mantissa_bits) - 1
        correction = self.corrections(a & fraction, b & fraction)
        return a + b - (self.format.bias << mantissa_bits) + correction

    def _of_sums(self, sums: np.ndarray, negative: np.ndarray) -> np.ndarray:
        """Codes of the sums of operands that are numbers other than zero."""
        codes = sums & (self.modulus - 1) | negative
        if self.largest_kept is not None:
            beyond = self.overflow_code | (negative if self.overflow_has_sign else 0)
            codes = np.where(sums > self.largest_kept, beyond, codes)
        if self.smallest_kept is not None:
            positive = self.policies.zero_sign is ZeroSign.POSITIVE
            codes = np.where(sums < self.smallest_kept, 0 if positive else negative, codes)
        return codes

    def _with_specials(
        self, codes: np.ndarray, magnitudes: tuple[np.ndarray, np.ndarray], negative: np.ndarray
    ) -> np.ndarray:
        """The codes, or what infinite and NaN operands give."""
        number_format = self.format
        nan, infinite, zero = np.zeros((3, *codes.shape), np.bool_)
        for magnitude in magnitudes:
            special = magnitude > number_format.maximum_code
            is_infinite = special & (magnitude == number_format.infinity_code)
            nan |= special & ~is_infinite
            infinite |= is_infinite
            zero |= self._counts_as_zero(magnitude)
        if number_format.infinity_code is not None:
            codes = np.where(infinite, number_format.infinity_code | negative, codes)
        if number_format.nan_code is not None:
            codes = np.where(nan | (infinite & zero), number_format.nan_code, codes)
        return codes

    def _counts_as_zero(self, magnitude: np.ndarray) -> np.ndarray:
        match self.policies.small_operands:
            case SmallOperands.FLUSH:
                return magnitude < 1 << self.format.mantissa_bits
            case SmallOperands.ZERO:
                return magnitude == 0
            case SmallOperands.ADD:
                return np.zeros(magnitude.shape, np.bool_)
