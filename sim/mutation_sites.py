"""Which mutants a netlist can have: the kinds of error, the places for them, a random choice."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from multipede.sim.netlist import Cell, Net, NetlistModule, plain_type

__all__ = ["OTHER_OPERATOR", "Mutation", "MutationKind", "chosen", "mutations_of"]

OTHER_OPERATOR = {
    "$add": "$sub",
    "$sub": "$add",
    "$and": "$or",
    "$or": "$and",
    "$xor": "$or",
    "$logic_and": "$logic_or",
    "$logic_or": "$logic_and",
    "$lt": "$le",
    "$le": "$lt",
    "$gt": "$ge",
    "$ge": "$gt",
    "$reduce_and": "$reduce_or",
    "$reduce_or": "$reduce_and",
    "$reduce_bool": "$reduce_and",
}
_ORDERED = ("$sub", "$lt", "$le", "$gt", "$ge", "$mux", "$shl", "$shr", "$sshl", "$sshr")
_ARITHMETIC = ("$add", "$sub", "$mul", "$neg", "$lt", "$le", "$gt", "$ge")
_REGISTER = "$dff"


class MutationKind(Enum):
    """One small error each, as hands make them and as other studies of mutation use them."""

    STUCK_AT_0 = "stuck at 0"
    """a bit that a cell reads or drives is 0"""
    STUCK_AT_1 = "stuck at 1"
    """a bit that a cell reads or drives is 1"""
    INVERTED = "inverted"
    """a bit that a cell drives is inverted, or that a register takes"""
    SWAPPED_BITS = "neighbouring bits swapped"
    """two neighbours of a word that a cell reads change places"""
    SWAPPED_WORDS = "inputs swapped"
    """two words of one width that a cell reads change places, where their order matters"""
    DROPPED_CARRY = "carry dropped"
    """a sum or difference loses its carry or borrow into one bit"""
    SHORT_WORD = "one bit short"
    """the top bit of a word of arithmetic repeats the bit below"""
    WRONG_OPERATOR = "wrong operator"
    """+ for -, & for |, < for <=, ..."""


@dataclass(frozen=True)
class Mutation:
    """One error in one place of the Verilog; a module's error is in all of its instances.

    ``bit`` is the lower one of two; ``other`` the other port of two that are swapped.
    """

    kind: MutationKind
    module: str
    cell: str
    operator: str
    port: str
    bit: int
    other: str | None = None
    line: int = 0
    statement: str = ""

    def __str__(self) -> str:
        match self.kind:
            case MutationKind.SWAPPED_WORDS:
                where = f"{self.port} and {self.other}"
            case MutationKind.WRONG_OPERATOR:
                where = f"{OTHER_OPERATOR[self.operator]}"
            case _:
                where = f"{self.port}[{self.bit}]"
        return (
            f"{self.kind.value}, {where} of {self.operator} in {plain_type(self.module)},"
            f" line {self.line}: {self.statement}"
        )


def mutations_of(netlist: dict[str, Any], verilog: str) -> list[Mutation]:
    """Every mutation of the netlist that changes something there, in a fixed order.

    Clocks, constant bits and nets that nothing reads are no places for any. ``verilog`` is the text
    that the netlist was read from; a mutation tells the line.
    """
    lines = verilog.split("\n")
    found: dict[Mutation, None] = {}
    for name, content in sorted(netlist["modules"].items()):
        module = NetlistModule(content)
        clock = set(content["ports"].get("clk", {"bits": []})["bits"])
        read = _read_nets(module)
        for cell_name, cell in sorted(module.cells.items()):
            line = _line(cell)
            statement = lines[line - 1].strip() if line else ""
            for kind, port, bit, other in _places(module, cell, clock, read):
                operator = plain_type(cell["type"])
                found[
                    Mutation(kind, name, cell_name, operator, port, bit, other, line, statement)
                ] = None
    return list(found)


def chosen(mutations: list[Mutation], count: int, seed: int) -> list[Mutation]:
    """At most ``count`` different ones: the kinds take turns, a kind's places are equally likely.

    So a rare kind counts as much as a frequent one until its places are used up.
    """
    generator = np.random.default_rng(seed)
    waiting: dict[MutationKind, list[Mutation]] = {}
    for kind in MutationKind:
        places = [mutation for mutation in mutations if mutation.kind is kind]
        if places:
            waiting[kind] = [places[index] for index in generator.permutation(len(places))]
    picked: list[Mutation] = []
    while waiting and len(picked) < count:
        for kind in list(waiting):
            if len(picked) < count:
                picked.append(waiting[kind].pop())
            if not waiting[kind]:
                del waiting[kind]
    return picked


def _line(cell: Cell) -> int:
    """The line of the Verilog that made the cell, 0 if unknown; of several the innermost."""
    found = re.match(r"[^:|]*:(\d+)\.", cell["attributes"].get("src", ""))
    return int(found[1]) if found else 0


def _read_nets(module: NetlistModule) -> set[Net]:
    read = {
        net for cell in module.cells.values() for _, b in module.words(cell, "input") for net in b
    }
    outputs = [p for p in module.content["ports"].values() if p["direction"] == "output"]
    return read | {net for port in outputs for net in port["bits"]}


_Place = tuple[MutationKind, str, int, str | None]


def _places(module: NetlistModule, cell: Cell, clock: set[Net], read: set[Net]) -> Iterator[_Place]:
    inputs = [
        (port, bits) for port, bits in module.words(cell, "input") if not clock.intersection(bits)
    ]
    for port, bits in inputs:
        for bit, net in enumerate(bits):
            if isinstance(net, int):
                yield from _of_bit(port, bit, inverts=cell["type"] == _REGISTER)
        yield from _of_word(cell, port, bits)
    if cell["type"] != _REGISTER:  # whose input stands for its output
        for port, bits in module.words(cell, "output"):
            for bit, net in enumerate(bits):
                if net in read:
                    yield from _of_bit(port, bit, inverts=True)
    yield from _of_cell(cell, inputs)


def _of_bit(port: str, bit: int, *, inverts: bool) -> Iterator[_Place]:
    yield MutationKind.STUCK_AT_0, port, bit, None
    yield MutationKind.STUCK_AT_1, port, bit, None
    if inverts:
        yield MutationKind.INVERTED, port, bit, None


def _of_word(cell: Cell, port: str, bits: list[Net]) -> Iterator[_Place]:
    if cell["type"].startswith("$reduce") or cell["type"].startswith("$logic"):
        return  # the order of their bits means nothing
    for bit in range(len(bits) - 1):
        if bits[bit] != bits[bit + 1]:
            yield MutationKind.SWAPPED_BITS, port, bit, None
    if len(bits) > 1 and bits[-1] != bits[-2] and _is_arithmetic(cell):
        yield MutationKind.SHORT_WORD, port, len(bits) - 1, None


def _of_cell(cell: Cell, inputs: list[tuple[str, list[Net]]]) -> Iterator[_Place]:
    kind = cell["type"]
    for index, (port, bits) in enumerate(inputs):
        for other, others in inputs[index + 1 :]:
            if _ordered(cell) and len(bits) == len(others) and bits != others:
                yield MutationKind.SWAPPED_WORDS, port, 0, other
    if kind in ("$add", "$sub"):
        for bit in _carries(cell):
            yield MutationKind.DROPPED_CARRY, "Y", bit, None
    if kind in OTHER_OPERATOR:
        yield MutationKind.WRONG_OPERATOR, "Y", 0, None


def _carries(cell: Cell) -> Iterator[int]:
    """The bits of a sum or difference into which a carry or borrow can come."""
    minuend, other, result = (cell["connections"][port] for port in "ABY")
    for bit in range(1, min(len(result), max(len(minuend), len(other)) + 1)):
        lower = [other] if cell["type"] == "$sub" else [minuend, other]
        if all(any(net != "0" for net in word[:bit]) for word in lower):
            yield bit


def _is_arithmetic(cell: Cell) -> bool:
    return cell["type"] in _ARITHMETIC or not _is_operator(cell)


def _ordered(cell: Cell) -> bool:
    return cell["type"] in _ORDERED or not _is_operator(cell)


def _is_operator(cell: Cell) -> bool:
    return cell["type"].startswith("$") and not cell["type"].startswith("$paramod")
