"""A whole quantised matrix product in the RTL of a tile, output tile by output tile."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from multipede.golden.folded_weights import FoldedWeights, unfold_for_tile
from multipede.golden.matrix_tiling import MatrixTiling
from multipede.golden.tile import Tile
from multipede.hw import Style
from multipede.sim.compiled import compile_model
from multipede.sim.expected import wrong_timing
from multipede.sim.model import Model, SimulationError, SimulationRun
from multipede.sim.report import MismatchError

if TYPE_CHECKING:
    from multipede.golden.quantisation import QuantisedActivations, QuantisedWeights

__all__ = ["MatrixProduct", "require_equal", "run_matrix_product"]


@dataclass(frozen=True)
class MatrixProduct:
    """What the RTL gave.

    Attributes
    ----------
    results : output port -> int64 [tokens, N, R, ...], see :class:`MatrixTiling`.
    cycles : clocks from the first record to the last result, counted by the model.
    records : input records.
    seconds : wall time, packing of the records included, compilation not.
    """

    results: dict[str, np.ndarray]
    cycles: int
    records: int
    seconds: float


def run_matrix_product(
    spec: Tile,
    activations: "QuantisedActivations",
    weights: "QuantisedWeights | FoldedWeights",
    *,
    style: Style = Style.WORD,
    model: Model | None = None,
    progress: bool | None = None,
) -> MatrixProduct:
    """The product of activations and weights, computed in the RTL of a tile.

    Memory beside the operands and the result is bounded by ``CHUNK_BYTES``; no files are written
    but the compiled model in the cache.

    Parameters
    ----------
    spec : the tile; formats, group, zero point and scales must be those of the operands.
    activations, weights : [tokens, K] and [N, K]. Lookup tiles take folded weights, too; these are
        unfolded first, into 8 bytes for each.
    style : of the RTL.
    model : a compiled model of ``spec`` to use instead; it is reset.
    progress : whether to draw a bar on standard error; by default just on a terminal.

    Raises
    ------
    TypeError, ValueError
        As :class:`MatrixTiling`, and with folded weights as
        :func:`~multipede.golden.folded_weights.tile_weights`.
    SimulationError
        If the unit hangs or gives too many or too few results.
    ToolError
        If a tool is missing or fails.
    """
    if isinstance(weights, FoldedWeights):
        weights = unfold_for_tile(weights, spec)
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
            _require_timely(tiling, run, first * tiling.records_per_tile, filled)
            filled = _stored(tiling, target, filled, run.outputs)
            cycles += run.cycles
            bar.update((stop - first) * tiling.records_per_tile)
    seconds = time.perf_counter() - began
    expected = tiling.tiles * tiling.results_per_tile
    if filled != expected:
        raise SimulationError(f"{spec.unit} gave {filled} results of {expected}")
    return MatrixProduct(tiling.whole(target), cycles, tiling.records, seconds)


def _require_timely(
    tiling: MatrixTiling, run: SimulationRun, first_record: int, first_result: int
) -> None:
    results = np.arange(len(next(iter(run.values())))) + first_result
    made_by = tiling.made_by(results) - first_record
    wrong = wrong_timing(
        tiling.spec, run, made_by, first_record=first_record, first_result=first_result
    )
    if wrong is not None:
        raise SimulationError(f"{tiling.spec.unit}: {wrong}")


def _stored(
    tiling: MatrixTiling, target: dict[str, np.ndarray], filled: int, results: dict[str, np.ndarray]
) -> int:
    try:
        return tiling.store(target, filled, results)
    except ValueError as error:
        raise SimulationError(str(error)) from None


def require_equal(got: np.ndarray, expected: np.ndarray, *, unit: str) -> int:
    """The number of outputs compared, if all are equal bit for bit.

    Parameters
    ----------
    got, expected : int64 [tokens, N, R, ...], from the RTL and from golden; R groups, or 1.
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
        token, output, group, *limb = (int(i) for i in place)
        where = f"token {token}, output {output}" + (f", group {group}" if got.shape[2] > 1 else "")
        where += f", limb {limb[0]}" if limb else ""
        raise MismatchError(
            f"{unit}: {where}: RTL gives {got[place]}, golden {expected[place]}"
            f" ({count} of {got.size} outputs differ)"
        )
    return got.size
