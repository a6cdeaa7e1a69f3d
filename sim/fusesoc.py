"""FuseSoC cores (CAPI 2) for generated units and for the adders that they share."""

import json
from collections.abc import Sequence
from importlib.metadata import version

from multipede.golden.spec import Spec

__all__ = ["ADDERS_CORE", "LINT_WAIVERS", "adders_core", "unit_core"]

ADDERS_CORE = "multipede:library:adders"
LINT_WAIVERS = ("DECLFILENAME", "PROCASSINIT", "UNUSEDSIGNAL")
"""Verilator's warnings that say nothing here: several modules in one file, initial values of
registers, bits of a word that a sum does not need."""

_UNIT = """\
CAPI=2:
name: {vlnv}
description: {description}
filesets:
  rtl:
    files: [{rtl}]
    file_type: verilogSource{depend}
  tb:
    files:
      - {name}_tb.v
      - {name}_inputs.hex: {{file_type: user, copyto: {name}_inputs.hex}}
      - {name}_outputs.hex: {{file_type: user, copyto: {name}_outputs.hex}}
    file_type: verilogSource
targets:
  default: &default
    filesets: [rtl]
    toplevel: {top}
  sim:
    description: Golden vectors of {name} in Icarus Verilog, or with --tool verilator in Verilator
    flow: sim
    flow_options:
      tool: icarus
      iverilog_options: [-g2005]
      mode: binary
      verilator_options: [--timing, -Wno-fatal]
    filesets: [rtl, tb]
    toplevel: {name}_tb
  lint:
    <<: *default
    description: Verilator with all warnings
    flow: lint
    flow_options:
      tool: verilator
      verilator_options: [{lint}]
"""

_ADDERS = """\
CAPI=2:
name: {vlnv}
description: Adders of Multipede's cells styles
filesets:
  rtl:
    files: [{file}]
    file_type: verilogSource
targets:
  default:
    filesets: [rtl]
"""


def unit_core(spec: Spec, *, name: str, bus: str | None, with_adders: bool) -> str:
    """The core of a unit, with the targets default, sim and lint.

    ``name`` is that of the unit's module and ``bus`` of the one that puts it on a bus, which then
    is the top; the bench of ``sim`` is of the unit alone.
    """
    return _UNIT.format(
        vlnv=json.dumps(f"multipede:units:{name}:{version('multipede')}"),
        description=json.dumps(spec.title),
        name=name,
        rtl=", ".join(f"{module}.v" for module in (name, bus) if module),
        top=bus or name,
        depend=f'\n    depend: ["{ADDERS_CORE}"]' if with_adders else "",
        lint=", ".join(["-Wall", *(f"-Wno-{warning}" for warning in LINT_WAIVERS)]),
    )


def adders_core(files: Sequence[str]) -> str:
    """The core of the adder modules, on which units in a cells style depend."""
    vlnv = json.dumps(f"{ADDERS_CORE}:{version('multipede')}")
    return _ADDERS.format(vlnv=vlnv, file=", ".join(files))
