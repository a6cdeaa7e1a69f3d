"""Circuits that build tables of sums; sums of fewer lanes are shared by the entries."""

from multipede.hw.arithmetic.circuit import Circuit, Term, Word, constant, padded
from multipede.hw.arithmetic.plane_sum import shifted_by_cycle

__all__ = ["additions", "entry_shifter", "table_circuit"]

Bounded = tuple[Word, int, int]
"""a signed word and its lowest and highest value"""


def table_circuit(
    low: int, high: int, table_inputs: int, signed_sums: bool, shifts: tuple[int, ...] = (0,)
) -> Circuit:
    """``a0``.. from ``low`` to ``high``, two's complement -> ``t0``.., the entries of
    :mod:`multipede.golden.lookup_table`.

    With more than one of ``shifts`` the entries are shifted to the left by that of number
    ``cycle``.
    """
    c = Circuit()
    lanes = [(c.input(f"a{k}", _bits(low, high)), low, high) for k in range(table_inputs)]
    build = _signed_sums if signed_sums else _subset_sums
    entries = build(c, lanes)
    width = max(_bits(low, high) for _, low, high in entries)
    cycle = c.input("cycle", (len(shifts) - 1).bit_length()) if len(shifts) > 1 else ()
    for index, (word, _, _) in enumerate(entries):
        word = padded(word, width, word[-1])
        c.output(f"t{index}", shifted_by_cycle(c, word, cycle, shifts, f"entry{index}"))
    return c


def entry_shifter(bits: int, shifts: tuple[int, ...]) -> Circuit:
    """``entry`` of so many bits -> ``shifted`` to the left by that of number ``cycle``."""
    c = Circuit()
    word, cycle = c.input("entry", bits), c.input("cycle", (len(shifts) - 1).bit_length())
    c.output("shifted", shifted_by_cycle(c, word, cycle, shifts, "entry"))
    return c


def additions(table_inputs: int, *, signed_sums: bool) -> int:
    """Additions that a table takes."""
    circuit = table_circuit(-128, 127, table_inputs, signed_sums)
    return sum(node.heap is not None for node in circuit.nodes)


def _signed_sums(c: Circuit, lanes: list[Bounded]) -> list[Bounded]:
    """U: the last lane is added, those before it are added or subtracted.

    Halves are summed first: each entry is one of those of the upper lanes plus or minus one of
    those of the lower lanes, whose last is added.
    """
    if len(lanes) == 1:
        return lanes
    middle = len(lanes) // 2
    lower, upper = _signed_sums(c, lanes[:middle]), _signed_sums(c, lanes[middle:])
    entries = []
    for index in range(1 << (len(lanes) - 1)):
        rest, negative = index & ((1 << middle) - 1), index >> (middle - 1) & 1
        # With the last of the lower lanes subtracted, the others are the other way round.
        folded = (rest ^ (-negative)) & ((1 << (middle - 1)) - 1)
        entries.append(_sum(c, upper[index >> middle], lower[folded], bool(negative)))
    return entries


def _subset_sums(c: Circuit, lanes: list[Bounded]) -> list[Bounded]:
    """F: the lanes whose bit of the index is 1."""
    if len(lanes) == 1:
        return [(constant(0, 1), 0, 0), lanes[0]]
    middle = len(lanes) // 2
    lower, upper = _subset_sums(c, lanes[:middle]), _subset_sums(c, lanes[middle:])
    return [
        _sum(c, upper[index >> middle], lower[index & ((1 << middle) - 1)], False)
        for index in range(1 << len(lanes))
    ]


def _sum(c: Circuit, a: Bounded, b: Bounded, negative: bool) -> Bounded:
    """a + b or a - b."""
    if b[1:] == (0, 0):
        return a
    if a[1:] == (0, 0) and not negative:
        return b
    low, high = (-b[2], -b[1]) if negative else b[1:]
    low, high = a[1] + low, a[2] + high
    terms = (
        Term(a[0], signed=True, name="upper"),
        Term(b[0], signed=True, negative=negative, name="lower"),
    )
    return c.sum(_bits(low, high), terms, "entry"), low, high


def _bits(low: int, high: int) -> int:
    return max((~low).bit_length() if low < 0 else 0, high.bit_length()) + 1
