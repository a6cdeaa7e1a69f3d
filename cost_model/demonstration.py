"""The main job on real input: a layer of a trained transformer through the RTL, bit for bit."""

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from multipede.cost_model.accuracy import measure_accuracy
from multipede.cost_model.comparison import Comparison, compare_with_baselines
from multipede.cost_model.demonstration_plot import draw, plot_data
from multipede.cost_model.demonstration_report import Demonstration, TileResult
from multipede.cost_model.demonstration_tiles import LayerTile, costed_tiles, layer_tiles
from multipede.cost_model.targets import USUAL_TARGETS
from multipede.golden.formats import FP16, INT8, UINT4, Float, Integer
from multipede.golden.integer_tile import IntegerTile
from multipede.golden.lut_tensor_core import LutTensorCore
from multipede.golden.matrix_product import dequantised_product, group_sums, tile_results
from multipede.golden.matrix_tiling import MatrixTiling
from multipede.golden.minilm import MODEL, SENTENCES, load_minilm
from multipede.golden.number_format import require_type
from multipede.golden.quantisation import QuantisedActivations, QuantisedWeights
from multipede.golden.safetensors_file import read_matrix, tensor_names
from multipede.golden.tile import Tile
from multipede.hw import Style
from multipede.sim.matrix_product import require_equal, run_matrix_product
from multipede.toolchain import ToolError, write_atomically

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Demonstration", "TileResult", "demonstrate"]

FPGAS = ("ecp5", "xcup")
GAUSSIAN_TOKENS = 128
GAUSSIAN_SEED = 1
OUTSIDE_SCALE_BITS = 32
"""Group sums are scaled outside the tile, by FP32."""
SAMPLED_TILES = 16
"""Output tiles for which the specification's reference is run record by record."""


@dataclass(frozen=True)
class _Layer:
    """FP32 operands, [N, K] and [tokens, K], and where they come from."""

    name: str
    weights: "Tensor"
    activations: "Tensor"
    weights_source: str
    activations_source: str


def first_costs(tile: IntegerTile) -> Comparison:
    """Gates and LUTs of a tile and of its baselines, exact accumulators; minutes at first.

    What takes long is left to ``multipede synthesize --baselines``: of tiles of floats the gates,
    of lookups the LUTs. Raises ToolError if Yosys is missing.
    """
    targets = FPGAS if isinstance(tile.activation, Float) else USUAL_TARGETS
    if isinstance(tile, LutTensorCore):
        targets = ("gates",)
    return compare_with_baselines(tile, targets=targets, accumulators=("exact",))


