"""Binary floating point of any small shape: sign, exponent, mantissa, most significant first."""

from dataclasses import KW_ONLY, dataclass
from enum import Enum
from functools import cached_property
from typing import ClassVar

import numpy as np

from multipede.golden.number_format import INADMISSIBLE, Format, require_range, require_type
from multipede.golden.rounding import Overflow, Rounding

# The parts of a float64 pattern, on which all rounding works.
_FRACTION_BITS = 52
_FRACTION = (1 << _FRACTION_BITS) - 1
_BIAS = 1023
_MAGNITUDE = (1 << 63) - 1
_INFINITY = 0x7FF << _FRACTION_BITS


class Specials(Enum):
    """Which magnitude codes (all bits but the sign) are no finite number.

    ======  ===========================================================================
    IEEE    the highest exponent: mantissa 0 is infinity, any other NaN (FP16, E5M2)
    FN      the code of all ones is NaN, there is no infinity (E4M3, E8M0)
    FINITE  none (E2M1, E2M3, E3M2)
    ======  ===========================================================================
    """

    IEEE = "ieee"
    FN = "fn"
    FINITE = "finite"

    def __repr__(self) -> str:
        return f"Specials.{self.name}"


@dataclass(frozen=True)
class Float(Format):
    """Floating point of `exponent_bits` and `mantissa_bits`, after a sign bit if `signed`.

    A code with exponent field e and mantissa field m is 2**(e - bias) * (1 + m / 2**mantissa_bits)
    except where

    - `subnormals`: e = 0 is 2**(1 - bias) * m / 2**mantissa_bits, hence m = 0 is zero;
    - `zero` without `subnormals`: e = 0 is zero whatever m; a value that rounds, with an
      unbounded exponent, to less than the smallest normal number is flushed to zero, in every
      rounding;
    - neither: e = 0 is as any other; zero is out of range, as all below code 0 (unsigned only);
    - `specials` says that it is infinite or NaN.

    `bias` defaults to 2**(exponent_bits - 1) - 1. Zero has a sign in signed formats. Any NaN
    encodes to `nan_code`. Every value must be a normal float64, of at most 51 mantissa bits.

    Overflow: SATURATE and RAISE always; NAN if there is a NaN; INFINITY if there is a NaN or,
    in a signed format, an infinity.
    """

    exponent_bits: int
    mantissa_bits: int
    _: KW_ONLY
    bias: int | None = None
    signed: bool = True
    subnormals: bool = True
    zero: bool = True
    specials: Specials = Specials.IEEE

    kind: ClassVar[str] = "float"
    noun: ClassVar[str] = "a float format"

    def __post_init__(self) -> None:
        require_range("exponent_bits", self.exponent_bits, 1, 11)
        require_range("mantissa_bits", self.mantissa_bits, 0, 51)
        for name in ("signed", "subnormals", "zero"):
            require_type(name, getattr(self, name), bool)
        require_type("specials", self.specials, Specials)
        if self.bias is None:
            object.__setattr__(self, "bias", (1 << (self.exponent_bits - 1)) - 1)
        top = self.maximum_code >> self.mantissa_bits
        low, high = top - _BIAS, _BIAS - 1 - self.mantissa_bits
        if low > high:
            raise ValueError(
                f"exponent_bits = {self.exponent_bits}: with mantissa_bits = {self.mantissa_bits}"
                " there is no bias by which float64 holds all values"
            )
        require_range("bias", self.bias, low, high)
        if not self.zero and (self.subnormals or self.signed):
            raise ValueError("zero = False: allowed in unsigned formats without subnormals")
        if self.maximum_code < self._minimum_magnitude:
            raise ValueError(f"specials = {self.specials.name}: leaves no normal number")

    @property
    def name(self) -> str:
        """As in fp16, e4m3; in general as in ue3m4-finite-b5-ftz (see `parse_format`)."""
        return _NAMES.get(self) or self.full_name

    @property
    def full_name(self) -> str:
        """The name that says everything: e4m3-fn, e3m4-ieee-b5-ftz, ue8m0-fn-nozero."""
        sign = "" if self.signed else "u"
        default_bias = self.bias == (1 << (self.exponent_bits - 1)) - 1
        small = "" if self.subnormals else ("-ftz" if self.zero else "-nozero")
        return (
            f"{sign}e{self.exponent_bits}m{self.mantissa_bits}-{self.specials.value}"
            f"{'' if default_bias else f'-b{self.bias}'}{small}"
        )

    @property
    def bits(self) -> int:
        """The width of a code: sign, exponent and mantissa."""
        return self.signed + self._magnitude_bits

    @property
    def maximum(self) -> float:
        """The highest finite value."""
        return float(self.decode(self.maximum_code))

    @property
    def minimum(self) -> float:
        """The lowest finite value: -maximum, or the smallest value of an unsigned format."""
        return -self.maximum if self.signed else float(self.decode(0))

    @property
    def smallest_normal(self) -> float:
        """The smallest positive value with a full mantissa."""
        return float(self.decode(self._minimum_magnitude))

    @property
    def smallest(self) -> float:
        """The smallest positive value of a format with subnormals, and what all are multiples of:
        2**(1 - bias - mantissa_bits).
        """
        return 2.0 ** (1 - self.bias - self.mantissa_bits)

    @property
    def smallest_number(self) -> float:
        """The smallest positive value, subnormal where there are such."""
        return self.smallest if self.subnormals else self.smallest_normal

    @property
    def maximum_code(self) -> int:
        """The code of the highest finite value."""
        match self.specials:
            case Specials.IEEE:
                return self.infinity_code - 1
            case Specials.FN:
                return self._all_ones - 1
            case Specials.FINITE:
                return self._all_ones

    @property
    def minimum_code(self) -> int:
        """The code of the lowest finite value."""
        return self.maximum_code | 1 << self._magnitude_bits if self.signed else 0

    @property
    def infinity_code(self) -> int | None:
        """The code of plus infinity, if there is one."""
        if self.specials is not Specials.IEEE:
            return None
        return ((1 << self.exponent_bits) - 1) << self.mantissa_bits

    @property
    def nan_code(self) -> int | None:
        """The NaN that encoding yields, if there is one: positive and quiet."""
        if self.specials is Specials.FN:
            return self._all_ones
        if self.specials is Specials.IEEE and self.mantissa_bits:
            return self.infinity_code | 1 << (self.mantissa_bits - 1)
        return None

    @cached_property
    def overflows(self) -> tuple[Overflow, ...]:
        """The overflow policies that the format can serve."""
        has_nan = self.nan_code is not None
        infinity = has_nan or (self.signed and self.infinity_code is not None)
        return (
            Overflow.SATURATE,
            *((Overflow.INFINITY,) if infinity else ()),
            *((Overflow.NAN,) if has_nan else ()),
            Overflow.RAISE,
        )

    def corners(self) -> list[int]:
        """Zero, one, the extremes, the smallest subnormal and normal numbers, all with their
        neighbours and in both signs, infinities, and quiet, signalling and all-ones NaN."""
        mantissa = self.mantissa_bits
        finite = [0, 1]
        one = self.bias << mantissa
        for centre in (self._minimum_magnitude, one, self.maximum_code):
            finite += [centre - 1, centre, centre + 1]
        magnitudes = [m for m in finite if 0 <= m <= self.maximum_code]
        if self.infinity_code is not None:
            magnitudes.append(self.infinity_code)
        if self.nan_code is not None:
            magnitudes += [self.nan_code, self.maximum_code + 2, self._all_ones]
        magnitudes = [m for m in magnitudes if m <= self._all_ones]
        signs = (0, 1 << self._magnitude_bits) if self.signed else (0,)
        return list(dict.fromkeys(sign | m for m in magnitudes for sign in signs))

    @property
    def _magnitude_bits(self) -> int:
        return self.exponent_bits + self.mantissa_bits

    @property
    def _all_ones(self) -> int:
        return (1 << self._magnitude_bits) - 1

    @property
    def _minimum_magnitude(self) -> int:
        """The smallest normal number."""
        return 1 << self.mantissa_bits if self.zero else 0

    @property
    def _allowed(self) -> str:
        return f"0 to {(1 << self.bits) - 1}"

    def _valid(self, codes: np.ndarray) -> np.ndarray:
        return codes >> self.bits == 0

    def _decode(self, codes: np.ndarray) -> np.ndarray:
        mantissa_bits = self.mantissa_bits
        magnitude = codes & self._all_ones
        exponent = magnitude >> mantissa_bits
        pattern = (magnitude << (_FRACTION_BITS - mantissa_bits)) + (
            (_BIAS - self.bias) << _FRACTION_BITS
        )
        values = pattern.view(np.float64)
        if self.zero:
            tiny = 0.0
            if self.subnormals:
                tiny = magnitude * 2.0 ** (1 - self.bias - mantissa_bits)
            values = np.where(exponent == 0, tiny, values)
        if self.infinity_code is not None:
            values = np.where(magnitude == self.infinity_code, np.inf, values)
        if self.nan_code is not None:
            is_nan = magnitude > (self.infinity_code or self.maximum_code)
            values = np.where(is_nan, np.nan, values)
        return np.where(codes >> self._magnitude_bits != 0, -values, values)

    def _encode(self, values: np.ndarray, rounding: Rounding, overflow: Overflow) -> np.ndarray:
        pattern = values.view(np.int64)
        negative = pattern < 0
        wide = pattern & _MAGNITUDE
        magnitude = self._round(wide, negative, rounding)
        codes = self.admit(magnitude, negative, wide == _INFINITY, rounding, overflow)
        is_nan = wide > _INFINITY
        if is_nan.any():
            codes[is_nan] = INADMISSIBLE if self.nan_code is None else self.nan_code
        return codes

    def admit(
        self,
        magnitude: np.ndarray,
        negative: np.ndarray,
        infinite: np.ndarray,
        rounding: Rounding,
        overflow: Overflow,
    ) -> np.ndarray:
        """The codes (int64) of numbers that are rounded already, in an unbounded range.

        Parameters
        ----------
        magnitude : codes without sign, continued in both directions: beyond `maximum_code`,
            where infinities are, and, in a format without subnormals, below 0.
        negative : which of them are negative.
        infinite : which of them are infinities.
        rounding, overflow : as in `encode`; under `Overflow.RAISE` numbers out of range become
            INADMISSIBLE.
        """
        above = magnitude > self.maximum_code
        if self.zero and not self.subnormals:
            magnitude = np.where(magnitude < self._minimum_magnitude, 0, magnitude)
        below = magnitude < 0
        if self.signed:
            codes = magnitude | negative.astype(np.int64) << self._magnitude_bits
        else:
            # Of negative numbers only zero is in range, and without a zero none.
            below |= negative & (magnitude >= int(self.zero))
            above &= ~below
            codes = magnitude
        outside = above | below
        if outside.any():
            codes[outside] = self._out_of_range(
                infinite[outside], negative[outside], below[outside], rounding, overflow
            )
        return codes

    def _round(self, wide: np.ndarray, negative: np.ndarray, rounding: Rounding) -> np.ndarray:
        """Magnitude codes of float64 magnitude patterns, the range unbounded on both sides.

        Moving the exponent to the new bias makes the pattern's leading bits the code; what
        stands below is cut off with the rounding, whose carry runs into the exponent by itself.
        """
        body = wide - ((_BIAS - self.bias) << _FRACTION_BITS)
        shift = np.int64(_FRACTION_BITS - self.mantissa_bits)
        if self.subnormals:
            exponent = body >> _FRACTION_BITS
            tiny = exponent < 1
            if tiny.any():
                significand = wide & _FRACTION | np.int64(1 << _FRACTION_BITS)
                # Beyond 60 a shift leaves less than half of the smallest subnormal, as 60 does.
                depth = np.minimum(shift + 1 - exponent, 60)
                body = np.where(tiny, np.where(wide == 0, 0, significand), body)
                shift = np.where(tiny, depth, shift)
        one = np.int64(1)
        match rounding:
            case Rounding.NEAREST_EVEN:
                added = (one << (shift - 1)) - 1 + (body >> shift & 1)
            case Rounding.NEAREST_AWAY:
                added = one << (shift - 1)
            case Rounding.TOWARD_ZERO:
                added = 0
            case Rounding.DOWN:
                added = np.where(negative, (one << shift) - 1, 0)
            case Rounding.UP:
                added = np.where(negative, 0, (one << shift) - 1)
        return body + added >> shift

    def _out_of_range(
        self,
        infinite: np.ndarray,
        negative: np.ndarray,
        below: np.ndarray,
        rounding: Rounding,
        overflow: Overflow,
    ) -> np.ndarray:
        """The codes of values out of range; `below` are those beneath an unsigned format."""
        sign = negative.astype(np.int64) << self._magnitude_bits if self.signed else 0
        nearest = np.where(below, 0, self.maximum_code | sign)
        # The code beyond the last finite one is the infinity of that side, or else NaN.
        has_infinity = ~below & (self.infinity_code is not None)
        beyond = np.where(has_infinity, (self.infinity_code or 0) | sign, self.nan_code or 0)
        match overflow:
            case Overflow.SATURATE:
                codes = nearest
            case Overflow.RAISE:
                codes = INADMISSIBLE
            case Overflow.NAN:
                codes = self.nan_code
            case Overflow.INFINITY:
                low = below | negative
                inwards = {Rounding.TOWARD_ZERO: True, Rounding.UP: low, Rounding.DOWN: ~low}
                codes = np.where(inwards.get(rounding, False) & ~infinite, nearest, beyond)
        return np.where(infinite & has_infinity, beyond, codes)


