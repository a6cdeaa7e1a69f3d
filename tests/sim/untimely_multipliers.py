"""Multipliers in Verilog whose products are right and come at the wrong time."""

from multipede.golden.integer_multiplier import IntegerMultiplier

MULTIPLIER = IntegerMultiplier(stages=1)

_MODULE = """
module integer_multiplier (
  input clk, rst, i_valid, input [15:0] i_payload, output o_valid, output [15:0] o_payload
);
  wire signed [7:0] a = i_payload[7:0], b = i_payload[15:8];
  reg valid1, valid2, seen, late, held_reset;
  reg [15:0] product1, product2;
  always @(posedge clk) begin
    valid1 <= i_valid & ~rst;
    valid2 <= valid1 & ~rst;
    product1 <= a * b;
    product2 <= product1;
    seen <= ~rst & (seen | i_valid);
    late <= ~rst & (late | seen & ~i_valid & ~valid1);
    held_reset <= rst;
  end
  assign o_valid = VALID;
  assign o_payload = PRODUCT;
endmodule
"""


def _multiplier(valid: str, product: str) -> str:
    return _MODULE.replace("VALID", valid).replace("PRODUCT", product)


RIGHT = _multiplier("valid1", "product1")
LATE_BEHIND_A_PAUSE = _multiplier("late ? valid2 : valid1", "late ? product2 : product1")
"""From the first pause of two clocks on, a clock too late; at full pace just in time."""
OFFERS_DURING_RESET = _multiplier("valid1 | rst & held_reset", "product1")
LATE_FROM_THE_THIRD_RESET_ON = (
    _multiplier("resets[1] ? valid2 : valid1", "resets[1] ? product2 : product1")
    .replace(
        "    held_reset <= rst;",
        "    held_reset <= rst;\n    if (rst & ~held_reset & ~resets[1]) resets <= resets + 1;",
    )
    .replace("  reg valid1,", "  reg [1:0] resets = 0;\n  reg valid1,")
)
