"""A frame around a unit that keeps its inputs in registers, so that they act once in a clock.

What hangs on a pin of the top module, Verilator works out at every call: twice in a clock, and in a
multiplier that is nearly everything. What hangs on a register, it works out when the register may
have changed.
"""

import re

from multipede.golden.spec import Spec

__all__ = ["held_inputs"]


def held_inputs(verilog: str, spec: Spec, *, mutants: bool) -> tuple[str, str] | None:
    """The Verilog with a frame around the unit, and the frame's name; the edge is on ``change``.

    None if it would not pay or not be the same: for units without a clock, and for Verilog with
    registers on the falling edge, with which the inputs change here.
    """
    head = re.search(rf"^\s*module\s+{spec.unit}\b[^;]*;", verilog, re.MULTILINE)
    if head is None or not re.search(r"\bclk\b", head[0]) or "negedge" in verilog:
        return None
    inputs = {"rst": 1, "i_valid": 1, "i_payload": _bits(spec.inputs)}
    inputs |= {"o_ready": 1} if spec.stallable else {}
    inputs |= {"mutant": 32} if mutants else {}
    outputs = {"o_valid": 1, "o_payload": _bits(spec.outputs)}
    outputs |= {} if spec.always_ready else {"i_ready": 1}
    name = "multipede_held_inputs"
    lines = [
        f"module {name} (",
        "  input clk, change,",
        *(f"  input [{bits - 1}:0] {pin}," for pin, bits in inputs.items()),
        ",\n".join(f"  output [{bits - 1}:0] {pin}" for pin, bits in outputs.items()),
        ");",
        *(f"  reg [{bits - 1}:0] held_{pin} = 0;" for pin, bits in inputs.items()),
        "  always @(posedge change or negedge change) begin",
        *(f"    held_{pin} <= {pin};" for pin in inputs),
        "  end",
        f"  {spec.unit} unit (",
        "    .clk(clk),",
        *(f"    .{pin}(held_{pin})," for pin in inputs),
        ",\n".join(f"    .{pin}({pin})" for pin in outputs),
        "  );",
        "endmodule",
    ]
    return verilog + "\n" + "\n".join(lines) + "\n", name


def _bits(ports) -> int:
    return sum(port.bits for port in ports.values())
