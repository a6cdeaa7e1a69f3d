"""What a faithful result asks of the number whose floor it is, at every argument.

A result is faithful if it is one of the two neighbours of f(x), or f(x) itself: |y - f(x)| < 1 unit
in the last place. Since y is the floor of v, that bounds v from both sides at every code of x.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from multipede.golden.formats import FixedPoint
from multipede.golden.function_folds import Fold, fold_codes
from multipede.golden.function_values import function_values
from multipede.golden.real_functions import RealFunction

__all__ = ["FaithfulTask", "Problem", "faithful_offset"]

_UNSURE = 2.0**-14
"""units in the last place by which values may be off; a number of the result itself, seen as a
little less, has a neighbour that is not its own"""

_SAME = 0.25
"""units in the last place by which values of arguments that are folded together may differ"""


@dataclass(frozen=True)
class Problem:
    """What v must be, by address and carry.

    ``lower`` <= v < ``upper``, in units in the result's last place, of shape (2**bits, 1 or 2);
    ``centre`` (2**bits + 1,) is a smooth function near their middle, of the address plus the carry.
    v needs ``guard`` places below the result's last at least.
    """

    fold: Fold
    adds: bool
    centred: bool
    bits: int
    signed: bool
    lower: np.ndarray
    upper: np.ndarray
    centre: np.ndarray
    guard: int

    @property
    def addresses(self) -> int:
        """How many there are."""
        return 1 << self.bits


@dataclass(frozen=True)
class FaithfulTask:
    """A function between fixed-point formats.

    Parameters
    ----------
    function : f.
    x, result : formats of the argument and the result.
    interval : the lowest and the highest code of x that count.
    tolerance : largest error in units in the last place, more than 1/2 and 1 at most.
    centred : whether codes of x stand for half a unit more than they say.
    """

    function: RealFunction
    x: FixedPoint
    result: FixedPoint
    interval: tuple[int, int]
    tolerance: float = 1.0
    centred: bool = False

    @cached_property
    def values(self) -> np.ndarray:
        """f in units in the result's last place at the codes of the interval.

        Raises ValueError where f is not finite, or leaves the range of the result by more than a
        unit.
        """
        values = self._values(*self.interval)
        low, high = self.result.minimum_code, self.result.maximum_code
        for extreme in (values.min(), values.max()):
            if not low - 1.0001 <= extreme <= high + 1.0001:
                raise ValueError(
                    f"result = {self.result}: it holds {float(self.result.minimum):g} to"
                    f" {float(self.result.maximum):g}, and {self.function.text!r} reaches"
                    f" {extreme * float(self._unit):g}"
                )
        return values

    @property
    def _unit(self) -> Fraction:
        return Fraction(1, 1 << self.result.fraction_bits)

    def _values(self, first: int, last: int) -> np.ndarray:
        bits = self.x.fraction_bits
        if not self.centred:
            return function_values(self.function, bits, first, last, self._unit)
        # The odd codes of a place more.
        return function_values(self.function, bits + 1, 2 * first, 2 * last + 1, self._unit)[1::2]

    def problems(self, fold: Fold, adds: bool) -> list[Problem]:
        """What a fold asks of v, with or without an adder for the carry; nothing if the function
        has not the symmetry, or it makes no sense. Raises ValueError as ``values``."""
        carries = fold.mirrors and not self.centred
        if (adds and not carries) or (self.centred and fold is Fold.RELU):
            return []
        bits = self._address_bits(fold)
        problem = None if bits is None else self._problem(fold, adds, bits)
        return [] if problem is None else [problem]

    def _address_bits(self, fold: Fold) -> int | None:
        """Bits of the fold's address; None where it does not apply."""
        first, last = self.interval
        if fold.periodic:
            values = self.values
            for bits in range(2, len(values).bit_length()):
                period = 1 << bits
                if np.abs(values[period:] - values[:-period]).max(initial=0) < _SAME / 16:
                    return bits - 2
            return None
        if fold is Fold.NONE:
            if first < 0:
                return max((~first).bit_length(), last.bit_length()) + 1
            return (first ^ last).bit_length()
        if first >= 0 or last < 0:
            return None
        return max((~first).bit_length(), last.bit_length())

    def _problem(self, fold: Fold, adds: bool, bits: int) -> Problem | None:
        first, last = self.interval
        low, high = self.result.minimum_code, self.result.maximum_code
        if self.result.signed and self.values.max() > high:
            low = -high
        values = np.clip(self.values, low, high)
        folded = fold_codes(
            fold,
            np.arange(first, last + 1),
            bits,
            signed=first < 0,
            adds=adds,
            centred=self.centred,
        )
        places = self.result.fraction_bits - self.x.fraction_bits
        added = folded.added * 2.0**places
        tolerance = self.tolerance - _UNSURE
        least = np.maximum(np.floor(values - tolerance) + 1, low)
        most = np.minimum(np.ceil(values + tolerance) - 1, high)
        # Of what is negated, modulo the range of an unsigned result.
        turn = 0 if self.result.signed else 1 << self.result.bits
        negative = folded.negative == 1
        shape = (1 << bits, 1 + (fold.mirrors and not (adds or self.centred)))
        lower, upper = np.full(shape, -np.inf), np.full(shape, np.inf)
        place = (folded.address, folded.carry)
        np.maximum.at(lower, place, np.where(negative, turn - most, least - added))
        np.minimum.at(upper, place, np.where(negative, turn - least, most - added) + 1)
        middle = np.where(negative, turn - self.values, self.values - added) + 0.5
        centre = _joined(folded.address + folded.carry, middle, (1 << bits) + 1)
        if centre is None or (lower >= upper).any():
            return None
        if np.isnan(centre).any():
            self._continue(centre, fold, bits)
        guard = max(0, -places) if fold is Fold.RELU else 0
        return Problem(fold, adds, self.centred, bits, first < 0, lower, upper, centre, guard)

    def _continue(self, centre: np.ndarray, fold: Fold, bits: int) -> None:
        """Where nothing is asked for, f itself, or if it is not finite there its nearest value:
        polynomials go on smoothly."""
        known = np.nonzero(~np.isnan(centre))[0]
        first, start = self.interval[0], 0
        if fold is Fold.NONE:
            start = -(1 << (bits - 1)) if first < 0 else first >> bits << bits
        before, behind = centre[: known[0]], centre[known[-1] + 1 :]
        for part, begin, nearest in (
            (before, start, centre[known[0]]),
            (behind, start + known[-1] + 1, centre[known[-1]]),
        ):
            if not len(part):
                continue
            try:
                values = self._values(int(begin), int(begin) + len(part) - 1)
            except ValueError:
                part[:] = nearest
                continue
            # A fold's result may be f's less max(x, 0): what is known goes on without a step.
            slope = 2.0 ** (self.result.fraction_bits - self.x.fraction_bits)
            ramp = slope * (begin + np.arange(len(part))) if fold is Fold.RELU else 0.0
            part[:] = values - ramp + 0.5
        holes = np.isnan(centre)
        centre[holes] = np.interp(np.nonzero(holes)[0], known, centre[known])


def _joined(places: np.ndarray, middle: np.ndarray, count: int) -> np.ndarray | None:
    """What arguments of one place agree on, NaN where there are none; None if they disagree."""
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(low, places, middle)
    np.maximum.at(high, places, middle)
    known = np.isfinite(low)
    if (high[known] - low[known] > _SAME).any():
        return None
    return np.where(known, low, np.nan)


def faithful_offset(v: np.ndarray, wanted: np.ndarray, guard: int, largest: int) -> int | None:
    """What added to ``v`` makes its floor faithful to ``wanted``; None if nothing does.

    ``v`` (int64) counts 2**-guard units in the last place, ``wanted`` (float64) units; results
    above ``largest`` do not exist, and count as that.
    """
    scale = 1 << guard
    wanted = np.minimum(wanted, largest)
    tolerance = 1 - _UNSURE
    least = np.floor(wanted - tolerance) + 1
    most = np.minimum(np.ceil(wanted + tolerance) - 1, largest)
    low = int((least * scale - v).max())
    high = int(((most + 1) * scale - 1 - v).min())
    return (low + high) // 2 if low <= high else None
