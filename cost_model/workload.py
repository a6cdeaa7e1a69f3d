"""What whole transformers take on arrays of tiles: time, traffic, energy, at equal area or rate.

Clocks are those of :mod:`~multipede.cost_model.workloads.array`, which the tests hold against the
RTL's own; areas and energies of a tile are synthesised and simulated at the clock.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from multipede.cost_model.targets import library_with_energies, power, synthesize
from multipede.cost_model.workloads.array import Array, Cost, Memory
from multipede.cost_model.workloads.transformers import Product, Transformer, transformer
from multipede.golden.html_table import html_table
from multipede.golden.number_format import require_range, require_type
from multipede.golden.tile import Tile
from multipede.toolchain import ToolError

if TYPE_CHECKING:
    from multipede.asic_flow import Constraints

__all__ = [
    "Comparison",
    "Row",
    "TileCosts",
    "array_of",
    "compare_workload",
    "products_of",
    "tile_costs",
]

_PHASES = ("prefill", "decode")
_MOST_TILES = 1 << 24
_MOST_AREA = 100_000
"""mm2; a wafer of 300 mm has 70,686"""


@dataclass(frozen=True)
class TileCosts:
    """What a tile takes on standard cells.

    Attributes
    ----------
    area : um2. energy : pJ for a clock of work. leakage : mW. clock_period : ns. source : in words.
    """

    area: float
    energy: float
    leakage: float
    clock_period: float
    source: str


_NO_COSTS = TileCosts(area=1.0, energy=0.0, leakage=0.0, clock_period=1.0, source="")
"""for what does not depend on them"""


def tile_costs(
    tile: Tile,
    target: str = "n28",
    *,
    constraints: "Constraints",
    liberty: Path | None = None,
    records: int = 1000,
) -> TileCosts:
    """Area and energy of a tile, synthesised for a clock and simulated. Options and errors as of
    :func:`~multipede.cost_model.targets.power`; ValueError for constraints without a clock."""
    _require_energies(target, liberty, constraints)
    given = {"constraints": constraints, "liberty": liberty}
    mapped = synthesize(tile, target, **given)
    found = power(tile, target, records=records, **given)
    return TileCosts(
        area=mapped.total,
        energy=found.power.energy_per_clock,
        leakage=found.power.cells.leakage,
        clock_period=constraints.clock_period,
        source=f"{mapped.method}; {found.workload}",
    )


def _require_energies(target: str, liberty: Path | None, constraints: "Constraints") -> None:
    """ValueError without a clock, delays or energies, and for an unusable Liberty file: for every
    tile alike, and known before one is synthesised."""
    if constraints is None or constraints.clock_period is None:
        raise ValueError("constraints: a clock period is needed")
    from multipede.asic_flow.liberty.library import Library, read_liberty

    library = library_with_energies(target, liberty, constraints)
    if not isinstance(library, Library):
        library = read_liberty(Path(library))
    constraints.conditions(library)


def array_of(
    tile: Tile,
    costs: TileCosts,
    tiles: int,
    *,
    memory: Memory | None = None,
    cache_bits: int = 8,
) -> Array:
    """So many tiles at most, in a grid that is about square in rows and columns.

    Keys and values have ``cache_bits``; where these are more than a weight's, they take as many
    passes as it needs weights to hold them. A weight's share of its group's scale and zero point
    counts in memory. TypeError, ValueError for less than 1 or more than 1 << 24 tiles, or
    ``cache_bits`` that are not 1 to 64.
    """
    require_type("tile", tile, Tile)
    require_range("tiles", tiles, 1, _MOST_TILES)
    require_range("cache_bits", cache_bits, 1, 64)
    down, across = _grid(tile, tiles)
    number, weight = down * across, tile.weight.bits
    group = getattr(tile, "group", None)
    beside = 0
    if group:
        scale = getattr(tile, "scale", None)
        beside = (scale.bits if scale is not None else 16) + weight * bool(
            getattr(tile, "zero_point", False)
        )
    return Array(
        rows=tile.rows * down,
        columns=tile.columns * across,
        lanes=tile.lanes,
        clock_period=costs.clock_period,
        energy=costs.energy * number,
        idle_energy=costs.leakage * costs.clock_period * number,
        area=costs.area * number,
        weight_bits=weight + (beside / group if group else 0),
        activation_bits=tile.activation.bits,
        cache_bits=cache_bits,
        interval=tile.initiation_interval,
        cache_interval=tile.initiation_interval * math.ceil(cache_bits / weight),
        fill=tile.latency,
        memory=Memory() if memory is None else memory,
    )


def _grid(tile: Tile, tiles: int) -> tuple[int, int]:
    """Rows and columns of at most so many tiles."""
    down = max(1, min(tiles, round(math.sqrt(tiles * tile.columns / tile.rows))))
    return down, tiles // down


def products_of(shape: Transformer | str, phase: str, tokens: int, batch: int = 1) -> list[Product]:
    """Products of a phase: ``prefill`` of so many tokens, or ``decode`` of one token whose context
    these are, itself included.
    TypeError, ValueError for another phase or transformer, decode of an encoder, and numbers below
    1, or below 2 for the tokens of an image."""
    shape = transformer(shape) if isinstance(shape, str) else shape
    require_type("shape", shape, Transformer)
    if phase not in _PHASES:
        raise ValueError(f"phase = {phase!r}: allowed are {', '.join(_PHASES)}")
    return shape.prefill(tokens, batch) if phase == "prefill" else shape.decode(tokens, batch)


@dataclass(frozen=True)
class Row:
    """One tile: how many of them, and what the transformer takes on these; or why there are no
    figures."""

    label: str
    tiles: int = 0
    cost: Cost | None = None
    source: str = ""
    error: str = ""


@dataclass(frozen=True)
class Comparison:
    """A transformer on arrays of several tiles.

    Attributes
    ----------
    title : what was compared, at equal what. rows : of tiles, the first being compared with.
    notes : how figures came about.
    """

    title: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...]

    @property
    def errors(self) -> list[str]:
        """Which tiles have no figures, and why."""
        return [f"{row.label} failed: {row.error}" for row in self.rows if row.error]

    def ratios(self, row: Row) -> tuple[float, float] | None:
        """How much faster than a row the first one is, and the energy of that over the first's."""
        first = self.rows[0].cost
        if first is None or row.cost is None:
            return None
        return row.cost.seconds / first.seconds, row.cost.energy / first.energy

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            "title": self.title,
            "rows": [self._row(row) for row in self.rows],
            "notes": list(self.notes),
        }

    def _row(self, row: Row) -> dict[str, Any]:
        document: dict[str, Any] = {"label": row.label, "error": row.error}
        if row.cost is None:
            return document
        cost, ratios = row.cost, self.ratios(row)
        figures = ("cycles", "seconds", "energy", "energies", "utilisation", "dram_bits")
        return {
            **document,
            "tiles": row.tiles,
            "array": asdict(cost.array),
            **{name: getattr(cost, name) for name in (*figures, "sram_bits", "multiplications")},
            "time_over_first": ratios and ratios[0],
            "energy_over_first": ratios and ratios[1],
            "source": row.source,
        }

    def __str__(self) -> str:
        width = max(len(row.label) for row in self.rows)
        lines = [
            self.title,
            f"{'':{width}}{'tiles':>7}{'mm2':>8}{'Mclocks':>10}{'ms':>10}{'ratio':>7}{'used':>6}"
            f"{'mJ':>10}{'ratio':>7}{'array':>7}{'idle':>6}{'buffer':>7}{'memory':>7}"
            f"{'DRAM MB':>10}{'SRAM MB':>10}",
        ]
        lines += [f"{row.label:{width}}{self._told(row)}" for row in self.rows]
        return "\n".join([*lines, "", *self.notes, *self.errors])

    def _repr_html_(self) -> str:
        """For notebooks."""
        heads = ("", "tiles", "mm2", "Mclocks", "ms", "ratio", "used, %", "mJ", "ratio")
        shares = ("array, %", "idle, %", "buffers, %", "memory, %")
        return html_table(
            [(row.label, *self._figures(row)) for row in self.rows],
            heads=(*heads, *shares, "DRAM, MB", "SRAM, MB"),
            caption=self.title,
            notes=(*self.notes, *self.errors),
        )

    def _figures(self, row: Row) -> Sequence[str | float]:
        """What stands in a row's cells: a number of tiles, mm2, millions of clocks, ms, mJ, ratios,
        percents, and MB of traffic."""
        if row.cost is None:
            return ("failed",)
        cost, (time, energy) = row.cost, self.ratios(row) or (math.nan, math.nan)
        parts = (100 * part / cost.energy for part in cost.energies.values())
        area, used = cost.array.area / 1e6, 100 * cost.utilisation
        times = (cost.cycles / 1e6, 1e3 * cost.seconds, time)
        traffic = (bits / 8e6 for bits in (cost.dram_bits, cost.sram_bits))
        return (row.tiles, area, *times, used, 1e3 * cost.energy, energy, *parts, *traffic)

    def _told(self, row: Row) -> str:
        if row.cost is None:
            return f"{'failed':>7}"
        tiles, area, clocks, ms, time, used, mj, energy, *shares, dram, sram = self._figures(row)
        return (
            f"{tiles:>7,}{area:>8.3f}{clocks:>10,.4g}{ms:>10,.4g}{time:>7.2f}{used:>5.0f}%"
            f"{mj:>10,.4g}{energy:>7.2f}{shares[0]:>6.0f}%{shares[1]:>5.0f}%{shares[2]:>6.0f}%"
            f"{shares[3]:>6.0f}%{dram:>10,.4g}{sram:>10,.4g}"
        )


