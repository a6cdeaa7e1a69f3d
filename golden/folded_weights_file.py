"""Folded weights in one file: numpy's ``.npz``, written whole or not at all.

Its arrays are ``header`` (JSON as bytes), ``checksum`` (uint32) and those of
:attr:`FoldedWeights.arrays <multipede.golden.folded_weights.FoldedWeights.arrays>`.
"""

import json
import os
import tempfile
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np

from multipede.golden.folded_weights import LAYOUT, FoldedWeights
from multipede.golden.folded_weights_checks import SIZES
from multipede.golden.formats import parse_format
from multipede.golden.number_format import require_kinds, require_type
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
_NAMES = {*_DTYPES, "scales"}


def save_folded_weights(folded: FoldedWeights, path: str | Path) -> None:
    """Write a file, at once: an earlier one is there until the new one is whole.

    Raises TypeError for others than folded weights and a path, ValueError if their checksum is
    another, and OSError with the path if the file cannot be written.
    """
    require_type("folded", folded, FoldedWeights)
    require_kinds("path", path, (str, os.PathLike))
    folded.require_intact()
    try:
        _write(folded, Path(path))
    except OSError as error:
        if error.errno is None:
            raise
        # Name the file that was asked for, not the temporary one.
        raise type(error)(error.errno, error.strerror, str(path)) from error


def _write(folded: FoldedWeights, path: Path) -> None:
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
    TypeError
        If ``path`` is none.
    FileNotFoundError
        If there is no such file; other errors of the system, as without permission, likewise.
    ValueError
        If it is none of folded weights, is damaged, its parts do not fit each other, or its
        checksum is another.
    """
    require_kinds("path", path, (str, os.PathLike))
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}")
    if path.is_dir():
        raise ValueError(f"{path} is no file of folded weights: it is a directory")
    with path.open("rb") as file:
        if not zipfile.is_zipfile(file):
            raise ValueError(
                f"{path} is no whole file of folded weights: no archive (.npz), or one without its"
                " end"
            )
        file.seek(0)
        try:
            arrays = _arrays(file)
        except Exception as error:  # damaged archives raise whatever the damage leads to
            raise ValueError(f"{path} is no whole file of folded weights: {error}") from error
    try:
        return _weights(arrays)
    except KeyError as error:
        raise ValueError(f"{path} is no file of folded weights: there is no {error}") from error
    except (TypeError, AttributeError) as error:
        raise ValueError(f"{path} is no file of folded weights: {error}") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _arrays(file: IO[bytes]) -> dict[str, np.ndarray]:
    """The arrays of an archive that belong to folded weights."""
    found = {}
    with zipfile.ZipFile(file) as archive:
        for name in _NAMES:
            if f"{name}.npy" in archive.namelist():
                found[name] = _array(archive, name)
    return found


def _array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    with archive.open(f"{name}.npy") as file:
        try:
            return np.lib.format.read_array(file, allow_pickle=False)
        except ValueError as error:
            if "pickle" not in str(error):
                raise
            # numpy's words would have one trust the file.
            raise ValueError(f"{name} holds Python objects, not numbers") from error


def _header(array: np.ndarray) -> dict[str, Any]:
    try:
        header = json.loads(array.tobytes())
    except ValueError as error:
        raise ValueError(f"header is no JSON: {error}") from error
    require_type("header", header, dict)
    return header


def _weights(arrays: dict[str, np.ndarray]) -> FoldedWeights:
    import torch

    for name, dtype in _DTYPES.items():
        if name in arrays and arrays[name].dtype.str != dtype:
            raise TypeError(f"{name} holds {arrays[name].dtype}")
    header = _header(arrays["header"])
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
