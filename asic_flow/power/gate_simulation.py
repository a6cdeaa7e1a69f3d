"""Simulates a netlist of library cells clock by clock, and counts how often each net changes.

Without delays every net changes at most once in a clock. With delays glitches are there: a gate
puts out a change after the delay from the input that caused it, and gives it up if its inputs ask
for the old value again before (inertial delays), so that pulses shorter than a gate's delay go no
further.
"""

import ctypes
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from multipede.asic_flow.power.activity import Activity
from multipede.asic_flow.power.gate_delays import FEMTOSECONDS
from multipede.asic_flow.power.gate_network import GateNetwork
from multipede.asic_flow.power.waveform import Waveform
from multipede.toolchain import cached, find, key
from multipede.toolchain.compiler import compile_objects, compiler_key, link_shared

__all__ = ["GateSimulation"]

_FLAGS = ("-std=c++17", "-O2", "-fPIC")
_CHUNK_CLOCKS = 1 << 12
"""Clocks per call into the kernel, so that Ctrl-C and progress bars stay alive."""

_COUNTS = ("nets", "gates", "registers", "inputs", "outputs", "levels")
_POINTERS = (
    *("tables", "targets", "level", "next", "clear", "preset", "states", "both", "forcing"),
    *("readers", "first", "input_nets", "output_nets", "delays", "start"),
)


class _Netlist(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_int32) for name in _COUNTS),
        *((name, ctypes.c_void_p) for name in _POINTERS),
    )


def _kernel() -> ctypes.CDLL:
    """The compiled kernel. ToolError if there is no C++ compiler."""
    source = files(__package__) / "gate_simulation.cpp"
    identity = key(source.read_bytes(), compiler_key(find("c++")), " ".join(_FLAGS))

    def build(place: Path) -> None:
        text = place / "kernel.cpp"
        text.write_bytes(source.read_bytes())
        objects = compile_objects([text], _FLAGS, place)
        link_shared(objects, place / "kernel.so", [])
        for rest in (text, *objects):
            rest.unlink()

    kernel = ctypes.CDLL(str(cached("gate-simulation", identity, build) / "kernel.so"))
    kernel.gates_create.restype = ctypes.c_void_p
    for name in ("gates_run", "gates_now", "gates_change_count"):
        getattr(kernel, name).restype = ctypes.c_int64
    return kernel


