"""Parts for streams: a record passes with a clock in which ``valid`` and ``ready`` are both 1.

The four rules of :mod:`amaranth.lib.stream` hold for all of them: what is not taken stays valid and
as it is, valid does not wait for ready, and nothing passes twice.
"""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In, Out

from multipede.golden.number_format import require_range

__all__ = ["BypassQueue"]


class BypassQueue(wiring.Component):
    """Stores what is not taken at once; what is taken at once passes in the same clock.

    There is no path from ``o.ready`` to ``i.ready``.

    Parameters
    ----------
    shape : of the payload.
    depth : places, 1 or more.

    Members
    -------
    i, o : streams in and out.

    Raises
    ------
    TypeError, ValueError
        For a depth that is no integer, or below 1.
    """

    def __init__(self, shape, *, depth: int):
        require_range("depth", depth, 1, 1 << 20)
        self.shape, self.depth = shape, depth
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    @property
    def key(self) -> tuple:
        """Equal for equal queues."""
        return type(self), self.shape, self.depth

    def duplicate(self) -> "BypassQueue":
        """Another one of the same shape and depth."""
        return BypassQueue(self.shape, depth=self.depth)

    def elaborate(self, platform) -> Module:
        m = Module()
        width = len(Value.cast(self.i.payload))
        m.submodules.queue = queue = SyncFIFO(width=width, depth=self.depth)
        arriving = Value.cast(self.i.payload)
        passes = Signal()  # past the places
        m.d.comb += [
            passes.eq(self.i.valid & self.o.ready & ~queue.r_rdy),
            self.i.ready.eq(queue.w_rdy),
            queue.w_data.eq(arriving),
            queue.w_en.eq(self.i.valid & ~passes),
            self.o.valid.eq(self.i.valid | queue.r_rdy),
            Value.cast(self.o.payload).eq(Mux(queue.r_rdy, queue.r_data, arriving)),
            queue.r_en.eq(self.o.ready),
        ]
        return m
