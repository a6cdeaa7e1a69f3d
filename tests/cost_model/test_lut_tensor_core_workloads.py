"""BitNet on lookups in place of tensor cores: published ratios, and ours worked by hand."""

import json

import pytest

from multipede import cli
from multipede.asic_flow import Constraints
from multipede.cost_model.reproduction import lut_tensor_core_workloads as module
from multipede.cost_model.workload import TileCosts, products_of

CLOCK = Constraints(clock_period=4.0)
AREAS = {16: 3000.0, 8: 2000.0, 2: 1000.0}
"""um2 of made-up tiles, by the bits of their weights"""
ENERGIES = {16: 32.0, 8: 16.0, 2: 64.0}
"""pJ likewise, for a clock"""


def made_up(tile, target, *, constraints):
    bits = tile.weight.bits
    return TileCosts(AREAS[bits], ENERGIES[bits], 0.0, constraints.clock_period, "made up")


@pytest.fixture
def found(monkeypatch):
    monkeypatch.setattr(module, "tile_costs", made_up)
    claims = module.lut_tensor_core_workloads(constraints=CLOCK)
    return {row.what: row for row in claims.rows}


def test_published_ratios_are_of_the_table(found):
    """Which the paper's text has as 5.51."""
    rows = [row for what, row in found.items() if what.startswith("lookups, 8")]
    assert [row.published for row in rows] == [
        pytest.approx(106.71 / 38.02),
        None,
        pytest.approx(5.51, abs=0.005),
        None,
        pytest.approx(0.373 / 0.975),
    ]
    assert len(found) == 15


def test_areas_are_those_of_as_many_multiply_accumulates(found):
    """A grid is of whole rows and columns of tiles, so that it may lack a few."""
    of_fp16 = AREAS[16] / 32
    for times, title in ((4, "lookups, 4 times FP16's"), (8, "lookups, 8 times FP16's")):
        row = found[f"{title}: area of FP16's"]
        assert row.ours == pytest.approx(times * AREAS[2] / 512 / of_fp16, rel=0.05)
    row = found["INT8 tensor cores: area of FP16's"]
    assert row.ours == pytest.approx(2 * AREAS[8] / 128 / of_fp16, rel=0.05)


def test_speeds_are_those_of_rates_unless_the_memory_is_slower(found):
    """Decode of 1024 sequences: weights come once and activations stay, so that FP16 is bound by
    its rate and INT8 nearly twice as fast; of 8 times, grids lose some to their edges."""
    assert found["INT8 tensor cores, decode of 1024 x 1: faster"].ours == pytest.approx(2, rel=0.1)
    eight = found["lookups, 8 times FP16's, decode of 1024 x 1: faster"].ours
    assert 5 < eight < 8
    weights = sum(
        p.multiplications for p in products_of("bitnet-3b", "decode", 1, 1024) if p.weights
    )
    assert weights == pytest.approx(1024 * 3.32e9, rel=0.01)


def test_keys_and_values_have_the_bits_of_activations():
    costs = TileCosts(1.0, 1.0, 0.0, 1.0, "made up")
    bits = {name: module._array(name, costs).cache_bits for name in ("fp16", "int8")}
    assert bits == {"fp16": 16, "int8": 8}


def test_energies_follow_the_tiles(monkeypatch, found):
    """Of tiles that take twice as much, with a share of memory that stays the same."""
    what = "lookups, 8 times FP16's, decode of 1024 x 1: less energy"
    before = found[what].ours
    monkeypatch.setitem(ENERGIES, 2, 2 * ENERGIES[2])
    again = {row.what: row for row in module.lut_tensor_core_workloads(constraints=CLOCK).rows}
    assert before / 2 < again[what].ours < before


def test_from_the_command_line(monkeypatch, capsys):
    monkeypatch.setattr(module, "tile_costs", made_up)
    assert cli.main(["reproduce", "lut_tensor_core", "workloads", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert len(document["rows"]) == 15
    assert any("recalled" in note for note in document["notes"])
    assert cli.main(["reproduce", "lut_tensor_core", "workloads", "--shape", "2x64x4"]) == 2
    assert "--shape has a meaning for ablation" in capsys.readouterr().err


@pytest.mark.regress
def test_synthesised():
    """Lookups save energy and area, and are faster."""
    claims = module.lut_tensor_core_workloads(constraints=CLOCK)
    assert claims.errors == []
    for row in claims.rows:
        if row.what.endswith("area of FP16's"):
            assert row.ours < 0.7
        elif row.what.startswith("lookups"):
            assert row.ours > 3
