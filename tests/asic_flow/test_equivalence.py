"""Mapped netlists are proved equal to their RTL, and a wrong gate is found out."""

import copy
from dataclasses import replace

import pytest

from multipede.asic_flow.equivalence import prove_netlist
from multipede.asic_flow.liberty.gate_table import gate_library
from multipede.asic_flow.liberty.library import read_liberty
from multipede.asic_flow.n28 import n28_library
from multipede.asic_flow.synthesize import Constraints, synthesize, synthesize_rtlil
from multipede.golden.float_adder import FloatAdder
from multipede.golden.formats import E4M3, FP16, INT5, UINT3
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.golden.mixpe import MixPE
from multipede.golden.multiplier_tile import PartialProducts
from multipede.golden.number_converter import NumberConverter
from multipede.golden.stallable import Stallable
from multipede.hw import Style
from multipede.sim.solver import Answer
from multipede.sim.verilog import rtlil_of
from tests.asic_flow.designs import rtlil

TILE = MixPE(weight=UINT3, activation=INT5, group=8, rows=1, columns=2, lanes=2)
SPECS = [
    IntegerMultiplier(),
    IntegerMultiplier(partial_products=PartialProducts.BOOTH, stages=2),
    TILE,
    Stallable(inside=IntegerMultiplier(a=INT5, b=UINT3)),
    FloatAdder(a=E4M3, b=E4M3, result=E4M3),
    NumberConverter(x=E4M3, result=FP16),
]


@pytest.mark.few(2)
@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_buffered_and_sized_for_a_clock(spec):
    library = n28_library()
    found = synthesize(spec, liberty=library, constraints=Constraints(clock_period=1.5))
    assert prove_netlist(rtlil_of(spec, Style.CELLS), found, library) is Answer.PROVED


@pytest.mark.parametrize("style", [Style.CELLS, Style.CELLS_PREFIX])
def test_by_the_table_of_gates(style):
    found = synthesize(TILE, style)
    assert prove_netlist(rtlil_of(TILE, style), found, gate_library()) is Answer.PROVED


def damaged(found, kind: str, other: str):
    """With the first cell of a type exchanged for another of the same pins."""
    netlist = copy.deepcopy(dict(found.netlist))
    cell = next(cell for cell in netlist["cells"].values() if cell["type"] == kind)
    cell["type"] = other
    return replace(found, netlist=netlist)


@pytest.mark.parametrize(("kind", "other"), [("NAND2_X1", "NOR2_X1"), ("INV_X1", "BUF_X1")])
def test_a_wrong_gate_is_refuted(kind, other):
    library = n28_library()
    found = damaged(synthesize(TILE, liberty=library), kind, other)
    assert prove_netlist(rtlil_of(TILE, Style.CELLS), found, library) is Answer.REFUTED


def test_registers_that_are_not_the_units_are_refused():
    library = n28_library()
    found = synthesize(TILE, liberty=library)
    other = rtlil_of(replace(TILE, group=16), Style.CELLS)
    with pytest.raises(ValueError, match="has no like in the RTL"):
        prove_netlist(other, found, library)


def test_too_small_a_budget_proves_nothing():
    library = n28_library()
    found = synthesize(IntegerMultiplier(), liberty=library)
    rtlil = rtlil_of(IntegerMultiplier(), Style.CELLS)
    assert prove_netlist(rtlil, found, library, budget=0.001) is Answer.UNKNOWN


REGISTERS = """
module top(input clk, rst, en, input [2:0] d, output [2:0] y, output reg [2:0] q);
  reg [2:0] p; initial p = 0;
  always @(posedge clk) begin
    if (rst) q <= 0; else if (en) q <= d;
    p <= q ^ d;
  end
  assign y = p;
endmodule
"""


