"""A unit made of a random circuit, whose reference is Python's own arithmetic.

It lives outside the catalogue, as a plug-in's units do, and is tried like any other.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from multipede.golden.formats import Integer
from multipede.golden.spec import Kind, Port, Spec
from multipede.hw.arithmetic.circuit import (
    Circuit,
    Term,
    Word,
    constant,
    inverted,
    opposite,
    padded,
)
from multipede.hw.arithmetic.circuit_unit import CircuitUnit, CircuitUnitPlan

WIDTHS = (1, 3, 6, 9)
"""widths of the inputs x0, x1, ..."""

Values = Callable[[dict[str, np.ndarray]], np.ndarray]


class RandomCircuit:
    """Words of a circuit, each with what it must be: a function of the inputs (object arrays)."""

    def __init__(self, c: Circuit, words: list[Word], seed: int):
        self._c = c
        self._generator = np.random.default_rng(seed)
        self.words: list[tuple[Word, Values]] = [
            (word, lambda values, name=f"x{i}": values[name]) for i, word in enumerate(words)
        ]

    def grow(self, count: int) -> None:
        """Make so many more words."""
        makers = [self._bitwise, self._choose, self._reduce, self._sum, self._wire]
        for _ in range(count):
            self.words.append(makers[self._generator.integers(len(makers))]())

    def _pick(self) -> tuple[Word, Values]:
        return self.words[self._generator.integers(len(self.words))]

    def _of_width(self, width: int) -> tuple[Word, Values]:
        word, values = self._pick()
        word = padded(word, width)[:width]
        return word, lambda inputs: values(inputs) % (1 << width)

    def _bitwise(self) -> tuple[Word, Values]:
        (a, x), kind = self._pick(), self._generator.integers(3)
        b, y = self._of_width(len(a))
        make = (self._c.both, self._c.either, self._c.exclusive)[kind]
        operate = (np.bitwise_and, np.bitwise_or, np.bitwise_xor)[kind]
        return make(a, b, "bitwise"), lambda inputs: operate(x(inputs), y(inputs))

    def _choose(self) -> tuple[Word, Values]:
        (ones, x), (select, s) = self._pick(), self._pick()
        zeros, y = self._of_width(len(ones))
        word = self._c.choose(select[-1], ones, zeros, "chosen")
        top = len(select) - 1
        return word, lambda inputs: np.where(s(inputs) >> top & 1, x(inputs), y(inputs))

    def _reduce(self) -> tuple[Word, Values]:
        word, x = self._pick()
        if self._generator.integers(2):
            return (self._c.any_of(word, "any"),), lambda inputs: (x(inputs) != 0) * 1
        full = (1 << len(word)) - 1
        return (self._c.all_of(word, "all"),), lambda inputs: (x(inputs) == full) * 1

    def _sum(self) -> tuple[Word, Values]:
        width, plus = int(self._generator.integers(1, 14)), int(self._generator.integers(-99, 99))
        terms, values = [], []
        for _ in range(self._generator.integers(1, 5)):
            (word, x), shift = self._pick(), int(self._generator.integers(0, 4))
            negative, signed = (bool(flag) for flag in self._generator.integers(0, 2, 2))
            terms.append(Term(word, shift, negative, signed))
            values.append((x, len(word), shift, negative, signed))

        def total(inputs):
            result = plus
            for x, bits, shift, negative, signed in values:
                value = x(inputs)
                if signed:
                    value = value - ((value >> (bits - 1) & 1) << bits)
                result = result + (-value if negative else value) * (1 << shift)
            return result % (1 << width)

        return self._c.sum(width, terms, "summed", plus=plus), total

    def _wire(self) -> tuple[Word, Values]:
        """Inversion, constants, bits in another order, repeated bits."""
        (a, x), kind = self._pick(), self._generator.integers(4)
        width = len(a)
        if kind == 0:
            return inverted(a), lambda inputs: x(inputs) ^ ((1 << width) - 1)
        if kind == 1:
            value = int(self._generator.integers(1 << width))
            return constant(value, width), lambda inputs: x(inputs) * 0 + value
        if kind == 2:
            return a[::-1], lambda inputs: sum(
                (x(inputs) >> (width - 1 - place) & 1) << place for place in range(width)
            )
        return (a[0], a[0], opposite(a[0])), lambda inputs: np.where(x(inputs) & 1, 3, 4)


@dataclass(frozen=True, kw_only=True)
class CircuitSpec(Spec):
    """The last words of a random circuit, ``stages`` clocks later."""

    unit: ClassVar[str] = "random_circuit"
    title: ClassVar[str] = "a random circuit"
    kind: ClassVar[Kind] = Kind.PART
    source: ClassVar[str] = "tests"
    hardware_module: ClassVar[str] = __name__

    seed: int = 1
    size: int = 40
    stages: int = 0

    def grown(self, c: Circuit, words: list[Word]) -> list[tuple[Word, Values]]:
        """The output words y0, y1, ..."""
        circuit = RandomCircuit(c, words, self.seed)
        circuit.grow(self.size)
        return circuit.words[-4:]

    def _grown_alone(self) -> list[tuple[Word, Values]]:
        c = Circuit()
        return self.grown(c, [c.input(f"x{i}", width) for i, width in enumerate(WIDTHS)])

    @property
    def inputs(self):
        return {f"x{i}": Port(Integer(width, signed=False)) for i, width in enumerate(WIDTHS)}

    @property
    def outputs(self):
        found = enumerate(self._grown_alone())
        return {f"y{i}": Port(Integer(len(word), signed=False)) for i, (word, _) in found}

    @property
    def operations(self):
        return {"circuit": 1}

    @property
    def latency(self):
        return self.stages

    def reference(self, state=None, **inputs):
        import torch

        values = {name: tensor.numpy().astype(object) for name, tensor in inputs.items()}
        results = {
            f"y{i}": np.broadcast_to(function(values), len(values["x0"])).astype(np.int64)
            for i, (_, function) in enumerate(self._grown_alone())
        }
        return {name: torch.tensor(array) for name, array in results.items()}, None


class RandomCircuitPlan(CircuitUnitPlan):
    def results(self, c, codes):
        return {f"y{i}": w for i, (w, _) in enumerate(self.spec.grown(c, list(codes.values())))}


class RandomCircuitUnit(CircuitUnit):
    specification = CircuitSpec
    planning = RandomCircuitPlan
