"""The host at the port of a simulated board: the RTL of each shell, bit for bit the reference's."""

import os
import threading
import time
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from amaranth import UnusedElaboratable

from multipede.fpga import connect
from multipede.fpga.host import BoardError
from multipede.fpga.shell.executor import Executor
from multipede.fpga.shell.protocol import MAGIC
from multipede.fpga.simulated_board import SimulatedBoard
from multipede.golden.catalogue import UNITS
from multipede.golden.float_adder import FloatAdder
from multipede.golden.formats import BF16, FP16, INT8, UINT2, FixedPoint
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.golden.integer_tile import TileOutput
from multipede.golden.lmul import LMul
from multipede.golden.lut_tensor_core import LutTensorCore
from multipede.golden.mixpe import MixPE
from multipede.golden.quadinr import QuadINR
from multipede.golden.small_units import small_unit
from multipede.sim.compiled import compile_model
from multipede.sim.expected import expected_results
from multipede.sim.vectors import golden_records

PRODUCT = IntegerMultiplier(stages=2)
SYSTEMS = {
    "mixpe": MixPE(rows=2, columns=2, lanes=4, group=16),
    "lookup": LutTensorCore(weight=UINT2, activation=INT8, rows=1, columns=4, lanes=4, group=16),
    "lmul": LMul(format=BF16, stages=2),
    "quadinr": QuadINR(x=FixedPoint(16, 12), result=FixedPoint(16, 14), stages=3),
    "float16": FloatAdder(a=FP16, b=FP16, result=FP16, stages=3),
    "dequantised": MixPE(rows=1, columns=2, lanes=4, group=16, output=TileOutput.DEQUANTISED),
}

ALWAYS = ("mixpe", "lookup", "lmul", "quadinr")


def check(spec, *, records=2000, seed=3):
    inputs = golden_records(spec, records, seed=seed)
    expected = expected_results(spec, inputs).results
    with SimulatedBoard(spec) as simulated, connect(simulated.port, spec=spec) as board:
        found = board.run(inputs)
        counted = board.counters()
    count = len(next(iter(expected.values())))
    assert count > records // 20
    assert list(found) == list(spec.outputs)
    for name, array in expected.items():
        assert found[name].dtype == np.int64
        np.testing.assert_array_equal(found[name], array)
    assert (counted["records"], counted["results"]) == (records, count)


@pytest.mark.few(2)
@pytest.mark.parametrize(
    "name",
    [n if n in ALWAYS else pytest.param(n, marks=pytest.mark.regress) for n in SYSTEMS],
)
def test_what_comes_over_the_wire_is_the_reference_s(name):
    check(SYSTEMS[name])


@pytest.mark.regress
@pytest.mark.parametrize("name", UNITS)
def test_every_unit(name):
    check(small_unit(name))


def test_as_the_vector_simulator(tmp_path):
    """Arrays by name, of any integer dtype, the state going on from run to run."""
    spec = SYSTEMS["mixpe"]
    inputs = golden_records(spec, 300, seed=5)
    model = compile_model(spec)
    with SimulatedBoard(spec, records=7) as simulated, connect(simulated.port) as board:
        assert board.spec == spec
        for part in (slice(0, 100), slice(100, 101), slice(101, 300)):
            chunk = {name: array[part].astype(np.int32) for name, array in inputs.items()}
            expected = model.run({name: array[part] for name, array in inputs.items()})
            found = board.run(**chunk)
            for port in spec.outputs:
                np.testing.assert_array_equal(found[port], expected[port])
        board.reset()
        assert board.counters()["records"] == 0


def test_a_run_is_done_however_much_is_asked_before_it():
    spec = SYSTEMS["mixpe"]
    inputs = golden_records(spec, 2, seed=5)
    with SimulatedBoard(spec) as simulated, connect(simulated.port) as board:
        for number in range(1, 4):
            board.run(inputs)
            for _ in range(255):
                assert board.counters()["records"] == 2 * number


def test_no_records():
    with SimulatedBoard(PRODUCT) as simulated, connect(simulated.port) as board:
        nothing = np.empty(0, np.int64)
        assert board.run(a=nothing, b=nothing)["p"].shape == (0,)


