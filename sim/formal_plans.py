"""Weight conservation of the plans from which a unit's RTL is written."""

import time
from collections.abc import Sequence

import numpy as np

from multipede.golden.spec import Spec
from multipede.hw import Style
from multipede.hw.arithmetic.bitheap import Heap
from multipede.hw.arithmetic.cell_plan import CellPlan
from multipede.hw.arithmetic.conservation import check_conservation, written_plans
from multipede.hw.arithmetic.word_plan import WordPlan
from multipede.sim.formal_report import Clock, Counterexample, Method, Proof, ProofOutcome

__all__ = ["conservation", "conservation_of"]

_TRIES = 1000


def conservation(spec: Spec, style: Style) -> Proof | None:
    """Every plan in the unit keeps its sum; None for a unit without bit heaps."""
    began = time.monotonic()
    plans = written_plans(spec, style)
    return conservation_of(plans, style, began=began) if plans else None


def conservation_of(
    plans: Sequence[CellPlan | WordPlan], style: Style, *, began: float | None = None
) -> Proof:
    """Every one of these plans keeps its sum."""
    began = time.monotonic() if began is None else began
    adders, outcome, reason, found = 0, ProofOutcome.PROVED, None, None
    for plan in plans:
        try:
            adders += check_conservation(plan)
        except AssertionError as error:
            outcome, reason, found = ProofOutcome.REFUTED, str(error), _counterexample(plan)
            break
    return Proof(
        name="plans",
        claim=f"{len(plans)} bit heaps with {adders} adders keep the sum of weights modulo 2^W",
        method=Method.CONSERVATION,
        style=style.value,
        seconds=time.monotonic() - began,
        outcome=outcome,
        counterexample=found,
        reason=reason,
    )


def _counterexample(plan: CellPlan | WordPlan) -> Counterexample | None:
    """Operands whose sum the plan gets wrong; None if none is found or the plan cannot be run."""
    heap = plan.heap
    operands = _operands(heap)
    try:
        got, wanted = plan.evaluate(operands), heap.evaluate(operands)
    except (AssertionError, KeyError, TypeError, OverflowError):
        return None  # it is broken in a way that has no result
    different = np.flatnonzero(np.asarray(got != wanted))
    if not len(different):
        return None
    first = different[0]
    clock = Clock(
        inputs={name: int(values[first]) for name, values in operands.items()},
        outputs={"sum": int(got[first])},
        expected={"sum": int(wanted[first])},
    )
    return Counterexample((clock,))


def _operands(heap: Heap) -> dict[str, np.ndarray]:
    """Zeros, extremes and random values of every operand."""
    generator = np.random.default_rng(1)
    found = {}
    for name, operand in heap.operands.items():
        low = -(1 << operand.width - 1) if operand.signed else 0
        high = (1 << operand.width - operand.signed) - 1
        values = generator.integers(low, high, _TRIES, endpoint=True)
        values[:3] = 0, low, high
        found[name] = values
    return found
