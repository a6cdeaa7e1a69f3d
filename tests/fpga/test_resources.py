"""FPGA resources: tiny designs counted by hand, no DSP blocks, nothing left uncounted."""

import json
import sys
from importlib.resources import files

import pytest

from multipede.fpga.devices import DEVICES, device
from multipede.fpga.resources import count_resources, resources, resources_of_rtlil
from multipede.golden.cordic_sine import CordicSine
from multipede.golden.formats import INT2, INT3, INT4, INT5, UINT3, FixedPoint
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.golden.mixpe import MixPE
from multipede.golden.multiplier_tile import MultiplierTile, PartialProducts
from multipede.golden.stallable import Stallable
from multipede.hw import Style, inventory
from multipede.toolchain import ToolError
from multipede.toolchain.cost import CostMethod
from multipede.toolchain.yosys import run_yosys

SMALL = MixPE(weight=UINT3, activation=INT5, group=8, rows=1, columns=2, lanes=2)
BOOTH = PartialProducts.BOOTH
PAIR = {"weight": INT4, "partial_products": BOOTH, "group": 8, "rows": 1, "columns": 2, "lanes": 2}


def counted(verilog: str, device: str, **options) -> dict[str, int]:
    result = run_yosys(
        "read_verilog top.v; proc; write_rtlil top.il",
        files={"top.v": verilog},
        outputs=["top.il"],
    )
    found = resources_of_rtlil(result.outputs["top.il"], top="top", device=device, **options)
    return {kind: number for kind, number in found.by_kind.items() if number}


def gate(inputs: int) -> str:
    return f"module top(input [{inputs - 1}:0] a, output y); assign y = &a; endmodule"


REGISTER = """
module top(input clk, input [2:0] d, output reg [2:0] q);
  always @(posedge clk) q <= d;
endmodule
"""
ADDER = "module top(input [7:0] a, b, output [7:0] s); assign s = a + b; endmodule"
TREE = """
module top(input [7:0] a, b, c, d, output [7:0] s);
  assign s = (a + b) + (c - d);
endmodule
"""
PRODUCT = "module top(input [7:0] a, b, output [15:0] p); assign p = a * b; endmodule"
MEMORY = """
module top(input clk, we, input [4:0] to, from, input [13:0] d, output [13:0] q);
  reg [13:0] words [0:31];
  always @(posedge clk) if (we) words[to] <= d;
  assign q = words[from];
endmodule
"""
SHARED = """
module part(input [3:0] a, output y); assign y = &a; endmodule
module top(input [11:0] a, output [2:0] y);
  part p0(a[3:0], y[0]); part p1(a[7:4], y[1]); part p2(a[11:8], y[2]);
endmodule
"""


# What each of them takes by hand, device by device: ecp5, ice40, gowin, xc7, xcup.
BY_HAND = {
    "and4": (gate(4), *[{"lut": 1}] * 5),
    # Six inputs: look-up tables of four, of which iCE40 and Gowin get three, two of them side by
    # side; or one of six.
    "and6": (gate(6), {"lut": 2}, {"lut": 3}, {"lut": 3}, {"lut": 1}, {"lut": 1}),
    "register": (REGISTER, *[{"ff": 3}] * 5),
    # A CCU2C holds two bits in the place of two look-up tables, a CARRY4 four, an ALU one in the
    # place of one; an SB_CARRY stands beside its table, and the top bit needs none.
    "adder": (
        ADDER,
        {"lut": 8, "carry": 4},
        {"lut": 8, "carry": 7},
        {"lut": 8, "carry": 8},
        {"lut": 8, "carry": 2},
        {"lut": 8, "carry": 2},
    ),
    # Three adders of eight bits each, and no compressor made of look-up tables. What is subtracted
    # is inverted for an SB_CARRY by tables of their own, but for the lowest or the highest bit.
    "tree": (
        TREE,
        {"lut": 24, "carry": 12},
        {"lut": 31, "carry": 21},
        {"lut": 24, "carry": 24},
        {"lut": 24, "carry": 6},
        {"lut": 24, "carry": 6},
    ),
    "shared": (SHARED, *[{"lut": 3}] * 5),
    # Two banks of four memories of 16 x 4 in the place of four look-up tables each, the choice of
    # 14 bits and two enables; or memories of 32 x 6 in four LUT6 each, or of 32 x 14 in eight.
    "memory": (
        MEMORY,
        {"lut": 48, "lutram": 8},
        None,
        {"lut": 48, "lutram": 32},
        {"lut": 12, "lutram": 12},
        {"lut": 8, "lutram": 8},
    ),
    # Of 8 x 8 bits; on Gowin of 9 x 9.
    "product": (PRODUCT, *[{"dsp": 1}] * 5),
}


class TestByHand:
    # The two families of Xilinx differ in their memories.
    @pytest.mark.few(9)
    @pytest.mark.parametrize(
        "device", [pytest.param(n, marks=[pytest.mark.regress] * (n == "xc7")) for n in DEVICES]
    )
    @pytest.mark.parametrize("design", BY_HAND)
    def test_counts(self, design, device):
        verilog, *counts = BY_HAND[design]
        expected = dict(zip(DEVICES, counts, strict=True))[device]
        if expected is None:  # iCE40 has no small memories: words in registers
            expected = {"ff": 32 * 14}
            assert {"ff": counted(verilog, device)["ff"]} == expected
        else:
            assert counted(verilog, device) == expected

    @pytest.mark.few(3)
    @pytest.mark.parametrize("name", DEVICES)
    def test_products_take_no_dsp_if_told_so(self, name):
        found = counted(PRODUCT, name, dsp=False)
        assert "dsp" not in found
        assert found["lut"] > 40


