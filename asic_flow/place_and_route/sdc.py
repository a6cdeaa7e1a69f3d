"""Timing constraints in SDC: the clock, and when inputs come and outputs are needed."""

from multipede.asic_flow.place_and_route.block import Block

__all__ = ["VIRTUAL_CLOCK", "write_sdc"]

VIRTUAL_CLOCK = "virtual_clock"
"""The clock's name in a design without registers: it is nowhere in the design."""


def write_sdc(block: Block, *, time_unit: float = 1.0) -> str:
    """The constraints of a block.

    Parameters
    ----------
    block : what is constrained; every port of it is named.
    time_unit : ns; programs take an SDC file's times in the unit of the Liberty file.
    """
    period = block.clock_period / time_unit
    delay = _number(block.io_delay * period)
    clock = block.clock or VIRTUAL_CLOCK
    port = f" [get_ports {{{block.clock}}}]" if block.clock else ""
    lines = [
        f"# {block.name}: a clock of {_number(block.clock_period)} ns; times in"
        f" {'ns' if time_unit == 1 else 'ps' if time_unit == 1e-3 else f'{time_unit:g} ns'}",
        f"create_clock -name {clock} -period {_number(period)}{port}",
    ]
    for command, ports in (("input", block.inputs), ("output", block.outputs)):
        lines += [
            f"set_{command}_delay {delay} -clock {clock} [get_ports {{{name}}}]" for name in ports
        ]
    return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    return f"{value:.9g}"
