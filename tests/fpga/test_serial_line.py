"""Lines that are lost, slow, damaged or late: nothing is done twice, nothing that came is lost."""

import numpy as np
import pytest

from multipede.fpga import connect
from multipede.fpga.host import BoardError
from multipede.fpga.serial_line import framed
from multipede.fpga.simulated_board import SimulatedBoard
from multipede.golden.formats import UINT8
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.sim.expected import expected_results
from multipede.sim.vectors import golden_records
from tests.fpga.test_host import PRODUCT, SYSTEMS, on_a_board


def products(records: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """So many pairs of factors, and their products."""
    inputs = golden_records(PRODUCT, records, seed=7)
    return inputs, expected_results(PRODUCT, inputs).results["p"]


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
        inputs, expected = products(100)
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

    @pytest.mark.parametrize("cut", [True, False], ids=["line too", "line kept"])
    @pytest.mark.parametrize("before", [0, 30])
    def test_another_board_at_the_port_is_no_surprise(self, cut, before):
        """One of as wide ports, whose results could be taken for those of this one."""
        signed, unsigned = (
            IntegerMultiplier(stages=2),
            IntegerMultiplier(a=UINT8, b=UINT8, stages=2),
        )
        inputs = golden_records(signed, 100, seed=7)
        with on_a_board(signed, records=10, timeout=2.0) as (simulated, board):
            board.run({name: array[:before] for name, array in inputs.items()})
            simulated.restart(cut=cut, spec=unsigned)
            with pytest.raises(BoardError, match="another board is there, or another design"):
                board.run(inputs)
            with pytest.raises(BoardError, match="another board is there"):
                board.reset()

    def test_all_results_but_the_last_count(self):
        inputs, expected = products(100)
        with on_a_board(PRODUCT, records=10, timeout=0.5) as (simulated, board):
            # Ten answers: ends, status and number, results, CRC, and what is escaped in them.
            simulated.silent_after = sum(
                len(framed(bytes([0, number]) + part.astype("<i2").tobytes()))
                for number, part in zip(range(1, 11), np.split(expected, 10), strict=True)
            )
            with pytest.raises(BoardError) as lost:
                board.run(inputs)
        assert lost.value.records == 100
        np.testing.assert_array_equal(lost.value.partial["p"], expected)

    def test_a_run_that_was_broken_off_goes_on(self):
        """Whether or not its last message was done."""
        spec = SYSTEMS["mixpe"]
        inputs = golden_records(spec, 200, seed=7)
        expected = expected_results(spec, inputs).results
        with on_a_board(spec, records=10, timeout=0.1) as (simulated, board):
            simulated.silent_after = 150
            with pytest.raises(BoardError) as lost:
                board.run(inputs)
            simulated.silent_after = None
            done = lost.value.records
            assert 10 <= done < 200
            # Neither forgotten nor done with others.
            with pytest.raises(BoardError, match="a run was broken off: run the records that are"):
                board.run({name: array[5:] for name, array in inputs.items()})
            rest = board.run({name: array[done:] for name, array in inputs.items()})
            assert board.counters()["records"] == 200
            for name, array in expected.items():
                whole = np.concatenate([lost.value.partial[name], rest[name]])
                np.testing.assert_array_equal(whole, array)
            board.reset()
            np.testing.assert_array_equal(board.run(inputs)[name], array)

    def test_a_run_that_was_interrupted_goes_on(self, monkeypatch):
        inputs, expected = products(100)
        with on_a_board(PRODUCT, records=10, timeout=1.0) as (_, board):
            answer, calls = board._line._answer, []

            def interrupted(*arguments):
                calls.append(1)
                if len(calls) == 4:
                    raise KeyboardInterrupt
                return answer(*arguments)

            monkeypatch.setattr(board._line, "_answer", interrupted)
            with pytest.raises(KeyboardInterrupt) as broken:
                board.run(inputs)
            assert broken.value.records == 30
            np.testing.assert_array_equal(broken.value.partial["p"], expected[:30])
            rest = board.run({name: array[30:] for name, array in inputs.items()})
            np.testing.assert_array_equal(rest["p"], expected[30:])

    def test_answers_that_come_too_late(self):
        """The second one of a message is not taken for that of the next."""
        inputs, expected = products(40)
        with on_a_board(PRODUCT, records=10, timeout=0.4) as (simulated, board):
            simulated.delays = [0.6, 0.3]
            np.testing.assert_array_equal(board.run(inputs)["p"], expected)
            assert simulated.delays == []
            assert board.counters()["records"] == 40

    @pytest.mark.parametrize("away", [1.5, 3.0])
    def test_a_port_that_is_away_for_a_while(self, away):
        inputs, expected = products(100)
        with on_a_board(PRODUCT, records=10, timeout=0.2) as (simulated, board):
            simulated.away, simulated.cut_after = away, 70
            np.testing.assert_array_equal(board.run(inputs)["p"], expected)
            assert simulated.cut_after is None

    def test_a_port_that_stays_away(self):
        inputs = golden_records(PRODUCT, 100, seed=7)
        simulated = SimulatedBoard(PRODUCT, records=10)
        with simulated, connect(simulated.port, timeout=0.2, reconnect=0.5) as board:
            simulated.away, simulated.cut_after = 5, 70
            gone = r"tty was lost, and not there again within 0.5 s: .*No such file"
            with pytest.raises(BoardError, match=gone) as lost:
                board.run(inputs)
        assert 10 <= lost.value.records < 100

    def test_a_slow_line(self):
        """A message takes longer than the time for an answer, and the kernel holds only a part."""
        inputs, expected = products(4096)
        simulated = SimulatedBoard(PRODUCT, records=4096)
        with simulated, connect(simulated.port, timeout=1.0, baud_rate=38_400) as board:
            simulated.bytes_per_second = 3_840
            np.testing.assert_array_equal(board.run(inputs)["p"], expected)
            # Asked once: else it would have been sent again.
            assert board.counters()["records"] == 4096

    def test_noise_on_the_line(self):
        inputs, expected = products(200)
        with (
            SimulatedBoard(PRODUCT, records=10) as simulated,
            connect(simulated.port, timeout=0.5) as board,
        ):
            simulated.damage = 97
            np.testing.assert_array_equal(board.run(inputs)["p"], expected)
            assert simulated.damaged > 10
