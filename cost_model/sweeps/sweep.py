"""Design spaces swept: all points, random ones, or those that a search asks for."""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from multipede.asic_flow import Constraints
from multipede.asic_flow.liberty.library import read_liberty
from multipede.cost_model.prediction.calibration import calibration_file, read_calibration
from multipede.cost_model.sweeps.campaign import campaign
from multipede.cost_model.sweeps.executors import Pool, pool_of
from multipede.cost_model.sweeps.frame import frame, near_pareto, numbers, predicted_column
from multipede.cost_model.sweeps.predicted import Predicted
from multipede.cost_model.sweeps.question import Answer, Question
from multipede.cost_model.sweeps.search import SEARCHES
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

_MEASURES = ("all", "pareto", "none")
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
    measure: str | None = None,
    calibration: Path | None = None,
) -> "pandas.DataFrame":
    """What the points of design spaces take.

    Parameters
    ----------
    spaces : one, several, or a TOML file of them. targets : as of
        :func:`~multipede.cost_model.targets.synthesize`.
    points : so many random ones of each space, or of a search; by default all, without a search.
    minimise, maximise : goals, columns of what comes back, as in
        ``n28.area_per_multiply_accumulate``.
    search : ``"nsga2"`` or ``"tpe"``, of one space, by the goals.
    measure : ``"all"`` synthesises every point, ``"none"`` only predicts, in columns as
        ``n28.predicted.area``. ``"pareto"`` predicts all and synthesises those of which no other
        point is better in all goals, error bars considered. By default that, if there are goals and
        predictions for the targets, else ``"all"``.
    calibration : the file of one that ``multipede calibrate`` made, for predictions of the target
        in place of those that come with the package.
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
    if liberty is not None:
        read_liberty(liberty)  # what is none is told before all points fail
    questions = _questions(targets, constraints, liberty, energy)
    goals = _Goals(minimise, maximise)
    _check_search(search, chosen, points, goals)
    measure = _measure(measure, questions, goals, calibration)
    predicted = [] if measure == "all" else _predicted(questions, calibration)
    kept = nullcontext() if store is None else Store(store)
    with kept as file, pool_of(executor, workers) as pool:
        asking = _Asking(pool, file, limits or Limits(), retry)
        first = predicted or questions
        if search is None:
            specs = [spec for space in chosen for spec in _points(space, points, seed)]
            if goals.all:
                # One point first, as all may take hours: a goal that is no figure is told then.
                columns = goals.columns(predicted=bool(predicted))
                numbers(frame(asking(specs[:1], first), asking.specs), columns)
            asking(specs, first)
        else:
            columns = goals.columns(predicted=bool(predicted))
            specs = search_space(
                chosen[0],
                lambda specs: numbers(frame(asking(specs, first)), columns),
                method=search,
                points=points,
                directions=goals.directions,
                seed=seed,
                at_once=_AT_ONCE,
            )
        if measure == "pareto":
            asking(_near(specs, asking.frame(), goals), questions)
        return asking.frame()


@dataclass(frozen=True)
class _Goals:
    minimise: Sequence[str]
    maximise: Sequence[str]

    def __post_init__(self) -> None:
        require_kinds("minimise", self.minimise, (list, tuple))
        require_kinds("maximise", self.maximise, (list, tuple))
        for name in self.all:
            require_type("minimise and maximise", name, str)

    @property
    def all(self) -> list[str]:
        return [*self.minimise, *self.maximise]

    @property
    def directions(self) -> list[str]:
        """As Optuna calls them."""
        return ["minimize"] * len(self.minimise) + ["maximize"] * len(self.maximise)

    def columns(self, *, predicted: bool) -> list[str]:
        """Those that hold the figures."""
        return list(map(predicted_column, self.all)) if predicted else self.all


def _near(specs: Sequence[Spec], found: "pandas.DataFrame", goals: _Goals) -> list[Spec]:
    """The points that may be best."""
    columns = goals.columns(predicted=True)
    numbers(found, columns)
    if missing := set(columns) - set(found.columns):
        raise ValueError(f"no point could be predicted, and so there is no {sorted(missing)[0]}")
    best = near_pareto(found, minimise=goals.minimise, maximise=goals.maximise)
    # Rows are in the order of the points, each once.
    each = list({spec.fingerprint: spec for spec in specs}.values())
    return [each[index] for index in best.index]


@dataclass
class _Asking:
    """Asks questions of points, and keeps the answers."""

    pool: Pool
    store: Store | None
    limits: Limits
    retry: bool
    answers: list[Answer] = field(default_factory=list)
    specs: dict[str, Spec] = field(default_factory=dict)

    def __call__(self, specs: Sequence[Spec], questions: Sequence[Question]) -> list[Answer]:
        given = {"pool": self.pool, "store": self.store, "limits": self.limits, "retry": self.retry}
        found = campaign(product(specs, questions), **given)
        self.answers += found
        self.specs |= {spec.fingerprint: spec for spec in specs}
        return found

    def frame(self) -> "pandas.DataFrame":
        """Of all that was asked."""
        return frame(self.answers, self.specs)


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


def _measure(
    measure: str | None,
    questions: Sequence[Question],
    goals: _Goals,
    calibration: Path | None,
) -> str:
    """What is synthesised: all, the points that may be best, or nothing."""
    if measure is None:
        predictable = calibration is not None or all(map(_can_be_predicted, questions))
        return "pareto" if goals.all and predictable else "all"
    require_type("measure", measure, str)
    if measure not in _MEASURES:
        raise ValueError(f"measure = {measure!r}: allowed are {', '.join(_MEASURES)}")
    if measure == "pareto" and not goals.all:
        raise ValueError("measure = 'pareto': columns to minimise or maximise are needed")
    return measure


def _can_be_predicted(question: Question) -> bool:
    try:
        calibration_file(question.target)
    except ValueError:
        return False
    return question.constraints is None and question.liberty is None


def _predicted(questions: Sequence[Question], calibration: Path | None) -> list[Predicted]:
    """The same as predictions. ValueError for what none are made of."""
    if calibration is not None:
        if len(questions) > 1:
            raise ValueError(f"calibration = {str(calibration)!r}: of one target, not of several")
        read_calibration(Path(calibration))
    for question in questions:
        if question.constraints is not None:
            raise ValueError(
                f"{question.constraints}: predictions are of the smallest netlist; with a clock,"
                " measure all"
            )
        if question.liberty is not None and calibration is None:
            raise ValueError(
                f"liberty = {str(question.liberty)!r}: predictions need its calibration, which"
                " 'multipede calibrate' makes"
            )
    # Workers may be in another directory.
    given = {} if calibration is None else {"calibration": Path(calibration).resolve()}
    return [Predicted(question.target, **given) for question in questions]


def _check_search(
    search: str | None, spaces: Sequence[Space], points: int | None, goals: _Goals
) -> None:
    if search is None:
        return
    require_type("search", search, str)
    if search not in SEARCHES:
        raise ValueError(f"search = {search!r}: allowed are {', '.join(SEARCHES)}")
    if len(spaces) != 1:
        raise ValueError(f"search = {search!r}: of one space, not of {len(spaces)}")
    if points is None:
        raise ValueError(f"search = {search!r}: points are needed, how many at most")
    if not goals.all:
        raise ValueError(f"search = {search!r}: columns to minimise or maximise are needed")


def _points(space: Space, points: int | None, seed: int) -> Iterator[Spec] | list[Spec]:
    return space.grid() if points is None else space.sample(points, seed)
