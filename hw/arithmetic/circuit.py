"""Combinational circuits as plain values: words of bits and the operators that make them.

A unit describes its data path here once, without any HDL object. From the description follow the
operators' count, the register ranks (:mod:`.circuit_plan`) and the RTL (:mod:`.circuit_emit`).
Bits are followed one by one: what is constant, equal or unused costs nothing, so that a unit may
be written for the general case and shrinks to what its formats can produce.

A word is a tuple of bits, lowest first. Shifts, concatenations and inversions are done on the
tuples and cost nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import chain, count, groupby
from typing import NamedTuple

from multipede.hw.arithmetic.bitheap import Gate, Heap, Operand, Row

__all__ = [
    "ONE",
    "ZERO",
    "Bit",
    "Circuit",
    "Node",
    "Operator",
    "Term",
    "Word",
    "constant",
    "inverted",
    "opposite",
    "padded",
]


class Bit(NamedTuple):
    """Bit ``index`` of what node number ``node`` makes, or its inverse; constants have node -1."""

    node: int
    index: int
    inverted: bool = False


Word = tuple[Bit, ...]

ZERO, ONE = Bit(-1, 0), Bit(-1, 0, True)

_tuple = tuple.__new__
"""makes a bit from a plain tuple, several times as quick as ``Bit`` does: there are thousands"""


def opposite(bit: Bit) -> Bit:
    """The bit inverted."""
    node, index, inverted = bit
    return _tuple(Bit, (node, index, not inverted))


def inverted(word: Iterable[Bit]) -> Word:
    """All bits inverted."""
    return tuple(map(opposite, word))


def constant(value: int, width: int) -> Word:
    """``value`` modulo ``2**width``."""
    return tuple(ONE if value >> place & 1 else ZERO for place in range(width))


def padded(word: Word, width: int, fill: Bit = ZERO) -> Word:
    """The word with ``fill`` above it up to ``width`` bits."""
    return word + (fill,) * (width - len(word))


class Operator(Enum):
    """What a node does; the value is its kind in inventories."""

    INPUT = "input"
    AND = "and"
    OR = "or"
    EXCLUSIVE_OR = "exclusive_or"
    MULTIPLEXER = "multiplexer_bit"
    ANY = "any"
    """OR of all bits of a word"""
    ALL = "all"
    """AND of all bits of a word"""
    SUM = "sum"
    """a bit heap"""

    __hash__ = object.__hash__  # quick: each is the only one of its name


@dataclass(frozen=True)
class Node:
    """One operator. ``inputs`` are its operands; a multiplexer's are (select,), ones, zeros, and a
    sum's are the operands of its heap in order. ``width`` bits come out."""

    operator: Operator
    name: str
    inputs: tuple[Word, ...]
    width: int
    heap: Heap | None = None


class Term(NamedTuple):
    """An addend of a sum: ``(-1 if negative else 1) * word * 2**shift``, or 0 while ``gate`` is 0.

    ``signed`` words are two's complement; ``late`` ones arrive after the others. ``name`` is that
    of the addend's port.
    """

    word: Word
    shift: int = 0
    negative: bool = False
    signed: bool = False
    gate: Bit = ONE
    late: bool = False
    name: str = "x"


