"""Transformers on arrays of real tiles, and of those that BitMoD publishes figures of."""

import json

import pytest

from multipede import cli
from multipede.asic_flow import Constraints
from multipede.cost_model.reproduction.bitmod_workloads import bitmod_workloads
from multipede.cost_model.reproduction.claims import Claim, Claims
from multipede.cost_model.targets import power, synthesize
from multipede.cost_model.workload import compare_workload, products_of, tile_costs
from multipede.cost_model.workloads.array import Memory
from multipede.golden.formats import INT8
from multipede.golden.mixpe import MixPE
from multipede.golden.multiplier_tile import MultiplierTile

CLOCK = Constraints(clock_period=2.0)
SHAPE = {"rows": 1, "columns": 2, "lanes": 2, "group": 32}
TILES = {"mixpe": MixPE(**SHAPE), "int8": MultiplierTile(weight=INT8, **SHAPE)}


@pytest.fixture(scope="module")
def at_equal_area():
    return compare_workload(TILES, "vit-b", "prefill", 16, area=0.05, constraints=CLOCK)


def test_costs_of_a_tile():
    found = tile_costs(TILES["mixpe"], constraints=CLOCK)
    assert found.area == synthesize(TILES["mixpe"], "n28", constraints=CLOCK).total
    simulated = power(TILES["mixpe"], "n28", constraints=CLOCK).power
    assert found.energy == simulated.energy_per_clock
    assert 0 < found.leakage < simulated.total
    with pytest.raises(ValueError, match="a clock period is needed"):
        tile_costs(TILES["mixpe"], constraints=Constraints(fastest=True))


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
    found = compare_workload(TILES, "vit-b", "decode", 16, rate=64, constraints=CLOCK)
    for row in found.rows:
        array = row.cost.array
        assert 64 <= array.rows * array.columns * array.lanes / array.interval < 80


def test_more_memory_makes_decode_faster():
    slow, fast = (
        compare_workload(
            {"mixpe": TILES["mixpe"]}, "vit-b", "decode", 16, rate=64, constraints=CLOCK,
            memory=Memory(bits_per_clock=bits),
        ).rows[0].cost
        for bits in (8, 4096)
    )  # fmt: skip
    assert slow.seconds > 2 * fast.seconds
    assert slow.dram_bits == fast.dram_bits


def test_tiles_that_fail_are_rows():
    found = compare_workload(TILES, "vit-b", "decode", 16, area=1e-6, constraints=CLOCK)
    assert len(found.errors) == 2
    assert "more than 1e-06 mm2" in found.errors[0]
    assert "failed" in str(found)
    assert found.to_dict()["rows"][0]["error"]


def test_bitmods_published_figures_follow_from_the_model():
    """All eight within 13 %: speed and energy, prefill and generation, lossless and lossy."""
    found = bitmod_workloads()
    assert len(found.rows) == 8
    for row in found.rows:
        assert 0.88 < row.ratio < 1.13, row.what
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
        ({"phase": "rest"}, ValueError, "phase = 'rest': allowed are prefill, decode"),
        ({"shape": "gpt-9"}, ValueError, "gpt-9"),
        ({"shape": 3}, TypeError, "shape"),
        ({"rate": 4}, ValueError, "one of both is needed"),
        ({"area": None}, ValueError, "one of both is needed"),
        ({"area": 0.0}, ValueError, "area = 0.0"),
        ({"area": None, "rate": 0}, ValueError, "rate = 0"),
        ({"tokens": 0}, ValueError, "tokens = 0"),
    ],
)
def test_bad_input(changes, error, said):
    given = {"tiles": TILES, "shape": "vit-b", "phase": "prefill", "tokens": 4, "area": 1.0}
    with pytest.raises(error, match=said):
        compare_workload(**{**given, **changes}, constraints=CLOCK)


def test_from_the_command_line(capsys):
    shape = [word for name, value in SHAPE.items() for word in ("-p", f"{name}={value}")]
    words = ["workload", "vit-b", "mixpe", *shape, "--tokens", "16", "--area", "0.05"]
    assert cli.main([*words, "--baselines"]) == 0
    out = capsys.readouterr().out
    assert "multiplier_tile int8 x int8, booth" in out
    assert cli.main(["workload", "vit-b", "lmul"]) == 2
    assert "lmul is no tile" in capsys.readouterr().err
    assert cli.main(["reproduce", "bitmod", "workloads", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["rows"]) == 8


def test_products_of_a_phase():
    assert products_of("vit-b", "prefill", 4)[-1].name == "head"
