"""The command line's words for FPGAs."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from multipede import cli
from multipede.cost_model.evidence import Kind
from multipede.cost_model.findings import of_trial
from multipede.fpga import Build, SimulatedBoard, connect, try_board
from multipede.fpga.nextpnr import Placement
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.golden.mixpe import MixPE

UNIT = ["integer_multiplier", "-p", "stages=2"]
PRODUCT = IntegerMultiplier(stages=2)


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    status = cli.main(list(arguments))
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_route(capsys):
    status, out, _ = run(capsys, "route", *UNIT, "--chip", "ecp5-25f", "--seeds", "2", "--json")
    (document,) = json.loads(out)
    assert status == 0
    assert [placement["seed"] for placement in document["placements"]] == [1, 2]
    status, out, _ = run(capsys, "route", *UNIT, "--seeds", "2")
    assert status == 0
    assert f"{document['frequency']:.1f}  MHz, median of 2 seeds" in out


def test_boards(capsys):
    status, out, _ = run(capsys, "boards")
    assert status == 0
    assert re.search(r"ulx3s-85f +Radiona ULX3S 85F +25 MHz +bitstream", out)
    assert re.search(r"vcu128 .* directory for Vivado", out)
    documents = json.loads(run(capsys, "boards", "--json")[1])
    assert {board["chip"] for board in documents["boards"]} <= {
        c["name"] for c in documents["chips"]
    }


def test_build(capsys, tmp_path):
    place = tmp_path / "x.bin"
    asked = ["build", *UNIT, "--records", "4", "--seeds", "1", "-o", str(place)]
    status, out, _ = run(capsys, *asked, "--board", "icebreaker")
    assert status == 0
    assert f"written: {place}" in out
    assert place.stat().st_size > 50_000


def test_no_dsp(capsys):
    inferred = [*UNIT, "-p", "partial_products=inferred", "--target", "ecp5", "--json"]
    (document,) = json.loads(run(capsys, "synthesize", *inferred)[1])
    assert document["by_kind"]["dsp"] == 1
    (document,) = json.loads(run(capsys, "synthesize", *inferred, "--no-dsp")[1])
    assert document["by_kind"]["dsp"] == 0


def test_try(capsys):
    with SimulatedBoard(PRODUCT) as board:
        status, out, _ = run(capsys, "try", board.port, "--records", "500")
        assert status == 0
        assert "500 records, 500 results: all are the reference's" in out
        document = json.loads(run(capsys, "try", board.port, "--records", "500", "--json")[1])
    assert document["passed"]
    assert document["counters"]["records"] == 500


class _Wrong:
    """A board one of whose results has another bit."""

    def __init__(self, board):
        self._board = board

    def __getattr__(self, name):
        return getattr(self._board, name)

    def run(self, inputs):
        found = {port: array.copy() for port, array in self._board.run(inputs).items()}
        array = found["p"]
        array[len(array) // 2] ^= 1
        return found


def test_a_wrong_result_is_seen():
    with SimulatedBoard(PRODUCT) as simulated, connect(simulated.port) as board:
        trial = try_board(_Wrong(board), records=300)
        assert (trial.wrong, trial.passed) == (1, False)
        assert "1 are wrong" in str(trial)
        # A simulated board is no evidence of a board; another one is, for or against.
        assert of_trial(trial) == []
        board.description["board"] = "ulx3s-85f"
        (bad,) = of_trial(try_board(_Wrong(board), records=300))
        (good,) = of_trial(try_board(board, records=300))
    assert (bad.kind, bad.passed) == (Kind.ON_A_BOARD.value, False)
    assert good.passed
    assert good.summary == "ulx3s-85f, 4 MHz: 300 results, right"


@pytest.mark.parametrize(
    ("asked", "said"), [({"seed": -1}, "seed = -1"), ({"records": 0}, "records = 0")]
)
def test_trials_of_nothing(asked, said):
    with pytest.raises(ValueError, match=said):
        try_board(None, **asked)


def test_too_few_results_are_wrong():
    tile = MixPE(rows=1, columns=1, lanes=2, group=4)
    with SimulatedBoard(tile) as simulated, connect(simulated.port) as board:

        class Short(_Wrong):
            def run(self, inputs):
                return {port: array[:-1] for port, array in self._board.run(inputs).items()}

        assert not try_board(Short(board), records=100).passed


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["route", *UNIT, "--chip", "x"], "chip = 'x': allowed are ecp5-25f"),
        (["route", *UNIT, "--chip", "xcvu37p"], "no open tool places and routes for it"),
        (["route", *UNIT, "--seeds", "0"], "seeds = 0"),
        (["build", *UNIT, "--board", "x"], "board = 'x': allowed are ulx3s-25f"),
        (["build", *UNIT], "--board"),
        (
            ["build", *UNIT, "--board", "icebreaker", "-o", "nowhere/x"],
            "there is no directory nowhere",
        ),
        (["try", "/dev/ttyNONE"], "/dev/ttyNONE cannot be opened: No such file"),
        (["synthesize", *UNIT, "--no-dsp"], "--no-dsp needs a target that has DSP blocks"),
    ],
)
def test_one_clear_line(capsys, arguments, said):
    status, out, err = run(capsys, *arguments)
    assert status == 2
    assert out == ""
    assert said in err
    assert len(err.splitlines()) == 1


def test_simulate_board_until_ctrl_c():
    """A process of its own, as a user has it; the host is in this one."""
    command = [sys.executable, "-m", "multipede", "simulate-board", *UNIT]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        port = process.stdout.readline().split()[2]
        with connect(port) as board:
            assert board.spec == PRODUCT
            assert board.run(a=np.array([7]), b=np.array([-6]))["p"] == -42
    finally:
        process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130
    time.sleep(0.1)
    assert not os.path.lexists(port)


def test_a_missed_clock_is_a_failure(capsys, monkeypatch):
    placed = Placement(1, 10.0, {"lut": 5}, ())
    missed = Build("x", "icebreaker", 12.0, 1_000_000, 4, (placed,), None, None, "tools")
    monkeypatch.setattr("multipede.fpga.build_for", lambda *_, **__: missed)
    status, out, _ = run(capsys, "build", *UNIT, "--board", "icebreaker")
    assert status == 1
    assert "misses the clock by 2.0 MHz: no bitstream is written" in out
