"""One claim about Verilog, put to the solver inside Yosys.

A claim is a module ``harness`` around the designs, with an output for each goal that must stay 0.
Registers of the designs start with any value: what they hold behind a reset has to be shown.
"""

import os
import re
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from multipede.golden.spec import LIMB_BITS, Port
from multipede.sim.formal_report import Clock, Counterexample, Method, Outcome, Proof
from multipede.toolchain import ToolFailure, ToolTimeout, cache
from multipede.toolchain.yosys import run_yosys

__all__ = ["MEMORY_LIMIT", "Obligation", "discharge"]

MEMORY_LIMIT = 4 << 30
"""Bytes of address space for the solver."""

_SWEEP = "techmap; opt; abc -g AND -script +strash;ifraig;dc2;fraig\nopt_clean"
"""Merges what is equal from the inputs on, which brings products within the solver's reach."""

_TRUE = "SAT proof finished - no model found: SUCCESS!"
_FALSE = "SAT proof finished - model found: FAIL!"
# A row of the table of values: the clock, unless there is only one, name, decimal, hex, binary.
_VALUE = re.compile(r"^ +(?:(\d+) +)?\\(\w+) +(?:-?\d+|--) +(?:[0-9a-f]+|--) +([01]+)$", re.M)


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
            # An unknown start is the stronger claim; the harness's own registers have values.
            lines += ["setattr -unset init w:*; delete t:$meminit t:$meminit_v2"]
            if name in self.opened:
                lines += [f"dffunmap; opt_clean; expose -evert-dff {name}"]
            lines += [f"flatten; opt_clean; rename -top {name}; design -stash {name}"]
        lines += [f"design -copy-from {name} -as {name} {name}" for name in self.designs]
        lines += ["read_verilog harness.v; hierarchy -check -top harness; proc"]
        # A wire without a driver may be anything for `opt`, so that nothing would be proved.
        # Places beyond the end of a memory are free inputs, for the same reason.
        lines += ["flatten; check -assert; memory_map; setundef -undriven -expose; opt -full"]
        sequence = f"-seq {self.clocks} -prove-skip {self.skipped} " if self.clocks else ""
        if goal:
            return "\n".join(
                [
                    *lines,
                    f"sat {sequence}-show-public -dump_vcd found.vcd -prove {goal} 0 harness",
                ]
            )
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


class _Deadline:
    """What is left of a proof's seconds."""

    def __init__(self, seconds: float):
        self.began = time.monotonic()
        self._end = self.began + seconds

    @property
    def left(self) -> float:
        return max(0.05, self._end - time.monotonic())

    @property
    def spent(self) -> float:
        return time.monotonic() - self.began


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
    deadline = _Deadline(budget)
    outcome, found, reason = Outcome.PROVED, None, None
    try:
        failing = _failing_goal(obligation, deadline, memory_limit)
        if failing is not None:
            outcome, found, reason = _refuted(obligation, failing, deadline, memory_limit, waveform)
    except ToolTimeout:
        outcome, reason = Outcome.NOT_PROVED, f"its {budget:g} s were used up"
    except ToolFailure as failure:
        if not _starved(failure):
            raise
        outcome, reason = Outcome.NOT_PROVED, f"its {memory_limit >> 20} MiB were used up"
    return Proof(
        name=obligation.name,
        claim=obligation.claim,
        method=obligation.method,
        style=obligation.style,
        seconds=deadline.spent,
        outcome=outcome,
        clocks=obligation.clocks,
        counterexample=found,
        reason=reason,
    )


def _starved(failure: ToolFailure) -> bool:
    """Whether a failure is one of memory: killed, or said so."""
    return failure.returncode < 0 or "memory limit" in str(failure)


def _failing_goal(obligation: Obligation, deadline: _Deadline, memory_limit: int) -> str | None:
    """The first goal that is not proved, if any."""
    try:
        answers = _answers(obligation, deadline, memory_limit)
    except ToolTimeout:
        raise
    except ToolFailure as failure:
        # A broken design may lack a register that the step names: its runs from reset tell.
        if obligation.search is None or _starved(failure):
            raise
        return obligation.goals[0]
    return None if all(answers) else obligation.goals[answers.index(False)]


def _answers(obligation: Obligation, deadline: _Deadline, memory_limit: int) -> list[bool]:
    """For each goal whether it holds."""
    log = run_yosys(
        obligation.script(),
        files=obligation.files,
        timeout=deadline.left,
        memory_limit=memory_limit,
    ).log
    answers = [line == _TRUE for line in log.splitlines() if line in (_TRUE, _FALSE)]
    # Nothing passes because the solver kept silent.
    if len(answers) != len(obligation.goals):
        raise ToolFailure(
            f"yosys answered {len(answers)} of {len(obligation.goals)} questions", tool="yosys"
        )
    return answers


def _refuted(
    obligation: Obligation, goal: str, deadline: _Deadline, memory_limit: int, waveform: bool
) -> tuple[Outcome, Counterexample | None, str | None]:
    """The counterexample of a claim, or where it is searched elsewhere, of that one."""
    searched = obligation.search or obligation
    for goal_ in (goal,) if searched is obligation else searched.goals:
        result = run_yosys(
            searched.script(goal_),
            # It is there, too, if nothing is found.
            files=searched.files | {"found.vcd": ""},
            outputs=["found.vcd"],
            timeout=deadline.left,
            memory_limit=memory_limit,
        )
        if _FALSE in result.log:
            path = _keep(result.outputs["found.vcd"]) if waveform else None
            clocks = _clocks(searched, goal_, result.log)
            return Outcome.REFUTED, Counterexample(clocks, path), None
    return (
        Outcome.NOT_PROVED,
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


def _clocks(obligation: Obligation, goal: str, log: str) -> tuple[Clock, ...]:
    """The values in the solver's last table, clock by clock up to the first that is wrong."""
    table = log[log.rindex(_FALSE) :]
    values: dict[int, dict[str, int]] = {}
    for clock, name, bits in _VALUE.findall(table):
        values.setdefault(int(clock or 1), {})[name] = int(bits, 2)
    wrong = [clock for clock, at in values.items() if clock > obligation.skipped and at.get(goal)]
    last = min(wrong, default=max(values))
    return tuple(
        Clock(
            pins={name: at[name] for name in obligation.shown if name in at},
            inputs=_codes(obligation.inputs, at.get("i_payload")),
            outputs=_codes(obligation.outputs, at.get("gate_payload")),
            expected=_codes(obligation.outputs, at.get("gold_payload")),
        )
        for clock, at in sorted(values.items())
        if clock <= last
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
