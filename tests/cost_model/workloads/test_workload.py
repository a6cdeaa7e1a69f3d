"""Transformers on arrays of real tiles, and of those that BitMoD publishes figures of."""

import json
from pathlib import Path

import pytest

from multipede import cli
from multipede.asic_flow import Constraints
from multipede.cost_model import workload
from multipede.cost_model.reproduction.bitmod_workloads import bitmod_workloads
from multipede.cost_model.reproduction.claims import Claim, Claims
from multipede.cost_model.targets import power, synthesize
from multipede.cost_model.workload import TileCosts, compare_workload, products_of, tile_costs
from multipede.cost_model.workloads.array import Memory
from multipede.golden.formats import INT8
from multipede.golden.lmul import LMul
from multipede.golden.mixpe import MixPE
from multipede.golden.multiplier_tile import MultiplierTile

CLOCK = Constraints(clock_period=2.0)
UNTIMED = """
library (small) {
  cell (INV) { area : 1; pin (A) { direction : input; }
    pin (Y) { direction : output; function : "!A"; } }
  cell (BUF) { area : 1; pin (A) { direction : input; }
    pin (Y) { direction : output; function : "A"; } }
  cell (NAND) { area : 1; pin (A) { direction : input; } pin (B) { direction : input; }
    pin (Y) { direction : output; function : "!(A & B)"; } }
}
"""
SHAPE = {"rows": 1, "columns": 2, "lanes": 2, "group": 32}
TILES = {"mixpe": MixPE(**SHAPE), "int8": MultiplierTile(weight=INT8, **SHAPE)}


def never(*_, **__):
    raise AssertionError("nothing is to be synthesised")


def small(tile, target, *, constraints, liberty):
    """Costs of a tile that takes next to nothing."""
    return TileCosts(1.0, 1.0, 0.0, constraints.clock_period, "made up")


@pytest.fixture(scope="module")
def at_equal_area():
    return compare_workload(TILES, "vit-b", "prefill", 16, area=0.05, constraints=CLOCK)


def test_costs_of_a_tile():
    found = tile_costs(TILES["mixpe"], constraints=CLOCK)
    assert found.area == synthesize(TILES["mixpe"], "n28", constraints=CLOCK).total
    simulated = power(TILES["mixpe"], "n28", constraints=CLOCK).power
    assert found.energy == simulated.energy_per_clock
    assert 0 < found.leakage < simulated.total


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"constraints": Constraints(fastest=True)}, "a clock period is needed"),
        ({"target": "ecp5"}, "target = 'ecp5': power needs energies"),
    ],
)
def test_costs_need_a_clock_and_energies(monkeypatch, changes, said):
    """Which is told before anything is synthesised."""
    monkeypatch.setattr(workload, "synthesize", never)
    with pytest.raises(ValueError, match=said):
        tile_costs(TILES["mixpe"], **{"constraints": CLOCK, **changes})


def test_at_equal_area(at_equal_area):
    first, second = at_equal_area.rows
    assert at_equal_area.errors == []
    for row in at_equal_area.rows:
        each = tile_costs(TILES[row.label], constraints=CLOCK).area
        assert row.cost.array.area == pytest.approx(row.tiles * each)
        assert row.cost.array.area <= 0.05e6
    assert at_equal_area.ratios(first) == (1.0, 1.0)
    time, energy = at_equal_area.ratios(second)
    assert time == second.cost.seconds / first.cost.seconds
    assert energy == second.cost.energy / first.cost.energy > 1
    text = str(at_equal_area)
    assert text.startswith("vit-b, prefill, 16 tokens, batch 1, on 0.05 mm2 of tiles\n")
    assert "n28 at 2 ns; buffers of 128 and 256 KiB" in text
    document = json.loads(json.dumps(at_equal_area.to_dict()))
    assert document["rows"][1]["time_over_first"] == time
    assert document["rows"][0]["array"]["memory"]["weight_buffer"] == 131_072


def test_at_equal_rate():
    found = compare_workload(TILES, "opt-1.3b", "decode", 16, rate=64, constraints=CLOCK)
    for row in found.rows:
        array = row.cost.array
        assert 64 <= array.rows * array.columns * array.lanes / array.interval < 80


def test_more_memory_makes_decode_faster():
    slow, fast = (
        compare_workload(
            {"mixpe": TILES["mixpe"]}, "opt-1.3b", "decode", 16, rate=64, constraints=CLOCK,
            memory=Memory(bits_per_clock=bits),
        ).rows[0].cost
        for bits in (8, 4096)
    )  # fmt: skip
    assert slow.seconds > 2 * fast.seconds
    assert slow.dram_bits == fast.dram_bits


def test_tiles_that_fail_are_rows():
    found = compare_workload(TILES, "opt-1.3b", "decode", 16, area=1e-6, constraints=CLOCK)
    assert len(found.errors) == 2
    assert "more than 1e-06 mm2" in found.errors[0]
    assert "failed" in str(found)
    assert found.to_dict()["rows"][0]["error"]


def test_bitmods_published_figures_follow_from_the_model():
    """Speeds within 9 % and energies within 18, in prefill and generation, of BitMoD lossless and
    lossy, ANT and OliVe; and of BitMoD over these two. All as the README has them."""
    found = bitmod_workloads()
    assert len(found.rows) == 20
    assert str(found) in (Path(cli.__file__).parents[1] / "README.md").read_text()
    for row in found.rows:
        error = 0.09 if row.unit == "of speed" else 0.18
        assert abs(row.ratio - 1) < error, row.what
    assert "missing" not in str(found)


