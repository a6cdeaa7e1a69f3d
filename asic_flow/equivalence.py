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

from multipede.asic_flow.liberty.library import Library
from multipede.asic_flow.synthesis import Synthesis
from multipede.hw.arithmetic.adders import adders_verilog
from multipede.sim.solver import Answer
from multipede.toolchain import ToolTimeout, cache, find, run
from multipede.toolchain.yosys import run_yosys

__all__ = ["prove_netlist"]

_Register = tuple[int, int | str]
"""The nets that it puts out and takes in."""

# Down to single gates and plain flip-flops, nothing merged that only one of the two would merge.
_GATES = (
    "flatten; proc; memory_map; opt_expr; opt_clean; techmap; simplemap; dffunmap; simplemap;"
    " opt_expr; opt_clean"
)
_FLIP_FLOP = "$_DFF_P_"
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
        For a netlist whose registers are not those of the RTLIL, or are not on rising edges.
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
    )
    cells = _gates(
        "read_liberty -ignore_miss_func cells.lib; read_verilog unit.v;"
        f" hierarchy -check -top {top}",
        {"cells.lib": library.text, "unit.v": found.verilog},
        top,
    )
    pairs = _paired(rtl, cells)
    opened = {
        "rtl": _opened(rtl, [a for a, _ in pairs]),
        "cells": _opened(cells, [b for _, b in pairs]),
    }
    return _compared(opened, budget)


def _gates(script: str, files: Mapping[str, str], top: str) -> dict[str, Any]:
    result = run_yosys(
        f"{script}; {_GATES}; select {top}; write_json -selected gates.json",
        files=files,
        outputs=["gates.json"],
    )
    return json.loads(result.outputs["gates.json"])["modules"][top]


def _registers(module: Mapping[str, Any]) -> dict[str, _Register]:
    """Each register by all names of the net that it puts out."""
    names: dict[int | str, list[str]] = {}
    for name, net in module["netnames"].items():
        for place, bit in enumerate(net["bits"]):
            # Bits of words are wires of such names in the netlist's Verilog.
            full = f"{name}[{place}]" if len(net["bits"]) > 1 else name
            names.setdefault(bit, []).append(full)
    found = {}
    for cell in module["cells"].values():
        if cell["type"] == _FLIP_FLOP:
            output = cell["connections"]["Q"][0]
            register = output, cell["connections"]["D"][0]
            found |= dict.fromkeys(names.get(output, []), register)
        elif "DFF" in cell["type"] or "LATCH" in cell["type"]:
            raise ValueError(f"a register of type {cell['type']} cannot be compared")
    return found


def _paired(rtl: Mapping[str, Any], cells: Mapping[str, Any]) -> list[tuple[_Register, _Register]]:
    """Registers of the RTL with those of the netlist that have a name in common with them."""
    named, pairs = _registers(rtl), {}
    theirs = _registers(cells)
    for name, register in theirs.items():
        if name in named and pairs.setdefault(register, named[name]) != named[name]:
            raise ValueError(f"register {name} of the netlist stands for several of the RTL")
    for name, register in theirs.items():
        if register not in pairs:
            raise ValueError(f"register {name} of the netlist has no like in the RTL")
    return [(ours, register) for register, ours in pairs.items()]


def _opened(module: Mapping[str, Any], registers: list[_Register]) -> dict[str, Any]:
    """Without registers: what they put out are inputs, what they take in are outputs."""
    ports = {name: port for name, port in module["ports"].items() if name != "clk"}
    for number, (output, taken) in enumerate(registers):
        ports[f"state{number}"] = {"direction": "input", "bits": [output]}
        ports[f"next{number}"] = {"direction": "output", "bits": [taken]}
    names = {
        name: {"bits": port["bits"], "hide_name": 0, "attributes": {}}
        for name, port in ports.items()
    }
    gates = {n: cell for n, cell in module["cells"].items() if cell["type"] != _FLIP_FLOP}
    return {"ports": ports, "netnames": names, "cells": gates}


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
