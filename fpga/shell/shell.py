"""A unit behind a serial line."""

from amaranth.hdl import Module, Mux, ResetInserter, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from multipede.fpga.shell.description import description
from multipede.fpga.shell.executor import Executor, record_bytes
from multipede.fpga.shell.messages import CRC_BYTES, MessageReceiver, MessageTransmitter
from multipede.fpga.shell.protocol import LARGEST_READ, Command, Status
from multipede.fpga.shell.slip import SlipDecoder, SlipEncoder
from multipede.fpga.shell.uart import LEAST_DIVISOR, UartReceiver, UartTransmitter
from multipede.golden.number_format import require_range, require_type
from multipede.golden.spec import Spec
from multipede.hw import Style

__all__ = ["BAUD_RATE", "BUFFER_BYTES", "MAXIMUM_RECORDS", "SIMULATED", "Shell", "default_records"]

BAUD_RATE = 1_000_000
"""A divisor of the clocks of all our boards."""
SIMULATED = "simulated"
"""The name of a board that is none."""
BUFFER_BYTES = 2048
"""Bytes of records that there is room for by default: one block RAM of most FPGAs."""
MAXIMUM_RECORDS = 4096
MOST_BYTES = (1 << 16) - 1
"""of a body, whose length has 16 bits"""
LARGEST_ERROR = 0.02
"""Relative error of a rate that both sides still understand: half a bit in ten and some margin."""


