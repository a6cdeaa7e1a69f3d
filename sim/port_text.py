"""A payload in the user's words: the first element that differs, as code and value."""

from collections.abc import Mapping

import numpy as np

from multipede.golden.spec import Port

__all__ = ["code_text", "difference_text"]


def difference_text(ports: Mapping[str, Port], expected: int, got: int) -> str:
    """The first element in which two payloads of these ports differ."""
    offset = 0
    for name, port in ports.items():
        bits = port.format.bits
        for element in range(port.elements):
            place, mask = offset + bits * element, (1 << bits) - 1
            pair = (expected >> place) & mask, (got >> place) & mask
            if pair[0] != pair[1]:
                index = [int(i) for i in np.unravel_index(element, port.shape)]
                wanted, given = (code_text(port, pattern) for pattern in pair)
                return f"{name}{index or ''} expected {wanted}, got {given}"
        offset += port.bits
    return "no difference"


def code_text(port: Port, pattern: int) -> str:
    """A pattern on the wires as code and value."""
    if port.limbs:
        return f"{pattern:#x}"
    code = int(port.format.from_bits(np.int64(pattern)))
    if not port.format.is_valid(code):
        return f"code {code} (no valid code)"
    return f"code {code} (value {port.format.decode(code):g})"
