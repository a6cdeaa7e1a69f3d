"""Which units a tile is measured against, so that a ratio shows the idea and nothing else."""

from dataclasses import fields

from multipede.golden.dequantise_first_tile import DequantiseFirstTile
from multipede.golden.float_multiplier_tile import FloatMultiplierTile
from multipede.golden.float_tile import FloatTile, SumOrder
from multipede.golden.formats import FP16, INT8, Float, Integer
from multipede.golden.integer_tile import IntegerTile
from multipede.golden.multiplier_tile import MultiplierTile, PartialProducts
from multipede.golden.tile import Tile

__all__ = ["baselines", "equal_accumulator"]

_DEQUANTISATION = ("scale", "channel_scale", "dequantiser_stages")
_SHARED = ("activation", "rows", "columns", "lanes", "stages")
_SHARED_BY_INTEGERS = ("group", "accumulator", "output", *_DEQUANTISATION)


def baselines(spec: IntegerTile) -> dict[str, Tile]:
    """The tile and its baselines by label, the tile first; all have its shape and stages.

    With integer activations they are tiles of multipliers, Baugh-Wooley and Booth, of the same
    group, activation, accumulator (exact, if the tile's is) and dequantisers, on the same bit
    heaps: with INT8 weights without a zero point, and with the tile's own weights and zero
    point.

    With float activations they are tiles of float multipliers whose weights have the activation's
    format, in either order of summing, and a tile that dequantises the tile's own weights first.
    Those sum up to FP32, so the tile must have dequantised output.

    Raises TypeError for a specification that is no integer tile, ValueError for one with float
    activations that puts out group sums.
    """
    if not isinstance(spec, IntegerTile):
        raise TypeError(f"there are baselines for integer tiles only, not for {spec}")
    others = _float_tiles if isinstance(spec.activation, Float) else _multiplier_tiles
    return {_label(tile): tile for tile in (spec, *others(spec))}


def _multiplier_tiles(spec: IntegerTile) -> list[Tile]:
    shared = {name: getattr(spec, name) for name in (*_SHARED, *_SHARED_BY_INTEGERS)}
    return [
        MultiplierTile(
            weight=weight, zero_point=zero_point, partial_products=partial_products, **shared
        )
        for weight, zero_point in ((INT8, False), (spec.weight, spec.zero_point))
        for partial_products in PartialProducts
    ]


def _float_tiles(spec: IntegerTile) -> list[Tile]:
    if not spec.is_dequantised:
        raise ValueError(
            f"output = {spec.output.value}: with activation = {spec.activation} there are"
            " baselines for output = dequantised only"
        )
    shared = {name: getattr(spec, name) for name in _SHARED}
    # A second level of scales, and a format that has no NaN, are no part of that design.
    scale = spec.scale if isinstance(spec.scale, Float) else FP16
    dequantised = FP16 if spec.activation.nan_code is None else spec.activation
    first = DequantiseFirstTile(
        weight=spec.weight,
        zero_point=spec.zero_point,
        scale=scale,
        dequantised=dequantised,
        group=spec.group,
        **shared,
    )
    floats = [FloatMultiplierTile(weight=spec.activation, order=o, **shared) for o in SumOrder]
    return [*floats, first]


def equal_accumulator(specs: dict[str, IntegerTile]) -> dict[str, IntegerTile]:
    """The same tiles with one accumulator that is wide enough for all, INT32 or wider."""
    widest = max(
        spec.exact_accumulator.bits + (not spec.exact_accumulator.signed) for spec in specs.values()
    )
    accumulator = Integer(max(32, widest))
    return {
        label: type(spec)(
            **{f.name: getattr(spec, f.name) for f in fields(spec)} | {"accumulator": accumulator}
        )
        for label, spec in specs.items()
    }


def _label(spec: Tile) -> str:
    details = [f"{spec.unit} {spec.weight} x {spec.activation}"]
    if isinstance(spec, MultiplierTile):
        details.append(spec.partial_products.value)
    if isinstance(spec, FloatTile):
        details.append(spec.order.value)
    if getattr(spec, "zero_point", False):
        details.append("zero point")
    if isinstance(spec, IntegerTile) and spec.is_dequantised:
        details.append("dequantised")
    return ", ".join(details)
