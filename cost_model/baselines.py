"""Which units a tile is measured against, so that a ratio shows the idea and nothing else."""

from dataclasses import fields

from multipede.golden.bit_serial_tile import BitSerialTile
from multipede.golden.catalogue import unit, unit_names
from multipede.golden.compensated_lmul import CompensatedLMul
from multipede.golden.dequantise_first_tile import DequantiseFirstTile
from multipede.golden.float_multiplier import FloatMultiplier
from multipede.golden.float_multiplier_tile import FloatMultiplierTile
from multipede.golden.float_tile import FloatTile, SumOrder
from multipede.golden.formats import FP16, INT8, Float, Integer
from multipede.golden.integer_tile import IntegerTile
from multipede.golden.lmul import LMul
from multipede.golden.lmul_tile import LMulTile
from multipede.golden.logarithmic_factors import Correction, LogarithmicFactors
from multipede.golden.logarithmic_multiplier import LogarithmicMultiplier
from multipede.golden.lut_tensor_core import LutTensorCore
from multipede.golden.mitchell import Mitchell
from multipede.golden.mixpe import MixPE
from multipede.golden.multiplier_tile import MultiplierTile, PartialProducts
from multipede.golden.serial_tile import SerialTile
from multipede.golden.spec import Spec
from multipede.golden.tile import Tile

__all__ = ["baselines", "equal_accumulator"]

_DEQUANTISATION = ("scale", "channel_scale", "dequantiser_stages")
_SHARED = ("activation", "rows", "columns", "lanes", "stages")
_SHARED_BY_INTEGERS = ("group", "accumulator", "output", *_DEQUANTISATION)
_SHARED_BY_MIXED = ("accumulation", "guard")
_SHARED_BY_SERIAL = ("planes_per_cycle", "run_time_bits")


def baselines(spec: Spec) -> dict[str, Spec]:
    """The unit and its baselines by label, the unit first; all have its shape and stages.

    Of a multiplier that adds codes they are the exact one, rounded once, and the others that add
    codes, with the same choices; of a tile of these the tile of exact multipliers and float adders,
    tiles with other corrections, and with exact sums the same one with float accumulators.

    Of an integer tile they are the following.

    With integer activations they are tiles of multipliers, Baugh-Wooley and Booth, of the same
    group, activation, accumulator (exact, if the tile's is) and dequantisers, on the same bit
    heaps: with INT8 weights without a zero point, and with the tile's own weights and zero
    point.

    Those of a tile of lookups are of its own weights only, and beside the multipliers a bit-serial
    tile with as many planes in a clock and, from activations of 4 bits on, MixPE. For odd weights
    they take signed integers of as many bits, without a zero point. All but the bit-serial tile
    take a record in every clock; where lookups do not, the label says how many they need. Figures
    are not scaled by that, and hold no tables that are made outside.

    With float activations they are tiles of float multipliers whose weights have the activation's
    format, in either order of summing, and a tile that dequantises the tile's own weights first,
    and for lookups the bit-serial tile and MixPE. The former sum up to FP32, so the tile must have
    dequantised output.

    Raises TypeError for another specification, ValueError for an integer tile with float
    activations that puts out group sums.
    """
    if isinstance(spec, LogarithmicMultiplier):
        return _exact_multiplier_and_others(spec)
    if isinstance(spec, LogarithmicFactors):
        return {_label(tile): tile for tile in (spec, *_float_accumulators(spec))}
    if not isinstance(spec, IntegerTile):
        name = spec.unit if isinstance(spec, Spec) else type(spec).__name__
        kinds = IntegerTile, LogarithmicFactors, LogarithmicMultiplier
        takes = [unit_name for unit_name in unit_names() if issubclass(unit(unit_name), kinds)]
        raise TypeError(f"there are no baselines for {name}, only for {', '.join(takes)}")
    multipliers = _float_tiles if isinstance(spec.activation, Float) else _multiplier_tiles
    others = multipliers(spec)
    if isinstance(spec, LutTensorCore):
        others += _serial_tiles(spec)
    return {_label(tile): tile for tile in (spec, *others)}


def _exact_multiplier_and_others(spec: LogarithmicMultiplier) -> dict[str, Spec]:
    f = spec.format
    shared = {field.name: getattr(spec, field.name) for field in fields(LogarithmicMultiplier)}
    kinds = (kind for kind in (LMul, Mitchell, CompensatedLMul) if not isinstance(spec, kind))
    exact = FloatMultiplier(a=f, b=f, result=f, stages=spec.stages)
    return {
        f"{unit_.unit} {f}": unit_ for unit_ in (spec, exact, *(kind(**shared) for kind in kinds))
    }


def _float_accumulators(spec: LogarithmicFactors) -> list[Tile]:
    shared = {name: getattr(spec, name) for name in ("weight", *_SHARED)}
    if isinstance(spec, LMulTile):
        shared |= {"accumulator": spec.accumulator, "order": spec.order}
    own = {name: getattr(spec, name) for name in ("product", "preset")}
    same = {"correction": spec.correction, "offset": spec.offset}
    others = [{"correction": which} for which in Correction if which is not spec.correction]
    corrections = others if isinstance(spec, LMulTile) else [same, *others]
    return [
        FloatMultiplierTile(**shared),
        *(LMulTile(**shared, **own, **correction) for correction in corrections),
    ]


def _multiplier_tiles(spec: IntegerTile) -> list[Tile]:
    shared = {name: getattr(spec, name) for name in (*_SHARED, *_SHARED_BY_INTEGERS)}
    weights = [(_integers(spec), spec.zero_point)]
    if not isinstance(spec, LutTensorCore):
        weights.insert(0, (INT8, False))
    return [
        MultiplierTile(
            weight=weight, zero_point=zero_point, partial_products=partial_products, **shared
        )
        for weight, zero_point in weights
        for partial_products in (PartialProducts.BAUGH_WOOLEY, PartialProducts.BOOTH)
    ]


def _serial_tiles(spec: LutTensorCore) -> list[Tile]:
    """The bit-serial tile, and MixPE if it takes the activations."""
    names = (*_SHARED, *_SHARED_BY_INTEGERS, *_SHARED_BY_MIXED)
    shared = {name: getattr(spec, name) for name in names}
    shared |= {"weight": _integers(spec), "zero_point": spec.zero_point}
    serial = BitSerialTile(**shared, **{name: getattr(spec, name) for name in _SHARED_BY_SERIAL})
    if spec.activation.bits < MixPE.activation_bits[0]:
        return [serial]
    return [serial, MixPE(**shared)]


def _integers(spec: IntegerTile) -> Integer:
    """The tile's weights or, for odd ones, signed integers of as many bits."""
    weight = spec.weight
    return weight if isinstance(weight, Integer) else Integer(weight.bits)


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
        weight=_integers(spec),
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
    if isinstance(spec, LogarithmicFactors):
        details.append(f"correction {spec.correction.value}")
    if getattr(spec, "zero_point", False):
        details.append("zero point")
    if isinstance(spec, IntegerTile) and spec.is_dequantised:
        details.append("dequantised")
    if isinstance(spec, LutTensorCore) and spec.is_external:
        details.append("external tables")
    if isinstance(spec, SerialTile) and spec.cycles > 1:
        details.append(f"{spec.cycles} clocks a record")
    return ", ".join(details)
