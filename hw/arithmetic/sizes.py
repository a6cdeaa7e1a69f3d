"""What operators take on standard cells, to choose between ways of building the same."""

from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TypeVar

from multipede.hw.arithmetic.circuit import Circuit, Node, Operator
from multipede.hw.arithmetic.summation import plan
from multipede.hw.style import Style

__all__ = ["size", "smallest"]

_SIZES = {
    "full_adder": Fraction(16, 3),
    "half_adder": Fraction(10, 3),
    "half_adder_plus_one": Fraction(10, 3),
    "increment": Fraction(2, 3),
    "multiplexer_bit": Fraction(7, 3),
    "exclusive_or": Fraction(2),
    "and": Fraction(1),
    "or": Fraction(1, 3),  # with the ANDs that most ORs join it makes one gate
    "any": Fraction(1, 2),
    "all": Fraction(1, 2),
}
"""Kind of an inventory -> NAND2 equivalents of a bit, as
``asic_flow/liberty/gate_equivalents.csv`` has them."""

_Result = TypeVar("_Result")


def size(nodes: Sequence[Node]) -> Fraction:
    """Of the nodes on standard cells, in NAND2 equivalents, about."""
    count: Counter = Counter()
    for node in nodes:
        if node.heap is not None:
            count += plan(node.heap, Style.CELLS).inventory()
        elif node.operator in (Operator.ANY, Operator.ALL):
            count[node.operator.value] += len(node.inputs[0]) - 1
        elif node.operator is not Operator.INPUT:
            count[node.operator.value] += node.width
    return sum((number * _SIZES.get(kind, 1) for kind, number in count.items()), Fraction(0))


def smallest(
    c: Circuit,
    ways: Sequence[Callable[[Circuit], _Result]],
    then: Callable[[Circuit, _Result], object] = lambda c, result: None,
) -> _Result:
    """Build in ``c`` what the first of the smallest ``ways`` builds.

    ``then`` is what will be built of it and counts too.
    """
    sizes = []
    for way in ways:
        trial = c.copy()
        then(trial, way(trial))
        sizes.append(size(trial.nodes[len(c.nodes) :]))
    return ways[sizes.index(min(sizes))](c)
