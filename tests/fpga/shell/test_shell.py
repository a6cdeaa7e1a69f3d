"""The compiled shell, byte by byte: what it answers, and that nothing that comes in confuses it."""

import json
import random
import re
import zlib

import numpy as np
import pytest

from multipede.fpga.shell import Shell
from multipede.fpga.shell.protocol import COUNTERS, LARGEST_READ, MAGIC, Command, Status
from multipede.fpga.simulated_board import SimulatedLine, compile_shell, shell_verilog
from multipede.golden.catalogue import spec_from_dict
from multipede.golden.formats import INT4, UINT2
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.golden.mixpe import MixPE
from tests.fpga.shell.hanging_unit import HangingSpec
from tests.fpga.shell.wire import message, messages

SEED = 20261128
# 1 + 2 * 4 + 2 * 2 bits of a record: two bytes. Sums live from message to message.
TILE = MixPE(weight=UINT2, activation=INT4, rows=1, columns=1, lanes=2, group=64, zero_point=False)
RECORDS = 8
PRODUCT = IntegerMultiplier(stages=2)


@pytest.fixture
def line():
    return SimulatedLine.of(PRODUCT, records=RECORDS)


@pytest.fixture
def tile_line():
    return SimulatedLine.of(TILE, records=RECORDS)


def asked(line, kind, number, body=b""):
    """The one answer, which bears the number."""
    ((status, echo, answer),) = messages(line.exchange(message(kind, number, body)))
    assert echo == number
    return status, answer


def counted(line, number=77):
    status, answer = asked(line, Command.COUNT, number)
    assert status == Status.DONE
    return dict(zip(COUNTERS, map(int, np.frombuffer(answer, "<u4")), strict=True))


def factors(generator, count):
    return bytes(generator.randrange(256) for _ in range(2 * count))


def products(body):
    pairs = np.frombuffer(body, np.int8).reshape(-1, 2).astype(np.int16)
    return (pairs[:, 0] * pairs[:, 1]).astype("<i2").tobytes()


def check_alive(line, number=200):
    """It computes, and what was wrong before is forgotten."""
    body = factors(random.Random(number), RECORDS)
    assert asked(line, Command.RUN, number, body) == (Status.DONE, products(body))


