"""A design as place and route is told of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from multipede.golden.number_format import require_range
from multipede.sim.port_map import verilog_ports

__all__ = ["Block", "Platform", "generated_block", "require_fraction", "require_period"]


@dataclass(frozen=True, kw_only=True)
class Platform:
    """A process with its cells, as a flow knows it.

    ``name`` in that flow; ``clock_period`` ns, to begin with where no other is asked for;
    ``time_unit`` ns, in which its cells' Liberty file, and so its SDC, counts.
    """

    name: str
    clock_period: float
    time_unit: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Block:
    """A design and what is asked of it.

    Parameters
    ----------
    name : of the top module.
    verilog : names of its files, all in the directory of the flow's configuration.
    clock : its port; None for a design without registers.
    inputs, outputs : the other ports.
    clock_period : ns.
    io_delay : the share of the clock period that passes outside before inputs come, and again
        after outputs have left; 0 to less than 0.5.
    core_utilization : per cent of the core's area that cells are to cover, 1 to 99.
    """

    name: str
    verilog: tuple[str, ...]
    clock: str | None
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    clock_period: float
    io_delay: float
    core_utilization: int

    def __post_init__(self) -> None:
        require_period(self.clock_period)
        require_fraction("io_delay", self.io_delay)
        require_range("core_utilization", self.core_utilization, 1, 99)

    @property
    def sdc(self) -> str:
        """Name of the file of its timing constraints."""
        return f"{self.name}.sdc"


def require_period(clock_period: float) -> None:
    """TypeError unless it is a number, ValueError unless it is more than 0 ns and finite."""
    _require_number("clock_period", clock_period)
    if not 0 < clock_period < float("inf"):
        raise ValueError(f"clock_period = {clock_period}: more than 0 ns is needed")


def require_fraction(name: str, value: float) -> None:
    """TypeError unless it is a number, ValueError unless 0 <= value < 0.5."""
    _require_number(name, value)
    if not 0 <= value < 0.5:
        raise ValueError(f"{name} = {value}: allowed are 0 to less than 0.5 of the clock period")


def _require_number(name: str, value: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name} must be a number, not {type(value).__name__}: {value!r}")


def generated_block(
    directory: Path, *, clock_period: float, io_delay: float, core_utilization: int
) -> Block:
    """The design that :func:`~multipede.sim.generate.generate` wrote into a directory.

    The unit on its bus, if it has one, and else the unit. Raises what :class:`Block` does.
    """
    described = json.loads((directory / "ports.json").read_text())
    bus: Mapping | None = described.get("bus")
    files = described["files"]["rtl"]
    if bus is not None:  # the wrapper's file holds the unit, too
        files = [*described["files"]["bus"], *files[1:]]
    clock = described["clock"] and described["clock"]["port"]
    if bus is not None:
        clock = bus["clock"]
    ports = verilog_ports((directory / files[0]).read_text())
    pins = {
        direction: tuple(
            port["name"]
            for port in ports
            if port["direction"] == direction and port["name"] != clock
        )
        for direction in ("input", "output")
    }
    return Block(
        name=described["name"] if bus is None else bus["module"],
        verilog=tuple(files),
        clock=clock,
        inputs=pins["input"],
        outputs=pins["output"],
        clock_period=clock_period,
        io_delay=io_delay,
        core_utilization=core_utilization,
    )
