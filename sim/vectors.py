"""Golden vectors as text: payloads in hexadecimal, each result with the record that made it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from multipede.golden.integer_tile import IntegerTile
from multipede.golden.spec import LIMB_BITS, Port, Spec
from multipede.sim.expected import expected_results
from multipede.sim.stimulus import Records, random_records

__all__ = ["Vectors", "golden_records", "golden_vectors", "payload_hex"]

_CHUNK = 1 << 12


@dataclass(frozen=True)
class Vectors:
    """Records and the results of the reference, as texts without dates or places.

    ``inputs`` has one payload per line; ``outputs`` the number of the record that completes a
    result and its payload. Both end with a line that counts the lines before it, so that a
    truncated file is noticed.
    """

    records: int
    results: int
    one_result_each: bool
    """whether no record completes more than one result"""
    inputs: str
    outputs: str


def golden_vectors(spec: Spec, count: int, *, seed: int) -> Vectors:
    """Biased random records from reset and what the reference makes of them.

    Raises ValueError if they give no result at all.
    """
    records = golden_records(spec, count, seed=seed)
    expected = expected_results(spec, records)
    made_by = expected.made_by.tolist()
    if not made_by:
        raise ValueError(f"vectors = {count}: {spec.unit} gives no result for so few records")
    lines = payload_hex(spec.outputs, expected.results)
    width = len(f"{count:x}")
    numbered = [f"{record:0{width}x} {line}" for record, line in zip(made_by, lines, strict=True)]
    return Vectors(
        records=count,
        results=len(lines),
        one_result_each=len(set(made_by)) == len(made_by),
        inputs=_file(payload_hex(spec.inputs, records)),
        outputs=_file(numbered),
    )


def golden_records(spec: Spec, count: int, *, seed: int) -> Records:
    """The records of :func:`golden_vectors`."""
    records = _led_by_corners(spec.computation, random_records(spec, count, seed=seed))
    return spec.ended(records)  # So that the end of the stream is compared too.


def _led_by_corners(spec: Spec, records: Records) -> Records:
    """The records behind whole groups at the lowest and the highest result, where there is room."""
    if not isinstance(spec, IntegerTile):
        return records
    a = spec.activation
    low, high = spec.weight.encode(np.array([spec.weight.minimum, spec.weight.maximum], float))
    activations = (a.minimum_code, a.maximum_code)
    extremes = [(end, *pair) for pair in ((high, low), (low, high)) for end in activations]
    hold = spec.records_per_group
    for number, (activation, weight, zero) in enumerate(extremes):
        span = slice(number * hold, (number + 1) * hold)
        if span.stop > len(records["last"]):
            break
        plain = {
            "a": np.full((hold, spec.rows, spec.lanes), activation),
            "w": np.full((hold, spec.columns, spec.lanes), weight),
            "last": np.zeros(hold, np.int64),
        }
        if spec.zero_point:
            plain["z"] = np.full((hold, spec.columns), zero)
        for name, codes in spec.port_records(plain, spec.weight).items():
            records[name][span] = codes
    return records


def _file(lines: list[str]) -> str:
    return "\n".join([*lines, f"{len(lines):x}"]) + "\n"


def payload_hex(ports: Mapping[str, Port], records: Records) -> list[str]:
    """One payload per record in hexadecimal, as many digits as its width needs."""
    bits = sum(port.bits for port in ports.values())
    count = len(next(iter(records.values())))
    lines = []
    for start in range(0, count, _CHUNK):
        chunk = {name: array[start : start + _CHUNK] for name, array in records.items()}
        fields = [_bits(port, chunk[name]) for name, port in ports.items()]
        packed = np.packbits(np.concatenate(fields, axis=1), axis=1, bitorder="little")
        lines += [bytes(row[::-1]).hex() for row in packed]
    digits = -(-bits // 4)
    return [line[-digits:] for line in lines]


def _bits(port: Port, codes: np.ndarray) -> np.ndarray:
    """The wires of one port as (records, bits), lowest first, one byte each."""
    count = len(codes)
    width = LIMB_BITS if port.limbs else port.format.bits
    wires = ((codes[..., None] >> np.arange(width)) & 1).astype(np.uint8)
    elements = wires.reshape(count, port.elements, -1)
    return elements[:, :, : port.format.bits].reshape(count, -1)
