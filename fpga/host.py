"""A board on a serial port, used as the vector simulator is: whole numpy arrays in and out."""

import json
import threading
import zlib
from collections.abc import Iterator, Mapping
from numbers import Real
from typing import Any, Protocol, Self

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
_HEAD = len(MAGIC) + LENGTH_BYTES
_TAIL = 4
"""bytes of the description's end, in which zlib has a checksum of it"""


def connect(
    port: str,
    *,
    spec: Spec | None = None,
    baud_rate: int = BAUD_RATE,
    timeout: float = 2.0,
    reconnect: float = 10.0,
) -> "Board":
    """The board on a port, its unit as after a reset.

    Parameters
    ----------
    port : path or name, as in ``/dev/ttyUSB0``.
    spec : the unit that is to be there; without one, the unit that the board says it has.
    baud_rate : bits per second, as the board was built for.
    timeout : seconds without a byte after which an answer is given up; it is asked for four times.
    reconnect : seconds for which the port is waited for if it is lost later.

    Raises
    ------
    TypeError, ValueError
        For a parameter, and ValueError if another unit is on the board than ``spec``.
    BoardError
        If the port is not there, not allowed or busy, or no board of ours answers.
    """
    require_type("port", port, str)
    require_range("baud_rate", baud_rate, 300, 12_000_000)
    for name, seconds in (("timeout", timeout), ("reconnect", reconnect)):
        if isinstance(seconds, bool) or not isinstance(seconds, Real):
            raise TypeError(f"{name} must be a number of seconds, not {seconds!r}")
        if not 0 < seconds <= 3600:
            raise ValueError(f"{name} = {seconds}: more than 0 and at most 3600 s are needed")
    if spec is not None:
        require_type("spec", spec, Spec)
    line = SerialLine(port, baud_rate, timeout=timeout, reconnect=reconnect)
    try:
        return Board(line, spec)
    except BaseException:
        line.close()
        raise


