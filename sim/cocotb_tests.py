"""What cocotb runs inside the simulator: a unit's records through its pins, cycle by cycle.

A test module for cocotb; `multipede.sim.cocotb_bench` builds the simulation and starts it. The
bench works on pins alone, so that it takes any Verilog with the ports of the specification, and
compares every result with what ``reference`` gave. The clock is ours: inputs change while it is
low, everything is looked at when it has settled, then it rises.
"""

import json
import os
import random
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path

import cocotb
from cocotb.triggers import Timer

from multipede.golden.catalogue import spec_from_dict
from multipede.golden.spec import Spec
from multipede.sim.port_text import difference_text

SETTINGS = "MULTIPEDE_COCOTB"
"""environment variable: the file of settings"""
RESET_CLOCKS = (1, 2, 3, 5)
LONG_STALLS = 0.01
"""Probability that a long stall begins in a clock, where there are stalls."""


@dataclass(frozen=True)
class Stretch:
    """Payloads of records from reset on, of the results that they must give, for each of these the
    record that completes it, and how many clocks the records take at full pace."""

    inputs: list[int]
    outputs: list[int]
    made_by: list[int]
    clocks: int


@dataclass(frozen=True)
class Settings:
    """What the bench is to do, and the file that takes down what it did."""

    spec: Spec
    seed: int
    results: Path
    stretches: dict[str, list[Stretch]]
    """of each case"""

    @classmethod
    def given(cls) -> "Settings":
        """Those of this simulation."""
        values = json.loads(Path(os.environ[SETTINGS]).read_text())
        stretches = {
            case: [
                Stretch(_numbers(sent), _numbers(given), made_by, clocks)
                for sent, given, made_by, clocks in some
            ]
            for case, some in values["stretches"].items()
        }
        spec = spec_from_dict(values["specification"])
        return cls(spec, values["seed"], Path(values["results"]), stretches)


def _numbers(payloads: list[str]) -> list[int]:
    return [int(payload, 16) for payload in payloads]


class Pins:
    """The unit's pins and its clock."""

    def __init__(self, dut, spec: Spec):
        self._dut = dut
        self._clock = getattr(dut, "clk", None)
        self._reset = getattr(dut, "rst", None)
        self._takes_ready = spec.stallable
        self._gives_ready = not spec.always_ready
        self.clocks = 0
        if self._clock is not None:
            self._reset.value = 0

    def drive(self, *, valid: bool, payload: int, ready: bool, reset: bool = False) -> None:
        """Set all inputs, while the clock is low."""
        dut = self._dut
        if self._clock is not None:
            self._clock.value = 0
            self._reset.value = int(reset)
        dut.i_valid.value = int(valid)
        dut.i_payload.value = payload
        if self._takes_ready:
            dut.o_ready.value = int(ready)

    async def settle(self) -> None:
        """Half a clock, after which outputs may be looked at."""
        await Timer(1, "ns")

    async def rise(self) -> None:
        """The other half: registers take what is there."""
        if self._clock is not None:
            self._clock.value = 1
        self.clocks += 1
        await Timer(1, "ns")

    @property
    def accepts(self) -> bool:
        """Whether a valid record is taken with this clock."""
        return not self._gives_ready or _bit(self._dut.i_ready)

    @property
    def offers(self) -> bool:
        """Whether a result is there."""
        return _bit(self._dut.o_valid)

    @property
    def result(self) -> int:
        """Its payload."""
        value = self._dut.o_payload.value
        if not value.is_resolvable:
            raise AssertionError(f"clock {self.clocks}: o_payload of a valid result is {value}")
        return int(value)


def _bit(handle) -> bool:
    value = handle.value
    if not value.is_resolvable:
        raise AssertionError(f"{handle._name} is {value}")
    return bool(value)


