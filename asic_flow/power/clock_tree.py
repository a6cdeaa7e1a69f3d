"""An estimate of the clock tree's power, which no netlist before layout holds.

Registers are dealt to buffers, so many to each; the buffers to further ones, until the clock's port
drives no more than that. All of the tree changes twice in every clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from multipede.asic_flow.liberty.cell_model import CellModel, Edge, cell_model
from multipede.asic_flow.liberty.library import Library
from multipede.asic_flow.timing.conditions import Conditions

__all__ = ["CLOCK_FANOUT", "ClockTree", "clock_tree"]

CLOCK_FANOUT = 16
"""Registers or buffers behind each buffer: an assumption, not a result of placement."""

_BUFFER = 0b10


@dataclass(frozen=True)
class ClockTree:
    """The tree of a netlist's clock.

    Attributes
    ----------
    registers, buffers : how many; ``buffer`` names the library's cell.
    fanout : the most that one drives.
    switching, internal : fJ per clock. leakage : nW.
    """

    registers: int
    buffers: int
    buffer: str
    fanout: int
    switching: float
    internal: float
    leakage: float

    @property
    def method(self) -> str:
        """In words."""
        tree = f"{self.buffers} {self.buffer}" if self.buffers else "no buffers"
        return f"estimate: {self.registers} registers, {tree}, at most {self.fanout} behind each"


def clock_tree(
    netlist: Mapping[str, Any],
    library: Library,
    conditions: Conditions,
    *,
    fanout: int = CLOCK_FANOUT,
) -> ClockTree:
    """The tree for all registers of a netlist, with the library's smallest buffer that may drive
    ``fanout`` registers and their wire.

    Wires are those of the wire-load model. ValueError for a fanout below 2, or if the library has
    no such buffer.
    """
    if not isinstance(fanout, int) or fanout < 2:
        raise ValueError(f"clock_fanout = {fanout}: 2 or more is needed")
    pins = list(_clock_pins(netlist, library))
    if len(pins) <= fanout:
        root = sum(pins) + _wire(conditions, len(pins))
        energy = root * library.voltage**2 if pins else 0.0
        return ClockTree(len(pins), 0, "", fanout, energy, 0.0, 0.0)
    buffer = _buffer(library, max(pins) * fanout + _wire(conditions, fanout))
    return _tree(pins, buffer, library, conditions, fanout)


def _tree(
    pins: list[float], buffer: CellModel, library: Library, conditions: Conditions, fanout: int
) -> ClockTree:
    ((entry, _), *_) = buffer.capacitances
    own = _mean(buffer, entry)
    registers, buffers, charge, internal = len(pins), 0, 0.0, 0.0
    while len(pins) > fanout:
        groups = np.array_split(pins, -(-len(pins) // fanout))
        for group in groups:
            load = float(sum(group)) + _wire(conditions, len(group))
            charge += load
            internal += sum(arc.energy.at(conditions.clock_slew, load) for arc in buffer.energies)
        buffers += len(groups)
        pins = [own] * len(groups)
    charge += sum(pins) + _wire(conditions, len(pins))
    return ClockTree(
        registers=registers,
        buffers=buffers,
        buffer=buffer.name,
        fanout=fanout,
        switching=charge * library.voltage**2,
        internal=internal,
        leakage=buffers * _leakage(buffer),
    )


def _clock_pins(netlist: Mapping[str, Any], library: Library) -> list[float]:
    """fF of each register's clock pin."""
    models: dict[str, CellModel] = {}
    found = []
    for instance in netlist["cells"].values():
        kind = instance["type"]
        if not library.cells[kind].sequential:
            continue
        model = models.setdefault(kind, cell_model(library, kind))
        found.append(_mean(model, model.clock))
    return found


def _mean(model: CellModel, pin: str) -> float:
    return sum(model.capacitances[pin, edge] for edge in Edge) / 2


def _wire(conditions: Conditions, loads: int) -> float:
    return float(conditions.wires.load(np.array([loads]))[0])


def _buffer(library: Library, load: float) -> CellModel:
    buffers = [
        cell
        for cell in library.cells.values()
        if not cell.dont_use
        and len(cell.inputs) == 1
        and list(cell.functions.values()) == [_BUFFER]
    ]
    for cell in sorted(buffers, key=lambda cell: (cell.area, cell.name)):
        model = cell_model(library, cell.name)
        if all(limit >= load for limit in model.limits.values()):
            return model
    raise ValueError(f"{library.source} has no buffer for {load:.4g} fF of the clock's tree")


def _leakage(model: CellModel) -> float:
    """nW: half of the time in each state."""
    by_state = [leak.power for leak in model.leakages if leak.when]
    whole = [leak.power for leak in model.leakages if not leak.when]
    return float(np.mean(by_state)) if by_state else sum(whole[-1:])
