"""Messages between END bytes, as in SLIP (RFC 1055)."""

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from multipede.fpga.shell.protocol import END, ESCAPE, ESCAPED_END, ESCAPED_ESCAPE

__all__ = ["MARKED_BYTE", "SlipDecoder", "SlipEncoder"]

MARKED_BYTE = data.StructLayout({"byte": unsigned(8), "end": unsigned(1)})
"""A byte of a message, or its end, where ``byte`` counts for nothing."""


class SlipDecoder(wiring.Component):
    """Bytes of messages and their ends from what came in.

    Members
    -------
    i : stream of bytes, without ready. o : stream of ``MARKED_BYTE``, without ready.
    """

    i: In(stream.Signature(8, always_ready=True))
    o: Out(stream.Signature(MARKED_BYTE, always_ready=True))

    def elaborate(self, platform) -> Module:
        m = Module()
        escaped = Signal()
        byte, end = self.i.payload, Signal()
        m.d.comb += [
            end.eq(byte == END),
            self.o.payload.end.eq(end),
            # What may not be escaped stands for itself: the CRC will tell.
            self.o.payload.byte.eq(
                Mux(
                    escaped & (byte == ESCAPED_END),
                    END,
                    Mux(escaped & (byte == ESCAPED_ESCAPE), ESCAPE, byte),
                )
            ),
            self.o.valid.eq(self.i.valid & (end | escaped | (byte != ESCAPE))),
        ]
        with m.If(self.i.valid):
            m.d.sync += escaped.eq(~escaped & (byte == ESCAPE))
        return m


class SlipEncoder(wiring.Component):
    """What goes out for bytes of messages and their ends; an END before each message, too.

    Members
    -------
    i : stream of ``MARKED_BYTE``. o : stream of bytes.
    """

    i: In(stream.Signature(MARKED_BYTE))
    o: Out(stream.Signature(8))

    def elaborate(self, platform) -> Module:
        m = Module()
        inside = Signal()  # behind the first END
        second = Signal()  # of two bytes that stand for one
        byte, end = self.i.payload.byte, self.i.payload.end
        special = Signal()
        m.d.comb += [
            special.eq(~end & ((byte == END) | (byte == ESCAPE))),
            self.o.valid.eq(self.i.valid),
            self.i.ready.eq(self.o.ready & inside & (~special | second)),
        ]
        with m.If(~inside | end):
            m.d.comb += self.o.payload.eq(END)
        with m.Elif(special & ~second):
            m.d.comb += self.o.payload.eq(ESCAPE)
        with m.Elif(special):
            m.d.comb += self.o.payload.eq(Mux(byte == END, ESCAPED_END, ESCAPED_ESCAPE))
        with m.Else():
            m.d.comb += self.o.payload.eq(byte)
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += [
                inside.eq(~(inside & end)),
                second.eq(inside & special & ~second),
            ]
        return m
