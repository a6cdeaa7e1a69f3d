"""A whole quantised matrix product in the RTL of a tile, output tile by output tile."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from multipede.golden.formats import Format
from multipede.golden.integer_tile import IntegerTile
from multipede.golden.number_format import require_type
from multipede.hw import Style
from multipede.sim.model import Model, SimulationError, compile_model
from multipede.sim.report import MismatchError

if TYPE_CHECKING:
    from torch import Tensor

    from multipede.golden.quantisation import QuantisedActivations, QuantisedWeights

__all__ = ["MatrixProduct", "MatrixTiling", "require_equal", "run_matrix_product"]

CHUNK_RECORDS = 100_000
CHUNK_BYTES = 16 << 20
"""Operands and results of one chunk; the simulator's checks take a few times as much."""


@dataclass(frozen=True)
class MatrixProduct:
    """What the RTL gave.

    Attributes
    ----------
    d : int64 [tokens, N, G], the exact sums of each group.
    cycles : clocks from the first record to the last result, counted by the model.
    records : input records.
    seconds : wall time, packing of the records included, compilation not.
    """

    d: np.ndarray
    cycles: int
    records: int
    seconds: float


class MatrixTiling:
    """How a product of tokens and outputs becomes records of a tile.

    Tokens are cut into blocks of ``rows``, outputs into blocks of ``columns``; output tile number
    i * column_blocks + j holds token block i and output block j. Its records run along k,
    ``lanes`` at a time, and the final one has ``last``. What an edge tile lacks is filled up: with
    0 for activations and unused outputs, and along k with the weight that is the group's zero
    point, so that it contributes nothing.

    Raises
    ------
    TypeError
        If ``spec`` is no integer tile.
    ValueError
        If its formats, group or zero point are not those of the operands, naming both.
    """

    def __init__(
        self,
        spec: IntegerTile,
        activations: "QuantisedActivations",
        weights: "QuantisedWeights",
    ):
        require_type("spec", spec, IntegerTile)
        _check_operands(spec, activations, weights)
        self.spec = spec
        self.tokens, self.inner = activations.codes.shape
        self.outputs = weights.codes.shape[0]
        self.groups = weights.groups
        self.row_blocks = -(-self.tokens // spec.rows)
        self.column_blocks = -(-self.outputs // spec.columns)
        self.records_per_tile = -(-self.inner // spec.lanes)
        self._a = self._operand(activations.codes, None, spec.activation, spec.rows)
        self._w = self._operand(weights.codes, weights.zeros, spec.weight, spec.columns)
        self._z = None if weights.zeros is None else self._zero_points(weights.zeros)

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

    def inputs(self, first: int, stop: int) -> dict[str, np.ndarray]:
        """Records of the output tiles ``first`` to ``stop`` - 1, in the smallest dtypes."""
        spec = self.spec
        tile = np.arange(first, stop)
        row, column = tile // self.column_blocks, tile % self.column_blocks
        records = len(tile) * self.records_per_tile
        result = {
            "a": self._a[row].reshape(records, spec.rows, spec.lanes),
            "w": self._w[column].reshape(records, spec.columns, spec.lanes),
        }
        if self._z is not None:
            result["z"] = self._z[column].reshape(records, spec.columns)
        last = np.zeros((len(tile), self.records_per_tile), np.uint8)
        last[:, -1] = 1
        return result | {"last": last.reshape(records)}

    def chunks(self) -> Iterator[tuple[int, int]]:
        """Ranges of output tiles whose records and results are bounded in number and bytes."""
        spec = self.spec
        operands = sum(array[0].nbytes for array in (self._a, self._w))
        tile_bytes = operands + 8 * self.groups * spec.rows * spec.columns
        size = min(CHUNK_RECORDS // self.records_per_tile, CHUNK_BYTES // tile_bytes)
        for first in range(0, self.tiles, max(1, size)):
            yield first, min(self.tiles, first + max(1, size))

    def empty(self) -> np.ndarray:
        """Room for the padded results: [row blocks, column blocks, G, rows, columns], int64.

        In memory it is [tokens, N, G], so that ``whole`` needs no copy.
        """
        spec = self.spec
        shape = (self.row_blocks, spec.rows, self.column_blocks, spec.columns, self.groups)
        return np.zeros(shape, np.int64).transpose(0, 2, 4, 1, 3)

    def store(self, target: np.ndarray, filled: int, results: Mapping[str, np.ndarray]) -> int:
        """Put result records number ``filled`` and following in place; returns the new number.

        Raises SimulationError for more results than there are groups, and for a ``last`` that is
        not on a tile's final group.
        """
        d, last = results["d"], results["last"]
        index = np.arange(filled, filled + len(d))
        if len(index) and index[-1] >= self.tiles * self.groups:
            raise SimulationError(f"{self.spec.unit} gave more than one result for each group")
        tile, group = index // self.groups, index % self.groups
        wrong = last != (group == self.groups - 1)
        if wrong.any():
            raise SimulationError(
                f"{self.spec.unit}: result {int(index[np.argmax(wrong)])} has the wrong last"
            )
        target[tile // self.column_blocks, tile % self.column_blocks, group] = d
        return filled + len(d)

    def whole(self, target: np.ndarray) -> np.ndarray:
        """The results [tokens, N, G] without padding; a view."""
        spec = self.spec
        joined = target.transpose(0, 3, 1, 4, 2).reshape(
            self.row_blocks * spec.rows, self.column_blocks * spec.columns, self.groups
        )
        return joined[: self.tokens, : self.outputs]

    def _operand(
        self, codes: "Tensor", zeros: "Tensor | None", format: Format, block: int
    ) -> np.ndarray:
        """Codes [outer, K] as [blocks, records, block, lanes]."""
        spec = self.spec
        outer = codes.shape[0]
        blocks = -(-outer // block)
        padded = np.zeros((blocks * block, self.records_per_tile * spec.lanes), _dtype(format))
        padded[:outer, : self.inner] = codes.numpy()
        if zeros is not None:
            padded[:outer, self.inner :] = zeros[:, -1:].numpy()
        cut = padded.reshape(blocks, block, self.records_per_tile, spec.lanes)
        return np.ascontiguousarray(cut.transpose(0, 2, 1, 3))

    def _zero_points(self, zeros: "Tensor") -> np.ndarray:
        """Zero points [N, G] as [blocks, records, columns]."""
        spec = self.spec
        padded = np.zeros((self.column_blocks * spec.columns, self.groups), _dtype(spec.weight))
        padded[: self.outputs] = zeros.numpy()
        spread = np.repeat(padded, spec.records_per_group, axis=1)[:, : self.records_per_tile]
        cut = spread.reshape(self.column_blocks, spec.columns, self.records_per_tile)
        return np.ascontiguousarray(cut.transpose(0, 2, 1))


def run_matrix_product(
    spec: IntegerTile,
    activations: "QuantisedActivations",
    weights: "QuantisedWeights",
    *,
    style: Style = Style.WORD,
    model: Model | None = None,
    progress: bool | None = None,
) -> MatrixProduct:
    """D[t, n, g] = sum over k in group g of (w[n, k] - z[n, g]) a[t, k], computed in the RTL.

    Memory beside the operands and the result is bounded by ``CHUNK_BYTES``; no files are written
    but the compiled model in the cache.

    Parameters
    ----------
    spec : the tile; formats, group and zero point must be those of the operands.
    activations, weights : [tokens, K] and [N, K].
    style : of the RTL.
    model : a compiled model of ``spec`` to use instead; it is reset.
    progress : whether to draw a bar on standard error; by default just on a terminal.

    Raises
    ------
    TypeError, ValueError
        As :class:`MatrixTiling`.
    SimulationError
        If the unit hangs or gives too many or too few results.
    ToolError
        If a tool is missing or fails.
    """
    tiling = MatrixTiling(spec, activations, weights)
    model = compile_model(spec, style=style) if model is None else model
    target, filled, cycles = tiling.empty(), 0, 0
    model.reset()
    began = time.perf_counter()
    hidden = None if progress is None else not progress
    with tqdm(
        total=tiling.records, unit=" records", unit_scale=True, disable=hidden, leave=False
    ) as bar:
        bar.set_description(f"{spec.unit} RTL")
        for first, stop in tiling.chunks():
            run = model.run(tiling.inputs(first, stop), drain=stop == tiling.tiles)
            filled = tiling.store(target, filled, run.outputs)
            cycles += run.cycles
            bar.update((stop - first) * tiling.records_per_tile)
    seconds = time.perf_counter() - began
    expected = tiling.tiles * tiling.groups
    if filled != expected:
        raise SimulationError(f"{spec.unit} gave {filled} results for {expected} groups")
    return MatrixProduct(tiling.whole(target), cycles, tiling.records, seconds)


def require_equal(got: np.ndarray, expected: np.ndarray, *, unit: str) -> int:
    """The number of outputs compared, if all are equal bit for bit.

    Parameters
    ----------
    got, expected : int64 [tokens, N, G], from the RTL and from golden.
    unit : name for the message.

    Raises MismatchError naming token, output and group of the first difference and the number of
    differences; also for unequal shapes and for nothing to compare.
    """
    if got.shape != expected.shape or not got.size:
        raise MismatchError(f"{unit}: RTL gave {got.shape}, golden {expected.shape}")
    different = got != expected
    count = int(different.sum())
    if count:
        place = np.unravel_index(int(np.argmax(different)), got.shape)
        token, output, group = (int(i) for i in place)
        raise MismatchError(
            f"{unit}: token {token}, output {output}, group {group}: RTL gives {got[place]},"
            f" golden {expected[place]} ({count} of {got.size} outputs differ)"
        )
    return got.size


def _check_operands(
    spec: IntegerTile, activations: "QuantisedActivations", weights: "QuantisedWeights"
) -> None:
    pairs = {
        "weight": (spec.weight, weights.format),
        "activation": (spec.activation, activations.format),
        "group": (spec.group, weights.group),
        "zero_point": (spec.zero_point, weights.zeros is not None),
        "k": (activations.codes.shape[1], weights.codes.shape[1]),
    }
    for name, (first, second) in pairs.items():
        if first != second:
            where = "activations" if name == "k" else spec.unit
            other = "activations" if name == "activation" else "weights"
            raise ValueError(f"{name} = {first} in the {where}, but {second} in the {other}")


def _dtype(format: Format) -> np.dtype:
    """The smallest numpy dtype that holds all codes."""
    for name in ("int8", "uint8", "int16", "uint16", "int32", "uint32"):
        limits = np.iinfo(name)
        if limits.min <= format.minimum and format.maximum <= limits.max:
            return np.dtype(name)
    return np.dtype(np.int64)
