"""An asynchronous serial line: 8 bits, no parity, 1 stop bit."""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from multipede.golden.number_format import require_range

__all__ = ["LEAST_DIVISOR", "UartReceiver", "UartTransmitter"]

LEAST_DIVISOR = 4
"""Clocks of a bit, at least: it is sampled in its middle, which is known to a clock."""


class UartReceiver(wiring.Component):
    """Bytes from a line. A byte without a stop bit is dropped.

    Parameters
    ----------
    divisor : clocks of a bit, 4 to 65535.

    Members
    -------
    line : In(1). o : stream of bytes without ready: each is there for a clock.
    """

    def __init__(self, divisor: int):
        require_range("divisor", divisor, LEAST_DIVISOR, (1 << 16) - 1)
        self.divisor = divisor
        super().__init__({"line": In(1, init=1), "o": Out(stream.Signature(8, always_ready=True))})

    def elaborate(self, platform) -> Module:
        m = Module()
        line = Signal(init=1)
        m.submodules.synchronizer = FFSynchronizer(self.line, line, init=1)
        clocks = Signal(range(self.divisor + self.divisor // 2))
        bits = Signal(range(10))  # to come, the stop bit included
        byte = Signal(8, reset_less=True)
        m.d.sync += self.o.valid.eq(0)
        m.d.comb += self.o.payload.eq(byte)
        with m.If(~bits.any()), m.If(~line):
            # From the edge to the middle of the first bit, behind the start bit.
            m.d.sync += [bits.eq(9), clocks.eq(self.divisor + self.divisor // 2 - 1)]
        with m.Elif(clocks.any()):
            m.d.sync += clocks.eq(clocks - 1)
        with m.Else():
            m.d.sync += [clocks.eq(self.divisor - 1), bits.eq(bits - 1)]
            with m.If(bits == 1):
                m.d.sync += self.o.valid.eq(line)
            with m.Else():
                m.d.sync += byte.eq(Cat(byte[1:], line))
        return m


class UartTransmitter(wiring.Component):
    """Bytes onto a line.

    Parameters
    ----------
    divisor : clocks of a bit, 4 to 65535.

    Members
    -------
    i : stream of bytes. line : Out(1).
    """

    def __init__(self, divisor: int):
        require_range("divisor", divisor, LEAST_DIVISOR, (1 << 16) - 1)
        self.divisor = divisor
        super().__init__({"i": In(stream.Signature(8)), "line": Out(1, init=1)})

    def elaborate(self, platform) -> Module:
        m = Module()
        clocks = Signal(range(self.divisor))
        bits = Signal(range(11))  # to come, start and stop bits included
        word = Signal(9, init=0x1FF)
        m.d.comb += self.i.ready.eq(~bits.any())
        m.d.sync += self.line.eq(word[0])
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [
                word.eq(Cat(Const(0, 1), self.i.payload)),
                bits.eq(10),
                clocks.eq(self.divisor - 1),
            ]
        with m.Elif(clocks.any()):
            m.d.sync += clocks.eq(clocks - 1)
        with m.Elif(bits.any()):
            m.d.sync += [
                word.eq(Cat(word[1:], Const(1, 1))),
                bits.eq(bits - 1),
                clocks.eq(self.divisor - 1),
            ]
        return m