FP32 = Float(8, 23)
FP16 = Float(5, 10)
BF16 = Float(8, 7)
TF32 = Float(8, 10)
E5M2 = Float(5, 2)
E4M3 = Float(4, 3, specials=Specials.FN)
E3M2 = Float(3, 2, specials=Specials.FINITE)
E2M3 = Float(2, 3, specials=Specials.FINITE)
E2M1 = Float(2, 1, specials=Specials.FINITE)
E3M0 = Float(3, 0, specials=Specials.FINITE)
E8M0 = Float(8, 0, signed=False, subnormals=False, zero=False, specials=Specials.FN)
UE4M3 = Float(4, 3, signed=False, specials=Specials.FN)
UE5M3 = Float(5, 3, signed=False, specials=Specials.FN)

NAMED_FLOATS = {
    "fp32": FP32,
    "fp16": FP16,
    "bf16": BF16,
    "tf32": TF32,
    "e5m2": E5M2,
    "e4m3": E4M3,
    "e3m2": E3M2,
    "e2m3": E2M3,
    "e2m1": E2M1,
    "e3m0": E3M0,
    "e8m0": E8M0,
    "ue4m3": UE4M3,
    "ue5m3": UE5M3,
}
_NAMES = {number_format: name for name, number_format in NAMED_FLOATS.items()}
