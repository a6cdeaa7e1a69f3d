"""Whole models on arrays of lookup tiles in place of a graphics processor's tensor cores."""

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from multipede.cost_model.reproduction.claims import Claim, Claims
from multipede.cost_model.workload import TileCosts, array_of, products_of, tile_costs
from multipede.cost_model.workloads.array import Array, Cost, Memory
from multipede.golden.codebook import ODD2
from multipede.golden.float_multiplier_tile import FloatMultiplierTile
from multipede.golden.formats import FP16, INT8, Integer
from multipede.golden.lut_tensor_core import LutTensorCore
from multipede.golden.multiplier_tile import MultiplierTile
from multipede.golden.tile import Tile

if TYPE_CHECKING:
    from multipede.asic_flow import Constraints

__all__ = ["lut_tensor_core_workloads"]

_FIRST = "fp16"
_INTEGERS = {"activation": INT8, "zero_point": False, "accumulator": Integer(32)}
_TILES: Mapping[str, Tile] = {
    _FIRST: FloatMultiplierTile(weight=FP16, activation=FP16, rows=2, columns=4, lanes=4, stages=4),
    "int8": MultiplierTile(weight=INT8, rows=2, columns=16, lanes=4, **_INTEGERS),
    "lookups": LutTensorCore(weight=ODD2, rows=2, columns=64, lanes=4, **_INTEGERS),
}
"""by the first word of their arrays"""
_SPEED = (
    "Theirs simulates a graphics processor with all that a model does; ours are the products with"
    " weights alone, as lookups are for these, at full rate unless the memory is slower."
)
_AREA = (
    "Theirs is TSMC 28 nm at 1.41 GHz by Design Compiler, what is counted beside multipliers and"
    " accumulators unknown; ours are tiles on n28 at one clock, accumulators and tables included."
)
_ENERGY = "The paper's column of energies is not in the copies that we have."


def lut_tensor_core_workloads(target: str = "n28", *, constraints: "Constraints") -> Claims:
    """BitNet 3B on INT8 multipliers and on lookups of 2-bit weights, against the same shapes in
    FP16: as many multiply-accumulates in a clock as the paper's arrays have, one memory for all.

    Options and errors as of :func:`~multipede.cost_model.workload.tile_costs`.
    """
    table = _table()
    tiles = tqdm(_TILES.items(), desc="tiles", unit="tile", leave=False, disable=None)
    costs = {name: tile_costs(tile, target, constraints=constraints) for name, tile in tiles}
    arrays = {name: _array(name, costs[_tile_of(name)]) for name in table["array"]}
    taken = {
        (name, phase): array.cost(
            [one for one in products_of(table["model"], phase, **given) if one.weights]
        )
        for name, array in arrays.items()
        for phase, given in table["phase"].items()
    }
    return Claims(
        f"{table['model']} on arrays in place of tensor cores, over the same shapes in FP16",
        tuple(row for name in arrays if name != _FIRST for row in _rows(name, arrays, taken)),
        (
            f"published: {table['source']}",
            f"memory: {table['memory_source']}",
            *dict.fromkeys(each.source for each in costs.values()),
        ),
    )


def _tile_of(name: str) -> str:
    return name.partition("_")[0]


def _array(name: str, costs: TileCosts) -> Array:
    table = _table()
    tile = _TILES[_tile_of(name)]
    in_a_clock = tile.rows * tile.columns * tile.lanes / tile.initiation_interval
    rate = table["processors"] * table["array"][name]["multiply_accumulates"]
    return array_of(
        tile,
        costs,
        round(rate / in_a_clock),
        cache_bits=tile.activation.bits,
        memory=Memory(
            weight_buffer=table["cache"] // 2,
            activation_buffer=table["cache"] // 2,
            bits_per_clock=8 * table["memory_bandwidth"] / table["clock_frequency"],
        ),
    )


def _rows(
    name: str, arrays: Mapping[str, Array], taken: Mapping[tuple[str, str], Cost]
) -> Iterator[Claim]:
    """An array against the first: speeds, energies, and area."""
    table = _table()
    first, mine, source = table["array"][_FIRST], table["array"][name], table["source"]
    for phase, given in table["phase"].items():
        where = f"{mine['title']}, {phase} of {given['batch']} x {given['tokens']}"
        ours, theirs = taken[name, phase], taken[_FIRST, phase]
        yield Claim(
            what=f"{where}: faster",
            published=first[phase] / mine[phase],
            ours=theirs.seconds / ours.seconds,
            unit="times",
            source=source,
            differs=_SPEED,
        )
        yield Claim(
            what=f"{where}: less energy",
            published=None,
            ours=theirs.energy / ours.energy,
            unit="times",
            source=source,
            differs=_ENERGY,
        )
    yield Claim(
        what=f"{mine['title']}: area of FP16's",
        published=mine["area"] / first["area"],
        ours=arrays[name].area / arrays[_FIRST].area,
        unit="",
        source=source,
        differs=_AREA,
    )


@cache
def _table() -> Mapping[str, Any]:
    path = Path(__file__).with_name("lut_tensor_core.toml")
    return tomllib.loads(path.read_text())["whole_models"]
