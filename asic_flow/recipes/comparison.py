"""Scripts that were found for single units, tried on all of them: does one serve units unseen?"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from multipede.asic_flow.mapping.map_to_cells import Recipe, Script
from multipede.asic_flow.recipes.outcome import Outcome, RecipeSubject
from multipede.asic_flow.recipes.search import FoundRecipe

__all__ = ["RecipeComparison", "UnseenUnit", "compare_recipes"]


@dataclass(frozen=True)
class UnseenUnit:
    """What the script chosen without a unit makes of that unit.

    ``family`` is the unit's name in the catalogue; no unit of it took part in the choice.
    ``gain`` is the share of area saved, ``delay`` the delay over the default's (None without
    delays), with sizes for the default's delay.
    """

    unit: str
    family: str
    script: str
    gain: float
    delay: float | None


@dataclass(frozen=True)
class RecipeComparison:
    """Scripts by units.

    Attributes
    ----------
    library : its source.
    units, families : specifications as text, and their names in the catalogue.
    defaults : what the default recipe makes of each unit.
    scripts : the default's commands first, then those found, each once.
    finders : for each script the units, by number, whose search found it.
    outcomes, worths : for each script what it makes of each unit, and how that is judged (area over
        the default's, more if it is slower; see :meth:`RecipeSubject.worth`).
    """

    library: str
    units: tuple[str, ...]
    families: tuple[str, ...]
    defaults: tuple[Outcome, ...]
    scripts: tuple[str, ...]
    finders: tuple[tuple[int, ...], ...]
    outcomes: tuple[tuple[Outcome, ...], ...]
    worths: tuple[tuple[float, ...], ...]

    @property
    def common(self) -> str:
        """The script that is best on the mean of all units."""
        return self.scripts[self._best(range(len(self.units)))]

    @property
    def unseen(self) -> tuple[UnseenUnit, ...]:
        """For each unit what it gets from the script that is best on the mean of the units of other
        families, of those scripts that were found for them."""
        found = []
        for number, (unit, family) in enumerate(zip(self.units, self.families, strict=True)):
            others = [n for n, other in enumerate(self.families) if other != family]
            chosen = self._best(others)
            outcome, default = self.outcomes[chosen][number], self.defaults[number]
            gain = float("-inf") if outcome.error else 1 - outcome.area / default.area
            delay = None if outcome.delay is None else outcome.delay / default.delay
            found.append(UnseenUnit(unit, family, self.scripts[chosen], gain, delay))
        return tuple(found)

    def gains(self, script: str) -> tuple[float, ...]:
        """The share of area that a script of these saves on each unit; minus infinity if ABC
        failed. ValueError for other scripts."""
        outcomes = self.outcomes[self.scripts.index(script)]
        return tuple(
            float("-inf") if outcome.error else 1 - outcome.area / default.area
            for outcome, default in zip(outcomes, self.defaults, strict=True)
        )

    def _best(self, units: Iterable[int]) -> int:
        units = list(units)
        allowed = [
            script
            for script, finders in enumerate(self.finders)
            if script == 0 or any(finder in units for finder in finders)
        ]
        return min(allowed, key=lambda script: sum(self.worths[script][unit] for unit in units))

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it; see :meth:`from_dict`."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "RecipeComparison":
        """What :meth:`to_dict` gave."""
        plain = {name: tuple(values[name]) for name in ("units", "families", "scripts")}
        return cls(
            library=values["library"],
            **plain,
            defaults=tuple(Outcome(**default) for default in values["defaults"]),
            finders=tuple(map(tuple, values["finders"])),
            outcomes=tuple(tuple(Outcome(**one) for one in row) for row in values["outcomes"]),
            worths=tuple(map(tuple, values["worths"])),
        )

    def __str__(self) -> str:
        lines = [f"one script for all units on {self.library}:", f"  {self.common}"]
        rows = zip(self.units, self.gains(self.common), self.unseen, strict=True)
        for unit, gain, unseen in rows:
            delay = "" if unseen.delay is None else f" at {unseen.delay:.3f} of the delay"
            lines.append(
                f"  {100 * gain:6.2f} % less; chosen without {unseen.family}:"
                f" {100 * unseen.gain:6.2f} %{delay}; {unit}"
            )
        mean = sum(unseen.gain for unseen in self.unseen) / len(self.units)
        lines.append(f"  mean of the unseen: {100 * mean:.2f} %")
        return "\n".join(lines)


def compare_recipes(
    subjects: Sequence[RecipeSubject],
    found: Sequence[FoundRecipe],
    *,
    each: Callable[[Callable, Iterable], Iterable] = map,
) -> RecipeComparison:
    """Try the best script of each search and its runners-up on all units.

    Parameters
    ----------
    subjects, found : units, two or more, and what was found for each of them.
    each : applies a function to every subject, in order; such as a pool's ``map``.

    Raises
    ------
    ValueError
        For fewer than two units, or as many results as there are not units.
    """
    if len(subjects) < 2:
        raise ValueError(f"subjects: {len(subjects)} given, two or more are needed")
    if len(subjects) != len(found):
        raise ValueError(f"found: {len(found)} given for {len(subjects)} subjects")
    finders: dict[str, list[int]] = {Recipe.AREA.value: []}
    for number, one in enumerate(found):
        for script in (one.script, *one.runners_up):
            finders.setdefault(script.value, []).append(number)
    columns = list(each(_Trial(tuple(finders)), subjects))
    return RecipeComparison(
        library=subjects[0].library.source,
        units=tuple(str(subject.spec) for subject in subjects),
        families=tuple(subject.spec.unit for subject in subjects),
        defaults=tuple(subject.default for subject in subjects),
        scripts=tuple(finders),
        finders=tuple(map(tuple, finders.values())),
        outcomes=tuple(zip(*([one for one, _ in column] for column in columns), strict=True)),
        worths=tuple(zip(*([worth for _, worth in column] for column in columns), strict=True)),
    )


@dataclass(frozen=True)
class _Trial:
    """All scripts on one unit; a class, so that it can go to another process."""

    scripts: tuple[str, ...]

    def __call__(self, subject: RecipeSubject) -> list[tuple[Outcome, float]]:
        outcomes = [subject.outcome(Script("tried", script)) for script in self.scripts]
        return [(outcome, subject.worth(outcome)) for outcome in outcomes]
