"""Whether a mutant differs from its unit at all: a miter, proved or refuted by Yosys' `sat`."""

import json
from dataclasses import dataclass
from typing import Any

from multipede.golden.spec import Spec
from multipede.golden.tile import Tile
from multipede.sim.miter import DIFFERS, REGISTERS, TOP, miter
from multipede.sim.mutation_netlist import with_mutants
from multipede.sim.mutation_sites import Mutation
from multipede.sim.mutation_symmetry import exchanges_addends
from multipede.sim.netlist import plain_type
from multipede.sim.netlist_claims import Found, decide
from multipede.sim.solver import Answer, Budget, BudgetExceeded
from multipede.sim.verilog_text import field_ranges
from multipede.toolchain import ToolError

__all__ = ["UnitComparison", "compare_with_unit"]

_INDUCTION = 4
"""Clocks of induction beyond the unit's latency."""
_DEEPEST = 80
"""Clocks that a search for a difference goes through at most."""


@dataclass(frozen=True)
class UnitComparison:
    """Whether a mutant equals its unit, how that was found, and the inputs that tell the two apart,
    clock by clock."""

    answer: Answer
    method: str
    inputs: tuple[dict[str, int], ...] = ()


def compare_with_unit(
    netlist: dict[str, Any], mutation: Mutation, spec: Spec, *, budget: float
) -> UnitComparison:
    """Compare the unit with its mutant for all inputs that its formats allow.

    Both start from one and the same state, whatever it is, with a clock of ``rst``; they are
    equivalent if from then on ``o_valid`` and ``i_ready`` are always equal, and ``o_payload`` is
    wherever ``o_valid`` is 1. If the mutated module is a function of its inputs, it is compared
    alone first; otherwise temporal induction shows it, over the outputs and those registers that
    are not seen to differ.

    Parameters
    ----------
    budget : seconds for the whole proof.
    """
    if exchanges_addends(netlist, mutation):
        return UnitComparison(Answer.PROVED, "addends of one sum exchanged")
    if mutation.module != spec.unit:
        first = Budget(budget / 4)
        alone = _compared(netlist, mutation, mutation.module, None, first)
        if alone is not None and alone.answer is Answer.PROVED:
            return alone
        budget -= first.spent
    compared = _compared(netlist, mutation, spec.unit, spec, Budget(budget))
    return compared or UnitComparison(Answer.UNKNOWN, "")


def _compared(
    netlist: dict[str, Any], mutation: Mutation, top: str, spec: Spec | None, limits: Budget
) -> UnitComparison | None:
    """The proof for one module of the netlist; None if the module alone is no function."""
    try:
        flat = _flat(with_mutants(netlist, [mutation], top=top), top, limits)
    except BudgetExceeded as exceeded:
        return UnitComparison(Answer.UNKNOWN, str(exceeded))
    if flat is None:
        return UnitComparison(Answer.UNKNOWN, "it has a loop without a register")
    if spec is None and any(cell["type"] == "$dff" for cell in flat["cells"].values()):
        return None
    if "clk" in flat["ports"] and spec is not None:
        return _by_induction(flat, spec, limits)
    whole = "the unit" if spec else f"module {plain_type(top)}"
    found = _solved(miter(flat, spec)[0], f"-prove {DIFFERS} 0", limits)
    return _proof(found, f"{whole} as a function", spec)


def _flat(netlist: dict[str, Any], top: str, budget: Budget) -> dict[str, Any] | None:
    """The module alone, without hierarchy; None with a loop, of which the solver proves anything
    if no value fulfils it."""
    result = budget.run(
        f"read_json netlist.json; hierarchy -top {_escaped(top)}; flatten; check; opt_clean\n"
        "write_json flat.json",
        {"netlist.json": json.dumps(netlist)},
        ("flat.json",),
    )
    if "found logic loop" in result.log:
        return None
    return json.loads(result.outputs["flat.json"])["modules"][top]


def _escaped(name: str) -> str:
    return name if name.startswith("$") else f"\\{name}"


def _by_induction(flat: dict[str, Any], spec: Spec, budget: Budget) -> UnitComparison:
    """Induction with all registers shared that are not seen to take different values, then a search
    for a difference that comes out later, as at the end of a group."""
    own: set[str] = set()
    steps = spec.latency + spec.initiation_interval + _INDUCTION
    while True:
        made, shared = miter(flat, spec, own=own)
        claim = f"-prove {DIFFERS} 0"
        if shared:
            claim += f" -prove {REGISTERS} {'0' * len(shared)}"
        found = _solved(made, f"-tempinduct -maxsteps {steps} {claim}", budget)
        if found.answer is not Answer.REFUTED or found.last(DIFFERS):
            break
        differing = found.last(REGISTERS)
        seen = {name for index, name in enumerate(shared) if differing >> index & 1}
        if not seen:
            raise ToolError("yosys refuted a proof of equivalence without showing a difference")
        own |= seen
    if found.answer is not Answer.UNKNOWN:
        return _proof(found, f"by induction, {_registers(len(own))} not always equal", spec)
    group = spec.records_per_group if isinstance(spec, Tile) else 1
    depth = min(_DEEPEST, steps + 2 * group * spec.initiation_interval)
    found = _solved(made, f"-tempinduct -tempinduct-baseonly -maxsteps {depth} {claim}", budget)
    return _proof(found, f"searched through {depth} clocks at most", spec)


def _registers(count: int) -> str:
    return f"{count} register{'s' * (count != 1)}"


def _solved(made: dict[str, Any], options: str, budget: Budget) -> Found:
    shown = [DIFFERS, *([REGISTERS] if REGISTERS in made["modules"][TOP]["ports"] else [])]
    return decide(made, options, budget, top=TOP, shown=shown)


def _proof(found: Found, method: str, spec: Spec | None) -> UnitComparison:
    named = tuple(_named(clock, spec) for clock in found.clocks) if spec else ()
    return UnitComparison(found.answer, method, named)


def _named(clock: dict[str, int], spec: Spec) -> dict[str, int]:
    """The pins of a clock with the payload's elements as codes."""
    payload = clock.pop("i_payload", 0)
    named = {name: value for name, value in clock.items() if name in ("rst", "i_valid", "o_ready")}
    for name, port in spec.inputs.items():
        for element, (low, bits) in field_ranges({name: port}).items():
            pattern = payload >> low & (1 << bits) - 1
            named[element] = int(port.format.from_bits(pattern)) if bits <= 63 else pattern
        payload >>= port.bits
    return named
