"""What cocotb does at the pins of a shell: bits of a serial line, one after another.

What is sent and what must come back lies in a file, so that neither side knows how the other works.
"""

import json
import os
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.queue import Queue
from cocotb.triggers import FallingEdge, RisingEdge, Timer, with_timeout

CLOCK_NS = 10


class Line:
    """Bits of ``bit_ns`` each; the board has its own idea of that."""

    def __init__(self, dut, bit_ns: float) -> None:
        self.dut, self.bit = dut, bit_ns
        self.received = Queue()
        dut.rx.value = 1
        cocotb.start_soon(self._receive())

    async def send(self, content: bytes, *, stop: int = 1) -> None:
        for byte in content:
            for bit in (0, *(byte >> n & 1 for n in range(8)), stop):
                self.dut.rx.value = bit
                await Timer(round(self.bit, 1), unit="ns")
            self.dut.rx.value = 1
            await Timer(round(self.bit * (2 if stop == 0 else 0.01), 1), unit="ns")

    async def _receive(self) -> None:
        while True:
            await FallingEdge(self.dut.tx)
            await Timer(round(1.5 * self.bit, 1), unit="ns")
            byte = 0
            for place in range(8):
                byte |= int(self.dut.tx.value) << place
                await Timer(round(self.bit, 1), unit="ns")
            assert int(self.dut.tx.value) == 1, "no stop bit"
            self.received.put_nowait(byte)

    async def expect(self, content: bytes) -> None:
        for place, byte in enumerate(content):
            found = await with_timeout(self.received.get(), 500, "us")
            assert found == byte, f"byte {place} of {content.hex()}: {found:02x}"

    async def expect_nothing(self) -> None:
        await Timer(round(60 * self.bit), unit="ns")
        assert self.received.empty(), f"{self.received.get_nowait():02x} came"


async def begun(dut, drift: float = 0.0) -> tuple[Line, list]:
    vectors = json.loads(Path(os.environ["SHELL_VECTORS"]).read_text())
    cocotb.start_soon(Clock(dut.clk, CLOCK_NS, unit="ns").start())
    line = Line(dut, vectors["divisor"] * CLOCK_NS * (1 + drift))
    dut.rst.value = 1
    for _ in range(3):
        await RisingEdge(dut.clk)
    dut.rst.value = 0
    await Timer(2000, unit="ns")
    return line, vectors["exchanges"]


async def exchanged(line: Line, exchanges: list) -> None:
    for number, exchange in enumerate(exchanges):
        await line.send(bytes.fromhex(exchange["sent"]))
        if exchange["answer"]:
            await line.expect(bytes.fromhex(exchange["answer"]))
        else:
            await line.expect_nothing()
        line.dut._log.info("exchange %d of %d", number + 1, len(exchanges))


def tell(dut, count: int) -> None:
    with Path(os.environ["SHELL_DONE"]).open("a") as file:
        file.write(f"{count}\n")


@cocotb.test(timeout_time=50, timeout_unit="ms")
async def at_the_board_s_rate(dut):
    line, exchanges = await begun(dut)
    await exchanged(line, exchanges)
    await line.expect_nothing()
    tell(dut, len(exchanges))


@cocotb.test(timeout_time=50, timeout_unit="ms")
async def at_a_slower_rate(dut):
    line, exchanges = await begun(dut, 0.02)
    await exchanged(line, exchanges[:6])
    tell(dut, 6)


@cocotb.test(timeout_time=50, timeout_unit="ms")
async def at_a_faster_rate(dut):
    line, exchanges = await begun(dut, -0.02)
    await exchanged(line, exchanges[:6])
    tell(dut, 6)


@cocotb.test(timeout_time=50, timeout_unit="ms")
async def after_breaks_and_glitches(dut):
    """A byte without its stop bit is none; so is a line that is low for a moment or for long."""
    line, exchanges = await begun(dut)
    for exchange in exchanges[:4]:
        await line.send(b"\x55\xa7", stop=0)
        dut.rx.value = 0
        await Timer(CLOCK_NS, unit="ns")
        dut.rx.value = 1
        await Timer(round(30 * line.bit), unit="ns")
        dut.rx.value = 0
        await Timer(round(100 * line.bit), unit="ns")
        dut.rx.value = 1
        await Timer(round(30 * line.bit), unit="ns")
        # What came of that, if anything, ends with the END before the message.
        while not line.received.empty():
            line.received.get_nowait()
        await exchanged(line, [exchange])
    tell(dut, 4)


@cocotb.test(timeout_time=50, timeout_unit="ms")
async def with_resets_in_the_middle(dut):
    line, exchanges = await begun(dut)
    first = bytes.fromhex(exchanges[0]["sent"])
    for length in (1, 3, len(first) // 2, len(first) - 1):
        await line.send(first[:length])
        dut.rst.value = 1
        await RisingEdge(dut.clk)
        await RisingEdge(dut.clk)
        dut.rst.value = 0
        await Timer(round(20 * line.bit), unit="ns")
        await exchanged(line, exchanges[:1])
    tell(dut, 4)
