"""A calibration: coefficients, how far they hold, and how well they told what they never saw."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from multipede.cost_model.prediction.measures import SHAPE, Measures
from multipede.cost_model.prediction.models import FEATURES
from multipede.cost_model.prediction.regression import LINEAR, LOGARITHMIC, Group, Kind, Levels
from multipede.golden.number_format import require_type
from multipede.hw import Style

__all__ = [
    "Calibration",
    "Errors",
    "Known",
    "Model",
    "Origin",
    "calibration_file",
    "ranged",
    "read_calibration",
    "read_origin",
]

_VERSION = 2
_KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (LINEAR, LOGARITHMIC)}
_PLACE = Path(__file__).with_name("calibrated")
_ORIGIN = ("target", "style", "source", "tools")
_GATES = "gates"
_ENOUGH = 10
"""points of a unit that its own errors are told from"""


@dataclass(frozen=True)
class Errors:
    """Magnitudes of relative errors of points that a model was not fitted to.

    Attributes
    ----------
    points : how many. median, worst : of them. two_thirds, most : what 68 % and 95 % are within.
    """

    points: int
    median: float
    two_thirds: float
    most: float
    worst: float

    @classmethod
    def of(cls, told: np.ndarray, figures: np.ndarray) -> "Errors":
        """Of what was told, against what synthesis found."""
        errors = np.abs(told / figures - 1)
        levels = np.quantile(errors, [0.5, 0.68, 0.95, 1.0]).round(4)
        return cls(len(errors), *levels.tolist())


@dataclass(frozen=True)
class Model:
    """One figure.

    Attributes
    ----------
    unit : that it is in. features : names. levels : coefficients of all, families and units.
    within : errors for each unit with points of it left out. left_out : for each family with all
        of it left out, or for each unit where one family alone has the figure. larger : for each
        unit of those points that are the larger half of it, by gates, with those of all units left
        out at once.
    all_within, all_left_out, all_larger : likewise of all points.
    """

    unit: str
    features: tuple[str, ...]
    levels: Levels
    within: Mapping[str, Errors]
    left_out: Mapping[str, Errors]
    larger: Mapping[str, Errors]
    all_within: Errors
    all_left_out: Errors
    all_larger: Errors

    def told(self, of: Measures, group: Group) -> float:
        """The figure."""
        row = np.array([[FEATURES[name](of) for name in self.features]])
        return float(self.levels.told(row, [group])[0])


@dataclass(frozen=True)
class Known:
    """What a calibration has seen of a unit.

    Attributes
    ----------
    family : that it belongs to. points : how many. ranges : least and most of each measure.
    """

    family: str
    points: int
    ranges: Mapping[str, tuple[float, float]]

    def outside(self, of: Measures) -> list[str]:
        """Measures that are outside of the ranges, in words."""
        found = ranged(of)
        return [
            f"{name} {found[name]:,.4g} ({least:,.4g} to {most:,.4g})"
            for name, (least, most) in self.ranges.items()
            if not least <= found[name] <= most
        ]


@dataclass(frozen=True)
class Origin:
    """Where the samples of a calibration come from.

    Attributes
    ----------
    target, style, source, tools : as of :class:`Calibration`.
    units : that figures are in, by quantity.
    """

    target: str
    style: str
    source: str
    tools: Mapping[str, str]
    units: Mapping[str, str]

    @classmethod
    def from_dict(cls, description: Mapping[str, Any]) -> "Origin":
        """That of what :meth:`Calibration.to_dict` described, now or before. ValueError, TypeError,
        KeyError for anything else."""
        for name in _ORIGIN:
            require_type(name, description[name], dict if name == "tools" else str)
        Style(description["style"])
        units = {name: figure["unit"] for name, figure in description["figures"].items()}
        return cls(**{name: description[name] for name in _ORIGIN}, units=units)


def ranged(of: Measures) -> dict[str, float]:
    """The measures that have ranges."""
    return {**{name: of.shape[name] for name in SHAPE}, _GATES: of.gates}


@dataclass(frozen=True)
class Calibration:
    """All that predictions for a target come from.

    Attributes
    ----------
    target : as of :func:`~multipede.cost_model.targets.synthesize`, or the name of a Liberty file.
    style : of the RTL. source : how what it was fitted to was synthesised. tools : versions.
    units : what was seen. models : by figure.
    """

    target: str
    style: str
    source: str
    tools: Mapping[str, str]
    units: Mapping[str, Known]
    models: Mapping[str, Model]

    def group(self, unit: str) -> Group:
        """Where a unit stands; with all, if it was never seen."""
        known = self.units.get(unit)
        return () if known is None else (known.family, unit)

    def error(self, quantity: str, unit: str, *, outside: bool) -> float:
        """The relative error within which two thirds of such figures are."""
        return max(errors.two_thirds for errors in self._errors(quantity, unit, outside=outside))

    def most(self, quantity: str, unit: str, *, outside: bool) -> float:
        """That within which 95 % of them are."""
        return max(errors.most for errors in self._errors(quantity, unit, outside=outside))

    def _errors(self, quantity: str, unit: str, *, outside: bool) -> list[Errors]:
        """Those of the unit, if enough of it was seen to tell; of its family left out where there
        is too little; where a point is outside of what was seen, also of larger points left out."""
        model, known = self.models[quantity], self.units.get(unit)
        if known is None or unit not in model.within:
            return [model.all_left_out, model.all_larger]
        seen, unseen = model.within[unit], model.left_out.get(known.family, model.all_left_out)
        if outside:
            return [seen, unseen, model.all_larger, model.larger.get(unit, model.all_larger)]
        return [seen, unseen] if seen.points < _ENOUGH else [seen]

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            "version": _VERSION,
            **{name: getattr(self, name) for name in _ORIGIN},
            "units": {name: asdict(known) for name, known in self.units.items()},
            "figures": {name: _described(model) for name, model in self.models.items()},
        }

    @classmethod
    def from_dict(cls, description: Mapping[str, Any]) -> "Calibration":
        """What :meth:`to_dict` described. ValueError, TypeError, KeyError for anything else."""
        if (version := description["version"]) != _VERSION:
            raise ValueError(
                f"its version is {version}, ours {_VERSION}: 'multipede calibrate"
                f" {description['target']} --refit -o FILE' makes it anew with ours"
            )
        return cls(
            **{name: description[name] for name in _ORIGIN},
            units={
                name: Known(
                    known["family"],
                    known["points"],
                    {what: (least, most) for what, (least, most) in known["ranges"].items()},
                )
                for name, known in description["units"].items()
            },
            models={name: _model(model) for name, model in description["figures"].items()},
        )


def _described(model: Model) -> dict[str, Any]:
    return {
        "unit": model.unit,
        "model": model.levels.kind.name,
        "all": {
            "left out in turn": asdict(model.all_within),
            "family left out": asdict(model.all_left_out),
            "larger half left out": asdict(model.all_larger),
        },
        "units": {name: asdict(errors) for name, errors in model.within.items()},
        "families": {name: asdict(errors) for name, errors in model.left_out.items()},
        "larger halves of units": {name: asdict(errors) for name, errors in model.larger.items()},
        "features": list(model.features),
        "bounds": [_described_bounds(bounds) for bounds in model.levels.bounds.T],
        "coefficients": {
            "/".join(group): [float(f"{number:.6g}") for number in numbers]
            for group, numbers in model.levels.coefficients.items()
        },
    }


def _described_bounds(bounds: np.ndarray) -> list[float] | None:
    """None where there are none."""
    return bounds.round(6).tolist() if np.isfinite(bounds).all() else None


def _model(description: Mapping[str, Any]) -> Model:
    coefficients = {
        tuple(filter(None, group.split("/"))): np.array(numbers, float)
        for group, numbers in description["coefficients"].items()
    }
    features = tuple(description["features"])
    if unknown := set(features) - set(FEATURES):
        raise ValueError(f"its features {', '.join(sorted(unknown))} are not known")
    if any(len(numbers) != len(features) for numbers in coefficients.values()):
        raise ValueError("as many coefficients as features are needed")
    bounds = np.array([each or (-math.inf, math.inf) for each in description["bounds"]]).T
    return Model(
        unit=description["unit"],
        features=features,
        levels=Levels(_KINDS[description["model"]], coefficients, bounds),
        within={name: Errors(**errors) for name, errors in description["units"].items()},
        left_out={name: Errors(**errors) for name, errors in description["families"].items()},
        larger={
            name: Errors(**errors) for name, errors in description["larger halves of units"].items()
        },
        all_within=Errors(**description["all"]["left out in turn"]),
        all_left_out=Errors(**description["all"]["family left out"]),
        all_larger=Errors(**description["all"]["larger half left out"]),
    )


def read_calibration(path: Path) -> Calibration:
    """That of a file. ValueError naming what is wrong with it."""
    return _read(path, _parsed)


def read_origin(path: Path) -> Origin:
    """That of the calibration in a file, of any version. ValueError likewise."""
    return _read(path, lambda text: Origin.from_dict(json.loads(text)))


def _read(path: Path, parsed: Callable[[str], Any]) -> Any:
    try:
        return parsed(Path(path).read_text())
    except KeyError as error:
        raise ValueError(f"{path} is no calibration: it lacks {error}") from None
    except (OSError, UnicodeDecodeError, ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is no calibration: {error}") from None


@lru_cache(8)
def _parsed(text: str) -> Calibration:
    """Thousands of predictions in a row come from the same text."""
    return Calibration.from_dict(json.loads(text))


def calibration_file(target: str) -> Path:
    """The one that comes with the package. ValueError for a target that has none."""
    path = _PLACE / f"{target}.json"
    if not path.is_file():
        have = sorted(file.stem for file in _PLACE.glob("*.json"))
        raise ValueError(
            f"target = {target!r}: predictions are for {', '.join(have)}; for another,"
            " 'multipede calibrate' makes a calibration"
        )
    return path
