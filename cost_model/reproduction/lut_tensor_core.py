"""LUT Tensor Core: the ablation of its Table 2, the shape of its tile, and its rivals."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from multipede.cost_model.reproduction.effective_area import (
    EffectiveArea,
    SharedPart,
    effective_areas,
)
from multipede.golden.bit_serial_tile import BitSerialTile
from multipede.golden.codebook import ODD
from multipede.golden.dequantise_first_tile import DequantiseFirstTile
from multipede.golden.float_lut_tensor_core import FloatLutTensorCore
from multipede.golden.float_multiplier_tile import FloatMultiplierTile
from multipede.golden.formats import FP16, INT2, INT8, Float, Format, Integer
from multipede.golden.lut_tensor_core import LutTensorCore, Tables
from multipede.golden.multiplier_tile import MultiplierTile
from multipede.golden.number_format import require_range
from multipede.golden.spec import Spec
from multipede.golden.table_precompute import TablePrecompute

if TYPE_CHECKING:
    from multipede.asic_flow import Constraints

__all__ = [
    "LAYER_OUTPUTS",
    "SHAPES",
    "AblationStep",
    "Reproduction",
    "ablation",
    "rivals",
    "shapes",
    "step_unit",
]

MULTIPLY_ACCUMULATES = 512
"""M N K of the paper's tiles."""
SHAPES = (
    (1, 128, 4),
    (2, 64, 4),
    (4, 32, 4),
    (8, 16, 4),
    (16, 8, 4),
    (1, 64, 8),
    (2, 32, 8),
    (4, 16, 8),
    (8, 8, 8),
)
"""Rows, columns and lanes."""
LAYER_OUTPUTS = 2048
"""Outputs that share a table made outside of the tile: a tile of N columns has a share of
N / LAYER_OUTPUTS in the unit that makes them."""
GROUP = 128


@dataclass(frozen=True)
class AblationStep:
    """A step of the paper's Table 2: what is printed there, and our tile's parameters."""

    name: str
    published_area: float
    published_power: float
    parameters: Mapping[str, Any]


_PARAMETERS = (
    {"weight": INT2, "reinterpreted": False, "folded": False},
    {"weight": ODD[1], "folded": False},
    {"weight": ODD[1]},
    {"weight": ODD[1], "tables": Tables.EXTERNAL},
)


@cache
def _published() -> dict[str, Any]:
    return tomllib.loads((files(__package__) / "lut_tensor_core.toml").read_text())


def ablation_steps() -> list[AblationStep]:
    """The steps from UNPU to LUT Tensor Core.

    Weights of the first are two's complement, those of the others odd; both have 2 bits. UNPU's
    own unit is not public to the bit: whole tables of the sums of bits 0 and 1, made in the tile,
    are our reconstruction of what the paper says of it.
    """
    return [
        AblationStep(row["step"], row["area"], row["power"], parameters)
        for row, parameters in zip(_published()["ablation"], _PARAMETERS, strict=True)
    ]


def step_unit(
    step: AblationStep, shape: tuple[int, int, int]
) -> LutTensorCore | tuple[LutTensorCore, SharedPart]:
    """The tile of a step in a shape (rows, columns, lanes), bit-serial, with exact accumulators for
    groups of 128; with the unit that makes its tables, if they come from outside.
    """
    rows, columns, lanes = shape
    spec = LutTensorCore(
        **{"activation": INT8, "zero_point": False, "planes_per_cycle": 1, "group": GROUP}
        | dict(step.parameters)
        | {"rows": rows, "columns": columns, "lanes": lanes}
    )
    return with_tables(spec)


