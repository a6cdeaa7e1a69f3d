"""Folded weights in one file: numpy's ``.npz``, written whole or not at all.

Its arrays are ``header`` (JSON as bytes), ``checksum`` (uint32) and those of
:attr:`FoldedWeights.arrays <multipede.golden.folded_weights.FoldedWeights.arrays>`.
"""

import json
import os
import tempfile
from pathlib import Path

import numpy as np

from multipede.golden.folded_weights import LAYOUT, FoldedWeights
from multipede.golden.folded_weights_checks import SIZES
from multipede.golden.formats import parse_format
from multipede.golden.number_format import require_type
from multipede.golden.quantised_operands import ScaleLevels

__all__ = ["load_folded_weights", "save_folded_weights"]

_DTYPES = {
    "header": "|u1",
    "checksum": "<u4",
    "packed": "|u1",
    "zeros": "<i8",
    "codes": "<i8",
    "channel_scales": "<f4",
}


def save_folded_weights(folded: FoldedWeights, path: str | Path) -> None:
    """Write a file, at once: an earlier one is there until the new one is whole.

    Raises TypeError for others than folded weights, ValueError if their checksum is another, and
    OSError if the file cannot be written.
    """
    require_type("folded", folded, FoldedWeights)
    folded.require_intact()
    path = Path(path)
    header = np.frombuffer(json.dumps(folded.header, sort_keys=True).encode(), np.uint8)
    checksum = np.array(folded.checksum, "<u4")
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, header=header, checksum=checksum, **folded.arrays)
        os.chmod(name, 0o666 & ~_umask())  # as a file that is simply opened has
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def load_folded_weights(path: str | Path) -> FoldedWeights:
    """The weights that a file holds.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is none of folded weights, is damaged, its parts do not fit each other, or its
        checksum is another.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}")
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except Exception as error:  # damaged archives raise whatever the damage leads to
        raise ValueError(f"{path} is no whole file of folded weights: {error}") from error
    try:
        return _weights(arrays)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is no file of folded weights: {error}") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _weights(arrays: dict[str, np.ndarray]) -> FoldedWeights:
    import torch

    for name, dtype in _DTYPES.items():
        if name in arrays and arrays[name].dtype.str != dtype:
            raise TypeError(f"{name} holds {arrays[name].dtype}")
    header = json.loads(arrays["header"].tobytes())
    if header["layout"] != LAYOUT:
        raise ValueError(f"layout = {header['layout']!r}: {LAYOUT!r} is needed")

    def tensor(name: str) -> "torch.Tensor":
        array = arrays[name]
        return torch.from_numpy(array.astype(array.dtype.newbyteorder("="), copy=False))

    levels = None
    if header["levels"] is not None:
        number_format = parse_format(header["levels"])
        levels = ScaleLevels(number_format, tensor("codes"), tensor("channel_scales"))
    packed = arrays["packed"]
    packed.flags.writeable = False
    return FoldedWeights(
        format=parse_format(header["format"]),
        **{name: header[name] for name in SIZES},
        packed=packed,
        zeros=tensor("zeros") if "zeros" in arrays else None,
        scales=tensor("scales"),
        levels=levels,
        checksum=int(arrays["checksum"]),
    )


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
