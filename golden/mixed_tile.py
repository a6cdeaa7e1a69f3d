"""What tiles of integer weights and integer or float activations compute."""

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from multipede.golden.aligned_sums import AlignedState, aligned_group_sums
from multipede.golden.digits import digit_count, joined, shifted_digits
from multipede.golden.formats import UINT1, FixedPoint, Float, Integer
from multipede.golden.integer_tile import MAXIMUM_CODE_BITS, IntegerTile, TileState
from multipede.golden.number_format import require_kinds, require_range, require_type
from multipede.golden.significands import has_specials, maximum_significand, significands
from multipede.golden.spec import Port

if TYPE_CHECKING:
    from torch import Tensor

FLOAT_BITS = 16
DEFAULT_GUARD = 8
MAXIMUM_GUARD = 32


class Accumulation(Enum):
    """How a group's products with float activations are summed."""

    EXACT = "exact"
    """in fixed point, wide enough for every sum"""
    ALIGNED = "aligned"
    """in the unit of the row's largest exponent so far; what lies below the guard bits is lost"""

    def __repr__(self) -> str:
        return f"Accumulation.{self.name}"


@dataclass(frozen=True, kw_only=True)
class MixedTile(IntegerTile):
    """D[r, c] = sum over k in the group of (w[c, k] - z[c]) a[r, k], with integers or floats a.

    With integer activations this is :class:`IntegerTile`. With floats, each a lane's significand
    m (signed; 0 for zero, infinity and NaN) times 2**(e - bias - mantissa_bits), where e is its
    exponent field, at least 1, groups are summed in one of two ways.

    **Exact**: d is D in fixed point, exactly.

    **Aligned**, for formats whose fixed point is wide: every row has an exponent x, 0 when a group
    starts. A record raises x to the largest e of its lanes with m != 0, if that is larger, and
    shifts the sums P and S of the row to the right by as much (arithmetically, so that they are
    rounded down). Then each lane adds t = floor(m 2**(guard + e - x)): P += w t and S += t. At
    the group's end d = P - z S and ``exponent`` = x, for D = d 2**(x - bias - mantissa_bits -
    guard). With u = 2**(x - bias - mantissa_bits - guard), an error of P is at most
    (group max |w| + records) u and one of S at most (group + records) u, hence one of D at most
    the first and |z| times the second.

    A group with an infinite or NaN activation has ``nan`` set in that row, and d is the sum of the
    other lanes.

    Parameters
    ----------
    activation : integer format, or a signed float of at most 16 bits.
    accumulation : ``exact`` or ``aligned``, for floats; None for exact if D then has at most 63
        bits (FP16 has), and else aligned (BF16).
    guard : bits kept below the significand under ``aligned``, 0 to 32; None for 8.
    """

    activation: Integer | Float = IntegerTile.activation
    accumulation: Accumulation | None = None
    guard: int | None = None

    def __post_init__(self):
        super().__post_init__()
        self._check_accumulation()

    def _check_activation(self) -> None:
        a = self.activation
        floats = f"signed floats of at most {FLOAT_BITS} bits"
        low, high = self.activation_bits
        takes = f"{self.unit} takes integers of {low} to {high} bits and {floats}"
        require_kinds("activation", a, (Integer, Float), takes)
        if not isinstance(a, Float):
            super()._check_activation()
        elif not a.signed or a.bits > FLOAT_BITS:
            raise ValueError(f"activation = {a}: {self.unit} takes {floats}")
        elif a.bias + a.mantissa_bits < 1:
            raise ValueError(f"activation = {a}: its smallest values must be fractions")

    def _check_accumulation(self) -> None:
        if self.accumulation is not None:
            require_type("accumulation", self.accumulation, Accumulation)
        if self.guard is not None:
            require_range("guard", self.guard, 0, MAXIMUM_GUARD)
        if not self.is_float and self.accumulation is Accumulation.ALIGNED:
            raise ValueError(f"accumulation = aligned: not with activation = {self.activation}")
        if self.guard is not None and not self.is_aligned:
            raise ValueError(f"guard = {self.guard}: only with accumulation = aligned")
        if self.is_dequantised:
            self._check_dequantised_sums()
        if self.is_aligned and self.result.bits > MAXIMUM_CODE_BITS:
            raise ValueError(
                f"guard = {self.guard_bits}: sums would have {self.result.bits} bits, at most"
                f" {MAXIMUM_CODE_BITS} are allowed"
            )

    def _check_dequantised_sums(self) -> None:
        if self.is_aligned and self.second_level:
            raise ValueError(f"scale = {self.scale}: aligned sums take fp16, bf16 and fp32")
        if self.result.bits > MAXIMUM_CODE_BITS:
            raise ValueError(
                f"output = dequantised: sums have {self.result.bits} bits, at most"
                f" {MAXIMUM_CODE_BITS} are allowed; accumulation = aligned has fewer"
            )

    @property
    def is_float(self) -> bool:
        """Whether activations are floats."""
        return isinstance(self.activation, Float)

    @property
    def is_aligned(self) -> bool:
        """Whether sums are aligned, not exact."""
        if self.accumulation is None and self.is_float:
            return self._exact_range[1].bit_length() + 1 > MAXIMUM_CODE_BITS
        return self.accumulation is Accumulation.ALIGNED

    @property
    def guard_bits(self) -> int:
        """Bits below the significand of an aligned sum."""
        return DEFAULT_GUARD if self.guard is None else self.guard

    @property
    def _exact_range(self) -> tuple[int, int]:
        significand, exponent = maximum_significand(self.activation)
        highest = significand << (exponent - 1)
        return self._sum_range(-highest, highest)

    @property
    def addend_range(self) -> tuple[int, int]:
        """Lowest and highest integer that a lane puts in for its activation."""
        if not self.is_float:
            return super().addend_range
        significand, exponent = maximum_significand(self.activation)
        if self.is_aligned:
            # P and S are rounded down apart, so that d may lie up to max |z| below its share. That
            # is less than half of one lane's largest contribution if the latter is 2 or more.
            widest = (1 << (self.activation.mantissa_bits + 1)) - 1
            highest = max(2, widest << self.guard_bits)
        else:
            highest = significand << (exponent - 1)
        return -highest, highest

    @property
    def fraction_bits(self) -> int:
        """Bits of an exact D behind the binary point."""
        return self.activation.bias + self.activation.mantissa_bits - 1 if self.is_float else 0

    @property
    def channel_sum(self) -> Integer | FixedPoint:
        """As that of integers; of floats with the binary point of D."""
        bits = super().channel_sum.bits
        return FixedPoint(bits, self.fraction_bits) if self.is_float else Integer(bits)

    @property
    def exponent(self) -> Integer:
        """Format of an aligned sum's exponent."""
        return Integer.spanning(0, maximum_significand(self.activation)[1])

    @property
    def has_nan(self) -> bool:
        """Whether activations may be infinite or NaN, so that there is a port ``nan``."""
        return self.is_float and has_specials(self.activation)

    @property
    def exponent_offset(self) -> int:
        """What an aligned sum's exponent is lessened by: D = d 2**(exponent - exponent_offset)."""
        return self.activation.bias + self.activation.mantissa_bits + self.guard_bits

    @property
    def _group_outputs(self) -> dict[str, Port]:
        """``d`` (rows, columns), for aligned sums ``exponent`` (rows), ``nan`` (rows) if
        activations may be infinite or NaN, and ``last`` ().
        """
        ports = super()._group_outputs
        last = ports.pop("last")
        if self.is_aligned:
            ports["exponent"] = Port(self.exponent, (self.rows,), "exponent that a row's D share")
        elif self.is_float:
            d = self.result
            number_format = FixedPoint(d.bits, self.fraction_bits, d.signed)
            ports["d"] = replace(ports["d"], format=number_format)
        if self.has_nan:
            ports["nan"] = Port(UINT1, (self.rows,), "1 if an activation of it was infinite or NaN")
        return ports | {"last": last}

    def _group_reference(
        self, state: TileState | AlignedState | None, inputs: "dict[str, Tensor]"
    ) -> "tuple[dict[str, Tensor], TileState | AlignedState]":
        """Exact or aligned group sums."""
        if not self.is_float:
            return super()._group_reference(state, inputs)
        if self.is_aligned:
            return aligned_group_sums(self, state, inputs)
        return self._exact_float_sums(state, inputs)

    def _exact_float_sums(
        self, state: TileState | None, inputs: "dict[str, Tensor]"
    ) -> "tuple[dict[str, Tensor], TileState]":
        """As :meth:`IntegerTile.reference`, digit by digit."""
        import torch

        numbers = significands(self.activation, inputs["a"])
        port = self.outputs["d"]
        count = digit_count(self.addend_range[1].bit_length())
        digits = shifted_digits(numbers.significand, numbers.exponent - 1, count)
        special = numbers.special.any(dim=2).to(torch.int64)
        sums, rest = self._sums(state, digits.movedim(-1, 1), special, inputs)
        sums["d"] = joined(sums["d"].movedim(1, -1), port)
        return {name: sums[name] for name in self.outputs}, rest
