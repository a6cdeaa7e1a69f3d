"""The host at the port of a simulated board: the RTL of each shell, bit for bit the reference's."""

import os
import threading
import time
from contextlib import contextmanager

import numpy as np
import pytest
import torch

from multipede.fpga import connect
from multipede.fpga.host import BoardError
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


class TestLostLines:
    @pytest.mark.parametrize("after", [0, 5, 700, 1500])
    def test_a_line_cut_in_mid_transfer_is_opened_again(self, after):
        spec = SYSTEMS["mixpe"]
        inputs = golden_records(spec, 400, seed=7)
        expected = expected_results(spec, inputs).results
        with (
            SimulatedBoard(spec, records=20) as simulated,
            connect(simulated.port, timeout=2.0) as board,
        ):
            simulated.cut_after = after
            found = board.run(inputs)
            assert simulated.cut_after is None, "the line was never cut"
            # Nothing was done twice, nothing left out: sums would show it.
            assert board.counters()["records"] == 400
        for name, array in expected.items():
            np.testing.assert_array_equal(found[name], array)

    def test_what_has_come_is_kept(self):
        inputs = golden_records(PRODUCT, 100, seed=7)
        expected = expected_results(PRODUCT, inputs).results["p"]
        with (
            SimulatedBoard(PRODUCT, records=10) as simulated,
            connect(simulated.port, timeout=0.1) as board,
        ):
            simulated.silent_after = 200
            with pytest.raises(BoardError, match=r"no whole answer within 0.1 s, 4 times") as lost:
                board.run(inputs)
        partial = lost.value.partial["p"]
        assert 10 <= len(partial) < 100
        np.testing.assert_array_equal(partial, expected[: len(partial)])

    @pytest.mark.parametrize("cut", [True, False], ids=["line too", "line kept"])
    def test_a_board_that_began_anew_is_no_surprise(self, cut):
        """Its sums are lost, so that nothing computed from them is told as a result."""
        spec = SYSTEMS["mixpe"]
        inputs = golden_records(spec, 100, seed=7)
        with (
            SimulatedBoard(spec, records=10) as simulated,
            connect(simulated.port, timeout=2.0) as board,
        ):
            board.run(inputs)
            simulated.restart(cut=cut)
            with pytest.raises(BoardError, match=r"began anew: it has taken \d+ records, and 200"):
                board.run(inputs)

    def test_noise_on_the_line(self):
        inputs = golden_records(PRODUCT, 200, seed=7)
        expected = expected_results(PRODUCT, inputs).results["p"]
        with (
            SimulatedBoard(PRODUCT, records=10) as simulated,
            connect(simulated.port, timeout=0.5) as board,
        ):
            simulated.damage = 97
            np.testing.assert_array_equal(board.run(inputs)["p"], expected)
            assert simulated.damaged > 10


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

    def test_another_unit(self):
        with SimulatedBoard(PRODUCT) as simulated:
            with pytest.raises(ValueError, match="is integer_multiplier with fingerprint"):
                connect(simulated.port, spec=SYSTEMS["lmul"])
            # The port was given back.
            connect(simulated.port, spec=PRODUCT).close()


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
