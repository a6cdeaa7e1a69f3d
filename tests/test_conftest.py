"""The few cases of a test that `make test` runs are of all kinds."""

import itertools
from dataclasses import dataclass
from types import SimpleNamespace

from tests.conftest import few_of


@dataclass(eq=False)
class Case:
    """What there is of a collected test that counts."""

    callspec: SimpleNamespace


def cases(**axes):
    rows = itertools.product(*axes.values())
    return [Case(SimpleNamespace(params=dict(zip(axes, row, strict=True)))) for row in rows]


def of(chosen, name):
    return [case.callspec.params[name] for case in chosen]


def test_no_value_is_left_out_that_there_is_room_for():
    for number in (4, 5, 6, 8):
        chosen = few_of(cases(a="abcd", b="xy", c=range(3)), number)
        assert len(chosen) == number
        assert set(of(chosen, "a")) == set("abcd")
        assert set(of(chosen, "b")) == set("xy")
        assert set(of(chosen, "c")) == {0, 1, 2}


def test_of_one_parameter_they_are_spread_over_all():
    assert of(few_of(cases(a=range(9)), 3), "a") == [0, 3, 6]
    assert of(few_of(cases(a=range(2)), 3), "a") == [0, 1]
