"""The frame that holds a unit's inputs: who gets it, and that it changes no bit and no clock.

Not even where results are looked at twice in a clock, under stalls.
"""

import numpy as np
import pytest

from multipede.golden.float_adder import FloatAdder
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.golden.mixpe import MixPE
from multipede.golden.stallable import Stallable
from multipede.hw import Style
from multipede.sim.compiled import compile_model, compile_verilog
from multipede.sim.held_inputs import held_inputs
from multipede.sim.stimulus import random_records
from multipede.sim.verify import verify
from multipede.sim.verilog import verilog_of
from tests.sim.slow_unit import SlowSpec

TILE = MixPE(rows=1, columns=2, lanes=2, group=8)
UNITS = [TILE, Stallable(inside=TILE), FloatAdder(stages=2), SlowSpec()]


@pytest.mark.parametrize("spec", UNITS, ids=lambda spec: spec.unit)
def test_the_frame_changes_no_bit_and_no_clock(spec):
    verilog = verilog_of(spec, Style.WORD)
    assert held_inputs(verilog, spec, mutants=False) is not None
    models = [compile_model(spec), compile_verilog(verilog, spec)]
    inputs = random_records(spec, 2000, seed=5)
    compared = 0
    for gaps in (0.0, 0.4):
        for stalls in (0.0, 0.5) if spec.stallable else (0.0,):
            for model in models:
                model.reset(turn=3)
            held, plain = (model.run(inputs, gaps=gaps, stalls=stalls, seed=2) for model in models)
            assert held.cycles == plain.cycles
            for port in spec.outputs:
                assert np.array_equal(held[port], plain[port])
                compared += held[port].size
    assert compared > 500


def test_what_has_no_clock_gets_none():
    spec = IntegerMultiplier(stages=0)
    assert held_inputs(verilog_of(spec, Style.WORD), spec, mutants=False) is None


INVERTED_CLOCK = """
      module integer_multiplier (clk, rst, i_valid, i_payload, o_valid, o_payload);
        input clk, rst, i_valid; input [15:0] i_payload;
        output reg o_valid; output reg [15:0] o_payload;
        wire inverted = ~clk;
        reg valid; reg [15:0] payload;
        wire signed [7:0] a = payload[7:0], b = payload[15:8];
        always @(posedge inverted) begin valid <= i_valid && !rst; payload <= i_payload; end
        always @(posedge clk) begin o_valid <= valid && !rst; o_payload <= a * b; end
      endmodule"""


@pytest.mark.parametrize("latency", [1, 2])
def test_verilog_of_another_hand_does_without(latency):
    """It may take its inputs with the other edge: this one has a latency of one clock."""
    spec = IntegerMultiplier(stages=latency)
    report = verify(spec, verilog={"theirs": INVERTED_CLOCK}, records=500, waveform=False)
    assert report.passed == (latency == 1)
