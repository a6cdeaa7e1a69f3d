"""Drives a unit's netlist in the gate simulator, and holds its results against the reference."""

from collections.abc import Mapping

import numpy as np

from multipede.asic_flow.power.gate_simulation import GateSimulation
from multipede.asic_flow.power.waveform import Waveform
from multipede.golden.spec import Port, Spec
from multipede.sim.expected import expected_results
from multipede.sim.port_text import difference_text

__all__ = ["UnitSimulation", "payload_bits", "wrong_result"]

_NOISE = 8
"""Clocks of random records before the reset, besides those that fill the unit."""


class UnitSimulation:
    """A unit from reset on, with records one behind the other and every result taken at once.

    Parameters
    ----------
    simulation : of a netlist with the unit's pins.
    spec : the unit.
    seed : of what goes in before the reset, so that it has something to clear.

    Raises
    ------
    ValueError
        For a unit whose records may have to wait, or a netlist with other pins.
    """

    def __init__(self, simulation: GateSimulation, spec: Spec, *, seed: int = 0):
        if not spec.keeps_pace:
            raise ValueError(f"{spec.unit}: records may have to wait for their turn")
        self._simulation = simulation
        self._spec = spec
        self._ports = simulation.network.inputs
        needed = {"i_valid", "i_payload"} | ({"o_ready"} if spec.stallable else set())
        if not needed <= set(self._ports) or set(self._ports) - needed - {"rst", "clk"}:
            raise ValueError(f"{spec.unit}: the netlist has the inputs {list(self._ports)}")
        self._width = len(self._ports["i_payload"])
        generator = np.random.default_rng(seed)
        noise = spec.latency + _NOISE
        self._drive(generator.integers(0, 2, (noise, self._width), dtype=np.uint8), 1, rst=0)
        self._drive(np.zeros((1, self._width), np.uint8), 0, rst=1)

    def run(
        self, records: Mapping[str, np.ndarray], *, progress: str | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """A record behind the other, each for as many clocks as it takes.

        Returns
        -------
        uint8 (T', bits) the payload of each result in order, and int64 (T',) the clock of each.
        """
        found = self._drive(self._offered(records), 1, rst=0, progress=progress)
        taken = np.cumsum(self._spec.record_clocks(records)) - 1
        if "i_ready" in found and not np.array_equal(np.flatnonzero(found["i_ready"]), taken):
            raise ValueError(f"{self._spec.unit} took records in other clocks than it should")
        return self._results(found)

    def drain(self) -> tuple[np.ndarray, np.ndarray]:
        """As :meth:`run`, without records, until all results are out."""
        idle = np.zeros((self._spec.latency + 1, self._width), np.uint8)
        return self._results(self._drive(idle, 0, rst=0))

    def waveform(self, records: Mapping[str, np.ndarray]) -> Waveform:
        """All changes of nets while records go in; for short windows."""
        return self._simulation.waveform(self._inputs(self._offered(records), 1, rst=0))

    def _offered(self, records: Mapping[str, np.ndarray]) -> np.ndarray:
        """The payload in each clock."""
        payload = payload_bits(self._spec.inputs, records)
        return np.repeat(payload, self._spec.record_clocks(records), axis=0)

    def _inputs(self, payload: np.ndarray, valid: int, *, rst: int) -> dict[str, np.ndarray]:
        values = {"i_valid": valid, "rst": rst, "o_ready": 1, "clk": 0}
        inputs = {
            name: np.full((len(payload), 1), values[name], np.uint8)
            for name in self._ports
            if name != "i_payload"
        }
        return inputs | {"i_payload": payload}

    def _drive(
        self, payload: np.ndarray, valid: int, *, rst: int, progress: str | None = None
    ) -> dict[str, np.ndarray]:
        inputs = self._inputs(payload, valid, rst=rst)
        return self._simulation.run(inputs, progress=progress)

    def _results(self, sampled: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        valid = sampled["o_valid"][:, 0] == 1
        return sampled["o_payload"][valid], np.flatnonzero(valid)


def wrong_result(
    spec: Spec, records: Mapping[str, np.ndarray], results: np.ndarray, clocks: np.ndarray
) -> str | None:
    """What is wrong with the results of records from reset, or None.

    ``results`` and ``clocks`` are those of :meth:`UnitSimulation.run` and then of
    :meth:`UnitSimulation.drain`, whose clocks count on.
    """
    expected = expected_results(spec, dict(records))
    wanted = payload_bits(spec.outputs, expected.results)
    if len(wanted) != len(results):
        return f"{len(results)} results, {len(wanted)} expected"
    different = (wanted != results).any(axis=1)
    if different.any():
        number = int(different.argmax())
        pair = (_integer(wanted[number]), _integer(results[number]))
        return f"result {number}: {difference_text(spec.outputs, *pair)}"
    taken = np.cumsum(spec.record_clocks(records)) - 1
    return _wrong_clock(spec, taken[expected.made_by], clocks)


def _wrong_clock(spec: Spec, completed: np.ndarray, clocks: np.ndarray) -> str | None:
    """``completed`` is the clock in which each result's last record is taken."""
    late = clocks - completed - spec.latency
    if late.any():
        number = int((late != 0).argmax())
        return f"result {number} comes {int(late[number])} clocks after its time"
    return None


def _integer(bits: np.ndarray) -> int:
    return int.from_bytes(np.packbits(bits, bitorder="little").tobytes(), "little")


def payload_bits(ports: Mapping[str, Port], records: Mapping[str, np.ndarray]) -> np.ndarray:
    """The wires of a payload, uint8 (T, bits), first port and lowest bit first."""
    columns = []
    for name, port in ports.items():
        width = 32 if port.limbs else port.format.bits
        codes = np.asarray(records[name])
        wires = (codes[..., None] >> np.arange(width)) & 1
        words = max(1, port.limbs)
        elements = wires.reshape(len(codes), port.elements, words * width)
        bits = elements[:, :, : port.format.bits]
        columns.append(bits.reshape(len(codes), port.bits))
    return np.concatenate(columns, axis=1).astype(np.uint8)