class TestRegisters:
    """Damage to the registers of a design, in its netlist."""

    @staticmethod
    def proved(damage=lambda netlist: None, rtl: str = REGISTERS) -> Answer:
        library, text = n28_library(), rtlil(rtl)
        found = synthesize_rtlil(text, top="top", liberty=library)
        netlist = copy.deepcopy(dict(found.netlist))
        damage(netlist)
        return prove_netlist(text, replace(found, netlist=netlist), library)

    @staticmethod
    def flip_flops(netlist) -> list[dict]:
        return [c["connections"] for c in netlist["cells"].values() if c["type"].startswith("DFF")]

    def test_without_damage(self):
        assert self.proved() is Answer.PROVED

    def test_swapped(self):
        def swap(netlist):
            one, other, *_ = [pins for pins in self.flip_flops(netlist) if "CN" in pins]
            one["Q"], other["Q"] = other["Q"], one["Q"]

        assert self.proved(swap) is Answer.REFUTED

    def test_a_reset_of_the_other_level(self):
        def damage(netlist):
            for pins in self.flip_flops(netlist):
                if "CN" in pins:
                    pins["CN"] = netlist["ports"]["rst"]["bits"]

        assert self.proved(damage) is Answer.REFUTED

    @pytest.mark.parametrize("other", ["d", "0"])
    def test_another_clock(self, other):
        def damage(netlist):
            bits = netlist["ports"]["d"]["bits"] if other == "d" else ["0"]
            self.flip_flops(netlist)[0]["CK"] = bits[:1]

        with pytest.raises(ValueError, match=r"not all clocked by one input|nothing drives them"):
            self.proved(damage)

    def test_all_on_another_port(self):
        def damage(netlist):
            for pins in self.flip_flops(netlist):
                pins["CK"] = netlist["ports"]["en"]["bits"]

        with pytest.raises(ValueError, match="clocked by another port than the RTL"):
            self.proved(damage)

    @pytest.mark.parametrize("level", ["0", "1"])
    def test_constants_where_registers_were(self, level):
        """What they begin with is no excuse."""

        def damage(netlist):
            lost = netlist["ports"]["y"]["bits"]
            cells = netlist["cells"].items()
            kept = {n: c for n, c in cells if c["connections"].get("Q", ["-"])[0] not in lost}
            assert len(kept) == len(cells) - 3
            netlist["cells"] = kept
            netlist["ports"] = {
                **netlist["ports"],
                "y": {"direction": "output", "bits": [level] * 3},
            }
            netlist["netnames"] = {
                n: v for n, v in netlist["netnames"].items() if n not in ("y", "p")
            }

        with pytest.raises(ValueError, match=r"register .* of the RTL has no like in the netlist"):
            self.proved(damage)

    def test_a_net_without_a_driver(self):
        def damage(netlist):
            name = next(n for n, c in netlist["cells"].items() if c["type"].startswith("XOR"))
            del netlist["cells"][name]

        with pytest.raises(ValueError, match="1 nets of the netlist are read, and nothing drives"):
            self.proved(damage)

    def test_registers_that_never_change_may_be_left_out(self):
        """Two that keep each other at 0, and one that stays 1."""
        rtl = """
        module top(input clk, input d, output y);
          reg a, b, c, q; initial begin a = 0; b = 0; c = 1; q = 0; end
          always @(posedge clk) begin a <= b & d; b <= a & ~d; c <= c | d; q <= d & c ^ a; end
          assign y = q;
        endmodule"""
        assert self.proved(rtl=rtl) is Answer.PROVED

    def test_registers_that_are_alike_may_be_one(self):
        rtl = """
        module top(input clk, input d, output y, z);
          reg a, b; initial begin a = 0; b = 0; end
          always @(posedge clk) begin a <= ~d; b <= ~d; end
          assign y = a, z = b;
        endmodule"""
        assert self.proved(rtl=rtl) is Answer.PROVED


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("name", "clock_period"),
    [
        ("nangate45_typ.lib.gz", 1.0),
        ("sg13g2_typ_1p20V_25C.lib.gz", None),
        pytest.param("sky130hd_tt.lib.gz", None, marks=pytest.mark.regress),
    ],
)
def test_other_libraries(liberty_file, name, clock_period):
    """Flip-flops with inverted outputs in use, and such as have a reset that is tied off."""
    library = read_liberty(liberty_file(name))
    constraints = Constraints(clock_period=clock_period)
    found = synthesize(TILE, liberty=library, constraints=constraints)
    assert prove_netlist(rtlil_of(TILE, Style.CELLS), found, library) is Answer.PROVED
