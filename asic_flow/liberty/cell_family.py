"""Cells that may stand for each other: the same function and pins in several drive strengths."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock

import numpy as np

from multipede.asic_flow.liberty.boolean import truth_table
from multipede.asic_flow.liberty.cell_model import CellModel, Edge, cell_model
from multipede.asic_flow.liberty.library import STATEFUL, Cell, Library
from multipede.asic_flow.liberty.lookup_table import LookupTable

__all__ = ["CellFamily", "Families"]

_EDGES = tuple(Edge)


@dataclass(frozen=True, order=True)
class _ArcEnds:
    """Input pin (-1 for a register's clock) and output pin by number, edges by place."""

    input: int
    input_edge: int
    output: int
    output_edge: int


@dataclass(frozen=True)
class CellFamily:
    """Cells of one function with the same pins and arcs, the smallest first.

    Attributes
    ----------
    cells : their names, V of them.
    pins, outputs : names of the P pins, and those that are outputs.
    clock : name of the clock pin, or empty.
    areas : (V,), in the library's unit.
    capacitances : fF (V, P, 2) of input pins for rising and falling edges.
    limits : fF (V, P) that output pins may drive at most, infinite where the library tells none.
    arcs : (A, 4) input pin (-1: the clock), its edge (0 rises, 1 falls), output pin, its edge.
    delays, slews : tables of each cell's arcs, V lists of A.
    setup_pins : (S, 2) pin and edge. setups : V lists of S tables.
    """

    cells: tuple[str, ...]
    pins: tuple[str, ...]
    outputs: frozenset[str]
    clock: str
    areas: np.ndarray
    capacitances: np.ndarray
    limits: np.ndarray
    arcs: np.ndarray
    delays: tuple[tuple[LookupTable, ...], ...]
    slews: tuple[tuple[LookupTable, ...], ...]
    setup_pins: np.ndarray
    setups: tuple[tuple[LookupTable, ...], ...]


@dataclass(frozen=True)
class _Known:
    of_cell: dict[str, CellFamily] = field(default_factory=dict)
    of_cells: dict[tuple[str, ...], CellFamily] = field(default_factory=dict)
    making: Lock = field(default_factory=Lock)


class Families:
    """The families of a library's cells, read when they are asked for, and once.

    Parameters
    ----------
    library : with delays.
    sizes : whether a cell's family holds all cells that may stand for it, or it alone.
    """

    def __init__(self, library: Library, *, sizes: bool):
        self._library = library
        self._sizes = sizes
        self._known: _Known = library.known.setdefault(("families", sizes), _Known())

    def of(self, name: str) -> CellFamily:
        """The family of a cell.

        Raises ValueError for a cell that the library lacks or that cannot be timed. Others of the
        family that cannot be timed are left out.
        """
        known = self._known
        with known.making:  # two of the same cells would have two places in a graph
            if name not in known.of_cell:
                names = self._names(name)
                if names not in known.of_cells:
                    known.of_cells[names] = _family(self._library, names)
                known.of_cell[name] = known.of_cells[names]
            return known.of_cell[name]

    def _names(self, name: str) -> tuple[str, ...]:
        """Of its family. A cell that a better one makes needless has one of its own, with that
        one."""
        shape = _shape(self._library, name)
        if not self._sizes:
            return (name,)
        wanted = _signature(self._library.cells[name])
        others = [
            other.name
            for other in self._library.cells.values()
            if other.name != name and not other.dont_use and self._stands_for(other, wanted, shape)
        ]
        return tuple(self._useful([name, *others], name))

    def _stands_for(self, cell: Cell, signature: tuple, shape: tuple) -> bool:
        """Whether it may. Cells that cannot be read or timed may not."""
        try:
            return _signature(cell) == signature and _shape(self._library, cell.name) == shape
        except ValueError:
            return False

    def _useful(self, names: list[str], kept: str) -> list[str]:
        """By area; larger ones only if they drive more than all smaller ones."""
        found: list[str] = []
        strongest = np.inf
        for name in sorted(names, key=lambda n: (self._library.cells[n].area, n != kept, n)):
            resistance = _resistance(_checked(self._library, name))
            if resistance < 0.99 * strongest or name == kept:
                found.append(name)
                strongest = min(strongest, resistance)
        return found


def _checked(library: Library, name: str) -> CellModel:
    if name not in library.cells:
        raise ValueError(f"cell {name}: {library.source} has no such cell")
    model, cell = cell_model(library, name), library.cells[name]
    if cell.inputs and not {arc.output for arc in model.arcs}.issuperset(cell.outputs):
        raise ValueError(f"cell {name}: {library.source} has no delays for it")
    foreign = {a.input for a in model.arcs if not a.clocked}.difference(cell.inputs)
    if foreign:
        raise ValueError(f"cell {name}: {library.source} has delays from {min(foreign)}, no input")
    if any(arc.clocked and arc.input_edge is Edge.FALL for arc in model.arcs):
        raise ValueError(f"cell {name}: registers on the falling edge are not timed")
    return model


def _signature(cell: Cell) -> tuple:
    """Equal for cells that may stand for each other."""
    inputs = sorted(cell.inputs)
    pins = *inputs, "", *sorted(cell.outputs)
    if cell.sequential:
        states = [
            (kind, group.arguments, tuple(sorted(map(str, group.attributes.items()))))
            for kind in STATEFUL
            for group in cell.group.of(kind)
        ]
        functions = sorted((p.name, p.function) for p in cell.pins.values() if p.output)
        return pins, tuple(states), tuple(functions)
    if len(inputs) > 6:
        return (cell.name,)
    try:
        functions = [(o, truth_table(cell.pins[o].function, inputs)) for o in cell.outputs]
    except ValueError:
        return (cell.name,)
    return pins, tuple(sorted(functions))


def _pins(cell: Cell) -> tuple[str, ...]:
    """Without the internal ones."""
    return tuple(sorted([*cell.inputs, *cell.outputs]))


def _shape(library: Library, name: str) -> tuple[list[_ArcEnds], list[tuple[int, int]]]:
    """Where the arcs and the setup times are; the same in all of a family."""
    model, cell = _checked(library, name), library.cells[name]
    setups = sorted(where for where, _ in _setups(_pins(cell), model))
    return [ends for ends, _ in _sorted_arcs(cell, model)], setups


def _sorted_arcs(cell: Cell, model: CellModel) -> list[tuple[_ArcEnds, int]]:
    """Ends and number in the model of each arc, in an order that all of a family share."""
    place = {pin: number for number, pin in enumerate(_pins(cell))}
    found = [
        (
            _ArcEnds(
                -1 if arc.clocked else place[arc.input],
                _EDGES.index(arc.input_edge),
                place[arc.output],
                _EDGES.index(arc.output_edge),
            ),
            number,
        )
        for number, arc in enumerate(model.arcs)
    ]
    return sorted(found)


def _resistance(model: CellModel) -> float:
    """ps for each fF more, at the end of the tables, of the worst arc."""
    slopes = []
    for arc in model.arcs:
        columns, values = arc.delay.columns, arc.delay.values
        if len(columns) > 1:
            middle = values[len(values) // 2]
            slopes.append((middle[-1] - middle[0]) / (columns[-1] - columns[0]))
    return max(slopes, default=0.0)


def _family(library: Library, names: tuple[str, ...]) -> CellFamily:
    models = [_checked(library, name) for name in names]
    cells = [library.cells[name] for name in names]
    pins = _pins(cells[0])
    orders = [[n for _, n in _sorted_arcs(*one)] for one in zip(cells, models, strict=True)]
    ends, _ = _shape(library, names[0])
    setups = [sorted(_setups(pins, model), key=lambda one: one[0]) for model in models]
    return CellFamily(
        cells=names,
        pins=pins,
        outputs=frozenset(cells[0].outputs),
        clock=models[0].clock,
        areas=np.array([float(cell.area) for cell in cells]),
        capacitances=np.array([_capacitances(pins, model) for model in models]),
        limits=np.array([[model.limits.get(pin, np.inf) for pin in pins] for model in models]),
        arcs=np.array(
            [(e.input, e.input_edge, e.output, e.output_edge) for e in ends], int
        ).reshape(-1, 4),
        delays=tuple(
            tuple(m.arcs[n].delay for n in order) for m, order in zip(models, orders, strict=True)
        ),
        slews=tuple(
            tuple(m.arcs[n].slew for n in order) for m, order in zip(models, orders, strict=True)
        ),
        setup_pins=np.array([where for where, _ in setups[0]], int).reshape(-1, 2),
        setups=tuple(tuple(table for _, table in one) for one in setups),
    )


def _capacitances(pins: tuple[str, ...], model: CellModel) -> list[list[float]]:
    caps: Mapping[tuple[str, Edge], float] = model.capacitances
    return [[caps.get((pin, edge), 0.0) for edge in _EDGES] for pin in pins]


def _setups(
    pins: tuple[str, ...], model: CellModel
) -> Iterator[tuple[tuple[int, int], LookupTable]]:
    """Of a register; no time at all for inputs of which the library tells none, where paths end
    all the same."""
    for setup in model.setups:
        yield (pins.index(setup.pin), _EDGES.index(setup.pin_edge)), setup.time
    if not model.clock:
        return
    told = {(setup.pin, setup.pin_edge) for setup in model.setups}
    for pin, edge in model.capacitances:
        if pin != model.clock and (pin, edge) not in told:
            yield (pins.index(pin), _EDGES.index(edge)), LookupTable.constant(0.0)
