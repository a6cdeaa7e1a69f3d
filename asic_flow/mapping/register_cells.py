"""Flip-flops with a synchronous reset onto cells.

Yosys' ``dfflibmap`` knows none and makes them of other flip-flops and gates. So where a library has
them they are put in place before it, as Yosys' ``techmap`` does by a file of replacements.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations, product

from multipede.asic_flow.liberty.cell_behaviour import cell_behaviour
from multipede.asic_flow.liberty.library import Cell, Library

__all__ = ["SynchronousReset", "reset_replacements", "synchronous_resets"]

_EXPRESSION = re.compile(r"\bnext_state\s*:\s*\"[^\"]*[^\w\"]")
"""A next state that is more than one pin."""
_STATE = 0b1010
"""Truth table of an output that is the state, over state and inverse."""


@dataclass(frozen=True)
class SynchronousReset:
    """A flip-flop that takes ``value`` at the clock's edge while its reset is active.

    Attributes
    ----------
    cell : of the library. clock, data, reset, output : its pins; enable too, or empty.
    reset_level, enable_level : at which the pin is active.
    reset_first : whether the reset acts without the enable, too.
    """

    cell: Cell
    clock: str
    data: str
    reset: str
    enable: str
    output: str
    value: int
    reset_level: int
    enable_level: int
    reset_first: bool


def synchronous_resets(library: Library) -> list[SynchronousReset]:
    """The smallest of each kind that a library has: by value, and with or without an enable."""
    smallest: dict[tuple[int, bool], SynchronousReset] = {}
    for cell in sorted(library.cells.values(), key=lambda cell: (cell.area, cell.name)):
        # Cells without such an expression are not parsed, which takes longer.
        if cell.dont_use or not cell.sequential or not _EXPRESSION.search(cell.text):
            continue
        found = _synchronous_reset(library, cell)
        if found is not None:
            smallest.setdefault((found.value, bool(found.enable)), found)
    return list(smallest.values())


def reset_replacements(library: Library) -> str:
    """Verilog for ``techmap -map``: Yosys' flip-flops as these cells. Empty if there are none."""
    if "reset_replacements" not in library.known:
        library.known["reset_replacements"] = "\n".join(
            module for found in synchronous_resets(library) for module in _replacements(found)
        )
    return library.known["reset_replacements"]


def _synchronous_reset(library: Library, cell: Cell) -> SynchronousReset | None:
    try:
        behaviour = cell_behaviour(library, cell.name)
    except ValueError:  # a latch, or anything else that is never mapped to
        return None
    register = behaviour.register
    outputs = [pin for pin, table in behaviour.outputs.items() if table == _STATE]
    if register is None or register.clear or register.preset or not outputs:
        return None
    *pins, _ = register.variables
    if len(pins) not in (2, 3):
        return None
    of_enable = (0, 1) if len(pins) == 3 else (1,)
    kinds = product(permutations(pins), (0, 1), (0, 1), of_enable, of_enable)
    for roles, value, reset_level, enable_level, reset_first in kinds:
        data, reset, enable = (*roles, "")[:3]
        tried = SynchronousReset(
            *(cell, register.clock, data, reset, enable, outputs[0]),
            *(value, reset_level, enable_level, bool(reset_first)),
        )
        if _next_state(tried, register.variables) == register.next_state:
            return tried
    return None


def _next_state(kind: SynchronousReset, variables: tuple[str, ...]) -> int:
    """Its truth table over pins and state."""
    table = 0
    for place, levels in enumerate(product((0, 1), repeat=len(variables))):
        at = dict(zip(variables, reversed(levels), strict=True))
        enabled = not kind.enable or at[kind.enable] == kind.enable_level
        reset = at[kind.reset] == kind.reset_level and (enabled or kind.reset_first)
        state = kind.value if reset else at[kind.data] if enabled else at[variables[-1]]
        table |= state << place
    return table


def _replacements(kind: SynchronousReset) -> Iterator[str]:
    """A module for each of Yosys' cells that it can be."""
    for reset_level, enable_level in product((0, 1), repeat=2):
        reset = "R" if reset_level else "~R"
        enable = "E" if enable_level else "~E"
        suffix = f"P{'NP'[reset_level]}{kind.value}"
        if kind.enable:
            enabled = f"{suffix}{'NP'[enable_level]}"
            # Either order of reset and enable can be made of the other.
            both = f"({reset}) & ({enable})", f"({reset}) | ({enable})"
            first = (reset, enable) if kind.reset_first else (reset, both[1])
            second = (both[0], enable) if kind.reset_first else (reset, enable)
            yield _module(kind, f"SDFFE_{enabled}", "C, R, E, D", *first)
            yield _module(kind, f"SDFFCE_{enabled}", "C, R, E, D", *second)
        elif enable_level:
            yield _module(kind, f"SDFF_{suffix}", "C, R, D", reset, "")


def _module(kind: SynchronousReset, name: str, inputs: str, reset: str, enable: str) -> str:
    pins = {kind.clock: "C", kind.data: "D", kind.output: "Q"}
    pins[kind.reset] = reset if kind.reset_level else f"~({reset})"
    if kind.enable:
        pins[kind.enable] = enable if kind.enable_level else f"~({enable})"
    connections = ", ".join(f".{pin}({net})" for pin, net in pins.items())
    return (
        f"module \\$_{name}_ (input {inputs}, output Q);\n"
        f"  \\{kind.cell.name} _TECHMAP_REPLACE_ ({connections});\n"
        "endmodule"
    )
