"""What a Liberty file says of a cell's delays, energies and leakage, in ps, fF, fJ and nW."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

import numpy as np

from multipede.asic_flow.liberty.boolean import truth_table
from multipede.asic_flow.liberty.library import BUSES, Cell, Library
from multipede.asic_flow.liberty.lookup_table import LookupTable
from multipede.asic_flow.liberty.syntax import Group

__all__ = ["CellModel", "Constraint", "DelayArc", "Edge", "EnergyArc", "Leakage", "cell_model"]

_SLEW = ("input_net_transition", "input_transition_time", "related_pin_transition")
_OTHER = ("total_output_net_capacitance", "constrained_pin_transition")
_CONSTANT = "scalar"
"""Liberty's name of a template without variables."""


class Edge(Enum):
    """Of a signal."""

    RISE = "rise"
    FALL = "fall"

    def __repr__(self) -> str:
        return f"Edge.{self.name}"

    @property
    def other(self) -> "Edge":
        """The opposite one."""
        return Edge.FALL if self is Edge.RISE else Edge.RISE


_CLOCK_EDGES = {"rising_edge": Edge.RISE, "falling_edge": Edge.FALL}


@dataclass(frozen=True)
class DelayArc:
    """From an edge of an input pin to one of an output pin.

    ``delay`` and ``slew``, ps, over the input's slew (rows) and the load (columns). ``clocked``
    tells a register's clock from a combinational input.
    """

    input: str
    input_edge: Edge
    output: str
    output_edge: Edge
    delay: LookupTable
    slew: LookupTable
    clocked: bool = False


@dataclass(frozen=True)
class Constraint:
    """A setup time, ps, of a data pin's edge, over the clock's slew (rows) and the pin's own."""

    pin: str
    pin_edge: Edge
    time: LookupTable


@dataclass(frozen=True)
class EnergyArc:
    """Energy, fJ, that the cell takes inside when a pin changes.

    An input pin's own (``related`` empty) over its slew; an output pin's over the slew of the
    ``related`` input (rows) and the load (columns). ``when`` is a Boolean function of pins, or
    empty for always.
    """

    pin: str
    pin_edge: Edge
    related: str
    when: str
    energy: LookupTable


@dataclass(frozen=True)
class Leakage:
    """nW while ``when`` is true; of all states if that is empty."""

    when: str
    power: float


@dataclass(frozen=True)
class CellModel:
    """All of a cell that timing and power need.

    ``capacitances`` fF of each input pin for each edge; ``limits`` the largest load, fF, of output
    pins that have one. ``clock`` is a register's clock pin, empty for other cells.
    """

    name: str
    clock: str
    capacitances: Mapping[tuple[str, Edge], float]
    limits: Mapping[str, float]
    arcs: tuple[DelayArc, ...]
    setups: tuple[Constraint, ...]
    energies: tuple[EnergyArc, ...]
    leakages: tuple[Leakage, ...]


def cell_model(library: Library, name: str) -> CellModel:
    """The model of one cell. ValueError, naming the cell, for what cannot be read."""
    place = "cell_model", name
    if place not in library.known:
        try:
            library.known[place] = _Reader(library, library.cells[name]).model()
        except ValueError as error:
            raise ValueError(f"Liberty file {library.source}: cell {name}: {error}") from None
    return library.known[place]


