"""One claim about Verilog, put to the solver inside Yosys.

A claim is a module ``harness`` around the designs, with an output for each goal that must stay 0.
Registers of the designs start with any value: what they hold behind a reset has to be shown.
"""

import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from multipede.golden.spec import LIMB_BITS, Port
from multipede.sim.formal_report import Clock, Counterexample, Method, Proof, ProofOutcome
from multipede.sim.solver import (
    MEMORY_LIMIT,
    SHOW_VALUES,
    SHOW_WAVEFORM,
    Answer,
    Budget,
    BudgetExceeded,
    solve,
)
from multipede.toolchain import ToolFailure, cache

__all__ = ["Obligation", "discharge"]

_HIGH_IMPEDANCE = re.compile(r"'\s*s?[bodh]\s*[\da-f_x]*z", re.IGNORECASE)
"""A constant that is no value: the solver takes it for 0."""
_LATCHES = "t:$dlatch t:$adlatch t:$dlatchsr t:$sr t:$adff t:$adffe t:$aldff t:$aldffe t:$dffsr"
_SWEEP = "techmap; opt; abc -g AND -script +strash;ifraig;dc2;fraig\nopt_clean"
"""Merges what is equal from the inputs on, which brings products within the solver's reach."""


@dataclass(frozen=True, kw_only=True)
class Obligation:
    """A claim that the solver is to prove.

    Parameters
    ----------
    name, claim, method, style : as of the :class:`Proof`.
    designs : top module -> complete Verilog.
    harness : Verilog of the module ``harness``.
    goals : its outputs that must stay 0, each proved by itself.
    clocks : clocks that are looked at; 0 for circuits without registers.
    skipped : the first ones, in which the goals are not judged.
    opened : designs whose registers become ports, ``x.d`` and ``x.q`` of register ``x``.
    sweep : whether equal parts are merged before the solver begins.
    inputs, outputs : ports of the payloads in the harness, for counterexamples.
    shown : other wires of the harness for counterexamples.
    search : another claim that a counterexample is looked for in, where those of this one need
        not be possible; its counterexample refutes this claim, too.
    """

    name: str
    claim: str
    method: Method
    style: str
    designs: Mapping[str, str]
    harness: str
    goals: tuple[str, ...] = ("wrong",)
    clocks: int = 0
    skipped: int = 0
    opened: tuple[str, ...] = ()
    sweep: bool = False
    inputs: Mapping[str, Port] = field(default_factory=dict)
    outputs: Mapping[str, Port] = field(default_factory=dict)
    shown: tuple[str, ...] = ()
    search: "Obligation | None" = None

    def script(self, goal: str | None = None) -> str:
        """The Yosys script for all goals, or one that shows a counterexample to ``goal``."""
        lines = []
        for name in self.designs:
            lines += [f"read_verilog {name}.v; hierarchy -check -top {name}; proc -noopt"]
            # Before anything is optimised: `opt` takes a loop such as a = ~a to be anything, and
            # the solver takes it to be impossible. Both would prove all claims.
            lines += ["design -push-copy; flatten; check -assert; design -pop; opt_expr -keepdc"]
            # What is unknown must not be chosen by `opt` so that a claim holds.
            lines += ["setundef -anyseq"]
            # An unknown start is the stronger claim; the harness's own registers have values.
            lines += ["setattr -unset init w:*; delete t:$meminit t:$meminit_v2"]
            if name in self.opened:
                lines += [f"dffunmap; opt_clean; expose -evert-dff {name}"]
            lines += [f"flatten; opt_clean; rename -top {name}; design -stash {name}"]
        lines += [f"design -copy-from {name} -as {name} {name}" for name in self.designs]
        lines += ["read_verilog harness.v; hierarchy -check -top harness; proc"]
        # A wire without a driver may be anything for `opt`, so that nothing would be proved.
        # Places beyond the end of a memory are free inputs, for the same reason.
        lines += ["flatten; check -assert; memory_map; setundef -undriven -expose"]
        # Registers without a value at the start stay what they are: `opt` would choose one.
        lines += [f"select -assert-none {_LATCHES}; formalff -clk2ff -ff2anyinit; opt -full"]
        sequence = f"-seq {self.clocks} -prove-skip {self.skipped} " if self.clocks else ""
        if goal:
            shown = f"-show-public {SHOW_VALUES} {SHOW_WAVEFORM}"
            return "\n".join([*lines, f"sat {sequence}{shown} -prove {goal} 0 harness"])
        lines += ["design -save whole"]
        for goal_ in self.goals:
            lines += ["design -load whole"]
            others = " ".join(f"harness/o:{other}" for other in self.goals if other != goal_)
            lines += [f"delete -port {others}; opt -full"] if others else []
            lines += [_SWEEP] if self.sweep else []
            lines += [f"sat {sequence}-prove {goal_} 0 harness"]
        return "\n".join(lines)

    @property
    def files(self) -> dict[str, str]:
        """What the script reads."""
        return {f"{name}.v": text for name, text in self.designs.items()} | {
            "harness.v": self.harness
        }


