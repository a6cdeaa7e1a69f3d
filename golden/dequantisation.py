"""Y = sum over groups of scale D, each step rounded once: what a dequantising tile puts out."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from multipede.golden.exact_arithmetic import Exact, add, multiply, round_to, unpack
from multipede.golden.formats import FP32, Overflow, Rounding
from multipede.golden.segments import Segments

if TYPE_CHECKING:
    from torch import Tensor

    from multipede.golden.integer_tile import IntegerTile

_NEAREST = Rounding.NEAREST_EVEN


@dataclass(frozen=True)
class DequantisedState:
    """Unfinished results.

    ``group`` is the state of the group sums; ``sums`` (rows, columns), int64, are the FP32 codes
    of Y so far or, with integer scales, the sums Z; ``nan`` (rows) tells where a group had an
    activation that is no number.
    """

    group: Any
    sums: np.ndarray
    nan: np.ndarray


def dequantised_results(
    spec: "IntegerTile", state: DequantisedState | None, inputs: "dict[str, Tensor]"
) -> "tuple[dict[str, Tensor], DequantisedState]":
    """Outputs and state of :meth:`IntegerTile.reference` where ``output`` is ``dequantised``.

    Groups of one result follow one another, for each step is rounded; results are worked on side
    by side.
    """
    import torch

    tile = spec.group_tile
    group_state = None if state is None else state.group
    ends, _ = spec.group_ends(inputs["last"].to(torch.int64), getattr(group_state, "position", 0))
    sampled = ends.nonzero()[:, 0]
    groups, rest = tile.reference(group_state, **{name: inputs[name] for name in tile.inputs})
    groups |= {name: inputs[name][sampled] for name in spec.scales}
    arrays = {name: tensor.to(torch.int64).numpy() for name, tensor in groups.items()}
    segments = Segments(groups["last"])
    sums = np.zeros((segments.count, spec.rows, spec.columns), np.int64)
    nan = np.zeros((segments.count, spec.rows), np.bool_)
    if state is not None:
        sums[0], nan[0] = state.sums, state.nan
    step = _integer_step if spec.second_level else _float_step
    for running, members in ((r.numpy(), m.numpy()) for r, m in segments.steps()):
        part = {name: array[members] for name, array in arrays.items()}
        sums[running] = step(spec, sums[running], part)
        if "nan" in part:
            nan[running] |= part["nan"] != 0
    y = sums[:-1]
    if spec.second_level:
        y = _times_channel_scale(spec, y, arrays["channel_scale"][segments.ended.numpy()])
    y = np.where(nan[:-1, :, None], FP32.nan_code, y)
    return {"y": torch.from_numpy(y)}, DequantisedState(rest, sums[-1], nan[-1])


def _float_step(spec: "IntegerTile", y: np.ndarray, group: dict[str, np.ndarray]) -> np.ndarray:
    """Codes of RNE(Y + scale D), from the exact product."""
    d = unpack(spec.group_tile.outputs["d"].format, group["d"].reshape(-1))
    if "exponent" in group:
        exponent = _spread(spec, group["exponent"][:, :, None]) - spec.exponent_offset
        d = d._replace(exponent=d.exponent + exponent)
    scale = unpack(spec.scale, _spread(spec, group["scale"][:, None, :]))
    total = add(multiply(d, scale), unpack(FP32, y.reshape(-1)), _NEAREST)
    return _codes(total).reshape(y.shape)


def _integer_step(spec: "IntegerTile", z: np.ndarray, group: dict[str, np.ndarray]) -> np.ndarray:
    """Z + scale D modulo the width of Z."""
    return _wrapped(z + group["scale"][:, None, :] * group["d"], spec.channel_sum.bits)


def _times_channel_scale(spec: "IntegerTile", z: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """Codes of RNE(channel scale Z)."""
    scale = unpack(spec.channel_scale, _spread(spec, scales[:, None, :]))
    return _codes(multiply(unpack(spec.channel_sum, z.reshape(-1)), scale)).reshape(z.shape)


def _codes(numbers: Exact) -> np.ndarray:
    return round_to(FP32, numbers, _NEAREST, Overflow.INFINITY, FP32.nan_code)


def _spread(spec: "IntegerTile", array: np.ndarray) -> np.ndarray:
    """A value per row or per column for all results, flat."""
    return np.broadcast_to(array, (len(array), spec.rows, spec.columns)).reshape(-1)


def _wrapped(values: np.ndarray, bits: int) -> np.ndarray:
    """Two's complement of so many bits, from int64 modulo 2**64."""
    shift = 64 - bits
    return values << shift >> shift
