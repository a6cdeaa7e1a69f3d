"""What stands around a unit on a board: a serial line, frames, memories, counters."""

from multipede.fpga.shell.shell import Shell

__all__ = ["Shell"]