def test_a_layer_of_a_network_on_the_board():
    """Real data: pixels of an image through QuadINR's activation, against the reference."""
    spec = SYSTEMS["quadinr"]
    from skimage import data

    pixels = data.camera()[::16, ::16].ravel().astype(np.float64) / 64 - 2
    codes = np.asarray(spec.x.encode(pixels), np.int64)
    expected, _ = spec.reference(x=torch.from_numpy(codes))
    with SimulatedBoard(spec) as simulated, connect(simulated.port) as board:
        found = board.run(x=codes)
    ((port, array),) = expected.items()
    assert len(codes) == 1024
    np.testing.assert_array_equal(found[port], array.numpy())


@contextmanager
def on_a_board(spec, *, records, timeout):
    simulated = SimulatedBoard(spec, records=records)
    with simulated, connect(simulated.port, timeout=timeout) as board:
        yield simulated, board


class TestWhatIsNotThere:
    def test_no_port(self, tmp_path):
        with pytest.raises(BoardError, match=r"ttyNONE cannot be opened: No such file"):
            connect(str(tmp_path / "ttyNONE"))

    def test_a_port_that_is_none(self, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(BoardError, match="file cannot be opened"):
            connect(str(tmp_path / "file"))

    def test_a_busy_port(self):
        busy = pytest.raises(BoardError, match="cannot be opened: another program uses it")
        with SimulatedBoard(PRODUCT) as simulated, connect(simulated.port), busy:
            connect(simulated.port)

    def test_nobody_answers(self):
        master, slave = os.openpty()
        start = time.monotonic()
        with pytest.raises(BoardError, match=r"no whole answer within 0.1 s, 4 times in turn"):
            connect(os.ttyname(slave), timeout=0.1)
        assert time.monotonic() - start < 5
        os.close(master)
        os.close(slave)

    def test_something_else_answers(self):
        """An echo: what comes back has the number, and is no answer of ours."""
        master, slave = os.openpty()

        def echo():
            try:
                while True:
                    os.write(master, os.read(master, 100))
            except OSError:
                pass

        thread = threading.Thread(target=echo, daemon=True)
        thread.start()
        with pytest.raises(BoardError):
            connect(os.ttyname(slave), timeout=0.1)
        os.close(slave)
        os.close(master)

    @pytest.mark.parametrize("said", [b"$GPGGA,1,2\r\n", b"\xc0"], ids=["GPS", "ends"])
    def test_something_that_never_stops(self, said):
        master, slave = os.openpty()
        stop = threading.Event()

        def chatter():
            while not stop.wait(0.02):
                os.write(master, said)

        thread = threading.Thread(target=chatter, daemon=True)
        thread.start()
        start = time.monotonic()
        try:
            with pytest.raises(BoardError, match=r"no whole answer within 0\.2 s, 4 times"):
                connect(os.ttyname(slave), timeout=0.2)
            assert time.monotonic() - start < 10
        finally:
            stop.set()
            thread.join()
            os.close(slave)
            os.close(master)

    @pytest.mark.parametrize(
        ("described", "said"),
        [(b"rubbish", "cannot be read"), (zlib.compress(b"[]"), "cannot be read")],
    )
    def test_a_board_that_says_nothing_of_itself(self, monkeypatch, described, said):
        content = MAGIC + len(described).to_bytes(4, "little") + described

        def answers(self, command, number, body, *, longest):
            offset, count = (int.from_bytes(body[n : n + 2], "little") for n in (0, 2))
            return content[offset : offset + count]

        monkeypatch.setattr("multipede.fpga.serial_line.SerialLine.ask", answers)
        with SimulatedBoard(PRODUCT) as simulated, pytest.raises(BoardError, match=said):
            connect(simulated.port)

    def test_a_board_that_is_closed(self):
        with SimulatedBoard(PRODUCT) as simulated:
            with connect(simulated.port) as board:
                pass
            for ask in (board.counters, board.reset, lambda: board.run(a=[1], b=[2])):
                with pytest.raises(BoardError, match="was closed: connect to it again"):
                    ask()
            connect(simulated.port).close()

    def test_another_unit(self):
        with SimulatedBoard(PRODUCT) as simulated:
            with pytest.raises(ValueError, match="is integer_multiplier with fingerprint"):
                connect(simulated.port, spec=SYSTEMS["lmul"])
            # The port was given back.
            connect(simulated.port, spec=PRODUCT).close()


def test_threads_share_a_board():
    """State is that of runs one after the other, in some order."""
    inputs = golden_records(PRODUCT, 300, seed=7)
    expected = expected_results(PRODUCT, inputs).results["p"]
    with on_a_board(PRODUCT, records=7, timeout=2.0) as (_, board), ThreadPoolExecutor(3) as pool:
        runs = [pool.submit(board.run, inputs) for _ in range(3)]
        counts = [pool.submit(board.counters) for _ in range(5)]
        for run in runs:
            np.testing.assert_array_equal(run.result()["p"], expected)
        assert all(count.result()["records"] % 7 in (0, 6, 5, 4) for count in counts)
        assert board.counters()["records"] == 900


class TestCounters:
    def test_a_unit_that_waits_for_nothing(self):
        """Three bytes of a result are written while four clocks bring the next record."""
        with on_a_board(PRODUCT, records=100, timeout=2.0) as (_, board):
            board.run(golden_records(PRODUCT, 1000, seed=7))
            counted = board.counters()
        assert (counted["input_stalls"], counted["output_stalls"]) == (0, 0)
        assert counted["records"] == counted["results"] == 1000

    def test_a_unit_whose_results_are_wide(self):
        """They hold up each other, and then records."""
        spec = MixPE(rows=4, columns=4, lanes=2, group=2)
        with on_a_board(spec, records=20, timeout=2.0) as (_, board):
            board.run(golden_records(spec, 200, seed=7))
            counted = board.counters()
        clocks, stalls = counted["clocks"], counted["output_stalls"]
        assert counted["records"] == 200
        assert 0.5 * clocks < stalls < clocks
        assert 0.2 * clocks < counted["input_stalls"] < clocks

    @pytest.mark.few(2)
    @pytest.mark.parametrize(
        "spec",
        [
            PRODUCT,
            MixPE(rows=4, columns=4, lanes=2, group=2),
            MixPE(rows=3, columns=5, lanes=3, group=3),
            MixPE(rows=2, columns=2, lanes=8, group=64),
        ],
        ids=["both narrow", "wide results", "both wide", "wide records"],
    )
    def test_clocks_of_a_record_are_those_that_are_said(self, spec):
        """Which the table of what fits a board is made of; messages begin and end besides."""
        with on_a_board(spec, records=40, timeout=2.0) as (_, board):
            board.run(golden_records(spec, 4000, seed=7))
            clocks = board.counters()["clocks"]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UnusedElaboratable)
            executor = Executor(spec, records=40)
        apart = (clocks - 100 * (executor.drain + spec.latency)) / 4000
        assert apart == pytest.approx(executor.record_clocks, rel=0.05, abs=0.5)


