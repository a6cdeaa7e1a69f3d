"""What a verification found: counts, styles, seed, and the first mismatch."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from multipede.golden.html_table import html_table
from multipede.golden.spec import Spec
from multipede.sim.junit import Case

__all__ = ["Check", "Mismatch", "MismatchError", "Report", "VerifyReport"]


class MismatchError(AssertionError):
    """RTL and reference differ, or too little was compared."""


class Report(ABC):
    """What the reports of all ways to verify a unit have: whether it passed, and by what tools."""

    spec: Spec
    tools: dict[str, str]
    seconds: float

    @property
    @abstractmethod
    def passed(self) -> bool:
        """Whether everything that was asked for holds, and something was."""

    @property
    @abstractmethod
    def cases(self) -> Sequence[Case]:
        """What was tried, for JUnit."""

    @abstractmethod
    def details(self) -> dict[str, Any]:
        """What this kind of report says besides, as JSON can hold it."""

    def raise_on_failure(self) -> None:
        """MismatchError with the whole report unless it passed."""
        if not self.passed:
            raise MismatchError(str(self))

    def _repr_html_(self) -> str:
        """For notebooks: what was tried, and whether it holds."""
        verdict = "passed" if self.passed else "FAILED"
        rows = [
            (case.group, case.name, "passed" if case.failure is None else case.failure)
            for case in self.cases
        ]
        tools = ", ".join(f"{name} {version}" for name, version in self.tools.items())
        return html_table(
            rows,
            heads=("unit", "what was tried", "outcome"),
            caption=f"{self.spec}: {verdict}",
            notes=[f"{self.seconds:.1f} s; {tools}"],
        )

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            "specification": self.spec.to_dict(),
            "fingerprint": self.spec.fingerprint,
            "passed": self.passed,
            **self.details(),
            "seconds": self.seconds,
            "tools": self.tools,
        }


@dataclass(frozen=True)
class Mismatch:
    """The first difference between RTL and reference.

    ``result`` counts output records since the stimulus began, ``element`` is the place in the
    port's array; ``waveform`` an FST file around it, if one could be made.
    """

    style: str
    stimulus: str
    port: str
    result: int
    element: tuple[int, ...]
    expected: int | None
    got: int | None
    expected_value: str
    got_value: str
    inputs: dict[str, Any] = field(default_factory=dict)
    waveform: Path | None = None

    def __str__(self) -> str:
        place = f"{self.port}{list(self.element) if self.element else ''}"
        lines = [
            f"{self.style}, {self.stimulus}: result {self.result}, {place}:"
            f" expected code {self.expected} ({self.expected_value}),"
            f" got {self.got} ({self.got_value})"
        ]
        lines += [f"  {name} = {value}" for name, value in self.inputs.items()]
        if self.waveform:
            lines.append(f"  waveform: {self.waveform}")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        values = dict(vars(self))
        values["element"] = list(self.element)
        values["waveform"] = str(self.waveform) if self.waveform else None
        return values


@dataclass(frozen=True)
class Check:
    """One stimulus on one style: how much was compared, and whether it was enough."""

    unit: str
    style: str
    stimulus: str
    description: str
    records: int
    required: int
    results: int
    seconds: float
    mismatch: Mismatch | None = None
    error: str | None = None

    @property
    def passed(self) -> bool:
        """No mismatch, no error, all records driven, and at least one result compared."""
        agreed = self.mismatch is None and self.error is None
        return agreed and self.records >= self.required and self.results > 0

    @property
    def failure(self) -> str | None:
        """What is wrong, in words; None if it passed."""
        if self.passed:
            return None
        too_few = f"{self.records} of {self.required} records, {self.results} results"
        return self.error or (str(self.mismatch) if self.mismatch else f"too few: {too_few}")


@dataclass(frozen=True)
class VerifyReport(Report):
    """The outcome of ``verify``; ``passed`` only if every check compared enough and agreed."""

    spec: Spec
    seed: int
    checks: tuple[Check, ...]
    tools: dict[str, str]
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether the RTL equals its reference in everything that was tried."""
        return bool(self.checks) and all(check.passed for check in self.checks)

    @property
    def records(self) -> int:
        """Input records driven, all styles together."""
        return sum(check.records for check in self.checks)

    @property
    def results(self) -> int:
        """Output records compared, all styles together."""
        return sum(check.results for check in self.checks)

    @property
    def mismatch(self) -> Mismatch | None:
        """The first mismatch, if any."""
        return next((check.mismatch for check in self.checks if check.mismatch), None)

    @property
    def cases(self) -> list[Case]:
        """The checks for JUnit."""
        return [
            Case(check.unit, f"{check.style}: {check.stimulus}", check.seconds, check.failure)
            for check in self.checks
        ]

    def details(self) -> dict[str, Any]:
        """As JSON can hold it."""
        checks = [
            dict(vars(c), passed=c.passed, mismatch=c.mismatch and c.mismatch.to_dict())
            for c in self.checks
        ]
        return {
            "seed": self.seed,
            "records": self.records,
            "results": self.results,
            "checks": checks,
        }

    def __str__(self) -> str:
        lines = [str(self.spec)]
        for check in self.checks:
            state = "equal" if check.passed else "TOO FEW"
            if check.mismatch or check.error:
                state = "DIFFERS" if check.mismatch else "BROKEN"
            lines.append(
                f"  {state:8}{check.style:13}{check.stimulus:24}{check.records:>9} records"
                f" {check.results:>9} results  {check.unit}: {check.description}"
            )
        if self.mismatch:
            lines.append(str(self.mismatch))
        lines += [f"{c.style}, {c.stimulus}: {c.error}" for c in self.checks if c.error]
        verdict = "equals its reference" if self.passed else "DOES NOT EQUAL its reference"
        lines.append(
            f"{self.spec.unit} {verdict}: {self.records} records, {self.results} results,"
            f" seed {self.seed}, {self.seconds:.1f} s"
        )
        return "\n".join(lines)


def first_difference(
    expected: np.ndarray, got: np.ndarray
) -> tuple[int, tuple[int, ...], int | None, int | None] | None:
    """Result index, element, expected and got code of the first difference, or None.

    A missing or surplus result counts as a difference, with None on the side that lacks it.
    """
    common = min(len(expected), len(got))
    different = expected[:common] != got[:common]
    if different.any():
        index = tuple(int(i) for i in np.argwhere(different)[0])
        return index[0], index[1:], int(expected[index]), int(got[index])
    if len(expected) == len(got):
        return None
    element = (0,) * (expected.ndim - 1)
    longer = expected if len(expected) > len(got) else got
    code = int(longer[(common, *element)])
    return (common, element, code, None) if longer is expected else (common, element, None, code)
