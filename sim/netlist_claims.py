"""Claims about a netlist made in Python, of which all payloads hold codes of their formats."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from multipede.sim.miter import LEGAL
from multipede.sim.solver import SHOW_VALUES, Answer, Budget, BudgetExceeded, solve

__all__ = ["Found", "decide"]


@dataclass(frozen=True)
class Found:
    """The answer; where it is REFUTED, the shown signals in each clock."""

    answer: Answer
    clocks: tuple[dict[str, int], ...] = ()

    def last(self, signal: str) -> int:
        """The signal in the last clock, in which the claim fails."""
        return self.clocks[-1].get(signal, 0)


def decide(
    netlist: dict[str, Any], claim: str, budget: Budget, *, top: str, shown: Sequence[str]
) -> Found:
    """Prove or refute a claim about the module ``top``; a budget too small is an unknown answer.

    Parameters
    ----------
    claim : options of `sat`: what is to be proved, and how.
    shown : signals that a refutation tells besides the inputs.
    """
    script = (
        "read_json netlist.json; opt_expr; opt_merge; opt_clean\n"
        f"sat {claim} -set {LEGAL} 1 -show-inputs -show {','.join(shown)} {SHOW_VALUES} {top}"
    )
    try:
        solution = solve(script, files={"netlist.json": json.dumps(netlist)}, budget=budget)
    except BudgetExceeded:
        return Found(Answer.UNKNOWN)
    # Nothing passes because the solver kept silent.
    answer = solution.answers[0] if len(solution.answers) == 1 else Answer.UNKNOWN
    return Found(answer, solution.clocks)