class Bench:
    """Streams records and compares results; counts both."""

    def __init__(self, dut, case: str):
        self.settings = Settings.given()
        self.spec = self.settings.spec
        self.pins = Pins(dut, self.spec)
        self.case = case
        self.records = self.results = 0
        self.random = random.Random(f"{case} {self.settings.seed}")
        self._noise_bits = sum(port.bits for port in self.spec.inputs.values())
        self._waiting = 0
        self._began = time.monotonic()

    @property
    def stretches(self) -> list[Stretch]:
        """The case's records and results."""
        return self.settings.stretches[self.case]

    async def reset(self, clocks: int, *, valid: bool = False) -> None:
        """Hold rst; nothing may be taken meanwhile, nothing offered behind its first clock."""
        for clock in range(clocks):
            self.pins.drive(valid=valid, payload=self._noise(), ready=True, reset=True)
            await self.pins.settle()
            if clock and self.spec.latency and self.pins.offers:
                raise AssertionError(f"clock {self.pins.clocks}: a result is offered during reset")
            await self.pins.rise()

    async def stream(
        self, records: Stretch, *, gaps: float, stalls: float, drain: bool = True
    ) -> int:
        """Send the records and compare what comes; the number of clocks up to the last of both."""
        stretch = _Progress(self, records)
        busy = idle = waited = 0
        start = self.pins.clocks
        patience = 1000 + 100 * self.spec.initiation_interval
        while stretch.unsent or (drain and idle < self._drain_clocks(stalls)):
            if stretch.offered is None and stretch.unsent and self.random.random() >= gaps:
                stretch.offer()
            pending = stretch.offered is not None
            ready = self._ready(stalls)
            payload = stretch.offered if pending else self._noise()
            if stalls and self.spec.stallable:
                await self._require_same_offer(pending, payload)
            self.pins.drive(valid=pending, payload=payload, ready=ready)
            await self.pins.settle()
            accepted = pending and self.pins.accepts
            if accepted:
                stretch.note_acceptance()
            stretch.look(ready or not self.spec.stallable, on_time=not stalls)
            if accepted or stretch.taken:
                busy = self.pins.clocks + 1 - start
            await self.pins.rise()
            waited = waited + 1 if pending and not accepted else 0
            assert waited < patience, f"{stretch.place}: not taken for {patience} clocks: it hangs"
            if accepted:
                stretch.accept()
            idle = 0 if stretch.unsent or stretch.taken else idle + 1
        if drain:
            stretch.require_all()
        return busy

    def _ready(self, stalls: float) -> bool:
        """Whether results are taken in this clock; now and then they are not for a long time."""
        if not stalls:
            return True
        if self._waiting == 0 and self.random.random() < LONG_STALLS:
            self._waiting = self.random.randrange(20, 80)
        self._waiting = max(0, self._waiting - 1)
        return self._waiting == 0 and self.random.random() >= stalls

    async def _require_same_offer(self, valid: bool, payload: int) -> None:
        """What is offered must not depend on whether it is taken."""
        seen = []
        for ready in (False, True):
            self.pins.drive(valid=valid, payload=payload, ready=ready)
            await self.pins.settle()
            offers = self.pins.offers
            seen.append((offers, self.pins.result if offers else None))
        assert seen[0] == seen[1], f"clock {self.pins.clocks}: o_valid or o_payload waits for ready"

    def _drain_clocks(self, stalls: float) -> int:
        return int((self.spec.latency + 2) * 20 / (1 - stalls)) + (200 if stalls else 0)

    def _noise(self) -> int:
        """Nothing may depend on the payload while valid is low."""
        return self.random.getrandbits(self._noise_bits)

    def finish(self, error: str | None = None) -> None:
        """Take down what was compared."""
        entry = {
            "case": self.case,
            "records": self.records,
            "results": self.results,
            "clocks": self.pins.clocks,
            "seconds": time.monotonic() - self._began,
            "error": error,
        }
        with open(self.settings.results, "a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")


