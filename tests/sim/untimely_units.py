"""Units in Verilog whose results are right and come at the wrong time."""

import re
from collections.abc import Mapping

from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.golden.mixpe import MixPE
from multipede.golden.spec import Port
from multipede.hw import Style
from multipede.sim.verilog import verilog_of

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

TILE = MixPE(rows=1, columns=2, lanes=2, group=8)

_WRAPPER = """
module mixpe (
  input clk, rst, i_valid, input [INPUTS:0] i_payload, output o_valid, output [OUTPUTS:0] o_payload
);
  wire valid;
  wire [OUTPUTS:0] result;
  inner unit (.clk(clk), .rst(rst), .i_valid(i_valid), .i_payload(i_payload),
              .o_valid(valid), .o_payload(result));
  reg late;
  reg [OUTPUTS:0] kept;
  wire delayed = valid & i_valid & ~i_payload[LAST];
  always @(posedge clk) begin
    late <= delayed & ~rst;
    kept <= result;
  end
  assign o_valid = valid & ~delayed | late;
  assign o_payload = late ? kept : result;
endmodule
"""


def tile_that_delays_results() -> str:
    """A tile whose result comes a clock later wherever a record that gives none follows.

    Each result still comes ``latency`` clocks behind some record, and streams that pause or end
    behind a result see nothing of it.
    """
    assert list(TILE.inputs)[-1] == "last"
    highest = {"INPUTS": _bits(TILE.inputs) - 1, "OUTPUTS": _bits(TILE.outputs) - 1}
    wrapper = _WRAPPER
    for name, bit in (highest | {"LAST": highest["INPUTS"]}).items():
        wrapper = wrapper.replace(name, str(bit))
    return wrapper + re.sub(r"\bmodule mixpe\b", "module inner", verilog_of(TILE, Style.WORD))


def _bits(ports: Mapping[str, Port]) -> int:
    return sum(port.bits for port in ports.values())