def demonstrate(
    *,
    weights: Path | None = None,
    tensor: str | None = None,
    weight_format: Integer = UINT4,
    activation_format: Integer = INT8,
    float_format: Float | None = FP16,
    lookups: bool = True,
    group: int = 128,
    rows: int = 4,
    columns: int = 4,
    lanes: int = 8,
    style: Style = Style.WORD,
    output: Path = Path("build/demo"),
    layer: int = 0,
    sentences: Sequence[str] = SENTENCES,
    costs: Callable[[IntegerTile], Comparison] | None = first_costs,
    progress: bool | None = None,
) -> Demonstration:
    """Quantise a matrix, compute all of it in the RTL, compare every output, measure the error.

    The same data go through MixPE tiles and, as baselines, through tiles of multipliers: one of
    INT8 weights and activations, and of floats one whose weights have the activations' format and
    one that dequantises MixPE's weights first. And they go through tiles of lookups,
    with binary, ternary, two and four bits' odd weights and activations of both formats.

    Parameters
    ----------
    weights, tensor : a safetensors file and the name of a matrix [outputs, inputs] in it. Its
        activations are Gaussian random numbers with a fixed seed, as the report says. Without
        them: the first feed-forward matrix of ``layer`` of all-MiniLM-L6-v2, with the activations
        that ``sentences`` give it.
    weight_format : 1 to 8 bits; unsigned with zero points, signed (2 bits and more) without.
    activation_format : signed, 4 to 16 bits.
    float_format : of the activations that go through MixPE and the float baselines, 9 to 16 bits;
        None to leave these out, and lookups with floats, too.
    lookups : whether the data go through tiles of lookups; ``group`` must then be a multiple of
        4. These have as many multiply-accumulates as the others, with half the rows and 4 lanes.
    group, rows, columns, lanes : of the other tiles; group of all.
    style : of the RTL.
    output : directory for ``demonstration.json`` and ``demonstration.png``; made if need be.
    costs : called with each MixPE tile that has baselines among the results and with the tile of
        lookups for two bits and integers, gives its costs for the report; None for no costs.
    progress : whether to draw bars on standard error; by default just on a terminal.

    Raises
    ------
    TypeError, ValueError, FileNotFoundError
        For bad parameters or a bad file, in one line, before anything is computed or written.
    ToolError
        If a package or tool is missing or fails.
    MismatchError
        If any output differs from golden; names token, output and group. Nothing is written.
    """
    require_type("style", style, Style)
    tiles = layer_tiles(
        weight_format,
        activation_format,
        float_format,
        {"group": group, "rows": rows, "columns": columns, "lanes": lanes},
        lookups=lookups,
    )
    output = Path(output)
    _require_writable(output)
    try:
        data = _foreign_layer(weights, tensor) if weights or tensor else _own(layer, sentences)
    except ModuleNotFoundError as error:
        raise ToolError(str(error)) from error
    operands = [tile.operands(data.weights, data.activations, name=data.name) for tile in tiles]
    tiles = [
        tile.with_fitting_scales(weights)
        for tile, (_, weights) in zip(tiles, operands, strict=True)
    ]
    exact = data.activations.double() @ data.weights.double().T
    results = [
        _through(tile, *each, exact, style, progress)
        for tile, each in zip(tiles, operands, strict=True)
    ]
    report = Demonstration(
        weights=data.weights_source,
        activations=data.activations_source,
        tokens=data.activations.shape[0],
        outputs=data.weights.shape[0],
        inner=data.weights.shape[1],
        results=tuple(results),
        costs=tuple(map(costs, costed_tiles(tiles))) if costs else (),
        files=(output / "demonstration.json", output / "demonstration.png"),
    )
    _write(report)
    return report


def _own(layer: int, sentences: Sequence[str]) -> _Layer:
    """The trained layer that comes with the demo."""
    model = load_minilm()
    name = model.feed_forward_name(layer)
    activations = model.feed_forward_input(sentences, layer)
    source = (
        f"{len(activations)} tokens of {len(sentences)} sentences, [CLS] and [SEP] counted, as they"
        f" reach that matrix in a FP32 forward pass"
    )
    return _Layer(name, model.feed_forward_weight(layer), activations, f"{MODEL}, {name}", source)


def _foreign_layer(weights: Path | None, tensor: str | None) -> _Layer:
    """The user's matrix with random activations."""
    import torch

    if weights is None:
        raise ValueError(f"tensor = {tensor}: name its safetensors file in weights, too")
    if tensor is None:
        names = tensor_names(weights)
        shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
        raise ValueError(f"weights = {weights}: name a tensor, too; the file holds {shown}")
    matrix = read_matrix(weights, tensor)
    generator = torch.Generator().manual_seed(GAUSSIAN_SEED)
    activations = torch.randn(GAUSSIAN_TOKENS, matrix.shape[1], generator=generator)
    source = (
        f"NOT REAL: {GAUSSIAN_TOKENS} tokens of Gaussian random numbers, seed {GAUSSIAN_SEED}, for"
        f" no activations come with a tensor; errors on real text may be larger"
    )
    return _Layer(tensor, matrix, activations, f"{weights}, {tensor}", source)


