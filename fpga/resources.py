"""What a unit takes of an FPGA: look-up tables, flip-flops, carry chains, DSP blocks."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from multipede.fpga.devices import Device
from multipede.fpga.devices import device as device_of
from multipede.golden.number_format import require_type
from multipede.golden.spec import Spec
from multipede.hw import Style
from multipede.hw.arithmetic.adders import adders_verilog
from multipede.sim.verilog import rtlil_of
from multipede.toolchain import ToolError, cached, find, key, write_atomically
from multipede.toolchain.cost import Cost, CostMethod, costs_table
from multipede.toolchain.yosys import run_yosys

__all__ = ["Resources", "mapping_script", "resources", "resources_of_rtlil"]

_SCRIPT = """\
read_rtlil unit.il
read_verilog adders.v
hierarchy -top {top}
proc
{flatten}opt
wreduce
opt -full
opt_clean -purge
techmap -map carry_chains.v
{recipe}
"""


@dataclass(frozen=True)
class Resources:
    """A unit's resources on a device.

    Attributes
    ----------
    unit : the specification as text, or the top module's name.
    device : name of the device. style : of the RTL, empty if there is none.
    by_kind : resource -> number: ``lut``, ``ff``, ``carry``, ``dsp``, ``bram``, ``lutram``, ...
    cells : cell of the mapped netlist -> number.
    costs : the same as cost records.
    method : recipe and remark in words.
    operations : what one record of the unit is worth.
    """

    unit: str
    device: str
    style: str
    by_kind: Mapping[str, int]
    cells: Mapping[str, int]
    costs: list[Cost]
    method: str
    operations: Mapping[str, int]

    @property
    def lut(self) -> int:
        """Look-up tables, with those whose place a carry chain takes."""
        return self.by_kind["lut"]

    @property
    def ff(self) -> int:
        """Flip-flops."""
        return self.by_kind["ff"]

    @property
    def carry(self) -> int:
        """Carry cells of the device."""
        return self.by_kind["carry"]

    @property
    def dsp(self) -> int:
        """DSP blocks."""
        return self.by_kind["dsp"]

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            "unit": self.unit,
            "device": self.device,
            "style": self.style,
            "by_kind": dict(self.by_kind),
            "cells": dict(self.cells),
            "method": self.method,
            "operations": dict(self.operations),
            "costs": [cost.to_dict() for cost in self.costs],
        }

    def _repr_html_(self) -> str:
        """For notebooks."""
        return costs_table(self.costs, f"{self.unit} on {self.device}")

    def __str__(self) -> str:
        lines = [f"{self.unit} on {self.device}" + (f", style {self.style}" * bool(self.style))]
        for kind, number in self.by_kind.items():
            unit = device_of(self.device).units.get(kind, "")
            lines.append(f"  {kind:8}{number:10,}  {unit}".rstrip())
        for name, number in self.operations.items():
            lines.append(f"  {self.lut / number:18,.2f}  LUT per {name.replace('_', '-')}")
        return "\n".join([*lines, f"  {self.method}"])


def resources(
    spec: Spec, device: str = "ecp5", *, style: Style = Style.WORD, dsp: bool = True
) -> Resources:
    """Resources of a unit on one of :data:`~multipede.fpga.devices.DEVICES`.

    Parameters
    ----------
    spec : the unit.
    device : ``"ecp5"``, ``"ice40"``, ``"gowin"``, ``"xc7"`` or ``"xcup"``.
    style : of the RTL.
    dsp : whether multiplications that the RTL leaves to synthesis (``partial_products=inferred``)
        go into DSP blocks. Other units have none.

    Cached by the RTLIL, the recipe and the tool.

    Raises
    ------
    TypeError, ValueError
        For an unknown device, or a ``dsp`` that is no bool.
    ToolError
        If Yosys is missing or fails.
    """
    device_of(device)
    return resources_of_rtlil(
        rtlil_of(spec, style),
        top=spec.unit,
        device=device,
        unit=str(spec),
        style=style.value,
        dsp=dsp,
        operations=spec.operations,
    )


def resources_of_rtlil(
    rtlil: str,
    *,
    top: str,
    device: str = "ecp5",
    unit: str = "",
    style: str = "",
    dsp: bool = True,
    operations: Mapping[str, int] | None = None,
) -> Resources:
    """Resources of any RTLIL whose top module is ``top``; see :func:`resources`."""
    require_type("dsp", dsp, bool)
    target = device_of(device)
    cells = _mapped_cells(rtlil, top, target, dsp)
    by_kind = count_resources(target, cells)
    yosys = find("yosys")
    command = target.recipe.replace(" -top {top}", "").format(
        dsp=target.dsp if dsp else target.no_dsp
    )
    command = " ".join(command.split())
    method = f"{yosys.origin.removeprefix('wheel ')}, {command}, carry chains; {target.remark}"
    digest = hashlib.sha256(rtlil.encode()).hexdigest()
    costs = [
        Cost(
            quantity=kind,
            value=number,
            unit=target.units.get(kind, kind),
            target=device,
            method=CostMethod.SYNTHESISED,
            source=method,
            tools={"yosys": ".".join(map(str, yosys.version))},
            style=style,
            rtlil_digest=digest,
        )
        for kind, number in by_kind.items()
    ]
    return Resources(unit or top, device, style, by_kind, cells, costs, method, operations or {})


def count_resources(target: Device, cells: Mapping[str, int]) -> dict[str, int]:
    """What the cells of a mapped netlist take; zero for what none takes.

    Raises ToolError for a cell that the device's table does not know: nothing is left uncounted.
    """
    count = Counter(dict.fromkeys(target.units, 0))
    for cell, number in cells.items():
        if cell not in target.takes:
            raise ToolError(f"{target.name}: the netlist holds {number} {cell}, an unknown cell")
        for kind, each in target.takes[cell].items():
            count[kind] += each * number
    return dict(count)


def mapping_script(
    rtlil: str, top: str, target: Device, *, dsp: bool, flat: bool = False
) -> tuple[dict[str, str], str]:
    """Files and Yosys script that map a design to a device, ``flat`` without its modules."""
    recipe = target.recipe.format(top=top, dsp=target.dsp if dsp else target.no_dsp)
    if flat:
        recipe = recipe.replace(" -noflatten", "").replace(" -noiopads", "")
    script = _SCRIPT.format(top=top, recipe=recipe, flatten="flatten\n" * flat)
    carry_chains = (files(__package__) / "carry_chains.v").read_text()
    return {"unit.il": rtlil, "adders.v": adders_verilog(), "carry_chains.v": carry_chains}, script


def _mapped_cells(rtlil: str, top: str, target: Device, dsp: bool) -> dict[str, int]:
    inputs, script = mapping_script(rtlil, top, target, dsp=dsp)
    script += "tee -q -o counts.json stat -json\n"
    identity = key(script, *inputs.values(), find("yosys").identity)

    def build(place: Path) -> None:
        counts = run_yosys(script, files=inputs, outputs=["counts.json"]).outputs["counts.json"]
        write_atomically(place / "counts.json", counts)

    stat = json.loads((cached("fpga-resources", identity, build) / "counts.json").read_text())
    modules = {name.removeprefix("\\") for name in stat["modules"]}
    by_type = stat["design"]["num_cells_by_type"]
    return {
        cell: number
        for cell, number in sorted(by_type.items())
        if cell.removeprefix("\\") not in modules and cell != "$scopeinfo"
    }
