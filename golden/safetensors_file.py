"""Weight matrices from safetensors files, with errors that say what was wrong.

Format: https://huggingface.co/docs/safetensors, read by its own library (extra ``demo``).
"""

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from multipede.golden.arrays import refuse

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["read_matrix", "read_tensors", "tensor_names"]

LISTED_NAMES = 5


def tensor_names(path: Path) -> list[str]:
    """Names of all tensors in a file, sorted. Raises as :func:`read_matrix`."""
    with _opened(path) as file:
        return sorted(file.keys())


def read_matrix(path: Path, tensor: str) -> "Tensor":
    """The weight matrix ``tensor`` of a file, float32 [N, K] (outputs, inputs).

    float16, bfloat16 and 8-bit floats are widened exactly, float64 is rounded to nearest even.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        In one line: no tensor of that name (with the closest names), one that holds no
        floating-point numbers, is no matrix, or has a value that is not finite (with its index);
        a truncated or corrupt file, or one that cannot be read.
    ModuleNotFoundError
        If the package ``safetensors`` is not installed.
    """
    import torch

    with _opened(path) as file:
        _require_name(path, tensor, list(file.keys()))
        shape = tuple(file.get_slice(tensor).get_shape())
        if len(shape) != 2 or 0 in shape:
            raise ValueError(f"{tensor} in {path} has shape {shape}: a matrix is needed")
        values = _tensor(file, path, tensor)
    if not values.is_floating_point():
        raise ValueError(
            f"{tensor} in {path} holds {values.dtype}: floating-point numbers are needed"
        )
    single = values.to(torch.float32)
    bad = ~torch.isfinite(single)
    if bool(bad.any()):
        exact = values.double().numpy()
        refuse(bad.numpy(), exact, f"{path}: {tensor}", "finite float32 values are needed")
    return single


def read_tensors(path: Path) -> "dict[str, Tensor]":
    """All tensors of a file by name, as they are. Raises as :func:`read_matrix`."""
    with _opened(path) as file:
        return {name: _tensor(file, path, name) for name in file.keys()}  # noqa: SIM118


def _opened(path: Path) -> Any:
    """The open file. The library checks the header and that the data are as long as it says."""
    try:
        from safetensors import SafetensorError, safe_open
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "safetensors files need the package safetensors: pip install safetensors"
        ) from None
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}")
    if not path.is_file():
        raise ValueError(f"{path} is no file: a safetensors file is needed")
    try:
        return safe_open(path, framework="pt")
    except SafetensorError as error:
        raise ValueError(f"{path} is no whole safetensors file: {_one_line(error)}") from error
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {_one_line(error)}") from error


def _tensor(file: Any, path: Path, name: str) -> "Tensor":
    from safetensors import SafetensorError

    try:
        return file.get_tensor(name)
    except (SafetensorError, RuntimeError, AttributeError, TypeError) as error:
        # Types that this torch does not know come as one of the last three.
        raise ValueError(f"{name} in {path} cannot be read: {_one_line(error)}") from error


def _require_name(path: Path, tensor: str, names: list[str]) -> None:
    if tensor in names:
        return
    close = difflib.get_close_matches(tensor, names, n=LISTED_NAMES, cutoff=0.3)
    shown = close or sorted(names)[:LISTED_NAMES]
    count = "no tensors" if not names else f"{len(names)} tensors, the closest: {', '.join(shown)}"
    raise ValueError(f"there is no tensor {tensor!r} in {path}: it holds {count}")


def _one_line(error: BaseException) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__
