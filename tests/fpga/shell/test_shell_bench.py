"""The shell at its pins, under cocotb: whole, damaged, cut and oversized messages."""

import json
import os
import random
import sys
from pathlib import Path

from multipede.fpga.shell.protocol import Command, Status
from multipede.fpga.simulated_board import shell_verilog
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.toolchain import run
from tests.fpga.shell.test_shell import factors, products
from tests.fpga.shell.wire import message

ROOT = Path(__file__).parents[3]
CASES = (
    "at_the_board_s_rate",
    "at_a_slower_rate",
    "at_a_faster_rate",
    "after_breaks_and_glitches",
    "with_resets_in_the_middle",
)
DIVISOR, RECORDS, SEED = 25, 4, 11


def exchanges() -> list[dict[str, str]]:
    """What is sent and what must come back, in turn."""
    generator = random.Random(SEED)
    print("seed", SEED)
    pairs = []

    def add(sent: bytes, answer: bytes) -> None:
        pairs.append({"sent": sent.hex(), "answer": answer.hex()})

    for number in range(8):
        body = factors(generator, generator.randrange(1, RECORDS + 1))
        whole = message(Command.RUN, number, body)
        add(whole, message(Status.DONE, number, products(body)))
        wrong = {
            0: (whole[:1] + bytes([whole[1] ^ 8]) + whole[2:], Status.DAMAGED, None),
            1: (whole[:5] + b"\xc0", Status.DAMAGED, None),
            2: (message(Command.RUN, 9, factors(generator, 60)), Status.TOO_LONG, 9),
            3: (message(Command.RUN, 9, body[:-1]), Status.WRONG_LENGTH, 9),
            4: (message(77, 9), Status.UNKNOWN, 9),
            5: (whole[1:-1], None, None),
            6: (b"\xc0\xc0\xc0", None, None),
            7: (whole, None, None),
        }[number]
        sent, status, echo = wrong
        if number == 7:
            # Again, and so not done again; the answer is the same.
            add(sent, message(Status.DONE, number, products(body)))
        elif status is None:
            add(sent, b"")
        else:
            add(sent, message(status, number if echo is None else echo))
    return pairs


def test_at_the_pins(tmp_path):
    spec = IntegerMultiplier(stages=2)
    (tmp_path / "board.v").write_text(shell_verilog(spec, records=RECORDS, divisor=DIVISOR))
    pairs = exchanges()
    assert len(pairs) == 16
    vectors, done = tmp_path / "vectors.json", tmp_path / "done"
    vectors.write_text(json.dumps({"divisor": DIVISOR, "exchanges": pairs}))
    job = {
        "simulator": "icarus",
        "sources": [str(tmp_path / "board.v")],
        "top": "board",
        "pins": ["clk", "rst", "rx", "tx"],
        "directory": str(tmp_path / "build"),
        "waves": False,
    }
    _act("build", job, tmp_path)
    job = {
        "simulator": "icarus",
        "top": "board",
        "build": str(tmp_path / "build"),
        "directory": str(tmp_path),
        "cases": CASES,
        "waves": False,
        "module": "tests.fpga.shell.shell_bench",
    }
    environment = {"SHELL_VECTORS": str(vectors), "SHELL_DONE": str(done)}
    _act("run", job, tmp_path, environment)
    # Each case says how far it came.
    assert done.read_text().split() == ["16", "6", "6", "4", "4"]


def _act(action: str, job: dict, place: Path, environment: dict[str, str] | None = None) -> None:
    """In a process of its own, as cocotb's runner changes the one that it is in."""
    description = place / f"{action}.json"
    description.write_text(json.dumps(job))
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    run(
        [sys.executable, "-m", "multipede.sim.cocotb_run"],
        [action, str(description)],
        directory=place,
        environment={"PYTHONPATH": path, **(environment or {})},
        timeout=300,
    )
