"""Design spaces: which points they have, and what is no space."""

import itertools
import math

import pytest

from multipede.cost_model.sweeps.space import Space, read_spaces
from multipede.golden.formats import UINT2, UINT4
from multipede.golden.mixpe import MixPE

WEIGHTS = ["uint2", "uint4"]


class TestGrid:
    def test_all_combinations(self):
        found = list(Space("mixpe", {"weight": WEIGHTS, "lanes": range(1, 3)}).grid())
        assert found == [MixPE(weight=w, lanes=n) for w in (UINT2, UINT4) for n in (1, 2)]

    def test_conditions_leave_out(self):
        space = Space(
            "mixpe",
            {"rows": range(1, 9), "columns": range(1, 9)},
            ["rows * columns == 8", "rows <= columns"],
        )
        assert [(spec.rows, spec.columns) for spec in space.grid()] == [(1, 8), (2, 4)]

    def test_conditions_see_formats(self):
        space = Space("mixpe", {"weight": WEIGHTS}, ["weight.bits * lanes < 32"])
        assert [spec.weight for spec in space.grid()] == [UINT2]

    def test_what_the_unit_refuses_is_no_point(self):
        """128 is no multiple of 3, as lanes must divide a group."""
        space = Space("mixpe", {"lanes": [3, 4]})
        assert space.combinations == 2
        assert [spec.lanes for spec in space.grid()] == [4]

    def test_a_value_twice_counts_once(self):
        assert Space("mixpe", {"rows": [1, 2, 1]}).combinations == 2

    def test_without_parameters_it_is_the_default(self):
        assert list(Space("mixpe", {}).grid()) == [MixPE()]


class TestSample:
    SPACE = Space("mixpe", {"rows": range(1, 65), "columns": range(1, 65), "lanes": [1, 2, 4, 8]})

    def test_different_and_repeatable(self):
        first, again = self.SPACE.sample(20, seed=3), self.SPACE.sample(20, seed=3)
        assert first == again
        assert len({spec.fingerprint for spec in first}) == 20
        assert first != self.SPACE.sample(20, seed=4)

    def test_no_more_than_there_are(self):
        space = Space("mixpe", {"rows": [1, 2, 3]}, ["rows != 2"])
        assert sorted(spec.rows for spec in space.sample(50, seed=1)) == [1, 3]

    def test_of_a_space_too_large_for_a_grid(self):
        sides = range(1, 257)
        parameters = {"rows": sides, "columns": sides, "stages": range(1, 101), "lanes": [1, 2]}
        space = Space("mixpe", parameters, ["rows > columns", "stages < 3"])
        with pytest.raises(ValueError, match="13,107,200 combinations are more than"):
            next(space.grid())
        assert all(spec.rows > spec.columns for spec in space.sample(5, seed=1))


