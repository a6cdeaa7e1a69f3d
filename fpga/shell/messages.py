"""Messages with their CRC: taken apart where they come in, put together where they go out."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.crc.catalog import CRC32_ETHERNET
from amaranth.lib.wiring import In, Out

from multipede.fpga.shell.slip import MARKED_BYTE

__all__ = ["CRC_BYTES", "HEADER_BYTES", "MessageReceiver", "MessageTransmitter"]

HEADER_BYTES = 2
CRC_BYTES = 4
ARGUMENT_BITS = 32


class MessageReceiver(wiring.Component):
    """Headers and bodies of messages.

    Parameters
    ----------
    capacity : bytes of a body that there are places for; a longer one is ``too_long``.
    chunk : what bodies are made of, bytes.

    Members
    -------
    enable : In(1); without it all is lost that comes in, and from then on up to the next end.
    i : stream of ``MARKED_BYTE``, without ready.
    write, place, byte : Out; bytes of the body, and behind it of the CRC, for a memory of
        ``capacity + 4`` bytes.
    done : Out(1), for a clock, at the end of a message; what follows is constant from then on until
        ``enable`` is 1 again.
    command, number, argument : Out; the header, and the first four bytes of the body.
    damaged, too_long : Out; whether the CRC is wrong, and the body longer than there are places.
    empty, four, whole : Out; whether the body has no bytes, four, or whole chunks.
    chunks : Out; of how many chunks it is.
    """

    def __init__(self, *, capacity: int, chunk: int):
        self.capacity, self.chunk = capacity, chunk
        self._most = HEADER_BYTES + capacity + CRC_BYTES
        super().__init__(
            {
                "enable": In(1),
                "i": In(stream.Signature(MARKED_BYTE, always_ready=True)),
                "write": Out(1),
                "place": Out(range(capacity + CRC_BYTES)),
                "byte": Out(8),
                "done": Out(1),
                "command": Out(8),
                "number": Out(8),
                "argument": Out(ARGUMENT_BITS),
                "damaged": Out(1),
                "too_long": Out(1),
                "whole": Out(1),
                "empty": Out(1),
                "four": Out(1),
                "chunks": Out(range(capacity // chunk + 2)),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.crc = crc = CRC32_ETHERNET(8).create()
        count = Signal(range(self._most + 2))  # bytes so far, one more than may be at most
        within = Signal(range(self.chunk))
        taken = Signal()
        ended = Signal()
        synchronised = Signal()
        header = Signal()
        body = Signal()
        m.d.comb += [
            taken.eq(synchronised & self.i.valid & ~self.i.payload.end),
            ended.eq(synchronised & self.i.valid & self.i.payload.end & count.any()),
            header.eq(count < HEADER_BYTES),
            # As many bytes as a CRC has are behind the body's.
            body.eq(count >= HEADER_BYTES + CRC_BYTES),
            crc.data.eq(self.i.payload.byte),
            crc.valid.eq(taken),
            self.byte.eq(self.i.payload.byte),
            self.place.eq(count - HEADER_BYTES),
            self.write.eq(taken & ~header & (count < self._most)),
        ]
        m.d.sync += self.done.eq(ended)
        with m.If(~self.enable):
            m.d.sync += synchronised.eq(0)
        with m.Elif(self.i.valid & self.i.payload.end):
            m.d.sync += synchronised.eq(1)
        with m.If(taken):
            with m.If(count != self._most + 1):
                m.d.sync += count.eq(count + 1)
            with m.If(count == 0):
                m.d.sync += self.command.eq(self.i.payload.byte)
            with m.Elif(count == 1):
                m.d.sync += self.number.eq(self.i.payload.byte)
            with m.Elif(count < HEADER_BYTES + ARGUMENT_BITS // 8):
                m.d.sync += self.argument.eq(Cat(self.argument[8:], self.i.payload.byte))
            with m.If(body & (count < self._most)):
                m.d.sync += within.eq(within + 1)
                with m.If(within == self.chunk - 1):
                    m.d.sync += [within.eq(0), self.chunks.eq(self.chunks + 1)]
        with m.If(ended):
            m.d.sync += [
                self.damaged.eq(~body | ~crc.match_detected),
                self.too_long.eq(count > self._most),
                self.whole.eq(~within.any() & self.chunks.any()),
                self.empty.eq(count == HEADER_BYTES + CRC_BYTES),
                self.four.eq(count == HEADER_BYTES + CRC_BYTES + ARGUMENT_BITS // 8),
            ]
        with m.If(ended | ~self.enable):
            m.d.comb += crc.start.eq(1)
            m.d.sync += [count.eq(0), within.eq(0)]
        with m.If(self.enable & ~count.any() & ~self.done):
            m.d.sync += self.chunks.eq(0)
        return m


class MessageTransmitter(wiring.Component):
    """An answer from its header and its body.

    Members
    -------
    start : In(1), for a clock; ``status`` and ``number`` must then stay as they are until ``done``.
    status, number : In(8). length : In(16), bytes of the body.
    body : stream of bytes in. o : stream of ``MARKED_BYTE`` out. done : Out(1), for a clock.
    """

    start: In(1)
    status: In(8)
    number: In(8)
    length: In(16)
    body: In(stream.Signature(8))
    o: Out(stream.Signature(MARKED_BYTE))
    done: Out(1)

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.crc = crc = CRC32_ETHERNET(8).create()
        left = Signal(16)
        checksum = Signal(32)
        sent = Signal()
        m.d.comb += [
            sent.eq(self.o.valid & self.o.ready),
            crc.data.eq(self.o.payload.byte),
        ]
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += crc.start.eq(1)
                with m.If(self.start):
                    m.d.sync += left.eq(self.length)
                    m.next = "STATUS"
            for state, value, following in (
                ("STATUS", self.status, "NUMBER"),
                ("NUMBER", self.number, "BODY"),
            ):
                with m.State(state):
                    m.d.comb += [
                        self.o.valid.eq(1),
                        self.o.payload.byte.eq(value),
                        crc.valid.eq(sent),
                    ]
                    with m.If(sent):
                        m.next = following
            with m.State("BODY"):
                with m.If(left.any()):
                    m.d.comb += [
                        self.o.valid.eq(self.body.valid),
                        self.o.payload.byte.eq(self.body.payload),
                        self.body.ready.eq(self.o.ready),
                        crc.valid.eq(sent),
                    ]
                    with m.If(sent):
                        m.d.sync += left.eq(left - 1)
                with m.Else():
                    m.d.sync += [checksum.eq(crc.crc), left.eq(CRC_BYTES)]
                    m.next = "CRC"
            with m.State("CRC"):
                m.d.comb += [self.o.valid.eq(1), self.o.payload.byte.eq(checksum[:8])]
                with m.If(sent):
                    m.d.sync += [checksum.eq(checksum >> 8), left.eq(left - 1)]
                    with m.If(left == 1):
                        m.next = "END"
            with m.State("END"):
                m.d.comb += [self.o.valid.eq(1), self.o.payload.end.eq(1), self.done.eq(sent)]
                with m.If(sent):
                    m.next = "IDLE"
        return m
