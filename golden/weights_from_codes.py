"""Weights that were quantised elsewhere, from their plain codes."""

from typing import TYPE_CHECKING, Any

import numpy as np

from multipede.golden.arrays import refuse, to_numpy
from multipede.golden.codebook import Codebook
from multipede.golden.formats import Integer
from multipede.golden.number_format import require_kinds, require_range
from multipede.golden.odd_quantisation import require_odd
from multipede.golden.quantisation import MAXIMUM_GROUP
from multipede.golden.quantised_operands import QuantisedWeights

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["weights_from_codes"]


def weights_from_codes(
    codes: "Tensor | np.ndarray",
    *,
    format: Integer | Codebook,
    group: int,
    scales: "Tensor | np.ndarray",
    zeros: "Tensor | np.ndarray | None" = None,
) -> QuantisedWeights:
    """Weights scale (code - z) of one scale, and one zero point if there are any, per group.

    Codes are unpacked, one integer each. Formats that store zero points less 1 need them plus 1.

    Parameters
    ----------
    codes : integers [N, K], codes of ``format``.
    format : integer of 1 to 8 bits, or ``binary`` or ``odd2`` to ``odd8``.
    group : values of k that share a scale, 1 to 1024.
    scales : floating-point [N, G], finite and not negative, G = ceil(K / group); taken as float32,
        which must hold them exactly.
    zeros : integers [N, G], codes of ``format``; None without zero points, as in odd formats.

    Raises
    ------
    TypeError
        For arguments of another type or dtype.
    ValueError
        For another shape, codes and zero points that are none, and scales that are none, naming
        the first.
    """
    import torch

    require_kinds("format", format, (Integer, Codebook))
    if isinstance(format, Codebook):
        require_odd("format", format)
        if zeros is not None:
            raise ValueError(f"zeros: {format} weights have none")
    elif format.bits > 8:
        raise ValueError(f"format = {format}: integers of 1 to 8 bits are needed")
    require_range("group", group, 1, MAXIMUM_GROUP)
    found = {"codes": _codes(codes, format, "codes")}
    outputs, inner = _matrix(found["codes"], "codes")
    if zeros is not None:
        found["zeros"] = _codes(zeros, format, "zeros")
    found["scales"] = _scales(scales)
    shape = (outputs, -(-inner // group))
    for name in ("zeros", "scales"):
        if name in found and found[name].shape != shape:
            raise ValueError(f"{name} have shape {tuple(found[name].shape)}: {shape} is needed")
    tensors = {name: torch.from_numpy(array.copy()) for name, array in found.items()}
    return QuantisedWeights(
        format, group, tensors["codes"], tensors.get("zeros"), tensors["scales"]
    )


def _codes(values: Any, format: Integer | Codebook, name: str) -> np.ndarray:
    if not hasattr(values, "dtype"):
        raise TypeError(f"{name} must be an array or tensor, not {type(values).__name__}")
    detached = values.detach().cpu().numpy() if hasattr(values, "detach") else values
    return format.check(detached, name)


def _scales(values: Any) -> np.ndarray:
    if not hasattr(values, "dtype"):
        raise TypeError(f"scales must be an array or tensor, not {type(values).__name__}")
    array = to_numpy(values, "scales")
    if array.dtype.kind != "f":
        raise TypeError(f"scales must hold floating-point numbers, not {values.dtype}")
    with np.errstate(over="ignore"):
        single = array.astype(np.float32)
    lost = (single != array) & np.isfinite(array)
    refuse(
        lost,
        array,
        "scales",
        "float32 must hold it; convert scales to float32 first, which rounds them",
    )
    return single


def _matrix(codes: np.ndarray, name: str) -> tuple[int, int]:
    if codes.ndim != 2 or 0 in codes.shape:
        raise ValueError(f"{name} have shape {codes.shape}: a matrix is needed")
    return codes.shape