def _through(
    tile: LayerTile,
    activations: QuantisedActivations,
    weights: QuantisedWeights,
    exact: "Tensor",
    style: Style,
    progress: bool | None,
) -> TileResult:
    """The layer through the RTL of a tile, compared with golden and measured against ``exact``."""
    spec, name = tile.spec, tile.name
    expected = _golden(spec, activations, weights)
    tiling = MatrixTiling(spec, activations, weights)
    sampled = _check_reference(tiling, expected)
    run = run_matrix_product(spec, activations, weights, style=style, progress=progress)
    unit = f"{name}, {style.value} style"
    compared = [
        require_equal(run.results[port], codes, unit=unit) for port, codes in expected.items()
    ]
    result = _values(spec, run.results, activations, weights)
    # Of two levels, the upper one: the lower has the width of its codes.
    scale = spec.inputs.get("channel_scale", spec.inputs.get("scale"))
    return TileResult(
        name=name,
        spec=spec,
        style=style.value,
        ternary=tile.ternary,
        bits_per_weight=weights.bits_per_weight(scale.format.bits if scale else OUTSIDE_SCALE_BITS),
        outputs=compared[0],
        reference_outputs=sampled,
        records=run.records,
        cycles=run.cycles,
        ideal_cycles=tiling.ideal_cycles,
        seconds=run.seconds,
        accuracy=measure_accuracy(result, exact),
        plot=plot_data(result, exact),
    )


def _golden(
    spec: Tile, activations: QuantisedActivations, weights: QuantisedWeights
) -> dict[str, np.ndarray]:
    """What the tile must put out, [tokens, N, R] by port."""
    if spec.sums_groups:
        return {"d": group_sums(activations, weights).numpy()}
    return tile_results(spec, activations, weights)


def _values(
    spec: Tile,
    results: Mapping[str, np.ndarray],
    activations: QuantisedActivations,
    weights: QuantisedWeights,
) -> "Tensor":
    """The product that the tile's results stand for, float64 [tokens, N]."""
    import torch

    if spec.sums_groups:
        return dequantised_product(torch.from_numpy(results["d"]), activations, weights)
    y = spec.outputs["y"].format.decode(torch.from_numpy(results["y"][:, :, 0]))
    return y * activations.scales.double()[:, None]


def _check_reference(tiling: MatrixTiling, expected: Mapping[str, np.ndarray]) -> int:
    """Results compared between golden's matrix product and the specification's own reference.

    Some output tiles, the first and the last among them, are run record by record. MismatchError
    if golden disagrees with itself.
    """
    import torch

    spec = tiling.spec
    sample = {round(i * (tiling.tiles - 1) / (SAMPLED_TILES - 1)) for i in range(SAMPLED_TILES)}
    compared = 0
    for tile in sorted(sample):
        records = {
            name: torch.from_numpy(codes).to(torch.int64)
            for name, codes in tiling.inputs(tile, tile + 1).items()
        }
        outputs, _ = spec.reference(**records)
        row, column = divmod(tile, tiling.column_blocks)
        for port, matrix in expected.items():
            block = matrix[row * spec.rows :, column * spec.columns :][: spec.rows, : spec.columns]
            found = outputs[port].permute(1, 2, 0)[: block.shape[0], : block.shape[1]]
            what = f"golden reference of {spec.unit}, output tile {tile}"
            compared += require_equal(found.numpy(), block, unit=what)
    return compared


def _require_writable(output: Path) -> None:
    """ValueError unless ``output`` is, or can be made, a directory that takes files."""
    existing = next(p for p in (output, *output.absolute().parents) if p.exists())
    try:
        # A file without a name, which leaves nothing behind.
        tempfile.TemporaryFile(dir=existing).close()
    except OSError as error:
        raise ValueError(
            f"output = {output}: {existing} takes no files ({error.strerror})"
        ) from None


def _write(report: Demonstration) -> None:
    """The files of the report, each whole or not at all."""
    text, picture = report.files
    drawing = draw(report)
    text.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(text, json.dumps(report.to_dict(), indent=2, allow_nan=False) + "\n")
    write_atomically(picture, drawing)