class GateSimulation:
    """A netlist with the state of its registers, which start at 0, as all inputs do.

    Of changes that fall on the same time, and were found at the same time, those of cells that come
    first in the netlist are first: whether there is a glitch may then depend on that order.

    Parameters
    ----------
    network : from :func:`~multipede.asic_flow.power.gate_network.gate_network`.
    delays : from :func:`~multipede.asic_flow.power.gate_delays.gate_delays`, or None for zero
        delay.
    clock_period : ns.
    input_delay : ps from the clock's edge to a change of the inputs, less than the period; without
        delays they change with the clock.

    Raises
    ------
    ValueError
        For delays of another shape, and for times out of range.
    ToolError
        If there is no C++ compiler.
    """

    def __init__(
        self,
        network: GateNetwork,
        *,
        delays: np.ndarray | None = None,
        clock_period: float = 1.0,
        input_delay: float = 0.0,
    ):
        if not clock_period > 0:
            raise ValueError(f"clock_period = {clock_period}: more than 0 ns is needed")
        self._period = round(clock_period * 1000 * FEMTOSECONDS)
        self._input_delay = round(input_delay * FEMTOSECONDS)
        if not 0 <= self._input_delay < self._period:
            raise ValueError(
                f"input_delay = {input_delay}: 0 or more, and less than the clock period's"
                f" {1000 * clock_period:g} ps is needed"
            )
        self.network = network
        self.clock_period = clock_period
        self._arrays = _arrays(network, delays)
        self._kernel = _kernel()
        self._handle = ctypes.c_void_p(self._kernel.gates_create(self._described()))
        self._clocks = 0

    def _described(self) -> Any:
        network = self.network
        return ctypes.byref(
            _Netlist(
                nets=len(network.nets),
                gates=len(network.gates),
                registers=len(network.registers),
                inputs=len(self._arrays["input_nets"]),
                outputs=len(self._arrays["output_nets"]),
                levels=int(network.level.max(initial=0)) + 1,
                **{name: array.ctypes.data for name, array in self._arrays.items()},
            )
        )

    def __del__(self):
        if getattr(self, "_handle", None):
            self._kernel.gates_destroy(self._handle)
            self._handle = None

    def count_anew(self) -> None:
        """Forget what was counted; the registers keep their state."""
        self._kernel.gates_count_anew(self._handle)
        self._clocks = 0

    def run(
        self, inputs: Mapping[str, np.ndarray], *, progress: str | None = None
    ) -> dict[str, np.ndarray]:
        """Clock after clock: registers change, the inputs take their values, outputs are read at
        the end.

        Parameters
        ----------
        inputs : for each input port but the clock uint8 (T, bits) of 0 and 1, lowest bit first.
        progress : what a bar on a terminal shows, or None.

        Returns
        -------
        For each output port uint8 (T, bits).

        Raises
        ------
        TypeError, ValueError
            For arrays of another kind or shape.
        ValueError
            If the netlist was still changing at the end of a clock: the period is too short.
        """
        driven = self._joined(inputs)
        clocks = len(driven)
        sampled = np.empty((clocks, len(self._arrays["output_nets"])), np.uint8)
        bar = tqdm(total=clocks, unit="clock", desc=progress, disable=None if progress else True)
        with bar:
            for start in range(0, clocks, _CHUNK_CLOCKS):
                count = min(_CHUNK_CLOCKS, clocks - start)
                self._run(driven[start : start + count], sampled[start : start + count])
                bar.update(count)
        return self._parted(sampled)

    def _run(self, driven: np.ndarray, sampled: np.ndarray) -> None:
        unsettled = self._kernel.gates_run(
            self._handle,
            ctypes.c_void_p(driven.ctypes.data),
            ctypes.c_void_p(sampled.ctypes.data),
            ctypes.c_int64(len(driven)),
            ctypes.c_int64(self._period),
            ctypes.c_int64(self._input_delay),
        )
        self._clocks += len(driven)
        if unsettled:
            raise ValueError(
                f"clock_period = {self.clock_period}: {unsettled} clocks ended while the netlist"
                " was still changing"
            )

    def _joined(self, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        ports = self.network.inputs
        if set(inputs) != set(ports):
            raise TypeError(f"inputs must be {list(ports)}, not {list(inputs)}")
        columns = []
        for name, nets in ports.items():
            array = np.asarray(inputs[name])
            if array.ndim != 2 or array.shape[1] != len(nets):
                raise ValueError(f"{name} has shape {array.shape}: (T, {len(nets)}) is needed")
            if array.dtype.kind not in "iub" or ((array != 0) & (array != 1)).any():
                raise ValueError(f"{name}: it must hold 0 and 1 alone")
            columns.append(array.astype(np.uint8))
        if len({len(array) for array in columns}) > 1:
            raise ValueError(f"inputs differ in their clocks: {[len(a) for a in columns]}")
        if not columns:
            raise ValueError("a netlist without inputs is not simulated")
        return np.ascontiguousarray(np.concatenate(columns, axis=1))

    def _parted(self, sampled: np.ndarray) -> dict[str, np.ndarray]:
        parts, place = {}, 0
        for name, nets in self.network.outputs.items():
            parts[name] = sampled[:, place : place + len(nets)]
            place += len(nets)
        return parts

    def activity(self) -> Activity:
        """What was counted since the start or :meth:`count_anew`, the clock's two changes a clock
        included."""
        nets = self.network.nets
        toggles, high = np.zeros(len(nets), np.int64), np.zeros(len(nets), np.int64)
        self._kernel.gates_counts(
            self._handle, ctypes.c_void_p(toggles.ctypes.data), ctypes.c_void_p(high.ctypes.data)
        )
        duration = self._clocks * self._period / FEMTOSECONDS
        named = [(place, bit) for place, bit in enumerate(nets) if bit is not None]
        counted = {bit: int(toggles[place]) for place, bit in named}
        up = {bit: float(high[place]) / FEMTOSECONDS for place, bit in named}
        if self.network.clock is not None:
            counted[self.network.clock] = 2 * self._clocks
            up[self.network.clock] = duration / 2
        return Activity(clocks=self._clocks, duration=duration, toggles=counted, high=up)

    def waveform(self, inputs: Mapping[str, np.ndarray]) -> Waveform:
        """As :meth:`run`, and all changes of nets; for short windows, since every change is kept.

        Raises what that raises.
        """
        start = np.zeros(len(self.network.nets), np.uint8)
        self._kernel.gates_values(self._handle, ctypes.c_void_p(start.ctypes.data))
        begin = self._kernel.gates_now(self._handle)
        self._kernel.gates_trace(self._handle, 1)
        try:
            self.run(inputs)
            count = self._kernel.gates_change_count(self._handle)
            times = np.zeros(count, np.int64)
            nets, values = np.zeros(count, np.int32), np.zeros(count, np.int32)
            pointers = (ctypes.c_void_p(array.ctypes.data) for array in (times, nets, values))
            self._kernel.gates_changes(self._handle, *pointers)
            end = self._kernel.gates_now(self._handle)
        finally:
            self._kernel.gates_trace(self._handle, 0)
        kept = [place for place, bit in enumerate(self.network.nets) if bit is not None]
        seen = np.isin(nets, kept)
        bits = np.array([-1 if bit is None else bit for bit in self.network.nets])
        return Waveform(
            start={int(bits[place]): int(start[place]) for place in kept},
            times=(times - begin)[seen],
            nets=bits[nets[seen]],
            values=values[seen].astype(np.uint8),
            duration=end - begin,
            clock=self.network.clock,
            period=self._period,
        )


def _arrays(network: GateNetwork, delays: np.ndarray | None) -> dict[str, np.ndarray]:
    """The kernel's arrays by their names there; without ``delays`` if there are none."""
    registers = network.registers
    readers, first = network.readers()
    arrays = {
        "tables": np.array([gate.table for gate in network.gates], np.uint64),
        "targets": np.array([gate.target for gate in network.gates], np.int32),
        "level": np.ascontiguousarray(network.level, np.int32),
        "next": np.array([r.behaviour.next_state for r in registers], np.uint64),
        "clear": np.array([r.behaviour.clear for r in registers], np.uint64),
        "preset": np.array([r.behaviour.preset for r in registers], np.uint64),
        "states": np.array([r.states for r in registers], np.int32),
        "both": np.array([r.behaviour.cleared_and_preset for r in registers], np.uint8),
        "forcing": np.array([r.forcing for r in registers], np.uint8),
        "readers": readers,
        "first": first,
        "input_nets": np.array([n for nets in network.inputs.values() for n in nets], np.int32),
        "output_nets": np.array([n for nets in network.outputs.values() for n in nets], np.int32),
        "start": np.zeros(len(network.nets), np.uint8),
    }
    # The constant 1, and the inverses of all states.
    arrays["start"][[1, *(register.states[1] for register in registers)]] = 1
    if delays is not None:
        shape = (len(network.gates), 6, 2, 2)
        if delays.shape != shape or delays.dtype != np.int64 or (delays < 1).any():
            raise ValueError(f"delays: int64 {shape} of 1 fs or more is needed")
        arrays["delays"] = np.ascontiguousarray(delays)
    return arrays
