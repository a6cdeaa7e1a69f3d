"""A unit made of one bit heap: the operands are its inputs, the sum its output.

It lives outside the catalogue, as a plug-in's units do, and is tried like any other.
"""

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

from amaranth.hdl import Module, Signal

from multipede.golden.formats import Integer
from multipede.golden.spec import Kind, Port, Spec
from multipede.hw.arithmetic.bitheap import Gate, Heap, Operand, Row
from multipede.hw.arithmetic.summation import Summation, plan
from multipede.hw.hierarchy import shared
from multipede.hw.unit import Unit, UnitPlan, delayed


@dataclass(frozen=True, kw_only=True)
class HeapSpec(Spec):
    """The sum of a heap, modulo 2^width, ``stages`` clocks later; no late rows."""

    unit: ClassVar[str] = "heap"
    title: ClassVar[str] = "one bit heap"
    kind: ClassVar[Kind] = Kind.PART
    source: ClassVar[str] = "tests"

    heap: Heap
    stages: int = 0

    @property
    def inputs(self):
        return {n: Port(Integer(o.width, signed=o.signed)) for n, o in self.heap.operands.items()}

    @property
    def outputs(self):
        return {"total": Port(Integer(self.heap.width, signed=False))}

    @property
    def operations(self):
        return {"sum": 1}

    @property
    def latency(self):
        return self.stages

    def to_dict(self):
        return {"unit": self.unit, "parameters": {"heap": repr(self.heap), "stages": self.stages}}

    def reference(self, state=None, **inputs):
        import torch

        total = self.heap.evaluate({name: tensor.numpy() for name, tensor in inputs.items()})
        return {"total": torch.tensor(total.tolist(), dtype=torch.int64)}, None


class HeapPlan(UnitPlan):
    def inventory(self):
        count = plan(self.spec.heap, self.style, ranks=self.spec.stages).inventory()
        return count + Counter(register=self.spec.stages)


class HeapUnit(Unit):
    specification = HeapSpec
    planning = HeapPlan

    def elaborate(self, platform):
        m = Module()
        spec = self.spec
        total = Signal(spec.heap.width)
        pins = {name: self.i.payload[name] for name in spec.heap.operands} | {"sum": total}
        component = Summation(spec.heap, style=self.style, ranks=spec.stages)
        shared(m, platform, "sum", component, instance="sum", **pins)
        m.d.comb += [
            self.o.payload.total.eq(total),
            self.o.valid.eq(delayed(m, self.i.valid, spec.stages, name="valid", reset=True)),
        ]
        return m


def random_heap(generator, *, operands, rows, width, widest=8, late=False) -> Heap:
    """A heap with every feature: signs, shifts, negations, gates, a constant."""
    words = {
        f"x{i}": Operand(int(generator.integers(1, widest + 1)), bool(generator.integers(2)))
        for i in range(operands)
    }
    names = list(words)
    made = []
    for _ in range(rows):
        gate = None
        if generator.integers(2):
            gating = names[generator.integers(operands)]
            gate = Gate(gating, int(generator.integers(words[gating].width)))
        made.append(
            Row(
                names[generator.integers(operands)],
                shift=int(generator.integers(0, width)),
                negative=bool(generator.integers(2)),
                gate=gate,
                late=late and bool(generator.integers(2)),
            )
        )
    constant = int(generator.integers(-(1 << width), 1 << width))
    return Heap(width, words, tuple(made), constant)
