"""Sums in pieces, so that register ranks can cut the carries of their final adders.

A sum's last step is an adder whose carry ripples over its whole width, and a rank in front of it
leaves that as it is. Where a unit is to be cut into so many ranks that this takes longer than a
rank's share, the sum is divided by columns: the lower piece is a sum of its own, and what it has
above its columns is one more row of the next piece, a late one.
"""

from multipede.hw.arithmetic.bitheap import Heap
from multipede.hw.arithmetic.circuit import ONE, Bit, Circuit, Node, Operator, Term, Word

__all__ = ["divided_sums"]


def divided_sums(circuit: Circuit, longest: int) -> Circuit:
    """The same circuit without sums of more than ``longest`` columns."""
    other = Circuit()
    made: dict[int, Word] = {}

    def renamed(word: Word) -> Word:
        return tuple(_renamed(bit, made) for bit in word)

    for number, node in enumerate(circuit.nodes):
        inputs = tuple(map(renamed, node.inputs))
        if node.operator is Operator.SUM and node.width > longest:
            made[number] = _divided(other, node, inputs, longest)
            continue
        other.nodes.append(Node(node.operator, node.name, inputs, node.width, node.heap))
        made[number] = tuple(Bit(len(other.nodes) - 1, index) for index in range(node.width))
    for name, word in circuit.outputs.items():
        other.output(name, renamed(word))
    return other


def _renamed(bit: Bit, made: dict[int, Word]) -> Bit:
    if bit.node < 0:
        return bit
    found = made[bit.node][bit.index]
    return found._replace(inverted=found.inverted ^ bit.inverted)


def _divided(c: Circuit, node: Node, inputs: tuple[Word, ...], longest: int) -> Word:
    """The word of a sum, by pieces of equal width."""
    heap = node.heap
    words = dict(zip(heap.operands, inputs, strict=True))
    pieces = -(-heap.width // longest)
    total: Word = ()
    carry: Term | None = None
    least = most = 0
    for piece in range(pieces):
        start, stop = (heap.width * end // pieces for end in (piece, piece + 1))
        constant = heap.constant >> start & ((1 << (stop - start)) - 1)
        terms, low, high = _columns(c, heap, words, start, stop)
        if carry is not None:
            terms.append(carry)
        low, high = low + constant + least, high + constant + most
        last = piece == pieces - 1
        width = stop - start
        if not last:
            width = max(width + 1, (~low).bit_length() if low < 0 else 0, high.bit_length())
            width += low < 0
        word = c.sum(width, terms, f"{node.name}_{start}", plus=constant)
        total += word[: stop - start]
        least, most = low >> (stop - start), high >> (stop - start)
        carry = Term(word[stop - start :], signed=low < 0, late=True, name="carry")
    return total


def _columns(
    c: Circuit, heap: Heap, words: dict[str, Word], start: int, stop: int
) -> tuple[list[Term], int, int]:
    """What rows have in the columns from ``start`` to below ``stop``, the sign with the highest
    bit, in units of the lowest column; and the range of its sum."""
    terms, low, high = [], 0, 0
    for row in heap.rows:
        word, signed = words[row.operand], heap.operands[row.operand].signed
        first, behind = max(0, start - row.shift), max(0, stop - row.shift)
        part = word[first:behind]
        if not part:
            continue
        signed = signed and behind >= len(word)
        shift = max(0, row.shift - start)
        gate = ONE if row.gate is None else words[row.gate.operand][row.gate.index]
        if gate != ONE and any(bit.node < 0 for bit in (*part, gate)):
            part, gate = c.both(part, (gate,), row.operand), ONE
        terms.append(Term(part, shift, row.negative, signed, gate, row.late, row.operand))
        ends = (-(1 << (len(part) - 1)) if signed else 0, (1 << (len(part) - signed)) - 1)
        ends = tuple(end << shift for end in ends)
        if row.negative:
            ends = -ends[1], -ends[0]
        low, high = low + min(0, ends[0]), high + max(0, ends[1])
    return terms, low, high
