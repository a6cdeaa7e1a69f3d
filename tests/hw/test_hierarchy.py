"""Shared parts: their inputs take values as assignments do."""

import pytest
from amaranth.hdl import Module, Signal, signed, unsigned
from amaranth.sim import Simulator

from multipede.hw.hierarchy import _resized


@pytest.mark.parametrize("shape", [signed(4), unsigned(4), unsigned(0)], ids=str)
@pytest.mark.parametrize("width", [2, 4, 7])
def test_values_of_other_widths_are_cut_or_extended(shape, width):
    m, value = Module(), Signal(shape)
    ours, assigned = Signal(width), Signal(width)
    m.d.comb += [ours.eq(_resized(value, width)), assigned.eq(value)]
    assert len(_resized(value, width)) == width
    seen = set()

    async def bench(ctx):
        for code in range(1 << shape.width):
            ctx.set(value, code - (shape.signed and code >= 8) * 16)
            assert ctx.get(ours) == ctx.get(assigned)
            seen.add(ctx.get(ours))

    simulator = Simulator(m)
    simulator.add_testbench(bench)
    simulator.run()
    assert len(seen) == min(1 << width, 1 << shape.width)
