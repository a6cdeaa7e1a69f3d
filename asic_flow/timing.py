"""Delay of a mapped netlist's gates between registers, by ABC.

ABC does not see through cells with two outputs. For timing only, each of them becomes one cell
per output, in a Liberty file derived for it: the same arcs to that output, and half the input
capacitance in each where both are used.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from multipede.asic_flow.liberty import Cell, Library, groups
from multipede.asic_flow.mapping import MappedNetlist
from multipede.toolchain import ToolError, find, run

__all__ = ["METHOD", "Timing", "time_netlist"]

METHOD = (
    "ABC stime on the gates between registers, no wires, no load on outputs, adder cells split"
    " by output with half the input capacitance each"
)

_SIZING = "upsize -D {period}; dnsize -D {period}; topo; "


@dataclass(frozen=True)
class Timing:
    """The longest path.

    ``delay`` in ps from register or input to register or output, without the registers' own
    delay and setup; ``path`` as ABC lists it; ``cells`` type -> number, after sizing if there
    was any.
    """

    delay: float
    path: str
    cells: Mapping[str, int]


def time_netlist(
    mapped: MappedNetlist, library: Library, *, period: float | None = None
) -> Timing:
    """The longest path of a netlist, after ABC has sized its gates for ``period`` (ps) if given.

    Sizing exchanges cells for others of the same function; it changes no connection.

    Raises
    ------
    ToolError
        If ABC is missing or cannot read the library.
    """
    sizing = "" if period is None else _SIZING.format(period=round(period))
    done = run(
        find("yosys-abc"),
        [
            "-c",
            f"read_lib -w cells.lib; read_blif netlist.blif; topo; {sizing}"
            "write_blif sized.blif; stime -p",
        ],
        **_files(mapped, library),
    )
    return done
