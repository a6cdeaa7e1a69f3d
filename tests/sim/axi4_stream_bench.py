"""What cocotb runs around an AXI4-Stream wrapper: cocotbext-axi's source and sink, with pauses.

Its bytes come from a file, so that neither side knows how the wrapper packs them.
"""

import json
import os
import random
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge
from cocotbext.axi import AxiStreamBus, AxiStreamFrame, AxiStreamSink, AxiStreamSource


def pauses(seed: str, rate: float):
    generator = random.Random(seed)
    while True:
        yield generator.random() < rate


async def clocks(dut, count: int) -> None:
    for _ in range(count):
        await RisingEdge(dut.aclk)


async def streamed(
    dut, *, source_rate: float, sink_rate: float, broken_off: tuple[int, ...] = ()
) -> None:
    """All packets; before that, as many of them as there is time for until a reset."""
    vectors = json.loads(Path(os.environ["AXI4_STREAM_VECTORS"]).read_text())
    cocotb.start_soon(Clock(dut.aclk, 10, unit="ns").start())
    reset = {"reset": dut.aresetn, "reset_active_level": False}
    source = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis"), dut.aclk, **reset)
    sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis"), dut.aclk, **reset)
    dut.aresetn.value = 0
    await clocks(dut, 3)
    dut.aresetn.value = 1
    source.set_pause_generator(pauses("source", source_rate))
    sink.set_pause_generator(pauses("sink", sink_rate))
    frames = [
        AxiStreamFrame(bytes.fromhex(packet["data"]), tkeep=packet["keep"])
        for packet in vectors["packets"]
    ]
    for count in broken_off:
        for frame in frames:
            source.send_nowait(AxiStreamFrame(frame))
        await clocks(dut, count)
        assert not source.idle(), "a reset behind everything shows nothing"
        dut.aresetn.value = 0
        await clocks(dut, 2)
        source.clear()
        sink.clear()
        dut.aresetn.value = 1
    for frame in frames:
        await source.send(frame)
    for number, expected in enumerate(vectors["expected"]):
        frame = await sink.recv(compact=False)
        kept = [1] * len(frame.tdata)
        assert frame.tkeep is None or list(frame.tkeep) == kept, f"packet {number}: tkeep"
        given = bytes(frame.tdata).hex()
        assert given == expected, f"packet {number}: {given} instead of {expected}"
    await clocks(dut, 200)
    assert sink.empty(), "more packets than expected"
    Path(vectors["done"]).write_text(str(len(vectors["expected"])))


@cocotb.test(timeout_time=500, timeout_unit="us")
async def at_full_pace(dut):
    await streamed(dut, source_rate=0.0, sink_rate=0.0)


@cocotb.test(timeout_time=500, timeout_unit="us")
async def with_pauses(dut):
    await streamed(dut, source_rate=0.5, sink_rate=0.6)


@cocotb.test(timeout_time=500, timeout_unit="us")
async def with_a_slow_sink(dut):
    await streamed(dut, source_rate=0.0, sink_rate=0.9)


@cocotb.test(timeout_time=500, timeout_unit="us")
async def with_resets(dut):
    """In mid-stream, in mid-record, and while results wait."""
    await streamed(dut, source_rate=0.2, sink_rate=0.8, broken_off=(5, 8, 13, 22, 37))
