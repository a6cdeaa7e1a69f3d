"""How long ABC says that a netlist of gates of one output each takes."""

import re

from multipede.asic_flow.liberty.library import Library
from multipede.asic_flow.mapping.map_to_cells import MappedNetlist
from multipede.toolchain import find, run

_DELAY = re.compile(r"\bDelay\s*=\s*([\d.]+)\s*ps")
_COLOUR = re.compile(r"\x1b\[[\d;]*m")


def abc_delay(mapped: MappedNetlist, library: Library, directory) -> float:
    """ps, without wires and loads on outputs. The netlist has neither registers nor constants."""
    (directory / "cells.lib").write_text(library.text)
    (directory / "netlist.blif").write_text(_blif(mapped, library))
    script = "read_lib -w cells.lib; read_blif netlist.blif; topo; stime -p"
    done = run(find("yosys-abc"), ["-c", script], directory=directory)
    return float(_DELAY.search(_COLOUR.sub("", done.stdout))[1])


def _blif(mapped: MappedNetlist, library: Library) -> str:
    ports = mapped.netlist["ports"].values()
    driven = {
        cell["connections"][library.cells[cell["type"]].outputs[0]][0]
        for cell in mapped.netlist["cells"].values()
    }
    inputs = [f"n{b}" for p in ports if p["direction"] == "input" for b in p["bits"]]
    outputs = [b for p in ports if p["direction"] == "output" for b in p["bits"]]
    gates = [
        f".gate {cell['type']} " + " ".join(f"{p}=n{b}" for p, (b,) in cell["connections"].items())
        for cell in mapped.netlist["cells"].values()
    ]
    listed = [f"n{b}" for b in dict.fromkeys(outputs) if b in driven]
    head = [f".model {mapped.top}", f".inputs {' '.join(inputs)}", f".outputs {' '.join(listed)}"]
    return "\n".join([*head, *gates, ".end\n"])