class _Progress:
    """How far a stretch has come."""

    def __init__(self, bench: Bench, stretch: Stretch):
        self._bench = bench
        self._stretch = stretch
        self._sent = self._got = 0
        self.offered: int | None = None
        self._held: int | None = None
        self._due: deque[int] = deque()
        """clocks of the results to come, of the records so far"""
        self._completing = set(stretch.made_by)
        self.taken = False

    @property
    def unsent(self) -> bool:
        return self._sent < len(self._stretch.inputs)

    @property
    def place(self) -> str:
        return f"record {self._sent}"

    def offer(self) -> None:
        self.offered = self._stretch.inputs[self._sent]

    def accept(self) -> None:
        self.offered = None
        self._sent += 1
        self._bench.records += 1

    def note_acceptance(self) -> None:
        """The record is taken with this clock."""
        if self._sent in self._completing:
            self._due.append(self._bench.pins.clocks + self._bench.spec.latency)

    def look(self, ready: bool, *, on_time: bool) -> None:
        """Compare what is offered; without ready it must still be there in the next clock.

        ``on_time``: each result must come ``latency`` clocks behind its record, where that is
        constant.
        """
        pins = self._bench.pins
        offers = pins.offers
        due = bool(self._due) and self._due[0] == pins.clocks
        if due:
            self._due.popleft()
        self.taken = offers and ready
        if self._held is not None and not (offers and pins.result == self._held):
            raise AssertionError(f"{self._where}: it was not taken, and is no longer there")
        if offers:
            self._compare(pins.result)
        if offers != due and on_time and self._bench.spec.keeps_pace:
            made_by = self._stretch.made_by[self._got]
            raise AssertionError(
                f"{self._where}: {'not there yet' if due else 'there at a wrong time'}, although"
                f" record {made_by} completes it (latency {self._bench.spec.latency})"
            )
        self._held = pins.result if offers and not ready else None
        if self.taken:
            self._got += 1
            self._bench.results += 1

    @property
    def _where(self) -> str:
        return f"clock {self._bench.pins.clocks}, {self.place}, result {self._got}"

    def _compare(self, payload: int) -> None:
        expected = self._stretch.outputs
        if self._got >= len(expected):
            raise AssertionError(f"{self._where}: one more than the reference gives")
        if payload != expected[self._got]:
            what = difference_text(self._bench.spec.outputs, expected[self._got], payload)
            raise AssertionError(f"{self._where}: {what}")

    def require_all(self) -> None:
        missing = len(self._stretch.outputs) - self._got
        assert not missing, f"{self._where}: {missing} results never came"


async def _run(dut, case: str, *, gaps: float = 0.0, stalls: float = 0.0) -> None:
    """One stretch from reset."""
    bench = Bench(dut, case)
    with _taken_down(bench):
        await bench.reset(2)
        (stretch,) = bench.stretches
        clocks = await bench.stream(stretch, gaps=gaps, stalls=stalls)
        spec = bench.spec
        # The last record gives a result: golden records end with `last`.
        if spec.keeps_pace and not (gaps or stalls):
            expected = stretch.clocks + spec.latency
            assert clocks == expected, f"{clocks} clocks at full pace, {expected} specified"


class _taken_down:  # noqa: N801
    """Whatever becomes of a test is written to the file of results."""

    def __init__(self, bench: Bench):
        self._bench = bench

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self._bench.finish(None if error is None else str(error) or kind.__name__)


@cocotb.test()
async def back_to_back(dut):
    """A record whenever one is taken, results always taken: pace and latency too."""
    await _run(dut, "back_to_back")


@cocotb.test()
async def gaps(dut):
    """Pauses in front of records, with noise on the payload."""
    await _run(dut, "gaps", gaps=0.4)


@cocotb.test()
async def stalls(dut):
    """Results that are not taken at once, where there is ready."""
    await _run(dut, "stalls", stalls=0.6)


@cocotb.test()
async def gaps_and_stalls(dut):
    """Both, at rates that change places."""
    await _run(dut, "gaps_and_stalls", gaps=0.5, stalls=0.5)


@cocotb.test()
async def resets(dut):
    """Resets in mid-stream: nothing from before shows in any later result."""
    bench = Bench(dut, "resets")
    with _taken_down(bench):
        stalls = 0.2 if bench.spec.stallable else 0.0
        await bench.reset(1)
        for number, stretch in enumerate(bench.stretches):
            await bench.stream(stretch, gaps=0.2, stalls=stalls, drain=number % 2 == 0)
            await bench.reset(RESET_CLOCKS[number % 4], valid=number // 4 % 2 == 0)
