"""Proof that a mapped netlist does what the RTL does, for every input in every state.

Both are taken apart at their registers, which synthesis keeps: what each register takes in and what
the outputs are is then a function of inputs and registers, and ABC compares these functions.
"""

import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from multipede.asic_flow.liberty.cell_verilog import verilog_models
from multipede.asic_flow.liberty.library import Library
from multipede.asic_flow.netlist.machine import Machine, Net, clock_of
from multipede.asic_flow.synthesis import Synthesis
from multipede.hw.arithmetic.adders import adders_verilog
from multipede.sim.solver import Answer
from multipede.toolchain import ToolTimeout, cache, find, run
from multipede.toolchain.yosys import run_yosys

__all__ = ["prove_netlist"]

# Down to single gates and plain flip-flops.
_GATES = (
    "flatten; proc; memory_map; opt_expr; opt_clean; techmap; simplemap;"
    " opt_dff -nodffe -nosdff; dffunmap; simplemap; opt_expr; opt_clean"
)
_EQUIVALENT = re.compile(r"Networks are equivalent", re.IGNORECASE)
_DIFFERENT = re.compile(r"Networks are NOT EQUIVALENT|different", re.IGNORECASE)


def prove_netlist(
    rtlil: str, found: Synthesis, library: Library, *, budget: float = 60.0
) -> Answer:
    """Whether a netlist is equal to the RTLIL that it was made of.

    Parameters
    ----------
    rtlil : the unit. found : its synthesis. library : whose cells it is made of.
    budget : s for the proof; Answer.UNKNOWN if it does not come to its end.

    Raises
    ------
    ValueError
        For a netlist whose registers are not those of the RTLIL, or are not all on rising edges of
        its clock, or in which something has no driver.
    ToolError
        If Yosys or ABC is missing or fails.
    """
    if not budget > 0:
        raise ValueError(f"budget = {budget}: more than 0 s is needed")
    top = found.top
    rtl = _gates(
        f"read_rtlil unit.il; read_verilog adders.v; hierarchy -check -top {top}",
        {"unit.il": rtlil, "adders.v": adders_verilog()},
        top,
        "opt_merge; opt_clean",  # registers that are alike are one, as synthesis makes them
    )
    cells = _gates(
        f"read_verilog cells.v unit.v; hierarchy -check -top {top}",
        {
            "cells.v": verilog_models(library, found.cells, synthesisable=True),
            "unit.v": found.verilog,
        },
        top,
    )
    clocks = {clock for module in (rtl, cells) if (clock := clock_of(module))}
    if len(clocks) > 1:
        raise ValueError(f"the netlist is clocked by another port than the RTL: {sorted(clocks)}")
    clock = "".join(clocks)
    ours, theirs = Machine(rtl, clock), Machine(cells, clock)
    theirs.require_driven()
    pairs = _paired(ours, theirs)
    constants = _constants(ours, set(pairs.values()))
    answer = _compared(_opened(ours, theirs, pairs, constants), budget)
    if answer is Answer.REFUTED and constants:
        name = ours.names[next(iter(constants))][0]
        raise ValueError(f"register {name} of the RTL has no like in the netlist, or it is wrong")
    return answer


def _gates(script: str, files: Mapping[str, str], top: str, more: str = "") -> dict[str, Any]:
    result = run_yosys(
        f"{script}; {_GATES}; {more}; select {top}; write_json -selected gates.json",
        files=files,
        outputs=["gates.json"],
    )
    return json.loads(result.outputs["gates.json"])["modules"][top]


def _paired(rtl: Machine, netlist: Machine) -> dict[Net, Net]:
    """State of the RTL by state of the netlist, of those that have a name in common."""
    named = {name: state for state, names in rtl.names.items() for name in names}
    pairs = {}
    for state in netlist.following:
        names = netlist.names.get(state, [])
        alike = {named[name] for name in names if name in named}
        if len(alike) > 1:
            raise ValueError(f"register {names[0]} of the netlist stands for several of the RTL")
        if not alike:
            name = names[0] if names else state
            raise ValueError(f"register {name} of the netlist has no like in the RTL")
        pairs[state] = alike.pop()
    return pairs


def _constants(rtl: Machine, matched: set[Net]) -> dict[Net, str]:
    """What the RTL's registers begin with that the netlist has not, but on which something depends.

    Synthesis leaves out registers that never change. That these do not is among what is compared:
    by induction, if all are what they begin with, all stay so.
    """
    found: dict[Net, str] = {}
    left = [*rtl.bits("output"), *(rtl.following[state] for state in matched)]
    while new := rtl.states_behind(left) - matched - set(found):
        for state in sorted(new, key=str):
            if state not in rtl.starts:
                name = rtl.names.get(state, [state])[0]
                raise ValueError(f"register {name} of the RTL has no like in the netlist")
            found[state] = rtl.starts[state]
        left = [rtl.following[state] for state in new]
    return found


def _opened(
    rtl: Machine, netlist: Machine, pairs: Mapping[Net, Net], constants: Mapping[Net, str]
) -> dict[str, dict[str, Any]]:
    """Both without registers: states are inputs, the next ones outputs."""
    # Several registers of the netlist may be one of the RTL: all are its first one then.
    first: dict[Net, Net] = {}
    for theirs, ours in pairs.items():
        first.setdefault(ours, theirs)
    states = {f"state{n}": pair for n, pair in enumerate(first.items())}
    nexts = {f"next{n}": pair for n, pair in enumerate(pairs.items())}
    kept = {f"constant{n}": pair for n, pair in enumerate(constants.items())}
    return {
        "rtl": rtl.opened(
            {name: ours for name, (ours, _) in states.items()},
            {name: rtl.following[ours] for name, (_, ours) in nexts.items()}
            | {name: rtl.following[state] for name, (state, _) in kept.items()},
            constants,
        ),
        "netlist": netlist.opened(
            {name: theirs for name, (_, theirs) in states.items()},
            {name: netlist.following[theirs] for name, (theirs, _) in nexts.items()}
            | {name: start for name, (_, start) in kept.items()},
            {theirs: first[ours] for theirs, ours in pairs.items()},
        ),
    }


def _compared(opened: Mapping[str, dict[str, Any]], budget: float) -> Answer:
    script = "\n".join(
        f"design -reset; read_json {name}.json; hierarchy -top top; opt_clean; aigmap; opt_clean\n"
        f"write_blif {name}.blif"
        for name in opened
    )
    files = {f"{n}.json": json.dumps({"modules": {"top": module}}) for n, module in opened.items()}
    names = [f"{name}.blif" for name in opened]
    texts = run_yosys(script, files=files, outputs=names).outputs
    with tempfile.TemporaryDirectory(dir=cache.subdirectory("work"), prefix="abc-") as place:
        directory = Path(place)
        for name, text in texts.items():
            (directory / name).write_text(text)
        try:
            commands = ["-c", f"cec {' '.join(names)}"]
            done = run(find("yosys-abc"), commands, directory=directory, timeout=budget)
        except ToolTimeout:
            return Answer.UNKNOWN
    if _EQUIVALENT.search(done.stdout):
        return Answer.PROVED
    return Answer.REFUTED if _DIFFERENT.search(done.stdout) else Answer.UNKNOWN
