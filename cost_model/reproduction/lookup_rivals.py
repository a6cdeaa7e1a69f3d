"""Lookup tiles beside multipliers and bit-serial additions, of one shape and accumulator."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from multipede.cost_model.reproduction.effective_area import (
    EffectiveArea,
    SharedPart,
    effective_areas,
)
from multipede.cost_model.reproduction.lut_tensor_core import GROUP, SHARED_TABLES, with_tables
from multipede.cost_model.reproduction.reproduction import (
    Reproduction,
    conditions,
    require_shape,
    shape_name,
)
from multipede.golden.bit_serial_tile import BitSerialTile
from multipede.golden.codebook import ODD
from multipede.golden.dequantise_first_tile import DequantiseFirstTile
from multipede.golden.float_lut_tensor_core import FloatLutTensorCore
from multipede.golden.float_multiplier_tile import FloatMultiplierTile
from multipede.golden.formats import INT8, Float, Format, Integer
from multipede.golden.lut_tensor_core import LutTensorCore, Tables
from multipede.golden.multiplier_tile import MultiplierTile
from multipede.golden.number_format import require_kinds, require_range
from multipede.golden.spec import Spec
from multipede.golden.table_precompute import TableFormat

if TYPE_CHECKING:
    from multipede.asic_flow import Constraints

__all__ = ["RivalTable", "rival_units", "rivals", "widths"]

_Unit = Spec | tuple[Spec, SharedPart]
_SHAPE = (2, 16, 4)
_WEIGHTS = (
    "weights: lookups take odd integers (of 1 bit -1 and 1), the others two's complement (-1 and"
    " 0); multipliers and additions of all planes are the same sum of gated copies"
)
_SCALED = "weights dequantised first are multiplied by scales in the tile, the others outside of it"
_FIXED = "fixed point: activations are aligned to it, and sums are not rounded before the last"


@dataclass(frozen=True)
class RivalTable:
    """Area per multiply-accumulate of tiles, over the bits of weights.

    Attributes
    ----------
    title : what was measured. pages : bits of the weights -> the tiles' rows.
    """

    title: str
    pages: Mapping[int, Reproduction]

    @property
    def errors(self) -> list[str]:
        """Which tiles have no figures, and why."""
        return [
            f"{bits} bits, {error}" for bits, page in self.pages.items() for error in page.errors
        ]

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        pages = [{"weight_bits": bits} | page.to_dict() for bits, page in self.pages.items()]
        return {"title": self.title, "pages": pages}

    def __str__(self) -> str:
        labels = dict.fromkeys(row.label for page in self.pages.values() for row in page.rows)
        width = max(map(len, labels))
        lines = [self.title, "", "weight bits".ljust(width) + "".join(map(_cell, self.pages))]
        for label in labels:
            rows = [_row(page, label) for page in self.pages.values()]
            smallest = [_smallest(page) for page in self.pages.values()]
            cells = map(_figure, rows, smallest)
            lines.append(label.ljust(width) + "".join(map(_cell, cells)))
        notes = dict.fromkeys(note for page in self.pages.values() for note in page.notes)
        lines += ["", "*: the smallest; !: misses the clock; -: not built, or failed"]
        return "\n".join([*lines, *notes, *self.errors])


def _cell(value: object) -> str:
    return f"{value:>10}"


def _row(page: Reproduction, label: str) -> EffectiveArea | None:
    return next((row for row in page.rows if row.label == label), None)


def _smallest(page: Reproduction) -> EffectiveArea | None:
    usable = [row for row in page.rows if row.per_operation and row.holds_clock is not False]
    return min(usable, key=lambda row: row.per_operation, default=None)


def _figure(row: EffectiveArea | None, smallest: EffectiveArea | None) -> str:
    if row is None or row.per_operation is None:
        return "-"
    mark = "*" if row is smallest else "!" if row.holds_clock is False else " "
    return f"{row.per_operation:.1f}{mark}"


def widths(
    target: str = "n28",
    *,
    constraints: "Constraints",
    weight_bits: Sequence[int] = tuple(range(1, 9)),
    activation: Format = INT8,
    shape: tuple[int, int, int] = _SHAPE,
    table_inputs: int = 4,
    stages: int | None = None,
) -> RivalTable:
    """The areas of :func:`rivals`, whose parameters these are, for weights of several widths.

    Raises as :func:`rivals`, and ValueError for no widths.
    """
    if not isinstance(weight_bits, Sequence):
        raise TypeError(f"weight_bits = {weight_bits!r}: a sequence of widths is needed")
    if not weight_bits:
        raise ValueError("weight_bits is empty: at least one width is needed")
    given = {
        "activation": activation,
        "shape": shape,
        "table_inputs": table_inputs,
        "stages": stages,
    }
    for bits in weight_bits:
        rival_units(bits, **given)  # so that what is wrong is told at once
    pages = {
        bits: rivals(target, constraints=constraints, weight_bits=bits, **given)
        for bits in weight_bits
    }
    first = next(iter(pages.values()))
    shared = first.title.partition(", ")[2]
    return RivalTable(f"{first.rows[0].area_unit} per multiply-accumulate, {shared}", pages)


def rivals(
    target: str = "n28",
    *,
    constraints: "Constraints",
    weight_bits: int = 2,
    activation: Format = INT8,
    shape: tuple[int, int, int] = _SHAPE,
    table_inputs: int = 4,
    stages: int | None = None,
) -> Reproduction:
    """Tiles of one shape with one accumulator: multipliers, bit-serial additions, lookups.

    Integer activations are summed in INT32, floats in FP32 and, of lookups and additions, in fixed
    point as well. Weights without zero point: two's complement, for lookups odd integers of as many
    bits. Multipliers of floats take weights of the activation's format.

    Parameters
    ----------
    weight_bits : 1 to 8. activation : an integer of 2 to 16 bits or a float of at most 16, signed.
    shape : rows, columns, lanes. table_inputs : lanes of a table, which divide the tile's, 2 to 6.
    stages : register ranks of all tiles; by default 1, for floats 4.

    Raises
    ------
    As :func:`~multipede.cost_model.reproduction.effective_area.effective_areas`; TypeError and
    ValueError for parameters that no tile takes.
    """
    units = rival_units(weight_bits, activation, shape, table_inputs, stages)
    rows = effective_areas(units, target, constraints=constraints)
    is_float = isinstance(activation, Float)
    accumulators = "FP32, or fixed point" if is_float else "INT32"
    return Reproduction(
        f"{weight_bits}-bit weights, {activation} activations, {shape_name(shape)}, accumulators"
        f" {accumulators}",
        tuple(rows),
        {},
        (
            _WEIGHTS,
            SHARED_TABLES,
            *((_SCALED, _FIXED) if is_float else ()),
            *conditions(rows, constraints),
        ),
    )


def rival_units(
    weight_bits: int,
    activation: Format,
    shape: tuple[int, int, int],
    table_inputs: int = 4,
    stages: int | None = None,
) -> dict[str, _Unit]:
    """The tiles of :func:`rivals`, by what they are called there."""
    require_range("weight_bits", weight_bits, 1, 8)
    require_kinds("activation", activation, (Integer, Float))
    names = ("rows", "columns", "lanes")
    size = dict(zip(names, require_shape("shape", shape), strict=True))
    is_float = isinstance(activation, Float)
    size["stages"] = (4 if is_float else 1) if stages is None else stages
    makers = _float_units if is_float else _integer_units
    units = makers(weight_bits, activation, table_inputs, size)
    # One plane at a time is all planes then.
    return {
        label: unit for label, unit in units.items() if weight_bits > 1 or "bit-serial" not in label
    }


def _integer_units(
    bits: int, activation: Integer, table_inputs: int, size: Mapping[str, int]
) -> dict[str, _Unit]:
    shared = {"activation": activation, "zero_point": False, "group": _whole_groups(size)}
    shared |= {"accumulator": Integer(32), **size}
    lookups = LutTensorCore(weight=ODD[bits - 1], table_inputs=table_inputs, **shared)
    additions = BitSerialTile(weight=Integer(bits), planes_per_cycle=bits, **shared)
    return {
        "multipliers": MultiplierTile(weight=Integer(bits), **shared),
        "additions, bit-serial": replace(additions, planes_per_cycle=1),
        "additions, all planes": additions,
        "lookups, bit-serial": replace(lookups, planes_per_cycle=1),
        "lookups, all planes": lookups,
        "lookups, all planes, tables from outside": with_tables(
            replace(lookups, tables=Tables.EXTERNAL)
        ),
    }


def _float_units(
    bits: int, activation: Float, table_inputs: int, size: Mapping[str, int]
) -> dict[str, _Unit]:
    weight = ODD[bits - 1]
    lookups = FloatLutTensorCore(
        weight=weight, activation=activation, table_inputs=table_inputs, **size
    )
    grouped = {"activation": activation, "zero_point": False, "group": _whole_groups(size), **size}
    return {
        "multipliers of floats": FloatMultiplierTile(
            weight=activation, activation=activation, **size
        ),
        "weights dequantised first": DequantiseFirstTile(
            weight=Integer(bits), dequantised=activation, **grouped
        ),
        "lookups, bit-serial": replace(lookups, planes_per_cycle=1),
        "lookups, all planes": lookups,
        "lookups, all planes, tables from outside": with_tables(
            replace(lookups, tables=Tables.EXTERNAL)
        ),
        "lookups, all planes, INT8 tables from outside": with_tables(
            replace(lookups, tables=Tables.EXTERNAL, table=TableFormat.INT8)
        ),
        "fixed point, additions, all planes": BitSerialTile(weight=Integer(bits), **grouped),
        "fixed point, lookups, all planes": LutTensorCore(
            weight=weight, table_inputs=table_inputs, **grouped
        ),
    }


def _whole_groups(size: Mapping[str, int]) -> int:
    """The groups' size, or as near to it as lanes allow."""
    return -(-GROUP // size["lanes"]) * size["lanes"]
