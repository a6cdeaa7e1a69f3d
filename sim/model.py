"""The vector simulator: a compiled unit, driven with whole numpy arrays."""

import ctypes
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from numbers import Real
from pathlib import Path

import numpy as np

from multipede.golden.number_format import require_type
from multipede.golden.spec import Spec
from multipede.toolchain import ToolError

__all__ = ["NO_RECORD", "Model", "SimulationError", "SimulationRun"]

ELEMENT_TYPES = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
NO_RECORD = np.iinfo(np.int64).min
"""Behind no record."""
CHUNK_CLOCKS = 1 << 16
"""Clocks per call into the library, so that Ctrl-C and progress bars stay alive."""
RESET_CLOCKS = (1, 2, 3, 5)
"""Clocks of ``rst`` in turn: one must do, and more must do no harm."""


class SimulationError(RuntimeError):
    """The unit hung, gave more results than its specification allows, or took one back."""


@dataclass(frozen=True)
class SimulationRun(Mapping[str, np.ndarray]):
    """What came out: a mapping of output ports to int64 arrays of shape (T', ...).

    ``cycles`` counts the clocks from the first record to the last result or record, whichever is
    later; for a unit of latency L without gaps it is T + L if the last record gives a result.
    ``behind`` (T',) int64 says behind which record each result came: the number, within the run,
    of the record taken ``latency`` clocks before it, negative if in an earlier run, or NO_RECORD.
    It is None where that is not constant: for units that do not keep pace, and behind stalls.
    ``offered_in_reset`` says whether the reset before saw a result behind its first clock.
    """

    outputs: dict[str, np.ndarray]
    cycles: int
    behind: np.ndarray | None = None
    offered_in_reset: bool = False

    def __getitem__(self, port: str) -> np.ndarray:
        return self.outputs[port]

    def __iter__(self) -> Iterator[str]:
        return iter(self.outputs)

    def __len__(self) -> int:
        return len(self.outputs)


class _Run(ctypes.Structure):
    _fields_ = (
        ("inputs", ctypes.POINTER(ctypes.c_void_p)),
        ("types", ctypes.POINTER(ctypes.c_int)),
        ("records", ctypes.c_int64),
        ("outputs", ctypes.POINTER(ctypes.c_void_p)),
        ("behind", ctypes.c_void_p),
        ("capacity", ctypes.c_int64),
        ("gap", ctypes.c_uint32),
        ("stall", ctypes.c_uint32),
        ("seed", ctypes.c_uint64),
        ("drain", ctypes.c_int64),
        ("patience", ctypes.c_int64),
        ("latency", ctypes.c_int64),
        ("consumed", ctypes.c_int64),
        ("produced", ctypes.c_int64),
        ("busy", ctypes.c_int64),
    )


