"""What a host and a board say to each other.

A message is a command or a status (one byte), a number (one byte) that the answer repeats, a body,
and the CRC-32 of all of it, lowest byte first (that of zlib and Ethernet). Messages travel between
END bytes; an END or ESCAPE inside is replaced as in SLIP (RFC 1055). Nothing between two ENDs is no
message. The host waits for an answer before it asks again. What is wrong with a message is told in
the answer's status, and nothing of it has been done. A RUN whose number is that of the last one
that was done is not done again: the answer is repeated. What comes while the board is at work is
lost, up to the next END. Integers are unsigned, lowest byte first.
"""

from enum import IntEnum

__all__ = [
    "COUNTERS",
    "COUNTER_BYTES",
    "END",
    "ESCAPE",
    "ESCAPED_END",
    "ESCAPED_ESCAPE",
    "LARGEST_READ",
    "MAGIC",
    "Command",
    "Status",
]

END, ESCAPE, ESCAPED_END, ESCAPED_ESCAPE = 0xC0, 0xDB, 0xDC, 0xDD
MAGIC = b"MPED"
"""The beginning of what a board says of itself; then follow four bytes with the length of the rest,
a JSON text in UTF-8, compressed as zlib does."""
LARGEST_READ = 256
"""Bytes of the description that may be asked for at once."""


class Command(IntEnum):
    """What a host asks for."""

    DESCRIBE = 1
    """Body: offset and number of bytes, two bytes each. Answer: so many bytes of what the board
    says of itself."""
    COUNT = 2
    """No body. Answer: all counters."""
    RUN = 3
    """Body: records, each in whole bytes, ports from the lowest bit on in the order of the
    specification. Answer: the results that are complete, likewise."""
    RESET = 4
    """No body. The unit begins anew, counters start at 0, and no RUN is remembered."""


class Status(IntEnum):
    """How a message was taken."""

    DONE = 0
    DAMAGED = 1
    """its CRC is not that of its content"""
    UNKNOWN = 2
    """no such command"""
    WRONG_LENGTH = 3
    """a body that the command cannot have"""
    TOO_LONG = 4
    """more records than the board has places for"""
    STUCK = 5
    """the unit did not take all records or gave more results than there are places for: it has
    been reset"""


COUNTERS = ("clocks", "records", "results", "input_stalls", "output_stalls")
"""Since the last RESET: clocks in which a RUN was at work, records taken and results given, clocks
in which a record waited for the unit, and in which a result waited for the memory."""
COUNTER_BYTES = 4
