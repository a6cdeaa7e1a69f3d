"""Copies of netlists, much sooner made than by ``copy.deepcopy``."""

from collections.abc import Mapping
from typing import Any

__all__ = ["copy_of"]


def copy_of(netlist: Mapping[str, Any]) -> dict[str, Any]:
    """A netlist, as Yosys writes it in JSON, whose cells, connections and net names may be changed;
    the rest is shared with the first one."""
    cells = {
        name: {
            **cell,
            "connections": {pin: list(bits) for pin, bits in cell["connections"].items()},
        }
        for name, cell in netlist["cells"].items()
    }
    return {**netlist, "cells": cells, "netnames": dict(netlist["netnames"])}
