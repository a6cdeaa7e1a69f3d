"""The search over synthesis scripts: least area at no more delay, by Optuna, with a seed."""

from dataclasses import dataclass

from multipede.asic_flow.mapping.map_to_cells import Recipe, Script
from multipede.asic_flow.recipes.outcome import Outcome, RecipeSubject
from multipede.asic_flow.recipes.space import SPACE, RecipeSpace
from multipede.golden.number_format import require_range, require_type
from multipede.toolchain import ToolError

__all__ = ["FoundRecipe", "search_recipes"]

_AT_RANDOM = 40  # trials, before the sampler begins to learn


@dataclass(frozen=True)
class FoundRecipe:
    """What a search found for a unit.

    Attributes
    ----------
    unit : the specification as text. library : its source.
    default : what the yardstick makes of it, :attr:`Recipe.AREA`. synthesis : what synthesis takes,
        which is that or what :attr:`Recipe.AMAP` makes, whichever is smaller at no more delay.
    best : what the best script makes of it; that of synthesis if nothing was better.
    script : the best. runners_up : the next, the best first, at most two.
    trials : that were made. distinct : different scripts among them. failed : distinct ones that
        ABC failed on.
    """

    unit: str
    library: str
    default: Outcome
    synthesis: Outcome
    best: Outcome
    script: Script
    runners_up: tuple[Script, ...]
    trials: int
    distinct: int
    failed: int

    @property
    def gain(self) -> float:
        """The share of the yardstick's area that the best saves, at no more delay."""
        return 1 - self.best.area / self.default.area

    @property
    def gain_over_synthesis(self) -> float:
        """The share of the area of synthesis that the best saves."""
        return 1 - self.best.area / self.synthesis.area

    def __str__(self) -> str:
        delays = ""
        if self.default.delay is not None:
            delays = f" at {self.best.delay:,.0f} ps (map -a: {self.default.delay:,.0f})"
        return (
            f"{self.unit} on {self.library}\n"
            f"  area {self.best.area:,.2f}{delays}\n"
            f"  {100 * self.gain_over_synthesis:.2f} % less than synthesis takes,"
            f" {self.synthesis.area:,.2f}; {100 * self.gain:.2f} % less than map -a makes,"
            f" {self.default.area:,.2f}\n"
            f"  {self.script.value}\n"
            f"  {self.trials} trials, {self.distinct} different, {self.failed} failed"
        )


def search_recipes(
    subject: RecipeSubject, *, trials: int = 200, seed: int = 1, space: RecipeSpace = SPACE
) -> FoundRecipe:
    """Search for the script that makes a unit smallest, without making it slower.

    The same arguments give the same result. Each script's outcome is cached, so that a search that
    was broken off goes on from there.

    Parameters
    ----------
    subject : the unit and its library.
    trials : scripts to try, 1 to 100000; the first is the default, if the space has it.
    seed : of the sampler, 0 to 2**32 - 1.
    space : of scripts.

    Raises
    ------
    TypeError, ValueError
        For arguments that are none of these.
    ToolError
        If Optuna or Yosys is missing, or the default recipe fails.
    """
    require_type("subject", subject, RecipeSubject)
    require_range("trials", trials, 1, 100_000)
    require_range("seed", seed, 0, 2**32 - 1)
    require_type("space", space, RecipeSpace)
    study = _study(seed)
    if space.default is not None:
        study.enqueue_trial(space.default)
    tried: dict[str, tuple[float, Outcome]] = {}

    def worth(trial) -> float:
        point = {
            place: trial.suggest_categorical(place, commands)
            for place, commands in space.places.items()
        }
        script = space.script(point).value
        outcome = subject.outcome(Script("tried", script))
        tried[script] = (subject.worth(outcome), outcome)
        return tried[script][0]

    study.optimize(worth, n_trials=trials)
    return _found(subject, tried, trials)


def _study(seed: int):
    try:
        import optuna
    except ModuleNotFoundError:
        raise ToolError("the search for recipes needs Optuna: pip install optuna") from None
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)  # else it logs how Ctrl-C came about
    sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=_AT_RANDOM)
    return optuna.create_study(sampler=sampler)


def _found(
    subject: RecipeSubject, tried: dict[str, tuple[float, Outcome]], trials: int
) -> FoundRecipe:
    other = subject.outcome(Recipe.AMAP)
    usual = {Recipe.AREA.value: subject.default}
    if subject.holds(other) and other.area < subject.default.area:
        usual = {Recipe.AMAP.value: other}
    ((usual_script, synthesis),) = usual.items()
    # Stable: of equals the first that was tried.
    ranked = sorted(tried.items(), key=lambda one: one[1][0])
    ranked = [(script, outcome) for script, (_, outcome) in ranked if subject.holds(outcome)]
    if not ranked or ranked[0][1].area >= synthesis.area:
        ranked.insert(0, (usual_script, synthesis))
    best, outcome = ranked[0]
    others = [script for script, _ in ranked if script != best]
    return FoundRecipe(
        unit=str(subject.spec),
        library=subject.library.source,
        default=subject.default,
        synthesis=synthesis,
        best=outcome,
        script=Script("found", best),
        runners_up=tuple(Script("found", script) for script in others[:2]),
        trials=trials,
        distinct=len(tried),
        failed=sum(bool(outcome.error) for _, outcome in tried.values()),
    )
