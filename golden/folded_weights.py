"""Weights folded for tables of signed sums, packed as the lookup tile reads them.

**Layout.** Outputs are cut into blocks of ``columns``, k into records of ``lanes``, as in
:class:`~multipede.golden.matrix_tiling.MatrixTiling`, whose rules fill up edges. Bytes are
[column blocks, records, piece]: a piece holds a record of a block, which a tile takes at once; a
block's records follow one another along k. The bits of a piece are those of the port ``w`` on the
wires, columns x lanes x planes: bit (column * lanes + lane) * b + plane is that bit plane of the
folded code, the lowest plane first. Bit n of a piece is bit n % 8 of its byte n // 8; unused bits
of the last byte are 0.

**Checksum.** CRC-32 over a header (shape, format, group, layout and how tables are folded) and all
bytes. It is what tells folded weights from others, and is checked whenever they are used.
"""

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from multipede.golden.arrays import require_tensor
from multipede.golden.float_lut_tensor_core import FloatLutTensorCore
from multipede.golden.folded_weights_checks import (
    SIZES,
    require_format,
    require_sizes,
    require_zeros_and_scales,
)
from multipede.golden.formats import Codebook, Integer
from multipede.golden.lookup_table import fold
from multipede.golden.lut_tensor_core import LutTensorCore
from multipede.golden.matrix_tiling import blocks_of_records, smallest_dtype
from multipede.golden.number_format import require_kinds, require_range, require_type
from multipede.golden.quantised_operands import QuantisedWeights, ScaleLevels

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["FoldedWeights", "fold_weights", "tile_weights", "unfold_weights"]

LAYOUT = "folded-1"
CHUNK_BITS = 1 << 24
"""Bits that are unpacked at once, a byte for each."""


