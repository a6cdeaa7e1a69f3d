"""Messages over a serial port, from the host's side."""

import errno
import os
import time
import zlib
from collections.abc import Mapping
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
_LARGEST_ANSWER = 1 << 22


class BoardError(ToolError):
    """A board or its port is not there, is not ours, or does not answer as it should.

    ``partial`` : where a run was broken off, the results until then, as the run would have given
    them; else None.
    """

    partial: Mapping[str, np.ndarray] | None = None


class SerialLine:
    """A port with a board behind it: asks, waits for the answer, asks again if there is none.

    Parameters
    ----------
    port : path or name, as in ``/dev/ttyUSB0``. baud_rate : bits per second.
    timeout : seconds without a byte after which an answer is given up.
    attempts : how often something is asked before that is an error.

    Raises
    ------
    BoardError
        If the port is not there, not allowed, or busy; ToolError if pyserial is missing.
    """

    def __init__(self, port: str, baud_rate: int, *, timeout: float, attempts: int = 4) -> None:
        self.port, self.baud_rate, self.timeout = port, baud_rate, timeout
        self._attempts = attempts
        self._serial = None
        self._open()

    def close(self) -> None:
        """Give the port back."""
        if self._serial is not None:
            with suppress(OSError):
                self._serial.close()
            self._serial = None

    def ask(self, command: Command, number: int, body: bytes = b"") -> bytes:
        """The body of the answer.

        Raises BoardError if there is none, whatever is done, or if it says that something is wrong
        with what was asked.
        """
        message = framed(bytes([command, number]) + body)
        trouble = ""
        for attempt in range(self._attempts):
            try:
                if self._serial is None:
                    self._open()
                self._serial.reset_input_buffer()
                self._serial.write(message)
                self._serial.flush()
                answer = self._answer(number)
            except _lost() as error:
                trouble = f"it was lost: {error}"
                self.close()
                time.sleep(min(1.0, self.timeout / 4) if attempt else 0.05)
                continue
            except BoardError as error:
                # Not there at the moment.
                trouble = str(error)
                time.sleep(min(1.0, self.timeout / 4))
                continue
            if answer is None:
                trouble = f"no whole answer within {self.timeout:g} s"
            elif answer[0] != Status.DAMAGED:
                return self._body(command, answer)
            else:
                trouble = "what was sent arrived damaged"
        raise BoardError(f"{self.port}: {trouble}, {self._attempts} times in turn")

    def _body(self, command: Command, answer: bytes) -> bytes:
        if answer[0] == Status.DONE:
            return answer[2:]
        known = {status.value: status.name for status in Status}
        name = known.get(answer[0], str(answer[0])).lower().replace("_", " ")
        raise BoardError(f"{self.port}: the board answers {command.name} with: {name}")

    def _open(self) -> None:
        try:
            import serial
        except ImportError:
            raise ToolError("boards need pyserial. Get it: pip install pyserial") from None
        try:
            # Not so long that a Ctrl-C would wait for it.
            self._serial = serial.Serial(
                self.port, self.baud_rate, timeout=0.05, write_timeout=self.timeout, exclusive=True
            )
        except (*_lost(), ValueError) as error:
            raise BoardError(f"{self.port} cannot be opened: {_reason(error)}") from None

    def _answer(self, number: int) -> bytes | None:
        """The next message with this number whose CRC is right; None if none comes in time."""
        received = bytearray()
        deadline = time.monotonic() + self.timeout
        while time.monotonic() < deadline and len(received) < _LARGEST_ANSWER:
            arrived = self._serial.read(max(1, self._serial.in_waiting))
            if not arrived:
                continue
            deadline = time.monotonic() + self.timeout
            received += arrived
            *whole, rest = bytes(received).split(bytes([END]))
            received = bytearray(rest)
            for content in map(unframed, whole):
                # One damaged on its way to the board comes back with any number.
                if content is not None and (content[1] == number or content[0] == Status.DAMAGED):
                    return content
        return None


def _lost() -> tuple[type[Exception], ...]:
    """What pyserial raises where a line is lost, some of it as its system calls do."""
    import serial

    try:
        import termios
    except ImportError:  # Windows
        return (serial.SerialException, OSError)
    return (serial.SerialException, OSError, termios.error)


def _reason(error: Exception) -> str:
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
