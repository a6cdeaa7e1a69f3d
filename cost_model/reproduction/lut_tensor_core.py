"""LUT Tensor Core: the ablation of its Table 2, and the shape of its tile."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from multipede.cost_model.reproduction.effective_area import SharedPart, effective_areas
from multipede.cost_model.reproduction.reproduction import (
    Reproduction,
    conditions,
    require_shape,
    shape_name,
)
from multipede.golden.codebook import ODD
from multipede.golden.float_lut_tensor_core import FloatLutTensorCore
from multipede.golden.formats import INT2, INT8
from multipede.golden.lookup_table import require_table_inputs
from multipede.golden.lut_tensor_core import LutTensorCore, Tables

if TYPE_CHECKING:
    from multipede.asic_flow import Constraints

__all__ = [
    "LAYER_OUTPUTS",
    "SHAPES",
    "AblationStep",
    "ablation",
    "ablation_steps",
    "shapes",
    "step_unit",
    "with_tables",
]

_LookupTile = LutTensorCore | FloatLutTensorCore
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
    (2, 16, 16),
    (4, 8, 16),
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
SHARED_TABLES = (
    f"tables from outside: what makes them serves {LAYER_OUTPUTS} outputs, and each tile pays for"
    " its columns' share"
)
_REBUILT = (
    "ours: weights of the first step are two's complement with whole tables of the sums of bits 0"
    " and 1, those of the others odd, without correction for it; the second inverts indices at run"
    " time; powers are at our clock, theirs at 1 GHz"
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
    step: AblationStep, shape: tuple[int, int, int], table_inputs: int = 4
) -> LutTensorCore | tuple[LutTensorCore, SharedPart]:
    """The tile of a step in a shape (rows, columns, lanes), bit-serial, with exact accumulators for
    groups of 128; with the unit that makes its tables, if they come from outside.
    """
    rows, columns, lanes = shape
    spec = LutTensorCore(
        **{"activation": INT8, "zero_point": False, "planes_per_cycle": 1, "group": GROUP}
        | dict(step.parameters)
        | {"rows": rows, "columns": columns, "lanes": lanes, "table_inputs": table_inputs}
    )
    return with_tables(spec)


def with_tables(spec: _LookupTile) -> _LookupTile | tuple[_LookupTile, SharedPart]:
    """The tile and its share of what makes its tables, if that is not in the tile.

    Register ranks that the tile has before its last are those of the part, at least one.
    """
    if not spec.is_external:
        return spec
    part = replace(spec.precompute, stages=max(1, spec.stages - 1))
    return spec, SharedPart(part, max(1, LAYER_OUTPUTS // spec.columns))


def ablation(
    target: str = "n28",
    *,
    constraints: "Constraints",
    candidates: Sequence[tuple[int, int, int]] = SHAPES,
    table_inputs: int = 4,
) -> Reproduction:
    """Table 2 of the paper: each step in the shape of ``candidates`` in which it is smallest.

    Every step is synthesised in every shape; a shape that misses the clock is taken only if all do.

    Raises as :func:`effective_areas`; TypeError and ValueError for shapes of other than 512
    multiply-accumulates and for lanes that are no multiple of ``table_inputs``.
    """
    shapes = _required(candidates, table_inputs)
    best: dict[str, Any] = {}
    published = {}
    for step in ablation_steps():
        units = {shape_name(shape): step_unit(step, shape, table_inputs) for shape in shapes}
        found = effective_areas(units, target, constraints=constraints)
        usable = [row for row in found if row.area is not None and row.holds_clock is not False]
        smallest = min(usable or found, key=lambda row: row.per_operation or float("inf"))
        label = f"{step.name} ({smallest.label})"
        best[label] = units[smallest.label]
        published[label] = {"area": step.published_area, "power": step.published_power}
    rows = effective_areas(best, target, constraints=constraints, with_power=True)
    source = f"published: {_published()['source']}, Table 2; {_published()['conditions']}"
    return Reproduction(
        "weights of 2 bits, INT8 activations, 512 multiply-accumulates, bit-serial, each step in"
        " its smallest shape",
        tuple(rows),
        published,
        (source, _REBUILT, SHARED_TABLES, *conditions(rows, constraints)),
    )


def shapes(
    target: str = "n28",
    *,
    constraints: "Constraints",
    candidates: Sequence[tuple[int, int, int]] = SHAPES,
    table_inputs: int = 4,
) -> Reproduction:
    """The tiles of the ablation's last two steps in different shapes, the paper's first.

    They make their tables themselves, or take them from outside.

    Raises as :func:`ablation`.
    """
    optimum = tuple(_published()["optimum"][name] for name in ("rows", "columns", "lanes"))
    others = (shape for shape in _required(candidates, table_inputs) if shape != optimum)
    inside, outside = ablation_steps()[-2:]
    ordered = [optimum, *others]
    units = {shape_name(s): step_unit(inside, s, table_inputs) for s in ordered}
    units |= {
        f"{shape_name(s)}, tables from outside": step_unit(outside, s, table_inputs)
        for s in ordered
    }
    rows = effective_areas(units, target, constraints=constraints)
    return Reproduction(
        "weights of 2 bits, INT8 activations, 512 multiply-accumulates, bit-serial",
        tuple(rows),
        {},
        (
            f"the paper finds {shape_name(optimum)} to be the optimum",
            SHARED_TABLES,
            *conditions(rows, constraints),
        ),
    )


def _required(
    candidates: Sequence[tuple[int, int, int]], table_inputs: int
) -> list[tuple[int, int, int]]:
    if not candidates:
        raise ValueError("candidates is empty: at least one shape is needed")
    shapes = [require_shape("candidates", shape) for shape in candidates]
    for shape in shapes:
        rows, columns, lanes = shape
        if rows * columns * lanes != MULTIPLY_ACCUMULATES:
            raise ValueError(
                f"candidates hold shape {shape}: rows times columns times lanes must be"
                f" {MULTIPLY_ACCUMULATES}"
            )
        require_table_inputs(table_inputs, lanes)
    return shapes