class Model:
    """A compiled unit with its registers. Made by :func:`~multipede.sim.compiled.compile_model`.

    Several models, of one unit or of many, may live in a process; each keeps its own state. A
    model must not be used by two threads at once.
    """

    def __init__(self, library: Path, spec: Spec):
        self.spec = spec
        self._path = library
        self._library = ctypes.CDLL(str(library))
        self._library.simulation_create.restype = ctypes.c_void_p
        self._library.simulation_cycles.restype = ctypes.c_int64
        self._handle = ctypes.c_void_p(self._library.simulation_create())
        self._delayed = False  # whether stalls held results back that may still be inside
        self._offered_in_reset = False
        self._records = 0  # taken since reset
        self._undelivered = 0  # results that runs without drain may still owe
        self._resets = 0
        self.reset()

    def __del__(self):
        if getattr(self, "_handle", None):
            self._library.simulation_destroy(self._handle)
            self._handle = None

    @property
    def cycles(self) -> int:
        """Clocks since the model was made, resets included."""
        return self._library.simulation_cycles(self._handle)

    def reset(self, *, turn: int | None = None) -> None:
        """Break off what is going on and begin anew.

        Noise goes in until the unit is full of it. Then ``rst`` is held for one clock, the next
        time for two, three, five, one, ...; ``i_valid`` is 1 meanwhile four times, then 0 four
        times. Nothing of this may show in later results. ``turn`` chooses the time, counted from 0,
        and so repeats a reset exactly.
        """
        turn = self._resets if turn is None else turn
        self._resets = turn + 1
        before = self.spec.latency + 2 * self.spec.initiation_interval + turn % 3
        clocks = RESET_CLOCKS[turn % len(RESET_CLOCKS)]
        valid = turn // len(RESET_CLOCKS) % 2 == 0
        offered = self._library.simulation_reset(
            self._handle, ctypes.c_uint64(turn), before, clocks, int(valid)
        )
        self._undelivered = self._records = 0
        self._delayed = False
        if offered and self.spec.latency:
            self._offered_in_reset = True

    def trace(self, path: Path) -> None:
        """Write everything from now on to an FST waveform. ToolError if not compiled for that."""
        if self._library.simulation_trace(self._handle, str(path).encode()):
            raise ToolError(f"no waveform can be written to {path}: compile with trace=True")

    def write_coverage(self, path: Path) -> None:
        """Write what was counted since the model was made, as Verilator writes it.

        ToolError if the model was not compiled for that or the file cannot be written.
        """
        if self._library.simulation_coverage(self._handle, str(path).encode()):
            raise ToolError(f"no coverage can be written to {path}: compile with coverage")
        if not path.is_file():
            raise ToolError(f"Verilator did not write its coverage to {path}")

    def mutant(self, number: int) -> "Model":
        """One more model of the library, with this mutant in force; 0 is the unit as it is.

        ToolError if the library holds no mutants.
        """
        made = Model(self._path, self.spec)
        if made._library.simulation_mutant(made._handle, ctypes.c_uint32(number)):
            raise ToolError(f"the model of {self.spec.unit} has no mutants: compile with mutants")
        return made

    def run(
        self,
        inputs: Mapping[str, np.ndarray],
        *,
        gaps: float = 0.0,
        stalls: float = 0.0,
        seed: int = 1,
        drain: bool = True,
    ) -> SimulationRun:
        """Stream records through the unit; state carries over from the run before.

        Parameters
        ----------
        inputs : one integer array of shape (T, ...) per input port; any integer dtype. They are
            read in place, without copies, if they are C-contiguous.
        gaps : probability that the input pauses for a clock; the payload is then random.
        stalls : probability that the output is not taken in a clock; only where the unit has
            ``ready``.
        seed : of gaps and stalls.
        drain : whether to go on until all results are out.

        Raises
        ------
        TypeError, ValueError
            From the checks of the specification, or for probabilities outside 0 <= p < 1.
        SimulationError
            If the unit takes no record for a long time, gives too many results or, with stalls,
            withdraws or changes one that was not taken.
        """
        if not isinstance(inputs, Mapping):
            raise TypeError(f"inputs must map port names to arrays, not {type(inputs).__name__}")
        arrays = {name: _as_array(value) for name, value in inputs.items()}
        records = self.spec.check_inputs(arrays)
        require_type("seed", seed, int)
        require_type("drain", drain, bool)
        for name, probability in (("gaps", gaps), ("stalls", stalls)):
            require_type(name, probability, Real)
            if not 0 <= probability < 1:
                raise ValueError(f"{name} = {probability}: 0 <= p < 1 is needed")
        if stalls and not self.spec.stallable:
            raise ValueError(f"stalls = {stalls}: {self.spec.unit} cannot be stalled")
        cycles = 0
        # At full pace what once was stalled stays late, until all results are out.
        self._delayed |= stalls > 0
        timed = self.spec.keeps_pace and not self._delayed
        store = _Store(self.spec, self.spec.maximum_results(records) + self._undelivered)
        ordered = [np.ascontiguousarray(arrays[name]) for name in self.spec.inputs]
        for start, stop in _chunks(records, self.spec.initiation_interval):
            last = stop == records
            chunk = [array[start:stop] for array in ordered]
            before = self.cycles
            busy = self._run_chunk(chunk, store, gaps, stalls, seed + start, drain and last, timed)
            cycles += busy if last else self.cycles - before
        in_flight = self.spec.maximum_results(self.spec.latency + 1)
        self._undelivered = 0 if drain else min(store.room, in_flight)
        self._delayed &= not drain
        first, self._records = self._records, self._records + records
        offered, self._offered_in_reset = self._offered_in_reset, False
        behind = store.behind(first) if timed else None
        return SimulationRun(store.results(), cycles, behind, offered)

    def _run_chunk(
        self,
        arrays: list[np.ndarray],
        store: "_Store",
        gaps: float,
        stalls: float,
        seed: int,
        drain: bool,
        timed: bool,
    ) -> int:
        spec = self.spec
        slowness = 1.0 / ((1 - gaps) * (1 - stalls))
        patience = int(1000 + 100 * slowness * spec.initiation_interval)
        pointers = (ctypes.c_void_p * len(arrays))(*(array.ctypes.data for array in arrays))
        types = (ctypes.c_int * len(arrays))(
            *(ELEMENT_TYPES.index(array.dtype.name) for array in arrays)
        )
        targets = store.pointers()
        run = _Run(
            inputs=pointers,
            types=types,
            records=arrays[0].shape[0],
            outputs=targets,
            behind=store.behind_pointer(),
            capacity=store.room,
            gap=int(gaps * 2**32),
            stall=int(stalls * 2**32),
            seed=seed & (2**64 - 1),
            drain=int((spec.latency + 2) * 20 * slowness) if drain else 0,
            patience=patience,
            latency=spec.latency if timed else -1,
        )
        status = self._library.simulation_run(self._handle, ctypes.byref(run))
        store.filled += run.produced
        if status == 1:
            raise SimulationError(
                f"{spec.unit} gave more than the {store.capacity} results that its specification"
                " allows"
            )
        if status == 2:
            raise SimulationError(
                f"{spec.unit} took no record for {patience} clocks"
                f" (record {run.consumed} of this chunk)"
            )
        if status == 3:
            raise SimulationError(
                f"{spec.unit} breaks the rules of streams behind {store.filled} results: what is"
                " not taken must stay valid and as it is, and valid must not wait for ready"
            )
        return run.busy


