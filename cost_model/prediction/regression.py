"""Regression in levels: one model of all points, and of each group one that stays near the one
above it, the nearer the fewer points it has.

Groups are paths, as ``("mixpe", "dequantiser")``: a family, and a unit in it. A point that is in no
group that is known is told by the level above, in the end by the model of all.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

__all__ = ["LINEAR", "LOGARITHMIC", "Group", "Kind", "Levels", "fit"]

Group = tuple[str, ...]


@dataclass(frozen=True)
class Kind:
    """A kind of model.

    Attributes
    ----------
    name : of it.
    told : features of points, a row each, and coefficients -> the figures.
    solve : features, figures, weights of the points, the coefficients above, and how many points
        those are worth -> coefficients.
    """

    name: str
    told: Callable[[np.ndarray, np.ndarray], np.ndarray] = field(repr=False)
    solve: Callable[..., np.ndarray] = field(repr=False)


_TRUSTED = 0.1
"""relative error up to which points count as their squares; beyond it as their magnitudes"""
_ROUNDS = 30
"""of weighing the points anew, at most"""


def _linear(features, figures, weights, above, worth):
    """Coefficients of 0 and more of which the relative errors are least, few large ones counting
    less (P. J. Huber, "Robust Estimation of a Location Parameter", Ann. Math. Stat. 35, 1964): a
    unit of which synthesis makes nearly nothing would draw all others to itself."""
    from scipy.optimize import lsq_linear

    scale = np.maximum(above, 0.1 * above.max())
    rows = features * scale / figures[:, None]
    pull = np.sqrt(worth) * np.eye(len(above))
    found = above / scale
    for _ in range(_ROUNDS):
        told = rows @ found
        # No point pulls harder than an error of _TRUSTED, however small its own figure is.
        trust = 1 / (np.maximum(1, np.abs(told - 1) / _TRUSTED) * np.maximum(1, told))
        # The points together keep their weight beside the level above.
        trust *= weights.sum() / (weights * trust).sum()
        root = np.sqrt(weights * trust)
        matrix = np.vstack([rows * root[:, None], pull])
        wanted = np.concatenate([root, np.sqrt(worth) * above / scale])
        last, found = found, lsq_linear(matrix, wanted, bounds=(0, np.inf)).x
        if np.allclose(last, found, rtol=1e-4, atol=1e-6):
            break
    return found * scale


def _logarithmic(features, figures, weights, above, worth):
    """Exponents of which the errors of the logarithms are least."""
    wanted = np.log(figures) - features @ above
    root = np.sqrt(weights)
    matrix = np.vstack([features * root[:, None], np.sqrt(worth) * np.eye(len(above))])
    targets = np.concatenate([wanted * root, np.zeros(len(above))])
    return above + np.linalg.lstsq(matrix, targets, rcond=None)[0]


LINEAR = Kind("linear", lambda features, coefficients: features @ coefficients, _linear)
"""figure = sum of coefficients times features, both 0 or more"""
LOGARITHMIC = Kind(
    "logarithmic", lambda features, coefficients: np.exp(features @ coefficients), _logarithmic
)
"""figure = exp(sum of coefficients times features)"""


@dataclass(frozen=True)
class Levels:
    """Coefficients of each group, ``()`` being all.

    Attributes
    ----------
    bounds : (2, n), beyond which a feature counts as no further away: what was seen of it.
    """

    kind: Kind
    coefficients: dict[Group, np.ndarray]
    bounds: np.ndarray

    def level(self, group: Group) -> Group:
        """The group itself, or the nearest one above it that is known."""
        while group not in self.coefficients:
            group = group[:-1]
        return group

    def told(self, features: np.ndarray, groups: Sequence[Group]) -> np.ndarray:
        """The figures of points, a row of features and a group each."""
        rows = [self.coefficients[self.level(group)] for group in groups]
        features = np.clip(features, *self.bounds)
        return np.array(
            [self.kind.told(one[None], row)[0] for one, row in zip(features, rows, strict=True)]
        )


def fit(
    kind: Kind,
    features: np.ndarray,
    figures: np.ndarray,
    groups: Sequence[Group],
    *,
    start: np.ndarray,
    worth: float,
) -> dict[Group, np.ndarray]:
    """Coefficients of all points and of each group.

    Families weigh the same in the model of all, however many points they have.

    Parameters
    ----------
    features : (points, n). figures : (points,), above 0. groups : of each point.
    start : (n,), which the model of all stays near. worth : how many points the model above each
        one counts as.
    """
    members: dict[Group, list[int]] = {(): list(range(len(groups)))}
    for index, group in enumerate(groups):
        for length in range(1, len(group) + 1):
            members.setdefault(group[:length], []).append(index)
    found: dict[Group, np.ndarray] = {}
    for group in sorted(members, key=lambda g: (len(g), g)):
        chosen = members[group]
        below = [groups[index][: len(group) + 1] for index in chosen]
        each = np.array([1 / below.count(one) for one in below])
        weights = each * len(chosen) / each.sum()
        above = found[group[:-1]] if group else start
        found[group] = kind.solve(features[chosen], figures[chosen], weights, above, worth)
    return found
