"""Values and codes at the border: numpy arrays, torch tensors and Python numbers alike.

Inside, everything is numpy. torch is never imported here: a torch tensor can only arrive where
torch has been imported already.
"""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

CHUNK = 1 << 15
"""Elements that are worked on at once, so that temporaries stay in the processor's cache."""

EXACT_INTEGERS = 1 << 53
"""Up to this magnitude every integer is a float64."""

INTEGERS = "integers of at most 64 bits"
NUMBERS = "integers or floats of at most 64 bits"
_KINDS = {INTEGERS: "iu", NUMBERS: "iuf"}

ArrayLike = Any
"""A numpy array, a torch tensor, a Python or numpy number, or a nested sequence of numbers."""


def is_tensor(array: ArrayLike) -> bool:
    """Whether `array` is a torch tensor; does not import torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(array, torch.Tensor)


def to_numpy(array: ArrayLike, name: str, kinds: str = NUMBERS) -> np.ndarray:
    """`array` as a numpy array of integers (of its own dtype) or of floats (float16, 32 or 64).

    Raises TypeError for other kinds, booleans among them.
    """
    result = array
    if is_tensor(array):
        # bfloat16 and the 8-bit floats have no numpy dtype; float64 holds them all.
        result = array.detach().cpu()
        result = (result.double() if result.is_floating_point() else result).numpy()
    try:
        result = np.asarray(result)
    except ValueError as error:
        raise TypeError(f"{name} must be an array of {kinds}: {error}") from None
    if result.dtype.kind not in _KINDS[kinds] or result.dtype.itemsize > 8:
        found = type(array).__name__ if result.dtype.hasobject else result.dtype
        raise TypeError(f"{name} must be {kinds}, not {getattr(array, 'dtype', found)}")
    return result


def like(result: np.ndarray, original: ArrayLike) -> ArrayLike:
    """`result` in the library of `original`: tensor on its device, numpy array, or scalar."""
    if is_tensor(original):
        return sys.modules["torch"].from_numpy(result).to(original.device)
    return result if isinstance(original, (np.ndarray, list, tuple)) else result[()]


def integers(array: ArrayLike, name: str) -> np.ndarray:
    """`array` as int64. TypeError unless it holds integers, ValueError above 2**63 - 1."""
    result = to_numpy(array, name, INTEGERS)
    if result.dtype == np.uint64:
        refuse(result > np.iinfo(np.int64).max, result, name, "at most 2**63 - 1 is allowed")
    return result.astype(np.int64, copy=False)


def require_tensor(name: str, array: object) -> None:
    """TypeError unless it is a torch tensor."""
    if not is_tensor(array):
        raise TypeError(f"{name} must be a torch tensor, not {type(array).__name__}")


def exact_integers(array: ArrayLike, name: str) -> np.ndarray:
    """`array` as int64. TypeError unless it holds integers, ValueError beyond +-2**53."""
    result = integers(array, name)
    beyond = (result > EXACT_INTEGERS) | (result < -EXACT_INTEGERS)
    refuse(beyond, result, name, "-2**53 to 2**53 are allowed")
    return result


def exact_floats(array: ArrayLike, name: str) -> np.ndarray:
    """`array` as a numpy array whose numbers are all float64; integers are int64.

    Raises what `to_numpy` raises, and ValueError for integers beyond +-2**53.
    """
    result = to_numpy(array, name)
    if result.dtype.kind == "f":
        return result
    result = integers(result, name)
    inexact = (result > EXACT_INTEGERS) | (result < -EXACT_INTEGERS)
    refuse(inexact, result, name, "integers beyond +-2**53 are no float64")
    return result


def refuse(bad: np.ndarray, array: np.ndarray, name: str, allowed: str) -> None:
    """Raise a ValueError that names the first element of `array` where `bad` holds, if any."""
    if bad.any():
        index = np.unravel_index(int(np.argmax(bad)), bad.shape)
        place = f"[{', '.join(str(int(i)) for i in index)}]" if index else ""
        raise ValueError(f"{name}{place} = {array[index]}: {allowed}")


def map_chunks(
    kernel: Callable[[np.ndarray], np.ndarray], array: np.ndarray, source: type, target: type
) -> np.ndarray:
    """Apply `kernel` chunk by chunk: `array` cast to `source`, the result of dtype `target`."""
    walk = np.nditer(
        [array, None],
        flags=["external_loop", "buffered", "zerosize_ok"],
        op_flags=[["readonly"], ["writeonly", "allocate"]],
        op_dtypes=[source, target],
        casting="same_kind",
        buffersize=CHUNK,
    )
    with walk:
        for chunk, result in walk:
            result[...] = kernel(chunk)
        return walk.operands[1]
