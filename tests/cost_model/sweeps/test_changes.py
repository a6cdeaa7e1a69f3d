"""Two files of results: what changed of the same points, whatever code made them."""

import json
from dataclasses import replace

import pytest

from multipede.cost_model.sweeps.changes import changes
from multipede.golden.lmul import LMul
from multipede.golden.mixpe import MixPE
from tests.cost_model.sweeps.test_frame import answer


def test_what_is_larger_and_smaller_by_more_than_asked_for():
    before = [answer(LMul(), "n28", area=100.0, delay=500.0), answer(MixPE(), "ecp5", lut=0)]
    after = [
        # By other code, so that its key is another.
        replace(answer(LMul(), "n28", area=110.0, delay=495.1), key="other"),
        answer(MixPE(), "ecp5", lut=3),
    ]
    found = changes(before, after)
    assert found.compared == 3
    assert [(c.quantity, c.ratio) for c in found.larger] == [
        ("lut", float("inf")),
        ("area", pytest.approx(1.1)),
    ]
    assert found.smaller == ()
    assert found.worse
    (smaller,) = changes(before, after, tolerance=0.005).smaller
    assert (smaller.quantity, smaller.before, smaller.after) == ("delay", 500.0, 495.1)
    assert not changes(before, before).worse
    assert "1.100  n28 area 100 to 110 um2  lmul(" in str(found)
    assert json.loads(json.dumps(found.to_dict()))["larger"][1]["quantity"] == "area"


def test_the_most_first():
    before = [answer(MixPE(lanes=n), "n28", area=100.0) for n in (2, 4, 8, 16)]
    values = (110.0, 300.0, 50.0, 90.0)
    after = [
        answer(MixPE(lanes=n), "n28", area=a) for n, a in zip((2, 4, 8, 16), values, strict=True)
    ]
    found = changes(before, after)
    assert [change.after for change in found.larger] == [300.0, 110.0]
    assert [change.after for change in found.smaller] == [50.0, 90.0]


def test_the_last_answer_to_a_question_counts():
    stale, present = answer(LMul(), "n28", area=150.0), answer(LMul(), "n28", area=100.0)
    assert not changes([present], [stale, present]).worse
    assert changes([present], [present, stale]).worse


def test_figures_that_are_gone():
    before = [answer(LMul(), "n28", area=1.0, delay=2.0)]
    found = changes(before, [answer(LMul(), "n28", area=1.0)])
    assert found.worse
    assert found.gone[0].endswith("on n28: delay")
    assert "is not told any more: lmul(" in str(found)
    assert changes(before, [answer(LMul(), "n28", error="x")]).gone == ()


def test_of_units_that_are_no_more():
    gone = {"spec": {"unit": "my_unit", "parameters": {"x": 1}}, "fingerprint": "f"}
    before, after = (replace(answer(LMul(), "n28", area=a), **gone) for a in (1.0, 2.0))
    assert changes([before], [after]).larger[0].spec == "my_unit(x=1)"


def test_points_that_fail_or_are_only_in_one():
    good, bad = answer(LMul(), "n28", area=1.0), answer(LMul(), "n28", error="it crashed")
    other = answer(MixPE(), "n28", area=1.0)
    broken, mended = changes([good, other], [bad]), changes([bad], [good, other])
    assert broken.worse
    assert broken.failing[0].endswith("on n28: it crashed")
    assert (broken.only_before, broken.compared) == ((f"{other.point} on n28",), 0)
    assert f"is missing: {other.point} on n28" in str(broken)
    assert broken.only_after == ()
    assert not mended.worse
    assert len(mended.mended) == 1
    assert mended.only_after == broken.only_before


def test_a_point_that_is_missing_is_worse():
    kept, lost = answer(LMul(), "n28", area=1.0), answer(LMul(), "gates", area=1.0)
    assert changes([kept, lost], [kept]).worse
    assert not changes([kept], [kept, lost]).worse


def test_other_options_are_another_question():
    first = answer(LMul(), "n28", area=1.0)
    slower = replace(answer(LMul(), "n28", area=0.5), options={"constraints": {"clock_period": 9}})
    assert changes([first], [slower]).compared == 0


def test_bad_input():
    with pytest.raises(ValueError, match=r"tolerance = -1: 0 or more"):
        changes([], [], tolerance=-1)
