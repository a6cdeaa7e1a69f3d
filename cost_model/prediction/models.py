"""Which figures are told, and by which model of which features."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from multipede.cost_model.prediction.measures import OPERATORS, SHAPE, Measures
from multipede.cost_model.prediction.regression import LINEAR, LOGARITHMIC, Kind
from multipede.fpga.devices import DEVICES

__all__ = ["FEATURES", "Quantity", "quantities"]

_ROOM = 0.5
"""clocks added to a latency of which the logarithm is taken"""


def _operators(kind: str) -> Callable[[Measures], float]:
    return lambda of: float(of.operators.get(kind, 0))


def _form(name: str) -> Callable[[Measures], float]:
    return lambda of: math.log1p(of.shape[name])


def _ranked(of: Measures) -> float:
    """What of the logic is between two ranks."""
    return math.log(of.shape["latency"] + _ROOM) * math.log1p(of.shape["operator bits"])


def _unless_circuit(feature: Callable[[Measures], float]) -> Callable[[Measures], float]:
    return lambda of: feature(of) if of.depth is None else 0.0


_SHAPE: dict[str, Callable[[Measures], float]] = {
    "one": lambda of: 1.0,
    **{f"log {name}": _form(name) for name in SHAPE},
    "log latency times log operator bits": _ranked,
}
_ELSE = {f"else {name}": _unless_circuit(feature) for name, feature in _SHAPE.items()}

_PRODUCTS = "inferred products"

FEATURES: Mapping[str, Callable[[Measures], float]] = {
    **{kind: _operators(kind) for kind in OPERATORS},
    **_SHAPE,
    **_ELSE,
    _PRODUCTS: lambda of: of.products,
    "log gates": lambda of: math.log(max(of.gates, 1.0)),
    "circuit": lambda of: float(of.depth is not None),
    "log depth": lambda of: math.log(max(of.depth, 1.0)) if of.depth is not None else 0.0,
}
"""Name -> the feature of a unit. A logarithm of a measure is of 1 more than it; those with "else"
are 0 of units that are one circuit, whose depth is known instead."""


@dataclass(frozen=True)
class Quantity:
    """A figure that is told.

    Attributes
    ----------
    name : of the cost. kind : of the model.
    features : by their names in :data:`FEATURES`; of a logarithmic model with the constant that
        each belongs to, which is 1 where the feature counts and 0 elsewhere.
    start : coefficients that it starts from, by feature, but for a common factor; others are 0.
    worth : points that the model above counts as, see
        :func:`~multipede.cost_model.prediction.regression.fit`.
    """

    name: str
    kind: Kind
    features: Mapping[str, str | None]
    start: Mapping[str, float]
    worth: float = 0.3

    @property
    def names(self) -> list[str]:
        """Of all features, constants first."""
        constants = dict.fromkeys(name for name in self.features.values() if name is not None)
        return list(dict.fromkeys([*constants, *self.features]))


def _sized(name: str, sizes: Mapping[str, float]) -> Quantity:
    """A number of things of which each operator takes some."""
    return Quantity(name, LINEAR, dict.fromkeys(OPERATORS), sizes)


_CELLS = (
    _sized("area", {kind: gates for kind, (gates, _) in OPERATORS.items()}),
    Quantity(
        "delay",
        LOGARITHMIC,
        {"log depth": "circuit", **{name: "else one" for name in _ELSE if name != "else one"}},
        {"log depth": 1.0},
    ),
    Quantity(
        "energy_per_record",
        LOGARITHMIC,
        {**{name: "one" for name in _SHAPE if name != "one"}, "log gates": "one"},
        {"log gates": 1.0},
    ),
)
_FPGAS = (
    _sized("lut", {kind: tables for kind, (_, tables) in OPERATORS.items()}),
    _sized("ff", {"register": 1.0}),
    Quantity("dsp", LINEAR, dict.fromkeys((_PRODUCTS, "inferred_product_bit")), {_PRODUCTS: 1.0}),
)


def quantities(target: str) -> tuple[Quantity, ...]:
    """What is told on a target: standard cells of any library, or an FPGA."""
    return _FPGAS if target in DEVICES else _CELLS