class TestAnswers:
    def test_it_describes_itself(self, line):
        status, head = asked(line, Command.DESCRIBE, 0, bytes([0, 0, 8, 0]))
        assert (status, head[:4]) == (Status.DONE, MAGIC)
        length, text = int.from_bytes(head[4:], "little"), b""
        while len(text) < length:
            part = min(100, length - len(text))
            place = (8 + len(text)).to_bytes(2, "little") + part.to_bytes(2, "little")
            status, answer = asked(line, Command.DESCRIBE, 1, place)
            assert (status, len(answer)) == (Status.DONE, part)
            text += answer
        described = json.loads(zlib.decompress(text))
        assert spec_from_dict(described["specification"]) == PRODUCT
        assert described["fingerprint"] == PRODUCT.fingerprint
        assert described["inputs"] == {"a": ["int8", []], "b": ["int8", []]}
        assert described["outputs"] == {"p": ["int16", []]}
        assert (described["records"], described["results"]) == (RECORDS, RECORDS)

    @pytest.mark.parametrize("count", range(1, RECORDS + 1))
    def test_it_computes(self, line, count):
        body = factors(random.Random(count), count)
        assert asked(line, Command.RUN, count, body) == (Status.DONE, products(body))
        found = counted(line)
        assert (found["records"], found["results"]) == (count, count)
        assert found["clocks"] > count

    def test_every_byte_passes(self, line):
        """Those that are escaped, too, as numbers and in bodies."""
        for number in range(256):
            body = bytes([number, 1, 1, number])
            assert asked(line, Command.RUN, number, body) == (Status.DONE, products(body))

    def test_state_lives_from_message_to_message(self, tile_line):
        generator = np.random.default_rng(SEED)
        total, results = 0, []
        for number in range(10):
            words = generator.integers(0, 1 << 13, 5)  # 12 bits of operands, and last
            status, answer = asked(tile_line, Command.RUN, number, words.astype("<u2").tobytes())
            assert status == Status.DONE
            results += list(
                np.frombuffer(answer, np.uint8).reshape(-1, -(-(TILE.result.bits + 1) // 8))
            )
            for word in words:
                a = [(int(word) >> 4 * k & 15 ^ 8) - 8 for k in range(2)]
                w = [int(word) >> 8 + 2 * k & 3 for k in range(2)]
                total += sum(x * y for x, y in zip(a, w, strict=True))
                if word >> 12:
                    found = int.from_bytes(bytes(results.pop(0)), "little")
                    bits = TILE.result.bits
                    assert found >> bits == 1
                    assert (found & (1 << bits) - 1) == total % (1 << bits)
                    total = 0
        assert not results

    def test_a_message_that_comes_again_is_not_done_again(self, tile_line):
        body = np.array([0x0353, 0x1353], "<u2").tobytes()
        first = asked(tile_line, Command.RUN, 5, body)
        assert first[1]
        assert asked(tile_line, Command.RUN, 5, body) == first
        assert counted(tile_line)["records"] == 2
        assert asked(tile_line, Command.RUN, 6, body) == first
        assert counted(tile_line)["records"] == 4

    def test_a_reset_forgets(self, tile_line):
        half, end = np.array([0x0353], "<u2").tobytes(), np.array([0x1353], "<u2").tobytes()
        alone = asked(tile_line, Command.RUN, 1, end)
        asked(tile_line, Command.RUN, 2, half)
        assert asked(tile_line, Command.RESET, 3) == (Status.DONE, b"")
        assert counted(tile_line) == dict.fromkeys(COUNTERS, 0)
        # Neither the sum that was begun nor the message of that number is there any more.
        assert asked(tile_line, Command.RUN, 2, end) == alone
        asked(tile_line, Command.RUN, 3, half)
        assert asked(tile_line, Command.RUN, 4, end) != alone


class TestWrongMessages:
    def test_any_byte_damaged(self, line):
        whole = message(Command.RUN, 9, factors(random.Random(SEED), 3))
        seen = 0
        for place in range(1, len(whole) - 1):
            for flip in (0x01, 0x80, 0xFF):
                damaged = bytearray(whole)
                damaged[place] ^= flip
                answers = messages(line.exchange(bytes(damaged)))
                # An END in the middle makes two of one.
                assert 1 <= len(answers) <= 2
                assert {status for status, _, _ in answers} == {Status.DAMAGED}
                seen += 1
        assert seen == 3 * (len(whole) - 2)
        assert counted(line)["records"] == 0
        check_alive(line)

    def test_any_length(self, line):
        whole = message(Command.RUN, 9, factors(random.Random(SEED), 3))
        for length in range(1, len(whole) - 1):
            answers = messages(line.exchange(whole[:length] + b"\xc0"))
            assert answers == [] if length == 1 else answers[0][0] == Status.DAMAGED
        assert counted(line)["records"] == 0
        check_alive(line)

    def test_what_comes_while_it_is_at_work_is_lost(self, line):
        """The END before a message ends the one before it, which had none."""
        body = factors(random.Random(SEED), 2)
        assert line.exchange(message(Command.RUN, 9, body)[:-1]) == b""
        late = factors(random.Random(SEED + 1), RECORDS)
        answers = messages(line.exchange(message(Command.RUN, 10, late)))
        assert answers == [(Status.DONE, 9, products(body))]
        assert asked(line, Command.RUN, 10, late) == (Status.DONE, products(late))

    def test_what_has_no_end_before_it_is_no_message(self, line):
        assert line.exchange(message(Command.COUNT, 1)[1:]) == b""
        check_alive(line)

    @pytest.mark.parametrize("count", [RECORDS + 1, RECORDS + 2, 100, 1000])
    def test_too_many_records(self, line, count):
        status, answer = asked(line, Command.RUN, 1, factors(random.Random(count), count))
        assert (status, answer) == (Status.TOO_LONG, b"")
        assert counted(line)["records"] == 0
        check_alive(line)

    @pytest.mark.parametrize(
        ("kind", "body"),
        [
            (Command.RUN, b""),
            (Command.RUN, b"abc"),
            (Command.RESET, b"x"),
            (Command.COUNT, b"x"),
            (Command.DESCRIBE, b""),
            (Command.DESCRIBE, bytes(3)),
            (Command.DESCRIBE, bytes(5)),
            (Command.DESCRIBE, (60000).to_bytes(2, "little") + bytes([8, 0])),
            (Command.DESCRIBE, bytes(2) + (LARGEST_READ + 1).to_bytes(2, "little")),
        ],
    )
    def test_a_body_that_the_command_cannot_have(self, line, kind, body):
        assert asked(line, kind, 1, body) == (Status.WRONG_LENGTH, b"")
        check_alive(line)

    @pytest.mark.parametrize("kind", [0, 5, 99, 255])
    def test_an_unknown_command(self, line, kind):
        assert asked(line, kind, 1, b"abcd") == (Status.UNKNOWN, b"")
        check_alive(line)

    def test_noise(self, line):
        generator = random.Random(SEED)
        print("seed", SEED)
        for number in range(100):
            line.exchange(bytes(generator.randrange(256) for _ in range(generator.randrange(80))))
            line.exchange(b"\xc0")
            check_alive(line, number)

    def test_a_unit_that_hangs_is_reset(self):
        line = SimulatedLine.of(HangingSpec(), records=RECORDS)
        assert asked(line, Command.RUN, 1, b"ab") == (Status.DONE, b"ab")
        assert asked(line, Command.RUN, 2, b"cde") == (Status.STUCK, b"")
        assert counted(line) == dict.fromkeys(COUNTERS, 0)
        # Nothing is remembered of what was not done.
        assert asked(line, Command.RUN, 2, b"fgh") == (Status.DONE, b"fgh")


class TestPlantedBugs:
    """Each of them is seen by the test that is there for it."""

    def test_a_crc_that_is_not_looked_at(self, tmp_path):
        self.check_seen(
            r"assign match_detected = [^;]*;",
            "assign match_detected = 1'h1;",
            TestWrongMessages().test_any_byte_damaged,
            tmp_path,
        )

    def test_a_message_that_is_done_again(self, tmp_path):
        self.check_seen(
            r"remembered <= [^;]*;",
            "remembered <= 1'h0;",
            TestAnswers().test_a_message_that_comes_again_is_not_done_again,
            tmp_path,
            spec=TILE,
        )

    def check_seen(self, code, bug, test, tmp_path, spec=PRODUCT):
        verilog = shell_verilog(spec, records=RECORDS)
        broken, count = re.subn(code, bug, verilog)
        assert count >= 1
        compile_shell(broken, tmp_path / "board.so")
        with pytest.raises(AssertionError):
            test(SimulatedLine(tmp_path / "board.so"))


WIDE = MixPE(rows=1, columns=2, lanes=16)


class TestParameters:
    @pytest.mark.parametrize(
        ("options", "message_"),
        [
            ({"records": 0}, "records = 0"),
            ({"records": 5000}, "records = 5000"),
            ({"spec": WIDE, "records": 4096}, "records = 4096: they or their results take 1"),
            ({"baud_rate": 100}, "baud_rate = 100"),
            ({"clock": 12e6, "baud_rate": 7_000_000}, "baud_rate = 7000000: at 12 MHz the nearest"),
            ({"clock": 12e6, "baud_rate": 1_150_000}, "nearest is 1,200,000"),
        ],
    )
    def test_out_of_range(self, options, message_):
        given = {"spec": PRODUCT, "clock": 25e6, **options}
        spec = given.pop("spec")
        with pytest.raises(ValueError, match=message_):
            Shell(spec, **given)

    def test_wrong_kinds(self):
        with pytest.raises(TypeError, match="spec"):
            Shell("mixpe", clock=25e6)
        with pytest.raises(TypeError, match="records"):
            Shell(PRODUCT, clock=25e6, records=1.5)