def with_tables(spec: LutTensorCore) -> LutTensorCore | tuple[LutTensorCore, SharedPart]:
    """The tile and its share of what makes its tables, if that is not in the tile."""
    if not spec.is_external:
        return spec
    precompute = TablePrecompute(
        activation=spec.activation,
        rows=spec.rows,
        lanes=spec.lanes,
        table_inputs=spec.table_inputs,
        reinterpreted=spec.reinterpreted,
    )
    return spec, SharedPart(precompute, max(1, LAYER_OUTPUTS // spec.columns))


@dataclass(frozen=True)
class Reproduction:
    """Rows of an experiment.

    Attributes
    ----------
    title : what was measured. rows : in order. published : label -> figures of the paper, by the
        names of our own.
    notes : how the figures came about, and what differs from the paper.
    """

    title: str
    rows: tuple[EffectiveArea, ...]
    published: Mapping[str, Mapping[str, float]]
    notes: tuple[str, ...]

    @property
    def errors(self) -> list[str]:
        """Which rows have no figures, and why."""
        return [f"{row.label} failed: {row.error}" for row in self.rows if row.error]

    def ratio(self, row: EffectiveArea) -> float | None:
        """Area per multiply-accumulate of the first row, by that of this one."""
        pair = self.rows[0].per_operation, row.per_operation
        return pair[0] / pair[1] if None not in pair else None

    def published_ratio(self, row: EffectiveArea) -> float | None:
        """The same of the paper's areas."""
        pair = self.published.get(self.rows[0].label), self.published.get(row.label)
        return pair[0]["area"] / pair[1]["area"] if None not in pair else None

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        rows = [
            row.to_dict()
            | {"intensity": self.ratio(row), "published_intensity": self.published_ratio(row)}
            | {"published": self.published.get(row.label)}
            for row in self.rows
        ]
        return {"title": self.title, "rows": rows, "notes": list(self.notes)}

    def __str__(self) -> str:
        width = max(len(row.label) for row in self.rows)
        with_power = any(row.power for row in self.rows)
        head = f"{'':{width}}{'area, um2':>11}{'shared':>8}{'clocks':>8}{'um2 per op':>12}"
        head += f"{'intensity':>11}" + (f"{'paper':>8}" if self.published else "")
        head += f"{'power, mW':>11}{'pJ per op':>11}" if with_power else ""
        lines = [self.title, "", head]
        lines += [self._line(row, width, with_power) for row in self.rows]
        lines.append("")
        lines.append(
            "op: multiply-accumulate; um2 per op: area and share times clocks of a record by its"
            f" ops; intensity: ops per um2, as a multiple of {self.rows[0].label}"
        )
        return "\n".join([*lines, *self.notes, *self.errors])

    def _line(self, row: EffectiveArea, width: int, with_power: bool) -> str:
        if row.error:
            return f"{row.label:{width}}{'failed':>11}"
        line = f"{row.label:{width}}{row.area:11,.0f}{row.shared_area:8,.0f}"
        line += f"{row.initiation_interval:8}{row.per_operation:12.1f}{self.ratio(row):10.3f}x"
        if self.published:
            ratio = self.published_ratio(row)
            line += f"{'-':>8}" if ratio is None else f"{ratio:7.3f}x"
        if with_power:
            line += f"{row.power:11.3f}{row.energy:11.4f}" if row.power else f"{'-':>11}{'-':>11}"
        missed = row.holds_clock is False
        return line + (f"  misses the clock: {row.delay:,.0f} ps" if missed else "")


def ablation(
    target: str = "n28",
    *,
    constraints: "Constraints",
    candidates: Sequence[tuple[int, int, int]] = SHAPES,
) -> Reproduction:
    """Table 2 of the paper: each step in the shape of ``candidates`` in which it is smallest.

    Every step is synthesised in every shape. Raises as :func:`effective_areas`, and ValueError for
    shapes of other than 512 multiply-accumulates.
    """
    _require_shapes(candidates)
    best: dict[str, Any] = {}
    published = {}
    for step in ablation_steps():
        units = {_shape(shape): step_unit(step, shape) for shape in candidates}
        found = effective_areas(units, target, constraints=constraints)
        usable = [row for row in found if row.area is not None and row.holds_clock is not False]
        smallest = min(usable or found, key=lambda row: row.per_operation or float("inf"))
        label = f"{step.name} ({smallest.label})"
        best[label] = units[smallest.label]
        published[label] = {"area": step.published_area, "power": step.published_power}
    rows = effective_areas(best, target, constraints=constraints, with_power=True)
    source = f"published: {_published()['source']}, Table 2; {_published()['conditions']}"
    return Reproduction(
        "INT2 weights, INT8 activations, 512 multiply-accumulates, bit-serial, each step in its"
        " smallest shape",
        tuple(rows),
        published,
        (source, *_methods(rows)),
    )


def shapes(
    target: str = "n28",
    *,
    constraints: "Constraints",
    candidates: Sequence[tuple[int, int, int]] = SHAPES,
) -> Reproduction:
    """The tile of the last step of the ablation in different shapes, the paper's first.

    Raises as :func:`ablation`.
    """
    _require_shapes(candidates)
    optimum = tuple(_published()["optimum"][name] for name in ("rows", "columns", "lanes"))
    ordered = [optimum, *(shape for shape in candidates if shape != optimum)]
    last = ablation_steps()[-1]
    units = {_shape(shape): step_unit(last, shape) for shape in ordered}
    rows = effective_areas(units, target, constraints=constraints)
    return Reproduction(
        "INT2 weights, INT8 activations, 512 multiply-accumulates, bit-serial, tables from outside",
        tuple(rows),
        {},
        (f"the paper finds {_shape(optimum)} to be the optimum", *_methods(rows)),
    )


def rivals(
    target: str = "n28",
    *,
    constraints: "Constraints",
    weight_bits: int = 2,
    activation: Format = INT8,
    shape: tuple[int, int, int] = (2, 16, 4),
    stages: int = 1,
) -> Reproduction:
    """Tiles of one shape with one accumulator: multipliers, bit-serial additions, lookups.

    Integer activations are summed in INT32, floats in FP32. Weights without zero point: two's
    complement, for lookups odd integers of as many bits.

    Parameters
    ----------
    weight_bits : 1 to 8. activation : INT8, INT16, or a float of at most 16 bits.
    shape : rows, columns, lanes. stages : register ranks of all tiles.
    """
    require_range("weight_bits", weight_bits, 1, 8)
    units = _rivals(weight_bits, activation, shape, stages)
    rows = effective_areas(units, target, constraints=constraints)
    accumulators = "FP32" if isinstance(activation, Float) else "INT32"
    return Reproduction(
        f"weights of {weight_bits} bits, {activation} activations, {_shape(shape)}, accumulators"
        f" {accumulators}",
        tuple(rows),
        {},
        _methods(rows),
    )


def _rivals(
    bits: int, activation: Format, shape: tuple[int, int, int], stages: int
) -> dict[str, Any]:
    size = dict(zip(("rows", "columns", "lanes"), shape, strict=True), stages=stages)
    if isinstance(activation, Float):
        return _float_rivals(bits, activation, size)
    shared = {"activation": activation, "zero_point": False, "group": GROUP}
    shared |= {"accumulator": Integer(32), **size}
    lookup = LutTensorCore(weight=ODD[bits - 1], **shared)
    units: dict[str, Any] = {
        "multipliers": MultiplierTile(weight=Integer(bits), **shared),
        "additions, bit-serial": BitSerialTile(weight=Integer(bits), **shared),
        "additions, all planes": BitSerialTile(
            weight=Integer(bits), planes_per_cycle=bits, **shared
        ),
        "lookups, bit-serial": replace(lookup, planes_per_cycle=1),
        "lookups, all planes": lookup,
        "lookups, all planes, tables from outside": with_tables(
            replace(lookup, tables=Tables.EXTERNAL)
        ),
    }
    if bits == 1:
        del units["additions, bit-serial"], units["lookups, bit-serial"]
    return units


def _float_rivals(bits: int, activation: Float, size: Mapping[str, int]) -> dict[str, Spec]:
    weight = activation if activation.bits == 16 else FP16
    lookup = FloatLutTensorCore(weight=ODD[bits - 1], activation=activation, **size)
    units: dict[str, Spec] = {
        "float multipliers": FloatMultiplierTile(weight=weight, activation=activation, **size),
        "weights dequantised first": DequantiseFirstTile(
            weight=Integer(bits, signed=False), dequantised=weight, activation=activation, **size
        ),
        "lookups, bit-serial": replace(lookup, planes_per_cycle=1),
        "lookups, all planes": lookup,
    }
    if bits == 1:
        del units["lookups, bit-serial"]
    return units


def _require_shapes(candidates: Sequence[tuple[int, int, int]]) -> None:
    if not candidates:
        raise ValueError("candidates is empty: at least one shape is needed")
    for shape in candidates:
        rows, columns, lanes = shape
        if rows * columns * lanes != MULTIPLY_ACCUMULATES:
            raise ValueError(
                f"candidates hold {shape}: rows times columns times lanes must be"
                f" {MULTIPLY_ACCUMULATES}"
            )


def _shape(shape: tuple[int, ...]) -> str:
    return "M{}N{}K{}".format(*shape)


def _methods(rows: Sequence[EffectiveArea]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(row.method for row in rows if row.method))
