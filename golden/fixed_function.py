"""Functions between fixed-point formats: what the units that compute them have in common."""

from abc import abstractmethod
from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar

import mpmath
import numpy as np

from multipede.golden.formats import FixedPoint
from multipede.golden.number_format import require_range, require_type
from multipede.golden.rounded_operation import MAXIMUM_STAGES
from multipede.golden.spec import Kind, Port, Spec

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["ARGUMENT", "WAVE", "FixedFunction"]

MAXIMUM_BITS = 24

ARGUMENT, WAVE = FixedPoint(16, 12), FixedPoint(16, 14)
"""formats that arguments and results have by default: four and two bits before the point"""


class FixedFunction(Spec):
    """Base of the units whose result is a faithful y = f(x): one of the two numbers of ``result``
    next to f(x), or f(x) itself.

    f may exceed the largest number of ``result`` by a unit in the last place at most, as 1 does in
    formats below 1: then that number counts as f(x) and, so that symmetries are kept, minus that
    number as what is below it.

    Subclasses are dataclasses that declare their arguments, named as their ports, and these
    parameters.

    Parameters
    ----------
    result : fixed point of at most 24 bits, as are the arguments' formats.
    stages : register ranks between input and output, 0 to 12.

    Raises
    ------
    TypeError, ValueError
        Naming the parameter, the value and what is allowed.
    """

    kind: ClassVar[Kind] = Kind.FUNCTION
    arguments: ClassVar[tuple[str, ...]] = ("x",)
    """parameters that are formats of arguments, and the ports of the same names"""

    result: FixedPoint
    stages: int

    def __post_init__(self):
        for name in (*self.arguments, "result"):
            require_type(name, getattr(self, name), FixedPoint)
            require_range(f"bits of {name}", getattr(self, name).bits, 1, MAXIMUM_BITS)
        require_range("stages", self.stages, 0, MAXIMUM_STAGES)

    @property
    def inputs(self) -> Mapping[str, Port]:
        """The arguments, each ()."""
        return {name: Port(getattr(self, name), meaning="argument") for name in self.arguments}

    @property
    def outputs(self) -> Mapping[str, Port]:
        """The result ``y`` ()."""
        return {"y": Port(self.result, meaning="f(x) or a neighbour")}

    @property
    def operations(self) -> Mapping[str, int]:
        """One activation."""
        return {"activation": 1}

    @property
    def latency(self) -> int:
        """As many clocks as there are register ranks."""
        return self.stages

    @abstractmethod
    def exactly(self, *arguments: Fraction) -> mpmath.mpf:
        """f, to some 100 bits."""

    @abstractmethod
    def results(self, *codes: np.ndarray) -> np.ndarray:
        """The results' codes (int64) modulo ``2**result.bits`` for codes of the arguments."""

    def reference(self, state: Any = None, **inputs: "Tensor") -> "tuple[dict[str, Tensor], None]":
        """The result; there is no state."""
        import torch

        self.check_tensors(inputs)
        codes = (inputs[name].to(torch.int64).cpu().numpy() for name in self.arguments)
        patterns = self.results(*codes) & ((1 << self.result.bits) - 1)
        return {"y": torch.from_numpy(np.asarray(self.result.from_bits(patterns)))}, None
