"""Synthesis scripts for given units on a target: what a search saves, and what carries over."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from multipede.asic_flow.liberty.gate_table import gate_library
from multipede.asic_flow.liberty.library import Library, read_liberty
from multipede.asic_flow.recipes.comparison import RecipeComparison, compare_recipes
from multipede.asic_flow.recipes.outcome import RecipeSubject
from multipede.asic_flow.recipes.search import FoundRecipe, search_recipes
from multipede.asic_flow.recipes.space import SPACE, RecipeSpace
from multipede.cost_model.targets import cell_library, require_target, takes
from multipede.golden.number_format import require_range, require_type
from multipede.golden.spec import Spec

__all__ = ["RecipeReport", "recipes"]


@dataclass(frozen=True)
class RecipeReport:
    """What the searches found, and its comparison; None for one unit."""

    found: tuple[FoundRecipe, ...]
    comparison: RecipeComparison | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        compared = self.comparison
        return {
            "searches": [asdict(one) | {"gain": one.gain} for one in self.found],
            "common": None if compared is None else compared.common,
            "unseen": [] if compared is None else [asdict(one) for one in compared.unseen],
        }

    def __str__(self) -> str:
        parts = [*self.found, self.comparison] if self.comparison else self.found
        return "\n\n".join(map(str, parts))


def recipes(
    specs: Sequence[Spec],
    target: str = "n28",
    *,
    liberty: Path | None = None,
    trials: int = 200,
    seed: int = 1,
    space: RecipeSpace = SPACE,
) -> RecipeReport:
    """Search a synthesis script for each unit, and try those found on all of them.

    Scripts of searches are proved to leave the logic what it was.

    Parameters
    ----------
    specs : the units, one or more.
    target : standard cells, ``"n28"`` or one of its corners, or ``"gates"``, whose table has no
        delays: there area is all that counts.
    liberty : a Liberty file in place of the table, for ``"gates"`` only.
    trials, seed, space : as for :func:`~multipede.asic_flow.recipes.search.search_recipes`.

    Raises
    ------
    TypeError, ValueError
        For arguments that are none of these.
    ToolError
        If Optuna or Yosys is missing, or the default recipe fails.
    MismatchError
        If a script that was found does not leave the logic what it was.
    """
    if not specs:
        raise ValueError("specs: one unit or more is needed")
    for spec in specs:
        require_type("specs", spec, Spec)
    require_range("trials", trials, 1, 100_000)
    library = _library(target, liberty)
    subjects = [RecipeSubject(spec, library) for spec in specs]
    found = []
    for subject in subjects:
        found.append(search_recipes(subject, trials=trials, seed=seed, space=space))
        subject.require_equal(found[-1].script)
    return RecipeReport(tuple(found), compare_recipes(subjects, found) if len(specs) > 1 else None)


def _library(target: str, liberty: Path | None) -> Library:
    require_target(target)
    if not takes(target, "liberty") and not target.startswith("n28"):
        raise ValueError(f"target = {target!r}: recipes are for standard cells, n28 or gates")
    if liberty is not None and not takes(target, "liberty"):
        raise ValueError(f"liberty = {liberty}: only 'gates' takes it")
    library = cell_library(target, liberty)
    if library is None:
        return gate_library()
    return library if isinstance(library, Library) else read_liberty(library)
