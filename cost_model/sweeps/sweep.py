"""Design spaces swept: all points, random ones, or those that a search asks for."""

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from multipede.asic_flow import Constraints
from multipede.cost_model.sweeps.campaign import campaign
from multipede.cost_model.sweeps.executors import Pool, pool_of
from multipede.cost_model.sweeps.frame import frame, numbers
from multipede.cost_model.sweeps.question import Answer, Question
from multipede.cost_model.sweeps.search import search as search_space
from multipede.cost_model.sweeps.space import Space, read_spaces
from multipede.cost_model.sweeps.store import Store
from multipede.cost_model.sweeps.worker import Limits
from multipede.cost_model.targets import takes
from multipede.golden.number_format import require_kinds, require_type
from multipede.golden.spec import Spec

if TYPE_CHECKING:
    import pandas

__all__ = ["sweep"]

_AT_ONCE = 8
"""points that a search proposes before any is measured; the same for any number of workers, so that
the same seed asks for the same points"""


def sweep(
    spaces: Space | Sequence[Space] | Path | str,
    targets: Sequence[str] = ("n28",),
    *,
    points: int | None = None,
    search: str | None = None,
    minimise: Sequence[str] = (),
    maximise: Sequence[str] = (),
    seed: int = 1,
    store: Path | str | None = None,
    executor: Any = None,
    workers: int | None = None,
    limits: Limits | None = None,
    retry: bool = False,
    constraints: Constraints | None = None,
    liberty: Path | None = None,
    energy: bool = False,
) -> "pandas.DataFrame":
    """What the points of design spaces take.

    Parameters
    ----------
    spaces : one, several, or a TOML file of them. targets : as of
        :func:`~multipede.cost_model.targets.synthesize`.
    points : so many random ones of each space, or of a search; by default all, without a search.
    search : ``"nsga2"`` or ``"tpe"``, of one space; ``minimise`` and ``maximise`` are then columns
        of what comes back, as in ``n28.area_per_multiply_accumulate``.
    seed : of random points and of a search.
    store : a file of results. What it has is not measured again; what is measured goes there at
        once, so that a sweep that was killed goes on where it was.
    executor, workers : who measures, see
        :func:`~multipede.cost_model.sweeps.executors.pool_of`. limits : on each point.
    retry : whether points that failed before are tried again.
    constraints, liberty : as of :func:`~multipede.cost_model.targets.synthesize`, for those targets
        that take them. energy : whether power is simulated on n28 and with a Liberty file.

    Returns
    -------
    A row for each point, see :func:`~multipede.cost_model.sweeps.frame.frame`; points that failed
    have their error there.

    Raises
    ------
    TypeError, ValueError
        For spaces that are empty or too large, unknown targets, and other parameters.
    StoreError
        If the file cannot be used. What was written is kept.
    ToolError
        If a tool or a package is missing.
    """
    chosen = _spaces(spaces)
    questions = _questions(targets, constraints, liberty, energy)
    columns = _columns(search, chosen, points, minimise, maximise)
    kept = nullcontext() if store is None else Store(store)
    with kept as file, pool_of(executor, workers) as pool:
        asking = _Asking(questions, pool, file, limits or Limits(), retry)
        if search is None:
            specs = [spec for space in chosen for spec in _points(space, points, seed)]
            return frame(asking(specs))
        search_space(
            chosen[0],
            lambda specs: numbers(frame(asking(specs)), columns),
            method=search,
            points=points,
            directions=["minimize"] * len(minimise) + ["maximize"] * len(maximise),
            seed=seed,
            at_once=_AT_ONCE,
        )
        return frame(asking.answers)


@dataclass
class _Asking:
    """Asks all questions of points, and keeps the answers."""

    questions: Sequence[Question]
    pool: Pool
    store: Store | None
    limits: Limits
    retry: bool
    answers: list[Answer] = field(default_factory=list)

    def __call__(self, specs: Iterable[Spec]) -> list[Answer]:
        given = {"pool": self.pool, "store": self.store, "limits": self.limits, "retry": self.retry}
        found = campaign(product(specs, self.questions), **given)
        self.answers += found
        return found


def _spaces(spaces: Any) -> list[Space]:
    if isinstance(spaces, str | Path):
        return read_spaces(Path(spaces))
    chosen = [spaces] if isinstance(spaces, Space) else spaces
    require_kinds("spaces", chosen, (list, tuple))
    if not chosen:
        raise ValueError("spaces is empty: at least one is needed")
    for space in chosen:
        require_type("spaces", space, Space)
    return list(chosen)


def _questions(
    targets: Sequence[str],
    constraints: Constraints | None,
    liberty: Path | None,
    energy: bool,
) -> list[Question]:
    """One for each target, with what it takes."""
    require_kinds("targets", targets, (list, tuple))
    if not targets:
        raise ValueError("targets is empty: at least one is needed")
    questions = []
    for target in dict.fromkeys(targets):
        given = {"constraints": constraints, "liberty": liberty}
        mine = {name: value for name, value in given.items() if value and takes(target, name)}
        with_cells = target.startswith("n28") or "liberty" in mine
        questions.append(Question(target, energy=energy and with_cells, **mine))
    for name, value in (("constraints", constraints), ("liberty", liberty), ("energy", energy)):
        if value and not any(getattr(question, name) for question in questions):
            raise ValueError(f"{name} = {value}: none of {', '.join(targets)} takes it")
    return questions


def _columns(
    search: str | None,
    spaces: Sequence[Space],
    points: int | None,
    minimise: Sequence[str],
    maximise: Sequence[str],
) -> list[str]:
    """Those that a search goes by."""
    for name, columns in (("minimise", minimise), ("maximise", maximise)):
        require_kinds(name, columns, (list, tuple))
        if columns and search is None:
            raise ValueError(f"{name} = {list(columns)}: only a search goes by it")
    if search is None:
        return []
    require_type("search", search, str)
    if len(spaces) != 1:
        raise ValueError(f"search = {search!r}: of one space, not of {len(spaces)}")
    if points is None:
        raise ValueError(f"search = {search!r}: points are needed, how many at most")
    if not (minimise or maximise):
        raise ValueError(f"search = {search!r}: columns to minimise or maximise are needed")
    return [*minimise, *maximise]


def _points(space: Space, points: int | None, seed: int) -> Iterable[Spec]:
    return space.grid() if points is None else space.sample(points, seed)
