"""What of a unit predictions go by: its operators in bits, and its shape."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from multipede.golden.spec import Spec
from multipede.hw import Style, planned
from multipede.hw.arithmetic.circuit_plan import CircuitPlan
from multipede.hw.arithmetic.circuit_timing import rank_delays

__all__ = ["OPERATORS", "SHAPE", "Measures", "measures"]

OPERATORS: Mapping[str, tuple[float, float]] = {
    "full_adder": (5.33, 1.0),
    "half_adder": (3.33, 0.5),
    "half_adder_plus_one": (3.33, 0.5),
    "increment": (0.67, 0.5),
    "prefix_adder_bit": (12.0, 2.0),
    "word_adder_bit": (5.33, 1.0),
    "booth_digit": (4.0, 1.0),
    "booth_select_bit": (4.0, 1.0),
    "inferred_product_bit": (6.0, 0.1),  # on FPGAs mostly in a DSP block
    "multiplexer_bit": (2.33, 0.7),
    "exclusive_or": (2.0, 0.4),
    "and": (1.0, 0.4),
    "or": (1.0, 0.3),
    "any": (1.0, 0.3),
    "all": (1.0, 0.3),
    "register": (5.67, 0.01),
    "memory_bit": (8.0, 0.1),
}
"""Kind of an inventory -> NAND2 equivalents and look-up tables of a bit, about: where a calibration
starts from, before it has seen anything."""

SHAPE = (
    "input bits",
    "output bits",
    "latency",
    "interval",
    "adder bits",
    "reduction bits",
    "multiplexer bits",
    "operator bits",
    "register bits",
)
"""Measures of a unit's form: bits of its widest input and output; clocks of latency and between
records; and of its operators, bits for each element of its outputs."""


@dataclass(frozen=True)
class Measures:
    """Of one unit.

    Attributes
    ----------
    operators : kind -> bits. shape : by the names of :data:`SHAPE`.
    products : that are left to synthesis, such as a DSP block takes.
    depth : exclusive ors that the longest path between two register ranks is about as long as;
        None unless the unit is one circuit in single adders.
    """

    operators: Mapping[str, int]
    shape: Mapping[str, float]
    products: float
    depth: float | None

    @property
    def gates(self) -> float:
        """NAND2 equivalents of all operators, about."""
        return sum(bits * OPERATORS[kind][0] for kind, bits in self.operators.items())


def measures(spec: Spec, style: Style) -> Measures:
    """Of a unit in a style. Raises as :func:`~multipede.hw.inventory`; ValueError for operators
    that are not known here, as a plug-in may have."""
    plan = planned(spec, style=style)
    operators = dict(plan.inventory())
    if unknown := set(operators) - set(OPERATORS):
        raise ValueError(f"{spec}: nothing is known of operators {', '.join(sorted(unknown))}")
    elements = sum(math.prod(port.shape) for port in spec.outputs.values())

    def each(*words: str) -> float:
        """Bits of the operators with these words in their names, per element."""
        return sum(b for kind, b in operators.items() if any(w in kind for w in words)) / elements

    logic = sum(bits for kind, bits in operators.items() if kind != "register") / elements
    shape = (
        max(port.format.bits for port in spec.inputs.values()),
        max(port.format.bits for port in spec.outputs.values()),
        spec.latency,
        spec.initiation_interval,
        each("adder", "increment"),
        each("any", "all"),
        each("multiplexer"),
        logic,
        each("register"),
    )
    circuit, depth = getattr(plan, "circuit", None), None
    if isinstance(circuit, CircuitPlan) and style is Style.CELLS:
        depth = max(rank_delays(circuit))
    named = dict(zip(SHAPE, map(float, shape), strict=True))
    return Measures(operators, named, _products(spec, operators), depth)


def _products(spec: Spec, operators: Mapping[str, int]) -> float:
    """Those whose bits are counted together: factors are what the first two inputs hold."""
    bits = operators.get("inferred_product_bit", 0)
    one, other, *_ = [port.format.bits for port in spec.inputs.values()] + [1, 1]
    return bits / (one * other)
