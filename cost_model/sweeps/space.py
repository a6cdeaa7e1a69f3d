"""A design space: a unit, values for its parameters, and conditions that its points must meet."""

import itertools
import math
import random
import tomllib
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, fields
from enum import Enum
from pathlib import Path
from types import NoneType
from typing import Any

from multipede.cost_model.sweeps.conditions import is_met, names_of
from multipede.golden.catalogue import unit as unit_of
from multipede.golden.formats import Format
from multipede.golden.number_format import require_kinds, require_range, require_type
from multipede.golden.spec import Spec

__all__ = ["MOST_COMBINATIONS", "Space", "read_spaces"]

MOST_COMBINATIONS = 10_000_000
"""of which all are gone through; a larger space is for searches and random points"""
_KINDS = (str, int, Enum, Format, Spec, NoneType)
"""of values: as texts, or as they are"""
_FEW = 10
"""combinations for each random point that is wanted, up to which all are gone through"""
_TRIES = 1000
"""combinations drawn for each random point that is wanted, before the space is called empty"""


@dataclass(frozen=True)
class Space:
    """Specifications of a unit.

    Parameters
    ----------
    unit : its name.
    parameters : name -> values, as texts or as they are: a list, a tuple, a range. Parameters that
        are not named have their defaults.
    conditions : expressions over the parameters, all of which must be true, as in
        ``"rows * lanes <= 64"`` or ``"weight.bits < activation.bits"``.

    Combinations that the unit refuses are no points.

    Raises
    ------
    TypeError, ValueError
        For an unknown unit or parameter, values that are none, not finitely many or of no format or
        kind that the parameter has, and conditions that cannot be read.
    """

    unit: str
    parameters: Mapping[str, Sequence[Any]]
    conditions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require_type("unit", self.unit, str)
        unit = unit_of(self.unit)
        require_type("parameters", self.parameters, Mapping)
        values = {}
        for name, choices in self.parameters.items():
            values[name] = _choices(name, choices)
            for value in values[name]:
                unit.parsed(name, value)  # what is misspelt is never a value
        object.__setattr__(self, "parameters", values)
        if isinstance(self.conditions, str) or not isinstance(self.conditions, Sequence):
            raise TypeError(f"conditions must be a list of expressions, not {self.conditions!r}")
        for condition in self.conditions:
            require_type("conditions", condition, str)
            if unknown := sorted(names_of(condition) - {field.name for field in fields(unit)}):
                known = [field.name for field in fields(unit)]
                raise ValueError(
                    f"condition {condition!r}: {self.unit} has no parameter {unknown[0]!r}: it has"
                    f" {known}"
                )
        object.__setattr__(self, "conditions", tuple(self.conditions))

    @property
    def combinations(self) -> int:
        """How many, those that are no points included."""
        return math.prod(map(len, self.parameters.values()))

    def spec(self, choice: Mapping[str, Any]) -> Spec | None:
        """The point with these values; None if the unit refuses them or a condition does.

        Raises ValueError for a condition that cannot be evaluated.
        """
        found = self._of(choice)
        return found if isinstance(found, Spec) else None

    def refusal(self) -> str:
        """Why the first of the combinations that are no points is none; empty if all are points."""
        every = map(self._of, self._every())
        return next((found for found in every if isinstance(found, str)), "")

    def _every(self) -> Iterator[dict[str, Any]]:
        """All combinations, the last parameter running fastest."""
        for values in itertools.product(*self.parameters.values()):
            yield dict(zip(self.parameters, values, strict=True))

    def _of(self, choice: Mapping[str, Any]) -> Spec | str:
        """The point with these values, or why there is none."""
        try:
            found = unit_of(self.unit).from_parameters(choice)
        except (TypeError, ValueError) as error:
            return str(error)
        unmet = self._unmet(found)
        return f"the condition {unmet!r} refuses {found}" if unmet else found

    def _unmet(self, spec: Spec) -> str | None:
        """The first condition that is not met."""
        names = {field.name: getattr(spec, field.name) for field in fields(spec)}
        for condition in self.conditions:
            try:
                met = is_met(condition, names)
            except Exception as error:
                raise ValueError(f"condition {condition!r} of {spec}: {error}") from None
            if not met:
                return condition
        return None

    def grid(self) -> Iterator[Spec]:
        """All points, the last parameter running fastest. ValueError for too many combinations, and
        at the end if there was none."""
        if self.combinations > MOST_COMBINATIONS:
            raise ValueError(
                f"{self.unit}: {self.combinations:,} combinations are more than"
                f" {MOST_COMBINATIONS:,}: narrow the space, draw random points, or search"
            )
        none = True
        for choice in self._every():
            found = self.spec(choice)
            if found is not None:
                none = False
                yield found
        if none:
            raise self._empty(self.combinations)

    def sample(self, points: int, seed: int) -> list[Spec]:
        """Different random points; fewer if no more are found. TypeError, ValueError for
        numbers out of range, and for a space in which none is found."""
        require_range("points", points, 1, MOST_COMBINATIONS)
        require_range("seed", seed, 0, 2**63)
        generator = random.Random(seed)
        if self.combinations <= points * _FEW:
            every = list(self.grid())
            return generator.sample(every, min(points, len(every)))
        found: dict[str, Spec] = {}
        for _ in range(points * _TRIES):
            chosen = {n: generator.choice(values) for n, values in self.parameters.items()}
            spec = self.spec(chosen)
            if spec is not None:
                found.setdefault(spec.fingerprint, spec)
            if len(found) == points:
                break
        if not found:
            raise self._empty(points * _TRIES)
        return list(found.values())

    def _empty(self, tried: int) -> ValueError:
        why = f"of the first: {self.refusal()}"
        return ValueError(f"the space of {self.unit} is empty: of {tried:,} tried, {why}")


