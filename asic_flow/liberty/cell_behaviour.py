"""What cells do, as simulation needs it: their outputs and next states as truth tables."""

from collections.abc import Mapping
from dataclasses import dataclass

from multipede.asic_flow.liberty.boolean import truth_table
from multipede.asic_flow.liberty.library import BUSES, Cell, Library
from multipede.asic_flow.liberty.syntax import Group

__all__ = ["MOST_INPUTS", "CellBehaviour", "RegisterBehaviour", "cell_behaviour"]

MOST_INPUTS = 6
"""Variables of a truth table; a register's own state is one of them."""

_LEVELS = {"L": 0, "H": 1}
_REFUSED = ("latch", "statetable", "ff_bank", "latch_bank", *BUSES)


@dataclass(frozen=True)
class RegisterBehaviour:
    """The state of a flip-flop, which rising edges of ``clock`` change.

    Attributes
    ----------
    clock : the clock pin.
    state, inverse : what the library calls the state and its inverse.
    variables : pins that the tables are over, the state last.
    next_state, clear, preset : truth tables as of
        :func:`~multipede.asic_flow.liberty.boolean.truth_table`; ``clear`` and ``preset``
        act at once, and are 0 where there is none.
    cleared_and_preset : state and inverse while ``clear`` and ``preset`` are both true.
    """

    clock: str
    state: str
    inverse: str
    variables: tuple[str, ...]
    next_state: int
    clear: int
    preset: int
    cleared_and_preset: tuple[int, int]


@dataclass(frozen=True)
class CellBehaviour:
    """A cell without its delays.

    Attributes
    ----------
    variables : what the outputs are functions of: input pins, or a register's state and inverse.
    outputs : truth table of each output pin.
    functions : the same as the library writes them.
    register : None for combinational cells.
    """

    name: str
    variables: tuple[str, ...]
    outputs: Mapping[str, int]
    functions: Mapping[str, str]
    register: RegisterBehaviour | None


def cell_behaviour(library: Library, name: str) -> CellBehaviour:
    """The behaviour of one cell.

    Raises
    ------
    ValueError
        For a cell that the library does not have; for latches and clock gates, registers on the
        falling edge, three-state outputs and functions of more than six variables; for what cannot
        be read.
    """
    if name not in library.cells:
        raise ValueError(f"cell {name}: {library.source} has no such cell")
    try:
        return _behaviour(library.cells[name])
    except ValueError as error:
        raise ValueError(f"Liberty file {library.source}: cell {name}: {error}") from None


def _behaviour(cell: Cell) -> CellBehaviour:
    for kind in _REFUSED:
        if cell.group.of(kind):
            verb = "has" if kind in BUSES else "is"
            raise ValueError(f"it {verb} a {kind}: only flip-flops and gates are simulated")
    for pin in cell.group.of("pin"):
        if pin.text("three_state"):
            raise ValueError(f"pin {pin.arguments[0]}: three-state outputs are not simulated")
    registers = cell.group.of("ff")
    register = _register(cell, registers[0]) if registers else None
    if register is None:
        variables = tuple(cell.inputs)
    else:
        variables = register.state, register.inverse
    functions = {pin: cell.pins[pin].function for pin in cell.outputs}
    for pin, function in functions.items():
        if not function:
            raise ValueError(f"pin {pin} has no function")
    outputs = {pin: _table(function, variables) for pin, function in functions.items()}
    return CellBehaviour(cell.name, variables, outputs, functions, register)


def _register(cell: Cell, group: Group) -> RegisterBehaviour:
    if len(cell.group.of("ff")) > 1 or len(group.arguments) != 2:
        raise ValueError("a flip-flop with one state and its inverse is needed")
    clock, (state, inverse) = group.text("clocked_on").strip("() "), group.arguments
    if clock not in cell.pins:
        raise ValueError(f"clocked_on : {clock!r}: only registers on the rising edge are simulated")
    variables = (*(pin for pin in cell.inputs if pin != clock), state)
    tables = {
        name: _table(group.text(name), variables) if group.text(name) else 0
        for name in ("next_state", "clear", "preset")
    }
    return RegisterBehaviour(
        clock, state, inverse, variables, **tables, cleared_and_preset=_both(group, tables)
    )


def _both(group: Group, tables: Mapping[str, int]) -> tuple[int, int]:
    """State and inverse while both are true."""
    if not tables["clear"] & tables["preset"]:
        return 0, 1
    values = [group.text(f"clear_preset_var{place}") for place in (1, 2)]
    if not all(value in _LEVELS for value in values):
        raise ValueError(f"clear_preset_var1, 2 = {values}: L or H is needed to simulate it")
    return _LEVELS[values[0]], _LEVELS[values[1]]


def _table(function: str, variables: tuple[str, ...]) -> int:
    if len(variables) > MOST_INPUTS:
        raise ValueError(f"{function!r} has {len(variables)} variables: at most {MOST_INPUTS}")
    return truth_table(function, variables)