def test_results_that_come_long_after_the_records():
    """Longer than what is waited for anyway."""
    ranks = {"stages": 16, "dequantiser_stages": 8, "output": TileOutput.DEQUANTISED}
    spec = MixPE(rows=1, columns=1, lanes=2, group=2, **ranks)
    assert spec.latency == 26
    check(spec, records=40)


class TestParameters:
    @pytest.mark.parametrize(
        ("options", "error", "message"),
        [
            ({"port": 5}, TypeError, "port"),
            ({"spec": "mixpe"}, TypeError, "spec"),
            ({"baud_rate": 1.5}, TypeError, "baud_rate"),
            ({"baud_rate": 0}, ValueError, "baud_rate = 0"),
            ({"timeout": "1"}, TypeError, "timeout"),
            ({"timeout": 0}, ValueError, "timeout = 0"),
            ({"reconnect": -1}, ValueError, "reconnect = -1"),
        ],
    )
    def test_wrong(self, options, error, message):
        with pytest.raises(error, match=message):
            connect(**{"port": "/dev/null", **options})

    def test_wrong_records(self):
        with SimulatedBoard(PRODUCT) as simulated, connect(simulated.port) as board:
            with pytest.raises(ValueError, match="a"):
                board.run(a=np.array([300]), b=np.array([1]))
            with pytest.raises(TypeError, match="integers"):
                board.run(a=np.array([1.0]), b=np.array([1.0]))
            assert board.run(a=np.array([-3]), b=np.array([5]))["p"] == -15
