"""What a unit is tried with: corners, exhaustive sweeps and biased random records.

A stimulus is a named, finite stream of chunks; each chunk maps input ports to int64 arrays of shape
(T, ...). It is the same in every process for the same specification and seed.
"""

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from multipede.golden.formats import Float, Format
from multipede.golden.integer_tile import IntegerTile
from multipede.golden.spec import Port, Spec
from multipede.golden.tile import Tile
from multipede.golden.ungrouped_tile import UngroupedTile

__all__ = ["Records", "Stimulus", "exhaustive_twin", "random_records", "stimuli"]

Records = dict[str, np.ndarray]

CHUNK_RECORDS = 1 << 15
EXHAUSTIVE_BITS = 20
"""Units with so many input bits or fewer are tried with every combination."""
LANE_PAIRS = 1 << 16
"""Pairs of weight and activation codes up to which a tile's lanes see all of them."""
RESETS = 40
RECORDS_AFTER_RESET = 64
FEW_BITS = 8
"""Bits of a format whose codes are all tried beside the corners of a wider one."""
STRETCH_GROUPS = 16
LAST_RECORDS = 64
"""Where a unit that is no tile has `last`: a fourth of the stretches with little of it."""
LONGEST_RECORDS = 1 << 16
LONGEST_HALVED = 8
"""How often the number of products in the longest sum is halved."""
BARE_RECORDS = 8
"""Records in a row whose floats are powers of two."""
STRETCH_RECORDS = 32
"""Groups in a row, and at least so many records, that are ordinary numbers, or are not."""


@dataclass(frozen=True)
class Stimulus:
    """``records`` records in all; ``gaps`` is the probability of a pause in front of each, and
    ``stalls`` that of a clock in which no result is taken.

    The first chunk comes from reset; with ``resets`` every chunk does.
    """

    name: str
    description: str
    records: int
    chunks: Callable[[], Iterator[Records]]
    gaps: float = 0.0
    stalls: float = 0.0
    resets: bool = False


