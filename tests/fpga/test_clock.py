"""A board's whole design at its pins, in Icarus: its clock, its reset, and its serial line."""

import re
from pathlib import Path

import pytest

from multipede.fpga.board_design import BoardDesign
from multipede.fpga.boards import board
from multipede.fpga.serial_line import unframed
from multipede.fpga.shell.description import description
from multipede.fpga.shell.protocol import Command
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.toolchain import find, run
from multipede.toolchain.yosys import run_yosys
from tests.fpga.shell.wire import message

PRODUCT = IntegerMultiplier(stages=2)
BAUD_RATE = 1_000_000
MODELS = Path(__file__).with_name("pll_models.v")
CLOCKS = [
    ("ulx3s-85f", 25),
    ("ulx3s-85f", 50),
    ("ulx3s-25f", 40),
    ("icebreaker", 24),
    ("ice40-hx8k-evn", 48),
    ("tang-nano-9k", 40.5),
]
ALWAYS = (("ulx3s-85f", 50), ("icebreaker", 24), ("tang-nano-9k", 40.5))
BENCH = """
`timescale 1ps / 1ps
module bench;
  localparam integer BIT = {bit};
  reg clock = 0, rx = 1;
  reg [15:0] script [0:{last}];
  wire tx, led;
  // Some pins are declared for both directions.
  wire clock_pin = clock, rx_pin = rx;
  integer index, place, taken;
  reg [7:0] octet;
  top dut (.{clock}(clock_pin), .uart_0__rx__io(rx_pin), .uart_0__tx__io(tx), .led_0__io(led));
  always #({period} / 2) clock = ~clock;
  always @(negedge tx) begin
    #(BIT / 2);
    if (!tx) begin
      for (taken = 0; taken < 8; taken = taken + 1) begin #(BIT) octet[taken] = tx; end
      #(BIT) $display("%0s %02x", tx ? "octet" : "broken", octet);
    end
  end
  initial begin
    $readmemh("script.hex", script);
    for (index = 0; index <= {last}; index = index + 1) begin
      if (script[index][15]) begin
        repeat (script[index][14:0]) #(BIT);
      end else begin
        rx = 0; #(BIT);
        for (place = 0; place < 8; place = place + 1) begin rx = script[index][place]; #(BIT); end
        rx = 1; #(BIT);
      end
    end
    $finish;
  end
endmodule
"""


def answers(design, asked, directory):
    """What comes back from a design's pins for each message, which has so many bytes at most."""
    (clock,) = set(re.findall(r"\bclk\d+_0__io\b", design.rtlil))
    done = run_yosys(
        "read_rtlil top.il\nproc\nmemory_collect\nwrite_verilog -noattr top.v",
        files={"top.il": design.rtlil},
        outputs=["top.v"],
    )
    script = [0x8000 | 20]  # until the clock is steady
    for sent, longest in asked:
        script += [*sent, 0x8000 | 10 * (longest + 20)]
    period = round(1e12 / design.board.clock)
    bench = BENCH.format(bit=10**12 // BAUD_RATE, period=period, clock=clock, last=len(script) - 1)
    (directory / "top.v").write_text(done.outputs["top.v"])
    (directory / "bench.v").write_text(bench)
    (directory / "models.v").write_text(MODELS.read_text())
    (directory / "script.hex").write_text("\n".join(f"{word:x}" for word in script))
    compiled = ["-g2012", "-s", "bench", "-o", "bench.vvp", "bench.v", "models.v", "top.v"]
    run(find("iverilog"), compiled, directory=directory)
    said = run(find("vvp"), ["-n", "bench.vvp"], directory=directory).stdout
    assert "broken" not in said
    received = bytes(int(octet, 16) for octet in re.findall(r"^octet (..)$", said, re.MULTILINE))
    return [content for content in map(unframed, received.split(b"\xc0")) if content is not None]


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("name", "megahertz"),
    [c if c in ALWAYS else pytest.param(*c, marks=pytest.mark.regress) for c in CLOCKS],
)
def test_a_board_answers_at_its_pins(name, megahertz, tmp_path):
    """With its reset gone, at the right rate, and naming its clock."""
    options = {"frequency": megahertz * 1e6, "baud_rate": BAUD_RATE, "records": 4}
    design = BoardDesign.of(PRODUCT, board(name), **options)
    executor = design.shell.executor
    expected = description(executor, board=name, clock=megahertz * 1e6, baud_rate=BAUD_RATE)
    asked, parts = [], [slice(0, 200), slice(200, len(expected))]
    for number, part in enumerate(parts):
        count = part.stop - part.start
        body = part.start.to_bytes(2, "little") + count.to_bytes(2, "little")
        asked.append((message(Command.DESCRIBE, number, body), 2 * count))
    found = answers(design, asked, tmp_path)
    assert [content[:2] for content in found] == [bytes([0, 0]), bytes([0, 1])]
    whole = b"".join(content[2:] for content in found)
    assert whole == expected
