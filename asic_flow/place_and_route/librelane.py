"""LibreLane: a unit's ``config.json``, for ``librelane config.json``."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from multipede.asic_flow.place_and_route.block import Block, Platform
from multipede.asic_flow.place_and_route.sdc import VIRTUAL_CLOCK, write_sdc

__all__ = ["LIBRELANE_PLATFORMS", "librelane_files"]

# Clocks as in orfs.py.
LIBRELANE_PLATFORMS = (
    Platform(name="sky130A", clock_period=8.0),
    Platform(name="sky130B", clock_period=8.0),
    Platform(name="gf180mcuC", clock_period=24.0),
    Platform(name="gf180mcuD", clock_period=24.0),
    Platform(name="ihp-sg13g2", clock_period=6.0),
)
"""The process design kits that LibreLane knows; the first is the default."""

# Straps of the power grid, um. A kit's own grid is for chips, too wide for units of 100 um; these
# are the values that LibreLane gives its example of a small multiplier on these kits.
_GRID: Mapping[str, float] = MappingProxyType(
    {
        "PDN_VOFFSET": 5,
        "PDN_HOFFSET": 5,
        "PDN_VWIDTH": 2,
        "PDN_HWIDTH": 2,
        "PDN_VPITCH": 30,
        "PDN_HPITCH": 30,
    }
)
_NARROW_GRID = ("sky130", "gf180mcu")


def librelane_files(block: Block, platform: Platform) -> dict[str, str]:
    """``config.json`` and the timing constraints, by name."""
    settings: dict[str, Any] = {
        # In version 2 a variable that LibreLane does not know is an error.
        "meta": {"version": 2, "flow": "Classic"},
        "PDK": platform.name,
        "DESIGN_NAME": block.name,
        "VERILOG_FILES": [f"dir::{name}" for name in block.verilog],
        "CLOCK_PORT": block.clock,
        "CLOCK_PERIOD": block.clock_period,
        "IO_DELAY_CONSTRAINT": round(100 * block.io_delay, 6),
        "PNR_SDC_FILE": f"dir::{block.sdc}",
        "SIGNOFF_SDC_FILE": f"dir::{block.sdc}",
        "FP_CORE_UTIL": block.core_utilization,
    }
    if block.clock is None:
        settings |= {"RUN_CTS": False}
    if platform.name.startswith(_NARROW_GRID):
        settings |= _GRID
    sdc = write_sdc(block, time_unit=platform.time_unit) + _around(block)
    return {"config.json": json.dumps(settings, indent=2) + "\n", block.sdc: sdc}


def _around(block: Block) -> str:
    """What the kit says of the world around a block; LibreLane gives it in the environment."""
    clock = block.clock or VIRTUAL_CLOCK
    return f"""
# From here on what the process design kit asks for, where LibreLane runs this file.
if {{[info exists ::env(SYNTH_DRIVING_CELL)]}} {{
  set_max_fanout $::env(MAX_FANOUT_CONSTRAINT) [current_design]
  foreach limit {{transition capacitance}} {{
    set name MAX_[string toupper $limit]_CONSTRAINT
    if {{[info exists ::env($name)]}} {{
      set_max_$limit $::env($name) [current_design]
    }}
  }}
  lassign [split $::env(SYNTH_DRIVING_CELL) "/"] cell pin
  set_driving_cell -lib_cell $cell -pin $pin [get_ports {{{" ".join(block.inputs)}}}]
  # fF there, pF here
  set_load [expr {{$::env(OUTPUT_CAP_LOAD) / 1000.0}}] [all_outputs]
  set_clock_uncertainty $::env(CLOCK_UNCERTAINTY_CONSTRAINT) [get_clocks {clock}]
  set derating [expr {{$::env(TIME_DERATING_CONSTRAINT) / 100.0}}]
  set_timing_derate -early [expr {{1 - $derating}}]
  set_timing_derate -late [expr {{1 + $derating}}]
{_clock_tree(block.clock) if block.clock else ""}}}
"""


def _clock_tree(clock: str) -> str:
    return f"""\
  if {{[info exists ::env(SYNTH_CLK_DRIVING_CELL)]}} {{
    lassign [split $::env(SYNTH_CLK_DRIVING_CELL) "/"] cell pin
  }}
  set_driving_cell -lib_cell $cell -pin $pin [get_ports {{{clock}}}]
  set_clock_transition $::env(CLOCK_TRANSITION_CONSTRAINT) [get_clocks {clock}]
  # The clock is ideal before there is a tree of buffers, when LibreLane says so.
  if {{![info exists ::env(OPENLANE_SDC_IDEAL_CLOCKS)] || !$::env(OPENLANE_SDC_IDEAL_CLOCKS)}} {{
    set_propagated_clock [all_clocks]
  }}
"""
