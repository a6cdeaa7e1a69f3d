"""A sine by CORDIC: rotations by arc tangents of powers of two, all in a row."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import product
from typing import ClassVar

import mpmath
import numpy as np

from multipede.golden.faithful_task import faithful_offset
from multipede.golden.fixed_function import ARGUMENT, WAVE, FixedFunction
from multipede.golden.formats import FixedPoint
from multipede.golden.quarter_wave import (
    check_sine_formats,
    quarter_sines,
    quarter_wave,
    sine_of_turns,
)
from multipede.golden.real_functions import PRECISION

__all__ = ["CordicDesign", "CordicSine"]


@dataclass(frozen=True)
class CordicDesign:
    """Widths and constants of the rotations.

    Parameters
    ----------
    iterations : rotations; rotation i is by atan(2**-i), from 0 on.
    guard : places of the coordinates below the result's last.
    angle_guard : places of the angle below that.
    offset : what is added to the last ordinate before its floor is taken.
    places : fraction bits of the result.
    """

    iterations: int
    guard: int
    angle_guard: int
    offset: int
    places: int

    @property
    def fraction_bits(self) -> int:
        """Of the coordinates."""
        return self.places + self.guard

    @property
    def angle_bits(self) -> int:
        """Fraction bits of the angle, in quarter turns."""
        return self.fraction_bits + self.angle_guard

    @cached_property
    def angles(self) -> list[int]:
        """The rotations, in units of the angle's last place."""
        with mpmath.workprec(PRECISION):
            return [
                int(
                    mpmath.nint(
                        mpmath.atan(mpmath.mpf(2) ** -i) * 2 / mpmath.pi * 2**self.angle_bits
                    )
                )
                for i in range(self.iterations)
            ]

    @cached_property
    def start(self) -> int:
        """The first abscissa: the inverse of what the rotations lengthen by."""
        with mpmath.workprec(PRECISION):
            gain = mpmath.mpf(1)
            for i in range(self.iterations):
                gain *= mpmath.sqrt(1 + mpmath.mpf(4) ** -i)
            return int(mpmath.nint(2**self.fraction_bits / gain))

    def turns_abscissa(self, i: int) -> bool:
        """Whether rotation i still changes an abscissa that a later ordinate feels."""
        return i + 1 < self.iterations and 2 * i + 1 <= self.fraction_bits

    def rotated(self, place: np.ndarray, fraction_bits: int) -> np.ndarray:
        """The last ordinate of places (int64) in the first quarter, without the offset."""
        z = place << (self.angle_bits - fraction_bits)
        x, y = np.full_like(place, self.start), np.zeros_like(place)
        for i, angle in enumerate(self.angles):
            forward = z >= 0
            step_x, step_y = x >> i, y >> i
            y = np.where(forward, y + step_x, y - step_x)
            if self.turns_abscissa(i):
                x = np.where(forward, x - step_y, x + step_y)
            z = np.where(forward, z - angle, z + angle)
        return y


@dataclass(frozen=True, kw_only=True)
class CordicSine(FixedFunction):
    """y = sin(pi x / 2) by rotations in a pipeline, the baseline of sine activations.

    The argument counts quarter turns, so that its period of 4 is wiring. A rotation that no later
    ordinate would feel leaves the abscissa as it is, and the angle loses its leading bits as it
    becomes small. Iterations and widths are the fewest that are faithful at all arguments.
    Parameters: see :class:`~multipede.golden.fixed_function.FixedFunction`.

    Parameters
    ----------
    x : format of the argument, of 1 to 22 fraction bits.
    result : signed format of the result, which holds 1, of 2 fraction bits at least.
    """

    unit: ClassVar[str] = "cordic_sine"
    title: ClassVar[str] = "sine by CORDIC rotations, unrolled"
    source: ClassVar[str] = "Volder, IRE Trans. Electronic Computers EC-8, 1959 (rotation mode)"

    x: FixedPoint = ARGUMENT
    result: FixedPoint = WAVE
    stages: int = 12

    def __post_init__(self):
        super().__post_init__()
        check_sine_formats(self.x, self.result)

    @property
    def design(self) -> CordicDesign:
        """Iterations and widths."""
        return _designed(self.x.fraction_bits, self.result)

    def exactly(self, x: Fraction) -> mpmath.mpf:
        """sin(pi x / 2)."""
        return sine_of_turns(x)

    def results(self, x: np.ndarray) -> np.ndarray:
        """The floor of the last ordinate, negated in the second half of a period."""
        design, bits = self.design, self.x.fraction_bits
        place, negative = quarter_wave(x, bits)
        y = (design.rotated(place, bits) + design.offset) >> design.guard
        return np.where(negative == 1, -y, y)


@lru_cache(maxsize=64)
def _designed(fraction_bits: int, result: FixedPoint) -> CordicDesign:
    places = result.fraction_bits
    sines = quarter_sines(fraction_bits, places)
    every = np.arange((1 << fraction_bits) + 1)
    seen = every[:: max(1, len(every) >> 13)]
    found = []
    for guard, more in product(range(8), range(4)):
        # The angle may have no fewer places than the argument.
        angle_guard = max(0, fraction_bits - places - guard) + more
        for iterations in range(places - 1, places + 4):
            design = CordicDesign(iterations, guard, angle_guard, 0, places)
            size = iterations * (3 * (places + guard) + angle_guard)
            if found and size >= min(found)[0]:
                continue
            for codes in (seen, every):
                v = design.rotated(codes, fraction_bits)
                offset = faithful_offset(v, sines[codes], guard, result.maximum_code)
                if offset is None:
                    break
            else:
                found.append((size, iterations, guard, angle_guard, offset))
    _, iterations, guard, angle_guard, offset = min(found)
    return CordicDesign(iterations, guard, angle_guard, offset, places)
