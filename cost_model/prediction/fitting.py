"""A calibration from synthesised points, and its errors on points that it was not fitted to."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from multipede.cost_model.prediction.calibration import (
    Calibration,
    Errors,
    Known,
    Model,
    Origin,
    ranged,
)
from multipede.cost_model.prediction.measures import Measures
from multipede.cost_model.prediction.models import FEATURES, Quantity
from multipede.cost_model.prediction.regression import LINEAR, Group, Levels, fit

__all__ = ["Sample", "calibrated", "fitted"]

_SAME = 1e-9
"""deviation of a feature that is the same everywhere"""
_FOLDS = 5
_SEED = 1
"""of the order in which points are left out"""


@dataclass(frozen=True)
class Sample:
    """What a calibration sees of a point: family and unit, measures, and figures by quantity."""

    group: Group
    measures: Measures
    figures: Mapping[str, float]


def calibrated(
    samples: Sequence[Sample],
    quantities: Sequence[Quantity],
    origin: Origin,
) -> Calibration:
    """Models of quantities, of those that have a unit and that samples of two units have, above 0.

    ValueError for fewer than two families or ten points.
    """
    families = {sample.group[0] for sample in samples}
    if len(families) < 2 or len(samples) < 2 * _FOLDS:
        raise ValueError(
            f"{len(samples)} points of {len(families)} families: at least {2 * _FOLDS} of two are"
            " needed"
        )
    return Calibration(
        target=origin.target,
        style=origin.style,
        source=origin.source,
        tools=origin.tools,
        units=_known(samples),
        models={
            quantity.name: fitted(samples, quantity, origin.units[quantity.name])
            for quantity in quantities
            if quantity.name in origin.units
            and len({s.group for s in samples if _has(s, quantity)}) > 1
        },
    )


def _has(sample: Sample, quantity: Quantity) -> bool:
    return sample.figures.get(quantity.name, 0) > 0


def fitted(samples: Sequence[Sample], quantity: Quantity, unit: str) -> Model:
    """The model of a quantity from the samples that have it, above 0.

    Where these are of one family, units of it are left out in turn instead.
    """
    chosen = [sample for sample in samples if _has(sample, quantity)]
    figures = np.array([sample.figures[quantity.name] for sample in chosen])
    groups = [sample.group for sample in chosen]
    features = np.array([[FEATURES[n](s.measures) for n in quantity.names] for s in chosen])

    def without(left_out: np.ndarray) -> np.ndarray:
        """The figures of those that are left out, by a model of the others."""
        others = np.setdiff1d(np.arange(len(chosen)), left_out)
        levels = _levels(quantity, features[others], figures[others], [groups[i] for i in others])
        return levels.told(features[left_out], [groups[i] for i in left_out])

    families = np.array([group[0] for group in groups])
    units = np.array([group[1] for group in groups])
    order = np.random.default_rng(_SEED).permutation(len(chosen))
    folds = [np.sort(order[start::_FOLDS]) for start in range(_FOLDS)]
    in_turn = _told_by(without, folds)
    apart = families if len(np.unique(families)) > 1 else units
    unseen = _told_by(without, [np.flatnonzero(apart == name) for name in np.unique(apart)])
    larger = _larger_half(units, np.array([sample.measures.gates for sample in chosen]))
    beyond = without(larger)
    return Model(
        unit=unit,
        features=tuple(quantity.names),
        levels=_levels(quantity, features, figures, groups),
        within=_errors(in_turn, figures, units),
        left_out=_errors(unseen, figures, apart),
        larger=_errors(beyond, figures[larger], units[larger]),
        all_within=Errors.of(in_turn, figures),
        all_left_out=Errors.of(unseen, figures),
        all_larger=Errors.of(beyond, figures[larger]),
    )


def _larger_half(units: np.ndarray, gates: np.ndarray) -> np.ndarray:
    """Indices of the larger half of the points of each unit: of one point none, but where no unit
    has more, the larger half of all."""
    found = []
    for unit in np.unique(units):
        indices = np.flatnonzero(units == unit)
        found += indices[np.argsort(gates[indices])][(len(indices) + 1) // 2 :].tolist()
    return np.sort(found or np.argsort(gates)[(len(gates) + 1) // 2 :]).astype(int)


def _told_by(
    without: Callable[[np.ndarray], np.ndarray], parts: Sequence[np.ndarray]
) -> np.ndarray:
    """All figures, each by a model that has not seen its part."""
    told = np.zeros(sum(map(len, parts)))
    for part in parts:
        told[part] = without(part)
    return told


def _errors(told: np.ndarray, figures: np.ndarray, names: np.ndarray) -> dict[str, Errors]:
    return {
        str(name): Errors.of(told[names == name], figures[names == name])
        for name in np.unique(names)
    }


def _levels(
    quantity: Quantity, features: np.ndarray, figures: np.ndarray, groups: Sequence[Group]
) -> Levels:
    start = np.array([quantity.start.get(name, 0.0) for name in quantity.names])
    bounds = np.array([[-math.inf], [math.inf]]).repeat(len(start), axis=1)
    if quantity.kind is LINEAR:
        start *= np.median(figures / np.maximum(features @ start, 1e-9))
        change = np.eye(len(start))
    else:
        start = _with_constants(quantity, start, features, figures)
        change = _standard(quantity, features)
        for index, name in enumerate(quantity.names):
            if name not in quantity.start:
                bounds[:, index] = features[:, index].min(), features[:, index].max()
    found = fit(
        quantity.kind,
        features @ change,
        figures,
        groups,
        start=np.linalg.solve(change, start),
        worth=quantity.worth,
    )
    coefficients = {group: change @ numbers for group, numbers in found.items()}
    return Levels(quantity.kind, coefficients, bounds)


def _standard(quantity: Quantity, features: np.ndarray) -> np.ndarray:
    """What makes of features such that count from their means, in their deviations, where their
    constants are 1: all weigh the same then in what keeps coefficients near the level above."""
    change = np.eye(features.shape[1])
    for index, name in enumerate(quantity.names):
        constant = quantity.features.get(name)
        if constant is None:
            continue
        place = quantity.names.index(constant)
        column = features[features[:, place] > 0, index]
        if len(column) and column.std() > _SAME:
            change[index, index] = 1 / column.std()
            change[place, index] = -column.mean() / column.std()
    return change


def _with_constants(
    quantity: Quantity, start: np.ndarray, features: np.ndarray, figures: np.ndarray
) -> np.ndarray:
    """The start with each constant such that half of its points are above."""
    start = start.copy()
    rest = np.log(figures) - features @ start
    for constant in {name for name in quantity.features.values() if name is not None}:
        place = quantity.names.index(constant)
        counting = features[:, place] > 0
        start[place] = np.median(rest[counting] if counting.any() else np.log(figures))
    return start


def _known(samples: Sequence[Sample]) -> dict[str, Known]:
    """What there is of each unit."""
    found: dict[Group, list[dict[str, float]]] = {}
    for sample in samples:
        found.setdefault(sample.group, []).append(ranged(sample.measures))
    return {
        unit: Known(
            family,
            len(each),
            {
                name: (
                    _rounded(min(one[name] for one in each), math.floor),
                    _rounded(max(one[name] for one in each), math.ceil),
                )
                for name in each[0]
            },
        )
        for (family, unit), each in sorted(found.items())
    }


def _rounded(number: float, way: Callable[[float], int]) -> float:
    """To a thousandth, outwards."""
    return way(1000 * number) / 1000
