"""Ranks in the middle of sums: what is divided stays the same, and clocks become shorter."""

from itertools import pairwise

import numpy as np
import pytest

from multipede.golden.formats import FixedPoint
from multipede.golden.quadinr import QuadINR
from multipede.golden.taylor_sine import TaylorSine
from multipede.hw import Style, planned
from multipede.hw.arithmetic.circuit import Circuit, Term
from multipede.hw.arithmetic.circuit_plan import CircuitPlan
from multipede.hw.arithmetic.circuit_timing import rank_delays
from multipede.hw.arithmetic.divided_sums import divided_sums
from multipede.hw.arithmetic.pipeline import balanced_plan

SEED = 7


def random_sum(generator: np.random.Generator) -> Circuit:
    """Rows of all kinds: shifted, negated, signed, gated."""
    c = Circuit()
    gates = c.input("gates", 4)
    terms = []
    for row in range(generator.integers(1, 7)):
        word = c.input(f"x{row}", int(generator.integers(1, 12)))
        negative, signed, gated = (bool(flag) for flag in generator.integers(0, 2, 3))
        gate = {"gate": gates[row % 4]} if gated else {}
        terms.append(Term(word, int(generator.integers(0, 9)), negative, signed, **gate))
    width = int(generator.integers(2, 26))
    c.output("y", c.sum(width, terms, "total", plus=int(generator.integers(-999, 999))))
    return c


@pytest.mark.parametrize("case", range(60))
def test_divided_sums_are_the_same(case):
    generator = np.random.default_rng(SEED + case)
    circuit = random_sum(generator)
    longest = int(generator.integers(2, 9))
    inputs = {name: generator.integers(0, 1 << bits, 300) for name, bits in circuit.inputs.items()}
    divided = divided_sums(circuit, longest)
    wanted = CircuitPlan(circuit, Style.CELLS, ranks=0).evaluate(**inputs)["y"]
    assert np.all(CircuitPlan(divided, Style.CELLS, ranks=0).evaluate(**inputs)["y"] == wanted)


@pytest.mark.parametrize("unit", [QuadINR, TaylorSine])
def test_more_ranks_make_shorter_clocks(unit):
    delays = []
    for stages in (1, 2, 4, 8, 12):
        plan = planned(unit(stages=stages), style=Style.CELLS).circuit
        found = rank_delays(plan)
        assert len(found) == stages
        delays.append(max(found))
    assert all(after <= before for before, after in pairwise(delays))
    assert delays[-1] < 0.4 * delays[0]


def test_ranks_share_the_work():
    """The longest stage is not much longer than the mean of all."""
    for stages in (2, 3, 4):
        spec = TaylorSine(stages=stages)
        found = rank_delays(planned(spec, style=Style.CELLS).circuit)
        assert max(found) < 1.5 * sum(found) / stages


def test_carries_that_no_rank_cuts_are_divided():
    c = Circuit()
    a, b = c.input("a", 40), c.input("b", 40)
    c.output("y", c.sum(41, [Term(a), Term(b)], "total"))
    undivided = max(rank_delays(CircuitPlan(c, Style.CELLS, ranks=4)))
    balanced = max(rank_delays(balanced_plan(c, ranks=4)))
    assert balanced < 0.4 * undivided


def test_estimates_follow_gates():
    """An estimate twice as long as another must not be of a shorter circuit."""
    spec = QuadINR(x=FixedPoint(24, 20), result=FixedPoint(24, 22), stages=1)
    small = QuadINR(x=FixedPoint(8, 4), result=FixedPoint(8, 6), stages=1)
    large, least = (max(rank_delays(planned(s, style=Style.CELLS).circuit)) for s in (spec, small))
    assert 2.5 * least < large < 8 * least