SUMS = """
module top(input signed [3:0] a, b, input [5:0] c, d, output [6:0] w, x, y, z);
  assign w = a + b, x = a - b, y = c + d, z = c - a;
endmodule
"""


def test_carry_chains_keep_what_is_computed():
    """Counts are the same for a sum and a difference, so they would not show it."""
    run_yosys(
        "read_verilog top.v; copy top gold; techmap -map carry_chains.v top\n"
        "select -assert-none top/t:$add top/t:$sub; select -assert-count 4 top/t:$alu\n"
        "miter -equiv -flatten gold top miter; sat -verify -prove trigger 0 miter",
        files={
            "top.v": SUMS,
            "carry_chains.v": (files("multipede.fpga") / "carry_chains.v").read_text(),
        },
    )


class TestUnits:
    @pytest.mark.parametrize(
        ("name", "style"), [("ecp5", Style.WORD), ("ecp5", Style.CELLS), ("xcup", Style.WORD)]
    )
    def test_registers_are_those_of_the_inventory(self, name, style):
        found = resources(SMALL, device=name, style=style)
        assert found.ff == inventory(SMALL, style=style)["register"]
        assert found.dsp == 0
        assert found.lut > 0

    @pytest.mark.few(2)
    @pytest.mark.parametrize("name", DEVICES)
    def test_the_queue_of_a_stallable_unit_is_memory(self, name):
        found = resources(Stallable(inside=SMALL), device=name)
        # iCE40 has no small memories.
        assert (found.by_kind.get("lutram", 0) > 0) == (name != "ice40")
        assert found.lut > resources(SMALL, device=name).lut

    def test_the_baseline_takes_no_dsp_either(self):
        assert resources(MultiplierTile(group=2, rows=1, columns=1, lanes=1)).dsp == 0

    @pytest.mark.few(2)
    @pytest.mark.parametrize("name", DEVICES)
    def test_products_left_to_synthesis_go_into_dsp_blocks(self, name):
        tile = MultiplierTile(
            group=2, rows=1, columns=2, lanes=2, partial_products=PartialProducts.INFERRED
        )
        found = resources(tile, device=name)
        assert found.dsp == 4
        without = resources(tile, device=name, dsp=False)
        assert without.dsp == 0
        assert without.lut > found.lut

    @pytest.mark.parametrize(
        "spec",
        [
            MultiplierTile(activation=INT2, **PAIR),
            IntegerMultiplier(a=INT3, b=INT4, partial_products=BOOTH),
            *(
                pytest.param(spec, marks=pytest.mark.regress)
                for spec in (
                    MultiplierTile(activation=INT4, **PAIR),
                    MultiplierTile(activation=INT2, **PAIR | {"rows": 2, "lanes": 4}),
                    IntegerMultiplier(a=INT4, b=INT4, partial_products=BOOTH),
                )
            ),
        ],
        ids=str,
    )
    def test_small_booth_products_do_not_break_the_mapping(self, spec):
        """Unless they are cleaned up first, synth_ecp5 fails an assertion of its own on tiles."""
        found = resources(spec, device="ecp5")
        assert found.ff == inventory(spec)["register"]
        assert found.dsp == 0
        assert found.lut > 0

    def test_costs_say_how_they_came_about(self):
        cost = resources(SMALL, device="ecp5").costs[0]
        assert (cost.quantity, cost.unit, cost.target) == ("lut", "LUT4", "ecp5")
        assert cost.method is CostMethod.SYNTHESISED
        assert "synth_ecp5 -noflatten -nowidelut, " in cost.source
        assert cost.style == "word"
        assert len(cost.rtlil_digest) == 64

    def test_as_json_and_text(self):
        found = resources(SMALL)
        described = json.loads(json.dumps(found.to_dict()))
        assert described["by_kind"] == found.by_kind
        for expected in ("mixpe", "ecp5", "LUT per multiply-accumulate", "dsp", found.method):
            assert expected in str(found)

    def test_a_second_time_from_the_cache(self, monkeypatch):
        first = resources(SMALL)
        monkeypatch.setattr(sys.modules[resources.__module__], "run_yosys", None)
        assert resources(SMALL) == first


class TestBadInput:
    def test_an_unknown_device(self):
        with pytest.raises(
            ValueError, match=r"device = 'virtex': allowed are ecp5, ice40, gowin, xc7"
        ):
            resources(SMALL, device="virtex")

    def test_dsp_is_a_bool(self):
        with pytest.raises(TypeError, match="dsp"):
            resources(SMALL, dsp="no")

    def test_a_cell_that_the_table_does_not_know_is_not_left_uncounted(self):
        with pytest.raises(ToolError, match="ecp5: the netlist holds 2 NOVELTY, an unknown cell"):
            count_resources(device("ecp5"), {"LUT4": 1, "NOVELTY": 2})


def test_operands_of_which_nothing_is_left():
    """Yosys leaves an adder whose operand is 0 with an operand of no width."""
    spec = CordicSine(x=FixedPoint(8, 4), result=FixedPoint(8, 6), stages=3)
    assert resources(spec, device="xcup").lut > 100