def default_records(spec: Spec) -> int:
    """Records that one message may bring: as many as BUFFER_BYTES hold, and as their results may
    be, 1 to 1024."""
    largest = max(record_bytes(spec.inputs), record_bytes(spec.outputs))
    return min(1024, max(1, BUFFER_BYTES // largest))


class Shell(wiring.Component):
    """Answers messages on a serial line (see :mod:`multipede.fpga.shell.protocol`).

    Parameters
    ----------
    spec : the unit.
    clock : of the design, Hz. board : its name, for what the shell says of itself.
    baud_rate : of the line, bits per second; a bit is a whole number of clocks, 4 or more, that
        comes within 2 %.
    records : places for records of one message, 1 to 4096; by default as many as 2 KiB hold, of
        them and of their results, 1024 at most.
    style : of the unit.

    Members
    -------
    rx : In(1). tx : Out(1). busy : Out(1), while a message is carried out or answered.

    Raises
    ------
    TypeError, ValueError
        Naming the parameter, the value and what is allowed.
    """

    def __init__(
        self,
        spec: Spec,
        *,
        clock: float,
        board: str = SIMULATED,
        baud_rate: int = BAUD_RATE,
        records: int | None = None,
        style: Style = Style.WORD,
    ):
        # Amaranth warns of components that are never elaborated: none is if its parameters are bad.
        self._MustUse__used = True
        require_type("spec", spec, Spec)
        require_range("baud_rate", baud_rate, 300, 12_000_000)
        records = default_records(spec) if records is None else records
        require_range("records", records, 1, MAXIMUM_RECORDS)
        self.divisor = round(clock / baud_rate)
        reached = clock / max(1, self.divisor)
        if self.divisor < LEAST_DIVISOR or abs(reached / baud_rate - 1) > LARGEST_ERROR:
            raise ValueError(
                f"baud_rate = {baud_rate}: at {clock / 1e6:g} MHz the nearest is {reached:,.0f}; a"
                f" bit is a whole number of clocks, {LEAST_DIVISOR} or more"
            )
        self.executor = Executor(spec, records=records, style=style)
        self.executor._MustUse__used = True
        self.description = description(self.executor, board=board, clock=clock, baud_rate=baud_rate)
        largest = max(self.executor.input_depth, self.executor.output_depth)
        if largest > MOST_BYTES:
            raise ValueError(
                f"records = {records}: they or their results take {largest:,} bytes, and"
                f" {MOST_BYTES:,} may go into a message"
            )
        if len(self.description) > MOST_BYTES:
            raise ValueError(
                f"spec = {spec.unit}: what the board would say of it takes"
                f" {len(self.description):,} bytes, {MOST_BYTES:,} at most"
            )
        super().__init__({"rx": In(1, init=1), "tx": Out(1, init=1), "busy": Out(1)})
        self._MustUse__used = self.executor._MustUse__used = False

    def elaborate(self, platform) -> Module:
        m = Module()
        executor = self.executor
        resets = Signal()
        m.submodules.executor = ResetInserter(resets)(executor)
        m.submodules.receiver = receiver = MessageReceiver(
            capacity=executor.input_depth - CRC_BYTES, chunk=executor.record_bytes
        )
        m.submodules.transmitter = transmitter = MessageTransmitter()
        self._connect_line(m, receiver, transmitter)
        remembered = Signal()
        last = Signal(8)
        status = Signal(8)
        length = Signal(16)
        stored = Signal.like(executor.result_length)
        m.d.comb += [
            executor.write.eq(receiver.write),
            executor.place.eq(receiver.place),
            executor.byte.eq(receiver.byte),
            executor.records.eq(receiver.chunks),
            transmitter.status.eq(status),
            transmitter.number.eq(receiver.number),
            transmitter.length.eq(Mux(status == Status.DONE, length, 0)),
        ]
        self._answer_body(m, receiver, transmitter)
        offset, count = receiver.argument[:16], receiver.argument[16:]
        repeated = remembered & (receiver.number == last)
        too_many = receiver.too_long | (receiver.chunks > executor.capacity)

        def answer(value: Status, bytes_=0) -> None:
            m.d.sync += [status.eq(value), length.eq(bytes_)]
            m.next = "ANSWER"

        with m.FSM() as states:
            with m.State("IDLE"):
                m.d.comb += receiver.enable.eq(1)
                with m.If(receiver.done):
                    m.next = "DECIDE"
            with m.State("DECIDE"):
                with m.If(receiver.damaged):
                    answer(Status.DAMAGED)
                with m.Elif(receiver.command == Command.DESCRIBE):
                    inside = offset + count <= len(self.description)
                    with m.If(receiver.four & inside & (count <= LARGEST_READ)):
                        answer(Status.DONE, count)
                    with m.Else():
                        answer(Status.WRONG_LENGTH)
                with m.Elif(receiver.command == Command.COUNT):
                    with m.If(receiver.empty):
                        answer(Status.DONE, len(executor.counters.as_value()) // 8)
                    with m.Else():
                        answer(Status.WRONG_LENGTH)
                with m.Elif(receiver.command == Command.RUN):
                    with m.If(too_many):
                        answer(Status.TOO_LONG)
                    with m.Elif(~receiver.whole):
                        answer(Status.WRONG_LENGTH)
                    with m.Elif(repeated):
                        answer(Status.DONE, stored)
                    with m.Else():
                        m.d.comb += executor.start.eq(1)
                        m.d.sync += remembered.eq(0)
                        m.next = "RUN"
                with m.Elif(receiver.command == Command.RESET):
                    with m.If(receiver.empty):
                        m.d.comb += resets.eq(1)
                        m.d.sync += remembered.eq(0)
                        answer(Status.DONE)
                    with m.Else():
                        answer(Status.WRONG_LENGTH)
                with m.Else():
                    answer(Status.UNKNOWN)
            with m.State("RUN"), m.If(executor.done):
                with m.If(executor.stuck):
                    m.next = "STUCK"
                with m.Else():
                    m.d.sync += [
                        remembered.eq(1),
                        last.eq(receiver.number),
                        stored.eq(executor.result_length),
                    ]
                    answer(Status.DONE, executor.result_length)
            with m.State("STUCK"):
                m.d.comb += resets.eq(1)
                answer(Status.STUCK)
            with m.State("ANSWER"):
                m.d.comb += transmitter.start.eq(1)
                m.next = "SEND"
            with m.State("SEND"), m.If(transmitter.done):
                m.next = "IDLE"
        m.d.comb += self.busy.eq(~states.ongoing("IDLE"))
        return m

    def _connect_line(
        self, m: Module, receiver: MessageReceiver, transmitter: MessageTransmitter
    ) -> None:
        m.submodules.uart_receiver = uart_receiver = UartReceiver(self.divisor)
        m.submodules.decoder = decoder = SlipDecoder()
        m.submodules.encoder = encoder = SlipEncoder()
        m.submodules.uart_transmitter = uart_transmitter = UartTransmitter(self.divisor)
        m.d.comb += [uart_receiver.line.eq(self.rx), self.tx.eq(uart_transmitter.line)]
        wiring.connect(m, uart_receiver.o, decoder.i)
        wiring.connect(m, decoder.o, receiver.i)
        wiring.connect(m, transmitter.o, encoder.i)
        wiring.connect(m, encoder.o, uart_transmitter.i)

    def _answer_body(
        self, m: Module, receiver: MessageReceiver, transmitter: MessageTransmitter
    ) -> None:
        """Bytes of the description, of the counters or of results, one in two clocks."""
        executor = self.executor
        m.submodules.description = memory = Memory(
            shape=8, depth=len(self.description), init=self.description
        )
        described = memory.read_port()
        position = Signal(16)
        fresh = Signal()
        counted = Signal(8)
        m.d.comb += [
            described.addr.eq(receiver.argument[:16] + position),
            executor.read_place.eq(position),
            transmitter.body.valid.eq(fresh),
        ]
        m.d.sync += [fresh.eq(1), counted.eq(executor.counters.as_value().word_select(position, 8))]
        with m.If(transmitter.start):
            m.d.sync += [position.eq(0), fresh.eq(0)]
        with m.Elif(transmitter.body.valid & transmitter.body.ready):
            m.d.sync += [position.eq(position + 1), fresh.eq(0)]
        with m.Switch(receiver.command):
            with m.Case(Command.DESCRIBE):
                m.d.comb += transmitter.body.payload.eq(described.data)
            with m.Case(Command.COUNT):
                m.d.comb += transmitter.body.payload.eq(counted)
            with m.Default():
                m.d.comb += transmitter.body.payload.eq(executor.read_byte)
