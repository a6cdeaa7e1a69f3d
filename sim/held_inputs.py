"""A frame around a unit that keeps its inputs in registers, so that they act once in a clock.

What hangs on a pin of the top module, Verilator works out at every call: twice in a clock, and in a
multiplier that is nearly everything. What hangs on a register, it works out when the register may
have changed.
"""

from multipede.golden.spec import Spec
from multipede.sim.pins import module_pins

__all__ = ["held_inputs"]


def held_inputs(verilog: str, spec: Spec, *, mutants: bool) -> tuple[str, str] | None:
    """Our own Verilog with a frame around the unit, and the frame's name; its inputs change with
    either edge of ``change``.

    None for units without a clock. Others' Verilog may have registers on another edge of the clock,
    which would see the inputs of before: it must do without.
    """
    pins = module_pins(verilog, spec.unit, spec)
    if "clk" not in pins:
        return None
    widths = dict.fromkeys(pins, 1)
    widths |= {"i_payload": _bits(spec.inputs), "o_payload": _bits(spec.outputs)}
    given = ("o_valid", "o_payload", "i_ready")
    outputs = {pin: widths[pin] for pin in pins if pin in given}
    inputs = {pin: widths[pin] for pin in pins if pin not in given and pin != "clk"}
    inputs |= {"mutant": 32} if mutants else {}
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
