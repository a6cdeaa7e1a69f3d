"""A solver's counterexample on the pins of the design in Icarus: another reader of it."""

from pathlib import Path

from multipede.sim.formal_harness import payload_bits
from multipede.sim.formal_report import Clock
from multipede.sim.port_map import verilog_ports
from multipede.toolchain import find
from multipede.toolchain.run import run

SEEN = ("i_ready", "o_valid", "o_payload")


def replay(verilog: str, spec, clocks: tuple[Clock, ...], place: Path) -> list[dict[str, str]]:
    """What the design ``gate`` shows in each clock, in binary, while the counterexample's inputs
    lie on its pins."""
    widths = {"i_payload": payload_bits(spec.inputs), "o_payload": payload_bits(spec.outputs)}
    lines = ["`timescale 1ns/1ns", "module bench;", "  reg clk = 0;"]
    for port in verilog_ports(verilog):
        name = port["name"]
        kind = "wire" if name in SEEN else "reg"
        if name != "clk":
            lines.append(f"  {kind} [{widths.get(name, 1) - 1}:0] {name};")
    lines += ["  gate gate(.*);", "  initial begin"]
    for clock in clocks:
        pins = {name: clock.pins[name] for name in ("rst", "i_valid", "o_ready")}
        pins["i_payload"] = _payload(spec, clock.inputs)
        lines += [f"    {name} = {value};" for name, value in pins.items()]
        lines += [f'    #1 $display("%b %b %b", {", ".join(SEEN)});', "    clk = 1; #1 clk = 0;"]
    (place / "bench.sv").write_text("\n".join([*lines, "  end", "endmodule", ""]))
    (place / "gate.sv").write_text(verilog)
    run(find("iverilog"), ["-g2012", "-o", "bench", "bench.sv", "gate.sv"], directory=place)
    said = run(find("vvp"), ["-n", "bench"], directory=place).stdout.splitlines()
    return [dict(zip(SEEN, line.split(), strict=True)) for line in said]


def _payload(spec, codes: dict[str, object]) -> int:
    """The bits of a record of plain numbers."""
    payload, low = 0, 0
    for name, port in spec.inputs.items():
        payload |= int(port.format.to_bits(codes[name])) << low
        low += port.bits
    return payload
