"""What weights must be to be folded, and folded weights to be read: sizes, format, and the rest.

A checksum says only that nothing has changed since it was made; whoever makes it may err.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from multipede.golden.arrays import require_tensor
from multipede.golden.codebook import ODD
from multipede.golden.formats import Codebook, Format, Integer
from multipede.golden.lookup_table import require_table_inputs
from multipede.golden.number_format import require_kinds, require_range, require_type
from multipede.golden.odd_quantisation import ternary_hint
from multipede.golden.quantised_operands import ScaleLevels, require_scales
from multipede.golden.tile import MAXIMUM_SIDE

if TYPE_CHECKING:
    import torch
    from torch import Tensor

__all__ = ["SIZES", "require_format", "require_sizes", "require_zeros_and_scales"]

SIZES = ("outputs", "inner", "group", "table_inputs", "lanes", "columns")


def require_sizes(sizes: Mapping[str, int]) -> None:
    """TypeError or ValueError unless these SIZES go together, naming the first that does not."""
    for name in ("outputs", "inner", "group"):
        require_type(name, sizes[name], int)
        if sizes[name] < 1:
            raise ValueError(f"{name} = {sizes[name]}: at least 1 is needed")
    for name, least in (("lanes", 2), ("columns", 1)):  # a table has two lanes
        require_range(name, sizes[name], least, MAXIMUM_SIDE)
    group, lanes = sizes["group"], sizes["lanes"]
    require_table_inputs(sizes["table_inputs"], lanes)
    if group % lanes:
        raise ValueError(f"lanes = {lanes}: they must divide group = {group}")


def require_format(number_format: Format) -> None:
    """TypeError or ValueError unless it is an integer format of 1 to 8 bits or an odd one."""
    require_kinds("format", number_format, (Integer, Codebook))
    if isinstance(number_format, Codebook):
        if number_format not in ODD:
            hint = ternary_hint(number_format)
            raise ValueError(
                f"format = {number_format}: of codebooks only odd ones can be folded{hint}"
            )
    elif number_format.bits > len(ODD):
        raise ValueError(f"format = {number_format}: integers of 1 to 8 bits are needed")


def require_zeros_and_scales(
    number_format: Integer | Codebook,
    shape: tuple[int, int],
    zeros: "Tensor | None",
    scales: "Tensor",
    levels: ScaleLevels | None,
) -> None:
    """TypeError or ValueError unless they are those of weights of this format, naming the part.

    ``shape`` is (N, G), outputs and groups; dtypes, shapes and values are those that
    :class:`~multipede.golden.quantised_operands.QuantisedWeights` has.
    """
    import torch

    if zeros is not None:
        if isinstance(number_format, Codebook):
            raise ValueError(f"zeros: {number_format} weights have none")
        _require(zeros, "zeros", torch.int64, shape)
        number_format.check(zeros, "zeros")
    _require(scales, "scales", torch.float32 if levels is None else torch.float64, shape)
    if levels is not None:
        require_type("levels", levels, ScaleLevels)
        require_type("levels.format", levels.format, Integer)
        _require(levels.codes, "levels.codes", torch.int64, shape)
        _require(levels.channel_scales, "levels.channel_scales", torch.float32, shape[:1])
    require_scales(scales, levels)


def _require(tensor: object, name: str, dtype: "torch.dtype", shape: tuple[int, ...]) -> None:
    require_tensor(name, tensor)
    if tensor.dtype != dtype:
        raise TypeError(f"{name} holds {tensor.dtype}: {dtype} is needed")
    if tuple(tensor.shape) != shape:
        raise ValueError(f"{name} has shape {tuple(tensor.shape)}: {shape} is needed")
