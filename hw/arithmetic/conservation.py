"""Proof that a plan of a bit heap keeps the sum: in Python, on the plan itself.

Three steps lead from the definition to the plan's result. The rows' bits with the folded constant
have the weights of the definition, one adder after the other keeps the sum of weights modulo 2^W,
and the final adder takes exactly what is left. Besides, nothing is used in an earlier register
rank than it is made in, so that all that meets belongs to one record.
"""

from collections import Counter

from multipede.golden.spec import Spec
from multipede.hw import build
from multipede.hw.arithmetic.bitheap import Heap, folded_constant, inverted
from multipede.hw.arithmetic.cell_plan import AdderKind, CellPlan, FinalAdder, Segment
from multipede.hw.arithmetic.word_plan import Term, WordAdder, WordPlan
from multipede.hw.hierarchy import Hierarchy, convert
from multipede.hw.style import Style

__all__ = ["check_conservation", "written_plans"]


def written_plans(spec: Spec, style: Style) -> list[CellPlan | WordPlan]:
    """The plans of all bit heaps that the unit's RTL is written from, each distinct module once."""
    hierarchy = Hierarchy(spec.unit)
    convert(build(spec, style=style), spec.unit, hierarchy)
    return [plan for plan in hierarchy.sums if isinstance(plan, CellPlan | WordPlan)]


def check_conservation(plan: CellPlan | WordPlan) -> int:
    """Prove that ``plan`` adds its heap modulo ``2**width``; the number of adders that are in it.

    Raises
    ------
    AssertionError
        Naming the adder, the bit or the term that breaks the rule.
    """
    _check_rows(plan.heap)
    if isinstance(plan, WordPlan):
        return _check_words(plan)
    count = plan.check()
    _check_ranks(plan)
    if plan.final_adder is FinalAdder.RIPPLE:
        count += _check_chain(plan)
    return count


def _check_rows(heap: Heap) -> None:
    """What enters, inverted bits and the constant, has the weights of the definition.

    A bit b of weight -2^c enters as 1 - b of weight 2^c: that is 2^c too much, whatever b is.
    """
    constant = heap.constant
    for row in heap.rows:
        operand = heap.operands[row.operand]
        for bit in range(heap.row_bits(row)):
            top = operand.signed and bit == operand.width - 1
            negative = row.negative != top
            if inverted(heap, row, bit) != negative:
                raise AssertionError(f"bit {bit} of {row} has the wrong sign")
            constant -= negative << (row.shift + bit)
    if (constant - folded_constant(heap)) % (1 << heap.width):
        raise AssertionError(f"the constant of {heap} is not what its signs need")


def _check_ranks(plan: CellPlan) -> None:
    uses = [(adder.rank, bit) for adder in plan.adders for bit in adder.inputs]
    uses += [(plan.ranks, bit) for column in plan.final for bit in column]
    for index, row in enumerate(plan.heap.rows):
        if plan.rank_of[f"row{index}"] != plan.ranks * row.late:
            raise AssertionError(f"row{index} does not enter where {row} arrives")
    for rank, bit in uses:
        if not plan.rank_of[bit.word] <= rank <= plan.ranks:
            raise AssertionError(f"{bit} is used in rank {rank}, before it is made")


def _check_chain(plan: CellPlan) -> int:
    """The segments of the ripple adder take every bit and constant of the final columns once."""
    starts = {segment.column: segment for segment in plan.segments()}
    column, carry, adders = 0, False, 0
    while column < plan.heap.width:
        segment = starts.pop(column, None)
        if segment is None:
            _check_passage(plan, column, carry=carry)
            column, carry = column + 1, False
            continue
        for place in range(segment.width):
            _check_column(plan, segment, place, carry=carry or place > 0)
        column, carry, adders = column + segment.width, True, adders + segment.width
    if starts or column != plan.heap.width:
        raise AssertionError(f"segments {list(starts)} leave the columns of the final adder")
    return adders


def _check_passage(plan: CellPlan, column: int, *, carry: bool) -> None:
    """A column without an adder holds one thing at the most: a bit, a carry or a one."""
    one = plan.final_constant >> column & 1
    if len(plan.final[column]) + carry + one > 1:
        raise AssertionError(f"final column {column} needs an adder and has none")


def _check_column(plan: CellPlan, segment: Segment, place: int, *, carry: bool) -> None:
    column = segment.column + place
    taken = Counter(word[place] for word in (segment.a, segment.b) if word)
    has_carry = place > 0 or segment.carry_in
    constant = int(segment.kind in (AdderKind.HALF_PLUS_ONE, AdderKind.INCREMENT))
    inputs = sum(taken.values()) + has_carry
    right = (
        taken == Counter(plan.final[column])
        and has_carry == carry
        and constant == plan.final_constant >> column & 1
        and inputs == segment.kind.inputs
    )
    if not right:
        raise AssertionError(f"{segment} does not add what is in final column {column}")


def _check_words(plan: WordPlan) -> int:
    """Every term is used once, with its sign, and every word holds all that its sum may be."""
    if len(plan.terms) != len(plan.heap.rows):
        raise AssertionError(f"{len(plan.terms)} terms stand for {len(plan.heap.rows)} rows")
    if any(term != _row_term(plan, index) for index, term in enumerate(plan.terms)):
        raise AssertionError("the terms are not the rows of the heap")
    unused = Counter(plan.terms)
    for adder in plan.adders:
        for term in (adder.left, adder.right):
            if unused[term] != 1:
                raise AssertionError(f"{adder} uses {term.word}, which is not free")
            if term.rank > adder.result.rank:
                raise AssertionError(f"{adder} uses {term.word} before it is made")
            unused[term] -= 1
        _check_sum(adder)
        unused[adder.result] += 1
    unused[plan.total] -= plan.total is not None
    left = [term.word for term in unused.elements()] + [t for t, n in unused.items() if n < 0]
    if left or (plan.total is not None and plan.total.rank > plan.ranks):
        raise AssertionError(f"weight is not conserved: {left or plan.total} is left over")
    return len(plan.adders)


def _row_term(plan: WordPlan, index: int) -> Term:
    """The term that this row must be."""
    row = plan.heap.rows[index]
    operand = plan.heap.operands[row.operand]
    low = -(1 << operand.width - 1) if operand.signed else 0
    high = (1 << operand.width - operand.signed) - 1
    rank = plan.ranks * row.late
    return Term(f"row{index}", low << row.shift, high << row.shift, rank, row.negative)


def _check_sum(adder: WordAdder) -> None:
    """The result's sign and range follow from the addends': minus both, or plus less minus."""
    left, right, result = adder.left, adder.right, adder.result
    if left.negative == right.negative:
        low, high, negative = left.low + right.low, left.high + right.high, left.negative
    else:
        plus, minus = (right, left) if left.negative else (left, right)
        low, high, negative = plus.low - minus.high, plus.high - minus.low, False
    if result.negative != negative or not (result.low <= low <= high <= result.high):
        raise AssertionError(f"{adder} does not hold the sum of its addends")