class Circuit:
    """A circuit under construction.

    Methods named after what they make take words of one width and give one; each bit whose value
    is known or that equals another needs no operator.
    """

    def __init__(self):
        self.nodes: list[Node] = []
        self.outputs: dict[str, Word] = {}

    @property
    def inputs(self) -> dict[str, int]:
        """The widths of the words that come from outside, by name."""
        return {n.name: n.width for n in self.nodes if n.operator is Operator.INPUT}

    def input(self, name: str, width: int) -> Word:
        """A word that comes from outside."""
        return self._new(Operator.INPUT, name, (), width)

    def both(self, a: Sequence[Bit], b: Sequence[Bit], name: str) -> Word:
        """``a & b``; a word of one bit goes to all bits of the other."""
        return self._bitwise(Operator.AND, _conjunction, a, b, name)

    def either(self, a: Sequence[Bit], b: Sequence[Bit], name: str) -> Word:
        """``a | b``, as :meth:`both`."""
        return self._bitwise(Operator.OR, _disjunction, a, b, name)

    def exclusive(self, a: Sequence[Bit], b: Sequence[Bit], name: str) -> Word:
        """``a ^ b``, as :meth:`both`."""
        return self._bitwise(Operator.EXCLUSIVE_OR, _exclusive, a, b, name)

    def choose(self, select: Bit, ones: Word, zeros: Word, name: str) -> Word:
        """``ones if select else zeros``."""
        if len(ones) != len(zeros):
            raise ValueError(f"{name} chooses between {len(ones)} and {len(zeros)} bits")
        found = [_choice(select, one, zero) for one, zero in zip(ones, zeros, strict=True)]
        return self._made(found, name)

    def any_of(self, word: Iterable[Bit], name: str) -> Bit:
        """Whether a bit is 1."""
        bits = dict.fromkeys(bit for bit in word if bit != ZERO)
        if any(opposite(bit) in bits for bit in bits):
            return ONE
        return self._reduced(Operator.ANY, tuple(bits), ZERO, name)

    def all_of(self, word: Iterable[Bit], name: str) -> Bit:
        """Whether all bits are 1."""
        bits = dict.fromkeys(bit for bit in word if bit != ONE)
        if any(opposite(bit) in bits for bit in bits):
            return ZERO
        return self._reduced(Operator.ALL, tuple(bits), ONE, name)

    def sum(self, width: int, terms: Iterable[Term], name: str, *, plus: int = 0) -> Word:
        """The sum of the terms and ``plus``, modulo ``2**width``, on a bit heap."""
        words: dict[str, Word] = {}
        operands: dict[str, Operand] = {}
        rows: list[Row] = []
        gates: dict[Bit, int] = {}
        for term in terms:
            gate = None
            if term.gate.node >= 0:
                gate = Gate(_GATES, gates.setdefault(term.gate, len(gates)))
            known, runs = _split(term, width)
            plus += known
            for place, word, signed in runs:
                key = _unused(term.name, words)
                words[key] = word
                operands[key] = Operand(len(word), signed)
                shift = term.shift + place
                rows.append(Row(key, shift, term.negative, gate=gate, late=term.late))
        plus %= 1 << width
        if not rows:
            return constant(plus, width)
        (first, word), *_ = words.items()
        if not plus and rows == [Row(first, rows[0].shift)] and not operands[first].signed:
            return padded(constant(0, rows[0].shift) + word, width)
        if gates:
            words[_GATES], operands[_GATES] = tuple(gates), Operand(len(gates))
        heap = Heap(width, operands, tuple(rows), plus)
        return self._new(Operator.SUM, name, tuple(words.values()), width, heap)

    def copy(self) -> "Circuit":
        """A circuit of the same nodes, to try something out on."""
        other = Circuit()
        other.nodes = list(self.nodes)
        return other

    def output(self, name: str, word: Word) -> None:
        """Make the word the circuit's output ``name``."""
        self.outputs[name] = tuple(word)

    def _new(self, operator, name, inputs, width, heap=None) -> Word:
        self.nodes.append(Node(operator, name, inputs, width, heap))
        node = len(self.nodes) - 1
        return tuple([_tuple(Bit, (node, index, False)) for index in range(width)])

    def _bitwise(self, operator: Operator, fold: Callable, a, b, name: str) -> Word:
        a, b = tuple(a), tuple(b)
        if len(b) == 1:
            b *= len(a)
        elif len(a) == 1:
            a *= len(b)
        if len(a) != len(b):
            raise ValueError(f"{name} joins words of {len(a)} and {len(b)} bits")
        found = [fold(x, y) or (operator, x, y) for x, y in zip(a, b, strict=True)]
        return self._made(found, name)

    def _made(self, found: list, name: str) -> Word:
        """Bits as they are, and for each operator wanted one node of all bits that want it."""
        places: dict[tuple[Operator, Bit | None], list[int]] = {}
        for place, entry in enumerate(found):
            if type(entry) is not Bit:
                # Multiplexers of different selects are different nodes.
                key = entry[0], entry[1] if entry[0] is Operator.MULTIPLEXER else None
                places.setdefault(key, []).append(place)
        result = list(found)
        for (operator, select), members in places.items():
            _, *operands = zip(*[found[place] for place in members], strict=True)
            if select is not None:
                operands[0] = (select,)
            node_name = name if len(places) == 1 else f"{name}_{_SUFFIXES[operator]}"
            word = self._new(operator, node_name, tuple(operands), len(members))
            for place, bit in zip(members, word, strict=True):
                result[place] = bit
        return tuple(result)

    def _reduced(self, operator: Operator, bits: Word, empty: Bit, name: str) -> Bit:
        if not bits:
            return empty
        if opposite(empty) in bits:
            return opposite(empty)
        if len(bits) == 1:
            return bits[0]
        return self._new(operator, name, (bits,), 1)[0]


