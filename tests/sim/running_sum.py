"""A unit with a state that is no tile: sums that `last` ends, and a reference that forgets them."""

from dataclasses import dataclass
from typing import ClassVar

import torch

from multipede.golden.formats import INT4, UINT1, Integer
from multipede.golden.spec import Kind, Port, Spec


@dataclass(frozen=True, kw_only=True)
class RunningSum(Spec):
    """y = the sum of x since the last result."""

    unit: ClassVar[str] = "running_sum"
    title: ClassVar[str] = "sum of numbers up to last"
    kind: ClassVar[Kind] = Kind.PART
    source: ClassVar[str] = "tests"

    forgetful: bool = False
    """whether the reference loses its state"""

    inputs = property(lambda self: {"x": Port(INT4), "last": Port(UINT1)})
    outputs = property(lambda self: {"y": Port(Integer(20))})
    operations = property(lambda self: {"addition": 1})
    latency = property(lambda self: 1)

    def reference(self, state=None, **inputs):
        total, sums = state or 0, []
        for x, last in zip(inputs["x"].tolist(), inputs["last"].tolist(), strict=True):
            total += x
            if last:
                sums.append(total)
                total = 0
        return {"y": torch.tensor(sums, dtype=torch.int64)}, None if self.forgetful else total
