"""A board on a serial port, used as the vector simulator is: whole numpy arrays in and out."""

import json
import zlib
from collections.abc import Iterator, Mapping
from numbers import Real
from typing import Any, Self

import numpy as np
from tqdm import tqdm

from multipede.fpga.packing import packed, unpacked
from multipede.fpga.serial_line import BoardError, SerialLine
from multipede.fpga.shell.description import LENGTH_BYTES, VERSION
from multipede.fpga.shell.protocol import (
    COUNTER_BYTES,
    COUNTERS,
    LARGEST_READ,
    MAGIC,
    Command,
)
from multipede.golden.catalogue import spec_from_dict
from multipede.golden.number_format import require_range, require_type
from multipede.golden.spec import Spec

__all__ = ["BAUD_RATE", "Board", "BoardError", "connect"]

BAUD_RATE = 1_000_000
_NUMBERS = 128
"""of RUN, and as many of all else"""


def connect(
    port: str,
    *,
    spec: Spec | None = None,
    baud_rate: int = BAUD_RATE,
    timeout: float = 2.0,
) -> "Board":
    """The board on a port, its unit as after a reset.

    Parameters
    ----------
    port : path or name, as in ``/dev/ttyUSB0``.
    spec : the unit that is to be there; without one, the unit that the board says it has.
    baud_rate : bits per second, as the board was built for.
    timeout : seconds without a byte after which an answer is given up; it is asked for four times.

    Raises
    ------
    TypeError, ValueError
        For a parameter, and ValueError if another unit is on the board than ``spec``.
    BoardError
        If the port is not there, not allowed or busy, or no board of ours answers.
    """
    require_type("port", port, str)
    require_range("baud_rate", baud_rate, 300, 12_000_000)
    if isinstance(timeout, bool) or not isinstance(timeout, Real):
        raise TypeError(f"timeout must be a number of seconds, not {timeout!r}")
    if not 0 < timeout <= 3600:
        raise ValueError(f"timeout = {timeout}: more than 0 and at most 3600 s are needed")
    if spec is not None:
        require_type("spec", spec, Spec)
    line = SerialLine(port, baud_rate, timeout=timeout)
    try:
        return Board(line, spec)
    except BaseException:
        line.close()
        raise