_SUFFIXES = {
    Operator.AND: "and",
    Operator.OR: "or",
    Operator.EXCLUSIVE_OR: "xor",
    Operator.MULTIPLEXER: "mux",
}


_GATES = "gates"
"""the operand of a heap that holds the bits of all gates"""


def _unused(name: str, taken: Mapping[str, object]) -> str:
    """The name, with a number if it is taken."""
    names = chain([name], (f"{name}_{number}" for number in count(2)))
    return next(candidate for candidate in names if candidate not in taken)


# Constants have a negative node; bits of equal place (node and index) are equal or inverse.


def _conjunction(x: Bit, y: Bit) -> Bit | None:
    if x[0] < 0:
        return y if x[2] else ZERO
    if y[0] < 0:
        return x if y[2] else ZERO
    if x[:2] != y[:2]:
        return None
    return x if x == y else ZERO


def _disjunction(x: Bit, y: Bit) -> Bit | None:
    if x[0] < 0:
        return ONE if x[2] else y
    if y[0] < 0:
        return ONE if y[2] else x
    if x[:2] != y[:2]:
        return None
    return x if x == y else ONE


def _exclusive(x: Bit, y: Bit) -> Bit | None:
    if x[0] < 0:
        return opposite(y) if x[2] else y
    if y[0] < 0:
        return opposite(x) if y[2] else x
    if x[:2] != y[:2]:
        return None
    return ZERO if x == y else ONE


def _choice(select: Bit, one: Bit, zero: Bit) -> Bit | tuple:
    if one == zero:
        return one
    if select.node < 0:
        return one if select.inverted else zero
    if one[:2] == zero[:2]:
        return _exclusive(select, zero) or (Operator.EXCLUSIVE_OR, select, zero)
    if one.node < 0:
        bit, other, when = one, zero, select
    elif zero.node < 0:
        bit, other, when = zero, one, opposite(select)
    else:
        return (Operator.MULTIPLEXER, select, one, zero)
    if bit.inverted:
        return _disjunction(when, other) or (Operator.OR, when, other)
    unless = opposite(when)
    return _conjunction(unless, other) or (Operator.AND, unless, other)


def _split(term: Term, width: int) -> tuple[int, list[tuple[int, Word, bool]]]:
    """What the constant bits of a term add, and its runs of other bits below ``2**width``, each
    as (place of its lowest bit, bits, whether it ends in a sign bit)."""
    word = term.word
    if term.gate == ZERO:
        return 0, []
    if term.gate.node >= 0 and any(bit.node < 0 for bit in word):
        raise ValueError("a gated word must not have constant bits")
    while term.signed and len(word) > 1 and word[-1] == word[-2]:
        word = word[:-1]  # an extended sign
    known, runs = 0, []
    entries = list(enumerate(word))[: max(0, width - term.shift)]
    for is_constant, run in groupby(entries, key=lambda entry: entry[1].node == -1):
        places, bits = zip(*run, strict=True)
        signed = term.signed and places[-1] == len(word) - 1
        if not is_constant:
            runs.append((places[0], bits, signed))
            continue
        value = sum(bit.inverted << place for place, bit in zip(places, bits, strict=True))
        if signed and bits[-1].inverted:
            value -= 2 << places[-1]
        known += (-value if term.negative else value) << term.shift
    return known, runs
