"""Yosys' `sat`: the one place where it is run, within limits of time and memory, and understood."""

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from multipede.toolchain import ToolFailure, ToolTimeout
from multipede.toolchain.yosys import YosysResult, run_yosys

__all__ = [
    "MEMORY_LIMIT",
    "SHOW_VALUES",
    "SHOW_WAVEFORM",
    "Answer",
    "Budget",
    "BudgetExceeded",
    "Solution",
    "solve",
]

MEMORY_LIMIT = 4 << 30
"""Bytes of address space for the solver."""

SHOW_VALUES = "-dump_json values.json"
SHOW_WAVEFORM = "-dump_vcd waveform.vcd"
"""Options of `sat` for what a :class:`Solution` tells of a counterexample."""


class Answer(Enum):
    """What became of a claim."""

    PROVED = "proved"
    REFUTED = "refuted"
    NOT_REFUTED = "not refuted"
    """there is no counterexample within the clocks that were asked for"""
    UNKNOWN = "unknown"
    """nothing was found out, within the budget or at all"""


# Whole lines, not "SUCCESS!" alone: a search that ends without a counterexample says that, too.
_ANSWERS = {
    "SAT proof finished - no model found: SUCCESS!": Answer.PROVED,
    "Induction step proven: SUCCESS!": Answer.PROVED,
    "SAT proof finished - model found: FAIL!": Answer.REFUTED,
    "SAT temporal induction proof finished - model found for base case: FAIL!": Answer.REFUTED,
    "Reached maximum number of time steps -> proof failed.": Answer.UNKNOWN,
}
_SEARCHED = re.compile(
    r"Reached maximum number of time steps -> proved base case for \d+ steps: .*"
)


class BudgetExceeded(Exception):  # noqa: N818 - nobody's error
    """A proof used up its time or its memory, as the message says; nothing is known then."""


class Budget:
    """The seconds of a proof, which may take several runs, and the bytes of each of them."""

    def __init__(self, seconds: float, *, memory_limit: int = MEMORY_LIMIT):
        self.seconds = seconds
        self.memory_limit = memory_limit
        self._began = time.monotonic()

    @property
    def spent(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self._began

    def run(self, script: str, files: Mapping[str, str], outputs: tuple[str, ...]) -> YosysResult:
        """What Yosys writes within what is left. BudgetExceeded if that is too little."""
        left = self.seconds - self.spent
        if left <= 0:
            raise self._out_of_time()
        try:
            return run_yosys(
                script,
                files=files,
                outputs=outputs,
                timeout=left,
                memory_limit=self.memory_limit,
            )
        except ToolTimeout:
            raise self._out_of_time() from None
        except ToolFailure as failure:
            # Without memory it is killed, or says so.
            if failure.returncode >= 0 and "memory limit" not in str(failure):
                raise
            raise BudgetExceeded(f"its {self.memory_limit >> 20} MiB were used up") from None

    def _out_of_time(self) -> BudgetExceeded:
        return BudgetExceeded(f"its {self.seconds:g} s were used up")


@dataclass(frozen=True)
class Solution:
    """An answer for each `sat` that gave one; of the last counterexample, if the script shows it,
    the signals in each clock (of a circuit without clocks, once) and a waveform."""

    answers: tuple[Answer, ...]
    clocks: tuple[dict[str, int], ...] = ()
    waveform: str = ""


def solve(script: str, *, files: Mapping[str, str], budget: Budget) -> Solution:
    """Run a Yosys script with `sat` in it.

    Raises
    ------
    BudgetExceeded
        If it takes too much time or memory.
    ToolError
        If there is no Yosys.
    ToolFailure
        If it does not understand its input.
    """
    result = budget.run(
        script,
        # These are there, too, if nothing is found.
        dict(files) | {"values.json": "{}", "waveform.vcd": ""},
        ("values.json", "waveform.vcd"),
    )
    lines = result.log.splitlines()
    answers = tuple(answer for line in lines if (answer := _answer(line)) is not None)
    lengths = re.findall(r"^\[base case (\d+)\]", result.log, re.M)
    lengths += re.findall(r"-seq (\d+)", script)
    clocks = int(lengths[-1]) if lengths else None
    wave = json.loads(result.outputs["values.json"])
    values = _clocks(wave, clocks) if wave and Answer.REFUTED in answers else ()
    return Solution(answers, values, result.outputs["waveform.vcd"])


def _answer(line: str) -> Answer | None:
    return Answer.NOT_REFUTED if _SEARCHED.fullmatch(line) else _ANSWERS.get(line)


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
