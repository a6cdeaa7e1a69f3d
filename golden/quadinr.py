"""QuadINR's activation: half waves of parabolas instead of a sine, and the sigmoid made of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

import numpy as np

from multipede.golden.exact_arithmetic import Exact, add, multiply, remainder, scaled
from multipede.golden.fixed_function import ARGUMENT, WAVE
from multipede.golden.folded_square import largest_loss, truncated_square
from multipede.golden.formats import FixedPoint, Float, Format, Overflow, Rounding
from multipede.golden.number_format import require_type
from multipede.golden.rounded_operation import NanResult, RoundedOperation
from multipede.golden.spec import Kind

__all__ = ["Extension", "QuadINR"]

MAXIMUM_FIXED_BITS = 32
MAXIMUM_FAITHFUL_BITS = 30


class Extension(Enum):
    """What lies beyond the parabolas that meet at 0.

    ========  ==================================================================================
    PERIODIC  phi repeats with period 4: phi(x) = t (2 - abs(t)), t = ((x + 2) mod 4) - 2
    CLAMPED   phi stays at its extremes: t = min(max(x, -1), 1)
    SIGMOID   (1 + phi(x / 4)) / 2 with the clamped phi: the piecewise-quadratic sigmoid, within
              0.022 of the logistic function
    ========  ==================================================================================
    """

    PERIODIC = "periodic"
    CLAMPED = "clamped"
    SIGMOID = "sigmoid"

    def __repr__(self) -> str:
        return f"Extension.{self.name}"


@dataclass(frozen=True, kw_only=True)
class QuadINR(RoundedOperation):
    """y = phi(x) = t (2 - abs(t)), a sine-like wave of period 4 made of two parabolas.

    With v = 1 - abs(t) it is sign(t) (1 - v**2): one square. In fixed point the period costs
    nothing, since t is the low bits of x. Scales of the argument (the network's omega) belong into
    the weights in front. Not named here: see
    :class:`~multipede.golden.rounded_operation.RoundedOperation`.

    Of floats phi(-x) is -phi(x) to the bit, zeros included, unless ``rounding`` is up or down. Of
    fixed point a zero is -0 where t is -2. An infinite x has no phase and gives NaN under PERIODIC.

    Parameters
    ----------
    x : format of the argument: fixed point of 1 fraction bit and at most 32 bits, or a float of at
        most 32 bits. FixedPoint(16, 14) holds just one period.
    result : format of the result, likewise; a float if ``x`` is one.
    extension : what is computed beyond abs(x) = 1; SIGMOID for fixed point only.
    faithful : False for the exact result rounded by ``rounding``; True for either neighbour of it
        (an error of less than one unit in the last place): the square's lowest columns are left
        out, as many as that allows. Only between signed fixed-point formats, not for SIGMOID,
        with ``rounding`` nearest_away, which then has no meaning.
    """

    unit: ClassVar[str] = "quadinr"
    title: ClassVar[str] = "QuadINR's activation: parabolas of period 4 instead of a sine"
    kind: ClassVar[Kind] = Kind.FUNCTION
    source: ClassVar[str] = "QuadINR (arXiv 2508.14374), its activation; closed form derived"
    operands: ClassVar[tuple[str, ...]] = ("x",)
    result_port: ClassVar[str] = "y"
    result_kinds: ClassVar[tuple[type[Format], ...]] = (Float, FixedPoint)
    operation: ClassVar[str] = "activation"

    x: Format = ARGUMENT
    result: Format = WAVE
    extension: Extension = Extension.PERIODIC
    faithful: bool = False
    rounding: Rounding = Rounding.NEAREST_AWAY
    overflow: Overflow | None = None
    nan: NanResult = NanResult.MAXIMUM
    stages: int = 2

    def __post_init__(self):
        super().__post_init__()
        require_type("extension", self.extension, Extension)
        require_type("faithful", self.faithful, bool)
        for name in ("x", "result"):
            self._check_format(name, getattr(self, name))
        if isinstance(self.x, Float):
            self._check_float()
        if self.faithful:
            self._check_faithful()

    @staticmethod
    def _check_format(name: str, value: Format) -> None:
        if isinstance(value, Float):
            return
        fits = isinstance(value, FixedPoint) and 1 <= value.fraction_bits <= MAXIMUM_FIXED_BITS
        if not fits or value.bits > MAXIMUM_FIXED_BITS:
            raise ValueError(
                f"{name} = {value}: allowed are floats, and fixed point of at most"
                f" {MAXIMUM_FIXED_BITS} bits with 1 to {MAXIMUM_FIXED_BITS} fraction bits"
            )

    def _check_float(self) -> None:
        if not isinstance(self.result, Float):
            raise ValueError(f"result = {self.result}: with x = {self.x} it must be a float")
        if self.extension is Extension.SIGMOID:
            raise ValueError(f"extension = sigmoid: x = {self.x} must be fixed point")
        if self.x.bias < 1 or self.x.maximum < 1:
            raise ValueError(f"x = {self.x}: 1 must be among its normal numbers")

    def _check_faithful(self) -> None:
        signed = all(isinstance(f, FixedPoint) and f.signed for f in (self.x, self.result))
        if not signed or self.result.bits <= self.result.fraction_bits:
            raise ValueError(
                f"faithful = true: x = {self.x} and result = {self.result} must be signed fixed"
                " point, and result have more bits than fraction bits"
            )
        if self.x.fraction_bits > MAXIMUM_FAITHFUL_BITS:
            raise ValueError(
                f"faithful = true: x = {self.x} may have at most {MAXIMUM_FAITHFUL_BITS} fraction"
                " bits"
            )
        if self.extension is Extension.SIGMOID:
            raise ValueError("faithful = true: extension = sigmoid is always exact")
        if self.rounding is not Rounding.NEAREST_AWAY:
            raise ValueError(
                f"rounding = {self.rounding.value}: with faithful = true it must be nearest_away"
            )

    @property
    def dropped_columns(self) -> int:
        """Columns of the square, the lowest, that are not summed; 0 unless ``faithful``.

        As many as leave the square less than a unit in the last place of the result too small.
        The square has twice the fraction bits of x.
        """
        if not self.faithful:
            return 0
        bits, cut = self.x.fraction_bits, 0
        unit = 2 * bits - self.result.fraction_bits
        while cut < unit and largest_loss(bits, cut + 1) + (2 << cut) <= 1 << unit:
            cut += 1
        return cut

    def exactly(self, x: Exact) -> Exact:
        """phi of exact numbers."""
        if self.extension is Extension.PERIODIC:
            theta, odd = remainder(x, 1)
            negative = x.negative ^ odd
            if isinstance(self.x, FixedPoint):
                negative = np.where(theta.zero, odd, negative)
            return _wave(theta._replace(negative=negative), self.rounding)
        if self.extension is Extension.CLAMPED:
            return _wave(_clamped(x), self.rounding)
        wave = _wave(_clamped(scaled(x, -2)), self.rounding)
        total = scaled(add(_ones(wave), wave, self.rounding), -1)
        return total._replace(negative=np.zeros_like(total.negative))

    def _rounded_codes(self, *codes: np.ndarray) -> np.ndarray:
        return self._faithful_codes(*codes) if self.faithful else super()._rounded_codes(*codes)

    def _faithful_codes(self, x: np.ndarray) -> np.ndarray:
        """The results with a truncated square, in integers.

        abs(v) is r or 1 - r with r the fraction of x. What is cut off and the floor keep the error
        below a unit in the last place, because the sign's bit adds one: the floor of v**2 without
        what is cut off is never too high, and 1 - v**2 takes its inverse, which is a unit lower.
        """
        bits, places = self.x.fraction_bits, self.result.fraction_bits
        cut, one = self.dropped_columns, 1 << self.x.fraction_bits
        negative, rising = x >> (bits + 1) & 1, 1 - (x >> bits & 1)
        fraction = x & (one - 1)
        inside = np.ones_like(x)
        if self.extension is Extension.CLAMPED:
            negative, rising = (x < 0).astype(np.int64), (x >= 0).astype(np.int64)
            inside = ((x >= -one) & (x < one)).astype(np.int64)
        v = inside * np.where(rising == 1, one - fraction, fraction)
        square = np.where(v == one, one * one, truncated_square(v % one, bits, cut))
        drop = 2 * bits - places
        if drop <= 0:
            y = (one * one - square) << -drop
            y = np.where(negative == 1, -y, y)
        else:
            kept = (square - (1 << cut) + (negative << drop)) >> drop
            y = np.where(negative == 1, kept - (1 << places), (1 << places) - 1 - kept)
        result = self.result
        below, above = y < result.minimum_code, y > result.maximum_code
        return result.admit(y, below, above, self.overflow_policy)

    def related_records(
        self, generator: np.random.Generator, count: int
    ) -> Mapping[str, np.ndarray]:
        """Arguments near the multiples of 1, near each other's mirror images, and tiny ones."""
        turns = generator.integers(-6, 7, count) * 0.5
        distance = np.exp2(-generator.uniform(0, 40, count)) * generator.choice([-1, 1], count)
        values = np.where(generator.random(count) < 0.2, turns, turns + distance)
        small = generator.random(count) < 0.2
        values = np.where(small, distance * np.exp2(-generator.uniform(0, 40, count)), values)
        overflow = Overflow.SATURATE
        return {"x": np.asarray(self.x.encode(values, overflow=overflow))}


def _clamped(x: Exact) -> Exact:
    """The numbers of magnitude 1 at most, those beyond being 1 in magnitude."""
    one = _ones(x)
    # Leading bits are all in one place, so that from 1 on exponents are no less than that of 1.
    beyond = (x.exponent >= one.exponent) & ~x.nan
    return Exact(
        negative=x.negative,
        exponent=np.where(beyond, one.exponent, x.exponent),
        head=np.where(beyond, one.head, x.head),
        tail=np.where(beyond, one.tail, x.tail),
        infinite=x.infinite & ~beyond,
        nan=x.nan,
    )


def _ones(like: Exact) -> Exact:
    """1 as often as there are numbers."""
    never = np.zeros(like.head.shape, np.bool_)
    head = np.full(like.head.shape, 1 << 62, np.uint64)
    exponent = np.full(like.head.shape, -62, np.int64)
    return Exact(never, exponent, head, np.zeros_like(head), never, never)


def _wave(t: Exact, rounding: Rounding) -> Exact:
    """t (2 - abs(t)) for abs(t) of at most 2, with the sign of t for zeros, too."""
    square = multiply(t, t)._replace(negative=~t.negative)
    total = add(scaled(t, 1), square, rounding)
    return total._replace(negative=t.negative)
