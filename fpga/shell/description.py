"""What a board says of itself: enough to use it without knowing what it was made from."""

import json
import zlib
from collections.abc import Mapping
from typing import Any

from multipede.fpga.shell.executor import Executor
from multipede.fpga.shell.protocol import MAGIC
from multipede.golden.spec import Port

__all__ = ["VERSION", "description"]

VERSION = 1
"""Of the protocol."""
LENGTH_BYTES = 4


def description(executor: Executor, *, board: str, clock: float, baud_rate: int) -> bytes:
    """MAGIC, the number of bytes that follow (4 bytes, lowest first), and those: compressed JSON.

    Parameters
    ----------
    executor : what is around the unit. board : name of the board. clock : in Hz. baud_rate : of the
        line.
    """
    spec = executor.spec
    content = {
        "version": VERSION,
        "specification": spec.to_dict(),
        "fingerprint": spec.fingerprint,
        "board": board,
        "style": executor.style.value,
        "clock": clock,
        "baud_rate": baud_rate,
        "records": executor.capacity,
        "results": executor.most_results,
        "inputs": _ports(spec.inputs),
        "outputs": _ports(spec.outputs),
    }
    text = zlib.compress(json.dumps(content, separators=(",", ":")).encode(), 9)
    return MAGIC + len(text).to_bytes(LENGTH_BYTES, "little") + text


def _ports(ports: Mapping[str, Port]) -> dict[str, Any]:
    """Format and shape of each, from the lowest bit of a record on."""
    return {name: [str(port.format), list(port.shape)] for name, port in ports.items()}
