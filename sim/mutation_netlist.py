"""All mutants in one netlist, of which an input ``mutant`` chooses: compiled once, not N times."""

import copy
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from multipede.sim.mutation_sites import OTHER_OPERATOR, Mutation, MutationKind
from multipede.sim.netlist import Cell, Net, NetlistModule, signed

__all__ = ["SELECT", "with_mutants"]

SELECT = "mutant"
"""The input of every module: 0 for the unit as it is, k for the k-th mutant."""


def with_mutants(
    netlist: dict[str, Any], mutations: Sequence[Mutation], *, top: str
) -> dict[str, Any]:
    """A copy of the netlist in which input ``mutant`` = k puts the k-th mutation in force, from 1.

    A mutant only reads what its cell reads or drives, so none of them closes a loop of gates.
    """
    netlist = copy.deepcopy(netlist)
    width = max(1, len(mutations).bit_length())
    numbered: dict[str, list[tuple[int, Mutation]]] = defaultdict(list)
    for number, mutation in enumerate(mutations, 1):
        numbered[mutation.module].append((number, mutation))
    concerned = _concerned(netlist, set(numbered)) | {top}
    for name in sorted(concerned):
        module = NetlistModule(netlist["modules"][name])
        select = module.fresh(width)
        instances = [cell for cell in module.cells.values() if cell["type"] in concerned]
        module.add_port(SELECT, "input", select)
        _Instrumented(module, select).put(numbered[name])
        for cell in instances:
            cell["connections"][SELECT] = list(select)
            cell["port_directions"][SELECT] = "input"
    return netlist


def _concerned(netlist: dict[str, Any], changed: set[str]) -> set[str]:
    """The modules that hold mutants, and those around them."""
    found = set(changed)
    while True:
        around = {
            name
            for name, content in netlist["modules"].items()
            if any(cell["type"] in found for cell in content["cells"].values())
        }
        if around <= found:
            return found
        found |= around


_Bit = tuple[str, str, int]
"""cell, port, bit"""


class _Instrumented:
    """One module on its way to hold its mutants.

    ``_read`` and ``_driven`` collect, for each bit that some mutant changes, the selecting nets and
    what the bit is instead; ``_raw`` what the cell itself drives there.
    """

    def __init__(self, module: NetlistModule, select: list[Net]):
        self._module, self._select = module, select
        self._read: dict[_Bit, list[tuple[Net, Net]]] = defaultdict(list)
        self._driven: dict[_Bit, list[tuple[Net, Net]]] = defaultdict(list)
        self._raw: dict[_Bit, Net] = {}

    def put(self, numbered: Sequence[tuple[int, Mutation]]) -> None:
        """Make the mutants' nets, then join them into the module."""
        for number, mutation in numbered:
            self._mutant(self._chosen(number), mutation)
        for (name, port, bit), changes in self._read.items():
            bits = self._module.cells[name]["connections"][port]
            for select, instead in changes:
                bits[bit] = self._module.choose(select, instead, bits[bit])
        for place, changes in self._driven.items():
            name, port, bit = place
            bits = self._module.cells[name]["connections"][port]
            net, bits[bit] = bits[bit], self._raw_net(place)
            chosen = bits[bit]
            for select, instead in changes[:-1]:
                chosen = self._module.choose(select, instead, chosen)
            self._module.choose(*changes[-1], chosen, net)

    def _chosen(self, number: int) -> Net:
        bits = [str(number >> place & 1) for place in range(len(self._select))]
        inputs = {"A": list(self._select), "B": bits}
        return self._module.add_cell("$eq", inputs, self._module.fresh(1))[0]

    def _raw_net(self, place: _Bit) -> Net:
        if place not in self._raw:
            self._raw[place] = self._module.fresh(1)[0]
        return self._raw[place]

    def _mutant(self, select: Net, mutation: Mutation) -> None:
        cell = self._module.cells[mutation.cell]
        drives = cell["port_directions"][mutation.port] == "output"
        where = self._driven if drives else self._read
        for (name, place), net in self._changes(mutation, cell, drives).items():
            where[mutation.cell, name, place].append((select, net))

    def _changes(self, mutation: Mutation, cell: Cell, drives: bool) -> dict[tuple[str, int], Net]:
        """What the bits are instead, by port and bit. Nothing is joined yet, so that all that is
        read here is the unit as it is."""
        port, bit = mutation.port, mutation.bit
        bits = cell["connections"][port]
        match mutation.kind:
            case MutationKind.STUCK_AT_0:
                return {(port, bit): "0"}
            case MutationKind.STUCK_AT_1:
                return {(port, bit): "1"}
            case MutationKind.INVERTED:
                net = self._raw_net((mutation.cell, port, bit)) if drives else bits[bit]
                return {(port, bit): self._module.inverted(net)}
            case MutationKind.SWAPPED_BITS:
                return {(port, bit): bits[bit + 1], (port, bit + 1): bits[bit]}
            case MutationKind.SHORT_WORD:
                return {(port, bit): bits[bit - 1]}
            case MutationKind.SWAPPED_WORDS:
                others = enumerate(cell["connections"][mutation.other])
                changes = {(port, index): net for index, net in others}
                return changes | {(mutation.other, index): net for index, net in enumerate(bits)}
            case MutationKind.DROPPED_CARRY:
                high = enumerate(self._without_carry(cell, bit), bit)
                return {(port, index): net for index, net in high}
            case MutationKind.WRONG_OPERATOR:
                return {(port, index): net for index, net in enumerate(self._otherwise(cell))}

    def _without_carry(self, cell: Cell, bit: int) -> list[Net]:
        """The bits of the sum or difference from ``bit`` on, added for themselves."""
        both = signed(cell, "A") and signed(cell, "B")
        width = len(cell["connections"]["Y"])
        operands = {}
        for port in "AB":
            bits = cell["connections"][port]
            extension = bits[-1] if both else "0"
            operands[port] = [*bits, *[extension] * (width - len(bits))][bit:width]
        return self._module.add_cell(cell["type"], operands, self._module.fresh(width - bit))

    def _otherwise(self, cell: Cell) -> list[Net]:
        """The result of another operator of the same operands."""
        inputs = {port: list(bits) for port, bits in cell["connections"].items() if port != "Y"}
        flags = {f"{port}_SIGNED": int(signed(cell, port)) for port in inputs}
        output = self._module.fresh(len(cell["connections"]["Y"]))
        return self._module.add_cell(OTHER_OPERATOR[cell["type"]], inputs, output, **flags)