def _choices(name: str, choices: Any) -> tuple[Any, ...]:
    if isinstance(choices, str | Mapping | Set) or not isinstance(choices, Sequence):
        raise TypeError(f"{name} must be a list or a range of values, not {choices!r}")
    if not choices:
        raise ValueError(f"{name} has no values: at least one is needed")
    if len(choices) > MOST_COMBINATIONS:
        raise ValueError(f"{name} has {len(choices):,} values: at most {MOST_COMBINATIONS:,}")
    for choice in choices:
        require_kinds(name, choice, _KINDS)
    return tuple(dict.fromkeys(choices))


def read_spaces(path: Path) -> list[Space]:
    """Spaces of a TOML file: tables ``[[space]]`` with ``unit``, ``conditions`` and
    ``[space.parameters]``, whose values are lists, or ranges as in ``{ from = 1, to = 8 }`` with
    ``step``, added, or ``factor``, multiplied with.

    Raises ValueError naming the file and the place of what is wrong in it.
    """
    try:
        document = tomllib.loads(Path(path).read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"{path} is no design space: {error}") from None
    tables = document.pop("space", None)
    if document or not isinstance(tables, list) or not tables:
        given = f", and no {', '.join(document)}" if document else ""
        raise ValueError(f"{path}: tables [[space]] are needed{given}")
    try:
        return [_space(table) for table in tables]
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from None


def _space(table: Any) -> Space:
    require_type("space", table, dict)
    unknown = set(table) - {"unit", "parameters", "conditions"}
    if unknown or "unit" not in table:
        raise ValueError(f"a space has unit, parameters and conditions, not {sorted(table)}")
    parameters = table.get("parameters", {})
    require_type("parameters", parameters, dict)
    chosen = {
        name: _range(name, values) if isinstance(values, dict) else values
        for name, values in parameters.items()
    }
    return Space(table["unit"], chosen, table.get("conditions", ()))


def _range(name: str, bounds: dict[str, Any]) -> list[int]:
    known = {"from", "to", "step", "factor"}
    if not {"from", "to"} <= set(bounds) <= known or {"step", "factor"} <= set(bounds):
        raise ValueError(f"{name} = {bounds}: a range has from and to, and either step or factor")
    for word, value in bounds.items():
        require_type(f"{name}: {word}", value, int)
    first, last = bounds["from"], bounds["to"]
    step, factor = bounds.get("step", 1), bounds.get("factor")
    if factor is None:
        if step < 1:
            raise ValueError(f"{name} = {bounds}: a step of at least 1 is needed")
        if (last - first) // step >= MOST_COMBINATIONS:
            raise ValueError(f"{name} = {bounds}: too many values")
        return list(range(first, last + 1, step))
    if factor < 2 or first < 1:
        raise ValueError(f"{name} = {bounds}: a factor from 2 and numbers from 1 are needed")
    powers = (first * factor**power for power in itertools.count())
    return list(itertools.takewhile(lambda value: value <= last, powers))
