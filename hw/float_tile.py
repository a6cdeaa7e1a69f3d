"""The float matrix tile: per row and column a tree or a chain of rounded sums.

A tree gives one total for each record, and one adder behind it joins that to the accumulator. A
chain is one step for each lane, by default a fused multiply-add, one behind the other.
"""

import math
from abc import abstractmethod
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

from amaranth.hdl import Module, Signal, Value

from multipede.golden.float_tile import FloatProductTile, FloatTile, SumOrder
from multipede.golden.formats import Float
from multipede.hw.arithmetic.circuit import Circuit
from multipede.hw.arithmetic.circuit_component import CircuitComponent, CircuitDesign
from multipede.hw.arithmetic.product_tree import (
    ProductTree,
    ProductTreePlan,
    fused_step,
    rounded_product,
    rounded_sum,
)
from multipede.hw.hierarchy import shared
from multipede.hw.integer_tile import times
from multipede.hw.ungrouped_tile import UngroupedTilePlan, UngroupedTileUnit
from multipede.hw.unit import delayed

__all__ = ["FloatProductPlan", "FloatProductUnit", "FloatTilePlan"]


class FloatTilePlan(UngroupedTilePlan):
    """Circuits and register ranks of a tile."""

    spec: FloatTile

    @property
    def is_tree(self) -> bool:
        """Whether terms are added in a tree."""
        return self.spec.order is SumOrder.TREE

    @property
    def accumulator_bits(self) -> int:
        return self.spec.accumulator.bits


class FloatProductPlan(FloatTilePlan):
    """Those of products.

    Ranks: ``factor_ranks`` behind the factors, ``tree_ranks`` in the tree, and the accumulators.
    """

    spec: FloatProductTile

    @property
    def factor_ranks(self) -> int:
        """Register ranks in front of the products."""
        return 0 if self.is_tree else self.spec.stages - 1

    @property
    def tree_ranks(self) -> int:
        """Register ranks of the tree, of which the last holds its total."""
        return self.spec.stages - 1 - self.factor_ranks

    @cached_property
    def tree(self) -> ProductTreePlan:
        """The sum of a record's products."""
        multiply, factors = self.multiply
        return ProductTreePlan(
            multiply=multiply,
            factors=factors,
            term=self.term,
            accumulator=self.spec.accumulator,
            lanes=self.spec.lanes,
            style=self.style,
            ranks=self.tree_ranks,
        )

    @cached_property
    def step(self) -> CircuitDesign:
        """What changes an accumulator: a record's total under ``tree``, else a lane."""
        if self.is_tree:
            formats = self.spec.accumulator, self.tree.total, self.spec.accumulator
            return CircuitDesign(rounded_sum, formats, self.style)
        return CircuitDesign(*self.multiply_add, self.style)

    @property
    def term(self) -> Float:
        """Format of the products under ``tree``: the accumulator's, with a shorter mantissa where
        that holds all of them."""
        factors, accumulator = (self.spec.activation, self.spec.factor), self.spec.accumulator
        bits = sum(factor.mantissa_bits + 1 for factor in factors) - 1
        smallest = math.prod(factor.smallest_number for factor in factors)
        if bits < accumulator.mantissa_bits and smallest >= accumulator.smallest_normal:
            return replace(accumulator, mantissa_bits=bits)
        return accumulator

    @property
    def multiply(self) -> tuple[Callable[..., Circuit], tuple]:
        """What makes the circuit of a product, ``a``, ``b`` -> ``product`` in the format ``term``,
        and of what."""
        return rounded_product, (self.spec.activation, self.spec.factor, self.term)

    @property
    def multiply_add(self) -> tuple[Callable[..., Circuit], tuple]:
        """The same of a lane's step, ``a``, ``b``, ``c`` -> ``total``."""
        return fused_step, (self.spec.activation, self.spec.factor, self.spec.accumulator)

    @property
    def activation_inventory(self) -> Counter:
        """Operators and registers between the ports and the rows' factors."""
        spec = self.spec
        bits = spec.rows * spec.lanes * spec.activation.bits
        return Counter(register=bits * self.factor_ranks)

    @property
    @abstractmethod
    def weight_inventory(self) -> Counter:
        """Operators and registers between the ports and the columns' factors."""

    def inventory(self) -> Counter:
        spec = self.spec
        results = spec.rows * spec.columns
        count = times(self.step.plan.inventory(), results * (1 if self.is_tree else spec.lanes))
        if self.is_tree:
            count += times(self.tree.inventory(), results)
        return count + self.activation_inventory + self.weight_inventory + self._common_inventory()


class FloatProductUnit(UngroupedTileUnit):
    """Any :class:`FloatProductTile`; subclasses name the specification and the plan."""

    def _activations(self, m: Module, platform) -> list[list[Value]]:
        """Codes [row][lane] behind their ranks."""
        return [
            [
                delayed(m, code, self.plan.factor_ranks, name=f"a_{row}_{lane}")
                for lane, code in enumerate(self._lanes(self.i.payload.a[row]))
            ]
            for row in range(self.spec.rows)
        ]

    def _prepare(self) -> None:
        self._step = CircuitComponent(self.plan.step)
        self._tree = ProductTree(self.plan.tree) if self.plan.is_tree else None

    @abstractmethod
    def _weights(self, m: Module, platform) -> list[list[Value]]:
        """Codes [column][lane] of the factors behind their ranks."""

    def _following(
        self, m: Module, platform, name: str, so_far: Value, a: list[Value], w: list[Value]
    ) -> Value:
        """The accumulator's next value."""
        if self._tree is None:
            for lane, (x, y) in enumerate(zip(a, w, strict=True)):
                pins = {"a": x, "b": y, "c": so_far}
                so_far = self._stepped(m, platform, "multiply_add", f"{name}_{lane}", pins)
            return so_far
        pins = {f"a{lane}": code for lane, code in enumerate(a)}
        pins |= {f"w{lane}": code for lane, code in enumerate(w)}
        pins["total"] = Signal(self.plan.tree.total.bits, name=f"total_{name}")
        instance = f"product_tree_{name}"
        shared(m, platform, "product_tree", self._tree, instance=instance, **pins)
        return self._stepped(m, platform, "accumulate", name, {"a": so_far, "b": pins["total"]})

    def _stepped(
        self, m: Module, platform, module: str, name: str, operands: dict[str, Value]
    ) -> Value:
        """The total of one step."""
        total = Signal(self.spec.accumulator.bits, name=f"sum_{name}")
        pins = operands | {"total": total}
        shared(m, platform, module, self._step, instance=f"{module}_{name}", **pins)
        return total