def stimuli(spec: Spec, *, records: int, seed: int) -> list[Stimulus]:
    """Everything that ``spec`` is tried with: ``records`` is the number of random ones."""
    spec, stallable = spec.computation, spec.stallable
    if _input_bits(spec) <= EXHAUSTIVE_BITS:
        sweeps = [_exhaustive(spec)]
    elif isinstance(spec, Tile) and {"a", "w"} <= set(spec.inputs):
        sweeps = [_lane_pairs(spec)]
    else:
        sweeps = [_lone_bits(spec, seed + 5)]
    paused = max(1, records // 4)
    return [
        _corners(spec),
        *sweeps,
        *([_longest(spec)] if isinstance(spec, Tile) and spec.most_terms else []),
        *([_random(spec, records - paused, seed, gaps=0.0)] if records > paused else []),
        _random(spec, paused, seed + 1, gaps=0.3),
        *(_stalled(spec, paused, seed + 3) if stallable else []),
        _resets(spec, seed + 2),
    ]


def exhaustive_twin(spec: Spec) -> Spec | None:
    """The smallest unit of the same kind and formats, if all its codes can be tried."""
    if not isinstance(spec, Tile):
        return None
    lanes = spec.least_lanes
    change = {"rows": 1, "columns": 1, "lanes": lanes, "stages": 1}
    if isinstance(spec, IntegerTile):
        change |= {"group": min(spec.group, 2 * lanes), "accumulator": None}
    twin = replace(spec, **change)
    return twin if twin != spec and _input_bits(twin) <= EXHAUSTIVE_BITS else None


def random_records(spec: Spec, count: int, *, seed: int) -> Records:
    """Biased random records: uniform codes, corners, extremes, what the specification says matters
    together, and runs of whole groups.

    Of a tile's floats, half of the stretches are numbers that sums are made of: corners alone
    would make almost every sum infinite or NaN, and that hides what the others would show.
    """
    spec = spec.computation
    generator = np.random.default_rng(seed)
    records = {name: _random_codes(port, count, generator) for name, port in spec.inputs.items()}
    related = spec.related_records(generator, count)
    if related is not None:
        mixed = generator.random(count) < 0.5
        records = {
            name: np.where(mixed.reshape(-1, *[1] * (codes.ndim - 1)), related[name], codes)
            for name, codes in records.items()
        }
    if isinstance(spec, Tile):
        records |= _with_ordinary_stretches(spec, records, generator)
        if isinstance(spec.activation, Float) and spec.activation.signed and "a" in records:
            records = _with_cancellation(spec, records, generator)
    if "last" in records:
        records["last"] = _random_last(spec, count, generator)
    return records


def _input_bits(spec: Spec) -> int:
    return sum(port.bits for port in spec.inputs.values())


def _random_codes(port: Port, count: int, generator: np.random.Generator) -> np.ndarray:
    """Codes of which about half are uniform; some records hold one corner in all elements."""
    shape = (count, *port.shape)
    codes = _uniform(port, shape, generator)
    corners = np.array(port.format.corners(), np.int64)
    single = generator.choice(corners, shape)
    whole = np.broadcast_to(
        generator.choice(corners, count).reshape(count, *[1] * len(port.shape)), shape
    )
    how = generator.random((count, *[1] * len(port.shape)))
    pick = generator.random(shape) < 0.5
    return np.where(how < 0.5, codes, np.where(how < 0.75, np.where(pick, single, codes), whole))


def _uniform(port: Port, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
    if port.limbs:
        raise ValueError(f"no random codes for {port.format}: more than 63 bits")
    if port.format.bits <= 16:
        return generator.choice(port.format.codes(), shape)
    patterns = generator.integers(0, 1 << port.format.bits, shape, dtype=np.uint64)
    return np.asarray(port.format.from_bits(patterns.astype(np.int64)))


def _with_ordinary_stretches(
    spec: Tile, records: Records, generator: np.random.Generator
) -> Records:
    """The floats of the records; half of the stretches are finite numbers near each other."""
    count = len(records["last"])
    stretch = max(STRETCH_RECORDS, STRETCH_GROUPS * spec.records_per_group)
    ordinary = np.repeat(generator.random(-(-count // stretch)) < 0.5, stretch)[:count]
    return {
        name: np.where(
            ordinary.reshape(-1, *[1] * len(port.shape)),
            _ordinary_codes(port, count, generator),
            records[name],
        )
        for name, port in spec.inputs.items()
        if isinstance(port.format, Float)
    }


def _ordinary_codes(port: Port, count: int, generator: np.random.Generator) -> np.ndarray:
    """Normally distributed numbers times powers of two; half of them have few bits, so that sums
    cancel and tie. In some runs of records there are powers of two alone: their sums have long runs
    of ones, at which rounding carries far."""
    shape, each = (count, *port.shape), (count, *[1] * len(port.shape))
    spread = generator.choice([0, 3, 12], each)
    bare = np.repeat(generator.random(-(-count // BARE_RECORDS)) < 0.25, BARE_RECORDS)[:count]
    bare = bare.reshape(each)
    powers = np.ldexp(1.0, generator.integers(-spread, spread + 1, shape))
    factors = generator.normal(0, 1, shape)
    codes = port.format.encode(np.where(bare, np.sign(factors), factors) * powers)
    dropped = port.format.mantissa_bits // 2
    return np.where(generator.random(shape) < 0.5, codes, codes >> dropped << dropped)


def _with_cancellation(spec: Tile, records: Records, generator: np.random.Generator) -> Records:
    """The records; in some, an activation is the negative of that one lane or one record before but
    for a few bits, with the same weight, so that sums lose most of their bits or all."""
    count, kind = len(records["last"]), spec.activation
    records = {name: codes.copy() for name, codes in records.items()}
    a = records["a"]
    flips = 1 << generator.integers(0, kind.mantissa_bits + 1, (3, *a.shape))
    kept = generator.random((3, *a.shape)) < 0.5
    negative = 1 << (kind.bits - 1) ^ np.bitwise_xor.reduce(np.where(kept, flips, 0))
    how = generator.random(count)
    lanes = np.flatnonzero(how < 0.2)
    even = spec.lanes // 2 * 2
    a[lanes, :, 1:even:2] = a[lanes, :, 0:even:2] ^ negative[lanes, :, 1:even:2]
    records["w"][lanes, :, 1:even:2] = records["w"][lanes, :, 0:even:2]
    again = np.flatnonzero(how > 0.8)
    again = again[again > 0]
    a[again] = a[again - 1] ^ negative[again]
    for name, codes in records.items():
        if name not in ("a", "last"):
            codes[again] = codes[again - 1]
    return records


def _random_last(spec: Spec, count: int, generator: np.random.Generator) -> np.ndarray:
    """Stretches without `last`, so that whole groups occur and sums grow, and stretches full of it;
    of few records there are stretches of every kind, too."""
    group = spec.records_per_group if isinstance(spec, Tile) else LAST_RECORDS
    rates = np.array([0.0, 0.0, 0.5 / group, 0.5, 1.0])
    stretch = max(1, min(4 * group, count // len(rates)))
    rounds = -(-count // (stretch * len(rates)))
    dealt = generator.permuted(np.tile(rates, (rounds, 1)), axis=1).ravel()
    return (generator.random(count) < np.repeat(dealt, stretch)[:count]).astype(np.int64)


def _stalled(spec: Spec, count: int, seed: int) -> list[Stimulus]:
    """Results that are taken late: with and without pauses in front of records."""
    half = max(1, count // 2)
    return [
        _random(spec, half, seed, gaps=0.0, stalls=0.7),
        _random(spec, half, seed + 1, gaps=0.5, stalls=0.5),
    ]


def _random(spec: Spec, count: int, seed: int, *, gaps: float, stalls: float = 0.0) -> Stimulus:
    def chunks() -> Iterator[Records]:
        for index, start in enumerate(range(0, count, CHUNK_RECORDS)):
            size = min(CHUNK_RECORDS, count - start)
            chunk = random_records(spec, size, seed=hash_seed(seed, index))
            # So that what comes last is compared too.
            yield spec.ended(chunk) if start + size == count else chunk

    added = [word for word, rate in (("gaps", gaps), ("stalls", stalls)) if rate]
    name = "random" + (f" with {', '.join(added)}" if added else "")
    description = f"biased random codes, seed {seed}"
    return Stimulus(name, description, count, chunks, gaps, stalls)


def _resets(spec: Spec, seed: int) -> Stimulus:
    """Short stretches, each from reset, as long as a group or so: what is left shows at once."""
    group = spec.records_per_group if isinstance(spec, Tile) else 1
    size = min(group + 1, RECORDS_AFTER_RESET)

    def chunks() -> Iterator[Records]:
        for index in range(RESETS):
            chunk = random_records(spec, size, seed=hash_seed(seed, index))
            if "last" in chunk:
                chunk["last"][:] = 0
            yield spec.ended(chunk)

    description = f"{RESETS} resets in mid-stream, seed {seed}"
    return Stimulus("resets", description, RESETS * size, chunks, resets=True)


def hash_seed(*parts: int) -> int:
    """One seed from several numbers, far apart for neighbours."""
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0])


def _corners(spec: Spec) -> Stimulus:
    """Each combination of one corner per port in all elements, held for a whole group."""
    names = list(spec.inputs)
    lists = [port.format.corners() for port in spec.inputs.values()]
    hold = spec.records_per_group if isinstance(spec, Tile) else 1
    combinations = math.prod(map(len, lists))

    def chunks() -> Iterator[Records]:
        size = max(1, CHUNK_RECORDS // hold)
        for part in _batched(itertools.product(*lists), size):
            codes = np.repeat(np.array(part, np.int64), hold, axis=0)
            yield {
                name: _filled(spec.inputs[name], codes[:, index])
                for index, name in enumerate(names)
            }

    description = " x ".join(
        f"{len(corners)} {name}" for name, corners in zip(names, lists, strict=True)
    )
    return Stimulus("corners", description, combinations * hold, chunks)


def _filled(port: Port, codes: np.ndarray) -> np.ndarray:
    """One code per record in all elements of the port."""
    column = codes.reshape(-1, *[1] * len(port.shape))
    return np.broadcast_to(column, (len(codes), *port.shape)).copy()


def _batched(items: Iterator, size: int) -> Iterator[list]:
    while part := list(itertools.islice(items, size)):
        yield part


def _exhaustive(spec: Spec) -> Stimulus:
    """Every combination of valid codes in all input elements.

    Only `last` ends the sums of tiles without groups, so there it changes in every record.
    """
    elements = [
        (name, place, port.format.codes())
        for name, port in spec.inputs.items()
        for place in range(port.elements)
    ]
    if isinstance(spec, UngroupedTile):
        elements.reverse()
    total = math.prod(len(codes) for _, _, codes in elements)

    def chunks() -> Iterator[Records]:
        for start in range(0, total, CHUNK_RECORDS):
            rest = np.arange(start, min(total, start + CHUNK_RECORDS))
            records = {
                name: np.empty((len(rest), port.elements), np.int64)
                for name, port in spec.inputs.items()
            }
            for name, place, codes in elements:
                rest, digit = np.divmod(rest, len(codes))
                records[name][:, place] = codes[digit]
            yield {
                name: records[name].reshape(-1, *port.shape) for name, port in spec.inputs.items()
            }

    return Stimulus("exhaustive", "every combination of input codes", total, chunks)


def _lane_pairs(spec: Tile) -> Stimulus:
    """Pairs of activation and weight codes in each lane while the other lanes hold corners.

    The corners take turns, so that each pair meets one of them in every lane. More pairs than
    ``LANE_PAIRS`` are dealt out to the lanes.
    """
    pairs = _code_pairs(spec)
    every = len(pairs) == len(spec.activation.codes()) * len(spec.weight.codes())
    of_lane = [pairs] * spec.lanes
    if len(pairs) > LANE_PAIRS:
        of_lane = np.array_split(np.random.default_rng(0).permutation(pairs), spec.lanes)
    contexts = np.array([(0, 0), _extremes(spec, "minimum"), _extremes(spec, "maximum")])

    def chunks() -> Iterator[Records]:
        for lane, start in (
            (lane, start)
            for lane, listed in enumerate(of_lane)
            for start in range(0, len(listed), CHUNK_RECORDS)
        ):
            part = of_lane[lane][start : start + CHUNK_RECORDS]
            number = np.arange(start, start + len(part))
            others = contexts[(number + lane) % len(contexts)]
            records = {
                "a": np.repeat(others[:, :1], spec.rows * spec.lanes, 1),
                "w": np.repeat(others[:, 1:], spec.columns * spec.lanes, 1),
                "last": np.ones(len(part), np.int64),
            }
            for name in ("a", "w"):
                records[name] = records[name].reshape(-1, *spec.inputs[name].shape)
            records["a"][:, :, lane] = part[:, :1]
            records["w"][:, :, lane] = part[:, 1:]
            turns = number[:, None] + np.arange(spec.columns)
            for name in (name for name in spec.inputs if name not in records):
                listed = spec.inputs[name].format
                codes = listed.codes() if name == "z" else np.array(listed.corners())
                records[name] = codes[(turns if spec.inputs[name].shape else number) % len(codes)]
            yield records

    where = "dealt out to the lanes" if of_lane[0] is not pairs else "in each lane"
    description = f"{'all' if every else 'corner'} pairs of codes {where}, corners beside"
    return Stimulus("lane pairs", description, sum(map(len, of_lane)), chunks)


def _longest(spec: Tile) -> Stimulus:
    """Sums of the largest products, of both signs: of as many as they hold, of twice as many, and
    of a half, a quarter and so on, so that each of the leading bits is seen, and is held."""
    longest = min(2 * -(-spec.most_terms // spec.lanes), LONGEST_RECORDS)
    lengths = [longest >> halved for halved in range(LONGEST_HALVED) if longest >> halved]
    sums = list(itertools.product(lengths, spec.extreme_operands))

    def chunks() -> Iterator[Records]:
        for count, codes in sums:
            for start in range(0, count, CHUNK_RECORDS):
                size = min(CHUNK_RECORDS, count - start)
                last = np.arange(start + 1, start + size + 1) == count
                operands = (np.full(size, code) for code in codes)
                records = dict(zip("aw", operands, strict=True)) | {"last": last.astype(np.int64)}
                yield {name: _filled(port, records[name]) for name, port in spec.inputs.items()}

    description = f"the largest products, up to {longest * spec.lanes} in a sum"
    return Stimulus("longest", description, sum(count for count, _ in sums), chunks, gaps=0.1)


def _code_pairs(spec: Tile) -> np.ndarray:
    activations, weights = spec.activation.codes(), spec.weight.codes()
    if len(activations) * len(weights) <= LANE_PAIRS:
        return np.array(list(itertools.product(activations, weights)), np.int64)
    if isinstance(spec, UngroupedTile):
        listed = [_few_codes(number_format) for number_format in (spec.activation, spec.weight)]
        return np.array(list(itertools.product(*listed)), np.int64)
    pairs = list(itertools.product(activations, spec.weight.corners()))
    pairs += itertools.product(spec.activation.corners(), weights)
    return np.array(pairs, np.int64)


def _lone_bits(spec: Spec, seed: int) -> Stimulus:
    """Each input element in turn with one bit set, or all but one, beside random others and beside
    zeros: of floats in the fraction of every exponent. What sees whether anything was lost, or
    whether anything is left, must see each bit."""
    places = [
        (name, element, _lone_bit_codes(port.format), alone)
        for name, port in spec.inputs.items()
        for element in range(port.elements)
        for alone in (False, True)
    ]

    def chunks() -> Iterator[Records]:
        for index, (name, element, codes, alone) in enumerate(places):
            records = random_records(spec, len(codes), seed=hash_seed(seed, index))
            if alone:
                records = {port: np.zeros_like(array) for port, array in records.items()}
            records[name].reshape(len(codes), -1)[:, element] = codes
            yield records

    description = f"each bit of a word alone or missing, seed {seed}"
    return Stimulus("lone bits", description, sum(len(c) for _, _, c, _ in places), chunks)


def _lone_bit_codes(number_format: Format) -> np.ndarray:
    if number_format.bits <= FEW_BITS:
        return number_format.codes()
    is_float = isinstance(number_format, Float)
    width = number_format.mantissa_bits if is_float else number_format.bits
    lone = np.int64(1) << np.arange(width, dtype=np.int64)
    ends = np.array([0, (1 << width) - 1], np.int64)
    patterns = np.concatenate([lone, lone ^ ends[1], ends])
    if is_float:
        above = np.arange(1 << (number_format.bits - width), dtype=np.int64) << width
        patterns = (above[:, None] | patterns).ravel()
    return np.asarray(number_format.from_bits(patterns))


def _few_codes(number_format: Format) -> list[int]:
    """All codes, of wide formats the corners."""
    if number_format.bits > FEW_BITS:
        return number_format.corners()
    return number_format.codes().tolist()


def _extremes(spec: Tile, side: str) -> tuple[int, int]:
    """Codes of the activation's lowest or highest value and of the weight's highest."""
    weight = spec.weight.encode(np.array([float(spec.weight.maximum)]))
    return getattr(spec.activation, f"{side}_code"), int(weight[0])
