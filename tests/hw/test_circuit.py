"""Circuits: what they compute, what is left out of them, what is counted, and their RTL."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multipede.hw import Style, inventory
from multipede.hw.arithmetic.circuit import (
    ONE,
    ZERO,
    Circuit,
    Term,
    constant,
    inverted,
    opposite,
)
from multipede.hw.arithmetic.circuit_plan import CircuitPlan
from multipede.sim.stimulus import random_records
from multipede.sim.verify import verify
from tests.hw.circuit_unit import CircuitSpec, RandomCircuitUnit
from tests.hw.netlist import COUNTED, counted_operators


@given(seed=st.integers(0, 2**32 - 1), size=st.integers(1, 60), ranks=st.integers(0, 5))
@settings(max_examples=80, deadline=None)
def test_plans_compute_what_was_written(seed, size, ranks):
    spec = CircuitSpec(seed=seed, size=size, stages=ranks)
    records = random_records(spec, 60, seed=seed)
    tensors = {name: __import__("torch").from_numpy(codes) for name, codes in records.items()}
    expected = spec.reference(**tensors)[0]
    for style in Style:
        plan = RandomCircuitUnit.planned(spec, style).circuit
        got = plan.evaluate(**records)
        for name, tensor in expected.items():
            assert (np.broadcast_to(got[name], 60).astype(np.int64) == tensor.numpy()).all()


@pytest.mark.parametrize(
    ("seed", "stages"),
    [(5, 3), *(pytest.param(*one, marks=pytest.mark.regress) for one in [(3, 0), (4, 1), (6, 8)])],
)
def test_rtl_computes_what_was_written(seed, stages):
    verify(CircuitSpec(seed=seed, stages=stages), records=2000).raise_on_failure()


@pytest.mark.parametrize("style", list(Style))
@pytest.mark.parametrize("stages", [0, 3])
def test_inventory_equals_the_netlist(style, stages):
    """Every operator and register bit of a random circuit, counted in the elaborated RTLIL."""
    spec = CircuitSpec(seed=27, size=60, stages=stages)
    planned = inventory(spec, style=style)
    counted = counted_operators(spec, style)
    for kind in COUNTED:
        assert counted[kind] == planned[kind], kind
    assert all(planned[kind] > 0 for kind in ("and", "or", "exclusive_or", "multiplexer_bit"))


def test_ranks_lie_where_the_delays_are_equal():
    """Between any two ranks something is computed, and nothing comes before its operands."""
    spec = CircuitSpec(seed=9, size=80, stages=4)
    plan = RandomCircuitUnit.planned(spec, Style.WORD).circuit
    spans = [range(placed.enters, placed.leaves + 1) for placed in plan.placed.values()]
    assert {rank for span in spans for rank in span} == {0, 1, 2, 3}
    for number, placed in plan.placed.items():
        for word in plan.operands(number):
            assert all(
                plan.placed[bit.node].leaves <= placed.leaves for bit in word if bit.node >= 0
            )


def test_known_bits_cost_nothing():
    c = Circuit()
    x = c.input("x", 4)
    assert c.both(x, (ZERO,), "n") == constant(0, 4)
    assert c.both(x, (ONE,), "n") == x
    assert c.both(x, inverted(x), "n") == constant(0, 4)
    assert c.either(x, constant(15, 4), "n") == constant(15, 4)
    assert c.exclusive(x, constant(15, 4), "n") == inverted(x)
    assert c.exclusive(x, x, "n") == constant(0, 4)
    assert c.choose(x[0], x, x, "n") == x
    assert c.choose(ONE, x, inverted(x), "n") == x
    assert c.choose(x[0], (ONE,), (ZERO,), "n") == x[:1]
    assert c.any_of((ZERO, x[1]), "n") == x[1]
    assert c.any_of((x[0], opposite(x[0])), "n") == ONE
    assert c.all_of((), "n") == ONE
    assert c.sum(6, [Term(x, 1)], "n") == (ZERO, *x, ZERO)
    assert c.sum(
        4, [Term(constant(3, 4)), Term(constant(1, 1), 2, negative=True)], "n"
    ) == constant(15, 4)
    assert len(c.nodes) == 1


def test_unused_bits_are_left_out():
    c = Circuit()
    x, y = c.input("x", 8), c.input("y", 8)
    word = c.exclusive(x, y, "word")
    c.both(x, y, "nowhere used")
    c.output("z", word[2:4])
    plan = CircuitPlan(c, Style.WORD, ranks=1)
    assert plan.inventory() == {"exclusive_or": 2, "register": 2}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda c, x: c.both(x, x[:2], "n"), "n joins words of 4 and 2 bits"),
        (lambda c, x: c.choose(x[0], x, x[:3], "n"), "n chooses between 4 and 3 bits"),
        (lambda c, x: c.sum(4, [Term((ONE, *x), gate=x[0])], "n"), "must not have constant bits"),
    ],
)
def test_words_that_do_not_fit_are_refused(make, message):
    c = Circuit()
    with pytest.raises(ValueError, match=message):
        make(c, c.input("x", 4))
