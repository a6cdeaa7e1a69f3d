"""Verilog around the designs of a proof: streams side by side, and what must not differ."""

from collections.abc import Mapping

from multipede.golden.spec import Port
from multipede.sim.port_map import verilog_ports

__all__ = ["DelayLine", "instance", "payload_bits", "stream_wires"]

_STARTED = """  reg started = 0;  // the first clock is one of reset, later ones may be
  always @(posedge clk) started <= 1;
  wire rst = ~started | again;
"""


def payload_bits(ports: Mapping[str, Port]) -> int:
    """Width of a payload."""
    return sum(port.bits for port in ports.values())


def instance(verilog: str, name: str, pins: Mapping[str, str]) -> str:
    """An instance of module ``name``, the first one of ``verilog``; it has some of the ``pins``."""
    there = {port["name"] for port in verilog_ports(verilog)}
    missing = there - set(pins)
    if missing:
        raise ValueError(f"{name} has ports {sorted(missing)}, which the harness does not drive")
    wired = ", ".join(f".{pin}({value})" for pin, value in pins.items() if pin in there)
    return f"  {name} {name}({wired});\n"


def stream_wires(prefix: str, outputs: Mapping[str, Port]) -> str:
    """Declarations of ``prefix_valid`` and ``prefix_payload`` for the results of a design."""
    return f"  wire {prefix}_valid;\n  wire [{payload_bits(outputs) - 1}:0] {prefix}_payload;\n"


class DelayLine:
    """A stream of results some clocks later: Verilog of registers, and the wires behind them.

    ``rst`` empties it, as it empties a unit; the payload is not reset.
    """

    def __init__(self, name: str, valid: str, payload: str, bits: int, clocks: int):
        lines = []
        for clock in range(1, clocks + 1):
            after = f"{name}_valid_{clock}", f"{name}_payload_{clock}"
            lines += [
                f"  reg {after[0]}; reg [{bits - 1}:0] {after[1]};",
                "  always @(posedge clk) begin",
                f"    {after[0]} <= {valid} & ~rst; {after[1]} <= {payload};",
                "  end",
            ]
            valid, payload = after
        self.valid, self.payload = valid, payload
        self.verilog = "".join(f"{line}\n" for line in lines)


def module(ports: Mapping[str, int], outputs: tuple[str, ...], body: str) -> str:
    """The module ``harness`` with inputs of so many bits and outputs of one."""
    inputs = [f"input [{bits - 1}:0] {name}" for name, bits in ports.items()]
    header = ", ".join([*inputs, *(f"output {name}" for name in outputs)])
    return f"module harness({header});\n{body}endmodule\n"


def started() -> str:
    """Verilog of ``rst``: 1 in the first clock, and whenever the input ``again`` is."""
    return _STARTED
