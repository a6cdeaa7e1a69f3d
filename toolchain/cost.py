"""The record that every cost is told in: never a number without its unit, method and source."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from multipede.golden.html_table import html_table


class CostMethod(Enum):
    """How a figure came about."""

    MEASURED = "measured"
    """on a device, or by timing a run"""
    SYNTHESISED = "synthesised"
    """counted in a mapped netlist, or computed from it"""
    PREDICTED = "predicted"
    """by a model from the unit's operators, without synthesis"""
    SCALED = "scaled"
    """from a figure in another technology"""
    PUBLISHED = "published"
    """from a paper"""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """One figure.

    Attributes:
        quantity: what was counted or computed, e.g. "area" or "lut".
        value: the figure, finite and not negative.
        unit: of the value, e.g. "NAND2", "um2", "ps", "LUT4".
        target: what the unit was mapped to, e.g. "gates", "nangate45_typ.lib", "ecp5".
        method: how the figure came about.
        source: in words, with the recipe: enough to tell whether two figures may be compared.
        tools: versions of the tools that made it, by name.
        style: in which the unit's sums were written out; empty where there is none.
        rtlil_digest: SHA-256 of the RTLIL that was synthesised; empty where there is none.
        relative_error: the expected relative error, e.g. 0.05, or None where it is not known.

    Raises:
        ValueError: a value that is no cost, or a quantity, unit, target or source that is empty.
        TypeError: a method that is no CostMethod.
    """

    quantity: str
    value: float
    unit: str
    target: str
    method: CostMethod
    source: str
    tools: Mapping[str, str] = field(default_factory=dict, hash=False)
    style: str = ""
    rtlil_digest: str = ""
    relative_error: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.method, CostMethod):
            raise TypeError(f"method must be a CostMethod, not {self.method!r}")
        for name in ("quantity", "unit", "target", "source"):
            if not getattr(self, name):
                raise ValueError(f"{name} of a cost must not be empty")
        if not math.isfinite(self.value) or self.value < 0:
            raise ValueError(f"{self.quantity} = {self.value}: a finite value from 0 is needed")
        object.__setattr__(self, "tools", dict(self.tools))

    def to_dict(self) -> dict[str, Any]:
        """All fields, as JSON can hold them."""
        return {**vars(self), "method": self.method.value, "tools": dict(self.tools)}

    @classmethod
    def from_dict(cls, description: Mapping[str, Any]) -> Cost:
        """The cost that `to_dict` described.

        Raises:
            TypeError, ValueError: it is no description of a cost.
        """
        return cls(**{**description, "method": CostMethod(description["method"])})

    def _repr_html_(self) -> str:
        """For notebooks."""
        return costs_table([self])

    def __str__(self) -> str:
        return f"{self.quantity} {self.value:,.6g} {self.unit} ({self.method.value}; {self.source})"


def costs_table(costs: Sequence[Cost], caption: str = "") -> str:
    """Figures side by side in HTML, and under them where they are from."""
    rows = [
        (
            cost.quantity,
            float(cost.value),
            cost.unit,
            "" if cost.relative_error is None else f"\u00b1 {100 * cost.relative_error:.0f} %",
            cost.target,
            cost.method.value,
        )
        for cost in costs
    ]
    sources = dict.fromkeys(f"{cost.method.value}: {cost.source}" for cost in costs)
    heads = ("quantity", "value", "unit", "error", "target", "method")
    return html_table(rows, heads=heads, caption=caption, notes=sources)