class TestToml:
    def test_lists_and_ranges(self, tmp_path):
        path = tmp_path / "space.toml"
        path.write_text(
            """
            [[space]]
            unit = "mixpe"
            conditions = ["rows < lanes"]
            [space.parameters]
            weight = ["uint2", "uint4"]
            rows = { from = 1, to = 5, step = 2 }
            lanes = { from = 4, to = 16, factor = 2 }

            [[space]]
            unit = "lmul"
            """
        )
        mixpe, lmul = read_spaces(path)
        assert mixpe == Space(
            "mixpe",
            {"weight": WEIGHTS, "rows": (1, 3, 5), "lanes": (4, 8, 16)},
            ("rows < lanes",),
        )
        assert lmul == Space("lmul", {})

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("x = [", "is no design space"),
            ("unit = 'mixpe'", r"tables \[\[space\]\] are needed, and no unit"),
            ("", r"tables \[\[space\]\] are needed"),
            ("[[space]]\nunits = 'mixpe'", "a space has unit, parameters and conditions"),
            ("[[space]]\nunit = 'mixep'", "there is no unit 'mixep'"),
            ("[[space]]\nunit = 'mixpe'\nparameters = {rows = {from = 1}}", "has from and to"),
            (
                "[[space]]\nunit = 'mixpe'\nparameters = {rows = {from = 0, to = 4, factor = 2}}",
                "numbers from 1",
            ),
            (
                "[[space]]\nunit = 'mixpe'\nparameters = {rows = {from = 1, to = 4, step = 0}}",
                "a step of at least 1",
            ),
            ("[[space]]\nunit = 'mixpe'\nparameters = {rows = {from = 1, to = 'a'}}", "rows: to"),
            ("[[space]]\nunit = 'mixpe'\nparameters = {rows = 4}", "rows must be a list"),
            (
                "[[space]]\nunit = 'mixpe'\nparameters = {rows = {from = 1, to = 10000000000}}",
                "too many values",
            ),
        ],
    )
    def test_what_is_wrong_is_told_with_the_file(self, tmp_path, text, said):
        path = tmp_path / "space.toml"
        path.write_text(text)
        with pytest.raises(ValueError, match=f"{path}.*{said}"):
            read_spaces(path)

    def test_no_file(self, tmp_path):
        with pytest.raises(ValueError, match=r"is no design space: .*No such file"):
            read_spaces(tmp_path / "x.toml")


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        (("mixep", {}), ValueError, "there is no unit 'mixep' .is mixpe meant"),
        (("mixpe", {"row": [1]}), ValueError, "mixpe has no parameter 'row'"),
        (("mixpe", {"rows": []}), ValueError, "rows has no values"),
        (("mixpe", {"rows": itertools.count()}), TypeError, "rows must be a list or a range"),
        (("mixpe", {"weight": "uint4"}), TypeError, "weight must be a list or a range"),
        (("mixpe", {}, "rows > 1"), TypeError, "conditions must be a list"),
        (("mixpe", {"weight": ["uint4", "uitn4"]}), ValueError, "weight = 'uitn4': "),
        (("mixpe", {"rows": ["1", "two"]}), ValueError, "rows = 'two': an integer is needed"),
        (("mixpe", {"rows": [1, math.nan]}), TypeError, "rows must be .*, not float"),
        (("mixpe", {"weight": [["uint4"]]}), TypeError, "weight must be .*, not list"),
        (("mixpe", {}, ["rows >"]), ValueError, "condition 'rows >' is no expression"),
        (("mixpe", {}, ["open('x')"]), ValueError, r"open\('x'\) is not allowed"),
        (("mixpe", {}, ["row > 4"]), ValueError, "'row > 4': mixpe has no parameter 'row'"),
    ],
)
def test_what_is_no_space(given, error, said):
    with pytest.raises(error, match=said):
        Space(*given)


@pytest.mark.parametrize(
    ("conditions", "said"),
    [
        (
            ["rows > 64"],
            "the space of mixpe is empty: of 3 tried, of the first: the condition 'rows",
        ),
        (["weight.__class__ == 1"], "condition .*__class__"),
    ],
)
def test_conditions_that_cannot_be(conditions, said):
    with pytest.raises(ValueError, match=said):
        list(Space("mixpe", {"rows": [1, 2, 3]}, conditions).grid())


@pytest.mark.parametrize(
    "condition",
    [
        "weight.codes().astype('u1').tofile('{}') == None",
        "weight.codes()[:1].dump('{}') == None",
        "'a'.ljust(3 * 10 ** 9) > ''",
        "[w.tofile('{}') for w in (weight.codes(),)] == []",
        "max(rows, key=weight.codes().tofile) == 1",
        "f'{weight.codes().tofile}' == ''",
        "(lambda: 1)() == 1",
        "list(range(10 ** 9)) == []",
        "{1: 2} == {3: 4}",
    ],
)
def test_conditions_do_nothing_but_compute(condition, tmp_path):
    """They come with files from anywhere: nothing is called, so that nothing is written."""
    victim = tmp_path / "victim"
    victim.write_text("mine")
    with pytest.raises(ValueError, match="is not allowed"):
        Space("mixpe", {"rows": [1]}, [condition.replace("{}", str(victim))])
    assert victim.read_text() == "mine"


@pytest.mark.parametrize("condition", ["weight.codes == 1", "weight.decode == 1"])
def test_conditions_see_nothing_but_values(condition):
    with pytest.raises(ValueError, match="is no number, text or format"):
        list(Space("mixpe", {"rows": [1]}, [condition]).grid())


def test_what_conditions_may_have():
    conditions = [
        "min(rows, columns) >= 1 and not rows == 3",
        "weight.bits in (2, 4) or rows < 0",
        "(rows if rows > 1 else columns) - -1 >= 2 ** 1 // 1",
    ]
    assert len(list(Space("mixpe", {"rows": [1, 2, 3]}, conditions).grid())) == 2


def test_a_unit_that_refuses_all():
    with pytest.raises(ValueError, match=r"is empty: of 1 tried, of the first: .*lanes"):
        list(Space("mixpe", {"lanes": [3]}).grid())
