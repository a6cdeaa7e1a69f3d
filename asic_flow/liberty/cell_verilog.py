"""Verilog models of a library's cells, without delays, to simulate mapped netlists with."""

from collections.abc import Iterable, Sequence

from multipede.asic_flow.liberty.cell_behaviour import (
    CellBehaviour,
    RegisterBehaviour,
    cell_behaviour,
)
from multipede.asic_flow.liberty.library import Library
from multipede.asic_flow.liberty.prime_implicants import prime_implicants

__all__ = ["expression", "verilog_models"]


def verilog_models(library: Library, cells: Iterable[str], *, synthesisable: bool = False) -> str:
    """A module for each of the named cells, in the order of their names.

    With ``synthesisable`` registers have one always block, as Yosys wants it; those with a clear
    and a preset are then right as long as not both act.

    Unknown inputs make only such outputs unknown as depend on them. Registers have no start value.
    Raises ValueError for a cell that cannot be simulated, as
    :func:`~multipede.asic_flow.liberty.cell_behaviour.cell_behaviour` does.
    """
    return "\n".join(_module(library, name, synthesisable) for name in sorted(set(cells)))


def expression(table: int, variables: Sequence[str]) -> str:
    """A truth table as Verilog: the sum of all its prime implicants."""
    terms = []
    for cares, values in prime_implicants(table, len(variables)):
        literals = [
            name if values >> place & 1 else f"~{name}"
            for place, name in enumerate(variables)
            if cares >> place & 1
        ]
        terms.append(" & ".join(literals) or "1'b1")
    return " | ".join(f"({term})" if " " in term else term for term in terms) or "1'b0"


def _module(library: Library, name: str, synthesisable: bool) -> str:
    cell, behaviour = library.cells[name], cell_behaviour(library, name)
    ports = [*cell.inputs, *behaviour.outputs]
    lines = [f"module {name} ({', '.join(ports)});"]
    lines += [f"  input {pin};" for pin in cell.inputs]
    lines += [f"  output {pin};" for pin in behaviour.outputs]
    if behaviour.register is not None:
        lines += _state(behaviour.register, synthesisable)
    lines += [f"  assign {pin} = {text};" for pin, text in _outputs(behaviour)]
    return "\n".join([*lines, "endmodule", ""])


def _outputs(behaviour: CellBehaviour) -> list[tuple[str, str]]:
    return [
        (pin, expression(table, behaviour.variables)) for pin, table in behaviour.outputs.items()
    ]


def _state(register: RegisterBehaviour, synthesisable: bool) -> list[str]:
    """The state and its inverse. Where both can be forced the inverse has a value of its own, and
    whichever is taken back last leaves its value behind, which takes a second always block."""
    q, n = register.state, register.inverse
    following = expression(register.next_state, register.variables)
    lines = [f"  wire following = {following};"]
    forced = {name: getattr(register, name) for name in ("clear", "preset")}
    forced = {name: table for name, table in forced.items() if table}
    for name, table in forced.items():
        lines.append(f"  wire {name} = {expression(table, register.variables)};")
    if len(forced) < 2 or synthesisable:
        lines = [f"  reg {q};", f"  wire {n} = ~{q};", *lines]
    if not forced:
        return [*lines, f"  always @(posedge {register.clock}) {q} <= following;"]
    if len(forced) == 1:
        name, value = next(iter(forced)), int("preset" in forced)
        edges = f"posedge {register.clock} or posedge {name}"
        choice = f"if ({name}) {q} <= 1'b{value}; else {q} <= following;"
        return [*lines, f"  always @({edges}) {choice}"]
    if synthesisable:
        edges = f"posedge {register.clock} or posedge clear or posedge preset"
        choice = f"if (clear) {q} <= 1'b0; else if (preset) {q} <= 1'b1; else {q} <= following;"
        return [*lines, f"  always @({edges}) {choice}"]
    take = f"begin {q} <= following; {n} <= ~following; end"
    both = "begin {q} <= 1'b{0}; {n} <= 1'b{1}; end".format(*register.cleared_and_preset, q=q, n=n)
    return [
        f"  reg {q}, {n};",
        *lines,
        f"  always @(posedge {register.clock}) if (!(clear | preset)) {take}",
        f"  always @(clear or preset) if (clear & preset) {both}",
        f"    else if (clear | preset) begin {q} <= preset; {n} <= clear; end",
    ]