class Board:
    """A unit on a board. Made by :func:`connect`; to be closed, or used in a ``with``.

    Attributes
    ----------
    spec : the unit. description : all that the board says of itself.
    """

    def __init__(self, line: SerialLine, spec: Spec | None) -> None:
        self._line = line
        self._runs = self._others = 0
        self.description = self._describe()
        self.spec = self._checked(spec)
        self._taken = 0
        self.reset()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def port(self) -> str:
        """Path or name."""
        return self._line.port

    def close(self) -> None:
        """Give the port back."""
        self._line.close()

    def reset(self) -> None:
        """Begin anew: the unit's state and all counters."""
        self._ask(Command.RESET)
        self._taken = 0

    def counters(self) -> dict[str, int]:
        """Since the last reset, modulo 2**32: ``clocks`` at work, ``records`` taken, ``results``
        given, ``input_stalls`` and ``output_stalls`` in clocks."""
        answer = self._ask(Command.COUNT)
        values = np.frombuffer(answer, np.dtype(f"<u{COUNTER_BYTES}"))
        return dict(zip(COUNTERS, map(int, values), strict=True))

    def run(
        self, inputs: Mapping[str, np.ndarray] | None = None, **arrays: np.ndarray
    ) -> "Results":
        """Send records through the unit; state carries over from the run before.

        Parameters
        ----------
        inputs, arrays : one integer array of codes, shape (T, ...), for each input port, in a
            mapping or by name.

        Returns
        -------
        A mapping of output ports to int64 arrays (T', ...), as of the vector simulator.

        A progress bar is shown on a terminal. If the line is lost it is opened again and the run
        goes on where it was, nothing being computed twice.

        Raises
        ------
        TypeError, ValueError
            As the specification's checks.
        BoardError
            If the board does not answer: the error's ``partial`` has the results until then. If it
            lost its power, or was built anew, since the last reset: then no results are any good.
        """
        records = {**(inputs or {}), **arrays}
        records = {name: np.asarray(array) for name, array in records.items()}
        count = self.spec.check_inputs(records)
        parts: list[np.ndarray] = []
        step = self.description["records"]
        # disable=None: only where somebody can see it.
        with tqdm(total=count, desc="board", unit="record", leave=False, disable=None) as bar:
            for start in range(0, count, step):
                chunk = {name: array[start : start + step] for name, array in records.items()}
                try:
                    parts.append(self._run(packed(self.spec.inputs, chunk)))
                except BoardError as error:
                    error.partial = self._results(parts)
                    raise
                bar.update(min(step, count - start))
        self._require_same_run()
        return self._results(parts)

    def _run(self, content: np.ndarray) -> np.ndarray:
        answer = self._ask(Command.RUN, content.tobytes())
        self._taken += len(content)
        return np.frombuffer(answer, np.uint8).reshape(-1, self._result_bytes)

    def _require_same_run(self) -> None:
        """A board that lost its power has lost the unit's state, and its count of records."""
        there = self.counters()["records"]
        if there != self._taken % (1 << 8 * COUNTER_BYTES):
            raise BoardError(
                f"{self._line.port}: the board began anew: it has taken {there:,} records, and"
                f" {self._taken:,} were sent"
            )

    def _results(self, parts: list[np.ndarray]) -> "Results":
        empty = np.empty((0, self._result_bytes), np.uint8)
        return Results(unpacked(self.spec.outputs, np.concatenate([empty, *parts])))

    @property
    def _result_bytes(self) -> int:
        return -(-sum(port.bits for port in self.spec.outputs.values()) // 8)

    def _ask(self, command: Command, body: bytes = b"") -> bytes:
        # A RUN has another number than the one before it, whatever was asked in between.
        if command is Command.RUN:
            self._runs = (self._runs + 1) % _NUMBERS
            return self._line.ask(command, self._runs, body)
        self._others = (self._others + 1) % _NUMBERS
        return self._line.ask(command, _NUMBERS + self._others, body)

    def _describe(self) -> dict[str, Any]:
        head = self._read(0, len(MAGIC) + LENGTH_BYTES)
        if not head.startswith(MAGIC):
            raise BoardError(f"{self._line.port}: what answers there is no board of Multipede")
        length = int.from_bytes(head[len(MAGIC) :], "little")
        described = json.loads(zlib.decompress(self._read(len(head), length)))
        if described["version"] != VERSION:
            raise BoardError(
                f"{self._line.port}: the board speaks version {described['version']} of the"
                f" protocol, and this is version {VERSION}: build it anew"
            )
        return described

    def _read(self, offset: int, count: int) -> bytes:
        content = b""
        while len(content) < count:
            part = min(LARGEST_READ, count - len(content))
            place = (offset + len(content)).to_bytes(2, "little")
            content += self._ask(Command.DESCRIBE, place + part.to_bytes(2, "little"))
        return content

    def _checked(self, spec: Spec | None) -> Spec:
        """The unit on the board, which must be the one that is wanted."""
        there = self.description["fingerprint"]
        if spec is None:
            spec = spec_from_dict(self.description["specification"])
            if spec.fingerprint != there:
                raise BoardError(
                    f"{self._line.port}: the board has another version of {spec.unit}: build it"
                    " anew, or use the version of Multipede that built it"
                )
        elif spec.fingerprint != there:
            unit = self.description["specification"]["unit"]
            raise ValueError(
                f"spec = {spec}: on the board at {self._line.port} is {unit} with fingerprint"
                f" {there[:12]}, not {spec.fingerprint[:12]}"
            )
        return spec


class Results(Mapping[str, np.ndarray]):
    """Output ports as int64 arrays (T', ...)."""

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        self._arrays = arrays

    def __getitem__(self, port: str) -> np.ndarray:
        return self._arrays[port]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)