class _Store:
    """Output arrays, of which only the pages that are written take memory."""

    def __init__(self, spec: Spec, capacity: int):
        self.capacity = capacity
        self.filled = 0
        self._arrays = {
            name: np.empty((capacity, *port.array_shape), np.int64)
            for name, port in spec.outputs.items()
        }
        self._behind = np.empty(capacity, np.int64)

    @property
    def room(self) -> int:
        return self.capacity - self.filled

    def pointers(self):
        places = [
            array.ctypes.data + self.filled * array.strides[0] for array in self._arrays.values()
        ]
        return (ctypes.c_void_p * len(places))(*places)

    def behind_pointer(self) -> int:
        return self._behind.ctypes.data + self.filled * self._behind.strides[0]

    def behind(self, first: int) -> np.ndarray:
        """Numbers of records from ``first`` on."""
        numbers = self._behind[: self.filled]
        return np.where(numbers == NO_RECORD, numbers, numbers - first)

    def results(self) -> dict[str, np.ndarray]:
        return {name: array[: self.filled] for name, array in self._arrays.items()}


def _as_array(value) -> np.ndarray:
    array = np.asarray(value)
    if array.dtype == np.bool_:
        return array.view(np.uint8)
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def _chunks(records: int, initiation_interval: int) -> Iterator[tuple[int, int]]:
    size = max(1, CHUNK_CLOCKS // initiation_interval)
    for start in range(0, max(records, 1), size):
        yield start, min(records, start + size)
