"""Bit heaps: every plan keeps the sum, in Python and in RTL, in every style."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multipede.hw import Style, inventory
from multipede.hw.arithmetic.bitheap import Gate, Heap, Operand, Row
from multipede.hw.arithmetic.cell_plan import AdderKind, Bit, FinalAdder, plan_cells
from multipede.hw.arithmetic.summation import plan
from multipede.hw.arithmetic.word_plan import plan_words
from multipede.sim.verify import verify
from tests.hw.heap_unit import HeapSpec, random_heap

SEED = 20261122


def all_operands(heap: Heap) -> dict[str, np.ndarray]:
    """Every combination of operand values; for heaps with few input bits."""
    ranges = [
        range(-(1 << o.width - 1), 1 << o.width - 1) if o.signed else range(1 << o.width)
        for o in heap.operands.values()
    ]
    values = np.array(list(product(*ranges)), np.int64)
    return {name: values[:, i] for i, name in enumerate(heap.operands)}


def random_operands(heap: Heap, count: int, generator) -> dict[str, np.ndarray]:
    values = {}
    for name, operand in heap.operands.items():
        low = -(1 << operand.width - 1) if operand.signed else 0
        high = (1 << operand.width - operand.signed) - 1
        uniform = generator.integers(low, high + 1, count)
        extreme = generator.choice([low, high], count)
        values[name] = np.where(generator.random(count) < 0.5, uniform, extreme)
    return values


@given(seed=st.integers(0, 2**32 - 1), ranks=st.integers(0, 4))
@settings(max_examples=60, deadline=None)
def test_small_heaps_exhaustively(seed, ranks):
    generator = np.random.default_rng(seed)
    heap = random_heap(generator, operands=3, rows=6, width=7, widest=3, late=True)
    operands = all_operands(heap)
    expected = heap.evaluate(operands)
    for final_adder in FinalAdder:
        plan = plan_cells(heap, ranks=ranks, final_adder=final_adder)
        plan.check()
        assert (plan.evaluate(operands) == expected).all()
    assert (plan_words(heap, ranks=ranks).evaluate(operands) == expected).all()


@pytest.mark.parametrize("rows", [1, 2, 3, 40, 300])
@pytest.mark.parametrize("ranks", [0, 1, 3])
def test_large_heaps_at_random(rows, ranks):
    print(f"seed {SEED}")
    generator = np.random.default_rng(SEED + rows)
    heap = random_heap(generator, operands=20, rows=rows, width=48, widest=20, late=True)
    operands = random_operands(heap, 500, generator)
    expected = heap.evaluate(operands)
    cells = plan_cells(heap, ranks=ranks)
    assert cells.check() == len(cells.adders)
    assert (cells.evaluate(operands) == expected).all()
    assert (plan_words(heap, ranks=ranks).evaluate(operands) == expected).all()


@pytest.mark.few(3)
@pytest.mark.parametrize(("seed", "stages"), [(0, 0), (1, 1), (2, 2), (3, 0), (3, 5)])
def test_rtl_of_heaps_in_every_style(seed, stages):
    generator = np.random.default_rng(SEED + seed)
    heap = random_heap(generator, operands=4, rows=3 + 7 * seed, width=9 + 8 * seed, widest=4)
    report = verify(HeapSpec(heap=heap, stages=stages), records=2000)
    report.raise_on_failure()
    assert {check.style for check in report.checks} == {style.value for style in Style}
    assert report.results >= 3 * 2000


def test_rtl_of_a_heap_without_rows_is_its_constant():
    heap = Heap(4, {"x": Operand(1)}, (), constant=11)
    verify(HeapSpec(heap=heap), records=10).raise_on_failure()


ODD_HEAPS = {
    "sign extension": Heap(16, {"x": Operand(8, True)}, (Row("x"),)),
    "sign extension beside a sum": Heap(
        16,
        {"x": Operand(8, True), "y": Operand(3)},
        (Row("x"), Row("y", shift=2, negative=True)),
        constant=-77,
    ),
    "negated bit": Heap(5, {"x": Operand(1)}, (Row("x", negative=True),)),
    "one signed bit": Heap(3, {"x": Operand(1, True)}, (Row("x"), Row("x", shift=2))),
    "width 1": Heap(1, {"x": Operand(2), "y": Operand(1)}, (Row("x"), Row("y"))),
    "beyond the width": Heap(4, {"x": Operand(8)}, (Row("x", shift=3), Row("x", shift=4))),
    "gated by itself": Heap(
        6, {"x": Operand(3)}, tuple(Row("x", gate=Gate("x", i)) for i in range(3))
    ),
}


@pytest.mark.few(4)
@pytest.mark.parametrize("name", ODD_HEAPS)
def test_rtl_of_odd_heaps(name):
    verify(HeapSpec(heap=ODD_HEAPS[name]), records=300).raise_on_failure()


def test_check_finds_each_kind_of_broken_plan():
    """The proof by conservation can fail: twins with one fault each."""
    heap = Heap(
        8,
        {f"x{i}": Operand(4, True) for i in range(6)} | {"g": Operand(1)},
        tuple(Row(f"x{i}", gate=Gate("g")) for i in range(6)),
    )
    plan = plan_cells(heap)
    assert plan.check() > 5
    first, second = plan.adders[:2]
    wrong_column = first._replace(column=first.column + 1)
    twice = second._replace(inputs=first.inputs)
    wrong_kind = first._replace(kind=AdderKind.HALF_PLUS_ONE, inputs=first.inputs[:2])
    lost_carry = first._replace(carry=Bit("nowhere", 0))
    for broken in (wrong_column, twice, wrong_kind, lost_carry):
        adders = tuple(
            broken if a in (first, second) and a.sum == broken.sum else a for a in plan.adders
        )
        assert adders != plan.adders
        with pytest.raises(AssertionError):
            replace(plan, adders=adders).check()
    with pytest.raises(AssertionError):
        replace(plan, adders=plan.adders[1:]).check()
    with pytest.raises(AssertionError):
        replace(plan, final_constant=plan.final_constant ^ 1).check()


def test_no_half_adder_in_the_tree_and_as_few_full_adders_as_there_are_bits_to_lose():
    """Every full adder removes one bit; what goes in less what comes out is the number needed."""
    heap = Heap(12, {f"x{i}": Operand(8) for i in range(9)}, tuple(Row(f"x{i}") for i in range(9)))
    plan = plan_cells(heap)
    assert {adder.kind for adder in plan.adders} == {AdderKind.FULL}
    count = plan.inventory()
    bits_in, bits_out = 9 * 8, 12
    assert count["full_adder"] == bits_in - bits_out
    assert count["half_adder"] <= 4


def test_late_rows_wait_for_the_last_rank():
    heap = Heap(
        16,
        {f"x{i}": Operand(8, True) for i in range(9)} | {"acc": Operand(16)},
        (*(Row(f"x{i}") for i in range(9)), Row("acc", late=True)),
    )
    plan = plan_cells(heap, ranks=2)
    late = {adder.rank for adder in plan.adders for bit in adder.inputs if bit.word == "row9"}
    assert late <= {2}
    assert not any(bit.word == "row9" for _, bit in plan.registers())
    assert plan.registers()


@pytest.mark.parametrize("stages", [0, 2])
@pytest.mark.parametrize("style", list(Style))
def test_inventory_counts_what_is_planned(style, stages):
    generator = np.random.default_rng(SEED)
    heap = random_heap(generator, operands=6, rows=20, width=16)
    count = inventory(HeapSpec(heap=heap, stages=stages), style=style)
    assert count["and"] == sum(heap.row_bits(r) for r in heap.rows if r.gate is not None)
    assert (count["register"] > 0) == (stages > 0)
    adders = count["word_adder_bit"] if style is Style.WORD else count["full_adder"]
    assert adders > 0


@pytest.mark.parametrize(
    ("heap", "message"),
    [
        (lambda: Heap(0, {}, ()), "width must be at least 1, not 0"),
        (lambda: Heap(4, {}, (Row("x"),)), "row operand 'x' is not among"),
        (lambda: Heap(4, {"x": Operand(2)}, (Row("x", gate=Gate("x", 2)),)), "names no bit"),
        (lambda: Heap(4, {"x": Operand(2)}, (Row("x", shift=-1),)), "must not be negative"),
    ],
)
def test_impossible_heaps_are_refused(heap, message):
    with pytest.raises(ValueError, match=message):
        heap()


def test_equal_heaps_share_a_plan_and_others_do_not():
    """Each thing that a heap says, the order of its operands included, makes it another one."""
    heap = Heap(6, {"a": Operand(3), "b": Operand(3, signed=True)}, (Row("a"), Row("b", 1)), 5)
    same = Heap(6, dict(heap.operands), tuple(heap.rows), 5)
    assert heap == same
    assert hash(heap) == hash(same)
    assert plan(heap, Style.CELLS) is plan(same, Style.CELLS)
    others = [
        replace(heap, width=7),
        replace(heap, constant=4),
        replace(heap, rows=heap.rows[::-1]),
        replace(heap, operands=dict(reversed(heap.operands.items()))),
        replace(heap, operands={**heap.operands, "a": Operand(3, signed=True)}),
    ]
    for other in others:
        assert other != heap
        assert plan(other, Style.CELLS).heap is other
    assert plan(heap, Style.CELLS) != plan(heap, Style.CELLS_PREFIX)
    assert plan(heap, Style.CELLS, ranks=1).ranks == 1
