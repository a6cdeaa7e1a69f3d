"""Records as bytes on a line, and back: each in whole bytes, ports from the lowest bit on."""

from collections.abc import Mapping

import numpy as np

from multipede.golden.spec import LIMB_BITS, Port

__all__ = ["packed", "unpacked"]


def packed(ports: Mapping[str, Port], records: Mapping[str, np.ndarray]) -> np.ndarray:
    """Codes (T, ...) of each port as uint8 (T, bytes of a record)."""
    fields = [_wires(port, np.asarray(records[name])) for name, port in ports.items()]
    return np.packbits(np.concatenate(fields, axis=1), axis=1, bitorder="little")


def unpacked(ports: Mapping[str, Port], content: np.ndarray) -> dict[str, np.ndarray]:
    """Codes of each port, int64 (T, ...), from uint8 (T, bytes of a record)."""
    wires = np.unpackbits(content, axis=1, bitorder="little")
    records, place = {}, 0
    for name, port in ports.items():
        records[name] = _codes(port, wires[:, place : place + port.bits])
        place += port.bits
    return records


def _wires(port: Port, codes: np.ndarray) -> np.ndarray:
    """(T, bits) of 0 and 1; each element's bits side by side, the lowest first."""
    width = LIMB_BITS if port.limbs else port.format.bits
    wires = (codes[..., None] >> np.arange(width)) & 1
    elements = wires.astype(np.uint8).reshape(len(codes), port.elements, -1)
    return elements[:, :, : port.format.bits].reshape(len(codes), -1)


def _codes(port: Port, wires: np.ndarray) -> np.ndarray:
    elements = wires.reshape(len(wires), port.elements, port.format.bits).astype(np.int64)
    if not port.limbs:
        patterns = elements @ (np.int64(1) << np.arange(port.format.bits))
        codes = np.asarray(port.format.from_bits(patterns), np.int64)
        return codes.reshape(len(wires), *port.array_shape)
    missing = port.limbs * LIMB_BITS - port.format.bits
    limbs = np.pad(elements, ((0, 0), (0, 0), (0, missing)))
    limbs = limbs.reshape(len(wires), port.elements, port.limbs, LIMB_BITS)
    codes = limbs @ (np.int64(1) << np.arange(LIMB_BITS))
    return codes.reshape(len(wires), *port.array_shape)
