"""Records that a unit's power is stated for: ordinary operands, unlike those that seek for bugs."""

import numpy as np

from multipede.golden.formats import Float
from multipede.golden.spec import Port, Spec
from multipede.golden.tile import Tile

__all__ = ["SUM_LENGTH", "describe_workload", "ordinary_records"]

SUM_LENGTH = 1024
"""Values of k in each sum of a tile: `last` is 1 once in so many, as in a layer of that width."""


def ordinary_records(spec: Spec, count: int, *, seed: int) -> dict[str, np.ndarray]:
    """Independent random records, int64 (count, ...) by port.

    All codes of integers and codebooks are alike; floats are standard normal numbers. Tables that
    a tile takes are those of such activations. A tile's
    `last` ends every sum of ``SUM_LENGTH`` values; where other units have a `last`, it ends as many
    records. Raises ValueError for formats of more than 63 bits.
    """
    spec = spec.computation
    generator = np.random.default_rng(seed)
    records = {}
    if isinstance(spec, Tile):
        plain = spec.plain_operands.items()
        operands = {name: _codes(port, count, generator) for name, port in plain}
        records = spec.port_records(operands | {"last": np.zeros(count, np.int64)}, spec.weight)
    for name, port in spec.inputs.items():
        if name not in records:
            records[name] = _codes(port, count, generator)
    if "last" in records:
        length = _records_in_sum(spec)
        records["last"] = (np.arange(1, count + 1) % length == 0).astype(np.int64)
    return {name: records[name] for name in spec.inputs}


def describe_workload(spec: Spec, count: int, *, seed: int) -> str:
    """In words, what :func:`ordinary_records` gives."""
    kinds = {type(port.format) is Float for port in spec.computation.inputs.values()}
    words = [*(["normal numbers"] * (True in kinds)), *(["uniform codes"] * (False in kinds))]
    ends = ""
    if "last" in spec.computation.inputs:
        ends = f", last with every {_records_in_sum(spec.computation)}th"
    clocks = spec.initiation_interval
    pace = "one in each clock" if clocks == 1 else f"one in {clocks} clocks"
    return f"{count} records of {' and '.join(words)}, {pace}{ends}, seed {seed}"


def _records_in_sum(spec: Spec) -> int:
    lanes = spec.lanes if isinstance(spec, Tile) else 1
    return max(1, SUM_LENGTH // lanes)


def _codes(port: Port, count: int, generator: np.random.Generator) -> np.ndarray:
    shape = (count, *port.shape)
    if port.limbs:
        raise ValueError(f"no random codes for {port.format}: more than 63 bits")
    if isinstance(port.format, Float):
        return np.asarray(port.format.encode(generator.normal(0, 1, shape)), np.int64)
    if port.format.bits <= 16:
        return generator.choice(port.format.codes(), shape)
    patterns = generator.integers(0, 1 << port.format.bits, shape, dtype=np.uint64)
    return np.asarray(port.format.from_bits(patterns.astype(np.int64)))
