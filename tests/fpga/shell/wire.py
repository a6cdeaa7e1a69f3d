"""Messages byte by byte as protocol.py defines them, written anew: not the host's own code."""

import zlib


def message(kind: int, number: int, body: bytes = b"") -> bytes:
    """Between END bytes, with its CRC."""
    content = bytes([kind, number]) + body
    content += zlib.crc32(content).to_bytes(4, "little")
    escaped = {0xC0: b"\xdb\xdc", 0xDB: b"\xdb\xdd"}
    return b"\xc0" + b"".join(escaped.get(b, bytes([b])) for b in content) + b"\xc0"


def messages(line: bytes) -> list[tuple[int, int, bytes]]:
    """Status, number and body of all that came; ValueError for what is no message."""
    found = []
    for part in filter(None, line.split(b"\xc0")):
        content, rest = bytearray(), iter(part)
        for byte in rest:
            content.append({0xDC: 0xC0, 0xDD: 0xDB}[next(rest)] if byte == 0xDB else byte)
        body, checksum = bytes(content[:-4]), int.from_bytes(content[-4:], "little")
        if len(body) < 2 or zlib.crc32(body) != checksum:
            raise ValueError(f"no message: {part.hex()}")
        found.append((body[0], body[1], body[2:]))
    if line and not (line.startswith(b"\xc0") and line.endswith(b"\xc0")):
        raise ValueError(f"no END around: {line.hex()}")
    return found
