"""What the demonstration's layer goes through: tiles, each with its rivals, and their operands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from multipede.golden.codebook import BINARY, ODD2, ODD4
from multipede.golden.dequantise_first_tile import DequantiseFirstTile
from multipede.golden.float_multiplier_tile import FloatMultiplierTile
from multipede.golden.formats import FP32, INT8, UINT2, Codebook, Float, Integer
from multipede.golden.integer_tile import IntegerTile, TileOutput
from multipede.golden.lut_tensor_core import LutTensorCore
from multipede.golden.matrix_tiling import scale_codes
from multipede.golden.mixpe import MixPE
from multipede.golden.multiplier_tile import MultiplierTile
from multipede.golden.number_format import require_type
from multipede.golden.quantisation import (
    MAXIMUM_GROUP,
    QuantisedActivations,
    QuantisedWeights,
    quantise_activations,
    quantise_weights,
)
from multipede.golden.ternary_quantisation import quantise_ternary
from multipede.golden.tile import MAXIMUM_SIDE, Tile

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["LayerTile", "costed_tiles", "layer_tiles"]

LOOKUP_LANES = 4
"""Those of one table."""
LOOKUP_WEIGHTS = (BINARY, UINT2, ODD2, ODD4)
"""Signs, ternary weights, and odd integers of two and four bits."""
TERNARY_WIDTH = "1.58"
"""Bits of information, log2(3); they are stored in two."""


@dataclass(frozen=True)
class LayerTile:
    """A tile of the demonstration.

    Attributes
    ----------
    spec : the tile.
    ternary : whether its weights are -1, 0 and 1, as two bits with zero point 1.
    """

    spec: Tile
    ternary: bool = False

    @property
    def name(self) -> str:
        """Short, for tables and plots."""
        spec = self.spec
        width = TERNARY_WIDTH if self.ternary else spec.weight.bits
        name = f"{spec.unit} W{width}A{spec.activation.bits}"
        both_outputs = isinstance(spec, IntegerTile) and not isinstance(spec, LutTensorCore)
        if not (both_outputs and spec.is_dequantised):
            return name
        return f"{name}, dequantised" + (f", {spec.scale} scales" if spec.second_level else "")

    def operands(
        self, weights: "Tensor", activations: "Tensor", *, name: str
    ) -> tuple[QuantisedActivations, QuantisedWeights]:
        """FP32 [N, K] and [tokens, K], quantised for this tile; ``name`` is that of the weights.

        Raises TypeError and ValueError as the quantisers do.
        """
        return quantise_activations(activations, format=self.spec.activation), self._weights(
            weights, name
        )

    def _weights(self, weights: "Tensor", name: str) -> QuantisedWeights:
        spec = self.spec
        group = getattr(spec, "group", MAXIMUM_GROUP)
        scale = spec.scale if "channel_scale" in spec.inputs else None
        if self.ternary:
            return quantise_ternary(weights, group=group, scale=scale, name=name)
        return quantise_weights(
            weights,
            format=spec.weight,
            group=group,
            zero_point="z" in spec.inputs,
            scale=scale,
            name=name,
        )

    def with_fitting_scales(self, weights: QuantisedWeights) -> "LayerTile":
        """The tile, with scales in FP32 where FP16 lacks the range for these."""
        if "scale" in self.spec.inputs and weights.levels is None:
            try:
                scale_codes(self.spec.scale, weights.scales.numpy())
            except ValueError:
                return replace(self, spec=replace(self.spec, scale=FP32))
        return self


def layer_tiles(
    weight: Integer,
    activation: Integer,
    number_format: Float | None,
    size: Mapping[str, int],
    *,
    lookups: bool,
) -> list[LayerTile]:
    """MixPE with integers and with floats, each before its rivals, and then lookups.

    ``size`` has rows, columns, lanes and group. Without a ``number_format`` there are no floats.
    TypeError or ValueError, naming the parameter, for what no such tile takes.
    """
    if number_format is not None:
        require_type("float_format", number_format, Float)
    require_type("lookups", lookups, bool)
    tiles = [LayerTile(spec) for spec in _integer_tiles(weight, activation, size)]
    if number_format is not None:
        mixpe = tiles[0].spec
        tiles += [LayerTile(spec) for spec in _float_tiles(mixpe, number_format, size)]
    if lookups:
        activations = [activation] if number_format is None else [activation, number_format]
        tiles += _lookup_tiles(activations, size)
    return tiles


def _integer_tiles(weight: Integer, activation: Integer, size: Mapping[str, int]) -> list[Tile]:
    zero_point = isinstance(weight, Integer) and not weight.signed
    mixpe = MixPE(weight=weight, activation=activation, zero_point=zero_point, **size)
    dequantised = replace(mixpe, output=TileOutput.DEQUANTISED)
    return [
        mixpe,
        dequantised,
        replace(dequantised, scale=INT8),
        MultiplierTile(weight=INT8, activation=INT8, zero_point=False, **size),
    ]


def _float_tiles(mixpe: MixPE, number_format: Float, size: Mapping[str, int]) -> list[Tile]:
    shape = {name: size[name] for name in ("rows", "columns", "lanes")} | {
        "activation": number_format
    }
    return [
        replace(mixpe, output=TileOutput.DEQUANTISED, activation=number_format),
        DequantiseFirstTile(
            weight=mixpe.weight,
            zero_point=mixpe.zero_point,
            dequantised=number_format,
            group=size["group"],
            **shape,
        ),
        FloatMultiplierTile(weight=number_format, **shape),
    ]


def _lookup_tiles(
    activations: Sequence[Integer | Float], size: Mapping[str, int]
) -> list[LayerTile]:
    """Elongated, as suits tables that all columns share: one table a row, half the rows of the
    others, and columns for as many multiply-accumulates or, if that cannot be, a few more."""
    group = size["group"]
    if group % LOOKUP_LANES:
        raise ValueError(
            f"group = {group}: for tiles of lookups it must be a multiple of {LOOKUP_LANES};"
            " without them (lookups = false) it need not"
        )
    rows = max(1, size["rows"] // 2)
    columns = -(-size["rows"] * size["columns"] * size["lanes"] // (rows * LOOKUP_LANES))
    shape = {"rows": rows, "columns": min(columns, MAXIMUM_SIDE), "lanes": LOOKUP_LANES}
    return [
        LayerTile(_lookup_tile(weight, activation, group, shape), ternary=weight == UINT2)
        for activation in activations
        for weight in LOOKUP_WEIGHTS
    ]


def _lookup_tile(
    weight: Integer | Codebook,
    activation: Integer | Float,
    group: int,
    shape: Mapping[str, int],
) -> LutTensorCore:
    return LutTensorCore(
        weight=weight,
        zero_point=weight == UINT2,
        activation=activation,
        group=group,
        output=TileOutput.DEQUANTISED,
        **shape,
    )


def costed_tiles(tiles: Sequence[LayerTile]) -> list[IntegerTile]:
    """The first MixPE tile of each kind of activation, and lookups with W2 and integers."""
    specs = [tile.spec for tile in tiles]
    mixpe = [spec for spec in specs if isinstance(spec, MixPE)]
    floats = [spec for spec in mixpe if isinstance(spec.activation, Float)]
    lookups = [
        spec
        for spec in specs
        if isinstance(spec, LutTensorCore)
        and spec.weight == ODD2
        and isinstance(spec.activation, Integer)
    ]
    return [mixpe[0], *floats, *lookups]
