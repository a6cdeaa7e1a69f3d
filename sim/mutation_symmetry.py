"""Addends of one sum: exchanged, they change nothing. Solvers find that hard, trees show it."""

from typing import Any

from multipede.sim.mutation_sites import Mutation, MutationKind
from multipede.sim.netlist import Cell, Net, NetlistModule, signed

__all__ = ["exchanges_addends"]


def exchanges_addends(netlist: dict[str, Any], mutation: Mutation) -> bool:
    """Whether the mutation exchanges two inputs of a module that only go into one tree of adders.

    Each input must be one whole operand, all operands of the tree's adders must be taken as signed
    or all as unsigned, and no sum below the topmost may lose its carry; then the sum is that of the
    integers, modulo the topmost adder's width, in any order.
    """
    if mutation.kind is not MutationKind.SWAPPED_WORDS:
        return False
    cell = netlist["modules"][mutation.module]["cells"][mutation.cell]
    inside = netlist["modules"].get(cell["type"])
    if inside is None:
        return False
    tree = _Adders(NetlistModule(inside))
    one, other = (tree.path(inside["ports"][p]["bits"]) for p in (mutation.port, mutation.other))
    return bool(one and other) and any(_is_exact_below(tree, one, other, name) for name in one)


class _Adders:
    """The adders of a module, and who reads what."""

    def __init__(self, module: NetlistModule):
        self.cells = module.cells
        self._outputs = {
            net
            for port in module.content["ports"].values()
            if port["direction"] == "output"
            for net in port["bits"]
        }
        self._readers: dict[Net, list[tuple[str, str]]] = {}
        for name, cell in module.cells.items():
            for port, bits in module.words(cell, "input"):
                for net in bits:
                    self._readers.setdefault(net, []).append((name, port))

    def path(self, bits: list[Net]) -> list[str]:
        """The adders from the only one that reads the word upwards, as far as each only feeds the
        next one."""
        found: list[str] = []
        while (name := self._only_adder(bits)) is not None:
            found.append(name)
            bits = self.cells[name]["connections"]["Y"]
        return found

    def _only_adder(self, bits: list[Net]) -> str | None:
        readers = {reader for net in bits for reader in self._readers.get(net, ())}
        if len(readers) != 1 or self._outputs.intersection(bits):
            return None
        name, port = readers.pop()
        cell = self.cells[name]
        if cell["type"] != "$add" or _operand(cell, port) != bits:
            return None
        return name


def _is_exact_below(tree: _Adders, one: list[str], other: list[str], top: str) -> bool:
    """Whether both words come together in the adder ``top`` without a carry lost on the way."""
    if top not in other:
        return False
    below = {*one[: one.index(top)], *other[: other.index(top)]}
    cells = [tree.cells[name] for name in below]
    taken = {signed(cell, port) for cell in [*cells, tree.cells[top]] for port in "AB"}
    return len(taken) == 1 and all(_keeps_carry(cell) for cell in cells)


def _keeps_carry(cell: Cell) -> bool:
    return len(cell["connections"]["Y"]) > max(len(_operand(cell, port)) for port in "AB")


def _operand(cell: Cell, port: str) -> list[Net]:
    """The operand without what extends it."""
    bits = list(cell["connections"][port])
    while len(bits) > 1 and bits[-1] == (bits[-2] if signed(cell, port) else "0"):
        bits.pop()
    return bits
