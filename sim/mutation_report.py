"""What mutation testing found: how many mutants the stimuli tell from the unit, and which not."""

import math
from collections import Counter
from dataclasses import dataclass
from enum import Enum
from typing import Any

from multipede.golden.spec import Spec
from multipede.hw import Style
from multipede.sim.junit import Case
from multipede.sim.mutation_sites import Mutation
from multipede.sim.report import Report

__all__ = ["Mutant", "MutantOutcome", "MutationReport", "wilson_interval"]

LISTED_CLOCKS = 8
_NORMAL_95 = 1.959963984540054
"""Quantile of the normal distribution that leaves 2.5 % on each side."""


class MutantOutcome(Enum):
    """What became of a mutant."""

    KILLED = "killed"
    """the simulation tells it from the reference"""
    EQUIVALENT = "equivalent"
    """proved to be the same as the unit for all allowed inputs: no test can kill it"""
    SURVIVED = "survived"
    """it differs, as an input shows that the solver found, and the stimuli do not show it"""
    UNDECIDED = "undecided"
    """it lives, and nothing was proved within the budget"""


@dataclass(frozen=True)
class Mutant:
    """One mutation with its outcome; ``how`` says what killed it or which proof holds.

    ``inputs`` are the pins in each clock that tell a survivor from the unit, the payload's elements
    as codes.
    """

    number: int
    mutation: Mutation
    outcome: MutantOutcome
    how: str
    inputs: tuple[dict[str, int], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        place = vars(self.mutation) | {"kind": self.mutation.kind.value}
        return {
            "number": self.number,
            "outcome": self.outcome.value,
            "how": self.how,
            "mutation": place,
            "inputs": list(self.inputs),
        }

    def __str__(self) -> str:
        return f"{self.outcome.value}: mutant {self.number}, {self.mutation} ({self.how})"


@dataclass(frozen=True)
class MutationReport(Report):
    """The outcome of ``mutate``; ``passed`` only if at least ``target`` of the mutants that are not
    proved equivalent were killed, and at least one was."""

    spec: Spec
    style: Style
    seed: int
    records: int
    target: float
    possible: int
    """different mutations that the netlist allows, of which the mutants are a random choice"""
    mutants: tuple[Mutant, ...]
    tools: dict[str, str]
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether the score reaches the target, and there is one."""
        return bool(self.score) and self.score >= self.target

    @property
    def cases(self) -> list[Case]:
        """One for JUnit: whether the target is reached."""
        name = f"{self.style.value}: {len(self.mutants)} mutants"
        return [Case(self.spec.unit, name, self.seconds, None if self.passed else str(self))]

    @property
    def counts(self) -> Counter[MutantOutcome]:
        """Mutants by outcome."""
        return Counter(mutant.outcome for mutant in self.mutants)

    @property
    def score(self) -> float | None:
        """Killed mutants as a share of those not proved equivalent; None if there are none."""
        counted = len(self.mutants) - self.counts[MutantOutcome.EQUIVALENT]
        return self.counts[MutantOutcome.KILLED] / counted if counted else None

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % confidence interval of the score of all possible mutants."""
        counted = len(self.mutants) - self.counts[MutantOutcome.EQUIVALENT]
        return wilson_interval(self.counts[MutantOutcome.KILLED], counted)

    @property
    def alive(self) -> tuple[Mutant, ...]:
        """Mutants that survived or are undecided."""
        return tuple(
            m
            for m in self.mutants
            if m.outcome in (MutantOutcome.SURVIVED, MutantOutcome.UNDECIDED)
        )

    def details(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            "style": self.style.value,
            "seed": self.seed,
            "records": self.records,
            "target": self.target,
            "possible": self.possible,
            "counts": {outcome.value: self.counts[outcome] for outcome in MutantOutcome},
            "score": self.score,
            "interval": list(self.interval),
            "mutants": [mutant.to_dict() for mutant in self.mutants],
        }

    def __str__(self) -> str:
        lines = [str(self.spec)]
        kinds = Counter((m.mutation.kind, m.outcome) for m in self.mutants)
        for kind in dict.fromkeys(kind for kind, _ in sorted(kinds, key=str)):
            numbers = [f"{kinds[kind, outcome]:>6} {outcome.value}" for outcome in MutantOutcome]
            lines.append(f"  {kind.value:26}{''.join(numbers)}")
        for mutant in self.alive:
            lines.append(f"  {mutant}")
            lines += [f"    {clock}" for clock in mutant.inputs[-LISTED_CLOCKS:]]
        lines.append(self._verdict())
        return "\n".join(lines)

    def _verdict(self) -> str:
        killed, equivalent = (
            self.counts[outcome] for outcome in (MutantOutcome.KILLED, MutantOutcome.EQUIVALENT)
        )
        if self.score is None:
            return f"{self.spec.unit}, {self.style.value}: NO MUTANT that is not equivalent"
        low, high = self.interval
        verdict = "reaches" if self.passed else "DOES NOT REACH"
        return (
            f"{self.spec.unit}, {self.style.value}: {killed} of {len(self.mutants) - equivalent}"
            f" mutants killed, {equivalent} equivalent: score"
            f" {100 * self.score:.1f} % (95 %: {100 * low:.1f} to {100 * high:.1f} %) {verdict}"
            f" {100 * self.target:g} %; {len(self.mutants)} of {self.possible} possible mutants,"
            f" seed {self.seed}, {self.seconds:.1f} s"
        )


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """The 95 % confidence interval of a proportion. (0, 1) without trials.

    Wilson, Probable Inference, the Law of Succession, and Statistical Inference, 1927.
    """
    if trials == 0:
        return 0.0, 1.0
    share, z2 = successes / trials, _NORMAL_95**2
    middle = share + z2 / (2 * trials)
    half = _NORMAL_95 * math.sqrt(share * (1 - share) / trials + z2 / (4 * trials**2))
    scale = 1 + z2 / trials
    # The ends are exact where rounding would go past them.
    low = 0.0 if successes == 0 else (middle - half) / scale
    return low, 1.0 if successes == trials else (middle + half) / scale
