"""What a formal verification found: what is proved, what is refuted, and what is neither."""

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from multipede.golden.spec import Spec
from multipede.sim.junit import Case
from multipede.sim.report import Report

__all__ = ["Clock", "Counterexample", "Method", "Proof", "ProofOutcome", "ProofReport"]


class ProofOutcome(Enum):
    """How a proof ended; only the first is a pass."""

    PROVED = "proved"
    REFUTED = "refuted"
    """there is a counterexample"""
    NOT_PROVED = "not proved"
    """time or memory was used up, or the method is too weak: it may hold or not"""


class Method(Enum):
    """By what a claim is proved."""

    CONSERVATION = "weight conservation"
    """in Python, on the plan itself"""
    MITER = "sat miter"
    """for all inputs of a circuit without registers"""
    WINDOW = "sat miter over a window"
    """for all inputs and all states before it, hence for every clock"""
    INDUCTION = "induction"
    """from every state that may have been reached to the next, and from reset"""
    BOUNDED = "bounded"
    """for all inputs of so many clocks from reset, whatever the registers held before"""


@dataclass(frozen=True)
class Clock:
    """One clock of a counterexample.

    ``pins`` are single wires and registers by name; ``inputs``, ``outputs`` and ``expected`` hold
    codes by port, nested lists for arrays. ``expected`` is what should have come out.
    """

    pins: dict[str, int] = field(default_factory=dict)
    inputs: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    expected: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        parts = [f"{name} = {value}" for name, value in (self.pins | self.inputs).items()]
        if self.outputs:
            parts.append("gives " + ", ".join(f"{k} = {v}" for k, v in self.outputs.items()))
        if self.expected:
            parts.append("not " + ", ".join(f"{k} = {v}" for k, v in self.expected.items()))
        return ", ".join(parts)


@dataclass(frozen=True)
class Counterexample:
    """Values on the ports, clock by clock, under which a claim is false, and a VCD file of them."""

    clocks: tuple[Clock, ...]
    waveform: Path | None = None

    def __str__(self) -> str:
        if len(self.clocks) == 1:
            lines = [str(self.clocks[0])]
        else:
            lines = [f"clock {number}: {clock}" for number, clock in enumerate(self.clocks, 1)]
        if self.waveform:
            lines.append(f"waveform: {self.waveform}")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            "clocks": [dict(vars(clock)) for clock in self.clocks],
            "waveform": str(self.waveform) if self.waveform else None,
        }


@dataclass(frozen=True)
class Proof:
    """One claim and what became of it.

    ``claim`` says in words what holds; ``clocks`` how many were looked at, 0 where there are none;
    ``reason`` why it is not proved.
    """

    name: str
    claim: str
    method: Method
    style: str
    seconds: float
    outcome: ProofOutcome
    clocks: int = 0
    counterexample: Counterexample | None = None
    reason: str | None = None

    @property
    def passed(self) -> bool:
        """Whether it is proved."""
        return self.outcome is ProofOutcome.PROVED

    @property
    def method_text(self) -> str:
        """The method, with the number of clocks where it counts."""
        if self.method in (Method.BOUNDED, Method.WINDOW):
            return f"{self.method.value}, {self.clocks} clocks"
        return self.method.value

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return dict(vars(self)) | {
            "method": self.method_text,
            "outcome": self.outcome.value,
            "counterexample": self.counterexample and self.counterexample.to_dict(),
        }

    def __str__(self) -> str:
        lines = [
            f"  {self.outcome.value.upper():11}{self.style:13}{self.name:24}"
            f"{self.seconds:7.1f} s  {self.method_text}: {self.claim}"
        ]
        if self.reason:
            lines.append(f"    {self.reason}")
        if self.counterexample:
            lines += [f"    {line}" for line in str(self.counterexample).splitlines()]
        return "\n".join(lines)


@dataclass(frozen=True)
class ProofReport(Report):
    """The outcome of ``prove``; ``passed`` only if there are proofs and all of them succeeded.

    ``limits`` says what was left out, and why.
    """

    spec: Spec
    proofs: tuple[Proof, ...]
    limits: tuple[str, ...]
    tools: dict[str, str]
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether everything that was tried is proved, and something was."""
        return bool(self.proofs) and all(proof.passed for proof in self.proofs)

    @property
    def counterexample(self) -> Counterexample | None:
        """The first counterexample, if any."""
        return next((p.counterexample for p in self.proofs if p.counterexample), None)

    @property
    def cases(self) -> list[Case]:
        """The proofs for JUnit."""
        return [
            Case(
                self.spec.unit,
                f"{proof.style}: {proof.name}",
                proof.seconds,
                None if proof.passed else str(proof).strip(),
            )
            for proof in self.proofs
        ]

    def details(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            "proofs": [proof.to_dict() for proof in self.proofs],
            "limits": list(self.limits),
        }

    def __str__(self) -> str:
        lines = [str(self.spec), *map(str, self.proofs)]
        lines += [f"  left out: {limit}" for limit in self.limits]
        count = dict.fromkeys(ProofOutcome, 0)
        for proof in self.proofs:
            count[proof.outcome] += 1
        counts = ", ".join(f"{number} {outcome.value}" for outcome, number in count.items())
        verdict = "is proved as far as tried" if self.passed else "is NOT PROVED"
        if not self.proofs:
            verdict = "has NOTHING TO PROVE: no claim is known that fits it, which is no pass"
        lines.append(f"{self.spec.unit} {verdict}: {counts}, {self.seconds:.1f} s")
        return "\n".join(lines)
