"""Hand-off to open flows from Verilog to layout: all that they need, in one directory."""

import os
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Any

from multipede.asic_flow.place_and_route.block import (
    Platform,
    generated_block,
    require_fraction,
    require_period,
)
from multipede.asic_flow.place_and_route.librelane import LIBRELANE_PLATFORMS, librelane_files
from multipede.asic_flow.place_and_route.orfs import ORFS_PLATFORMS, orfs_files
from multipede.golden.number_format import require_range, require_type
from multipede.golden.spec import Spec
from multipede.hw import Style
from multipede.sim.generate import generate
from multipede.toolchain import write_atomically

__all__ = ["Flow", "hand_off"]


class Flow(Enum):
    """A flow from Verilog to layout."""

    ORFS = "orfs"
    """OpenROAD-flow-scripts"""
    LIBRELANE = "librelane"
    """LibreLane"""

    def __repr__(self) -> str:
        return f"Flow.{self.name}"

    @property
    def platforms(self) -> Sequence[Platform]:
        """What it can be run for; the first is the default."""
        return ORFS_PLATFORMS if self is Flow.ORFS else LIBRELANE_PLATFORMS

    def platform(self, name: str | None = None) -> Platform:
        """The platform of this name, or the default. TypeError, ValueError for others."""
        if name is None:
            return self.platforms[0]
        require_type("platform", name, str)
        for platform in self.platforms:
            if platform.name == name:
                return platform
        known = ", ".join(platform.name for platform in self.platforms)
        raise ValueError(f"platform = {name!r}: for {self.value} allowed are {known}")


def hand_off(
    spec: Spec,
    directory: str | os.PathLike[str],
    *,
    flow: Flow = Flow.ORFS,
    platform: str | None = None,
    clock_period: float | None = None,
    core_utilization: int = 40,
    io_delay: float = 0.2,
    style: Style = Style.CELLS,
    **generated: Any,
) -> list[Path]:
    """Write a unit for place and route, and return the paths.

    Beside what :func:`~multipede.sim.generate.generate` writes:

    ``<top>.sdc``
        The clock, and delays for every other port.
    ``config.mk``
        For OpenROAD-flow-scripts: ``make DESIGN_CONFIG=<directory>/config.mk``.
    ``config.json``
        For LibreLane: ``librelane <directory>/config.json``.

    The top module is the unit, or the unit on its bus if there is one.

    Parameters
    ----------
    spec : the unit.
    directory : where to write; made if it is not there.
    flow : for which of them.
    platform : a process with its cells, by the flow's name for it; see ``flow.platforms``.
    clock_period : ns; by default the platform's, which is no promise that the unit holds it.
    core_utilization : per cent of the core's area that cells are to cover, 1 to 99.
    io_delay : the share of the clock period before inputs come, and again after outputs have left;
        0 to less than 0.5.
    style : of the Verilog.
    generated : all else that :func:`~multipede.sim.generate.generate` takes.

    Raises
    ------
    TypeError, ValueError
        For arguments that are none of the above; nothing is written.
    OSError
        If the directory cannot be written; each file in it is the old one or the new.
    ToolError
        If Yosys is missing or fails.
    """
    require_type("flow", flow, Flow)
    chosen = flow.platform(platform)
    period = chosen.clock_period if clock_period is None else clock_period
    require_period(period)
    require_fraction("io_delay", io_delay)
    require_range("core_utilization", core_utilization, 1, 99)
    paths = generate(spec, directory, style=style, **generated)
    place = Path(directory)
    block = generated_block(
        place, clock_period=period, io_delay=io_delay, core_utilization=core_utilization
    )
    files = (orfs_files if flow is Flow.ORFS else librelane_files)(block, chosen)
    for name, text in files.items():
        write_atomically(place / name, text)
    return paths + [place / name for name in files]