def compare_workload(
    tiles: Mapping[str, Tile],
    shape: Transformer | str,
    phase: str,
    tokens: int,
    *,
    batch: int = 1,
    area: float | None = None,
    rate: int | None = None,
    target: str = "n28",
    liberty: Path | None = None,
    constraints: "Constraints",
    memory: Memory | None = None,
    cache_bits: int = 8,
) -> Comparison:
    """A transformer on arrays of each of several tiles, all of the same area or the same rate.

    A progress bar on a terminal.

    Parameters
    ----------
    tiles : by label. shape, phase, tokens, batch : as of :func:`products_of`.
    area : mm2 of all tiles of an array together, at most 100,000. rate : multiply-accumulates in a
        clock at least; one of both.
    target, liberty, constraints : as of :func:`tile_costs`.
    memory, cache_bits : as of :func:`array_of`.

    Raises
    ------
    TypeError, ValueError
        For no tiles, neither or both of area and rate, an area or rate of more than 1 << 24 tiles,
        a target without delays and energies, and as the functions named; before any tile is
        synthesised, but for an area of too many tiles. A tile that cannot be mapped or hold the
        clock, or is larger than the area, and more tiles than the buffers can feed are rows with
        their errors.
    """
    _require_tiles(tiles)
    _require_area_or_rate(tiles, area, rate)
    require_range("cache_bits", cache_bits, 1, 64)
    memory = Memory() if memory is None else memory
    require_type("memory", memory, Memory)
    products = products_of(shape, phase, tokens, batch)
    for tile in tiles.values():
        array_of(tile, _NO_COSTS, 1, memory=memory, cache_bits=cache_bits)
    _require_energies(target, liberty, constraints)
    name = shape if isinstance(shape, str) else shape.name
    rows = []
    for label, tile in tqdm(tiles.items(), desc="tiles", unit="tile", leave=False, disable=None):
        try:
            costs = tile_costs(tile, target, constraints=constraints, liberty=liberty)
        except (ToolError, ValueError) as error:
            rows.append(Row(label, error=" ".join(str(error).split())))
            continue
        number = _for_area(costs, area) if rate is None else _for_rate(tile, rate)
        if number < 1:
            said = f"one tile is {costs.area / 1e6:.4g} mm2: more than {area:g} mm2"
            rows.append(Row(label, error=said))
            continue
        try:
            array = array_of(tile, costs, number, memory=memory, cache_bits=cache_bits)
        except ValueError as error:
            rows.append(Row(label, error=str(error)))
            continue
        placed = array.rows // tile.rows * (array.columns // tile.columns)
        rows.append(Row(label, placed, array.cost(products), costs.source))
    equal = f"{area:g} mm2 of tiles" if rate is None else f"{rate:,} multiply-accumulates a clock"
    of = f"{tokens:,} tokens" if phase == "prefill" else f"context of {tokens:,} tokens"
    title = f"{name}, {phase}, {of}, batch {batch}, on {equal}"
    return Comparison(title, tuple(rows), _notes(rows, target, constraints, memory, cache_bits))