class _Reader:
    def __init__(self, library: Library, cell: Cell):
        self._library = library
        self._cell = cell
        self._group = cell.group
        self._units = library.units
        self._templates = library.templates

    def model(self) -> CellModel:
        for kind in BUSES:
            if self._group.of(kind):
                raise ValueError(f"it has a {kind}: cells of single pins alone are read")
        outside = {*self._cell.inputs, *self._cell.outputs}
        pins = {
            name: pin for pin in self._group.of("pin") for name in pin.arguments if name in outside
        }
        return CellModel(
            name=self._cell.name,
            clock=self._clock(),
            capacitances=dict(self._capacitances(pins)),
            limits=dict(self._limits(pins)),
            arcs=tuple(arc for name, pin in pins.items() for arc in self._arcs(name, pin)),
            setups=tuple(c for name, pin in pins.items() for c in self._setups(name, pin)),
            energies=tuple(e for name, pin in pins.items() for e in self._energies(name, pin)),
            leakages=tuple(self._leakages()) or tuple(self._default_leakage()),
        )

    def _clock(self) -> str:
        for kind in ("ff", "ff_bank"):
            for group in self._group.of(kind):
                return group.text("clocked_on").strip("!()' ")
        return ""

    def _capacitances(self, pins: Mapping[str, Group]) -> Iterator[tuple[tuple[str, Edge], float]]:
        for name, pin in pins.items():
            if self._cell.pins[name].output:
                continue
            usual = pin.number("capacitance", self._library.default_capacitance)
            for edge in Edge:
                found = pin.number(f"{edge.value}_capacitance", usual)
                yield (name, edge), found * self._units.load

    def _limits(self, pins: Mapping[str, Group]) -> Iterator[tuple[str, float]]:
        usual = self._library.header.number("default_max_capacitance")
        for name, pin in pins.items():
            default = usual if self._cell.pins[name].output else None
            limit = pin.number("max_capacitance", default)
            if limit is not None:
                yield name, limit * self._units.load

    def _arcs(self, output: str, pin: Group) -> Iterator[DelayArc]:
        for timing in pin.of("timing"):
            kind = timing.text("timing_type", "combinational")
            clocked = kind in _CLOCK_EDGES
            if not clocked and not kind.startswith("combinational"):
                continue  # constraints, asynchronous inputs, three-state outputs
            for related in timing.text("related_pin").split():
                for edge in Edge:
                    if kind == f"combinational_{edge.other.value}":
                        continue
                    delay = self._table(timing, f"cell_{edge.value}", self._units.time)
                    slew = self._table(timing, f"{edge.value}_transition", self._units.time)
                    if delay is None or slew is None:
                        continue
                    for source in self._sources(timing, kind, related, output, edge):
                        yield DelayArc(related, source, output, edge, delay, slew, clocked)

    def _sources(
        self, timing: Group, kind: str, related: str, output: str, edge: Edge
    ) -> tuple[Edge, ...]:
        """Edges of the input that may cause the output's edge."""
        if kind in _CLOCK_EDGES:
            return (_CLOCK_EDGES[kind],)
        sense = timing.text("timing_sense") or self._sense(related, output)
        return {"positive_unate": (edge,), "negative_unate": (edge.other,)}.get(sense, tuple(Edge))

    def _sense(self, related: str, output: str) -> str:
        """What the output's function tells where the arc does not."""
        inputs = [related, *(pin for pin in self._cell.inputs if pin != related)]
        try:
            table = truth_table(self._cell.pins[output].function, inputs)
        except ValueError:
            return "non_unate"
        pairs = [(table >> i & 1, table >> (i + 1) & 1) for i in range(0, 1 << len(inputs), 2)]
        if all(low <= high for low, high in pairs):
            return "positive_unate"
        return "negative_unate" if all(low >= high for low, high in pairs) else "non_unate"

    def _setups(self, name: str, pin: Group) -> Iterator[Constraint]:
        for timing in pin.of("timing"):
            if not timing.text("timing_type").startswith("setup_"):
                continue
            for edge in Edge:
                table = self._table(
                    timing, f"{edge.value}_constraint", self._units.time, self._units.time
                )
                if table is not None:
                    yield Constraint(name, edge, table)

    def _energies(self, name: str, pin: Group) -> Iterator[EnergyArc]:
        for group in pin.of("internal_power"):
            for edge in Edge:
                table = self._table(group, f"{edge.value}_power", self._units.energy)
                if table is None:
                    table = self._table(group, "power", self._units.energy)
                if table is None:
                    continue
                for related in group.text("related_pin").split() or [""]:
                    yield EnergyArc(name, edge, related, group.text("when"), table)

    def _leakages(self) -> Iterator[Leakage]:
        # Those of other power pins than the main one are seldom there, and counted alike.
        for group in self._group.of("leakage_power"):
            value = group.number("value")
            if value is not None:
                yield Leakage(group.text("when"), value * self._units.leakage)
        whole = self._group.number("cell_leakage_power")
        if whole is not None:
            yield Leakage("", whole * self._units.leakage)

    def _default_leakage(self) -> Iterator[Leakage]:
        """Of a cell of which the file tells none."""
        usual = self._library.header.number("default_cell_leakage_power")
        if usual is not None:
            yield Leakage("", usual * self._units.leakage)

    def _table(
        self, group: Group, kind: str, values: float, columns: float | None = None
    ) -> LookupTable | None:
        """A table with the input's slew in rows and, if there are two variables, the other in
        columns; ``values`` and ``columns`` are the units of these."""
        found = group.of(kind)
        if not found:
            return None
        table = found[0]
        numbers = np.array(table.numbers("values"))
        if not numbers.size:
            raise ValueError(f"{kind}: it has no values")
        axes = self._axes(table)
        if len(axes) > 2:
            raise ValueError(f"{kind}: tables of three variables are not read")
        shape = [len(axis) for _, axis in axes]
        if numbers.size != int(np.prod(shape)):
            places = f"{shape} places" if axes else "a constant"
            raise ValueError(f"{kind}: it has {numbers.size} values for {places}")
        if not axes:
            return LookupTable.constant(float(numbers[0]) * values)
        numbers = numbers.reshape(shape)
        slew = next((i for i, (name, _) in enumerate(axes) if name in _SLEW), None)
        other = next((i for i, (name, _) in enumerate(axes) if name in _OTHER), None)
        if len(axes) != (slew is not None) + (other is not None):
            raise ValueError(f"{kind}: variables {[name for name, _ in axes]} are not known")
        if slew == 1:
            numbers = numbers.T
        rows = np.zeros(1) if slew is None else axes[slew][1] * self._units.time
        unit = self._units.load if columns is None else columns
        across = np.zeros(1) if other is None else axes[other][1] * unit
        return LookupTable(rows, across, numbers.reshape(len(rows), len(across)) * values)

    def _axes(self, table: Group) -> list[tuple[str, np.ndarray]]:
        """The variables of a table's template and their values; none of a constant."""
        name = table.arguments[0] if table.arguments else _CONSTANT
        template = self._templates.get(name)
        if template is None:
            if name != _CONSTANT:
                raise ValueError(f"{table.kind}: the library has no template {name!r}")
            return []
        found = []
        for place in (1, 2, 3):
            variable, index = template.text(f"variable_{place}"), f"index_{place}"
            if variable:
                axis = table.numbers(index) or template.numbers(index)
                found.append((variable, np.array(axis)))
        return found
