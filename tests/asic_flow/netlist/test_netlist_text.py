"""A netlist in Verilog, as it is written."""

from multipede.asic_flow.n28 import n28_library
from multipede.asic_flow.netlist.netlist_text import netlist_verilog
from tests.asic_flow.hand_netlists import netlist_of

EXPECTED = """\
module top(a, b, y, \\wire , one);
  input a;
  input [1:0] b;
  output y;
  output \\wire ;
  output one;
  wire \\part.n ;
  NAND2_X1 \\part.gate  (
    .A1(a),
    .A2(b[1]),
    .Y(\\part.n )
  );
  INV_X1 last (
    .A(\\part.n ),
    .Y(y)
  );
  assign \\wire  = y;
  assign one = 1'b1;
endmodule
"""


def test_words_escapes_aliases_and_constants():
    made = netlist_of(
        n28_library(),
        "a b0 b1",
        "y",
        {
            "part.gate": ("NAND2_X1", {"A1": "a", "A2": "b1", "Y": "part.n"}),
            "last": ("INV_X1", {"A": "part.n", "Y": "y"}),
        },
    )
    bits = {name: net["bits"][0] for name, net in made["netnames"].items()}
    made["ports"] = {
        "a": {"direction": "input", "bits": [bits["a"]]},
        "b": {"direction": "input", "bits": [bits["b0"], bits["b1"]]},
        "y": {"direction": "output", "bits": [bits["y"]]},
        "wire": {"direction": "output", "bits": [bits["y"]]},
        "one": {"direction": "output", "bits": ["1"]},
    }
    assert netlist_verilog(made, "top") == EXPECTED