def test_claims_without_ours_are_missing():
    rows = [
        Claim("a speed", 2.0, None, "times", "a paper", "all of it"),
        Claim("a mean", None, 1.5, "times", "a paper", "all of it"),
    ]
    found = Claims("claims", tuple(rows))
    assert found.errors == ["missing: a speed"]
    assert "missing" in str(found)
    assert [row["ratio"] for row in found.to_dict()["rows"]] == [None, None]


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"tiles": {}}, ValueError, "tiles is empty"),
        (
            {"memory": Memory(weight_buffer=7)},
            ValueError,
            "weight_buffer = 7 bytes: half of it is to",
        ),
        ({"memory": Memory(activation_buffer=1)}, ValueError, "activation_buffer = 1 bytes"),
        ({"phase": "rest"}, ValueError, "phase = 'rest': allowed are prefill, decode"),
        ({"shape": "gpt-9"}, ValueError, "gpt-9"),
        ({"shape": 3}, TypeError, "shape"),
        ({"rate": 4}, ValueError, "one of both is needed"),
        ({"area": None}, ValueError, "one of both is needed"),
        ({"area": 0.0}, ValueError, "area = 0.0"),
        ({"area": 1e12}, ValueError, r"area = 1000000000000.0: allowed are more than 0 to 100,000"),
        ({"area": "1"}, TypeError, "area must be a number of mm2, not '1'"),
        ({"area": None, "rate": 0}, ValueError, "rate = 0"),
        (
            {"area": None, "rate": 1 << 30},
            ValueError,
            "rate = 1073741824: 268,.* tiles of mixpe, allowed are 16,777,216",
        ),
        ({"tokens": 0}, ValueError, "tokens = 0"),
        ({"phase": "decode"}, ValueError, "transformer = 'vit-b': an encoder has no decode phase"),
        ({"tiles": {"one": LMul()}}, TypeError, r"tiles\['one'\] must be Tile, not LMul"),
        ({"memory": 4}, TypeError, "memory must be Memory, not int: 4"),
        ({"cache_bits": 0}, ValueError, "cache_bits = 0: allowed are 1 to 64"),
        ({"cache_bits": 65}, ValueError, "cache_bits = 65: allowed are 1 to 64"),
        ({"constraints": Constraints()}, ValueError, "a clock period is needed"),
        ({"target": "asap7"}, ValueError, "target = 'asap7': allowed are"),
        ({"target": "ecp5"}, ValueError, "target = 'ecp5': power needs energies, those of 'n28'"),
        ({"target": "gates"}, ValueError, "target = 'gates': power needs energies"),
        ({"liberty": Path("no.lib")}, ValueError, "liberty = no.lib: only 'gates'"),
        (
            {"target": "gates", "liberty": Path("no.lib")},
            ValueError,
            "Liberty file no.lib: there is no such file",
        ),
    ],
)
def test_bad_input(monkeypatch, changes, error, said):
    """All of it is told before a tile is synthesised."""
    monkeypatch.setattr(workload, "tile_costs", never)
    given = {"tiles": TILES, "shape": "vit-b", "phase": "prefill", "tokens": 4, "area": 1.0}
    with pytest.raises(error, match=said):
        compare_workload(**{**given, "constraints": CLOCK, **changes})


def test_a_library_without_delays(monkeypatch, tmp_path):
    monkeypatch.setattr(workload, "tile_costs", never)
    liberty = tmp_path / "small.lib"
    liberty.write_text(UNTIMED)
    given = {"target": "gates", "liberty": liberty, "constraints": CLOCK}
    with pytest.raises(ValueError, match=r"clock_period = 2.0: small.lib has no delays"):
        compare_workload(TILES, "vit-b", "prefill", 4, area=1.0, **given)


def test_an_area_of_too_many_tiles_is_named(monkeypatch):
    """Of 1 um2 each: more than 16.78 mm2."""
    monkeypatch.setattr(workload, "tile_costs", small)
    given = {"shape": "vit-b", "phase": "prefill", "tokens": 4, "constraints": CLOCK}
    said = r"area = 17: 17,000,000 tiles of 1 um2, allowed are 16,777,216, on 16.78 mm2"
    with pytest.raises(ValueError, match=said):
        compare_workload(TILES, area=17, **given)
    assert compare_workload(TILES, area=16, **given).errors == []


def test_from_the_command_line(capsys):
    shape = [word for name, value in SHAPE.items() for word in ("-p", f"{name}={value}")]
    words = ["workload", "vit-b", "mixpe", *shape, "--tokens", "16", "--area", "0.05"]
    assert cli.main([*words, "--baselines"]) == 0
    out = capsys.readouterr().out
    assert "multiplier_tile int8 x int8, booth" in out
    assert cli.main(["workload", "vit-b", "lmul"]) == 2
    assert "lmul is no tile" in capsys.readouterr().err
    assert cli.main(["reproduce", "bitmod", "workloads", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["rows"]) == 20


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--target", "ecp5"], "target = 'ecp5': power needs energies"),
        (["--target", "gates"], "target = 'gates': power needs energies"),
        (["--cache-bits", "0"], "cache_bits = 0: allowed are 1 to 64"),
        (["--area", "1e12"], "area = 1000000000000.0: allowed are more than 0 to 100,000 mm2"),
        (["--phase", "decode"], "an encoder has no decode phase, allowed is prefill"),
    ],
)
def test_wrong_input_on_the_command_line(monkeypatch, capsys, words, said):
    """Exit status 2 and one line."""
    monkeypatch.setattr(workload, "tile_costs", never)
    assert cli.main(["workload", "vit-b", "mixpe", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert err.count("\n") == 1


def test_products_of_a_phase():
    assert products_of("vit-b", "prefill", 4)[-1].name == "head"