@dataclass(frozen=True, eq=False, kw_only=True)
class FoldedWeights:
    """A weight matrix [N, K], folded and packed; made by :func:`fold_weights`.

    Attributes
    ----------
    format : integer of 1 to 8 bits, or odd.
    outputs, inner : N and K.
    group : values of k that share a scale.
    table_inputs, lanes, columns : those of the tile.
    packed : uint8 [column blocks, records, bytes of a piece], read-only.
    zeros : int64 [N, G], zero points as they are in the quantised weights, or None.
    scales : float32 [N, G], or float64 those of two levels.
    levels : the two levels of scales, or None.
    checksum : CRC-32 of all that, 0 to 2**32 - 1.

    Raises
    ------
    TypeError, ValueError
        For parts of another kind or shape, and for zero points and scales that are none of the
        format, naming the part.
    ValueError
        If the checksum is another: these are no weights that were folded so.
    """

    format: Integer | Codebook
    outputs: int
    inner: int
    group: int
    table_inputs: int
    lanes: int
    columns: int
    packed: np.ndarray
    zeros: "Tensor | None"
    scales: "Tensor"
    levels: ScaleLevels | None
    checksum: int

    taken_by: ClassVar[str] = (
        "lookup_group_sums and lookup_gemv take folded weights, unfold_weights makes plain ones"
    )
    """what messages say where plain weights are needed"""

    def __post_init__(self):
        require_format(self.format)
        require_sizes({name: getattr(self, name) for name in SIZES})
        self._check_packed()
        shape = (self.outputs, self.groups)
        require_zeros_and_scales(self.format, shape, self.zeros, self.scales, self.levels)
        require_range("checksum", self.checksum, 0, (1 << 32) - 1)
        self.require_intact()

    def _check_packed(self) -> None:
        require_type("packed", self.packed, np.ndarray)
        if self.packed.dtype != np.uint8:
            raise TypeError(f"packed holds {self.packed.dtype}: uint8 is needed")
        shape = (self.blocks, self.records, _piece_bytes(self.format, self.columns, self.lanes))
        if self.packed.shape != shape:
            raise ValueError(f"packed has shape {self.packed.shape}: {shape} is needed")

    @property
    def blocks(self) -> int:
        """Column blocks."""
        return -(-self.outputs // self.columns)

    @property
    def records(self) -> int:
        """Records of a column block."""
        return -(-self.inner // self.lanes)

    @property
    def groups(self) -> int:
        """Groups along k, the last one perhaps shorter than the others."""
        return -(-self.inner // self.group)

    @property
    def is_odd(self) -> bool:
        """Whether weights are the odd integers themselves."""
        return isinstance(self.format, Codebook)

    @property
    def header(self) -> dict[str, Any]:
        """What says how the bytes are to be read, as JSON can hold it."""
        levels = None if self.levels is None else self.levels.format.name
        return {"layout": LAYOUT, "format": self.format.name, "levels": levels} | {
            name: getattr(self, name) for name in SIZES
        }

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """The bytes, zero points and scales, little-endian, by name."""
        tensors = {"zeros": self.zeros, "scales": self.scales}
        if self.levels is not None:
            tensors |= {"codes": self.levels.codes, "channel_scales": self.levels.channel_scales}
        found = {name: t.numpy() for name, t in tensors.items() if t is not None}
        little = {
            name: a.astype(a.dtype.newbyteorder("<"), copy=False) for name, a in found.items()
        }
        return {"packed": self.packed} | little

    def require_intact(self) -> None:
        """ValueError unless the checksum is that of what is there."""
        found = _checksum(self.header, self.arrays)
        if found != self.checksum:
            raise ValueError(
                f"checksum = {self.checksum:#010x}: the bytes have {found:#010x}, so they are no"
                f" weights that were folded for table_inputs = {self.table_inputs} in this layout"
                " and left as they were; fold_weights makes such"
            )

    def planes(self) -> "Iterator[tuple[int, np.ndarray]]":
        """Bits of the folded codes, of some column blocks at once, which are bounded in memory.

        Yields the number of the first block and uint8 [blocks, records, columns, lanes, planes].
        """
        bits, shape = self.format.bits, (self.columns, self.lanes, self.format.bits)
        count = self.columns * self.lanes * bits
        size = max(1, CHUNK_BITS // (self.records * count))
        for first in range(0, self.blocks, size):
            part = self.packed[first : first + size]
            planes = np.unpackbits(part, axis=-1, count=count, bitorder="little")
            yield first, planes.reshape(*part.shape[:2], *shape)


def fold_weights(
    weights: QuantisedWeights, *, table_inputs: int = 4, lanes: int = 4, columns: int = 16
) -> FoldedWeights:
    """Quantised weights as a lookup tile of such a shape reads them.

    Parameters
    ----------
    weights : of an integer format of 1 to 8 bits or an odd one.
    table_inputs : lanes of a table, 2 to 6.
    lanes : values of k in a record, 2 to 256, a multiple of ``table_inputs``, which divides the
        weights' group.
    columns : outputs in a record, 1 to 256.

    Raises
    ------
    TypeError, ValueError
        Naming the parameter, for anything else; for codes, zero points and scales that are not as
        :class:`QuantisedWeights` says, and for odd weights with zero points.
    """
    require_type("weights", weights, QuantisedWeights)
    require_format(weights.format)
    require_tensor("codes", weights.codes)
    if weights.codes.dim() != 2:
        raise ValueError(f"codes have shape {tuple(weights.codes.shape)}: [N, K] is needed")
    outputs, inner = weights.codes.shape
    sizes = {
        "outputs": outputs,
        "inner": inner,
        "group": weights.group,
        "table_inputs": table_inputs,
        "lanes": lanes,
        "columns": columns,
    }
    require_sizes(sizes)
    shape = (outputs, weights.groups)
    require_zeros_and_scales(weights.format, shape, weights.zeros, weights.scales, weights.levels)
    weights.format.check(weights.codes, "codes")
    packed = _packed(weights, table_inputs, lanes, columns)
    return sealed(format=weights.format, packed=packed, **sizes, **_beside(weights))


def unfold_weights(folded: FoldedWeights) -> QuantisedWeights:
    """The quantised weights, exactly as they were.

    Raises TypeError for others than folded weights, ValueError if the checksum is another.
    """
    import torch

    codes = _codes(folded)
    blocks, records, columns, lanes = codes.shape
    whole = codes.transpose(0, 2, 1, 3).reshape(blocks * columns, records * lanes)
    whole = fold(whole, folded.table_inputs)[: folded.outputs, : folded.inner]
    return QuantisedWeights(
        folded.format,
        folded.group,
        torch.from_numpy(whole.astype(np.int64)),
        **_beside(folded),
    )


def tile_weights(folded: FoldedWeights, spec: LutTensorCore | FloatLutTensorCore) -> np.ndarray:
    """The port ``w`` of a tile's records, [column blocks * records, columns, lanes].

    Block by block, the records of each along k, in the smallest integers that hold its codes.

    Raises
    ------
    TypeError
        For others than folded weights and a lookup tile, of either kind of tables.
    ValueError
        If the checksum is another, the tile takes no folded weights, or its format, table_inputs,
        lanes, columns or, if groups end its sums, group are others, naming both.
    """
    _require_tile(folded, spec)
    codes = _codes(folded)
    return codes.reshape(-1, *codes.shape[2:]).astype(smallest_dtype(spec.weight), copy=False)


def unfold_for_tile(
    folded: FoldedWeights, spec: LutTensorCore | FloatLutTensorCore
) -> QuantisedWeights:
    """The quantised weights, for a product in a tile that these were folded for.

    Raises what :func:`tile_weights` raises.
    """
    _require_tile(folded, spec)
    return unfold_weights(folded)


def _require_tile(folded: FoldedWeights, spec: LutTensorCore | FloatLutTensorCore) -> None:
    require_kinds("spec", spec, (LutTensorCore, FloatLutTensorCore))
    require_type("folded", folded, FoldedWeights)
    if not spec.folded:
        raise ValueError(f"folded = false: this {spec.unit} takes plain weights")
    if not spec.takes_weights(folded.format):
        raise ValueError(
            f"weight = {spec.weight} in the {spec.unit}, but {folded.format} in the folded weights"
        )
    for name in ("group", "table_inputs", "lanes", "columns"):
        second = getattr(folded, name)
        first = getattr(spec, name, second)  # float tiles have no group
        if first != second:
            raise ValueError(
                f"{name} = {first} in the {spec.unit}, but {second} in the folded weights"
            )


def sealed(**parts: Any) -> FoldedWeights:
    """Folded weights of these attributes, with their checksum."""
    unsealed = object.__new__(FoldedWeights)
    for name, value in parts.items():
        object.__setattr__(unsealed, name, value)
    return FoldedWeights(**parts, checksum=_checksum(unsealed.header, unsealed.arrays))


def _beside(weights: QuantisedWeights | FoldedWeights) -> dict[str, Any]:
    """Copies of zero points and scales, so that a change of one's does not reach the other's."""
    levels = weights.levels
    if levels is not None:
        levels = replace(
            levels, codes=levels.codes.clone(), channel_scales=levels.channel_scales.clone()
        )
    return {
        "zeros": None if weights.zeros is None else weights.zeros.clone(),
        "scales": weights.scales.clone(),
        "levels": levels,
    }


def _packed(weights: QuantisedWeights, table_inputs: int, lanes: int, columns: int) -> np.ndarray:
    outputs, inner = weights.codes.shape
    bits, records = weights.format.bits, -(-inner // lanes)
    blocks = -(-outputs // columns)
    size = max(1, CHUNK_BITS // (records * columns * lanes * bits))
    packed = np.zeros((blocks, records, _piece_bytes(weights.format, columns, lanes)), np.uint8)
    for first in range(0, blocks, size):
        of_outputs = slice(first * columns, (first + size) * columns)
        codes = blocks_of_records(
            weights.codes[of_outputs],
            block=columns,
            lanes=lanes,
            dtype=smallest_dtype(weights.format),
            filling=None if weights.zeros is None else weights.zeros[of_outputs, -1],
        )
        patterns = fold(codes, table_inputs).view(np.uint8)
        planes = np.unpackbits(patterns[..., None], axis=-1, count=bits, bitorder="little")
        pieces = planes.reshape(len(codes), records, -1)
        packed[first : first + size] = np.packbits(pieces, axis=-1, bitorder="little")
    packed.flags.writeable = False
    return packed


def _codes(folded: FoldedWeights) -> np.ndarray:
    """The folded codes, [blocks, records, columns, lanes]."""
    require_type("folded", folded, FoldedWeights)
    folded.require_intact()
    shape = (folded.blocks, folded.records, folded.columns, folded.lanes)
    codes = np.empty(shape, smallest_dtype(folded.format))
    for first, planes in folded.planes():
        patterns = np.packbits(planes, axis=-1, bitorder="little")[..., 0]
        found = folded.format.from_bits(patterns)
        codes[first : first + len(patterns)] = found
    return codes


def _piece_bytes(number_format: Integer | Codebook, columns: int, lanes: int) -> int:
    return -(-columns * lanes * number_format.bits // 8)


def _checksum(header: dict[str, Any], arrays: dict[str, np.ndarray]) -> int:
    found = zlib.crc32(json.dumps(header, sort_keys=True).encode())
    for name, array in arrays.items():
        found = zlib.crc32(f"{name} {array.dtype.str} {array.shape}".encode(), found)
        found = zlib.crc32(np.ascontiguousarray(array), found)
    return found