def _require_tiles(tiles: Mapping[str, Tile]) -> None:
    if not tiles:
        raise ValueError("tiles is empty: at least one is needed")
    for label, tile in tiles.items():
        require_type(f"tiles[{label!r}]", tile, Tile)


def _require_area_or_rate(tiles: Mapping[str, Tile], area: float | None, rate: int | None) -> None:
    """One of both, within its limits, and of a rate no more tiles than there can be."""
    if (area is None) == (rate is None):
        raise ValueError("area and rate: one of both is needed")
    if area is not None:
        if isinstance(area, bool) or not isinstance(area, int | float):
            raise TypeError(f"area must be a number of mm2, not {area!r}")
        if not 0 < area <= _MOST_AREA:
            raise ValueError(f"area = {area}: allowed are more than 0 to {_MOST_AREA:,} mm2")
        return
    require_range("rate", rate, 1, 1 << 30)
    for label, tile in tiles.items():
        if (number := _for_rate(tile, rate)) > _MOST_TILES:
            raise ValueError(
                f"rate = {rate}: {number:,} tiles of {label}, allowed are {_MOST_TILES:,}"
            )


def _for_rate(tile: Tile, rate: int) -> int:
    """How many tiles make so many multiply-accumulates in a clock, in a whole grid."""
    each = tile.rows * tile.columns * tile.lanes / tile.initiation_interval
    least = math.ceil(rate / each)
    return next(number for number in count(least) if math.prod(_grid(tile, number)) >= least)


