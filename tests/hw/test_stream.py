"""Parts for streams keep the four rules, and lose, repeat and reorder nothing."""

from collections import deque

import numpy as np
import pytest
from amaranth.sim import Simulator

from multipede.hw.stream import BypassQueue

CLOCKS = 4000


def run(queue: BypassQueue, *, valid: float, ready: float, seed: int) -> tuple[list, list]:
    """What went in and what came out, with random valid and ready; the rules are checked."""
    print(f"seed {seed}")
    generator = np.random.default_rng(seed)
    sent, got, inside = [], [], deque()

    async def bench(context):
        offered, held = None, None
        for _ in range(CLOCKS):
            if offered is None and generator.random() < valid:
                offered = int(generator.integers(0, 256))
            taken = bool(generator.random() < ready)
            context.set(queue.i.valid, int(offered is not None))
            context.set(queue.i.payload, 0xA5 if offered is None else offered)
            seen = []
            for o_ready in (1 - taken, int(taken)):
                context.set(queue.o.ready, o_ready)
                seen.append((context.get(queue.o.valid), context.get(queue.i.ready)))
            assert seen[0] == seen[1], "valid or i.ready depends on o.ready"
            o_valid, i_ready = seen[1]
            payload = context.get(queue.o.payload) if o_valid else None
            assert held is None or payload == held, "what was not taken has changed"
            held = payload if o_valid and not taken else None
            assert i_ready == (len(inside) < queue.depth)
            if offered is not None and i_ready:
                sent.append(offered)
                inside.append(offered)
                offered = None
            if o_valid and taken:
                assert payload == inside.popleft()
                got.append(payload)
            await context.tick()

    simulator = Simulator(queue)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return sent, got


@pytest.mark.few(10)
@pytest.mark.parametrize("depth", [1, 2, 3, 4, 7])
@pytest.mark.parametrize(("valid", "ready"), [(1.0, 0.5), (0.5, 1.0), (0.9, 0.9), (0.6, 0.4)])
def test_a_queue_is_a_queue(depth, valid, ready):
    sent, got = run(BypassQueue(8, depth=depth), valid=valid, ready=ready, seed=depth)
    assert got == sent[: len(got)]
    assert len(sent) - depth <= len(got)
    assert len(got) > CLOCKS / 4


def test_what_is_taken_at_once_passes_at_once():
    sent, got = run(BypassQueue(8, depth=1), valid=1.0, ready=1.0, seed=1)
    assert sent == got
    assert len(got) == CLOCKS


@pytest.mark.parametrize(
    ("depth", "error", "message"),
    [
        (0, ValueError, "depth = 0: allowed are 1 to"),
        ("2", TypeError, "depth must be int, not str"),
    ],
)
def test_bad_depths(depth, error, message):
    with pytest.raises(error, match=message):
        BypassQueue(8, depth=depth)
