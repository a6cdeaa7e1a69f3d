"""CORDIC rotations in a row: shifts are wires, a rotation's additions are side by side."""

from collections.abc import Mapping

from multipede.golden.cordic_sine import CordicDesign, CordicSine
from multipede.hw.arithmetic.circuit import ONE, Bit, Circuit, Term, Word, constant, opposite
from multipede.hw.arithmetic.circuit_unit import CircuitUnit, CircuitUnitPlan
from multipede.hw.arithmetic.constant_table import constant_table
from multipede.hw.arithmetic.quarter_wave import negated_sum, quarter_wave

__all__ = ["CordicSinePlan", "CordicSineUnit"]

TABLED = 4
"""Rotations whose coordinates are looked up by their directions rather than added."""


class CordicSinePlan(CircuitUnitPlan):
    """The first rotations are a table; angles are as narrow as their ranges."""

    spec: CordicSine
    divides = True

    def results(self, c: Circuit, codes: Mapping[str, Word]) -> Mapping[str, Word]:
        spec, design = self.spec, self.spec.design
        place, negative = quarter_wave(c, codes["x"], spec.x.fraction_bits, signed=spec.x.signed)
        terms = _rotations(c, place, spec.x.fraction_bits, design)
        word = negated_sum(c, terms, design.offset, design.guard, spec.result.bits, negative)
        return {"y": word}


def _rotations(c: Circuit, place: Word, fraction_bits: int, design: CordicDesign) -> list[Term]:
    """The last ordinate as the addends of its rotation."""
    width = design.fraction_bits + 2
    forward = _directions(c, place, fraction_bits, design)
    tabled = min(TABLED, design.iterations - 1)
    x, y = (
        constant_table(c, tuple(forward[:tabled]), values, width, name)
        for name, values in zip("xy", _looked_up(design, tabled, width), strict=True)
    )
    for i in range(tabled, design.iterations):
        back = opposite(forward[i])
        terms = _added(c, y, x[min(i, width - 1) :], back, f"y_{i}")
        if i == design.iterations - 1:
            return terms
        turned = x
        if design.turns_abscissa(i):
            turned = c.sum(
                width, _added(c, x, y[min(i, width - 1) :], forward[i], f"x_{i}"), f"x_{i}"
            )
        x, y = turned, c.sum(width, terms, f"y_{i}")
    raise AssertionError("a sine needs rotations")


def _added(c: Circuit, a: Word, step: Word, subtract: Bit, name: str) -> list[Term]:
    """a + step, or a - step."""
    flipped = c.exclusive(step, (subtract,), f"{name}_step")
    return [
        Term(a, signed=True, name="coordinate"),
        Term(flipped, signed=True, name="step"),
        Term((subtract,), name="subtract"),
    ]


def _directions(c: Circuit, place: Word, fraction_bits: int, design: CordicDesign) -> list[Bit]:
    """Whether each rotation is forward: the angle that is left is not negative."""
    shift = design.angle_bits - fraction_bits
    low, high = 0, 1 << design.angle_bits
    word = constant(0, shift) + place
    found: list[Bit] = [ONE]
    for i, angle in enumerate(design.angles[:-1]):
        forward = found[-1]
        bounds = (min(-angle, low + angle), max(high - angle, angle - 1))
        if i == 0:
            bounds = (-angle, high - angle)
        low, high = bounds
        width = max((~low).bit_length(), high.bit_length()) + 1
        step = tuple(opposite(forward) if angle >> place & 1 else forward for place in range(width))
        terms = (
            Term(word, signed=i > 0, name="angle"),
            Term(step, signed=False, name="step"),
            Term((forward,), name="forward"),
        )
        word = c.sum(width, terms, f"angle_{i + 1}")
        found.append(opposite(word[-1]))
    return found


def _looked_up(design: CordicDesign, count: int, width: int) -> tuple[list[int], list[int]]:
    """The coordinates behind ``count`` rotations by their directions, the first one lowest."""
    abscissas, ordinates = [], []
    for directions in range(1 << count):
        x, y = design.start, 0
        for i in range(count):
            sign = 1 if directions >> i & 1 else -1
            turned = x - sign * (y >> i) if design.turns_abscissa(i) else x
            x, y = turned, y + sign * (x >> i)
        abscissas.append(x % (1 << width))
        ordinates.append(y % (1 << width))
    return abscissas, ordinates


class CordicSineUnit(CircuitUnit):
    """y = sin(pi x / 2)."""

    specification = CordicSine
    planning = CordicSinePlan
