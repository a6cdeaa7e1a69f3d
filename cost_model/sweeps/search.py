"""Searches a space for points that nothing is better than, without asking for a point twice."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from multipede.cost_model.sweeps.space import Space
from multipede.golden.number_format import require_range
from multipede.golden.spec import Spec
from multipede.toolchain import ToolError

__all__ = ["SEARCHES", "search"]

SEARCHES = ("nsga2", "tpe")
_BROKEN = "broken"
_STALE = 200
"""proposals in turn, none of them new, after which it is over"""


def search(
    space: Space,
    evaluate: Callable[[Sequence[Spec]], Sequence[Sequence[float] | None]],
    *,
    method: str,
    points: int,
    directions: Sequence[str],
    seed: int = 1,
    at_once: int = 1,
) -> list[Spec]:
    """The points that were asked for, in turn.

    Parameters
    ----------
    space : all of whose parameters have finitely many values.
    evaluate : the figures of points, in the order of ``directions``; None for one without any.
    method : ``"nsga2"``, evolution for several figures, or ``"tpe"``, Parzen estimators.
    points : how many different ones at most. directions : ``"minimize"`` or ``"maximize"`` of each
        figure. seed : of the sampler. at_once : points that are proposed before any is evaluated.

    Raises
    ------
    TypeError, ValueError
        For an unknown method, numbers out of range, and an empty space.
    ToolError
        If Optuna is missing.
    """
    if method not in SEARCHES:
        raise ValueError(f"search = {method!r}: allowed are {', '.join(SEARCHES)}")
    require_range("points", points, 1, 1_000_000)
    require_range("seed", seed, 0, 2**32 - 1)
    study = _study(method, directions, seed)
    spread = _distributions(space)
    known: dict[str, tuple[float, ...] | None] = {}
    asked: list[Spec] = []
    stale = 0
    while len(asked) < points and stale < _STALE:
        trials, fresh = [], {}
        for _ in range(min(at_once, points - len(asked))):
            trial = study.ask(spread)
            choice = {name: space.parameters[name][trial.params[name]] for name in spread}
            spec = space.spec(choice)
            trials.append((trial, spec))
            if spec is not None and spec.fingerprint not in known:
                fresh.setdefault(spec.fingerprint, spec)
        stale = 0 if fresh else stale + len(trials)
        found = evaluate(list(fresh.values())) if fresh else ()
        for (fingerprint, spec), figures in zip(fresh.items(), found, strict=True):
            known[fingerprint] = None if figures is None else tuple(figures)
            asked.append(spec)
        for trial, spec in trials:
            _tell(study, trial, None if spec is None else known[spec.fingerprint])
    if not asked:
        # It says what is wrong with the space; if nothing is, the points were not hit on.
        return space.sample(1, seed)
    return asked


def _study(method: str, directions: Sequence[str], seed: int) -> Any:
    try:
        import optuna
    except ModuleNotFoundError:
        raise ToolError("a search needs Optuna. Get it: pip install 'multipede[sweep]'") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    samplers: Mapping[str, Callable[[], Any]] = {
        "nsga2": lambda: optuna.samplers.NSGAIISampler(population_size=16, seed=seed),
        "tpe": lambda: optuna.samplers.TPESampler(seed=seed),
    }
    return optuna.create_study(directions=list(directions), sampler=samplers[method]())


def _distributions(space: Space) -> dict[str, Any]:
    """Of the places of values among those of a parameter: numbers in order are near each other."""
    from optuna.distributions import CategoricalDistribution, IntDistribution

    spread = {}
    for name, values in space.parameters.items():
        numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
        ordered = numbers and list(values) == sorted(values)
        places = range(len(values))
        spread[name] = (
            IntDistribution(0, len(values) - 1)
            if ordered
            else CategoricalDistribution(list(places))
        )
    return spread


def _tell(study: Any, trial: Any, figures: tuple[float, ...] | None) -> None:
    """What is no point, or has no figures, breaks a condition, which samplers learn to avoid."""
    trial.set_constraint(_BROKEN, float(figures is None))
    study.tell(trial, [0.0] * len(study.directions) if figures is None else list(figures))
