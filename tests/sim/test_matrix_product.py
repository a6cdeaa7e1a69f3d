"""Whole matrix products in the RTL of small tiles, and what must be noticed if they go wrong."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import torch

from multipede.golden import matrix_tiling
from multipede.golden.dequantise_first_tile import DequantiseFirstTile
from multipede.golden.float_multiplier_tile import FloatMultiplierTile
from multipede.golden.float_tile import SumOrder
from multipede.golden.formats import (
    BF16,
    FP16,
    INT2,
    INT4,
    INT8,
    INT16,
    UINT1,
    UINT4,
    UINT8,
    Integer,
)
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.golden.integer_tile import IntegerTile, TileOutput
from multipede.golden.matrix_product import group_sums, tile_results
from multipede.golden.matrix_tiling import MatrixTiling
from multipede.golden.mixed_tile import Accumulation
from multipede.golden.mixpe import MixPE
from multipede.golden.multiplier_tile import MultiplierTile
from multipede.golden.quantisation import (
    QuantisedActivations,
    QuantisedWeights,
    quantise_activations,
    quantise_weights,
)
from multipede.hw import Style
from multipede.sim.compiled import compile_model
from multipede.sim.matrix_product import require_equal, run_matrix_product
from multipede.sim.model import SimulationError, SimulationRun
from multipede.sim.report import MismatchError

SMALL_SHAPE = {"rows": 2, "columns": 3, "lanes": 4, "group": 8}
SMALL = MixPE(**SMALL_SHAPE)


def operands(
    spec: IntegerTile, *, tokens: int, outputs: int, inner: int, seed: int = 1
) -> tuple[QuantisedActivations, QuantisedWeights]:
    generator = torch.Generator().manual_seed(seed)
    weights = torch.randn(outputs, inner, generator=generator)
    activations = torch.randn(tokens, inner, generator=generator)
    return (
        quantise_activations(activations, format=spec.activation),
        quantise_weights(weights, format=spec.weight, group=spec.group, zero_point=spec.zero_point),
    )


def by_definition(a: QuantisedActivations, w: QuantisedWeights) -> np.ndarray:
    """D in int64 by numpy, group by group, without the code under test."""
    codes, weights = a.codes.numpy(), w.codes.numpy()
    d = np.zeros((len(codes), len(weights), w.groups), np.int64)
    for g in range(w.groups):
        k = slice(g * w.group, (g + 1) * w.group)
        zero = 0 if w.zeros is None else w.zeros.numpy()[:, g : g + 1]
        d[:, :, g] = codes[:, k] @ (weights[:, k] - zero).T
    return d


@pytest.fixture(scope="module")
def model():
    return compile_model(SMALL)


@pytest.mark.parametrize("tokens", [1, 2, 5])
@pytest.mark.parametrize("outputs", [1, 3, 7])
@pytest.mark.parametrize("inner", [1, 4, 8, 23, 40])
def test_edges_of_the_matrix(model, tokens, outputs, inner):
    a, w = operands(SMALL, tokens=tokens, outputs=outputs, inner=inner)
    run = run_matrix_product(SMALL, a, w, model=model)
    assert run.results["d"].dtype == np.int64
    assert (
        require_equal(run.results["d"], by_definition(a, w), unit="mixpe")
        == tokens * outputs * w.groups
    )
    assert np.array_equal(run.results["d"], group_sums(a, w).numpy())
    assert run.records == -(-tokens // 2) * -(-outputs // 3) * -(-inner // 4)


@pytest.mark.parametrize(
    "spec",
    [
        MixPE(weight=UINT1, activation=INT4, rows=1, columns=2, lanes=2, group=6, stages=3),
        MixPE(weight=INT2, activation=INT16, zero_point=False, rows=3, columns=1, lanes=8, group=8),
        MixPE(weight=INT4, zero_point=True, rows=2, columns=2, lanes=1, group=5, stages=2),
        MultiplierTile(weight=INT8, rows=2, columns=2, lanes=4, group=16),
        MultiplierTile(weight=UINT8, zero_point=True, rows=1, columns=1, lanes=4, group=4),
    ],
    ids=str,
)
def test_other_tiles(spec):
    a, w = operands(spec, tokens=5, outputs=7, inner=37)
    run = run_matrix_product(spec, a, w)
    assert require_equal(run.results["d"], by_definition(a, w), unit=spec.unit) >= 5 * 7 * 3
    assert run.cycles == run.records + spec.latency


@pytest.mark.few(3)
@pytest.mark.parametrize(
    "spec",
    [
        MixPE(output=TileOutput.DEQUANTISED, rows=2, columns=3, lanes=4, group=8),
        MixPE(activation=FP16, output=TileOutput.DEQUANTISED, rows=2, columns=2, lanes=4, group=8),
        DequantiseFirstTile(rows=2, columns=2, lanes=2, group=8),
        DequantiseFirstTile(weight=INT4, zero_point=False, rows=1, columns=2, lanes=2, group=8),
        FloatMultiplierTile(rows=2, columns=2, lanes=3),
        FloatMultiplierTile(order=SumOrder.SEQUENTIAL, rows=2, columns=1, lanes=2),
    ],
    ids=str,
)
def test_tiles_that_put_out_floats(spec):
    generator = torch.Generator().manual_seed(6)
    a = quantise_activations(torch.randn(5, 37, generator=generator), format=spec.activation)
    w = quantise_weights(
        torch.randn(7, 37, generator=generator),
        format=spec.weight,
        group=getattr(spec, "group", 1024),
        zero_point="z" in spec.inputs,
    )
    run = run_matrix_product(spec, a, w)
    expected = tile_results(spec, a, w)
    assert require_equal(run.results["y"], expected["y"], unit=spec.unit) == 5 * 7
    y = spec.outputs["y"].format.decode(torch.from_numpy(run.results["y"][:, :, 0]))
    exact = a.dequantised() @ w.dequantised().T
    # What is lost are scales of 11 bits and rounded sums.
    assert torch.allclose(y * a.scales.double()[:, None], exact, rtol=1e-2, atol=2e-2)


@pytest.mark.few(1)
@pytest.mark.parametrize("activation", [INT8, FP16], ids=str)
def test_scales_of_two_levels(activation):
    spec = MixPE(activation=activation, output=TileOutput.DEQUANTISED, scale=INT8, **SMALL_SHAPE)
    a, _ = operands(spec, tokens=3, outputs=4, inner=21)
    values = torch.randn(4, 21, generator=torch.Generator().manual_seed(2))
    w = quantise_weights(values, format=UINT4, group=8, scale=INT8)
    run = run_matrix_product(spec, a, w)
    assert require_equal(run.results["y"], tile_results(spec, a, w)["y"], unit="mixpe") == 12
    assert len(set(run.results["y"].ravel().tolist())) == 12


def test_sums_of_more_than_63_bits(monkeypatch):
    spec = MixPE(activation=BF16, accumulation=Accumulation.EXACT, **SMALL_SHAPE)
    a, w = operands(spec, tokens=3, outputs=4, inner=21)
    run = run_matrix_product(spec, a, w)
    expected = group_sums(a, w).numpy()
    assert require_equal(run.results["d"], expected, unit="mixpe") == 3 * 4 * 3 * 9
    tiling = MatrixTiling(spec, a, w)
    monkeypatch.setattr(matrix_tiling, "CHUNK_BYTES", 2 * (3 * 2 * 3 * 9 * 8 + 6 * (16 + 12)))
    assert [stop - first for first, stop in tiling.chunks()] == [2, 2]
    run.results["d"][2, 3, 1, 7] += 1
    with pytest.raises(MismatchError, match="token 2, output 3, group 1, limb 7: RTL gives"):
        require_equal(run.results["d"], expected, unit="mixpe")


def test_cells_style_gives_the_same():
    spec = MixPE(rows=1, columns=2, lanes=4, group=8)
    a, w = operands(spec, tokens=3, outputs=4, inner=24)
    word, cells = (run_matrix_product(spec, a, w, style=s) for s in (Style.WORD, Style.CELLS))
    assert np.array_equal(word.results["d"], cells.results["d"])
    assert np.array_equal(word.results["d"], by_definition(a, w))
    assert word.cycles == cells.cycles


def test_extreme_codes(model):
    """a = -128 everywhere with q = 15, z = 0 and q = 0, z = 15."""
    codes = torch.zeros(6, 16, dtype=torch.int64)
    codes[::2] = 15
    zeros = 15 - codes[:, ::8]
    a = QuantisedActivations(INT8, torch.full((4, 16), -128), torch.ones(4))
    w = QuantisedWeights(UINT4, 8, codes, zeros, torch.ones(6, 2))
    run = run_matrix_product(SMALL, a, w, model=model)
    assert np.array_equal(run.results["d"], by_definition(a, w))
    assert set(run.results["d"].flatten().tolist()) == {-15360, 15360}


@pytest.mark.parametrize("records", [1, 7, 64, 10**9])
def test_chunks_do_not_matter(model, monkeypatch, records):
    monkeypatch.setattr(matrix_tiling, "CHUNK_RECORDS", records)
    a, w = operands(SMALL, tokens=9, outputs=10, inner=24)
    tiling = MatrixTiling(SMALL, a, w)
    chunks = list(tiling.chunks())
    assert [first for first, _ in chunks[1:]] == [stop for _, stop in chunks[:-1]]
    assert chunks[-1][1] == tiling.tiles
    run = run_matrix_product(SMALL, a, w, model=model)
    assert np.array_equal(run.results["d"], by_definition(a, w))
    assert run.cycles == run.records + SMALL.latency == 5 * 4 * 6 + 1


def test_a_model_may_be_used_twice(model):
    for seed in (1, 2):
        a, w = operands(SMALL, tokens=3, outputs=3, inner=20, seed=seed)
        run = run_matrix_product(SMALL, a, w, model=model)
        assert np.array_equal(run.results["d"], by_definition(a, w))
        assert run.cycles == run.records + SMALL.latency


def test_records_are_small_and_never_all_there():
    spec = MixPE(rows=4, columns=4, lanes=8, group=128)
    a, w = operands(spec, tokens=64, outputs=512, inner=512)
    tracemalloc.start()
    tiling = MatrixTiling(spec, a, w)
    most = 0
    for first, stop in tiling.chunks():
        inputs = tiling.inputs(first, stop)
        most = max(most, len(inputs["last"]))
        assert {array.dtype.itemsize for array in inputs.values()} == {1}
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert tiling.records == 131_072
    assert most <= matrix_tiling.CHUNK_RECORDS
    assert peak < 4 * matrix_tiling.CHUNK_BYTES


def test_chunks_of_large_tiles_are_bounded_in_bytes():
    spec = MixPE(rows=64, columns=64, lanes=64, group=64)
    a, w = operands(spec, tokens=1280, outputs=640, inner=256)
    tiling = MatrixTiling(spec, a, w)
    first, stop = next(iter(tiling.chunks()))
    size = sum(array.nbytes for array in tiling.inputs(first, stop).values())
    assert 1 < stop - first < tiling.tiles
    assert matrix_tiling.CHUNK_BYTES / 8 < size < matrix_tiling.CHUNK_BYTES * 1.1


def test_ideal_cycles_are_those_of_full_lanes():
    a, w = operands(SMALL, tokens=3, outputs=4, inner=10)
    tiling = MatrixTiling(SMALL, a, w)
    assert tiling.ideal_cycles == 3 * 4 * 10 / (2 * 3 * 4)
    assert tiling.records == 2 * 2 * 3


class Corrupted:
    """A model whose results pass through `change`."""

    def __init__(self, model, change):
        self.model, self.change, self.results = model, change, 0

    def reset(self) -> None:
        self.model.reset()
        self.results = 0

    def run(self, inputs, *, drain: bool) -> SimulationRun:
        run = self.model.run(inputs, drain=drain)
        outputs = self.change({name: array.copy() for name, array in run.outputs.items()})
        return SimulationRun(outputs, run.cycles)


def flip(result: int, row: int, column: int):
    def change(outputs):
        if len(outputs["d"]) > result:
            outputs["d"][result, row, column] ^= 1
        return outputs

    return change


def test_one_wrong_bit_is_found_and_named(model):
    a, w = operands(SMALL, tokens=4, outputs=6, inner=16)
    expected = group_sums(a, w).numpy()
    # Result 5 is group 1 of output tile 2, which is token block 1, output block 0.
    bad = run_matrix_product(SMALL, a, w, model=Corrupted(model, flip(5, 1, 2)))
    got, right = bad.results["d"][3, 2, 1], expected[3, 2, 1]
    assert got == right ^ 1
    message = (
        f"some tile: token 3, output 2, group 1: RTL gives {got}, golden {right}"
        r" \(1 of 48 outputs differ\)"
    )
    with pytest.raises(MismatchError, match=message):
        require_equal(bad.results["d"], expected, unit="some tile")


def test_nothing_compared_is_no_success():
    empty = np.zeros((0, 3, 1), np.int64)
    with pytest.raises(MismatchError, match=r"RTL gave \(0, 3, 1\)"):
        require_equal(empty, empty, unit="x")
    with pytest.raises(MismatchError, match="golden"):
        require_equal(np.zeros((1, 2, 1)), np.zeros((1, 1, 2)), unit="x")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda o: {n: v[:-1] for n, v in o.items()}, "gave 7 results of 8"),
        (lambda o: {n: np.repeat(v[:4], 2, 0) for n, v in o.items()}, "wrong last"),
        (lambda o: o | {"last": 1 - o["last"]}, "result 0 has the wrong last"),
        (
            lambda o: {n: np.concatenate([v, v]) for n, v in o.items()},
            "gave more results than there are",
        ),
    ],
    ids=["lost", "doubled", "last", "too many"],
)
def test_lost_surplus_and_mislabelled_results_are_noticed(model, change, message):
    a, w = operands(SMALL, tokens=4, outputs=6, inner=16)
    with pytest.raises(SimulationError, match=message):
        run_matrix_product(SMALL, a, w, model=Corrupted(model, change))


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (replace(SMALL, weight=Integer(3, False)), "weight = uint3 in the mixpe, but"),
        (replace(SMALL, activation=INT4), "activation = int4 in the mixpe, but int8"),
        (replace(SMALL, group=16), "group = 16 in the mixpe, but 8 in the weights"),
        (replace(SMALL, zero_point=False), "zero_point = False in the mixpe, but True"),
    ],
)
def test_operands_of_another_tile_are_refused(spec, message):
    a, w = operands(SMALL, tokens=2, outputs=2, inner=8)
    with pytest.raises(ValueError, match=message):
        run_matrix_product(spec, a, w)


def test_operands_that_are_not_quantised_are_refused():
    a, w = operands(SMALL, tokens=1, outputs=1, inner=4)
    with pytest.raises(TypeError, match="activations must be QuantisedActivations, not Tensor"):
        run_matrix_product(SMALL, torch.ones(1, 4), w)
    with pytest.raises(TypeError, match="weights must be QuantisedWeights, not Tensor"):
        run_matrix_product(SMALL, a, torch.ones(1, 4))


def test_other_mistakes_are_named():
    a, w = operands(SMALL, tokens=2, outputs=2, inner=8)
    short = QuantisedActivations(INT8, a.codes[:, :7], a.scales)
    with pytest.raises(ValueError, match="k = 7 in the activations, but 8 in the weights"):
        run_matrix_product(SMALL, short, w)
    with pytest.raises(TypeError, match="spec must be Tile, not IntegerMultiplier"):
        run_matrix_product(IntegerMultiplier(), a, w)


def test_the_bar_is_quiet_in_pipes_and_drawn_on_request(model, capsys):
    a, w = operands(SMALL, tokens=2, outputs=3, inner=8)
    run_matrix_product(SMALL, a, w, model=model)
    assert capsys.readouterr() == ("", "")
    run_matrix_product(SMALL, a, w, model=model, progress=True)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "mixpe RTL" in captured.err


def test_an_interrupt_leaves_a_usable_model(model):
    a, w = operands(SMALL, tokens=4, outputs=6, inner=16)

    def interrupt(outputs):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_matrix_product(SMALL, a, w, model=Corrupted(model, interrupt))
    assert np.array_equal(
        run_matrix_product(SMALL, a, w, model=model).results["d"], by_definition(a, w)
    )


def test_results_at_a_wrong_time_are_refused(monkeypatch):
    """As of a unit with one register too many; the values are right."""
    spec = MixPE(rows=1, columns=1, lanes=2, group=4, stages=1)
    model = compile_model(spec)
    monkeypatch.setattr(matrix_tiling, "CHUNK_RECORDS", 8)  # two tiles in a run
    run = model.run
    fifth = [5]

    def late(*arguments, **options):
        """The fifth result a clock late, right behind a record that gives none."""
        found = run(*arguments, **options)
        if 0 <= fifth[0] < len(found.behind):
            found.behind[fifth[0]] += 1
        fifth[0] -= len(found.behind)
        return found

    a, w = operands(spec, tokens=3, outputs=2, inner=6)
    run_matrix_product(spec, a, w, model=model)
    monkeypatch.setattr(model, "run", late)
    message = r"mixpe: result 5 comes behind record 9 \(latency 1\); record 8 completes it"
    with pytest.raises(SimulationError, match=message):
        run_matrix_product(spec, a, w, model=model)
