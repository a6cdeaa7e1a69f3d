"""How a quantised matrix product becomes records of a tile, and results become matrices."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from multipede.golden.arrays import refuse
from multipede.golden.formats import FP32, Float, Format, Integer
from multipede.golden.number_format import require_type
from multipede.golden.quantised_operands import (
    QuantisedActivations,
    QuantisedWeights,
    require_operands,
)
from multipede.golden.spec import Port
from multipede.golden.tile import Tile

if TYPE_CHECKING:
    from torch import Tensor

CHUNK_RECORDS = 100_000
CHUNK_BYTES = 16 << 20
"""Operands and results of one chunk; the simulator's checks take a few times as much."""


class MatrixTiling:
    """How a product of tokens and outputs becomes records of a tile.

    Tokens are cut into blocks of ``rows``, outputs into blocks of ``columns``; output tile number
    i * column_blocks + j holds token block i and output block j. Its records run along k,
    ``lanes`` at a time, and the final one has ``last``. What an edge tile lacks is filled up: with
    0 for activations and unused outputs, and along k with the weight that is the group's zero
    point, so that it contributes nothing. Scales are rounded to the tile's format, which must hold
    them as normal numbers or 0; integer scales are those of the weights' two levels. Weights that
    have no zero, as odd ones, are filled up along k with code 0, where activations are 0. What the
    unit says of its ports then makes records of these codes: :meth:`Tile.port_records`.

    Results are matrices [tokens, N, R] for each output port but ``last``, int64: R is the number
    of groups for a tile that ``sums_groups``, else 1. What a port has once per row stands at all
    of the row's outputs; codes wider than 63 bits have one more axis of 32-bit limbs.

    Raises
    ------
    TypeError
        If ``spec`` is no tile, or an operand is not quantised.
    ValueError
        If its formats, group, zero point or scales are not those of the operands, naming both;
        for scales that the tile's format can only hold with fewer bits, or not at all; and if a
        record lacks values and their format has no zero.
    """

    def __init__(
        self,
        spec: Tile,
        activations: QuantisedActivations,
        weights: QuantisedWeights,
    ):
        require_type("spec", spec, Tile)
        require_operands(activations, weights)
        _check_operands(spec, activations, weights)
        self.spec = spec
        self.tokens, self.inner = activations.codes.shape
        self.outputs = weights.codes.shape[0]
        self.groups = weights.groups
        self.row_blocks = -(-self.tokens // spec.rows)
        self.column_blocks = -(-self.outputs // spec.columns)
        self.records_per_tile = -(-self.inner // spec.lanes)
        self._weight = weights.format
        self._a = blocks_of_records(
            activations.codes,
            block=spec.rows,
            lanes=spec.lanes,
            dtype=smallest_dtype(spec.activation),
        )
        self._w = blocks_of_records(
            weights.codes,
            block=spec.columns,
            lanes=spec.lanes,
            dtype=smallest_dtype(spec.weight),
            filling=None if weights.zeros is None else weights.zeros[:, -1],
        )
        self._records_per_group = weights.group // spec.lanes
        self._of_groups = {}
        if "z" in spec.inputs:
            self._of_groups["z"] = self._per_group(weights.zeros.numpy(), spec.weight)
        if "scale" in spec.inputs:
            self._of_groups["scale"] = self._per_group(_scales(spec, weights), spec.scale)
        if "channel_scale" in spec.inputs:
            scales = weights.levels.channel_scales.numpy()
            codes = scale_codes(spec.channel_scale, scales, name="channel_scales")
            codes = np.repeat(codes[:, None], self.groups, axis=1)
            self._of_groups["channel_scale"] = self._per_group(codes, spec.channel_scale)

    @property
    def results_per_tile(self) -> int:
        """Result records of an output tile."""
        return self.groups if self.spec.sums_groups else 1

    @property
    def tiles(self) -> int:
        """Output tiles."""
        return self.row_blocks * self.column_blocks

    @property
    def records(self) -> int:
        """Input records of the whole product."""
        return self.tiles * self.records_per_tile

    @property
    def ideal_cycles(self) -> float:
        """Clocks if every lane did useful work in each: multiply-accumulates per record's worth."""
        work = self.tokens * self.outputs * self.inner
        return work / self.spec.operations["multiply_accumulate"]

    def inputs(self, first: int, stop: int, part: slice = slice(None)) -> dict[str, np.ndarray]:
        """Records of the output tiles ``first`` to ``stop`` - 1, in the smallest dtypes; of each
        tile only those that ``part`` takes."""
        spec = self.spec
        tile = np.arange(first, stop)
        row, column = tile // self.column_blocks, tile % self.column_blocks
        last = np.zeros((len(tile), self.records_per_tile), np.uint8)
        last[:, -1] = 1
        records = {"a": self._a[:, part][row], "w": self._w[:, part][column]}
        records |= {name: values[:, part][column] for name, values in self._of_groups.items()}
        records["last"] = last[:, part]
        joined = {name: array.reshape(-1, *array.shape[2:]) for name, array in records.items()}
        taken = spec.port_records(joined, self._weight)
        return {
            name: taken[name].astype(smallest_dtype(port.format), copy=False)
            for name, port in spec.inputs.items()
        }

    def chunks(self) -> Iterator[tuple[int, int]]:
        """Ranges of output tiles whose records and results are bounded in number and bytes."""
        spec = self.spec
        # Tables of activations are made as int64.
        made = 8 * sum(port.elements for port in spec.inputs.values() if len(port.shape) > 2)
        operands = sum(array[0].nbytes for array in (self._a, self._w))
        operands += made * self.records_per_tile
        words = max(max(1, port.limbs) for port in spec.outputs.values())
        tile_bytes = operands + 8 * words * self.results_per_tile * spec.rows * spec.columns
        size = min(CHUNK_RECORDS // self.records_per_tile, CHUNK_BYTES // tile_bytes)
        for first in range(0, self.tiles, max(1, size)):
            yield first, min(self.tiles, first + max(1, size))

    def empty(self) -> dict[str, np.ndarray]:
        """Room for the padded results: [row blocks, column blocks, R, rows, columns, ...], int64.

        In memory it is [tokens, N, R, ...], so that ``whole`` needs no copy.
        """
        spec = self.spec
        shape = (self.row_blocks, spec.rows, self.column_blocks, spec.columns)
        shape += (self.results_per_tile,)
        return {
            name: np.moveaxis(np.zeros(shape + _limbs(port), np.int64), (2, 4), (1, 2))
            for name, port in spec.outputs.items()
            if name != "last"
        }

    def store(
        self, target: Mapping[str, np.ndarray], filled: int, results: Mapping[str, np.ndarray]
    ) -> int:
        """Put result records number ``filled`` and following in place; returns the new number.

        Raises ValueError for more results than there are, and for a ``last`` that is not on a
        tile's final group.
        """
        count = len(next(iter(results.values())))
        index = np.arange(filled, filled + count)
        if count and index[-1] >= self.tiles * self.results_per_tile:
            raise ValueError(f"{self.spec.unit} gave more results than there are")
        tile, place = index // self.results_per_tile, index % self.results_per_tile
        if "last" in results:
            wrong = results["last"] != (place == self.results_per_tile - 1)
            if wrong.any():
                number = int(index[np.argmax(wrong)])
                raise ValueError(f"{self.spec.unit}: result {number} has the wrong last")
        for name, matrix in target.items():
            found = results[name]
            if len(self.spec.outputs[name].shape) == 1:  # one for each row
                found = found[:, :, None]
            matrix[tile // self.column_blocks, tile % self.column_blocks, place] = found
        return filled + count

    def made_by(self, results: np.ndarray) -> np.ndarray:
        """The record that completes each of these result records, by number."""
        tile, place = results // self.results_per_tile, results % self.results_per_tile
        ends = self.records_per_tile
        if self.results_per_tile > 1:
            ends = np.minimum((place + 1) * self._records_per_group, ends)
        return tile * self.records_per_tile + ends - 1

    def whole(self, target: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The results [tokens, N, R, ...] without padding; views."""
        shape = (
            self.row_blocks * self.spec.rows,
            self.column_blocks * self.spec.columns,
            self.results_per_tile,
        )
        return {
            name: np.moveaxis(matrix, (1, 2), (2, 4)).reshape(shape + matrix.shape[5:])[
                : self.tokens, : self.outputs
            ]
            for name, matrix in target.items()
        }

    def _per_group(self, codes: np.ndarray, format: Format) -> np.ndarray:
        """Codes [N, G] as [blocks, records, columns]."""
        spec = self.spec
        padded = np.zeros((self.column_blocks * spec.columns, self.groups), smallest_dtype(format))
        padded[: self.outputs] = codes
        spread = np.repeat(padded, self._records_per_group, axis=1)[:, : self.records_per_tile]
        cut = spread.reshape(self.column_blocks, spec.columns, self.records_per_tile)
        return np.ascontiguousarray(cut.transpose(0, 2, 1))


def blocks_of_records(
    codes: "Tensor",
    *,
    block: int,
    lanes: int,
    dtype: np.dtype,
    filling: "Tensor | None" = None,
) -> np.ndarray:
    """Codes [outer, K] as [blocks, records, block, lanes], filled up with 0.

    Along k the codes ``filling`` [outer] fill up instead, if there are any.
    """
    outer, inner = codes.shape
    blocks, records = -(-outer // block), -(-inner // lanes)
    padded = np.zeros((blocks * block, records * lanes), dtype)
    padded[:outer, :inner] = codes.numpy()
    if filling is not None:
        padded[:outer, inner:] = filling[:, None].numpy()
    cut = padded.reshape(blocks, block, records, lanes)
    return np.ascontiguousarray(cut.transpose(0, 2, 1, 3))


def _check_operands(
    spec: Tile, activations: QuantisedActivations, weights: QuantisedWeights
) -> None:
    zero_point = "z" in spec.inputs
    taken = spec.takes_weights(weights.format)
    pairs = {
        "weight": (weights.format if taken else spec.weight, weights.format),
        "activation": (spec.activation, activations.format),
        "group": (getattr(spec, "group", weights.group), weights.group),
        "zero_point": (zero_point, weights.zeros is not None),
        "k": (activations.codes.shape[1], weights.codes.shape[1]),
    }
    if "scale" in spec.inputs and (isinstance(spec.scale, Integer) or weights.levels):
        pairs["scale"] = (spec.scale, weights.levels.format if weights.levels else FP32)
    for name, (first, second) in pairs.items():
        if first != second:
            where = "activations" if name == "k" else spec.unit
            other = "activations" if name == "activation" else "weights"
            raise ValueError(f"{name} = {first} in the {where}, but {second} in the {other}")
    inner = activations.codes.shape[1]
    if spec.most_terms is not None and inner > spec.most_terms:
        raise ValueError(f"k = {inner}: sums of {spec.unit} hold terms = {spec.most_terms}")
    _check_filling(spec, activations)
    # Scales that are no port's are multiplied by outside, or nobody ever would.
    scaled = "scale" in spec.inputs or spec.scaled_outside
    if scaled and not spec.sums_groups and "scale" not in spec.inputs and weights.groups > 1:
        raise ValueError(
            f"group = {weights.group}: {spec.unit} sums all of k = {weights.codes.shape[1]},"
            " so that there is one scale for each output only"
        )
    if scaled != (weights.scales is not None):
        takes = "needs" if scaled else "takes no"
        raise ValueError(f"scale: {spec.unit} {takes} scales, unlike {weights.format} weights")


def _limbs(port: Port) -> tuple[int, ...]:
    """The axis of a wide port's limbs."""
    return port.array_shape[len(port.shape) :]


def _check_filling(spec: Tile, activations: QuantisedActivations) -> None:
    inner = activations.codes.shape[1]
    if inner % spec.lanes == 0:
        return
    for name in ("activation", "weight"):
        number_format = getattr(spec, name)
        if isinstance(number_format, Float) and not number_format.zero:
            raise ValueError(
                f"{name} = {number_format}: it has no zero to fill up records with, so k = {inner}"
                f" must be a multiple of lanes = {spec.lanes}"
            )


def _scales(spec: Tile, weights: QuantisedWeights) -> np.ndarray:
    """Codes [N, G] of the groups' scales."""
    if isinstance(spec.scale, Integer):
        return weights.levels.codes.numpy()
    return scale_codes(spec.scale, weights.scales.numpy())


def scale_codes(number_format: Float, scales: np.ndarray, *, name: str = "scales") -> np.ndarray:
    """Codes of scales that are not negative, rounded to nearest even.

    Raises ValueError, naming the first, where one is beyond the largest number of the format or
    below its smallest normal one: the error of its group's weights would grow unnoticed.
    """
    smallest = 2.0 ** (1 - number_format.bias)
    refuse(
        (scales != 0) & ((scales < smallest) | (scales > number_format.maximum)),
        scales,
        name,
        f"{number_format} holds 0 and {smallest:.3g} to {number_format.maximum:.3g} with all its"
        " bits; choose another format of scales, or scale the weights",
    )
    return number_format.encode(scales)


def smallest_dtype(format: Format) -> np.dtype:
    """The smallest numpy dtype that holds all codes."""
    signed = isinstance(format, Integer) and format.signed
    low, high = (format.minimum, format.maximum) if signed else (0, (1 << format.bits) - 1)
    for name in ("int8", "uint8", "int16", "uint16", "int32", "uint32"):
        limits = np.iinfo(name)
        if limits.min <= low and high <= limits.max:
            return np.dtype(name)
    return np.dtype(np.int64)
