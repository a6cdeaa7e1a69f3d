"""Results as a table, and which of them nothing is better than."""

import itertools
import random
from dataclasses import replace

import pandas
import pytest

from multipede.cost_model.sweeps.frame import frame, pareto
from multipede.cost_model.sweeps.question import Answer
from multipede.golden.lmul import LMul
from multipede.golden.mixpe import MixPE
from multipede.golden.stallable import Stallable
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

    def test_other_questions_are_other_rows(self):
        """As of two clocks; what was asked for once belongs to both."""
        product = LMul()
        clocks = [
            replace(one, options={"constraints": {"clock_period": period, "time_limit": period}})
            for one, period in (
                (answer(product, "n28", area=5.0), 3.0),
                (answer(product, "n28", area=9.0), 0.25),
                (answer(MixPE(), "n28", area=7.0), 3.0),
            )
        ]
        found = frame([*clocks, answer(product, "ecp5", lut=4)])
        rows = found[["unit", "n28.clock_period", "n28.area", "ecp5.lut"]].fillna(0).to_numpy()
        assert rows.tolist() == [
            ["lmul", 3.0, 5.0, 4.0],
            ["lmul", 0.25, 9.0, 4.0],
            ["mixpe", 3.0, 7.0, 0.0],
        ]
        assert found.attrs["units"]["n28.clock_period"] == "ns"
        assert "n28.time_limit" not in found
        assert "n28.clock_period" not in frame([clocks[0], clocks[2]])

    def test_of_several_answers_to_a_question_the_last_counts(self):
        """All of it: a failure has no figures of an earlier one."""
        first, second = answer(LMul(), "n28", area=5.0, delay=1.0), answer(LMul(), "n28", area=6.0)
        (row,) = frame([first, second]).to_dict("records")
        assert (row["n28.area"], "n28.delay" in row) == (6.0, False)
        (row,) = frame([first, answer(LMul(), "n28", error="it crashed")]).to_dict("records")
        assert row["n28.error"] == "it crashed"
        assert "n28.area" not in row

    def test_units_around_others_and_units_that_are_no_more(self):
        around = Stallable(inside=LMul())
        gone = answer(MixPE(), "n28", area=8.0)
        gone = replace(gone, spec={"unit": "my_unit", "parameters": {"x": 1}}, fingerprint="f")
        renamed = answer(LMul(), "n28", area=4.0)
        renamed = replace(renamed, spec={"unit": "lmul", "parameters": {"old": 2}}, fingerprint="g")
        found = frame([answer(around, "n28", area=6.0), gone, renamed])
        assert found["unit"].tolist() == ["stallable", "my_unit", "lmul"]
        assert found["n28.area"].tolist() == [6.0, 8.0, 4.0]
        assert any(str(value).startswith("lmul(format=bf16") for value in found.iloc[0])
        assert found.nunique().sum() > 0  # all cells can be compared
        assert found["n28.area_per_multiply"].notna().tolist() == [True, False, False]

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
            ({"minimise": ["a"], "maximise": ["a"]}, ValueError, "among the others already"),
            ({"maximise": "a"}, TypeError, "maximise"),
        ],
    )
    def test_bad_input(self, options, error, said):
        with pytest.raises(error, match=said):
            pareto(pandas.DataFrame({"a": [1], "b": ["x"]}), **options)
