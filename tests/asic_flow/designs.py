"""Tiny designs whose gates can be counted by hand."""

from multipede.toolchain.yosys import run_yosys

INVERTER = "module top(input a, output y); assign y = ~a; endmodule"
NAND = "module top(input a, b, output y); assign y = ~(a & b); endmodule"
REGISTER = """
module top(input clk, input [2:0] d, output reg [2:0] q);
  always @(posedge clk) q <= d;
endmodule
"""
FULL_ADDER = """
module top(input a, b, c, output sum, carry);
  full_adders #(.WIDTH(1)) adder(.a(a), .b(b), .c(c), .sum(sum), .carry(carry));
endmodule
"""
RIPPLE = """
module top(input [3:0] a, b, input ci, output [3:0] sum, output co);
  ripple_adder #(.WIDTH(4)) adder(.a(a), .b(b), .ci(ci), .sum(sum), .co(co));
endmodule
"""
HALF_ADDER = """
module top(input a, b, output sum, carry);
  half_adders #(.WIDTH(1)) adder(.a(a), .b(b), .sum(sum), .carry(carry));
endmodule
"""


def rtlil(verilog: str) -> str:
    """The design in RTLIL, its adder modules left as instances."""
    result = run_yosys(
        "read_verilog top.v; proc; write_rtlil top.il",
        files={"top.v": verilog},
        outputs=["top.il"],
    )
    return result.outputs["top.il"]
