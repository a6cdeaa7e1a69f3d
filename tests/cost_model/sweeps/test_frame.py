"""Results as a table, and which of them nothing is better than."""

import itertools
import random

import pandas
import pytest

from multipede.cost_model.sweeps.frame import frame, pareto
from multipede.cost_model.sweeps.question import Answer
from multipede.golden.lmul import LMul
from multipede.golden.mixpe import MixPE
from multipede.toolchain.cost import Cost, CostMethod


def answer(spec, target, error="", **figures):
    units = {"area": "um2", "delay": "ps", "lut": "LUT4"}
    costs = tuple(
        Cost(
            quantity=quantity,
            value=value,
            unit=units[quantity],
            target=target,
            method=CostMethod.SYNTHESISED,
            source="a test",
        )
        for quantity, value in figures.items()
    )
    described = (spec.to_dict(), spec.fingerprint, target, {})
    return Answer("k", *described, costs=costs, error=error, seconds=2.0)


class TestFrame:
    def test_a_row_for_each_point(self):
        tile = MixPE(rows=2, columns=3, lanes=4)
        found = frame(
            [
                answer(tile, "n28", area=240.0, delay=500.0),
                answer(tile, "ecp5", lut=48),
                answer(LMul(), "n28", area=5.0),
            ]
        )
        assert len(found) == 2
        first, second = found.to_dict("records")
        assert (first["unit"], first["rows"], first["weight"]) == ("mixpe", 2, "uint4")
        assert (first["n28.area"], first["ecp5.lut"]) == (240.0, 48)
        assert first["n28.area_per_multiply_accumulate"] == 10.0
        assert first["ecp5.lut_per_multiply_accumulate"] == 2.0
        # 24 in each clock of 500 ps.
        assert first["n28.multiply_accumulate_per_second"] == pytest.approx(48e9)
        assert (second["unit"], second["format"], second["n28.area"]) == ("lmul", "bf16", 5.0)
        assert pandas.isna(second["ecp5.lut"])

    def test_columns_have_units_and_methods(self):
        found = frame([answer(LMul(), "n28", area=5.0, delay=500.0)])
        units = found.attrs["units"]
        assert (units["n28.area"], units["n28.delay"], units["n28.seconds"]) == ("um2", "ps", "s")
        assert units["n28.area_per_multiply"] == "um2"
        assert units["n28.multiply_per_second"] == "1/s"
        figures = ("area", "delay", "area_per_multiply", "multiply_per_second")
        assert found.attrs["methods"] == {f"n28.{name}": "synthesised" for name in figures}

    def test_failures_are_rows(self):
        found = frame([answer(LMul(), "n28", error="it crashed")])
        assert found["n28.error"].tolist() == ["it crashed"]


class TestPareto:
    def test_against_the_definition(self):
        generator = random.Random(5)
        draw = generator.randrange
        rows = [[a := draw(30), 30 - a + draw(30), draw(9)] for _ in range(200)]
        found = pandas.DataFrame(rows, columns=["a", "b", "c"])
        kept = pareto(found, minimise=["a", "b"], maximise=["c"])
        costs = [(a, b, -c) for a, b, c in rows]

        def dominates(p, q):
            return p != q and all(x <= y for x, y in zip(p, q, strict=True))

        expected = [
            index
            for index, cost in enumerate(costs)
            if not any(dominates(other, cost) for other in costs)
        ]
        assert 3 < len(expected) < 100
        assert kept.index.tolist() == expected

    def test_equal_ones_are_all_kept_and_holes_left_out(self):
        found = pandas.DataFrame({"a": [1.0, 1.0, 2.0, None], "b": [1.0, 1.0, 3.0, 0.0]})
        found.attrs["units"] = {"a": "um2"}
        kept = pareto(found, minimise=["a", "b"])
        assert kept.index.tolist() == [0, 1]
        assert kept.attrs["units"] == {"a": "um2"}

    def test_one_column(self):
        found = pandas.DataFrame({"a": [3, 1, 2]})
        assert pareto(found, minimise=["a"]).index.tolist() == [1]
        assert pareto(found, maximise=["a"]).index.tolist() == [0]

    def test_many_are_quick(self):
        rows = list(itertools.product(range(22), repeat=3))
        assert len(pareto(pandas.DataFrame(rows), minimise=[0, 1, 2])) == 1

    @pytest.mark.parametrize(
        ("options", "error", "said"),
        [
            ({}, ValueError, "minimise and maximise are empty"),
            ({"minimise": ["d"]}, ValueError, "minimise = 'd': columns are a, b"),
            ({"minimise": ["b"]}, ValueError, "the column has no numbers"),
            ({"maximise": "a"}, TypeError, "maximise"),
        ],
    )
    def test_bad_input(self, options, error, said):
        with pytest.raises(error, match=said):
            pareto(pandas.DataFrame({"a": [1], "b": ["x"]}), **options)
