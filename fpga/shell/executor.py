"""Memories of bytes before and behind a unit, and what takes records through it."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from multipede.fpga.shell.messages import CRC_BYTES
from multipede.fpga.shell.protocol import COUNTER_BYTES, COUNTERS
from multipede.golden.spec import Port, Spec
from multipede.golden.stallable import Stallable
from multipede.hw import Style, build

__all__ = ["Executor", "record_bytes"]

LEAST_BODY = 4
"""Bytes of a body that there are places for, at least: those of the longest command but RUN."""
_SLACK = 16
"""Clocks beyond those that a unit may need, for what stands around it."""
_MANY = 1 << 16
_PATIENCE = 4096
"""Clocks that a unit may be occupied with itself, as with clearing a memory."""


def record_bytes(ports: dict[str, Port]) -> int:
    """Bytes of a record of these ports."""
    return -(-sum(port.bits for port in ports.values()) // 8)


class Executor(wiring.Component):
    """Takes records out of one memory through the unit into the other.

    Parameters
    ----------
    spec : the unit; where it cannot wait it is put behind a queue.
    records : places for records. style : of the RTL.

    Members
    -------
    write, place, byte : In; writes into the memory of records.
    start : In(1), for a clock; ``records`` : In, how many there are, 1 or more.
    done : Out(1), for a clock; ``stuck`` : Out(1) beside it, if the unit took no more records or
        there were too many results.
    results, result_length : Out, how many there are, and how many bytes; the memory keeps them
        until the next start.
    read_place : In; read_byte : Out, a clock later; the memory of results.
    counters : Out, 32 bits of each of COUNTERS.
    """

    def __init__(self, spec: Spec, *, records: int, style: Style = Style.WORD):
        self.spec, self.style = spec, style
        self.inside = spec if spec.stallable else Stallable(inside=spec)
        self.capacity = records
        self.most_results = max(1, spec.maximum_results(records))
        self.record_bytes = record_bytes(spec.inputs)
        self.result_bytes = record_bytes(spec.outputs)
        self.input_depth = max(LEAST_BODY, records * self.record_bytes) + CRC_BYTES
        self.output_depth = self.most_results * self.result_bytes
        super().__init__(
            {
                "write": In(1),
                "place": In(range(self.input_depth)),
                "byte": In(8),
                "start": In(1),
                "records": In(range(records + 1)),
                "done": Out(1),
                "stuck": Out(1),
                "results": Out(range(self.most_results + 1)),
                "result_length": Out(range(self.output_depth + 1)),
                "read_place": In(range(self.output_depth)),
                "read_byte": Out(8),
                "counters": Out(data.StructLayout(dict.fromkeys(COUNTERS, 8 * COUNTER_BYTES))),
            }
        )

    @property
    def record_clocks(self) -> float:
        """Clocks from a record to the next, on the average of many: its bytes, one in each clock,
        and two more; or those of its results, and one more for each."""
        results = self.spec.maximum_results(_MANY) / _MANY
        saved = results * (self.result_bytes + 1)
        return max(self.record_bytes + 2, saved, self.inside.initiation_interval)

    @property
    def drain(self) -> int:
        """Clocks without a result after which none is to come."""
        return 2 * (self.inside.latency + self.inside.initiation_interval) + _SLACK

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.unit = unit = build(self.inside, style=self.style)
        running = Signal()
        finished = Signal()
        overflow = Signal()
        left = Signal(range(self.capacity + 1))
        patience = _PATIENCE + 8 * self.drain + self.record_bytes
        quiet = Signal(range(patience + 1))
        accepted = Signal()
        given = Signal()
        m.d.comb += [
            accepted.eq(unit.i.valid & unit.i.ready),
            given.eq(unit.o.valid & unit.o.ready),
        ]
        self._load(m, unit, running, accepted, left)
        saving = self._save(m, unit, running, given, overflow)
        m.d.sync += quiet.eq(Mux(running & ~accepted & ~unit.o.valid & ~saving, quiet + 1, 0))
        limit = Mux(left.any(), patience, self.drain)
        m.d.comb += [
            finished.eq(running & (overflow | (quiet == limit))),
            self.done.eq(finished),
            self.stuck.eq(finished & (overflow | left.any())),
        ]
        with m.If(self.start):
            m.d.sync += [running.eq(1), left.eq(self.records), self.results.eq(0)]
            m.d.sync += self.result_length.eq(0)
        with m.Elif(finished):
            m.d.sync += running.eq(0)
        with m.Else():
            m.d.sync += left.eq(left - accepted)
            with m.If(given & running):
                m.d.sync += [
                    self.results.eq(self.results + 1),
                    self.result_length.eq(self.result_length + self.result_bytes),
                ]
        events = {
            "clocks": running,
            "records": accepted,
            "results": given & running,
            "input_stalls": unit.i.valid & ~unit.i.ready,
            "output_stalls": running & unit.o.valid & ~unit.o.ready,
        }
        for name in COUNTERS:
            counter = self.counters[name]
            m.d.sync += counter.eq(counter + events[name])
        return m

    def _load(self, m: Module, unit, running: Signal, accepted: Signal, left: Signal) -> None:
        """Bytes of a record, one in each clock; then the record waits for the unit."""
        m.submodules.inputs = memory = Memory(shape=8, depth=self.input_depth, init=[])
        write, read = memory.write_port(), memory.read_port()
        m.d.comb += [
            write.en.eq(self.write),
            write.addr.eq(self.place),
            write.data.eq(self.byte),
        ]
        pointer = Signal(range(self.input_depth + 1))
        asked = Signal(range(self.record_bytes + 1))
        arriving = Signal()
        arrived = Signal(range(self.record_bytes + 1))
        record = Signal(8 * self.record_bytes, reset_less=True)
        asks = Signal()
        complete = Signal()
        m.d.comb += [
            complete.eq(arrived == self.record_bytes),
            asks.eq(running & left.any() & (asked != self.record_bytes)),
            read.addr.eq(pointer),
            unit.i.valid.eq(running & complete),
            unit.i.payload.as_value().eq(record),
        ]
        m.d.sync += arriving.eq(asks)
        with m.If(arriving):
            m.d.sync += [record.eq(Cat(record[8:], read.data)), arrived.eq(arrived + 1)]
        with m.If(asks):
            m.d.sync += [pointer.eq(pointer + 1), asked.eq(asked + 1)]
        with m.If(accepted):
            m.d.sync += [asked.eq(0), arrived.eq(0)]
        with m.If(~running):
            m.d.sync += [pointer.eq(0), asked.eq(0), arrived.eq(0), arriving.eq(0)]

    def _save(self, m: Module, unit, running: Signal, given: Signal, overflow: Signal) -> Signal:
        """Bytes of a result, one in each clock, before the next one is taken."""
        m.submodules.outputs = memory = Memory(shape=8, depth=self.output_depth, init=[])
        write, read = memory.write_port(), memory.read_port()
        result = Signal(8 * self.result_bytes, reset_less=True)
        left = Signal(range(self.result_bytes + 1))
        pointer = Signal(range(self.output_depth + 1))
        saving = Signal()
        full = Signal()
        m.d.comb += [
            saving.eq(left.any()),
            full.eq(self.results == self.most_results),
            overflow.eq(running & full & unit.o.valid),
            # What comes between two runs is of none.
            unit.o.ready.eq(~saving & ~(running & full)),
            write.en.eq(saving),
            write.addr.eq(pointer),
            write.data.eq(result[:8]),
            read.addr.eq(self.read_place),
            self.read_byte.eq(read.data),
        ]
        with m.If(saving):
            m.d.sync += [
                result.eq(result >> 8),
                left.eq(left - 1),
                pointer.eq(pointer + 1),
            ]
        with m.If(given & running):
            m.d.sync += [
                result.eq(unit.o.payload.as_value()),
                left.eq(self.result_bytes),
            ]
        with m.If(~running & ~saving):
            m.d.sync += pointer.eq(0)
        return saving