class Board:
    """A unit on a board. Made by :func:`connect`; to be closed, or used in a ``with``.

    Threads may share it: what one asks, another waits for.

    Attributes
    ----------
    spec : the unit. description : all that the board says of itself.
    """

    def __init__(self, line: SerialLine, spec: Spec | None) -> None:
        self._line = line
        self._lock = threading.RLock()
        self._runs = self._others = 0
        self._unanswered: tuple[int, bytes] | None = None
        self._identity = b""
        self.description = self._describe()
        self.spec = self._checked(spec)
        self._identity = self._said_of_itself(self._ask)
        line.greet = self._require_same_board
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
        """Begin anew: the unit's state and all counters. BoardError if another board is there."""
        with self._lock:
            self._require_same_board(self._ask)
            self._ask(Command.RESET)
            self._taken, self._unanswered = 0, None

    def counters(self) -> dict[str, int]:
        """Since the last reset, modulo 2**32: ``clocks`` at work, ``records`` taken, ``results``
        given, ``input_stalls`` and ``output_stalls`` in clocks."""
        answer = self._ask(Command.COUNT, longest=COUNTER_BYTES * len(COUNTERS))
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

        A run that was broken off, by an error or by Ctrl-C, leaves ``partial`` results of so many
        ``records`` at the exception. A run of the others goes on with it; :meth:`reset` begins
        anew.

        Raises
        ------
        TypeError, ValueError
            As the specification's checks.
        BoardError
            If the board does not answer. If it lost its power, or another one is there, since the
            last reset: then no results are any good. If a run was broken off, and other records
            than those that are left are to follow.
        """
        with self._lock:
            return self._run_all(inputs, arrays)

    def _run_all(
        self, inputs: Mapping[str, np.ndarray] | None, arrays: Mapping[str, np.ndarray]
    ) -> "Results":
        records = {**(inputs or {}), **arrays}
        records = {name: np.asarray(array) for name, array in records.items()}
        count = self.spec.check_inputs(records)
        parts: list[np.ndarray] = []
        step = self.description["records"]
        # disable=None: only where somebody can see it.
        try:
            with tqdm(total=count, desc="board", unit="record", leave=False, disable=None) as bar:
                for start in range(0, count, step):
                    chunk = {name: array[start : start + step] for name, array in records.items()}
                    parts.append(self._run(packed(self.spec.inputs, chunk)))
                    bar.update(min(step, count - start))
            self._require_same_run()
        except _BeganAnewError:
            raise
        except BaseException as error:
            # A Ctrl-C, too.
            error.partial, error.records = self._results(parts), min(count, len(parts) * step)
            raise
        return self._results(parts)

    def _run(self, content: np.ndarray) -> np.ndarray:
        body = content.tobytes()
        if self._unanswered is None:
            # Another number than the one before it, or it would not be done.
            self._runs = (self._runs + 1) % _NUMBERS
            self._unanswered = self._runs, body
        elif self._unanswered[1] != body:
            raise BoardError(
                f"{self._line.port}: a run was broken off: run the records that are left of it, as"
                " its error says, or reset the board"
            )
        # Where it was not answered it may have been done: with its number it is not done again.
        number, _ = self._unanswered
        longest = self._result_bytes * max(1, self.spec.maximum_results(len(content)))
        answer = self._line.ask(Command.RUN, number, body, longest=longest)
        self._unanswered = None
        self._taken += len(content)
        return np.frombuffer(answer, np.uint8).reshape(-1, self._result_bytes)

    def _require_same_run(self) -> None:
        """A board that lost its power has lost the unit's state, and its count of records; one that
        was exchanged says something else of itself."""
        self._require_same_board(self._ask)
        there = self.counters()["records"]
        if there != self._taken % (1 << 8 * COUNTER_BYTES):
            raise _BeganAnewError(
                f"{self._line.port}: the board began anew: it has taken {there:,} records, and"
                f" {self._taken:,} were sent: reset it"
            )

    def _require_same_board(self, ask: "_Ask | None" = None) -> None:
        """BoardError if another one is there; by default it is asked only once."""
        if self._said_of_itself(ask or self._ask_once) != self._identity:
            raise _BeganAnewError(
                f"{self._line.port}: another board is there, or another design on it: connect to"
                " it anew"
            )

    def _results(self, parts: list[np.ndarray]) -> "Results":
        empty = np.empty((0, self._result_bytes), np.uint8)
        return Results(unpacked(self.spec.outputs, np.concatenate([empty, *parts])))

    @property
    def _result_bytes(self) -> int:
        return -(-sum(port.bits for port in self.spec.outputs.values()) // 8)

    def _ask(self, command: Command, body: bytes = b"", *, longest: int = 0) -> bytes:
        with self._lock:
            return self._line.ask(command, self._number(), body, longest=longest)

    def _ask_once(self, command: Command, body: bytes = b"", *, longest: int = 0) -> bytes:
        return self._line.ask_once(command, self._number(), body, longest=longest)

    def _number(self) -> int:
        """Of all but RUN, which may not have that of the RUN before it."""
        self._others = (self._others + 1) % _NUMBERS
        return _NUMBERS + self._others

    def _describe(self) -> dict[str, Any]:
        head = self._head(self._ask)
        try:
            described = json.loads(zlib.decompress(self._read(self._ask, _HEAD, _length(head))))
            version = described["version"]
        except (zlib.error, ValueError, TypeError, KeyError) as error:
            raise BoardError(
                f"{self._line.port}: what the board says of itself cannot be read: {error}"
            ) from None
        if version != VERSION:
            raise BoardError(
                f"{self._line.port}: the board speaks version {version} of the"
                f" protocol, and this is version {VERSION}: build it anew"
            )
        return described

    def _head(self, ask: "_Ask") -> bytes:
        head = self._read(ask, 0, _HEAD)
        if not head.startswith(MAGIC):
            raise BoardError(f"{self._line.port}: what answers there is no board of Multipede")
        return head

    def _said_of_itself(self, ask: "_Ask") -> bytes:
        """The head of the description, and the checksum at its end."""
        head = self._head(ask)
        return head + self._read(ask, _HEAD + max(0, _length(head) - _TAIL), _TAIL)

    def _read(self, ask: "_Ask", offset: int, count: int) -> bytes:
        content = b""
        while len(content) < count:
            part = min(LARGEST_READ, count - len(content))
            place = (offset + len(content)).to_bytes(2, "little")
            answer = ask(Command.DESCRIBE, place + part.to_bytes(2, "little"), longest=part)
            if len(answer) != part:
                raise BoardError(
                    f"{self._line.port}: {part} bytes of what the board says of itself were asked"
                    f" for, and {len(answer)} came"
                )
            content += answer
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


class _Ask(Protocol):
    """How something is asked."""

    def __call__(self, command: Command, body: bytes = b"", *, longest: int = 0) -> bytes: ...


class _BeganAnewError(BoardError):
    """What the board has computed is not of the records that were sent."""


def _length(head: bytes) -> int:
    """Of the description behind this head."""
    return int.from_bytes(head[len(MAGIC) :], "little")


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