def discharge(
    obligation: Obligation,
    *,
    budget: float,
    memory_limit: int = MEMORY_LIMIT,
    waveform: bool = True,
) -> Proof:
    """Prove or refute a claim within ``budget`` seconds and ``memory_limit`` bytes.

    Raises
    ------
    ToolError
        If there is no Yosys.
    ToolFailure
        If it does not understand its input.
    """
    for name, text in obligation.designs.items():
        if _HIGH_IMPEDANCE.search(text):
            raise ToolFailure(f"{name}: it has a high-impedance constant", tool="yosys")
    limits = Budget(budget, memory_limit=memory_limit)
    outcome, found, reason = ProofOutcome.PROVED, None, None
    try:
        failing = _failing_goal(obligation, limits)
        if failing is not None:
            outcome, found, reason = _refuted(obligation, failing, limits, waveform)
    except BudgetExceeded as exceeded:
        outcome, reason = ProofOutcome.NOT_PROVED, str(exceeded)
    return Proof(
        name=obligation.name,
        claim=obligation.claim,
        method=obligation.method,
        style=obligation.style,
        seconds=limits.spent,
        outcome=outcome,
        clocks=obligation.clocks,
        counterexample=found,
        reason=reason,
    )


def _failing_goal(obligation: Obligation, budget: Budget) -> str | None:
    """The first goal that is not proved, if any."""
    try:
        answers = _answers(obligation, budget)
    except ToolFailure:
        # A broken design may lack a register that the step names: its runs from reset tell.
        if obligation.search is None:
            raise
        return obligation.goals[0]
    return next(
        (goal for goal, proved in zip(obligation.goals, answers, strict=True) if not proved), None
    )


def _answers(obligation: Obligation, budget: Budget) -> list[bool]:
    """For each goal whether it holds."""
    answers = solve(obligation.script(), files=obligation.files, budget=budget).answers
    # Nothing passes because the solver kept silent.
    if len(answers) != len(obligation.goals):
        raise ToolFailure(
            f"yosys answered {len(answers)} of {len(obligation.goals)} questions", tool="yosys"
        )
    return [answer is Answer.PROVED for answer in answers]


def _refuted(
    obligation: Obligation, goal: str, budget: Budget, waveform: bool
) -> tuple[ProofOutcome, Counterexample | None, str | None]:
    """The counterexample of a claim, or where it is searched elsewhere, of that one."""
    searched = obligation.search or obligation
    for goal_ in (goal,) if searched is obligation else searched.goals:
        solution = solve(searched.script(goal_), files=searched.files, budget=budget)
        if Answer.REFUTED in solution.answers:
            path = _keep(solution.waveform) if waveform else None
            clocks = _clocks(searched, goal_, solution.clocks)
            return ProofOutcome.REFUTED, Counterexample(clocks, path), None
    return (
        ProofOutcome.NOT_PROVED,
        None,
        f"the step fails, but none of the first {searched.clocks} clocks from reset shows it",
    )


def _keep(vcd: str) -> Path:
    handle, name = tempfile.mkstemp(
        dir=cache.subdirectory("waveforms"), prefix="formal-", suffix=".vcd"
    )
    with os.fdopen(handle, "w") as file:
        # Without the date, the same counterexample is the same file.
        file.write(re.sub(r"\$date.*?\$end\n", "", vcd, count=1, flags=re.S))
    return Path(name)


def _clocks(
    obligation: Obligation, goal: str, values: tuple[dict[str, int], ...]
) -> tuple[Clock, ...]:
    """The clocks up to the first that is wrong."""
    judged = range(obligation.skipped, len(values))
    last = next((clock for clock in judged if values[clock].get(goal)), len(values) - 1)
    return tuple(
        Clock(
            pins={name: at[name] for name in obligation.shown if name in at},
            inputs=_codes(obligation.inputs, at.get("i_payload")),
            outputs=_codes(obligation.outputs, at.get("gate_payload")),
            expected=_codes(obligation.outputs, at.get("gold_payload")),
        )
        for at in values[: last + 1]
    )


def _codes(ports: Mapping[str, Port], payload: int | None) -> dict[str, object]:
    """The codes that lie on a payload, by port."""
    codes: dict[str, object] = {}
    if payload is None:
        return codes
    for name, port in ports.items():
        width = port.format.bits
        elements = []
        for index in range(port.elements):
            bits = payload >> index * width & ((1 << width) - 1)
            elements.append(_code(port, bits))
        codes[name] = np.array(elements, object).reshape(port.array_shape).tolist()
        payload >>= port.bits
    return codes


def _code(port: Port, bits: int) -> int | list[int]:
    if port.limbs:
        return [bits >> LIMB_BITS * limb & ((1 << LIMB_BITS) - 1) for limb in range(port.limbs)]
    return int(port.format.from_bits(bits))
