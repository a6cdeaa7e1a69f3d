"""Messages over a serial port, from the host's side."""

import errno
import os
import time
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress

import numpy as np

from multipede.fpga.shell.protocol import (
    END,
    ESCAPE,
    ESCAPED_END,
    ESCAPED_ESCAPE,
    Command,
    Status,
)
from multipede.toolchain import ToolError

__all__ = ["BoardError", "SerialLine"]

CRC_BYTES = 4


class BoardError(ToolError):
    """A board or its port is not there, is not ours, or does not answer as it should.

    Where a run was broken off, ``partial`` has the results until then, as the run would have given
    them, of so many ``records``; else both are None.
    """

    partial: Mapping[str, np.ndarray] | None = None
    records: int | None = None


class SerialLine:
    """A port with a board behind it: asks, waits for the answer, asks again if there is none.

    Parameters
    ----------
    port : path or name, as in ``/dev/ttyUSB0``. baud_rate : bits per second.
    timeout : seconds without a byte after which an answer is given up.
    reconnect : seconds for which a port is waited for that was lost.
    attempts : how often something is asked before that is an error.

    Attributes
    ----------
    greet : called when a lost port is open again, before anything else is asked; what it asks, it
        asks by :meth:`ask_once`.

    Raises
    ------
    BoardError
        If the port is not there, not allowed, or busy; ToolError if pyserial is missing.
    """

    def __init__(
        self,
        port: str,
        baud_rate: int,
        *,
        timeout: float,
        reconnect: float = 10.0,
        attempts: int = 4,
    ) -> None:
        self.port, self.baud_rate, self.timeout = port, baud_rate, timeout
        self.greet: Callable[[], None] | None = None
        self._reconnect, self._attempts = reconnect, attempts
        self._serial = None
        self._closed, self._greeted = False, True
        self._open()

    def close(self) -> None:
        """Give the port back, for good."""
        self._closed = True
        self._drop()

    def _drop(self) -> None:
        if self._serial is not None:
            with suppress(*_lost()):
                self._serial.close()
            self._serial, self._greeted = None, False

    def ask(self, command: Command, number: int, body: bytes = b"", *, longest: int) -> bytes:
        """The body of the answer, of ``longest`` bytes at most.

        Raises BoardError if there is none, whatever is done, or if it says that something is wrong
        with what was asked.
        """
        if self._closed:
            raise BoardError(f"{self.port} was closed: connect to it again")
        unanswered, lost_until = 0, None
        while unanswered < self._attempts:
            try:
                if self._serial is None:
                    self._open()
                if not self._greeted and self.greet is not None:
                    self.greet()
                self._greeted = True
                return self.ask_once(command, number, body, longest=longest)
            except _NoAnswerError as error:
                trouble, lost_until = str(error), None
                unanswered += 1
            except (*_lost(), _NotThereError) as error:
                self._drop()
                now = time.monotonic()
                lost_until = lost_until or now + self._reconnect
                if now > lost_until:
                    raise BoardError(
                        f"{self.port} was lost, and not there again within {self._reconnect:g} s:"
                        f" {_reason(error)}"
                    ) from None
                time.sleep(0.05)
        raise BoardError(f"{self.port}: {trouble}, {self._attempts} times in turn")

    def ask_once(self, command: Command, number: int, body: bytes = b"", *, longest: int) -> bytes:
        """Likewise, but what goes wrong on the way is an error at once."""
        message = framed(bytes([command, number]) + body)
        self._serial.reset_input_buffer()
        self._serial.write_timeout = self.timeout + 2 * self._seconds(len(message))
        self._serial.write(message)
        self._serial.flush()
        # A driver may have taken all of it, and be sending still.
        answer = self._answer(number, self._seconds(len(message)), self._seconds(2 * longest))
        if answer is None:
            raise _NoAnswerError(f"no whole answer within {self.timeout:g} s")
        if answer[0] == Status.DAMAGED:
            raise _NoAnswerError("what was sent arrived damaged")
        if answer[0] != Status.DONE:
            known = {status.value: status.name for status in Status}
            name = known.get(answer[0], str(answer[0])).lower().replace("_", " ")
            raise BoardError(f"{self.port}: the board answers {command.name} with: {name}")
        return answer[2:]

    def _seconds(self, count: int) -> float:
        """That bytes take on the line."""
        return 10 * count / self.baud_rate

    def _open(self) -> None:
        try:
            import serial
        except ImportError:
            raise ToolError("boards need pyserial. Get it: pip install pyserial") from None
        try:
            # Not so long that a Ctrl-C would wait for it.
            self._serial = serial.Serial(self.port, self.baud_rate, timeout=0.05, exclusive=True)
        except (*_lost(), ValueError) as error:
            raise _NotThereError(f"{self.port} cannot be opened: {_reason(error)}") from None

    def _answer(self, number: int, sending: float, longest: float) -> bytes | None:
        """The next message with this number whose CRC is right; None if none comes in time.

        Not for ever, either, if something else comes all the time: the answer may begin as late as
        ``timeout`` after what is being sent, and take twice as long as its bytes do.
        """
        received = bytearray()
        deadline = time.monotonic() + self.timeout + sending
        last = deadline + 2 * longest + self.timeout
        while time.monotonic() < min(deadline, last):
            arrived = self._serial.read(max(1, self._serial.in_waiting))
            if not arrived:
                continue
            deadline = max(deadline, time.monotonic() + self.timeout)
            received += arrived
            if END not in arrived:
                continue
            *whole, rest = bytes(received).split(bytes([END]))
            received = bytearray(rest)
            for content in map(unframed, whole):
                # One damaged on its way to the board comes back with any number.
                if content is not None and (content[1] == number or content[0] == Status.DAMAGED):
                    return content
        return None


class _NotThereError(BoardError):
    """A port cannot be opened."""


class _NoAnswerError(BoardError):
    """What was asked once was not answered."""


def _lost() -> tuple[type[Exception], ...]:
    """What pyserial raises where a line is lost, some of it as its system calls do."""
    import serial

    try:
        import termios
    except ImportError:  # Windows
        return (serial.SerialException, OSError)
    return (serial.SerialException, OSError, termios.error)


def _reason(error: Exception) -> str:
    if isinstance(error, BoardError):
        return str(error)
    first = error.args[0] if error.args else None
    code = first if isinstance(first, int) else getattr(error, "errno", None)
    if code in (errno.EAGAIN, errno.EBUSY):
        return "another program uses it"
    return os.strerror(code) if code else str(error) or type(error).__name__


def framed(content: bytes) -> bytes:
    """A message with its CRC, between END bytes."""
    content += zlib.crc32(content).to_bytes(CRC_BYTES, "little")
    content = content.replace(bytes([ESCAPE]), bytes([ESCAPE, ESCAPED_ESCAPE]))
    content = content.replace(bytes([END]), bytes([ESCAPE, ESCAPED_END]))
    return bytes([END]) + content + bytes([END])


def unframed(frame: bytes) -> bytes | None:
    """What was between two END bytes without its CRC; None if that is wrong."""
    content = frame.replace(bytes([ESCAPE, ESCAPED_END]), bytes([END]))
    content = content.replace(bytes([ESCAPE, ESCAPED_ESCAPE]), bytes([ESCAPE]))
    body, checksum = content[:-CRC_BYTES], content[-CRC_BYTES:]
    if len(body) < 2 or zlib.crc32(body).to_bytes(CRC_BYTES, "little") != checksum:
        return None
    return body