def _for_area(costs: TileCosts, area: float) -> int:
    """How many tiles fit in so many mm2. ValueError for more than there can be."""
    number = int(1e6 * area // costs.area)
    if number > _MOST_TILES:
        most = _MOST_TILES * costs.area / 1e6
        raise ValueError(
            f"area = {area}: {number:,} tiles of {costs.area:.4g} um2, allowed are"
            f" {_MOST_TILES:,}, on {most:,.4g} mm2"
        )
    return number


def _notes(
    rows: Sequence[Row],
    target: str,
    constraints: "Constraints",
    memory: Memory,
    cache_bits: int,
) -> tuple[str, ...]:
    sources = dict.fromkeys(row.source for row in rows if row.source)
    buffers = [f"{size / 1024:.4g}" for size in (memory.weight_buffer, memory.activation_buffer)]
    return (
        "ratio: of time and of energy, to the first row's; used: of the multiplications that the"
        " array could make",
        f"{target} at {constraints.clock_period:g} ns; buffers of {buffers[0]} and {buffers[1]}"
        f" KiB for weights and activations, at {_energies(memory)} pJ a bit;"
        f" memory {memory.bits_per_clock:g} bits a clock, {memory.dram_energy:g} pJ a bit;"
        f" keys and values of {cache_bits} bits",
        *(f"tile: {source}" for source in sources),
    )


def _energies(memory: Memory) -> str:
    return " and ".join(f"{energy:.2g}" for energy in memory.buffer_energies)
