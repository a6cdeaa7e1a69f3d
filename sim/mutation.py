"""Mutation testing: how many small errors in the RTL do the stimuli of ``verify`` find?"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from tqdm import tqdm

from multipede.golden.number_format import require_range, require_type
from multipede.golden.spec import Spec
from multipede.hw import Style
from multipede.sim.compiled import compile_verilog
from multipede.sim.limits import require_budget, require_target
from multipede.sim.mutation_netlist import with_mutants
from multipede.sim.mutation_proof import UnitComparison, compare_with_unit
from multipede.sim.mutation_report import Mutant, MutantOutcome, MutationReport
from multipede.sim.mutation_simulation import beginnings, kill
from multipede.sim.mutation_sites import Mutation, chosen, mutations_of
from multipede.sim.netlist import netlist_of, verilog_from
from multipede.sim.report import MismatchError
from multipede.sim.solver import Answer
from multipede.sim.stimulus import Stimulus, stimuli
from multipede.sim.verify import RECORDS
from multipede.sim.verilog import verilog_of
from multipede.toolchain import find
from multipede.toolchain.run import cores

__all__ = ["mutate"]

BUDGET = 60.0
TARGET = 0.99
HIGHEST_COUNT = 100_000
_UNIT = 0
"""The number of the unit as it is."""


def mutate(
    spec: Spec,
    *,
    count: int,
    style: Style = Style.WORD,
    seed: int = 1,
    records: int = RECORDS,
    budget: float = BUDGET,
    target: float = TARGET,
) -> MutationReport:
    """Plant random errors into the unit's RTL, one at a time: does ``verify`` find them?

    A mutant is killed if any stimulus that ``verify`` drives this RTL with shows a wrong result, a
    wrong latency or a hang. Those that live are compared with the unit by a solver: proved
    equivalent they count for nothing; otherwise they are listed.

    Parameters
    ----------
    spec : the unit.
    count : mutants, or all that the RTL allows if those are fewer.
    style : of the RTL.
    seed : of the choice of mutants and of everything random in the stimuli.
    records : biased random records, as ``verify`` counts them.
    budget : seconds for the proof of one mutant.
    target : share of the mutants not proved equivalent that must be killed to pass.

    Raises
    ------
    TypeError, ValueError
        For parameters out of range.
    MismatchError
        If the unit itself differs from its reference.
    ToolError
        If a tool is missing or fails.
    """
    _check(spec, style, count, seed, records, budget, target)
    began = time.monotonic()
    verilog = verilog_of(spec, style)
    netlist = netlist_of(verilog, top=spec.unit)
    possible = mutations_of(netlist, verilog)
    mutations = dict(enumerate(chosen(possible, count, seed), 1))
    plan = stimuli(spec, records=records, seed=seed)
    with tqdm(
        total=len(mutations), unit="mutant", desc=spec.unit, disable=None, leave=False
    ) as bar:
        mutants = _Mutants(spec, style, netlist, mutations, bar.update)
        killed = mutants.killed(list(mutations), beginnings(plan))
        proofs = mutants.proofs([n for n in mutations if n not in killed], budget)
        live = [n for n, proof in proofs.items() if proof.answer is not Answer.PROVED]
        killed |= mutants.killed(live, plan)
    tools = {name: find(name).version for name in ("verilator", "yosys", "c++")}
    versions = {name: ".".join(map(str, version)) for name, version in tools.items()}
    return MutationReport(
        spec=spec,
        style=style,
        seed=seed,
        records=records,
        target=float(target),
        possible=len(possible),
        mutants=tuple(_judged(n, m, killed, proofs) for n, m in mutations.items()),
        tools=versions,
        seconds=time.monotonic() - began,
    )


def _check(
    spec: Spec,
    style: Style,
    count: int,
    seed: int,
    records: int,
    budget: float,
    target: float,
) -> None:
    if not isinstance(spec, Spec):
        raise TypeError(f"spec must be a specification, not {spec!r}")
    require_type("style", style, Style)
    require_range("count", count, 1, HIGHEST_COUNT)
    require_range("seed", seed, 0, 2**63)
    require_range("records", records, 1, 10**12)
    require_budget(budget)
    require_target(target)


@dataclass(frozen=True)
class _Mutants:
    """The mutants of one unit by number; ``advance`` is told how many more are done with."""

    spec: Spec
    style: Style
    netlist: dict[str, Any]
    mutations: dict[int, Mutation]
    advance: Callable[[int], object]

    def killed(self, numbers: Sequence[int], plan: Sequence[Stimulus]) -> dict[int, str]:
        """Which of them the stimuli kill, and how."""
        if not numbers:
            return {}
        subset = [self.mutations[number] for number in numbers]
        verilog = verilog_from(with_mutants(self.netlist, subset, top=self.spec.unit))
        unit = compile_verilog(verilog, self.spec, style=self.style, mutants=True)
        models = {number: unit.mutant(place) for place, number in enumerate(numbers, 1)}
        found = kill(self.spec, {_UNIT: unit} | models, plan, self.advance)
        if _UNIT in found:
            raise MismatchError(
                f"{self.spec.unit} itself differs from its reference, {found[_UNIT]}: verify it"
            )
        return found

    def proofs(self, numbers: Sequence[int], budget: float) -> dict[int, UnitComparison]:
        """What the solver says of each of them."""

        def proof(number: int) -> UnitComparison:
            found = compare_with_unit(
                self.netlist, self.mutations[number], self.spec, budget=budget
            )
            self.advance(int(found.answer is Answer.PROVED))
            return found

        with ThreadPoolExecutor(cores()) as executor:
            try:
                return dict(zip(numbers, executor.map(proof, numbers), strict=True))
            finally:
                executor.shutdown(cancel_futures=True)


def _judged(
    number: int, mutation: Mutation, killed: dict[int, str], proofs: dict[int, UnitComparison]
) -> Mutant:
    if number in killed:
        return Mutant(number, mutation, MutantOutcome.KILLED, killed[number])
    proof = proofs[number]
    match proof.answer:
        case Answer.PROVED:
            return Mutant(number, mutation, MutantOutcome.EQUIVALENT, proof.method)
        case Answer.REFUTED:
            return Mutant(number, mutation, MutantOutcome.SURVIVED, proof.method, proof.inputs)
        case _:
            return Mutant(number, mutation, MutantOutcome.UNDECIDED, proof.method)
