"""OpenROAD-flow-scripts: a unit's ``config.mk``, for that flow's ``make DESIGN_CONFIG=...``."""

from multipede.asic_flow.place_and_route.block import Block, Platform
from multipede.asic_flow.place_and_route.sdc import write_sdc

__all__ = ["ORFS_PLATFORMS", "orfs_files"]

# The clocks are about a hundred delays of an inverter that drives four, from the Liberty files of
# their typical corners; gf180's is that of LibreLane's own example.
ORFS_PLATFORMS = (
    Platform(name="nangate45", clock_period=2.0),
    Platform(name="sky130hd", clock_period=8.0),
    Platform(name="sky130hs", clock_period=8.0),
    # Its Liberty files count in ps.
    Platform(name="asap7", clock_period=2.0, time_unit=1e-3),
    Platform(name="gf180", clock_period=24.0),
    Platform(name="ihp-sg13g2", clock_period=6.0),
)
"""The flow's open platforms; the first is the default."""


def orfs_files(block: Block, platform: Platform) -> dict[str, str]:
    """``config.mk`` and the timing constraints, by name.

    They find the Verilog files where they lie themselves, wherever that is, but for paths with
    spaces, which make cannot handle.
    """
    files = " ".join(f"$(UNIT_DIR)/{name}" for name in block.verilog)
    settings = {
        "PLATFORM": platform.name,
        "DESIGN_NAME": block.name,
        "VERILOG_FILES": files,
        "SDC_FILE": f"$(UNIT_DIR)/{block.sdc}",
        "CORE_UTILIZATION": str(block.core_utilization),
    }
    lines = [
        f"# {block.name} on {platform.name}, for OpenROAD-flow-scripts. In its directory flow/:",
        "#   make DESIGN_CONFIG=<path of this file>",
        # At once, since the flow includes more files later.
        "UNIT_DIR := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))",
        "",
        *(f"export {name} := {value}" for name, value in settings.items()),
    ]
    sdc = write_sdc(block, time_unit=platform.time_unit)
    return {"config.mk": "\n".join(lines) + "\n", block.sdc: sdc}
