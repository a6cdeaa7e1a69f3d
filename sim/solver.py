"""Yosys' `sat` on a netlist made in Python: what it says, and the values that it shows."""

import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from multipede.sim.miter import LEGAL
from multipede.toolchain import ToolTimeout
from multipede.toolchain.yosys import run_yosys

__all__ = ["Answer", "Found", "solve"]

# Not "SUCCESS!" alone: a search that ends without a difference says that too.
_PROVED = ("SAT proof finished - no model found: SUCCESS!", "Induction step proven: SUCCESS!")
_SEARCHED = "Reached maximum number of time steps -> proved base case"
_REFUTED = (
    "SAT proof finished - model found: FAIL!",
    "SAT temporal induction proof finished - model found for base case: FAIL!",
)


class Answer(Enum):
    """What became of a claim that two things are equivalent."""

    EQUIVALENT = "equivalent"
    DIFFERENT = "different"
    NOT_REFUTED = "not refuted"
    """no difference within the clocks that were asked for"""
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Found:
    """The answer; where it is DIFFERENT, the shown signals in each clock."""

    answer: Answer
    clocks: tuple[dict[str, int], ...] = ()

    def last(self, signal: str) -> int:
        """The signal in the last clock, in which the claim fails."""
        return self.clocks[-1].get(signal, 0)


def solve(
    netlist: dict[str, Any], options: str, deadline: float, *, top: str, shown: Sequence[str]
) -> Found:
    """Run `sat` on the module until the deadline, with legal payloads only.

    Parameters
    ----------
    options : what is to be proved, and how.
    deadline : of ``time.monotonic``; too little time is an unknown answer.
    shown : signals that a refutation tells besides the inputs.
    """
    left = deadline - time.monotonic()
    if left < 1:
        return Found(Answer.UNKNOWN)
    try:
        result = run_yosys(
            "read_json netlist.json; opt_expr; opt_merge; opt_clean\n"
            f"sat {options} -set {LEGAL} 1 -timeout {int(left)} -show-inputs"
            f" -show {','.join(shown)} -dump_json model.json {top}",
            files={"netlist.json": json.dumps(netlist), "model.json": "{}"},
            outputs=["model.json"],
            timeout=left + 1,
        )
    except ToolTimeout:
        return Found(Answer.UNKNOWN)
    if any(line in result.log for line in _PROVED):
        return Found(Answer.EQUIVALENT)
    if "-tempinduct-baseonly" in options and _SEARCHED in result.log:
        return Found(Answer.NOT_REFUTED)
    if not any(line in result.log for line in _REFUTED):
        return Found(Answer.UNKNOWN)
    lengths = re.findall(r"^\[base case (\d+)\]", result.log, re.M)
    lengths += re.findall(r"-seq (\d+)", options)
    clocks = int(lengths[-1]) if lengths else None
    return Found(Answer.DIFFERENT, _clocks(json.loads(result.outputs["model.json"]), clocks))


def _clocks(wave: dict[str, Any], clocks: int | None) -> tuple[dict[str, int], ...]:
    """The signals of a WaveJSON in the last so many columns; the state before the first clock may
    have one, too. None is for functions, whose values are in the first column."""
    columns = {signal["name"]: _column(signal) for signal in wave["signal"]}
    length = max(map(len, columns.values()))
    places = range(1) if clocks is None else range(length - clocks, length)
    return tuple(
        {name: values[place] for name, values in columns.items() if values[place] is not None}
        for place in places
    )


def _column(signal: dict[str, Any]) -> list[int | None]:
    """The values of a signal; None where the solver did not show it."""
    values: list[int | None] = []
    data = iter(signal["data"]) if "data" in signal else None
    for mark in signal["wave"]:
        if mark == ".":
            values.append(values[-1])
            continue
        text = mark if data is None else next(data)
        values.append(int(text, 2) if text and set(text) <= {"0", "1"} else None)
    return values
